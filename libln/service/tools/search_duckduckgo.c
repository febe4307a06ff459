#include "service/tools/web_search.h"

#include <string.h>

#include "base/banned.h"

/* Instant answers: an abstract, sometimes results, and related topics, which
 * may stand in groups. */

#define TITLE_MAX 100	/* bytes of a topic's text that serve as its title */

/* A topic's text begins with its title, " - " and more, or is one sentence. */
static enum ln_status
add_topic(const struct ln_json *topic, struct ln_search_list *out,
    struct ln_error *err)
{
	const char *text = ln_json_get_string(topic, "Text");
	const char *end = text != NULL ? strstr(text, " - ") : NULL;
	char title[TITLE_MAX + 1];

	if (end == NULL || end - text > TITLE_MAX)
		return lni_search_add(out, text,
		    ln_json_get_string(topic, "FirstURL"), NULL, err);
	memcpy(title, text, (size_t)(end - text));
	title[end - text] = '\0';
	return lni_search_add(out, title, ln_json_get_string(topic,
	    "FirstURL"), end + 3, err);
}

static enum ln_status
add_topics(const struct ln_json *list, struct ln_search_list *out,
    struct ln_error *err)
{
	const struct ln_json *node, *inner;
	enum ln_status s = LN_OK;

	for (node = ln_json_first(list); node != NULL && s == LN_OK;
	    node = ln_json_next(node)) {
		s = add_topic(node, out, err);
		for (inner = ln_json_first(ln_json_get(node, "Topics"));
		    inner != NULL && s == LN_OK; inner = ln_json_next(inner))
			s = add_topic(inner, out, err);
	}
	return s;
}

static enum ln_status
read_answer(const struct ln_json *answer, struct ln_search_list *out,
    struct ln_error *err)
{
	const char *abstract = ln_json_get_string(answer, "AbstractText");
	enum ln_status s;

	if (abstract != NULL && abstract[0] != '\0' &&
	    (s = lni_search_add(out, ln_json_get_string(answer, "Heading"),
	    ln_json_get_string(answer, "AbstractURL"), abstract, err)) !=
	    LN_OK)
		return s;
	if ((s = add_topics(ln_json_get(answer, "Results"), out, err)) !=
	    LN_OK)
		return s;
	return add_topics(ln_json_get(answer, "RelatedTopics"), out, err);
}

const struct lni_search_provider lni_search_duckduckgo = {
	.name = "duckduckgo",
	.base_url = "https://api.duckduckgo.com",
	.path = "/?format=json&no_html=1&skip_disambig=1&q=",
	.read = read_answer,
};

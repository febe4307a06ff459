#include "service/tools/web_search.h"

#include "base/banned.h"

static enum ln_status
read_results(const struct ln_json *answer, struct ln_search_list *out,
    struct ln_error *err)
{
	const struct ln_json *r;
	enum ln_status s = LN_OK;

	for (r = ln_json_first(ln_json_get(answer, "results"));
	    r != NULL && s == LN_OK; r = ln_json_next(r))
		s = lni_search_add(out, ln_json_get_string(r, "title"),
		    ln_json_get_string(r, "url"),
		    ln_json_get_string(r, "content"), err);
	return s;
}

const struct lni_search_provider lni_search_searxng = {
	.name = "searxng",
	.path = "/search?format=json&q=",
	.refused = "The search service refuses JSON. Add json to "
	    "search.formats in the settings of SearXNG",
	.read = read_results,
};

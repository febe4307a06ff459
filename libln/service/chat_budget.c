/* What fits into a model's sight: the question, the system prompt and the tools
 * must, the answer needs room, and the rest is for passages and earlier turns. */
#include "service/chat.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/passages.h"
#include "service/toolbox.h"

#include "base/banned.h"

#define ANSWER_TOKENS 1024	/* kept free when nobody says how many */
#define IMAGE_TOKENS 600	/* of one, about; models differ */

enum ln_status
lni_chat_context(struct ln_store *st, const char *user_id, int64_t *out,
    struct ln_error *err)
{
	char *stored = NULL, *rest;
	enum ln_status s;
	long long n;

	*out = 0;
	if ((s = lni_chat_setting(st, user_id, "context_tokens", &stored,
	    err)) != LN_OK || stored == NULL)
		return s;
	n = strtoll(stored, &rest, 10);
	if (*rest == '\0' && n >= LN_CHAT_CONTEXT_MIN &&
	    n <= LN_CHAT_CONTEXT_MAX)
		*out = n;
	ln_free(stored);
	return LN_OK;
}

static size_t
length(const char *s)
{
	return s != NULL ? strlen(s) : 0;
}

static int64_t
tool_tokens(const struct ln_chat *c)
{
	const struct ln_llm_tool *tools;
	size_t count = 0, bytes = 0, i;

	if (!c->is_offering)
		return 0;
	tools = lni_toolbox_tools(c->box, &count);
	for (i = 0; i < count; i++)
		bytes += length(tools[i].name) + length(tools[i].description) +
		    length(tools[i].parameters) + LNI_TURN_OVERHEAD;
	return lni_chat_estimate(bytes);
}

/* ${json} is an array of base64 strings, and these hold no quotes. */
static int64_t
image_tokens(const char *json)
{
	size_t quotes = 0;

	for (; json != NULL && *json != '\0'; json++)
		quotes += *json == '"';
	return (int64_t)(quotes / 2) * IMAGE_TOKENS;
}

/*
 * What is sent as num_ctx and the like is only what a person or an admin has
 * set: a model server knows its memory better than we do, and another number
 * makes it load the model again.
 */
enum ln_status
lni_chat_budget(struct ln_store *st, struct ln_chat *c,
    const struct lni_draft *d, size_t *out_bytes, struct ln_error *err)
{
	int64_t context, question, fixed, answer = ANSWER_TOKENS, left;
	enum ln_status s;

	*out_bytes = LNI_HISTORY_MAX;
	c->context = 0;
	c->passages_max = LNI_PASSAGES_BYTES;
	if (c->options.context_tokens <= 0 && (s = lni_chat_context(st,
	    d->opts->user_id, &c->options.context_tokens, err)) != LN_OK)
		return s;
	context = c->options.context_tokens > 0 ? c->options.context_tokens :
	    c->conf->info->context_tokens;
	if (context == 0)	/* nobody knows: the provider will say */
		return LN_OK;
	if (c->options.max_tokens > 0)
		answer = c->options.max_tokens;
	if (answer > context / 4)
		answer = context / 4;
	question = lni_chat_estimate(length(c->question)) +
	    image_tokens(d->images);
	fixed = lni_chat_estimate(length(d->system_prompt)) + tool_tokens(c) +
	    lni_chat_estimate(c->answer.len);
	/* Of a model that nobody described we only guess: let it judge. */
	if (c->options.context_tokens > 0 && question + answer > context)
		return ln_fail_field(err, LN_TOO_LARGE, "prompt",
		    "The message is longer than what the model keeps in sight. "
		    "Shorten it, or choose a model that keeps more",
		    "%lld tokens of %lld", (long long)question,
		    (long long)context);
	c->context = context;
	c->reserved = answer + tool_tokens(c) + image_tokens(d->images);
	left = context - answer - question - fixed;
	if (left < 0)
		left = 0;
	if (left < (int64_t)(LNI_HISTORY_MAX / 4))
		*out_bytes = (size_t)left * 4;
	if (c->project_id == NULL)
		return LN_OK;
	/* Half for the documents, where that is not plenty. */
	if (c->passages_max > *out_bytes / 2)
		c->passages_max = *out_bytes / 2;
	*out_bytes -= c->passages_max;
	return LN_OK;
}

size_t
lni_chat_room(const struct ln_chat *c)
{
	const struct ln_llm_message *m;
	int64_t left = c->context - c->reserved;
	size_t i;

	if (c->context == 0)
		return SIZE_MAX;
	for (i = 0; i < c->prompt.count && left > 0; i++) {
		m = &c->prompt.messages[i];
		left -= lni_chat_estimate(length(m->content) +
		    length(m->tool_calls) + LNI_TURN_OVERHEAD);
	}
	return left > 0 ? (size_t)left * 4 : 0;
}

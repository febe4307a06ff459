#include "service/chat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/text.h>

#include "service/chat_text.h"

#include "base/banned.h"

#define MAX_TOKENS_MAX 1000000	/* ours */

void
lni_draft_clear(struct lni_draft *d)
{
	ln_user_free(d->user);
	ln_conversation_free(d->conversation);
	free(d->images);
	free(d->system_prompt);
}

static bool
is_text(const char *s)
{
	return ln_utf8_valid(s, strlen(s));
}

static enum ln_status
check_prompt(const struct ln_chat_opts *o, struct ln_error *err)
{
	bool has_more = o->file_content != NULL ||
	    (o->images != NULL && o->images[0] != NULL);
	const char *prompt = o->prompt != NULL ? o->prompt : "";

	if (o->is_regenerate || o->is_continue)
		return LN_OK;
	if (strlen(prompt) > LN_CHAT_PROMPT_MAX)
		return ln_fail_field(err, LN_TOO_LARGE, "prompt",
		    "The message is too long", "%zu bytes", strlen(prompt));
	if (!is_text(prompt))
		return ln_fail_field(err, LN_INVALID, "prompt",
		    "The message is not valid text", "not UTF-8");
	if (!has_more && prompt[strspn(prompt, " \t\r\n")] == '\0')
		return ln_fail_field(err, LN_INVALID, "prompt",
		    "The message is empty", "empty prompt");
	if (o->file_content == NULL)
		return LN_OK;
	if (strlen(o->file_content) > LN_CHAT_FILE_MAX)
		return ln_fail_field(err, LN_TOO_LARGE, "file_context",
		    "The attached file is too large", "%zu bytes",
		    strlen(o->file_content));
	if (!is_text(o->file_content) ||
	    (o->file_name != NULL && !is_text(o->file_name)))
		return ln_fail_field(err, LN_INVALID, "file_context",
		    "The attached file is not text", "not UTF-8");
	return LN_OK;
}

static enum ln_status
check_names(const struct ln_chat_opts *o, struct ln_error *err)
{
	if (o->model != NULL && (!is_text(o->model) ||
	    ln_text_has_control(o->model) ||
	    ln_utf8_count(o->model) > LN_TITLE_MAX))
		return ln_fail_field(err, LN_INVALID, "model",
		    "This is not the name of a model",
		    "too long, not UTF-8 or a control character");
	if (o->system_prompt != NULL && (!is_text(o->system_prompt) ||
	    strlen(o->system_prompt) > LN_SYSTEM_PROMPT_MAX))
		return ln_fail_field(err, LN_INVALID, "system_prompt",
		    "The system prompt is too long or not valid text",
		    "%zu bytes", strlen(o->system_prompt));
	return LN_OK;
}

static enum ln_status
check_options(const struct ln_llm_options *o, struct ln_error *err)
{
	const struct {
		double value, min, max;
	} ranges[] = {
		{ o->temperature, 0.0, 2.0 },
		{ o->top_p, 0.0, 1.0 },
		{ o->top_k, 0.0, 1000.0 },
		{ o->repeat_penalty, 0.0, 10.0 },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (!isnan(ranges[i].value) &&
		    (ranges[i].value < ranges[i].min ||
		    ranges[i].value > ranges[i].max))
			return ln_fail_field(err, LN_INVALID, "options",
			    "An option is outside its range: temperature 0 to "
			    "2, top_p 0 to 1, top_k 0 to 1000, repeat_penalty "
			    "0 to 10", "option %zu is %g", i,
			    ranges[i].value);
	}
	if (o->max_tokens < 0 || o->max_tokens > MAX_TOKENS_MAX)
		return ln_fail_field(err, LN_INVALID, "options",
		    "max_tokens must be between 1 and 1000000", "%lld",
		    (long long)o->max_tokens);
	if (o->context_tokens != 0 && (o->context_tokens < LN_CHAT_CONTEXT_MIN ||
	    o->context_tokens > LN_CHAT_CONTEXT_MAX))
		return ln_fail_field(err, LN_INVALID, "options",
		    "context_tokens must be between 256 and 10000000", "%lld",
		    (long long)o->context_tokens);
	return LN_OK;
}

enum ln_status
lni_chat_input(struct ln_chat *c, struct lni_draft *d, struct ln_error *err)
{
	const struct ln_chat_opts *o = d->opts;
	enum ln_status s;

	if ((s = check_prompt(o, err)) != LN_OK ||
	    (s = check_names(o, err)) != LN_OK)
		return s;
	if (o->is_unsaved && (o->is_regenerate || o->is_continue ||
	    o->edit_message_id != 0))
		return ln_fail(err, LN_INVALID,
		    "Only a saved message can be edited, answered again or "
		    "gone on with", "unsaved turn");
	ln_llm_options_init(&d->options);
	if (o->options != NULL)
		d->options = *o->options;
	if ((s = check_options(&d->options, err)) != LN_OK)
		return s;
	c->max_tokens = d->options.max_tokens;
	if (o->is_regenerate || o->is_continue)
		return LN_OK;
	if ((s = lni_chat_images(o->images, &d->images, err)) != LN_OK)
		return s;
	return lni_chat_question(o->prompt, o->file_name, o->file_content,
	    &c->question, err);
}

#include "turn_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES_MAX 16

#define WRONG_TYPE "A field has the wrong type"

static bool
is_missing(const struct ln_json *n)
{
	return n == NULL || ln_json_type(n) == LN_JSON_NULL;
}

static bool
text(const struct ln_json *body, const char *name, const char **out)
{
	const struct ln_json *n = ln_json_get(body, name);

	*out = NULL;
	if (is_missing(n))
		return true;
	return (*out = ln_json_string(n)) != NULL;
}

static bool
number(const struct ln_json *body, const char *name, double *out)
{
	const struct ln_json *n = ln_json_get(body, name);

	return is_missing(n) || ln_json_number(n, out);
}

static enum ln_status
parse_options(const struct ln_json *body, struct turn_input *in,
    struct ln_error *err)
{
	const struct ln_json *o = ln_json_get(body, "options"), *n;
	struct ln_llm_options *opt = &in->options;

	ln_llm_options_init(opt);
	if (!is_missing(o) && ln_json_type(o) != LN_JSON_OBJECT)
		return ln_fail_field(err, LN_INVALID, "options", WRONG_TYPE,
		    "options");
	if (!number(o, "temperature", &opt->temperature) ||
	    !number(o, "top_p", &opt->top_p) ||
	    !number(o, "top_k", &opt->top_k) ||
	    !number(o, "repeat_penalty", &opt->repeat_penalty))
		return ln_fail_field(err, LN_INVALID, "options", WRONG_TYPE,
		    "options");
	n = ln_json_get(o, "max_tokens");
	if (!is_missing(n) && (!ln_json_int(n, &opt->max_tokens) ||
	    opt->max_tokens < 0))
		return ln_fail_field(err, LN_INVALID, "options", WRONG_TYPE,
		    "max_tokens");
	n = ln_json_get(o, "context_tokens");
	if (!is_missing(n) && (!ln_json_int(n, &opt->context_tokens) ||
	    opt->context_tokens < 0))
		return ln_fail_field(err, LN_INVALID, "options", WRONG_TYPE,
		    "context_tokens");
	if (!number(body, "temperature", &opt->temperature))
		return ln_fail_field(err, LN_INVALID, "temperature",
		    WRONG_TYPE, "temperature");
	in->opts.options = opt;
	return LN_OK;
}

static enum ln_status
parse_images(const struct ln_json *body, struct turn_input *in,
    struct ln_error *err)
{
	const struct ln_json *list = ln_json_get(body, "images"), *n;
	size_t i, count;

	if (is_missing(list))
		return LN_OK;
	count = ln_json_count(list);
	if (ln_json_type(list) != LN_JSON_ARRAY)
		return ln_fail_field(err, LN_INVALID, "images", WRONG_TYPE,
		    "images");
	if (count > IMAGES_MAX)
		return ln_fail_field(err, LN_INVALID, "images",
		    "Too many images", "%zu", count);
	if ((in->images = calloc(count + 1, sizeof(*in->images))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "calloc");
	i = 0;
	for (n = ln_json_first(list); n != NULL; n = ln_json_next(n))
		if ((in->images[i++] = ln_json_string(n)) == NULL)
			return ln_fail_field(err, LN_INVALID, "images",
			    WRONG_TYPE, "images[%zu]", i - 1);
	in->opts.images = in->images;
	return LN_OK;
}

enum ln_status
turn_input_parse(const struct ln_json *body, enum turn_kind kind,
    struct turn_input *out, struct ln_error *err)
{
	const struct ln_json *file, *n;
	struct ln_chat_opts *o = &out->opts;
	enum ln_status s;
	bool is_edit, has_tools;

	memset(out, 0, sizeof(*out));
	o->size = sizeof(*o);
	o->is_regenerate = kind == TURN_AGAIN;
	o->is_continue = kind == TURN_CONTINUE;
	if (!text(body, "prompt", &o->prompt))
		return ln_fail_field(err, LN_INVALID, "prompt", WRONG_TYPE,
		    "prompt");
	if (!text(body, "model", &o->model) ||
	    !text(body, "provider", &o->provider))
		return ln_fail_field(err, LN_INVALID, "model", WRONG_TYPE,
		    "model");
	if (!text(body, "session_id", &o->conversation_id))
		return ln_fail_field(err, LN_INVALID, "session_id",
		    WRONG_TYPE, "session_id");
	if (!text(body, "system_prompt", &o->system_prompt))
		return ln_fail_field(err, LN_INVALID, "system_prompt",
		    WRONG_TYPE, "system_prompt");
	if (!text(body, "project_id", &o->project_id) ||
	    !text(body, "temp_id", &o->temp_id))
		return ln_fail_field(err, LN_INVALID, "temp_id", WRONG_TYPE,
		    "project_id or temp_id");
	file = ln_json_get(body, "file_context");
	if (!is_missing(file) && (ln_json_type(file) != LN_JSON_OBJECT ||
	    !text(file, "filename", &o->file_name) ||
	    !text(file, "content", &o->file_content)))
		return ln_fail_field(err, LN_INVALID, "file_context",
		    WRONG_TYPE, "file_context");
	n = ln_json_get(body, "is_edit");
	is_edit = false;
	if (!is_missing(n) && !ln_json_bool(n, &is_edit))
		return ln_fail_field(err, LN_INVALID, "is_edit", WRONG_TYPE,
		    "is_edit");
	n = ln_json_get(body, "tools");
	has_tools = true;
	if (!is_missing(n) && !ln_json_bool(n, &has_tools))
		return ln_fail_field(err, LN_INVALID, "tools", WRONG_TYPE,
		    "tools");
	o->is_without_tools = !has_tools;
	n = ln_json_get(body, "msg_id");
	if (is_edit && (!ln_json_int(n, &o->edit_message_id) ||
	    o->edit_message_id <= 0))
		return ln_fail_field(err, LN_INVALID, "msg_id", WRONG_TYPE,
		    "msg_id");
	/* An empty conversation id asks for a new one, as the page sends it. */
	if (o->conversation_id != NULL && o->conversation_id[0] == '\0')
		o->conversation_id = NULL;
	if ((s = parse_options(body, out, err)) != LN_OK)
		return s;
	return parse_images(body, out, err);
}

void
turn_input_clear(struct turn_input *in)
{
	free(in->images);
	in->images = NULL;
}

/*
 * Tool calls whose ids, names and arguments come in pieces, each piece with
 * the index of its call -- or, from some servers, without.
 */
#include "llm/openai.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define CALLS_MAX 128
#define ID_MAX ((size_t)512)
#define NAME_MAX_BYTES ((size_t)512)

static void
call_free(struct lni_openai_call *call)
{
	ln_buf_free(&call->id);
	ln_buf_free(&call->name);
	ln_buf_free(&call->arguments);
}

void
lni_openai_state_clear(void *state)
{
	struct lni_openai_state *st = state;
	size_t i;

	for (i = 0; i < st->call_count; i++)
		call_free(&st->calls[i]);
	free(st->calls);
	memset(st, 0, sizeof(*st));
}

static struct lni_openai_call *
call_new(struct ln_llm_stream *s, struct lni_openai_state *st, int64_t index)
{
	struct lni_openai_call *grown, *call;

	if (st->call_count == CALLS_MAX) {
		lni_stream_garbage(s, "too many tool calls");
		return NULL;
	}
	grown = realloc(st->calls, (st->call_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		lni_stream_error(s, LN_NOMEM, NULL, "tool call");
		return NULL;
	}
	st->calls = grown;
	call = &grown[st->call_count++];
	call->index = index;
	call->id = (struct ln_buf)LN_BUF_INIT(ID_MAX);
	call->name = (struct ln_buf)LN_BUF_INIT(NAME_MAX_BYTES);
	call->arguments = (struct ln_buf)LN_BUF_INIT(LN_LLM_LINE_MAX);
	return call;
}

static bool
is_given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

/* The last call of that index: a server may count every call as its first. */
static struct lni_openai_call *
find(struct lni_openai_state *st, int64_t index)
{
	size_t i;

	if (index < 0)
		return st->call_count > 0 ? &st->calls[st->call_count - 1] :
		    NULL;
	for (i = st->call_count; i > 0; i--) {
		if (st->calls[i - 1].index == index)
			return &st->calls[i - 1];
	}
	return NULL;
}

/* Whether a piece with this id and name begins another call than ${call}. */
static bool
is_another(const struct lni_openai_call *call, int64_t index, const char *id,
    const char *name)
{
	if (is_given(id) && call->id.len > 0)
		return strcmp(ln_buf_str(&call->id), id) != 0;
	/* Without index and id, a name is all that tells calls apart. */
	return index < 0 && is_given(name) && call->name.len > 0;
}

static bool
is_kept(struct ln_llm_stream *s, const struct ln_buf *b)
{
	enum ln_status status = ln_buf_status(b);

	if (status == LN_NOMEM)
		lni_stream_error(s, LN_NOMEM, NULL, "tool call");
	else if (status != LN_OK)
		lni_stream_garbage(s, "a tool call is too large");
	return status == LN_OK;
}

/* A piece of text; or, from some servers, the object itself. */
static bool
add_arguments(struct ln_llm_stream *s, struct lni_openai_state *st,
    struct lni_openai_call *call, const struct ln_json *arguments)
{
	size_t before = call->arguments.len;
	struct ln_jw *w;

	if (ln_json_type(arguments) == LN_JSON_STRING)
		ln_buf_puts(&call->arguments, ln_json_string(arguments));
	else if (ln_json_type(arguments) == LN_JSON_OBJECT) {
		ln_buf_clear(&call->arguments);
		w = ln_jw_new();
		ln_jw_node(w, NULL, arguments);
		if (ln_jw_print(w, false, &call->arguments) != LN_OK) {
			lni_stream_error(s, LN_NOMEM, NULL, "tool call");
			ln_jw_free(w);
			return false;
		}
		ln_jw_free(w);
	}
	if (!is_kept(s, &call->arguments))
		return false;
	st->arguments_len += call->arguments.len - before;
	if (st->arguments_len > LN_LLM_LINE_MAX) {
		lni_stream_garbage(s, "tool calls are too large");
		return false;
	}
	return true;
}

static bool
add(struct ln_llm_stream *s, struct lni_openai_state *st,
    const struct ln_json *piece)
{
	const struct ln_json *function = ln_json_get(piece, "function");
	const char *id = ln_json_get_string(piece, "id");
	const char *name = ln_json_get_string(function, "name");
	struct lni_openai_call *call;
	int64_t index = -1;

	if (ln_json_type(ln_json_get(piece, "index")) != LN_JSON_NULL &&
	    (!ln_json_int(ln_json_get(piece, "index"), &index) ||
	    index < 0)) {
		lni_stream_garbage(s, "the index of a tool call");
		return false;
	}
	call = find(st, index);
	if ((call == NULL || is_another(call, index, id, name)) &&
	    (call = call_new(s, st, index)) == NULL)
		return false;
	if (call->id.len == 0 && is_given(id))
		ln_buf_puts(&call->id, id);
	if (call->name.len == 0 && is_given(name))
		ln_buf_puts(&call->name, name);
	return is_kept(s, &call->id) && is_kept(s, &call->name) &&
	    add_arguments(s, st, call, ln_json_get(function, "arguments"));
}

void
lni_openai_calls_add(struct ln_llm_stream *s, struct lni_openai_state *st,
    const struct ln_json *calls)
{
	const struct ln_json *piece;

	for (piece = ln_json_first(calls); piece != NULL;
	    piece = ln_json_next(piece)) {
		if (!add(s, st, piece))
			return;
	}
}

static bool
is_object(const char *text, size_t n)
{
	struct ln_json *root = NULL;
	bool is_one;

	is_one = ln_json_parse(text, n, &lni_openai_json, &root, NULL) ==
	    LN_OK && ln_json_type(root) == LN_JSON_OBJECT;
	ln_json_free(root);
	return is_one;
}

static bool
emit(struct ln_llm_stream *s, const struct lni_openai_call *call)
{
	const char *arguments = ln_buf_str(&call->arguments);

	/* A call without arguments may have none on the wire either. */
	if (call->arguments.len == 0)
		arguments = "{}";
	if (call->name.len == 0) {
		lni_stream_garbage(s, "a tool call without a name");
		return false;
	}
	if (!is_object(arguments, strlen(arguments))) {
		lni_stream_error(s, LN_UPSTREAM,
		    "The model called a tool in a way that could not be "
		    "understood. Ask again, or choose another model",
		    "the arguments of a tool call are not a JSON object");
		return false;
	}
	lni_stream_tool_call(s, call->id.len > 0 ? ln_buf_str(&call->id) :
	    NULL, ln_buf_str(&call->name), arguments);
	return true;
}

void
lni_openai_calls_emit(struct ln_llm_stream *s, struct lni_openai_state *st)
{
	size_t i;

	for (i = 0; i < st->call_count; i++) {
		if (!emit(s, &st->calls[i]))
			return;
	}
}

/*
 * Answers of chat completions: server-sent events with pieces of a message,
 * the reason for its end, then the counts, then "[DONE]" -- of which servers
 * leave out one or the other.
 */
#include "llm/openai.h"

#include <string.h>

#include "base/error.h"

#include "base/banned.h"

#define LAST "[DONE]"

const struct ln_json_opts lni_openai_json = {
	.size = sizeof(lni_openai_json), .allow_duplicates = true,
};

/* "content" is a text, or, from some servers, a list of parts. */
static void
read_parts(struct ln_llm_stream *s, const struct ln_json *parts,
    bool is_thinking)
{
	const struct ln_json *part, *inner;
	const char *text;

	for (part = ln_json_first(parts); part != NULL;
	    part = ln_json_next(part)) {
		if ((text = ln_json_get_string(part, "text")) != NULL) {
			if (is_thinking)
				lni_stream_thinking(s, text);
			else
				lni_stream_text(s, text);
		}
		inner = ln_json_get(part, "thinking");
		if (!is_thinking && ln_json_type(inner) == LN_JSON_ARRAY)
			read_parts(s, inner, true);
	}
}

/* A message, or the piece of one: the same members. */
static void
read_message(struct ln_llm_stream *s, struct lni_openai_state *st,
    const struct ln_json *m)
{
	const struct ln_json *content = ln_json_get(m, "content");
	const char *text;

	/* Two names of the same; who sends both repeats itself. */
	if ((text = ln_json_get_string(m, "reasoning_content")) == NULL)
		text = ln_json_get_string(m, "reasoning");
	if (text != NULL)
		lni_stream_thinking(s, text);
	if (ln_json_type(content) == LN_JSON_ARRAY)
		read_parts(s, content, false);
	else if ((text = ln_json_string(content)) != NULL)
		lni_stream_text(s, text);
	if ((text = ln_json_get_string(m, "refusal")) != NULL)
		lni_stream_text(s, text);
	lni_openai_calls_add(s, st, ln_json_get(m, "tool_calls"));
}

/* Counts may come more than once, each time for all that came before. */
static void
read_usage(struct lni_openai_state *st, const struct ln_json *root)
{
	const struct ln_json *usage = ln_json_get(root, "usage");
	int64_t tokens = 0, prompt_tokens = 0;

	if (ln_json_type(usage) != LN_JSON_OBJECT)
		usage = ln_json_get(ln_json_get(root, "x_groq"), "usage");
	(void)ln_json_int(ln_json_get(usage, "completion_tokens"), &tokens);
	(void)ln_json_int(ln_json_get(usage, "prompt_tokens"),
	    &prompt_tokens);
	/* Two zeros are what a server says that does not count. */
	if (tokens < 0 || prompt_tokens < 0 || tokens + prompt_tokens == 0)
		return;
	st->is_counted = true;
	st->tokens = tokens;
	st->prompt_tokens = prompt_tokens;
}

/* Our word for the reason: a literal. */
static const char *
reason(const char *word)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "length", "length" },
		{ "tool_calls", "tool_calls" },
		{ "function_call", "tool_calls" },
		{ "content_filter", "content_filter" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].theirs, word) == 0)
			return words[i].ours;
	}
	return "stop";
}

static void
read_choice(struct ln_llm_stream *s, struct lni_openai_state *st,
    const struct ln_json *choice, const char *member)
{
	const char *word;

	/* What a server says behind the end is not part of the answer. */
	if (st->finish != NULL)
		return;
	read_message(s, st, ln_json_get(choice, member));
	word = ln_json_get_string(choice, "finish_reason");
	if (word != NULL && word[0] != '\0')
		st->finish = reason(word);
}

static void
read_choices(struct ln_llm_stream *s, struct lni_openai_state *st,
    const struct ln_json *root, const char *member)
{
	const struct ln_json *choice;
	int64_t index;

	for (choice = ln_json_first(ln_json_get(root, "choices"));
	    choice != NULL; choice = ln_json_next(choice)) {
		/* We ask for one; who counts none has one. */
		index = 0;
		(void)ln_json_int(ln_json_get(choice, "index"), &index);
		if (index == 0) {
			read_choice(s, st, choice, member);
			return;
		}
	}
}

static void
done(struct ln_llm_stream *s, struct lni_openai_state *st)
{
	const char *finish = st->finish != NULL ? st->finish : "stop";

	/* A call that the bound on tokens has cut is none. */
	if (strcmp(finish, "length") != 0 && st->call_count > 0) {
		lni_openai_calls_emit(s, st);
		finish = "tool_calls";
	}
	if (st->is_counted)
		lni_stream_usage(s, st->tokens, st->prompt_tokens);
	lni_stream_done(s, finish);
}

/* Whether ${root} tells of a failure, which is told then. */
static bool
is_failure(struct ln_llm_stream *s, const struct ln_json *root, const char *p)
{
	const struct ln_json *error = ln_json_get(root, "error");
	enum ln_status status = LN_UPSTREAM;
	const char *sentence = NULL, *object;
	int64_t code = 0;

	object = ln_json_get_string(root, "object");
	if (object != NULL && strcmp(object, "error") == 0)
		error = root;
	if (ln_json_type(error) == LN_JSON_NULL)
		return false;
	/* What would have been the HTTP status, had it come in time. */
	if (ln_json_int(ln_json_get(error, "code"), &code) && code >= 400 &&
	    code < 500)
		sentence = lni_refusal(&lni_codec_openai, (int)code, p,
		    strlen(p), &status);
	if (sentence == NULL)
		sentence = lni_openai_judge(root, 0, &status);
	if (sentence == NULL)
		sentence = "The model provider failed while answering";
	lni_stream_error(s, status, sentence, p);
	return true;
}

static void
read_event(struct ln_llm_stream *s, const struct ln_json *root, const char *p,
    const char *member)
{
	struct lni_openai_state *st = lni_stream_state(s);

	if (ln_json_type(root) != LN_JSON_OBJECT) {
		lni_stream_garbage(s, "an event is not an object");
		return;
	}
	if (is_failure(s, root, p))
		return;
	read_usage(st, root);
	read_choices(s, st, root, member);
}

static struct ln_json *
parse(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	enum ln_status status;

	status = ln_json_parse(p, n, &lni_openai_json, &root, &why);
	if (status == LN_NOMEM)
		lni_stream_error(s, LN_NOMEM, NULL, "answer event");
	else if (status != LN_OK)
		lni_stream_garbage(s, lni_error_detail(&why));
	return status == LN_OK ? root : NULL;
}

void
lni_openai_event(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct ln_json *root;

	if (n == 0)	/* keeps the connection open */
		return;
	if (n == strlen(LAST) && memcmp(p, LAST, n) == 0) {
		done(s, lni_stream_state(s));
		return;
	}
	if ((root = parse(s, p, n)) != NULL)
		read_event(s, root, p, "delta");
	ln_json_free(root);
}

/* The end without "[DONE]" is one if the model has said why. */
void
lni_openai_end(struct ln_llm_stream *s)
{
	struct lni_openai_state *st = lni_stream_state(s);

	if (st->finish != NULL)
		done(s, st);
}

void
lni_openai_whole(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct lni_openai_state *st = lni_stream_state(s);
	struct ln_json *root;

	if ((root = parse(s, p, n)) == NULL)
		return;
	read_event(s, root, p, "message");
	if (ln_json_first(ln_json_get(root, "choices")) == NULL)
		lni_stream_garbage(s, "an answer without choices");
	else
		done(s, st);
	ln_json_free(root);
}

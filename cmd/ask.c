#include "talk.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/text.h>

/*
 * Whether standard input carries something to read along: a pipe, a file or a
 * socket.  A terminal and /dev/null do not.
 */
static bool
has_piped_input(void)
{
	struct stat sb;

	return fstat(STDIN_FILENO, &sb) == 0 && (S_ISFIFO(sb.st_mode) ||
	    S_ISREG(sb.st_mode) || S_ISSOCK(sb.st_mode));
}

/* The question: the argument, then what is piped in. */
static int
read_prompt(struct ctx *c, char **out)
{
	struct ln_buf piped = LN_BUF_INIT(LN_CHAT_PROMPT_MAX);
	struct ln_buf whole = LN_BUF_INIT(LN_CHAT_PROMPT_MAX);
	const char *word = ctx_word(c, 0);
	bool is_dash = word == NULL || strcmp(word, "-") == 0;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc = EX_OK;

	*out = NULL;
	if (!is_dash)
		ln_buf_puts(&whole, word);
	if (is_dash || has_piped_input()) {
		if (is_dash && c->is_interactive)
			ctx_note(c, "Type the question; Ctrl-D ends it.");
		rc = tty_read_all(c, STDIN_FILENO, &piped, "standard input");
		if (rc != EX_OK)
			goto end;
	}
	while (piped.len > 0 && piped.data[piped.len - 1] == '\n')
		piped.data[--piped.len] = '\0';
	if (whole.len > 0 && piped.len > 0)
		ln_buf_puts(&whole, "\n\n");
	ln_buf_put(&whole, ln_buf_str(&piped), piped.len);
	if ((s = ln_buf_status(&whole)) != LN_OK)
		rc = ctx_fail(c, s, NULL, "A question has at most 1 MiB;"
		    " take --attach FILE for more", "question");
	else if (whole.len == 0)
		rc = ctx_usage(c, NULL, "%s: there is no question", c->path);
	else if ((s = ln_utf8_repair(whole.data, whole.len, out, &err)) !=
	    LN_OK)
		rc = ctx_fail(c, s, &err, NULL, "question");
end:
	ln_buf_free(&piped);
	ln_buf_free(&whole);
	return rc;
}

/*
 * The code fence that begins at ${line}: its character and length, as
 * CommonMark has it (three or more ` or ~, indented by at most three blanks).
 */
static size_t
fence(const char *line, const char *end, char *mark)
{
	const char *p = line;
	size_t n = 0;

	while (p < end && p - line < 3 && *p == ' ')
		p++;
	if (p == end || (*p != '`' && *p != '~'))
		return 0;
	*mark = *p;
	while (p < end && *p == *mark) {
		p++;
		n++;
	}
	return n >= 3 ? n : 0;
}

static bool
is_blank_after_fence(const char *line, const char *end)
{
	const char *p = line;

	while (p < end && (*p == ' ' || *p == '`' || *p == '~'))
		p++;
	return p == end || *p == '\r';
}

/* Copy what stands between code fences; the number of blocks. */
static size_t
extract_code(const char *text, size_t len, struct ln_buf *out)
{
	const char *line = text, *stop = text + len, *end, *next;
	char mark, open_mark = '\0';
	size_t open_length = 0, n, blocks = 0;

	for (; line < stop; line = next) {
		end = memchr(line, '\n', (size_t)(stop - line));
		next = end != NULL ? end + 1 : stop;
		if (end == NULL)
			end = stop;
		n = fence(line, end, &mark);
		if (open_length == 0) {
			if (n == 0)
				continue;
			open_length = n;
			open_mark = mark;
			blocks++;
		} else if (n >= open_length && mark == open_mark &&
		    is_blank_after_fence(line, end))
			open_length = 0;
		else {
			ln_buf_put(out, line, (size_t)(end - line));
			ln_buf_putc(out, '\n');
		}
	}
	return blocks;
}

static void
answer_fields(struct talk *t, const char *answer)
{
	struct out *o = t->c->out;

	out_str(o, "answer", answer);
	out_str(o, "conversation_id", t->conversation_id);
	if (t->message_id > 0 && !t->is_unsaved)
		out_int(o, "message_id", t->message_id);
	else
		out_str(o, "message_id", NULL);
	out_str(o, "provider", t->used_provider);
	out_str(o, "model", t->used_model);
	out_int(o, "tokens", t->tokens);
	out_int(o, "prompt_tokens", t->prompt_tokens);
	out_bool(o, "is_estimated", t->is_estimated);
	out_int(o, "duration_ms", t->duration_ms);
	out_str(o, "finish_reason", t->finish_reason);
}

static int
print_answer(struct talk *t, enum ln_status turn, const struct ln_error *err)
{
	bool wants_code = opt_has(&t->c->args, O_CODE), is_missing = false;
	struct ln_buf code = LN_BUF_INIT(LN_LLM_ANSWER_MAX + 1);
	const struct ln_buf *shown = &t->answer;
	char sentence[LN_ERROR_SENTENCE_SIZE];
	int rc;

	if (wants_code) {
		is_missing = extract_code(ln_buf_str(&t->answer),
		    t->answer.len, &code) == 0;
		shown = &code;
	}
	if (out_format(t->c->out) != OUT_TABLE) {
		answer_fields(t, ln_buf_str(shown));
		if (turn != LN_OK) {
			out_str(t->c->out, "error",
			    ln_error_sentence(err, turn, sentence));
			out_str(t->c->out, "code", ln_status_token(turn));
			out_int(t->c->out, "exit", talk_exit_code(t, turn));
		}
	} else if (!t->is_printing && shown->len > 0) {
		out_text(stdout, shown->data, shown->len);
		if (shown->data[shown->len - 1] != '\n')
			(void)putchar('\n');
	}
	rc = ctx_finish(t->c);
	if (rc == EX_OK && turn != LN_OK)
		rc = talk_fail(t, turn, err);
	else if (rc == EX_OK && is_missing)
		rc = ctx_refuse(t->c, EX_NOT_FOUND, "not_found",
		    "the answer holds no code block", "", "%s", t->c->path);
	ln_buf_free(&code);
	return rc;
}

static int
ask(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	char *prompt = NULL;
	enum ln_status s;
	struct talk t;
	int rc;

	if ((rc = talk_open(&t, c)) != EX_OK)
		goto end;
	if ((rc = read_prompt(c, &prompt)) != EX_OK)
		goto end;
	if (out_format(c->out) == OUT_TABLE &&
	    !opt_has(&c->args, O_NO_STREAM) && !opt_has(&c->args, O_CODE))
		talk_print(&t);
	s = talk_turn(&t, TALK_ASK, prompt, 0, &err);
	rc = print_answer(&t, s, &err);
	/* Who reads the answer need not wait for its title. */
	(void)fflush(stdout);
	if (rc == EX_OK)
		talk_name(&t);
end:
	ln_free(prompt);
	talk_close(&t);
	return rc;
}

static const enum opt_id opts[] = { TALK_OPTS, O_NO_STREAM, O_CODE, O_END };
static const struct verb verbs[] = {
	{ NULL, ask, opts, "[QUESTION]", CMD_STORE_RW | CMD_SIGNALS,
	    "ask one question; standard input goes with it" },
};
const struct noun noun_ask = { "ask", "ask one question", verbs,
	nitems(verbs) };

#include "chat.h"

#include <string.h>

#include <ln/message.h>
#include <ln/text.h>

#define FENCE "\"\"\""		/* around several lines */

/* What was continued is told whole in a document. */
static void
read_whole(struct talk *t)
{
	struct ln_message *m = NULL;

	if (t->message_id == 0 || ln_message_get(t->c->st, t->user->id,
	    t->message_id, &m, NULL) != LN_OK)
		return;
	ln_buf_clear(&t->answer);
	ln_buf_puts(&t->answer, m->content);
	ln_message_free(m);
}

int
chat_turn(struct chat *chat, enum talk_what what, const char *prompt,
    int64_t edited)
{
	static const struct out_col cols[] = {
		{ "conversation_id", OUT_STR, false },
		{ "message_id", OUT_INT, false }, { "answer", OUT_STR, false },
		{ "provider", OUT_STR, false }, { "model", OUT_STR, false },
		{ "tokens", OUT_INT, false },
		{ "finish_reason", OUT_STR, false }, { NULL, OUT_STR, false } };
	struct talk *t = &chat->t;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = talk_turn(t, what, prompt, edited, &err);
	if (what == TALK_CONTINUE && out_format(t->c->out) != OUT_TABLE)
		read_whole(t);
	if (out_format(t->c->out) != OUT_TABLE && (s == LN_OK ||
	    t->answer.len > 0)) {
		if (!out_has_content(t->c->out))
			out_list(t->c->out, "answers", cols);
		out_row(t->c->out, t->conversation_id,
		    t->is_unsaved ? (int64_t)0 : t->message_id,
		    ln_buf_str(&t->answer), t->used_provider, t->used_model,
		    t->tokens, t->finish_reason);
	}
	if (s == LN_OK) {
		if (!t->is_new)
			return EX_OK;
		talk_name(t);
		/* Ctrl-C gave up the title, not the talk. */
		if (t->c->is_interactive && !sig_terminated())
			sig_reset();
		return EX_OK;
	}
	if (s == LN_CANCELLED && t->c->is_interactive && !sig_terminated()) {
		sig_reset();
		ctx_note(t->c, t->is_unsaved ? "(stopped)" :
		    "(stopped; what came is saved)");
		return EX_OK;
	}
	return talk_fail(t, s, &err);
}

/* Lines up to the closing quotes become one question in chat->line. */
static enum repl_outcome
read_block(struct chat *chat)
{
	struct ln_buf block = LN_BUF_INIT(LN_CHAT_PROMPT_MAX);
	enum repl_outcome outcome = REPL_LINE;
	const char *text = ln_buf_str(&chat->line) + strlen(FENCE);
	const char *end;
	bool is_first = true;

	for (;;) {
		if ((end = strstr(text, FENCE)) != NULL) {
			ln_buf_put(&block, text, (size_t)(end - text));
			break;
		}
		ln_buf_puts(&block, text);
		if (!is_first || text[0] != '\0')
			ln_buf_putc(&block, '\n');
		is_first = false;
		outcome = repl_read(chat->repl, "... ", &chat->line);
		if (outcome != REPL_LINE)
			break;
		text = ln_buf_str(&chat->line);
	}
	if (outcome == REPL_LINE && ln_buf_status(&block) != LN_OK)
		outcome = REPL_FAILED;
	ln_buf_clear(&chat->line);
	ln_buf_put(&chat->line, ln_buf_str(&block), block.len);
	ln_buf_free(&block);
	return outcome;
}

static int
handle_line(struct chat *chat)
{
	const char *line = ln_buf_str(&chat->line);
	struct ln_error err = LN_ERROR_INIT;
	char *prompt = NULL;
	enum ln_status s;
	int rc;

	line += strspn(line, " \t\r\n");
	if (*line == '\0')
		return EX_OK;
	/* Two slashes are a question that begins with one. */
	if (line[0] == '/' && line[1] != '/')
		return chat_command(chat, line + 1);
	if (line[0] == '/')
		line++;
	s = ln_utf8_repair(line, strlen(line), &prompt, &err);
	if (s != LN_OK)
		return ctx_fail(chat->t.c, s, &err, NULL, "question");
	rc = chat_turn(chat, TALK_ASK, prompt, 0);
	ln_free(prompt);
	return rc;
}

static int
loop(struct chat *chat)
{
	struct ctx *c = chat->t.c;
	enum repl_outcome outcome;
	bool was_interrupted = false;
	int rc = EX_OK;

	while (!chat->is_over) {
		outcome = repl_read(chat->repl, "> ", &chat->line);
		if (outcome == REPL_LINE &&
		    strncmp(ln_buf_str(&chat->line), FENCE, strlen(FENCE)) == 0)
			outcome = read_block(chat);
		if (outcome == REPL_END)
			break;
		if (outcome == REPL_FAILED)
			return ctx_refuse(c, EX_FAILED, "io",
			    "the line could not be read or is too long", "",
			    "chat");
		if (outcome == REPL_INTERRUPTED) {
			if (!c->is_interactive || sig_terminated())
				return EX_INTERRUPTED;
			sig_reset();
			if (was_interrupted)
				ctx_note(c, "(Ctrl-D leaves)");
			was_interrupted = true;
			continue;
		}
		was_interrupted = false;
		rc = handle_line(chat);
		/* A person reads the message and goes on; a script stops. */
		if (rc != EX_OK && (!c->is_interactive || sig_terminated()))
			return rc;
		c->has_failed = false;
	}
	return EX_OK;
}

static void
greet(struct chat *chat)
{
	struct talk *t = &chat->t;

	if (talk_resolve(t, NULL) == LN_OK)
		ctx_note(t->c, "%s%s%s.  /help for commands, Ctrl-D leaves.",
		    t->used_provider, t->used_model != NULL ? ", " : "",
		    t->used_model != NULL ? t->used_model : "");
	if (t->conversation_id != NULL)
		ctx_note(t->c, "Going on with: %s", t->title);
	if (t->is_unsaved)
		ctx_note(t->c, "Nothing is saved: each question stands alone.");
}

static int
chat_run(struct ctx *c)
{
	const struct ln_buf empty = LN_BUF_INIT(LN_CHAT_PROMPT_MAX);
	struct chat chat;
	int rc, end;

	memset(&chat, 0, sizeof(chat));
	chat.line = empty;
	if ((rc = talk_open(&chat.t, c)) != EX_OK)
		goto out;
	if (out_format(c->out) == OUT_TABLE)
		talk_print(&chat.t);
	if ((chat.repl = repl_new(c)) == NULL) {
		rc = ctx_fail(c, LN_NOMEM, NULL, NULL, "chat");
		goto out;
	}
	if (c->is_interactive)
		greet(&chat);
	rc = loop(&chat);
	if (out_format(c->out) == OUT_JSON && out_has_content(c->out))
		out_list_end(c->out);
	end = ctx_finish(c);
	rc = rc != EX_OK ? rc : end;
out:
	repl_free(chat.repl);
	ln_buf_free(&chat.line);
	talk_close(&chat.t);
	return rc;
}

static const enum opt_id opts[] = { TALK_OPTS, O_END };
static const struct verb verbs[] = {
	{ NULL, chat_run, opts, "", CMD_STORE_RW | CMD_SIGNALS,
	    "talk at a prompt; the browser shows the same conversation" },
};
const struct noun noun_chat = { "chat", "talk at a prompt", verbs,
	nitems(verbs) };

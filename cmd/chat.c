#include "talk.h"

#include <errno.h>
#include <string.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/provider.h>
#include <ln/text.h>
#include <ln/transfer.h>

#define FENCE "\"\"\""		/* around several lines */
#define EXPORT_MAX ((size_t)512 * 1024 * 1024)

/* The conversation at the prompt: lines are questions, /words are commands. */

struct chat {
	struct talk t;
	struct repl *repl;
	struct ln_buf line;
	bool is_over;
};

struct command {
	const char *name;
	const char *args;
	int (*run)(struct chat *chat, const char *rest);
	const char *help;
};
static const struct command *command_at(size_t i);

static int
help(struct chat *chat, const char *rest)
{
	const struct command *k;
	char label[64];
	size_t i;

	(void)chat;
	(void)rest;
	for (i = 0; (k = command_at(i)) != NULL; i++) {
		(void)snprintf(label, sizeof(label), "/%s %s", k->name,
		    k->args);
		(void)fprintf(stderr, "  %-18s %s\n", label, k->help);
	}
	(void)fputs("  \"\"\"                begin and end several lines\n"
	    "  Ctrl-C stops an answer and keeps what came; Ctrl-D leaves.\n",
	    stderr);
	return EX_OK;
}

/* Show or set one of the wishes for the next answers. */
static int
wish(struct chat *chat, char **slot, const char *name, const char *rest,
    const char *in_force)
{
	if (rest[0] != '\0')
		return talk_assign(&chat->t, slot, rest);
	ctx_note(chat->t.c, "%s: %s", name, *slot != NULL ? *slot :
	    in_force != NULL ? in_force : "as set");
	return EX_OK;
}

static int
set_model(struct chat *chat, const char *rest)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if ((s = talk_resolve(&chat->t, &err)) != LN_OK)
		return ctx_fail(chat->t.c, s, &err, NULL, "provider");
	return wish(chat, &chat->t.model, "model", rest, chat->t.used_model);
}

static int
set_provider(struct chat *chat, const char *rest)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (rest[0] != '\0' && ln_provider_find(rest) == NULL)
		return ctx_refuse(chat->t.c, EX_NOT_FOUND, "not_found",
		    "there is no such provider", "See `lnctl provider list`",
		    "%s", rest);
	if ((s = talk_resolve(&chat->t, &err)) != LN_OK)
		return ctx_fail(chat->t.c, s, &err, NULL, "provider");
	/* A model of the old provider means nothing to the new one. */
	if (rest[0] != '\0')
		(void)talk_assign(&chat->t, &chat->t.model, NULL);
	return wish(chat, &chat->t.provider, "provider", rest,
	    chat->t.used_provider);
}

static int
set_system(struct chat *chat, const char *rest)
{
	return wish(chat, &chat->t.system_prompt, "system prompt", rest, NULL);
}

static int
attach(struct chat *chat, const char *rest)
{
	if (rest[0] == '\0')
		return ctx_usage(chat->t.c, NULL, "/attach needs a file");
	return talk_attach(&chat->t, rest);
}

static int
turn(struct chat *chat, const char *prompt)
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

	s = talk_turn(t, prompt, &err);
	if (out_format(t->c->out) != OUT_TABLE && (s == LN_OK ||
	    t->answer.len > 0)) {
		if (!out_has_content(t->c->out))
			out_list(t->c->out, "answers", cols);
		out_row(t->c->out, t->conversation_id,
		    t->is_unsaved ? (int64_t)0 : t->message_id,
		    ln_buf_str(&t->answer), t->used_provider, t->used_model,
		    t->tokens, t->finish_reason);
	}
	if (s == LN_OK)
		return EX_OK;
	if (s == LN_CANCELLED && t->c->is_interactive && !sig_terminated()) {
		sig_reset();
		ctx_note(t->c, t->is_unsaved ? "(stopped)" :
		    "(stopped; what came is saved)");
		return EX_OK;
	}
	return talk_fail(t, s, &err);
}

static int
needs_conversation(struct chat *chat)
{
	if (chat->t.conversation_id != NULL)
		return EX_OK;
	return ctx_refuse(chat->t.c, EX_NOT_FOUND, "not_found",
	    "nothing was asked yet", "", "chat");
}

static int
retry(struct chat *chat, const char *rest)
{
	int rc;

	(void)rest;
	if ((rc = needs_conversation(chat)) != EX_OK)
		return rc;
	return turn(chat, NULL);
}

static int
set_title(struct chat *chat, const char *rest)
{
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	enum ln_status s;
	int rc;

	if ((rc = needs_conversation(chat)) != EX_OK)
		return rc;
	if (rest[0] == '\0') {
		ctx_note(t->c, "%s", t->title != NULL ? t->title : "");
		return EX_OK;
	}
	s = ln_conversation_rename(t->c->st, t->user->id, t->conversation_id,
	    rest, &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "title");
	return talk_assign(t, &t->title, rest);
}

static int
show_history(struct chat *chat, const char *rest)
{
	struct ln_message_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	enum ln_status s;
	size_t i;
	int rc;

	(void)rest;
	if ((rc = needs_conversation(chat)) != EX_OK)
		return rc;
	s = ln_message_list(t->c->st, t->user->id, t->conversation_id, &list,
	    &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "history");
	ctx_note(t->c, "%s  %s", t->conversation_id,
	    t->title != NULL ? t->title : "");
	for (i = 0; i < list.count; i++) {
		(void)fprintf(stderr, "\n%s:\n",
		    ln_message_role_name(list.items[i]->role));
		out_text(stderr, list.items[i]->content,
		    strlen(list.items[i]->content));
		(void)fputc('\n', stderr);
	}
	ln_message_list_free(&list);
	return EX_OK;
}

static int
begin_new(struct chat *chat, const char *rest)
{
	(void)rest;
	talk_forget(&chat->t);
	(void)talk_assign(&chat->t, &chat->t.title, NULL);
	return talk_assign(&chat->t, &chat->t.conversation_id, NULL);
}

static int
save(struct chat *chat, const char *rest)
{
	struct ln_buf b = LN_BUF_INIT(EXPORT_MAX);
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	enum ln_status s;
	int e, rc;

	if ((rc = needs_conversation(chat)) != EX_OK)
		return rc;
	if (rest[0] == '\0')
		return ctx_usage(t->c, NULL, "/save needs a file");
	s = ln_export_conversation(t->c->st, t->user->id, t->conversation_id,
	    "md", &b, &err);
	if (s != LN_OK)
		rc = ctx_fail(t->c, s, &err, NULL, "%s", rest);
	else if ((e = file_create(rest, ln_buf_str(&b), b.len)) != 0)
		rc = ctx_refuse(t->c, e == EEXIST ? EX_CONFLICT : EX_FAILED,
		    e == EEXIST ? "conflict" : "io", strerror(e), "", "%s",
		    rest);
	else
		ctx_note(t->c, "saved to %s", rest);
	ln_buf_free(&b);
	return rc;
}

static int
quit(struct chat *chat, const char *rest)
{
	(void)rest;
	chat->is_over = true;
	return EX_OK;
}

static const struct command commands[] = {
	{ "help", "", help, "this list" },
	{ "model", "[MODEL]", set_model, "show or choose the model" },
	{ "provider", "[NAME]", set_provider, "show or choose the provider" },
	{ "system", "[TEXT]", set_system, "show or set the system prompt" },
	{ "attach", "FILE", attach, "a text file for the next question" },
	{ "retry", "", retry, "another answer to the last question" },
	{ "title", "[TEXT]", set_title, "show or change the title" },
	{ "history", "", show_history, "show the conversation so far" },
	{ "new", "", begin_new, "begin another conversation" },
	{ "save", "FILE", save, "write the conversation as Markdown" },
	{ "quit", "", quit, "leave" },
};

static const struct command *
command_at(size_t i)
{
	return i < nitems(commands) ? &commands[i] : NULL;
}

static const char *
next_command(const void *arg, size_t i)
{
	(void)arg;
	return i < nitems(commands) ? commands[i].name : NULL;
}

static int
run_command(struct chat *chat, const char *line)
{
	size_t n = strcspn(line, " \t"), i;
	const char *rest = line + n + strspn(line + n, " \t"), *near;
	char word[32], hint[96];

	for (i = 0; i < nitems(commands); i++)
		if (strlen(commands[i].name) == n &&
		    memcmp(commands[i].name, line, n) == 0)
			return commands[i].run(chat, rest);
	(void)snprintf(word, sizeof(word), "%.*s",
	    (int)(n < sizeof(word) ? n : sizeof(word) - 1), line);
	near = opt_nearest(word, next_command, NULL);
	(void)snprintf(hint, sizeof(hint), "Did you mean /%s?  See /help",
	    near != NULL ? near : "");
	return ctx_usage(chat->t.c, near != NULL ? hint : "See /help",
	    "there is no /%s", word);
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
		return run_command(chat, line + 1);
	if (line[0] == '/')
		line++;
	s = ln_utf8_repair(line, strlen(line), &prompt, &err);
	if (s != LN_OK)
		return ctx_fail(chat->t.c, s, &err, NULL, "question");
	rc = turn(chat, prompt);
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
	chat.t.is_printing = out_format(c->out) == OUT_TABLE;
	if ((chat.repl = repl_new(c->is_interactive)) == NULL) {
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

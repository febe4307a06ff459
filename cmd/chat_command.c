#include "chat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/provider.h>
#include <ln/summary.h>
#include <ln/transfer.h>

#define EXPORT_MAX ((size_t)512 * 1024 * 1024)

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

int
chat_needs_conversation(struct chat *chat)
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
	if ((rc = chat_needs_conversation(chat)) != EX_OK)
		return rc;
	return chat_turn(chat, TALK_RETRY, NULL, 0);
}

static int
go_on(struct chat *chat, const char *rest)
{
	int rc;

	(void)rest;
	if ((rc = chat_needs_conversation(chat)) != EX_OK)
		return rc;
	return chat_turn(chat, TALK_CONTINUE, NULL, 0);
}

/* The last question of the conversation; NULL when there is none. */
static int
last_question(struct chat *chat, int64_t *out_id, char **out_text)
{
	struct ln_message_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	const struct ln_message *m;
	enum ln_status s;
	size_t i;
	int rc;

	*out_id = 0;
	*out_text = NULL;
	s = ln_message_list(t->c->st, t->user->id, t->conversation_id, &list,
	    &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "edit");
	rc = EX_OK;
	for (i = list.count; i > 0 && *out_id == 0; i--) {
		m = list.items[i - 1];
		if (m->role != LN_MESSAGE_USER)
			continue;
		*out_id = m->id;
		rc = talk_assign(t, out_text, m->content);
	}
	ln_message_list_free(&list);
	if (rc == EX_OK && *out_text == NULL)
		rc = ctx_refuse(t->c, EX_NOT_FOUND, "not_found",
		    "nothing was asked yet", "", "edit");
	return rc;
}

/* Another wording of the last question, and an answer to that. */
static int
edit(struct chat *chat, const char *rest)
{
	struct ln_buf b = LN_BUF_INIT(LN_CHAT_PROMPT_MAX);
	struct ctx *c = chat->t.c;
	char *before = NULL;
	int64_t id;
	int rc;

	if ((rc = chat_needs_conversation(chat)) != EX_OK)
		return rc;
	if ((rc = last_question(chat, &id, &before)) != EX_OK)
		return rc;
	if (rest[0] != '\0')
		ln_buf_puts(&b, rest);
	else if (!c->is_interactive)
		rc = ctx_usage(c, NULL, "/edit needs the new text when nobody"
		    " can be asked");
	else
		rc = edit_text(c, before, &b);
	if (rc == EX_OK && (b.len == 0 || strcmp(b.data, before) == 0))
		ctx_note(c, "Nothing was changed.");
	else if (rc == EX_OK)
		rc = chat_turn(chat, TALK_ASK, b.data, id);
	free(before);
	ln_buf_free(&b);
	return rc;
}

static int
set_temperature(struct chat *chat, const char *rest)
{
	struct talk *t = &chat->t;

	if (strcmp(rest, "none") == 0)
		t->options.temperature = (double)NAN;
	else if (rest[0] != '\0')
		return talk_temperature(t, rest);
	else if (isnan(t->options.temperature))
		ctx_note(t->c, "temperature: as set");
	else
		ctx_note(t->c, "temperature: %g", t->options.temperature);
	return EX_OK;
}

/* The options of the next answers; a whole one is 0 when it is not set. */
static int
show_options(struct talk *t)
{
	const struct {
		const char *name;
		double value;
	} rows[] = {
		{ "temperature", t->options.temperature },
		{ "top_p", t->options.top_p },
		{ "top_k", t->options.top_k },
		{ "repeat_penalty", t->options.repeat_penalty },
		{ "max_tokens", t->options.max_tokens > 0 ?
		    (double)t->options.max_tokens : (double)NAN },
	};
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		if (isnan(rows[i].value))
			ctx_note(t->c, "%s: as set", rows[i].name);
		else
			ctx_note(t->c, "%s: %.10g", rows[i].name,
			    rows[i].value);
	}
	return EX_OK;
}

static int
set_option(struct chat *chat, const char *rest)
{
	struct talk *t = &chat->t;
	struct ln_llm_options *o = &t->options;
	const struct {
		const char *name;
		double *slot;
		double max;
	} rows[] = {
		{ "temperature", &o->temperature, 2.0 },
		{ "top_p", &o->top_p, 1.0 },
		{ "top_k", &o->top_k, 1000.0 },
		{ "repeat_penalty", &o->repeat_penalty, 10.0 },
		{ "max_tokens", NULL, 1000000.0 },
	};
	size_t n = strcspn(rest, " \t"), i;
	const char *word = rest + n + strspn(rest + n, " \t");
	double v = (double)NAN;
	char *end;

	if (rest[0] == '\0')
		return show_options(t);
	for (i = 0; i < nitems(rows) && (strlen(rows[i].name) != n ||
	    memcmp(rows[i].name, rest, n) != 0); i++)
		continue;
	if (i == nitems(rows))
		return ctx_usage(t->c, NULL, "/set knows temperature, top_p,"
		    " top_k, repeat_penalty and max_tokens, not \"%.*s\"",
		    (int)n, rest);
	if (strcmp(word, "none") != 0) {
		v = strtod(word, &end);
		if (end == word || *end != '\0' || !(v >= 0.0) ||
		    v > rows[i].max)
			return ctx_usage(t->c, NULL, "%s: a number from 0 to"
			    " %g, or none, not \"%s\"", rows[i].name,
			    rows[i].max, word);
	}
	if (rows[i].slot != NULL)
		*rows[i].slot = v;
	else
		o->max_tokens = isnan(v) ? 0 : (int64_t)v;
	return EX_OK;
}

static int
show_tokens(struct chat *chat, const char *rest)
{
	struct ln_conversation *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	const char *mark = t->is_estimated ? "~" : "";
	enum ln_status s;

	(void)rest;
	ctx_note(t->c, "last answer: %s%lld tokens, to a prompt of %s%lld",
	    mark, (long long)t->tokens, mark, (long long)t->prompt_tokens);
	if (t->conversation_id == NULL)
		return EX_OK;
	s = ln_conversation_get(t->c->st, t->user->id, t->conversation_id, &v,
	    &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "tokens");
	ctx_note(t->c, "conversation: %lld tokens",
	    (long long)v->total_tokens);
	ln_conversation_free(v);
	return EX_OK;
}

static int
set_title(struct chat *chat, const char *rest)
{
	struct ln_error err = LN_ERROR_INIT;
	struct talk *t = &chat->t;
	enum ln_status s;
	int rc;

	if ((rc = chat_needs_conversation(chat)) != EX_OK)
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
	if ((rc = chat_needs_conversation(chat)) != EX_OK)
		return rc;
	s = ln_message_list(t->c->st, t->user->id, t->conversation_id, &list,
	    &err);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "history");
	ctx_note(t->c, "%s  %s", t->conversation_id,
	    t->title != NULL ? t->title : "");
	for (i = 0; i < list.count; i++) {
		(void)fprintf(stderr, "\n%zu. %s:\n", i + 1,
		    ln_message_role_name(list.items[i]->role));
		out_text(stderr, list.items[i]->content,
		    strlen(list.items[i]->content));
		(void)fputc('\n', stderr);
	}
	ln_message_list_free(&list);
	return EX_OK;
}

static bool
is_interrupted(void *arg)
{
	(void)arg;
	return sig_interrupted();
}

static int
summarize(struct chat *chat, const char *rest)
{
	struct talk *t = &chat->t;
	const struct ln_summary_opts opts = {
		.size = sizeof(opts), .user_id = t->user->id,
		.conversation_id = t->conversation_id,
		.provider = t->provider, .model = t->model,
	};
	struct ln_summary *summary = NULL;
	struct ln_error err = LN_ERROR_INIT;
	const char *text;
	enum ln_status s;
	int rc;

	(void)rest;
	if ((rc = chat_needs_conversation(chat)) != EX_OK)
		return rc;
	if ((s = ln_summary_begin(t->c->st, t->c->cfg, &opts, &summary,
	    &err)) != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "summarize");
	ln_summary_run(summary, is_interrupted, NULL);
	s = ln_summary_text(summary, &text, &err);
	if (s == LN_CANCELLED && t->c->is_interactive && !sig_terminated()) {
		sig_reset();
		ctx_note(t->c, "stopped");
	} else if (s != LN_OK) {
		rc = ctx_fail_provider(t->c, s, &err, NULL, "summarize");
	} else {
		out_text(stderr, text, strlen(text));
		(void)fputc('\n', stderr);
	}
	ln_summary_free(summary);
	return rc;
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

	if ((rc = chat_needs_conversation(chat)) != EX_OK)
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
	{ "attach", "FILE", attach, "a text file or picture for the next"
	    " question" },
	{ "project", "[NAME|none]", chat_project, "show or choose whose"
	    " documents may be quoted" },
	{ "search", "QUERY", chat_search, "find messages and titles" },
	{ "retry", "", retry, "another answer to the last question" },
	{ "continue", "", go_on, "more of an answer that broke off" },
	{ "edit", "[TEXT]", edit, "another wording of the last question" },
	{ "temp", "[N|none]", set_temperature, "show or set the temperature" },
	{ "set", "[NAME N|none]", set_option, "show or set an option, such as"
	    " max_tokens" },
	{ "tokens", "", show_tokens, "what the answers took so far" },
	{ "title", "[TEXT]", set_title, "show or change the title" },
	{ "tag", "[[-]TAG]", chat_tag, "show, add or remove a tag" },
	{ "fork", "[N]", chat_fork, "go on in a branch that ends with"
	    " message N" },
	{ "branches", "", chat_branches, "show the tree of branches" },
	{ "history", "", show_history, "show the conversation so far" },
	{ "summarize", "", summarize, "what was said so far, in short" },
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

int
chat_command(struct chat *chat, const char *line)
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


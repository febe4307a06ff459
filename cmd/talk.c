#include "talk.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "markdown.h"

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/project.h>
#include <ln/prompt.h>
#include <ln/provider.h>
#include <ln/text.h>

#define TEMPERATURE_MAX 2.0

int
talk_assign(struct talk *t, char **slot, const char *v)
{
	char *copy = NULL;

	if (v != NULL && (copy = strdup(v)) == NULL)
		return ctx_fail(t->c, LN_NOMEM, NULL, NULL, "%s", t->c->path);
	free(*slot);
	*slot = copy;
	return EX_OK;
}

int
talk_temperature(struct talk *t, const char *v)
{
	char *end;
	double n;

	errno = 0;
	n = strtod(v, &end);
	if (errno != 0 || end == v || *end != '\0' || !isfinite(n) ||
	    n < 0.0 || n > TEMPERATURE_MAX)
		return ctx_usage(t->c, NULL, "%s: a temperature is a number"
		    " from 0 to 2, not \"%s\"", t->c->path, v);
	t->options.temperature = n;
	return EX_OK;
}

/* The conversation to go on with. */
static int
open_conversation(struct talk *t)
{
	const char *id = ctx_opt(t->c, O_ID);
	bool is_latest = opt_has(&t->c->args, O_CONTINUE);
	struct ln_conversation *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	if (id == NULL && !is_latest)
		return EX_OK;
	if ((id != NULL) + is_latest + t->is_unsaved > 1)
		return ctx_usage(t->c, NULL, "%s: choose one of --continue,"
		    " --id and --no-save", t->c->path);
	if (id != NULL)
		s = ln_conversation_get(t->c->st, t->user->id, id, &v, &err);
	else
		s = ln_conversation_latest(t->c->st, t->user->id, &v, &err);
	if (s == LN_NOT_FOUND && id == NULL)
		return ctx_refuse(t->c, EX_NOT_FOUND, "not_found",
		    "there is no conversation yet", "Begin one without -c",
		    "%s", t->user->username);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(t->c, EX_NOT_FOUND, "not_found",
		    "there is no such conversation",
		    "See `lnctl history list`", "%s", id);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "conversation");
	if ((rc = talk_assign(t, &t->conversation_id, v->id)) == EX_OK)
		rc = talk_assign(t, &t->title, v->title);
	ln_conversation_free(v);
	return rc;
}

/* --prompt: one that is kept, by its name. */
static int
take_prompt(struct talk *t)
{
	const char *name = ctx_opt(t->c, O_PROMPT);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_prompt *p = NULL;
	enum ln_status s;
	int rc;

	if (name == NULL)
		return EX_OK;
	if (t->system_prompt != NULL)
		return ctx_usage(t->c, NULL, "%s: choose --system or --prompt",
		    t->c->path);
	s = ln_prompt_find(t->c->st, t->user->id, name, &p, &err);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(t->c, EX_NOT_FOUND, "not_found",
		    "there is no such prompt", "See `lnctl prompt list`",
		    "%s", name);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "%s", name);
	rc = talk_assign(t, &t->system_prompt, p->content);
	ln_prompt_free(p);
	return rc;
}

int
talk_project(struct talk *t, const char *name)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	enum ln_status s;
	int rc;

	s = ln_project_find(t->c->st, t->user->id, name, &p, &err);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(t->c, EX_NOT_FOUND, "not_found",
		    "there is no such project", "See `lnctl project list`",
		    "%s", name);
	if (s == LN_CONFLICT)
		return ctx_refuse(t->c, EX_CONFLICT, "conflict",
		    "several projects are called that",
		    "Give the id that `lnctl project list` shows", "%s", name);
	if (s != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "%s", name);
	rc = talk_assign(t, &t->project_id, p->id);
	ln_project_free(p);
	return rc;
}

int
talk_open(struct talk *t, struct ctx *c)
{
	const struct {
		char **slot;
		enum opt_id id;
	} wishes[] = {
		{ &t->provider, O_PROVIDER },
		{ &t->model, O_MODEL },
		{ &t->system_prompt, O_SYSTEM },
	};
	const struct ln_buf empty = LN_BUF_INIT(LN_LLM_ANSWER_MAX);
	size_t i;
	int rc;

	memset(t, 0, sizeof(*t));
	t->c = c;
	t->answer = empty;
	t->is_unsaved = opt_has(&c->args, O_NO_SAVE);
	ln_llm_options_init(&t->options);
	t->shows_thinking = isatty(STDOUT_FILENO) == 1 &&
	    isatty(STDERR_FILENO) == 1 && !c->is_quiet;
	if (opt_has(&c->args, O_TEMP) &&
	    (rc = talk_temperature(t, ctx_opt(c, O_TEMP))) != EX_OK)
		return rc;
	for (i = 0; i < nitems(wishes); i++) {
		rc = talk_assign(t, wishes[i].slot, ctx_opt(c, wishes[i].id));
		if (rc != EX_OK)
			return rc;
	}
	if (t->provider != NULL && ln_provider_find(t->provider) == NULL)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no such provider", "See `lnctl provider list`",
		    "%s", t->provider);
	for (i = 0; i < c->args.attached_count; i++)
		if ((rc = talk_attach(t, c->args.attached[i])) != EX_OK)
			return rc;
	if ((rc = ctx_person(c, &t->user)) != EX_OK)
		return rc;
	if ((rc = take_prompt(t)) != EX_OK)
		return rc;
	if (opt_has(&c->args, O_PROJECT) &&
	    (rc = talk_project(t, ctx_opt(c, O_PROJECT))) != EX_OK)
		return rc;
	if (!t->is_unsaved)
		talk_recover(c);
	return open_conversation(t);
}

void
talk_print(struct talk *t)
{
	t->is_printing = true;
	/* Without memory the answer is still there, as it stands. */
	if (t->markdown == NULL && isatty(STDOUT_FILENO) == 1 &&
	    out_has_color(t->c->out))
		t->markdown = markdown_new(stdout);
}

/* Ours, although the library's record only borrows it. */
static void
free_content(struct ln_llm_message *m)
{
	free((void *)(uintptr_t)m->content);
}

void
talk_forget(struct talk *t)
{
	size_t i;

	for (i = 0; i < t->turn_count; i++)
		free_content(&t->turns[i]);
	free(t->turns);
	t->turns = NULL;
	t->turn_count = 0;
}

void
talk_close(struct talk *t)
{
	ln_user_free(t->user);
	free(t->conversation_id);
	free(t->title);
	free(t->provider);
	free(t->model);
	free(t->system_prompt);
	free(t->project_id);
	talk_detach(t);
	free(t->used_provider);
	free(t->used_model);
	ln_buf_free(&t->answer);
	markdown_free(t->markdown);
	talk_forget(t);
}

enum ln_status
talk_resolve(struct talk *t, struct ln_error *err)
{
	struct ln_provider_conf *p = NULL;
	struct ln_conversation *v = NULL;
	struct ln_provider_wish wish;
	enum ln_status s = LN_OK;

	memset(&wish, 0, sizeof(wish));
	wish.size = sizeof(wish);
	wish.request_provider = t->provider;
	wish.request_model = t->model;
	if (t->conversation_id != NULL)
		s = ln_conversation_get(t->c->st, t->user->id,
		    t->conversation_id, &v, err);
	if (s != LN_OK)
		return s;
	if (v != NULL) {
		wish.conversation_provider = v->provider;
		wish.conversation_model = v->model;
	}
	s = ln_provider_resolve(t->c->st, t->c->cfg, t->user->id, &wish, &p,
	    err);
	if (s == LN_OK && (talk_assign(t, &t->used_provider, p->info->name) !=
	    EX_OK || talk_assign(t, &t->used_model, p->model) != EX_OK))
		s = LN_NOMEM;
	ln_provider_conf_free(p);
	ln_conversation_free(v);
	return s;
}

static bool
remember(struct talk *t, const char *role, const char *content)
{
	struct ln_llm_message *grown;
	char *copy;

	grown = realloc(t->turns, (t->turn_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return false;
	t->turns = grown;
	if ((copy = strdup(content)) == NULL)
		return false;
	t->turns[t->turn_count++] = (struct ln_llm_message){
		.role = role, .content = copy,
	};
	return true;
}

/* What --no-save keeps from the database a next question still refers to. */
static void
remember_turn(struct talk *t, const char *question)
{
	if (t->answer.len == 0 || question == NULL)
		return;
	if (!remember(t, "user", question) ||
	    !remember(t, "assistant", ln_buf_str(&t->answer)))
		ctx_note(t->c, "out of memory: this turn is forgotten");
}

void
talk_on_done(struct talk *t, const struct ln_chat_event *ev)
{
	if (t->is_unsaved)
		remember_turn(t, ev->question);
	t->message_id = ev->message_id;
	t->tokens = ev->tokens;
	t->prompt_tokens = ev->prompt_tokens;
	t->duration_ms = ev->duration_ms;
	t->is_estimated = ev->is_estimated;
	(void)snprintf(t->finish_reason, sizeof(t->finish_reason), "%s",
	    ev->finish_reason != NULL ? ev->finish_reason : "");
}

/* The model that answered, when the provider chose one by itself. */
static void
learn_model(struct talk *t)
{
	struct ln_message *m = NULL;

	if (t->used_model != NULL || t->message_id == 0 || t->is_unsaved)
		return;
	if (ln_message_get(t->c->st, t->user->id, t->message_id, &m, NULL) ==
	    LN_OK)
		(void)talk_assign(t, &t->used_model, m->model);
	ln_message_free(m);
}

enum ln_status
talk_turn(struct talk *t, enum talk_what what, const char *prompt,
    int64_t edited, struct ln_error *err)
{
	struct ln_chat_opts opts;
	char owner[TALK_OWNER_SIZE];
	int64_t message_id = 0;
	enum ln_status s;

	ln_buf_clear(&t->answer);
	t->message_id = t->tokens = t->prompt_tokens = t->duration_ms = 0;
	t->is_estimated = t->has_error = t->is_new = false;
	t->is_thinking = t->is_mid_line = false;
	t->finish_reason[0] = '\0';
	if ((s = talk_resolve(t, err)) != LN_OK)
		return s;
	talk_owner(owner);
	memset(&opts, 0, sizeof(opts));
	opts.size = sizeof(opts);
	opts.user_id = t->user->id;
	opts.conversation_id = t->conversation_id;
	opts.prompt = prompt;
	opts.provider = t->provider;
	opts.model = t->model;
	opts.system_prompt = t->system_prompt;
	opts.project_id = t->project_id;
	opts.file_name = t->file_name;
	opts.file_content = t->file_content;
	opts.options = &t->options;
	opts.images = (const char *const *)t->images;
	opts.edit_message_id = edited;
	opts.is_regenerate = what == TALK_RETRY;
	opts.is_continue = what == TALK_CONTINUE;
	opts.is_unsaved = t->is_unsaved;
	opts.history = t->turns;
	opts.history_count = t->turn_count;
	opts.owner = owner;
	s = ln_chat_run(t->c->st, t->c->cfg, &opts, talk_on_event,
	    talk_is_cancelled, t, &message_id, err);
	if (t->message_id == 0)
		t->message_id = message_id;
	if (t->markdown != NULL)
		markdown_settle(t->markdown);
	else if (t->is_printing && t->answer.len > 0 &&
	    t->answer.data[t->answer.len - 1] != '\n')
		(void)putchar('\n');
	(void)fflush(stdout);
	talk_detach(t);
	talk_stop_asking(t);
	learn_model(t);
	return s;
}

void
talk_name(struct talk *t)
{
	struct ln_error err = LN_ERROR_INIT;
	char *title = NULL;
	enum ln_status s;

	if (!t->is_new || t->is_unsaved || t->title == NULL ||
	    sig_interrupted())
		return;
	s = ln_chat_name(t->c->st, t->c->cfg, t->user->id,
	    t->conversation_id, t->title, talk_is_cancelled, t, &title, &err);
	if (s != LN_OK && t->c->is_verbose)
		ctx_note(t->c, "no title by the model: %s",
		    ln_error_text(&err, s));
	if (title != NULL)
		(void)talk_assign(t, &t->title, title);
	ln_free(title);
}

/* A turn that has begun can fail by what the provider says, and then it is
 * the provider's failure; before, it is that of who asked. */
static bool
is_provider_failure(const struct talk *t, enum ln_status s)
{
	return t->has_error && provider_exit_code(s) == EX_UPSTREAM;
}

int
talk_exit_code(const struct talk *t, enum ln_status s)
{
	return is_provider_failure(t, s) ? EX_UPSTREAM : exit_code(s);
}

int
talk_fail(struct talk *t, enum ln_status s, const struct ln_error *err)
{
	const char *hint = NULL, *kept = "", *what = t->c->path;

	if (s == LN_CANCELLED)
		hint = t->is_unsaved ? "" : "What came is saved";
	else if (t->answer.len > 0 && !t->is_unsaved)
		kept = " (what came is saved)";
	if (!is_provider_failure(t, s))
		return ctx_fail(t->c, s, err, hint, "%s%s", what, kept);
	if (t->used_provider != NULL)
		what = t->used_provider;
	return ctx_fail_provider(t->c, s, err, hint, "%s%s", what, kept);
}

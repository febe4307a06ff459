#include "service/chat.h"

#include <stdlib.h>
#include <string.h>

#include <ln/project.h>
#include <ln/time.h>

#include "model/conversation.h"
#include "model/generation.h"
#include "model/message.h"
#include "service/chat_text.h"
#include "service/toolbox.h"
#include "store/tx.h"

#include "base/banned.h"

#define TITLE_NEW "New chat"
#define OWNER_DEFAULT "libln"

/* --- who and where ------------------------------------------------------- */

static enum ln_status
read_user(struct ln_store *st, struct lni_draft *d, struct ln_error *err)
{
	enum ln_status s;

	s = ln_user_get(st, d->opts->user_id, &d->user, err);
	if (s == LN_NOT_FOUND)
		return ln_fail(err, LN_UNAUTHENTICATED, "",
		    "the account is gone");
	if (s != LN_OK)
		return s;
	if (d->user->is_blocked)
		return ln_fail(err, LN_FORBIDDEN, LNI_CHAT_BLOCKED,
		    "blocked user");
	return LN_OK;
}

static enum ln_status
make_conversation(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	const struct ln_chat_opts *o = d->opts;
	struct ln_conversation_new n = {
		.size = sizeof(n), .model = o->model, .provider = o->provider,
		.system_prompt = o->system_prompt, .project_id = o->project_id,
	};
	enum ln_status s;

	if (o->is_regenerate || o->is_continue || o->edit_message_id != 0)
		return ln_fail(err, LN_NOT_FOUND, "", "no conversation given");
	if (o->prompt != NULL &&
	    (s = lni_chat_title(o->prompt, &c->title, err)) != LN_OK)
		return s;
	n.title = c->title;
	if ((s = ln_conversation_create(st, o->user_id, &n, &d->conversation,
	    err)) != LN_OK)
		return s;
	c->is_new = true;
	return LN_OK;
}

/* A conversation that was made empty takes its title from its first words. */
static enum ln_status
give_title(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	const struct ln_chat_opts *o = d->opts;
	struct ln_message *question = NULL;
	enum ln_status s;

	if (o->prompt == NULL || o->is_regenerate || o->is_continue ||
	    o->edit_message_id != 0 ||
	    strcmp(d->conversation->title, TITLE_NEW) != 0)
		return LN_OK;
	s = lni_message_last_question(st, o->user_id, d->conversation->id,
	    &question, err);
	ln_message_free(question);
	if (s != LN_NOT_FOUND)
		return s;
	if ((s = lni_chat_title(o->prompt, &c->title, err)) != LN_OK ||
	    c->title == NULL)
		return s;
	c->is_titled = true;
	return ln_conversation_rename(st, o->user_id, d->conversation->id,
	    c->title, err);
}

static enum ln_status
find_conversation(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	const struct ln_chat_opts *o = d->opts;
	int64_t count;
	enum ln_status s;

	if (o->conversation_id == NULL)
		return o->is_unsaved ? LN_OK : make_conversation(st, c, d, err);
	if ((s = ln_conversation_get(st, o->user_id, o->conversation_id,
	    &d->conversation, err)) != LN_OK || o->is_unsaved)
		return s;
	if ((s = lni_generation_reap(st, o->conversation_id, NULL, NULL,
	    ln_time_now_ms() - LN_CHAT_DEAD_MS, &count, err)) != LN_OK)
		return s;
	if (count > 0 && (s = lni_tool_run_abandon(st, 0, ln_time_now_ms(),
	    err)) != LN_OK)
		return s;
	if ((s = lni_generation_idle(st, o->conversation_id, err)) != LN_OK)
		return s;
	return give_title(st, c, d, err);
}

static enum ln_status
resolve(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	const struct ln_conversation *v = d->conversation;
	const struct ln_provider_wish wish = {
		.size = sizeof(wish),
		.request_provider = d->opts->provider,
		.request_model = d->opts->model,
		.conversation_provider = v != NULL ? v->provider : NULL,
		.conversation_model = v != NULL ? v->model : NULL,
	};

	return ln_provider_resolve(st, c->cfg, d->opts->user_id, &wish,
	    &c->conf, err);
}

/* Whose documents are to be looked at: what the question says, else what its
 * conversation belongs to. */
static enum ln_status
find_project(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	struct ln_project *p = NULL;
	const char *id = d->opts->project_id;
	enum ln_status s;

	if (id == NULL && d->conversation != NULL)
		id = d->conversation->project_id;
	if (id == NULL)
		return LN_OK;
	if ((s = ln_project_get(st, d->opts->user_id, id, &p, err)) == LN_OK &&
	    (c->project_id = strdup(id)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "project id");
	ln_project_free(p);
	return s;
}

/* --- question and placeholder -------------------------------------------- */

/* A list of images that was given replaces the old one, even when empty. */
static bool
drops_images(const struct lni_draft *d)
{
	return d->opts->edit_message_id != 0 && d->opts->images != NULL &&
	    d->images == NULL;
}

static enum ln_status
take_question(struct ln_chat *c, struct lni_draft *d, struct ln_message *m,
    bool keeps_text, struct ln_error *err)
{
	c->question_id = m->id;
	if (d->images == NULL && !drops_images(d)) {
		d->images = m->images;
		m->images = NULL;
	}
	if (!keeps_text)
		return LN_OK;
	free(c->question);
	if ((c->question = strdup(m->content)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "question");
	return LN_OK;
}

static enum ln_status
edit_question(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	struct ln_message *m = NULL;
	enum ln_status s;

	if ((s = ln_message_get(st, d->opts->user_id,
	    d->opts->edit_message_id, &m, err)) != LN_OK)
		return s;
	if (m->role != LN_MESSAGE_USER ||
	    strcmp(m->conversation_id, d->conversation->id) != 0) {
		s = ln_fail(err, LN_NOT_FOUND, "",
		    "not a question of this conversation");
		goto out;
	}
	if ((s = lni_message_delete_after(st, m->conversation_id, m->id,
	    err)) != LN_OK)
		goto out;
	if ((s = lni_message_rewrite(st, m->id, c->question,
	    drops_images(d) ? "" : d->images, err)) != LN_OK)
		goto out;
	s = take_question(c, d, m, false, err);
out:
	ln_message_free(m);
	return s;
}

static enum ln_status
repeat_question(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	struct ln_message *m = NULL;
	enum ln_status s;

	s = lni_message_last_question(st, d->opts->user_id,
	    d->conversation->id, &m, err);
	if (s == LN_NOT_FOUND)
		return ln_fail(err, LN_NOT_FOUND,
		    "There is no question to answer again", "no question");
	if (s != LN_OK)
		return s;
	s = lni_message_delete_after(st, d->conversation->id, m->id, err);
	if (s == LN_OK)
		s = take_question(c, d, m, true, err);
	ln_message_free(m);
	return s;
}

static enum ln_status
add_question(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	const struct lni_message_new m = {
		.conversation_id = d->conversation->id,
		.role = LN_MESSAGE_USER, .state = LN_MESSAGE_COMPLETE,
		.content = c->question, .images = d->images,
		.created_ms = ln_time_now_ms(),
	};

	return lni_message_add(st, &m, &c->question_id, err);
}

static enum ln_status
add_placeholder(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	const struct lni_message_new m = {
		.conversation_id = d->conversation->id,
		.role = LN_MESSAGE_ASSISTANT, .state = LN_MESSAGE_STREAMING,
		.content = "", .provider = c->conf->info->name,
		.model = c->conf->model, .created_ms = ln_time_now_ms(),
	};
	enum ln_status s;

	if ((s = lni_message_add(st, &m, &c->message_id, err)) != LN_OK)
		return s;
	if ((s = lni_generation_add(st, c->message_id, d->conversation->id,
	    c->owner, m.created_ms, err)) != LN_OK)
		return s;
	return lni_conversation_touch(st, d->conversation->id, m.created_ms,
	    0, err);
}

/* --- going on ------------------------------------------------------------- */

static bool
can_go_on(const struct ln_message *m)
{
	if (m->role != LN_MESSAGE_ASSISTANT || m->content[0] == '\0')
		return false;
	switch (m->state) {
	case LN_MESSAGE_STOPPED:
	case LN_MESSAGE_FAILED:
	case LN_MESSAGE_INTERRUPTED:
		return true;
	case LN_MESSAGE_COMPLETE:
		return m->finish_reason != NULL &&
		    strcmp(m->finish_reason, "length") == 0;
	case LN_MESSAGE_STREAMING:
		break;
	}
	return false;
}

static enum ln_status
take_answer(struct ln_chat *c, const struct ln_message *m,
    struct ln_error *err)
{
	enum ln_status s;

	ln_buf_puts(&c->answer, m->content);
	if (m->thinking != NULL)
		ln_buf_puts(&c->thinking, m->thinking);
	if ((s = ln_buf_status(&c->answer)) != LN_OK ||
	    (s = ln_buf_status(&c->thinking)) != LN_OK)
		return ln_fail(err, s, "", "answer to go on with");
	c->message_id = m->id;
	c->earlier.bytes = c->answer.len;
	c->journalled = c->round_from = c->shown = c->answer.len;
	c->tokens = c->earlier.tokens = m->tokens;
	c->prompt_tokens = c->earlier.prompt_tokens = m->prompt_tokens;
	c->earlier.duration_ms = m->duration_ms;
	c->is_estimated = m->is_estimated;
	return LN_OK;
}

/* The last answer is written on where it ended. */
static enum ln_status
reopen_answer(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	struct ln_message *question = NULL, *m = NULL;
	int64_t now_ms = ln_time_now_ms();
	enum ln_status s;

	if (c->conf->base_url == NULL)
		return ln_fail(err, LN_INVALID,
		    "The offline search cannot go on with an answer. Ask again",
		    "no wire");
	s = lni_message_last(st, d->opts->user_id, d->conversation->id, &m,
	    err);
	if (s == LN_OK && !can_go_on(m))
		s = LN_NOT_FOUND;
	if (s == LN_OK)
		s = lni_message_last_question(st, d->opts->user_id,
		    d->conversation->id, &question, err);
	if (s == LN_NOT_FOUND)
		(void)ln_fail(err, s, "There is no answer to go on with",
		    "the last message is none that ended early");
	if (s != LN_OK ||
	    (s = take_question(c, d, question, true, err)) != LN_OK ||
	    (s = take_answer(c, m, err)) != LN_OK ||
	    (s = lni_message_reopen(st, m->id, err)) != LN_OK ||
	    (s = lni_generation_add(st, m->id, d->conversation->id, c->owner,
	    now_ms, err)) != LN_OK)
		goto out;
	s = lni_conversation_touch(st, d->conversation->id, now_ms, 0, err);
out:
	ln_message_free(question);
	ln_message_free(m);
	return s;
}

/* --- together ------------------------------------------------------------ */

static enum ln_status
save_question(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	enum ln_status s;

	if (d->opts->edit_message_id != 0)
		s = edit_question(st, c, d, err);
	else if (d->opts->is_regenerate)
		s = repeat_question(st, c, d, err);
	else
		s = add_question(st, c, d, err);
	if (s != LN_OK)
		return s;
	return add_placeholder(st, c, d, err);
}

/* Inside the transaction: everything, or nothing. */
static enum ln_status
prepare(struct ln_store *st, struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = read_user(st, d, err)) != LN_OK ||
	    (s = find_conversation(st, c, d, err)) != LN_OK ||
	    (s = find_project(st, c, d, err)) != LN_OK ||
	    (s = resolve(st, c, d, err)) != LN_OK)
		return s;
	if (d->conversation != NULL &&
	    (c->conversation_id = strdup(d->conversation->id)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "conversation id");
	if (!c->is_unsaved) {
		s = d->opts->is_continue ? reopen_answer(st, c, d, err) :
		    save_question(st, c, d, err);
		if (s != LN_OK)
			return s;
	}
	if (c->conf->base_url == NULL)	/* no wire: a search */
		return LN_OK;
	if ((s = lni_chat_title_plan(st, c, d, err)) != LN_OK)
		return s;
	if (!d->opts->is_without_tools && (s = lni_toolbox_open(st, c->cfg,
	    c->user_id, &c->box, err)) != LN_OK)
		return s;
	return lni_chat_ask(st, c, d, err);
}

static enum ln_status
prepare_in_transaction(struct ln_store *st, struct ln_chat *c,
    struct lni_draft *d, struct ln_error *err)
{
	enum ln_status s;

	if (c->is_unsaved) {
		if ((s = lni_read_begin(st, err)) != LN_OK)
			return s;
		s = prepare(st, c, d, err);
		lni_read_end(st);
		return s;
	}
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = prepare(st, c, d, err);
	return lni_tx_end(st, s, err);
}

static enum ln_status
copy(const char *s, char **out, struct ln_error *err)
{
	if (s != NULL && (*out = strdup(s)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "chat");
	return LN_OK;
}

static void
tell_beginning(const struct ln_chat *c, const struct lni_draft *d)
{
	struct ln_chat_event ev = { 0 };

	if (c->is_unsaved)
		return;
	ev.conversation_id = c->conversation_id;
	ev.title = d->conversation->title;
	if (c->is_new) {
		ev.type = LN_CHAT_CONVERSATION;
		c->fn(c->arg, &ev);
	}
	ev.type = LN_CHAT_SAVED;
	ev.temp_id = c->temp_id;
	ev.question = c->question;
	ev.message_id = c->question_id;
	c->fn(c->arg, &ev);
	if (c->is_titled) {
		ev.type = LN_CHAT_TITLE;
		ev.title = c->title;
		c->fn(c->arg, &ev);
	}
}

/* A turn that is about to begin, with what it begins with. */
static enum ln_status
chat_new(struct ln_store *st, const struct ln_config *cfg,
    const struct ln_chat_start *start, struct lni_draft *d,
    struct ln_chat **out, struct ln_error *err)
{
	const struct ln_chat_opts *opts = start->opts;
	struct ln_chat *c;
	enum ln_status s;

	*out = NULL;
	d->opts = opts;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "chat");
	c->store = st;
	c->cfg = cfg;
	c->fn = start->fn;
	c->arg = start->arg;
	c->is_unsaved = opts->is_unsaved;
	c->is_batched = opts->is_batched;
	lni_chat_actor_of(st, opts->user_id, &c->actor);
	c->phase = LNI_CHAT_OVER;	/* until it has begun */
	c->answer = c->local = (struct ln_buf)LN_BUF_INIT(LN_LLM_ANSWER_MAX);
	c->thinking = (struct ln_buf)LN_BUF_INIT(LN_CHAT_THINKING_MAX);
	*out = c;
	if ((s = copy(opts->user_id, &c->user_id, err)) != LN_OK ||
	    (s = copy(opts->temp_id, &c->temp_id, err)) != LN_OK ||
	    (s = copy(opts->owner != NULL ? opts->owner : OWNER_DEFAULT,
	    &c->owner, err)) != LN_OK)
		return s;
	return lni_chat_input(c, d, err);
}

/* Each in a savepoint of its own. */
static enum ln_status
prepare_all(struct ln_store *st, struct ln_chat_start *starts,
    struct lni_draft *drafts, size_t n, struct ln_error *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (starts[i].status != LN_OK || starts[i].opts->is_unsaved)
			continue;
		starts[i].status = prepare_in_transaction(st, starts[i].chat,
		    &drafts[i], &starts[i].error);
		/* A full disk rolls back everything by itself. */
		if (!lni_tx_is_alive(st)) {
			*err = starts[i].error;
			return starts[i].status;
		}
	}
	return LN_OK;
}

static void
save_all(struct ln_store *st, struct ln_chat_start *starts,
    struct lni_draft *drafts, size_t n)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	size_t i;

	if ((s = lni_tx_begin(st, &err)) == LN_OK)
		s = lni_tx_end(st, prepare_all(st, starts, drafts, n, &err),
		    &err);
	for (i = 0; s != LN_OK && i < n; i++) {
		if (starts[i].status != LN_OK || starts[i].opts->is_unsaved)
			continue;
		starts[i].status = s;
		starts[i].error = err;
	}
}

/* Without a transaction around: one alone has its own. */
static void
save_each(struct ln_store *st, struct ln_chat_start *starts,
    struct lni_draft *drafts, size_t n, bool is_unsaved)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (starts[i].status == LN_OK &&
		    starts[i].opts->is_unsaved == is_unsaved)
			starts[i].status = prepare_in_transaction(st,
			    starts[i].chat, &drafts[i], &starts[i].error);
	}
}

static void
begin_all(struct ln_store *st, const struct ln_config *cfg,
    struct ln_chat_start *starts, struct lni_draft *drafts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		starts[i].status = chat_new(st, cfg, &starts[i], &drafts[i],
		    &starts[i].chat, &starts[i].error);
	if (n > 1)
		save_all(st, starts, drafts, n);
	else
		save_each(st, starts, drafts, n, false);
	save_each(st, starts, drafts, n, true);
	for (i = 0; i < n; i++) {
		if (starts[i].status == LN_OK) {
			lni_chat_start(starts[i].chat);
			tell_beginning(starts[i].chat, &drafts[i]);
		} else {
			ln_chat_free(starts[i].chat);
			starts[i].chat = NULL;
		}
		lni_draft_clear(&drafts[i]);
	}
}

void
ln_chat_begin_all(struct ln_store *st, const struct ln_config *cfg,
    struct ln_chat_start *starts, size_t n)
{
	struct lni_draft *drafts;
	size_t i;

	for (i = 0; i < n; i++)
		starts[i].error = (struct ln_error)LN_ERROR_INIT;
	if (n > 0 && (drafts = calloc(n, sizeof(*drafts))) != NULL) {
		begin_all(st, cfg, starts, drafts, n);
		free(drafts);
		return;
	}
	for (i = 0; i < n; i++) {
		starts[i].chat = NULL;
		starts[i].status = ln_fail(&starts[i].error, LN_NOMEM, "",
		    "drafts");
	}
}

enum ln_status
ln_chat_begin(struct ln_store *st, const struct ln_config *cfg,
    const struct ln_chat_opts *opts, ln_chat_event_fn *fn, void *arg,
    struct ln_chat **out, struct ln_error *err)
{
	struct ln_chat_start start = { .opts = opts, .fn = fn, .arg = arg };

	ln_chat_begin_all(st, cfg, &start, 1);
	*out = start.chat;
	if (start.status != LN_OK && err != NULL)
		*err = start.error;
	return start.status;
}

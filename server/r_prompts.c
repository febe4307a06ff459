/* Prompts that are kept, and what a new conversation begins with. */

#include <ln/prompt.h>
#include <ln/setting.h>

#include "guard.h"
#include "input.h"
#include "reply.h"
#include "routes.h"

#define TITLE_BYTES_MAX ((size_t)LN_PROMPT_TITLE_MAX * 4)

static void
prompt_json(struct ln_jw *w, const struct ln_prompt *p)
{
	ln_jw_object(w, NULL);
	ln_jw_int(w, "id", p->id);
	ln_jw_string(w, "title", p->title);
	ln_jw_string(w, "content", p->content);
	ln_jw_bool(w, "is_global", p->user_id == NULL);
	ln_jw_time(w, "created_at", p->created_ms);
	ln_jw_end(w);
}

static int
reply_prompt(struct rq *q, enum ln_status s, struct ln_prompt *p,
    const struct ln_error *err)
{
	struct ln_jw *w;

	if (s != LN_OK)
		return reply_fail(q, s, err);
	if ((w = ln_jw_new()) != NULL)
		prompt_json(w, p);
	ln_prompt_free(p);
	return reply_json(q, 200, w);
}

int
prompts_list(struct rq *q)
{
	struct ln_prompt_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	s = ln_prompt_list(worker_store, q->user->id, &list, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < list.count; i++)
			prompt_json(w, list.items[i]);
		ln_jw_end(w);
	}
	ln_prompt_list_free(&list);
	return reply_json(q, 200, w);
}

static bool
read_texts(struct rq *q, const char **title, const char **content)
{
	return input_string(q, "title", TITLE_BYTES_MAX, title) &&
	    input_string(q, "content", SERVER_BODY_MAX, content);
}

int
prompts_create(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_prompt *p = NULL;
	bool is_global = false, is_given;
	const char *title, *content;
	enum ln_status s;

	if (!read_texts(q, &title, &content) ||
	    !input_bool(q, "is_global", &is_global, &is_given))
		return KORE_RESULT_OK;
	s = ln_prompt_create(worker_store, is_global ? NULL : q->user->id,
	    title, content, &p, &err);
	return reply_prompt(q, s, p, &err);
}

int
prompts_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_prompt *p = NULL;
	const char *title, *content;
	enum ln_status s;
	int64_t id;

	if (!read_texts(q, &title, &content))
		return KORE_RESULT_OK;
	/* What is no number is the id of nothing: 0 never is. */
	(void)input_id(q->param[0], &id);
	s = ln_prompt_update(worker_store, q->user->id, id, title, content, &p,
	    &err);
	return reply_prompt(q, s, p, &err);
}

int
prompts_delete(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int64_t id;

	(void)input_id(q->param[0], &id);
	s = ln_prompt_delete(worker_store, q->user->id, id, &err);
	return s == LN_OK ? reply_success(q) : reply_fail(q, s, &err);
}

/* --- what a new conversation begins with ---------------------------------- */

int
config_show(struct rq *q)
{
	const struct ln_prompt_template *t;
	struct ln_error err = LN_ERROR_INIT;
	char *prompt = NULL;
	struct ln_jw *w;
	enum ln_status s;
	size_t i, n;

	s = ln_setting_get(worker_store, q->user->id, "system_prompt", &prompt,
	    &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	t = ln_prompt_templates(&n);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "system_prompt", prompt);
		ln_jw_array(w, "templates");
		for (i = 0; i < n; i++) {
			ln_jw_object(w, NULL);
			ln_jw_string(w, "name", t[i].name);
			ln_jw_string(w, "title", t[i].title);
			ln_jw_string(w, "content", t[i].content);
			ln_jw_end(w);
		}
		ln_jw_end(w);
		ln_jw_end(w);
	}
	ln_free(prompt);
	return reply_json(q, 200, w);
}

struct prompt_change {
	const struct rq *q;
	const char *prompt;
};

static enum ln_status
set_prompt(struct ln_store *st, void *arg, struct ln_error *err)
{
	const struct prompt_change *c = arg;
	enum ln_status s;

	if ((s = guard_again(st, c->q->session, false, err)) != LN_OK)
		return s;
	return ln_setting_set(st, c->q->user->id, "system_prompt",
	    *c->prompt != '\0' ? c->prompt : NULL, err);
}

int
config_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct prompt_change c = { .q = q };
	enum ln_status s;

	if (!input_string(q, "system_prompt", LN_SYSTEM_PROMPT_MAX,
	    &c.prompt))
		return KORE_RESULT_OK;
	if (c.prompt == NULL)
		return config_show(q);
	s = ln_store_transaction(worker_store, set_prompt, &c, &err);
	return s == LN_OK ? config_show(q) : reply_fail(q, s, &err);
}

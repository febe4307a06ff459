/* Accounts, as an administrator sees and changes them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/audit.h>
#include <ln/auth.h>
#include <ln/conversation.h>

#include "input.h"
#include "jobs.h"
#include "profile.h"
#include "reply.h"
#include "routes.h"

#define FIELD_MAX 4096
#define REASON_MAX 500
#define PAGE_MAX 1000
#define OFFSET_MAX 1000000000

static void
account_json(struct ln_jw *w, const struct ln_user *u)
{
	profile_members(w, u, NULL);
	ln_jw_time(w, "last_login_at", u->last_login_ms);
	ln_jw_string(w, "blocked_reason", u->blocked_reason);
	ln_jw_time(w, "blocked_until", u->blocked_until_ms);
}

int
admin_users_list(struct rq *q)
{
	struct ln_user_filter f = { .size = sizeof(f) };
	struct ln_user_list list = { NULL, 0, 0 };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;
	char query[256];
	size_t i;

	if (rq_query(q, "q", query, sizeof(query)) && query[0] != '\0')
		f.query = query;
	if (!input_query_int(q, "limit", 1, PAGE_MAX, &f.limit) ||
	    !input_query_int(q, "offset", 0, OFFSET_MAX, &f.offset))
		return KORE_RESULT_OK;
	if ((s = ln_user_list(worker_store, &f, &list, &err)) != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_array(w, "users");
		for (i = 0; i < list.count; i++) {
			ln_jw_object(w, NULL);
			account_json(w, list.items[i]);
			ln_jw_end(w);
		}
		ln_jw_end(w);
		ln_jw_int(w, "total", list.total);
	}
	ln_user_list_free(&list);
	return reply_json(q, 200, w);
}

/* Creating an account and setting a password hash: not on the loop. */
struct account_job {
	struct job j;
	char *username, *email, *full_name, *password;
	char user_id[RQ_PARAM_SIZE];
	enum ln_user_role role;
	struct ln_user *user;
};

static void
account_free(struct job *j)
{
	struct account_job *a = (struct account_job *)j;

	free(a->username);
	free(a->email);
	free(a->full_name);
	ln_wipe_free(a->password);
	ln_user_free(a->user);
	free(a);
}

static struct account_job *
account_new(void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	struct account_job *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->j.run = run;
	a->j.done = done;
	a->j.free = account_free;
	return a;
}

static void
create_run(struct job *j, struct ln_store *st)
{
	struct account_job *a = (struct account_job *)j;
	struct ln_user_new n = { .size = sizeof(n) };

	n.username = a->username;
	n.email = a->email;
	n.full_name = a->full_name;
	n.password = a->password;
	n.role = a->role;
	j->status = ln_auth_create(st, &n, &a->user, &j->err);
}

static int
create_done(struct rq *q, struct job *j)
{
	const struct account_job *a = (const struct account_job *)j;
	struct ln_jw *w;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		account_json(w, a->user);
	}
	return reply_json(q, 200, w);
}

static bool
copy(char **out, const char *s)
{
	*out = NULL;
	return s == NULL || (*out = strdup(s)) != NULL;
}

int
admin_users_create(struct rq *q)
{
	const char *username, *password, *email, *full_name, *role;
	enum ln_user_role wanted = LN_USER_ROLE_USER;
	struct account_job *a;

	if (!input_string(q, "username", FIELD_MAX, &username) ||
	    !input_string(q, "password", SERVER_BODY_MAX, &password) ||
	    !input_string(q, "email", FIELD_MAX, &email) ||
	    !input_string(q, "full_name", FIELD_MAX, &full_name) ||
	    !input_string(q, "role", 16, &role))
		return KORE_RESULT_OK;
	if (username == NULL)
		return reply_field(q, 400, "username",
		    "A username is required");
	if (password == NULL)
		return reply_field(q, 400, "password",
		    "A password is required");
	if (role != NULL && !ln_user_role_parse(role, &wanted))
		return reply_field(q, 400, "role",
		    "The role must be user or admin");
	if ((a = account_new(create_run, create_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	a->role = wanted;
	if (!copy(&a->username, username) || !copy(&a->email, email) ||
	    !copy(&a->full_name, full_name) ||
	    !copy(&a->password, password)) {
		account_free(&a->j);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	return job_start(q, &a->j, JOB_HASH);
}

static void
password_run(struct job *j, struct ln_store *st)
{
	struct account_job *a = (struct account_job *)j;

	j->status = ln_auth_password_set(st, a->user_id, a->password, NULL,
	    &j->err);
}

static int
password_done(struct rq *q, struct job *j)
{
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	return reply_success(q);
}

int
admin_user_password(struct rq *q)
{
	const char *password;
	struct account_job *a;

	if (!input_string(q, "password", SERVER_BODY_MAX, &password))
		return KORE_RESULT_OK;
	if (password == NULL)
		return reply_field(q, 400, "password",
		    "A password is required");
	if ((a = account_new(password_run, password_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	(void)snprintf(a->user_id, sizeof(a->user_id), "%s", q->param[0]);
	if (!copy(&a->password, password)) {
		account_free(&a->j);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	return job_start(q, &a->j, JOB_HASH);
}

static int
reply_outcome(struct rq *q, enum ln_status s, const struct ln_error *err)
{
	return s == LN_OK ? reply_success(q) : reply_fail(q, s, err);
}

/*
 * The guard's look at the role was another moment: each act of ln/auth.h reads
 * it again in the transaction that changes something, and puts a refusal on
 * the record after the roll-back.  So no transaction is opened here.
 */
int
admin_users_delete(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_auth_delete(worker_store, q->param[0], &err);
	return reply_outcome(q, s, &err);
}

int
admin_user_role(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_user_role wanted;
	const char *role;
	bool is_changed;
	enum ln_status s;

	if (!input_string(q, "role", 16, &role))
		return KORE_RESULT_OK;
	if (role == NULL || !ln_user_role_parse(role, &wanted))
		return reply_field(q, 400, "role",
		    "The role must be user or admin");
	s = ln_auth_role_set(worker_store, q->param[0], wanted, &is_changed,
	    &err);
	return reply_outcome(q, s, &err);
}

int
admin_user_block(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *reason, *id = q->param[0];
	bool blocked, is_given, revoke = false, revoke_given, is_changed;
	struct ln_jw *w;
	enum ln_status s;

	if (!input_bool(q, "blocked", &blocked, &is_given) ||
	    !input_bool(q, "revoke_sessions", &revoke, &revoke_given) ||
	    !input_string(q, "reason", REASON_MAX, &reason))
		return KORE_RESULT_OK;
	if (!is_given)
		return reply_field(q, 400, "blocked", "A field is missing");
	s = blocked ?
	    ln_auth_block(worker_store, id, reason, 0, &is_changed, &err) :
	    ln_auth_unblock(worker_store, id, &is_changed, &err);
	/* An act of its own; asked again, both find what is done already. */
	if (s == LN_OK && revoke)
		s = ln_auth_sessions_end(worker_store, id, NULL, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_bool(w, "blocked", blocked);
	}
	return reply_json(q, 200, w);
}

int
admin_user_revoke(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;
	int64_t count;

	s = ln_auth_sessions_end(worker_store, q->param[0], &count, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_int(w, "revoked", count);
	}
	return reply_json(q, 200, w);
}

static void
user_sessions_json(struct ln_jw *w, const struct ln_conversation_list *list)
{
	const struct ln_conversation *c;
	size_t i;

	ln_jw_array(w, "sessions");
	for (i = 0; i < list->count; i++) {
		c = list->items[i];
		ln_jw_object(w, NULL);
		ln_jw_string(w, "id", c->id);
		ln_jw_string(w, "title", c->title);
		ln_jw_string(w, "model", c->model);
		ln_jw_bool(w, "archived", c->archived_ms != 0);
		ln_jw_int(w, "total_tokens", c->total_tokens);
		ln_jw_time(w, "updated_at", c->updated_ms);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

int
admin_user_show(struct rq *q)
{
	struct ln_conversation_filter f = { .size = sizeof(f),
		.with_archived = true };
	struct ln_conversation_list list = { NULL, 0, NULL };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user_stats stats;
	struct ln_user *u = NULL;
	struct ln_jw *w = NULL;
	enum ln_status s;

	if ((s = ln_user_get(worker_store, q->param[0], &u, &err)) != LN_OK ||
	    (s = ln_user_stats(worker_store, u->id, &stats, &err)) != LN_OK ||
	    (s = ln_conversation_list(worker_store, u->id, &f, &list,
	    &err)) != LN_OK ||
	    (s = ln_audit_add(worker_store, "user.read", u->id, LN_OK, NULL,
	    &err)) != LN_OK)
		goto out;
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_object(w, "user");
		account_json(w, u);
		ln_jw_end(w);
		ln_jw_object(w, "stats");
		ln_jw_int(w, "session_count", stats.conversation_count);
		ln_jw_int(w, "message_count", stats.message_count);
		ln_jw_int(w, "total_tokens", stats.total_tokens);
		ln_jw_end(w);
		user_sessions_json(w, &list);
	}
out:
	ln_user_free(u);
	ln_conversation_list_free(&list);
	return s == LN_OK ? reply_json(q, 200, w) : reply_fail(q, s, &err);
}

int
admin_audit(struct rq *q)
{
	struct ln_audit_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_audit *a;
	struct ln_jw *w;
	enum ln_status s;
	int64_t before = 0, limit = 100;
	size_t i;

	if (!input_query_int(q, "before", 1, INT64_MAX, &before) ||
	    !input_query_int(q, "limit", 1, PAGE_MAX, &limit))
		return KORE_RESULT_OK;
	s = ln_audit_list(worker_store, before, limit, &list, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_array(w, "audit");
		for (i = 0; i < list.count; i++) {
			a = list.items[i];
			ln_jw_object(w, NULL);
			ln_jw_int(w, "id", a->id);
			ln_jw_time(w, "at", a->at_ms);
			ln_jw_string(w, "actor_kind", a->actor_kind);
			ln_jw_string(w, "actor_id", a->actor_id);
			ln_jw_string(w, "address", a->address);
			ln_jw_string(w, "action", a->action);
			ln_jw_string(w, "target", a->target);
			ln_jw_string(w, "outcome", a->outcome);
			ln_jw_string(w, "request_id", a->request_id);
			ln_jw_string(w, "detail", a->detail);
			ln_jw_end(w);
		}
	}
	ln_audit_list_free(&list);
	return reply_json(q, 200, w);
}

/* The own account. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/auth.h>

#include "input.h"
#include "jobs.h"
#include "profile.h"
#include "reply.h"
#include "routes.h"

#define FIELD_MAX 4096

void
profile_members(struct ln_jw *w, const struct ln_user *u, const char *pic)
{
	ln_jw_string(w, "user_id", u->id);
	ln_jw_string(w, "username", u->username);
	ln_jw_string(w, "email", u->email);
	ln_jw_string(w, "full_name", u->full_name);
	ln_jw_string(w, "role", ln_user_role_name(u->role));
	ln_jw_string(w, "profile_pic", pic);
	ln_jw_bool(w, "blocked", u->is_blocked);
	ln_jw_time(w, "created_at", u->created_ms);
}

struct ln_jw *
profile_json(const struct ln_user *u)
{
	char pic[PROFILE_PIC_SIZE];
	struct ln_jw *w;

	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		profile_members(w, u, profile_pic_path(u, pic));
	}
	return w;
}

int
profile_show(struct rq *q)
{
	return reply_json(q, 200, profile_json(q->user));
}

int
profile_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *username, *email, *full_name;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if (!input_string(q, "username", FIELD_MAX, &username) ||
	    !input_string(q, "email", FIELD_MAX, &email) ||
	    !input_string(q, "full_name", FIELD_MAX, &full_name))
		return KORE_RESULT_OK;
	s = ln_auth_profile_set(worker_store, q->user->id, username, email,
	    full_name, &err);
	if (s == LN_OK)
		s = ln_user_get(worker_store, q->user->id, &u, &err);
	rc = s == LN_OK ? reply_json(q, 200, profile_json(u)) :
	    reply_fail(q, s, &err);
	ln_user_free(u);
	return rc;
}

/* What the password of the account is asked for: not on the loop. */
struct own_job {
	struct job j;
	char *password;
	char *new_password;	/* NULL: the account is to go */
	char user_id[64];
	unsigned char session[LN_KEY_BYTES];
};

static void
own_free(struct job *j)
{
	struct own_job *p = (struct own_job *)j;

	ln_wipe_free(p->password);
	ln_wipe_free(p->new_password);
	ln_wipe(p, sizeof(*p));
	free(p);
}

static int
own_start(struct rq *q, const char *password, const char *new_password,
    void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	struct own_job *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	p->j.run = run;
	p->j.done = done;
	p->j.free = own_free;
	p->password = strdup(password);
	if (new_password != NULL)
		p->new_password = strdup(new_password);
	if (p->password == NULL ||
	    (new_password != NULL && p->new_password == NULL)) {
		own_free(&p->j);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	(void)snprintf(p->user_id, sizeof(p->user_id), "%s", q->user->id);
	memcpy(p->session, q->session, sizeof(p->session));
	return job_start(q, &p->j, JOB_HASH);
}

static void
password_run(struct job *j, struct ln_store *st)
{
	struct own_job *p = (struct own_job *)j;

	j->status = ln_auth_password_change(st, p->user_id, p->password,
	    p->new_password, p->session, &j->err);
}

static int
password_done(struct rq *q, struct job *j)
{
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	return reply_success(q);
}

int
profile_password(struct rq *q)
{
	const char *current, *wanted, *again;

	if (!input_string(q, "current_password", SERVER_BODY_MAX, &current) ||
	    !input_string(q, "new_password", SERVER_BODY_MAX, &wanted) ||
	    !input_string(q, "confirm_new_password", SERVER_BODY_MAX, &again))
		return KORE_RESULT_OK;
	if (current == NULL)
		return reply_field(q, 400, "current_password",
		    "The current password is required");
	if (wanted == NULL || *wanted == '\0')
		return reply_field(q, 400, "new_password",
		    "A password is required");
	if (again == NULL || strcmp(wanted, again) != 0)
		return reply_field(q, 400, "confirm_new_password",
		    "Passwords do not match");
	return own_start(q, current, wanted, password_run, password_done);
}

static void
delete_run(struct job *j, struct ln_store *st)
{
	struct own_job *p = (struct own_job *)j;

	j->status = ln_auth_delete_own(st, p->user_id, p->password, &j->err);
}

static int
delete_done(struct rq *q, struct job *j)
{
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	reply_cookie(q, "", 0);
	return reply_success(q);
}

int
account_delete(struct rq *q)
{
	const char *password;

	if (!input_string(q, "password", SERVER_BODY_MAX, &password))
		return KORE_RESULT_OK;
	if (password == NULL || *password == '\0')
		return reply_field(q, 400, "password",
		    "The password is required");
	return own_start(q, password, NULL, delete_run, delete_done);
}

/* Enough to tell a user's 20 sessions apart, too little to be a secret. */
#define SESSION_ID_BYTES 8
#define SESSION_ID_SIZE (2 * SESSION_ID_BYTES + 1)

static const char *
session_id(const struct ln_session *session, char out[SESSION_ID_SIZE])
{
	size_t i;

	for (i = 0; i < SESSION_ID_BYTES; i++)
		(void)snprintf(out + 2 * i, 3, "%02x",
		    (unsigned)session->hash[i]);
	return out;
}

int
profile_sessions_list(struct rq *q)
{
	struct ln_session_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_session *one;
	char id[SESSION_ID_SIZE];
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	s = ln_session_list(worker_store, q->user->id, &list, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_array(w, "sessions");
		for (i = 0; i < list.count; i++) {
			one = list.items[i];
			ln_jw_object(w, NULL);
			ln_jw_string(w, "id", session_id(one, id));
			ln_jw_bool(w, "current", memcmp(one->hash, q->session,
			    sizeof(one->hash)) == 0);
			ln_jw_string(w, "address", one->address);
			ln_jw_string(w, "agent", one->agent);
			ln_jw_time(w, "created_at", one->created_ms);
			ln_jw_time(w, "expires_at", one->expires_ms);
			ln_jw_end(w);
		}
	}
	ln_session_list_free(&list);
	return reply_json(q, 200, w);
}

int
profile_session_end(struct rq *q)
{
	struct ln_session_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	char id[SESSION_ID_SIZE];
	enum ln_status s;
	size_t i;

	s = ln_session_list(worker_store, q->user->id, &list, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	for (i = 0; i < list.count && strcmp(session_id(list.items[i], id),
	    q->param[0]) != 0; i++)
		continue;
	s = i < list.count ? ln_auth_session_end(worker_store, q->user->id,
	    list.items[i]->hash, &err) :
	    ln_fail(&err, LN_NOT_FOUND, "", "no such session");
	ln_session_list_free(&list);
	return s == LN_OK ? reply_success(q) : reply_fail(q, s, &err);
}

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
profile_members(struct ln_jw *w, const struct ln_user *u)
{
	ln_jw_string(w, "user_id", u->id);
	ln_jw_string(w, "username", u->username);
	ln_jw_string(w, "email", u->email);
	ln_jw_string(w, "full_name", u->full_name);
	ln_jw_string(w, "role", ln_user_role_name(u->role));
	ln_jw_null(w, "profile_pic");
	ln_jw_bool(w, "blocked", u->is_blocked);
	ln_jw_time(w, "created_at", u->created_ms);
}

struct ln_jw *
profile_json(const struct ln_user *u)
{
	struct ln_jw *w;

	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		profile_members(w, u);
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

struct password_job {
	struct job j;
	char *old_password;
	char *new_password;
	char user_id[64];
	unsigned char session[LN_KEY_BYTES];
};

static void
password_free(struct job *j)
{
	struct password_job *p = (struct password_job *)j;

	ln_wipe_free(p->old_password);
	ln_wipe_free(p->new_password);
	ln_wipe(p, sizeof(*p));
	free(p);
}

static void
password_run(struct job *j, struct ln_store *st)
{
	struct password_job *p = (struct password_job *)j;

	j->status = ln_auth_verify(st, p->user_id, p->old_password, &j->err);
	if (j->status == LN_UNAUTHENTICATED)
		j->status = ln_fail_field(&j->err, LN_INVALID,
		    "current_password", "The current password is wrong",
		    "wrong");
	if (j->status == LN_OK)
		j->status = ln_auth_password_set(st, p->user_id,
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
	struct password_job *p;

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
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	p->j.run = password_run;
	p->j.done = password_done;
	p->j.free = password_free;
	p->old_password = strdup(current);
	p->new_password = strdup(wanted);
	if (p->old_password == NULL || p->new_password == NULL) {
		password_free(&p->j);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	(void)snprintf(p->user_id, sizeof(p->user_id), "%s", q->user->id);
	memcpy(p->session, q->session, sizeof(p->session));
	return job_start(q, &p->j, JOB_HASH);
}

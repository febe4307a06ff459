/* Signing in and out, registering, resetting a password. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/auth.h>
#include <ln/log.h>
#include <ln/session.h>
#include <ln/text.h>
#include <ln/time.h>

#include "guard.h"
#include "input.h"
#include "jobs.h"
#include "mail.h"
#include "profile.h"
#include "reply.h"
#include "routes.h"

#define FLOOR_MS 250	/* security contract: both outcomes take as long */
#define FLOOR_RANDOM_MS 50
#define NAME_INPUT_MAX 512	/* longer ones cannot exist */
#define FULL_NAME_INPUT_MAX 2048

/* Everything that a password job needs; strings are copies, wiped. */
struct auth_job {
	struct job j;
	char *name;
	char *email;
	char *full_name;
	char *password;
	char *token;
	char *agent;
	char id[LN_UUID_SIZE];
	char cookie[LN_SESSION_COOKIE_SIZE];
	bool has_old_session;
	unsigned char old_session[LN_KEY_BYTES];
};

static void
auth_job_free(struct job *j)
{
	struct auth_job *a = (struct auth_job *)j;

	free(a->name);
	free(a->email);
	free(a->full_name);
	free(a->agent);
	ln_wipe_free(a->password);
	ln_wipe_free(a->token);
	ln_wipe(a, sizeof(*a));
	free(a);
}

/* NULL stays NULL; false without memory. */
static bool
copy(char **out, const char *s)
{
	*out = NULL;
	return s == NULL || (*out = strdup(s)) != NULL;
}

static struct auth_job *
auth_job_new(void (*run)(struct job *, struct ln_store *),
    int (*done)(struct rq *, struct job *))
{
	struct auth_job *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->j.run = run;
	a->j.done = done;
	a->j.free = auth_job_free;
	return a;
}

static void
set_floor(struct rq *q, int64_t at_least_ms)
{
	unsigned char r;

	ln_random(&r, 1);
	q->floor_ms = q->start_ms + FLOOR_MS + r * FLOOR_RANDOM_MS / 256 +
	    at_least_ms;
}

static int
reply_user_id(struct rq *q, const char *id)
{
	struct ln_jw *w;

	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "status", "success");
		ln_jw_string(w, "user_id", id);
	}
	return reply_json(q, 200, w);
}

static void
login_run(struct job *j, struct ln_store *st)
{
	struct auth_job *a = (struct auth_job *)j;
	struct ln_auth_place place = { .size = sizeof(place) };
	struct ln_user *u = NULL;

	place.address = j->address;
	place.agent = a->agent;
	/* What was presented dies; what is planted is never kept. */
	place.old_session = a->has_old_session ? a->old_session : NULL;
	j->status = ln_auth_sign_in(st, a->name, a->password, &place,
	    a->cookie, &u, &j->err);
	ln_wipe_free(a->password);
	a->password = NULL;
	if (u != NULL)
		(void)snprintf(a->id, sizeof(a->id), "%s", u->id);
	ln_user_free(u);
}

static int
login_done(struct rq *q, struct job *j)
{
	struct auth_job *a = (struct auth_job *)j;

	if (j->status == LN_UNAUTHENTICATED)
		ratelimit_failed(a->name);
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	reply_cookie(q, a->cookie, LN_SESSION_MS / 1000);
	return reply_user_id(q, a->id);
}

int
auth_login(struct rq *q)
{
	struct auth_job *a;
	const char *name, *password;

	if (!input_string(q, "username", NAME_INPUT_MAX, &name) ||
	    !input_string(q, "password", SERVER_BODY_MAX, &password))
		return KORE_RESULT_OK;
	if (name == NULL || *name == '\0')
		return reply_field(q, 400, "username",
		    "Username and password are required");
	if (password == NULL || *password == '\0')
		return reply_field(q, 400, "password",
		    "Username and password are required");
	if ((a = auth_job_new(login_run, login_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	if (!copy(&a->name, name) || !copy(&a->password, password) ||
	    !copy(&a->agent, rq_header(q, "user-agent"))) {
		auth_job_free(&a->j);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	a->has_old_session = q->has_session;
	memcpy(a->old_session, q->session, sizeof(a->old_session));
	set_floor(q, ratelimit_delay_ms(name));
	return job_start(q, &a->j, JOB_HASH);
}

int
auth_logout(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (q->has_session) {
		s = ln_session_end(worker_store, q->session, &err);
		if (s != LN_OK && s != LN_NOT_FOUND)
			return reply_fail(q, s, &err);
	}
	reply_cookie(q, "", 0);
	return reply_success(q);
}

int
auth_me(struct rq *q)
{
	return reply_json(q, 200, profile_json(q->user));
}

static void
register_run(struct job *j, struct ln_store *st)
{
	struct auth_job *a = (struct auth_job *)j;
	struct ln_user_new n = { .size = sizeof(n) };

	n.username = a->name;
	n.email = a->email;
	n.full_name = a->full_name;
	n.password = a->password;
	n.role = LN_USER_ROLE_USER;
	j->status = ln_auth_register(st, &n, a->id, &j->err);
	/* The owner of a duplicate e-mail is told. */
	mail_soon();
}

static int
register_done(struct rq *q, struct job *j)
{
	struct auth_job *a = (struct auth_job *)j;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	return reply_user_id(q, a->id);
}

int
auth_register(struct rq *q)
{
	struct auth_job *a;
	const char *name, *password, *again, *email, *full_name;

	if (!input_string(q, "username", NAME_INPUT_MAX, &name) ||
	    !input_string(q, "password", SERVER_BODY_MAX, &password) ||
	    !input_string(q, "cpassword", SERVER_BODY_MAX, &again) ||
	    !input_string(q, "email", NAME_INPUT_MAX, &email) ||
	    !input_string(q, "full_name", FULL_NAME_INPUT_MAX, &full_name))
		return KORE_RESULT_OK;
	if (name == NULL || *name == '\0')
		return reply_field(q, 400, "username",
		    "Username and password are required");
	if (password == NULL || *password == '\0')
		return reply_field(q, 400, "password",
		    "Username and password are required");
	if (again != NULL && strcmp(password, again) != 0)
		return reply_field(q, 400, "cpassword",
		    "Passwords do not match");
	if ((a = auth_job_new(register_run, register_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	if (!copy(&a->name, name) || !copy(&a->password, password) ||
	    !copy(&a->email, email) || !copy(&a->full_name, full_name)) {
		auth_job_free(&a->j);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	set_floor(q, 0);
	return job_start(q, &a->j, JOB_HASH);
}

/*
 * The answer is the same for everybody and does not wait for a lookup.
 */
int
auth_forgot(struct rq *q)
{
	const char *email;

	if (!input_string(q, "email", NAME_INPUT_MAX, &email))
		return KORE_RESULT_OK;
	if (email == NULL || email[strspn(email, " \t\r\n")] == '\0')
		return reply_field(q, 400, "email", "An e-mail is required");
	ln_log(LN_LOG_INFO, "reset.request", "req=%s ip=%s", q->id, q->addr);
	mail_forgot(q, email);
	return reply_error(q, 404, "user_not_found");
}

static void
reset_run(struct job *j, struct ln_store *st)
{
	struct auth_job *a = (struct auth_job *)j;

	j->status = ln_auth_reset_use(st, a->token, a->password, &j->err);
}

static int
reset_done(struct rq *q, struct job *j)
{
	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	return reply_success(q);
}

int
auth_reset(struct rq *q)
{
	struct auth_job *a;
	const char *token, *password, *again;

	if (!input_string(q, "token", NAME_INPUT_MAX, &token) ||
	    !input_string(q, "password", SERVER_BODY_MAX, &password) ||
	    !input_string(q, "cpassword", SERVER_BODY_MAX, &again))
		return KORE_RESULT_OK;
	if (token == NULL || *token == '\0')
		return reply_field(q, 400, "token",
		    "Invalid or expired reset token");
	if (password == NULL || *password == '\0')
		return reply_field(q, 400, "password",
		    "A password is required");
	if (again == NULL || strcmp(password, again) != 0)
		return reply_field(q, 400, "cpassword",
		    "Passwords do not match");
	if ((a = auth_job_new(reset_run, reset_done)) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	if (!copy(&a->token, token) || !copy(&a->password, password)) {
		auth_job_free(&a->j);
		return reply_fail(q, LN_NOMEM, NULL);
	}
	return job_start(q, &a->j, JOB_HASH);
}

#include "mail.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/log.h>
#include <ln/mail.h>
#include <ln/time.h>

#include "jobs.h"
#include "reply.h"
#include "server.h"
#include "shared.h"

#define LOOK_MS 5000		/* for what became due by itself */
/* After this long without a sign of life the sender is taken for dead. */
#define SENDER_MS 60000

struct forgot_job {
	struct job j;
	char *email;
};

static bool is_on;	/* set by the parent */

enum ln_status
mail_configure(struct ln_error *err)
{
	enum ln_status s;

	s = ln_mail_check(server.cfg, err);
	is_on = s == LN_OK;
	if (s == LN_NOT_FOUND) {
		ln_log(LN_LOG_INFO, "mail.off", "missing=%s",
		    ln_mail_missing(server.cfg));
		return LN_OK;
	}
	/* Without libcurl there is no mail, and no model: the log says so. */
	return s == LN_UNSUPPORTED ? LN_OK : s;
}

static void
forgot_run(struct job *j, struct ln_store *st)
{
	struct forgot_job *f = (struct forgot_job *)j;

	j->status = ln_mail_forgot(st, f->email, &j->err);
	if (j->status == LN_OK)
		mail_soon();
}

static void
forgot_over(struct job *j)
{
	if (j->status != LN_OK)
		server_log_detail("mail.forgot", &j->err);
}

static void
forgot_free(struct job *j)
{
	struct forgot_job *f = (struct forgot_job *)j;

	free(f->email);
	free(f);
}

void
mail_forgot(struct rq *q, const char *email)
{
	struct forgot_job *f;

	if (!is_on) {
		ln_log(LN_LOG_WARN, "mail.off", "req=%s missing=%s "
		    "hint=\"lnctl user reset-link\"", q->id,
		    ln_mail_missing(server.cfg));
		return;
	}
	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->email = strdup(email)) == NULL) {
		free(f);
		ln_log(LN_LOG_ERROR, "mail.forgot", "req=%s why=nomem", q->id);
		return;
	}
	f->j.run = forgot_run;
	f->j.detached = forgot_over;
	f->j.free = forgot_free;
	(void)snprintf(f->j.address, sizeof(f->j.address), "%s", q->prefix);
	(void)snprintf(f->j.request_id, sizeof(f->j.request_id), "%s", q->id);
	if (!job_start_detached(&f->j, JOB_WORK)) {
		forgot_free(&f->j);
		ln_log(LN_LOG_WARN, "mail.forgot", "req=%s why=queue_full",
		    q->id);
	}
}

void
mail_soon(void)
{
	atomic_store(&server.shm->mail_look_ms, 0);
}

static bool
go_on(void *arg)
{
	(void)arg;
	atomic_store(&server.shm->mail_sender_ms, ln_time_mono_ms() +
	    SENDER_MS);
	return !jobs_stopping();
}

static void
send_run(struct job *j, struct ln_store *st)
{
	const struct ln_actor actor = { "system", NULL, NULL, NULL };

	ln_store_actor_set(st, &actor);
	j->status = ln_mail_send_due(st, server.cfg, go_on, NULL, NULL,
	    &j->err);
}

static void
send_over(struct job *j)
{
	atomic_store(&server.shm->mail_sender_ms, 0);
	if (j->status != LN_OK && j->status != LN_CANCELLED)
		server_log_detail("mail.send", &j->err);
}

static void
send_free(struct job *j)
{
	free(j);
}

void
mail_tick(int64_t now)
{
	int64_t until = atomic_load(&server.shm->mail_sender_ms);
	struct job *j;

	if (!is_on || now < until ||
	    now < atomic_load(&server.shm->mail_look_ms) ||
	    !atomic_compare_exchange_strong(&server.shm->mail_sender_ms,
	    &until, now + SENDER_MS))
		return;
	atomic_store(&server.shm->mail_look_ms, now + LOOK_MS);
	if ((j = calloc(1, sizeof(*j))) == NULL) {
		atomic_store(&server.shm->mail_sender_ms, 0);
		return;
	}
	j->run = send_run;
	j->detached = send_over;
	j->free = send_free;
	if (!job_start_detached(j, JOB_MAIL)) {
		free(j);
		atomic_store(&server.shm->mail_sender_ms, 0);
	}
}

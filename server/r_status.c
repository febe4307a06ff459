/* What an operator wants to be told before it is too late. */

#include <ln/backup.h>
#include <ln/time.h>

#include "reply.h"
#include "routes.h"

static const char *
age_word(enum ln_backup_age age)
{
	switch (age) {
	case LN_BACKUP_FRESH:
		return "fresh";
	case LN_BACKUP_OLD:
		return "old";
	case LN_BACKUP_FUTURE:
		return "future";
	}
	return "old";
}

/* Its name, not its folder: that is the operator's business alone. */
static void
receipt_json(struct ln_jw *w, const struct ln_backup *b, int64_t now)
{
	ln_jw_object(w, "last");
	ln_jw_string(w, "name", b->name);
	ln_jw_time(w, "created_at", b->created_ms);
	ln_jw_int(w, "age_seconds", (now - b->created_ms) / 1000);
	ln_jw_int(w, "bytes", b->bytes);
	ln_jw_bool(w, "is_encrypted", b->is_encrypted);
	ln_jw_string(w, "verified", ln_backup_check_name(b->verified_how));
	ln_jw_time(w, "verified_at", b->verified_ms);
	ln_jw_end(w);
}

int
admin_status(struct rq *q)
{
	const int64_t max_ms = server.backup_max_age_ms;
	struct ln_error err = LN_ERROR_INIT;
	int64_t now = ln_time_now_ms();
	enum ln_backup_age age;
	struct ln_backup b;
	struct ln_jw *w;
	enum ln_status s;

	s = ln_backup_last(worker_store, &b, &err);
	if (s != LN_OK && s != LN_NOT_FOUND)
		return reply_fail(q, s, &err);
	age = s == LN_OK ? ln_backup_age(&b, now, max_ms) : LN_BACKUP_OLD;
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_time(w, "now", now);
		ln_jw_object(w, "backup");
		ln_jw_string(w, "state", s == LN_OK ? age_word(age) : "none");
		ln_jw_bool(w, "is_stale", age != LN_BACKUP_FRESH);
		ln_jw_int(w, "max_age_seconds", max_ms / 1000);
		if (s == LN_OK)
			receipt_json(w, &b, now);
		else
			ln_jw_null(w, "last");
		ln_jw_end(w);
	}
	if (s == LN_OK)
		ln_backup_clear(&b);
	return reply_json(q, 200, w);
}

#include <ln/transfer.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ln/audit.h>
#include <ln/buf.h>
#include <ln/log.h>
#include <ln/setting.h>

#include "service/import_rules.h"

#include "store/finding.h"
#include "store/fresh.h"

#include "base/banned.h"

#define DETAIL_MAX 1000		/* what ln_audit_add keeps */

/* Opening and closing the live file by hand would drop the locks that SQLite
 * holds on it in this process, besides making no sense. */
static enum ln_status
check_other_file(struct ln_store *st, const char *path, struct ln_error *err)
{
	struct stat a, b;

	if (stat(path, &a) == 0 && stat(ln_store_path(st), &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return ln_fail(err, LN_INVALID,
		    "This is the database in use. Name another file", "%s",
		    path);
	return LN_OK;
}

/* What was repaired and left out, as "code=count": the log outlives the
 * report. */
static void
describe(const struct ln_report *r, enum ln_finding_level from,
    struct ln_buf *b)
{
	int64_t count;
	size_t i, j;

	for (i = 0; i < r->finding_count; i++) {
		if (r->findings[i].level < from)
			continue;
		/* One entry a code, at its first subject. */
		for (j = 0; j < i; j++) {
			if (r->findings[j].code == r->findings[i].code)
				break;
		}
		if (j < i)
			continue;
		for (count = 0; j < r->finding_count; j++) {
			if (r->findings[j].code == r->findings[i].code)
				count += r->findings[j].count;
		}
		ln_buf_printf(b, " %s=%lld", r->findings[i].code,
		    (long long)count);
	}
}

static enum ln_status
audit_done(struct ln_store *fresh, void *arg, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(DETAIL_MAX);
	const struct ln_report *r = arg;
	enum ln_status s;

	ln_buf_printf(&b, "users=%lld conversations=%lld messages=%lld "
	    "projects=%lld documents=%lld repaired=%lld dropped=%lld",
	    (long long)r->counts.users, (long long)r->counts.conversations,
	    (long long)r->counts.messages, (long long)r->counts.projects,
	    (long long)r->counts.documents, (long long)r->repaired_count,
	    (long long)r->dropped_count);
	describe(r, LN_FINDING_REPAIR, &b);
	s = ln_audit_add(fresh, "db.import", NULL, LN_OK, ln_buf_str(&b), err);
	ln_buf_free(&b);
	return s;
}

/* The reason goes to the log, whoever asked and whatever he is told. */
static enum ln_status
refuse(struct ln_store *st, const struct ln_report *r, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(DETAIL_MAX);
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s = LN_INVALID;
	size_t i, errors = 0;

	for (i = 0; i < r->finding_count; i++)
		errors += r->findings[i].level == LN_FINDING_ERROR;
	if (lni_report_has(r, LNI_F_NEWER_SCHEMA))
		s = LN_TOO_NEW;
	else if (errors == 1 && lni_report_has(r, LNI_F_NO_ADMIN))
		s = LN_CONFLICT;
	ln_buf_puts(&b, "refused:");
	describe(r, LN_FINDING_ERROR, &b);
	if (ln_audit_add(st, "db.import", NULL, s, ln_buf_str(&b), &why) !=
	    LN_OK)
		ln_log(LN_LOG_WARN, "audit.fail", "action=db.import why=%s",
		    ln_status_token(why.status));
	if (s == LN_CONFLICT)
		ln_fail(err, s, "No administrator of the file could sign in "
		    "afterwards", "%s", ln_buf_str(&b));
	else if (s == LN_INVALID)
		ln_fail(err, s, "The file cannot be imported", "%s",
		    ln_buf_str(&b));
	else
		ln_fail(err, s, "", "%s", ln_buf_str(&b));
	ln_buf_free(&b);
	return s;
}

static enum ln_status
replace(struct ln_store *st, struct ln_store *fresh,
    const struct ln_transfer_opts *opts, struct ln_report *r,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = ln_store_check(fresh, true, NULL, NULL, err)) != LN_OK)
		return s;
	if (opts != NULL && opts->progress != NULL &&
	    !opts->progress(opts->progress_arg, 85))
		return ln_fail(err, LN_CANCELLED, "", "before the swap");
	if (opts != NULL && opts->is_dry_run)
		return LN_OK;
	return lni_swap(st, fresh, audit_done, r,
	    opts != NULL ? opts->progress : NULL,
	    opts != NULL ? opts->progress_arg : NULL, &r->snapshot_path, err);
}

static enum ln_status
import(struct ln_store *st, struct lni_take *t, struct ln_error *err)
{
	struct ln_store *fresh = NULL;
	struct lni_kept *kept = NULL;
	char *endpoints = NULL;
	enum ln_status s;

	if (t->opts != NULL && t->opts->keep_admin_id != NULL &&
	    (s = lni_kept_load(st, t->opts->keep_admin_id, &kept, err)) !=
	    LN_OK)
		goto out;
	if ((s = ln_setting_get(st, NULL, "allowed_endpoints", &endpoints,
	    err)) != LN_OK)
		goto out;
	t->kept = kept;
	t->live_endpoints = endpoints;
	t->allowed_endpoints = lni_import_endpoints(endpoints, t->opts);
	if ((s = lni_take(t, &fresh, err)) != LN_OK ||
	    (s = lni_report_close(t->report, err)) != LN_OK)
		goto out;
	s = t->report->is_importable ?
	    replace(st, fresh, t->opts, t->report, err) :
	    refuse(st, t->report, err);
out:
	lni_kept_free(kept);
	ln_free(endpoints);
	ln_store_close(fresh);
	return s;
}

enum ln_status
ln_import(struct ln_store *st, const char *path,
    const struct ln_transfer_opts *opts, struct ln_report **out,
    struct ln_error *err)
{
	struct lni_take t = { .path = path, .opts = opts, .live = st,
		.rules = &lni_import_rules };
	enum ln_status s;
	int lock;

	*out = NULL;
	if ((s = check_other_file(st, path, err)) != LN_OK ||
	    (s = lni_import_lock(ln_store_path(st), &lock, err)) != LN_OK)
		return s;
	if ((t.report = lni_report_new()) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "ln_import");
	else
		s = import(st, &t, err);
	lni_import_unlock(lock);
	if (s == LN_OK || (t.report != NULL &&
	    lni_report_has_error(t.report)))
		*out = t.report;
	else
		ln_report_free(t.report);
	return s;
}

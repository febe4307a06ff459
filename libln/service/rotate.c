#include <ln/rotate.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ln/audit.h>
#include <ln/log.h>
#include <ln/secret.h>
#include <ln/session.h>

#include "base/envfile.h"
#include "model/audit_rekey.h"
#include "model/outbox.h"
#include "model/setting.h"
#include "model/token.h"
#include "model/tool.h"
#include "service/rotate_file.h"
#include "store/retired.h"
#include "store/tx.h"

#include "base/banned.h"

#define ACTION "secret.rotate"
#define SECRET_BYTES 48
#define SECRET_SIZE 65		/* the same as base64url, and a NUL */

struct rotation {
	struct ln_store *st;
	struct lni_key_file file;
	char secret[SECRET_SIZE];
	struct ln_keys *next;
	void (*step)(void *arg, enum ln_rotate_step step);
	void *arg;
	struct ln_rotate_report *out;
};

static void
tell(const struct rotation *r, enum ln_rotate_step step)
{
	if (r->step != NULL)
		r->step(r->arg, step);
}

/* --- the database ------------------------------------------------------- */

static enum ln_status
audit(struct rotation *r, struct ln_error *err)
{
	const struct ln_keys *old = ln_store_keys(r->st);
	char detail[128];
	enum ln_status s;

	snprintf(detail, sizeof(detail),
	    "api_keys=%lld sessions=%lld reset_links=%lld",
	    (long long)r->out->key_count, (long long)r->out->session_count,
	    (long long)r->out->token_count);
	lni_store_keys_set(r->st, r->next);
	s = ln_audit_add(r->st, ACTION, NULL, LN_OK, detail, err);
	lni_store_keys_set(r->st, old);
	return s;
}

static enum ln_status
rekey(struct rotation *r, struct ln_error *err)
{
	struct ln_rotate_report *out = r->out;
	struct lni_audit_rekey log;
	int64_t tools;
	enum ln_status s;

	if ((s = lni_retired_check(r->st, err)) != LN_OK ||
	    (s = lni_setting_reseal(r->st, r->next, &out->key_count, err)) !=
	    LN_OK ||
	    (s = lni_tool_reseal(r->st, r->next, &tools, err)) != LN_OK)
		return s;
	out->key_count += tools;
	if ((s = lni_audit_rekey(r->st, ln_store_keys(r->st), r->next, &log,
	    err)) != LN_OK)
		return s;
	if (!log.is_proven && log.count > 0 && out->key_count == 0)
		return ln_fail(err, LN_BAD_KEY, "Nothing in the database was "
		    "written with the present SECRET_KEY", "%lld audit rows",
		    (long long)log.count);
	out->audit_count = log.count + 1;
	out->audit_first_bad = log.first_bad;
	if ((s = ln_session_end_all(r->st, &out->session_count, err)) !=
	    LN_OK ||
	    (s = lni_token_end_all(r->st, &out->token_count, err)) != LN_OK ||
	    (s = lni_outbox_end_all(r->st, &out->mail_count, err)) != LN_OK ||
	    (s = lni_retired_add(r->st, ln_store_keys(r->st), err)) != LN_OK ||
	    (s = audit(r, err)) != LN_OK)
		return s;
	tell(r, LN_ROTATE_RESEALED);
	return LN_OK;
}

/* ${out_may_be_done} when the commit itself failed: a power cut could still
 * find it in the log. */
static enum ln_status
move_database(struct rotation *r, bool *out_may_be_done,
    struct ln_error *err)
{
	enum ln_status s;

	*out_may_be_done = false;
	if ((s = lni_store_scrub_begin(r->st, err)) != LN_OK ||
	    (s = lni_tx_begin(r->st, err)) != LN_OK)
		return s;
	s = rekey(r, err);
	*out_may_be_done = s == LN_OK;
	if ((s = lni_tx_end(r->st, s, err)) == LN_OK)
		lni_store_scrub_end(r->st);
	return s;
}

/* --- the file ----------------------------------------------------------- */

static enum ln_status
rehearse(const struct lni_key_file *f, struct ln_error *err)
{
	struct lni_file now = { NULL, 0, 0 };
	enum ln_status s;

	if ((s = lni_key_file_read(f, &now, err)) == LN_OK)
		s = lni_file_replace(f->path, now.bytes, now.length, err);
	lni_file_wipe(&now);
	return s;
}

static enum ln_status
replace(const struct lni_key_file *f, const char *secret,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_SECRET_INIT(LNI_ENVFILE_MAX);
	enum ln_status s;

	if ((s = lni_key_file_render(f, secret, &b, err)) == LN_OK)
		s = lni_file_replace(f->path, b.data, b.len, err);
	ln_buf_free(&b);
	return s;
}

static enum ln_status
finish(struct rotation *r, struct ln_error *err)
{
	enum ln_status s;

	if ((s = replace(&r->file, r->secret, err)) == LN_OK) {
		tell(r, LN_ROTATE_REPLACED);
		s = lni_key_staged_remove(&r->file, err);
	}
	if (s != LN_OK)
		return ln_fail(err, s, "The database has the new SECRET_KEY, "
		    "its file not yet. The next command finishes it",
		    "%s", r->file.path);
	return LN_OK;
}

/* --- from first to last --------------------------------------------------- */

static enum ln_status
run(struct rotation *r, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_SECRET_INIT(LNI_ENVFILE_MAX);
	bool may_be_done = false;
	enum ln_status s;

	/* What cannot be written later is found out now. */
	s = lni_key_file_render(&r->file, r->secret, &b, err);
	ln_buf_free(&b);
	if (s != LN_OK ||
	    (s = lni_key_staged_write(&r->file, r->secret, err)) != LN_OK)
		return s;
	tell(r, LN_ROTATE_STAGED);
	if ((s = rehearse(&r->file, err)) == LN_OK) {
		tell(r, LN_ROTATE_REHEARSED);
		s = move_database(r, &may_be_done, err);
	}
	if (s == LN_OK) {
		tell(r, LN_ROTATE_COMMITTED);
		return finish(r, err);
	}
	/* The first failure is the one to report. */
	if (!may_be_done && lni_key_staged_remove(&r->file, NULL) != LN_OK)
		ln_log(LN_LOG_WARN, ACTION, "why=leftover");
	return s;
}

enum ln_status
ln_rotate_secret(struct ln_store *st, const struct ln_config *cfg,
    void (*step)(void *arg, enum ln_rotate_step step), void *arg,
    struct ln_rotate_report *out, struct ln_error *err)
{
	struct rotation r = { .st = st, .step = step, .arg = arg, .out = out };
	unsigned char random[SECRET_BYTES];
	enum ln_status s;
	int lock = -1;

	memset(out, 0, sizeof(*out));
	if (ln_store_keys(st) == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "rotation needs keys");
	if ((s = lni_key_file_find(cfg, &r.file, err)) != LN_OK)
		return s;
	s = ln_store_lock(ln_store_path(st), &lock, err);
	if (s == LN_CONFLICT)
		s = ln_fail(err, LN_FORBIDDEN,
		    "A server is using the present SECRET_KEY. Stop the "
		    "server first", "%s.lock", ln_store_path(st));
	if (s != LN_OK)
		goto out;
	ln_random(random, sizeof(random));
	if (ln_b64url_encode(random, sizeof(random), r.secret,
	    sizeof(r.secret)) == NULL) {
		s = ln_fail(err, LN_INTERNAL, "", "base64url");
		goto out;
	}
	if ((s = ln_keys_derive(r.secret, &r.next, err)) == LN_OK)
		s = run(&r, err);
out:
	if (s != LN_OK)
		memset(out, 0, sizeof(*out));
	ln_wipe(random, sizeof(random));
	ln_wipe(r.secret, sizeof(r.secret));
	ln_keys_free(r.next);
	lni_key_file_clear(&r.file);
	if (lock >= 0)
		(void)close(lock);
	return s;
}

/* --- after a kill --------------------------------------------------------- */

/* Whether the database is under ${secret}.  None is under none. */
static enum ln_status
is_moved(const char *path, const char *secret, bool *out,
    struct ln_error *err)
{
	const struct ln_store_opts opts = { .size = sizeof(opts),
		.path = path, .mode = LN_STORE_RW };
	struct ln_keys *keys = NULL;
	struct ln_store *st = NULL;
	enum ln_status s;

	*out = false;
	if ((s = ln_keys_derive(secret, &keys, err)) != LN_OK)
		return s;
	if ((s = ln_store_open(&opts, &st, err)) == LN_OK)
		s = lni_audit_is_under(st, keys, out, err);
	ln_store_close(st);
	ln_keys_free(keys);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* Under the lock, where nobody is rotating. */
static enum ln_status
settle(const struct lni_key_file *f, const char *db_path, bool *out_is_changed,
    struct ln_error *err)
{
	char *secret = NULL;
	bool is_new = false;
	enum ln_status s;

	s = lni_key_staged_read(f, &secret, err);
	if (s == LN_NOT_FOUND) {
		/* Somebody was faster. */
		*out_is_changed = true;
		return LN_OK;
	}
	if (s == LN_OK && secret != NULL)
		s = is_moved(db_path, secret, &is_new, err);
	if (s == LN_OK && is_new && (s = replace(f, secret, err)) == LN_OK)
		*out_is_changed = true;
	if (s == LN_OK)
		s = lni_key_staged_remove(f, err);
	if (s == LN_OK)
		ln_log(LN_LOG_WARN, ACTION, "interrupted=true outcome=%s",
		    is_new ? "finished" : "undone");
	ln_wipe_free(secret);
	return s;
}

/* The file was replaced and only the staged key was left? */
static enum ln_status
is_leftover(const struct ln_config *cfg, const struct lni_key_file *f,
    bool *out, struct ln_error *err)
{
	char *staged = NULL, *now = NULL;
	enum ln_status s;

	*out = false;
	if ((s = lni_key_staged_read(f, &staged, err)) == LN_OK &&
	    (s = ln_config_secret(cfg, "SECRET_KEY", &now, err)) == LN_OK)
		*out = staged != NULL && now != NULL &&
		    strcmp(staged, now) == 0;
	ln_wipe_free(staged);
	ln_wipe_free(now);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_rotate_settle(const struct ln_config *cfg, bool *out_is_changed,
    struct ln_error *err)
{
	const char *db_path = ln_config_get(cfg, "LOCALNEURAL_DB");
	struct lni_key_file f;
	enum ln_status s = LN_OK;
	bool is_done = false;
	int lock = -1;

	*out_is_changed = false;
	/* Nowhere, or where no rotation can be. */
	if (db_path == NULL || lni_key_file_find(cfg, &f, NULL) != LN_OK)
		return LN_OK;
	if (access(f.staged, F_OK) != 0)
		goto out;
	if ((s = is_leftover(cfg, &f, &is_done, err)) != LN_OK)
		goto out;
	if (is_done) {
		s = lni_key_staged_remove(&f, err);
		goto out;
	}
	s = ln_store_lock(db_path, &lock, err);
	if (s == LN_CONFLICT)
		s = ln_fail(err, LN_BUSY, "SECRET_KEY is being replaced at "
		    "this moment. Try again in a moment", "%s", f.staged);
	if (s == LN_OK)
		s = settle(&f, db_path, out_is_changed, err);
out:
	if (lock >= 0)
		(void)close(lock);
	lni_key_file_clear(&f);
	return s;
}

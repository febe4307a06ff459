#include <ln/transfer.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/alone.h"
#include "store/scratch.h"
#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

/* What stays at home.  The order minds the references. */
static const char *const left_out[] = {
	"DELETE FROM session",
	"DELETE FROM reset_token",
	"DELETE FROM outbox",
	"DELETE FROM mail_limit",
	"DELETE FROM generation",
	"UPDATE document SET state = 'failed', holder = NULL, beat_ms = NULL,"
	" reason = 'It was not read before the database was moved. Upload it"
	" again' WHERE content = '' AND state IN ('queued', 'reading')",
	("UPDATE document SET state = 'queued', holder = NULL, beat_ms = NULL"
	" WHERE state = 'reading'"),
	"DELETE FROM document_file",
	/* They are made again where the copy goes, with the model there. */
	"DELETE FROM chunk_vector",
	"DELETE FROM document_vector",
	/* Nobody will finish it where the copy goes. */
	"UPDATE message SET state = 'interrupted' WHERE state = 'streaming'",
};
static const char *const secrets[] = {
	"DELETE FROM setting WHERE is_sealed = 1 OR name = 'api_key'",
	"DELETE FROM user_setting WHERE is_sealed = 1 OR name = 'api_key'",
	"UPDATE tool SET sealed_headers = NULL WHERE sealed_headers IS NOT NULL",
};

static const char SQL_VACUUM_INTO[] = "VACUUM INTO ?1";

static enum ln_status
run_all(struct ln_store *st, const char *const *sql, size_t n,
    struct ln_error *err)
{
	enum ln_status s = LN_OK;
	size_t i;

	for (i = 0; i < n && s == LN_OK; i++)
		s = lni_exec(st, sql[i], err);
	return s;
}

static enum ln_status
leave_out(struct ln_store *st, bool with_secrets, struct ln_error *err)
{
	enum ln_status s;

	/* The copy came with the mark of a log; it lives without one. */
	if ((s = lni_exec(st, "PRAGMA journal_mode=MEMORY", err)) != LN_OK ||
	    (s = lni_exec(st, "PRAGMA secure_delete=ON", err)) != LN_OK ||
	    (s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = run_all(st, left_out, sizeof(left_out) / sizeof(left_out[0]), err);
	if (s == LN_OK && !with_secrets)
		s = run_all(st, secrets, sizeof(secrets) / sizeof(secrets[0]),
		    err);
	return lni_tx_end(st, s, err);
}

static enum ln_status
vacuum_into(struct ln_store *st, const char *path, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_VACUUM_INTO, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, path);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

/* Copying pages is the first 60 of 100. */
static bool
on_copy(void *arg, int percent)
{
	const struct ln_export_opts *opts = arg;

	return opts->progress == NULL ||
	    opts->progress(opts->progress_arg, percent * 60 / 100);
}

static enum ln_status
go_on(const struct ln_export_opts *opts, int percent, struct ln_error *err)
{
	if (opts == NULL || opts->progress == NULL ||
	    opts->progress(opts->progress_arg, percent))
		return LN_OK;
	return ln_fail(err, LN_CANCELLED, "", "export at %d%%", percent);
}

/* Copy, leave out, and write what remains into ${to} without gaps, so that
 * nothing deleted lingers in a free page. */
static enum ln_status
build(struct ln_store *st, struct lni_scratch *sc,
    const struct ln_export_opts *opts, char to[LNI_PATH_MAX],
    struct ln_error *err)
{
	static const struct ln_export_opts none = { .size = sizeof(none) };
	struct ln_export_opts scaled;
	char copy[LNI_PATH_MAX];
	struct ln_store *work = NULL;
	enum ln_status s;

	if ((s = lni_scratch_file(sc, LNI_SCRATCH_COPY, copy, NULL, err)) !=
	    LN_OK ||
	    (s = lni_scratch_file(sc, LNI_SCRATCH_FRESH, to, NULL, err)) !=
	    LN_OK ||
	    (s = lni_alone_open(copy, &work, err)) != LN_OK)
		return s;
	scaled = opts != NULL ? *opts : none;
	if ((s = lni_backup(work->db, st->db, st->busy_ms, on_copy, &scaled,
	    err)) == LN_OK &&
	    (s = go_on(opts, 60, err)) == LN_OK &&
	    (s = leave_out(work, opts != NULL && opts->with_secrets, err)) ==
	    LN_OK &&
	    (s = go_on(opts, 70, err)) == LN_OK &&
	    (s = vacuum_into(work, to, err)) == LN_OK)
		s = go_on(opts, 85, err);
	ln_store_close(work);
	return s;
}

static enum ln_status
check(const char *path, struct ln_error *err)
{
	struct ln_store *st;
	enum ln_status s;

	if ((s = lni_alone_open(path, &st, err)) != LN_OK)
		return s;
	if ((s = lni_exec(st, "PRAGMA journal_mode=DELETE", err)) == LN_OK)
		s = ln_store_check(st, true, NULL, NULL, err);
	ln_store_close(st);
	return s;
}

static enum ln_status
sync_and_measure(const char *path, int64_t *out_bytes, struct ln_error *err)
{
	enum ln_status s = LN_OK;
	struct stat sb;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", path,
		    strerror(errno));
	if (fsync(fd) != 0 || fstat(fd, &sb) != 0)
		s = ln_fail(err, LN_IO, "", "fsync %s: %s", path,
		    strerror(errno));
	else if (out_bytes != NULL)
		*out_bytes = sb.st_size;
	close(fd);
	return s;
}

enum ln_status
ln_export(struct ln_store *st, const char *path,
    const struct ln_export_opts *opts, int64_t *out_bytes,
    struct ln_error *err)
{
	struct lni_scratch sc = { .fd = -1 };
	char fresh[LNI_PATH_MAX];
	enum ln_status s;
	struct stat sb;

	if (out_bytes != NULL)
		*out_bytes = 0;
	if (lstat(path, &sb) == 0)
		return ln_fail(err, LN_CONFLICT, "The file exists already",
		    "%s", path);
	if ((s = lni_scratch_make(path, "export", &sc, err)) != LN_OK)
		return s;
	if ((s = build(st, &sc, opts, fresh, err)) == LN_OK &&
	    (s = check(fresh, err)) == LN_OK &&
	    (s = sync_and_measure(fresh, out_bytes, err)) == LN_OK)
		s = lni_publish(fresh, path, err);
	lni_scratch_remove(&sc);
	return s;
}

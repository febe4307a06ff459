#include "service/backup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ln/audit.h>
#include <ln/time.h>
#include <ln/transfer.h>

#include "base/error.h"
#include "model/backup.h"
#include "store/scratch.h"
#include "store/tx.h"

#include "base/banned.h"

/* --- looking ------------------------------------------------------------- */

/* LN_OK when the receipt knows the file and it is what it was; LN_NOT_FOUND
 * when there is none. */
static enum ln_status
against_receipt(struct ln_store *st, const char *folder, const char *name,
    struct lni_backup_file *f, struct ln_error *err)
{
	unsigned char hash[LNI_PACK_HASH_BYTES];
	struct lni_receipt r;
	enum ln_status s;
	int64_t bytes;

	if (st == NULL)
		return LN_NOT_FOUND;
	if ((s = lni_receipt_get(st, folder, name, &r, err)) != LN_OK ||
	    (s = lni_hash_file(f->fd, hash, &bytes, err)) != LN_OK)
		return s;
	if (bytes != r.bytes || memcmp(hash, r.hash, sizeof(hash)) != 0)
		return ln_fail(err, LN_CORRUPT, "The backup is damaged",
		    "%s is not what was written", name);
	return LN_OK;
}

static enum ln_status
unpack_beside(struct lni_backup_file *f, const char *beside,
    const char *purpose, const struct ln_backup_unlock *unlock,
    struct lni_scratch *sc, char path[LNI_PATH_MAX], struct ln_error *err)
{
	enum ln_status s;
	int fd;

	if ((s = lni_scratch_make(beside, purpose, sc, err)) != LN_OK ||
	    (s = lni_scratch_file(sc, LNI_SCRATCH_COPY, path, &fd, err)) !=
	    LN_OK)
		return s;
	s = lni_backup_unpack(f, fd, unlock->progress, unlock->progress_arg,
	    err);
	if (s == LN_OK && fsync(fd) != 0)
		s = ln_fail(err, LN_IO, "", "fsync %s", path);
	close(fd);
	return s;
}

static enum ln_status
drill(struct lni_backup_file *f, const struct ln_backup_unlock *unlock,
    struct ln_error *err)
{
	struct lni_scratch sc = { .fd = -1 };
	char path[LNI_PATH_MAX];
	enum ln_status s;

	s = unpack_beside(f, NULL, "drill", unlock, &sc, path, err);
	if (s == LN_OK)
		s = lni_backup_sound(path, LN_BACKUP_DRILL, err);
	lni_scratch_remove(&sc);
	return s;
}

static const struct ln_backup_unlock nothing = { .size = sizeof(nothing) };

static enum ln_status
look(struct ln_store *st, const char *path, enum ln_backup_check how,
    const struct ln_backup_unlock *unlock, const char *folder,
    const char *name, struct ln_backup *out, struct ln_error *err)
{
	struct lni_backup_file f = LNI_BACKUP_FILE_INIT;
	enum ln_status s;

	if (how <= LN_BACKUP_QUICK) {
		if ((s = lni_backup_open(path, NULL, &f, err)) != LN_OK ||
		    (s = lni_backup_describe(path, &f, out, err)) != LN_OK)
			goto out;
		s = against_receipt(st, folder, name, &f, err);
		if (s != LN_NOT_FOUND)
			goto out;
		/* Nobody remembers it: it has to speak for itself. */
		lni_backup_close(&f);
		ln_backup_clear(out);
	}
	if ((s = lni_backup_open(path, unlock, &f, err)) != LN_OK ||
	    (s = lni_backup_describe(path, &f, out, err)) != LN_OK)
		goto out;
	s = how == LN_BACKUP_DRILL ? drill(&f, unlock, err) :
	    lni_backup_unpack(&f, -1, unlock->progress, unlock->progress_arg,
	    err);
out:
	lni_backup_close(&f);
	return s;
}

static enum ln_status
note_look(struct ln_store *st, const char *folder, const char *name,
    enum ln_backup_check how, enum ln_status outcome, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = lni_receipt_verified(st, folder, name, ln_time_now_ms(),
	    outcome == LN_OK ? how : LN_BACKUP_UNCHECKED, err);
	if (s == LN_OK && ln_store_keys(st) != NULL)
		s = ln_audit_add(st, how == LN_BACKUP_DRILL ? "backup.drill" :
		    "backup.verify", NULL, outcome, name, err);
	return lni_tx_end(st, s, err);
}

enum ln_status
ln_backup_verify(struct ln_store *st, const char *path,
    enum ln_backup_check how, const struct ln_backup_unlock *unlock,
    struct ln_backup *out, struct ln_error *err)
{
	struct ln_error why = LN_ERROR_INIT;
	const char *name;
	char *folder;
	enum ln_status s, noted = LN_OK;

	memset(out, 0, sizeof(*out));
	if (how == LN_BACKUP_UNCHECKED)
		how = LN_BACKUP_QUICK;
	/* A drill that was killed left clear text. */
	lni_scratch_sweep(NULL);
	if ((s = lni_backup_place(path, &folder, &name, err)) != LN_OK)
		return s;
	s = look(st, path, how, unlock != NULL ? unlock : &nothing, folder,
	    name, out, err);
	/* Only what says something about the file changes what is known. */
	if (st != NULL && (s == LN_OK || s == LN_CORRUPT))
		noted = note_look(st, folder, name, how, s, &why);
	if (s == LN_OK) {
		out->verified_ms = ln_time_now_ms();
		out->verified_how = how;
	} else
		ln_backup_clear(out);
	free(folder);
	if (s == LN_OK && noted != LN_OK) {
		ln_backup_clear(out);
		return ln_fail(err, noted, "The backup is sound, but the "
		    "database could not note it", "%s",
		    lni_error_detail(&why));
	}
	return s;
}

/* --- taking it back ------------------------------------------------------ */

static enum ln_status
open_and_unpack(const char *path, const struct ln_backup_unlock *unlock,
    const char *beside, struct lni_scratch *sc, char copy[LNI_PATH_MAX],
    struct ln_backup *out, struct ln_error *err)
{
	struct lni_backup_file f = LNI_BACKUP_FILE_INIT;
	enum ln_status s;

	if ((s = lni_backup_open(path, unlock, &f, err)) != LN_OK)
		return s;
	if ((s = lni_backup_describe(path, &f, out, err)) == LN_OK) {
		if (out->schema > ln_store_schema_latest())
			s = ln_fail(err, LN_TOO_NEW, "", "schema %d",
			    out->schema);
		else
			s = unpack_beside(&f, beside, "restore", unlock, sc,
			    copy, err);
	}
	lni_backup_close(&f);
	return s;
}

enum ln_status
ln_backup_extract(const char *path, const struct ln_backup_unlock *unlock,
    const char *database_path, struct ln_backup *out, struct ln_error *err)
{
	struct lni_scratch sc = { .fd = -1 };
	char copy[LNI_PATH_MAX];
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (access(database_path, F_OK) == 0)
		return ln_fail(err, LN_CONFLICT, "There is a database already",
		    "%s", database_path);
	s = open_and_unpack(path, unlock != NULL ? unlock : &nothing,
	    database_path, &sc, copy, out, err);
	if (s == LN_OK &&
	    (s = lni_backup_sound(copy, LN_BACKUP_FULL, err)) == LN_OK)
		s = lni_publish(copy, database_path, err);
	lni_scratch_remove(&sc);
	if (s != LN_OK)
		ln_backup_clear(out);
	return s;
}

/* By re-insertion, as any file comes in: the live log goes on. */
static enum ln_status
import(struct ln_store *st, const char *copy, const struct ln_backup *b,
    const struct ln_backup_unlock *unlock, char **out_snapshot,
    struct ln_error *err)
{
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.progress = unlock->progress,
		.progress_arg = unlock->progress_arg };
	struct ln_error why = LN_ERROR_INIT;
	struct ln_report *r = NULL;
	enum ln_status s;

	s = ln_import(st, copy, &opts, &r, err);
	if (r != NULL) {
		*out_snapshot = r->snapshot_path;
		r->snapshot_path = NULL;
	}
	ln_report_free(r);
	if (s != LN_OK)
		return s;
	s = ln_audit_add(st, "backup.restore", NULL, LN_OK, b->name, &why);
	if (s != LN_OK)
		return ln_fail(err, s, "The backup is restored, but the audit "
		    "log could not note it", "%s", lni_error_detail(&why));
	return LN_OK;
}

enum ln_status
ln_backup_restore(struct ln_store *st, const char *path,
    const struct ln_backup_unlock *unlock, char **out_snapshot,
    struct ln_backup *out, struct ln_error *err)
{
	struct lni_scratch sc = { .fd = -1 };
	char copy[LNI_PATH_MAX];
	enum ln_status s;

	*out_snapshot = NULL;
	memset(out, 0, sizeof(*out));
	if (unlock == NULL)
		unlock = &nothing;
	s = open_and_unpack(path, unlock, ln_store_path(st), &sc, copy, out,
	    err);
	if (s == LN_OK)
		s = import(st, copy, out, unlock, out_snapshot, err);
	lni_scratch_remove(&sc);
	if (s != LN_OK)
		ln_backup_clear(out);
	return s;
}

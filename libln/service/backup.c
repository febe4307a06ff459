#define _XOPEN_SOURCE 700	/* realpath */

#include "service/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include <ln/audit.h>
#include <ln/time.h>
#include <ln/transfer.h>

#include "base/error.h"
#include "model/backup.h"
#include "store/alone.h"
#include "store/scratch.h"
#include "store/tx.h"

#include "base/banned.h"

/* Names of one second; that many backups in one are a loop gone wild. */
#define SAME_SECOND_MAX 100

/* The working files lie in the folder itself: a rename, and no second disk
 * that may be full. */
#define BESIDE ".localneural"

struct making {
	struct ln_store *st;
	const struct ln_backup_opts *opts;
	char *folder;			/* absolute */
	struct lni_scratch sc;
	char copy[LNI_PATH_MAX];	/* the database as it was */
	char packed[LNI_PATH_MAX];
	int copy_fd, packed_fd;
	struct lni_backup_header header;
	unsigned char key[LNI_PACK_KEY_BYTES];
	char *envelope;
	struct lni_receipt receipt;
	/* Which part of the whole the step at hand is, in percent. */
	int from, to;
};

static bool
on_progress(void *arg, int percent)
{
	const struct making *m = arg;

	return m->opts->progress == NULL ||
	    m->opts->progress(m->opts->progress_arg,
	    m->from + (m->to - m->from) * percent / 100);
}

/* --- the copy ------------------------------------------------------------ */

static enum ln_status
count(struct making *m, struct ln_error *err)
{
	struct ln_store_info info;
	struct ln_store *st = NULL;
	enum ln_status s;

	if ((s = lni_alone_open(m->copy, &st, err)) != LN_OK)
		return s;
	if ((s = ln_store_info(st, &info, err)) == LN_OK) {
		m->header.schema = info.schema;
		m->header.user_count = info.user_count;
		m->header.conversation_count = info.conversation_count;
		m->header.message_count = info.message_count;
	}
	ln_store_close(st);
	return s;
}

/* ln_export has looked through the whole of it before it gives it its name. */
static enum ln_status
take_copy(struct making *m, struct ln_error *err)
{
	const struct ln_export_opts opts = { .size = sizeof(opts),
		.with_secrets = true, .progress = on_progress,
		.progress_arg = m };
	enum ln_status s;

	if (snprintf(m->copy, sizeof(m->copy), "%s/" LNI_SCRATCH_COPY,
	    m->sc.path) >= (int)sizeof(m->copy))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    m->folder);
	m->header.created_ms = ln_time_now_ms();
	if ((s = ln_export(m->st, m->copy, &opts, NULL, err)) != LN_OK ||
	    (s = count(m, err)) != LN_OK)
		return s;
	m->copy_fd = open(m->copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (m->copy_fd < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", m->copy,
		    strerror(errno));
	return lni_hash_file(m->copy_fd, m->header.hash,
	    &m->header.database_bytes, err);
}

/* --- the file ------------------------------------------------------------ */

static enum ln_status
pack(struct making *m, struct ln_error *err)
{
	struct lni_pack_job job = { .progress = on_progress,
		.progress_arg = m };
	char *header = NULL;
	enum ln_status s;

	if ((s = lni_backup_header_print(&m->header, &header, err)) != LN_OK)
		return s;
	if ((s = lni_scratch_file(&m->sc, LNI_SCRATCH_FRESH, m->packed,
	    &m->packed_fd, err)) != LN_OK)
		goto out;
	if (lseek(m->copy_fd, 0, SEEK_SET) != 0) {
		s = ln_fail(err, LN_IO, "", "lseek: %s", strerror(errno));
		goto out;
	}
	job.from_fd = m->copy_fd;
	job.to_fd = m->packed_fd;
	if ((s = lni_pack(&job, header, m->envelope, m->key,
	    m->receipt.hash, err)) != LN_OK)
		goto out;
	if (fsync(m->packed_fd) != 0)
		s = ln_error_set(err, LN_IO, NULL, errno == ENOSPC ?
		    "The disk is full" : ln_status_text(LN_IO),
		    "fsync %s: %s", m->packed, strerror(errno));
out:
	free(header);
	return s;
}

/* --- the check ----------------------------------------------------------- */

/* What the disk gives back is what was written to it. */
static enum ln_status
check_bytes(struct making *m, struct ln_error *err)
{
	unsigned char hash[LNI_PACK_HASH_BYTES];
	enum ln_status s;

	/* Else memory would answer instead of the disk.  Advice: it may. */
	(void)posix_fadvise(m->packed_fd, 0, 0, POSIX_FADV_DONTNEED);
	if ((s = lni_hash_file(m->packed_fd, hash, &m->receipt.bytes, err)) !=
	    LN_OK)
		return s;
	if (memcmp(hash, m->receipt.hash, sizeof(hash)) != 0)
		return ln_fail(err, LN_CORRUPT, "The disk did not keep what "
		    "was written to it. Check it", "%s", m->packed);
	return LN_OK;
}

static enum ln_status
unlock(struct making *m, struct lni_backup_file *f, struct ln_error *err)
{
	enum ln_status s;
	char *json;

	if ((s = lni_pack_in_open(f->fd, &f->in, err)) != LN_OK)
		return s;
	if (m->envelope != NULL &&
	    (s = lni_pack_in_unlock(f->in, m->key, err)) != LN_OK)
		return s;
	if ((s = lni_pack_read_header(f->in, &json, err)) != LN_OK)
		return s;
	s = lni_backup_header_parse(json, &f->header, err);
	free(json);
	return s;
}

/* With the key that is still in hand, from the disk to a second database. */
static enum ln_status
check_content(struct making *m, struct ln_error *err)
{
	struct lni_backup_file f = LNI_BACKUP_FILE_INIT;
	bool is_drill = m->opts->how == LN_BACKUP_DRILL;
	int to_fd = -1;
	enum ln_status s;

	if (is_drill) {
		/* Its place is free again: the copy is packed. */
		close(m->copy_fd);
		m->copy_fd = -1;
		(void)unlink(m->copy);
		if ((s = lni_scratch_file(&m->sc, LNI_SCRATCH_COPY, m->copy,
		    &to_fd, err)) != LN_OK)
			return s;
	}
	f.fd = open(m->packed, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f.fd < 0)
		s = ln_fail(err, LN_IO, "", "open %s: %s", m->packed,
		    strerror(errno));
	else if ((s = unlock(m, &f, err)) == LN_OK)
		s = lni_backup_unpack(&f, to_fd, on_progress, m, err);
	lni_backup_close(&f);
	if (to_fd >= 0)
		close(to_fd);
	if (s == LN_OK && is_drill)
		s = lni_backup_sound(m->copy, LN_BACKUP_DRILL, err);
	return s;
}

static enum ln_status
check(struct making *m, struct ln_error *err)
{
	enum ln_status s;

	if ((s = check_bytes(m, err)) != LN_OK)
		return s;
	if (m->opts->how >= LN_BACKUP_FULL &&
	    (s = check_content(m, err)) != LN_OK)
		return s;
	m->receipt.verified_how = m->opts->how;
	if (m->opts->how != LN_BACKUP_UNCHECKED)
		m->receipt.verified_ms = ln_time_now_ms();
	return LN_OK;
}

/* --- the name ------------------------------------------------------------ */

static enum ln_status
publish(struct making *m, char path[PATH_MAX], struct ln_error *err)
{
	char name[LNI_BACKUP_NAME_SIZE];
	enum ln_status s = LN_CONFLICT;
	int n;

	for (n = 1; s == LN_CONFLICT && n <= SAME_SECOND_MAX; n++) {
		lni_backup_name(m->header.created_ms, n, m->envelope != NULL,
		    name);
		if (snprintf(path, PATH_MAX, "%s/%s", m->folder, name) >=
		    PATH_MAX)
			return ln_fail(err, LN_INVALID,
			    "The path is too long", "%s", m->folder);
		s = lni_publish(m->packed, path, err);
	}
	return s;
}

static enum ln_status
note(struct making *m, const char *name, struct ln_error *err)
{
	char detail[160];
	enum ln_status s;

	(void)snprintf(detail, sizeof(detail), "%s bytes=%lld verified=%s",
	    name, (long long)m->receipt.bytes,
	    ln_backup_check_name(m->receipt.verified_how));
	if ((s = lni_tx_begin(m->st, err)) != LN_OK)
		return s;
	if ((s = lni_receipt_add(m->st, m->folder, name, &m->receipt, err)) ==
	    LN_OK && ln_store_keys(m->st) != NULL)
		s = ln_audit_add(m->st, "backup.create", NULL, LN_OK, detail,
		    err);
	return lni_tx_end(m->st, s, err);
}

/* The file is whole and has its name: what fails from here on is told, and
 * does not take it away. */
static enum ln_status
finish(struct making *m, const char *path, struct ln_backup *out,
    struct ln_error *err)
{
	struct lni_backup_file f = LNI_BACKUP_FILE_INIT;
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s;

	f.fd = m->packed_fd;
	f.header = m->header;
	f.has_header = true;
	if ((s = lni_backup_describe(path, &f, out, err)) != LN_OK)
		return s;
	out->is_encrypted = m->envelope != NULL;
	out->verified_ms = m->receipt.verified_ms;
	out->verified_how = m->receipt.verified_how;
	if ((s = note(m, out->name, &why)) == LN_OK)
		return LN_OK;
	ln_backup_clear(out);
	return ln_fail(err, s, "The backup is made, but the database could "
	    "not note it", "%s: %s", path, lni_error_detail(&why));
}

static enum ln_status
make(struct making *m, struct ln_backup *out, struct ln_error *err)
{
	char path[PATH_MAX], beside[PATH_MAX];
	enum ln_status s;

	if (snprintf(beside, sizeof(beside), "%s/" BESIDE, m->folder) >=
	    (int)sizeof(beside))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    m->folder);
	if ((s = lni_envelope_make(m->opts, m->key, &m->envelope, err)) !=
	    LN_OK ||
	    (s = lni_scratch_make(beside, "backup", &m->sc, err)) != LN_OK)
		return s;
	m->receipt.is_encrypted = m->envelope != NULL;
	m->to = 60;
	if ((s = take_copy(m, err)) != LN_OK)
		return s;
	m->receipt.created_ms = m->header.created_ms;
	m->from = 60;
	m->to = 85;
	if ((s = pack(m, err)) != LN_OK)
		return s;
	m->from = 85;
	m->to = 100;
	if ((s = check(m, err)) != LN_OK ||
	    (s = publish(m, path, err)) != LN_OK)
		return s;
	return finish(m, path, out, err);
}

enum ln_status
ln_backup_create(struct ln_store *st, const struct ln_backup_opts *opts,
    struct ln_backup *out, struct ln_error *err)
{
	struct making m = { .st = st, .opts = opts, .sc = { .fd = -1 },
		.copy_fd = -1, .packed_fd = -1 };
	struct stat sb;
	enum ln_status s;
	int lock;

	memset(out, 0, sizeof(*out));
	if ((m.folder = realpath(opts->folder, NULL)) == NULL ||
	    stat(m.folder, &sb) != 0 || !S_ISDIR(sb.st_mode)) {
		free(m.folder);
		return ln_fail(err, LN_NOT_FOUND, "There is no such folder",
		    "%s", opts->folder);
	}
	if ((s = lni_backup_lock(m.folder, &lock, err)) == LN_OK) {
		/* A drill that was killed left clear text. */
		lni_scratch_sweep(NULL);
		s = make(&m, out, err);
		if (m.copy_fd >= 0)
			close(m.copy_fd);
		if (m.packed_fd >= 0)
			close(m.packed_fd);
		lni_scratch_remove(&m.sc);
		close(lock);
	}
	sodium_memzero(m.key, sizeof(m.key));
	free(m.envelope);
	free(m.folder);
	return s;
}

#define _XOPEN_SOURCE 700	/* realpath */

#include "service/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include <ln/buf.h>
#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/transfer.h>

#include "model/conversation.h"
#include "store/alone.h"

#include "base/banned.h"

#define LOCK_NAME ".localneural-backup.lock"

static enum ln_status
open_file(const char *path, int *out, struct ln_error *err)
{
	struct stat sb;

	/* Never waits for a FIFO. */
	*out = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*out < 0)
		return ln_fail(err, errno == ENOENT ? LN_NOT_FOUND : LN_IO,
		    "", "open %s: %s", path, strerror(errno));
	if (fstat(*out, &sb) == 0 && S_ISREG(sb.st_mode))
		return LN_OK;
	close(*out);
	*out = -1;
	return ln_fail(err, LN_INVALID, "This is not a regular file", "%s",
	    path);
}

static enum ln_status
unlock_file(struct lni_backup_file *f, const struct ln_backup_unlock *unlock,
    struct ln_error *err)
{
	unsigned char key[LNI_PACK_KEY_BYTES];
	enum ln_status s;

	s = lni_envelope_open(lni_pack_in_envelope(f->in), unlock, key, err);
	if (s == LN_OK)
		s = lni_pack_in_unlock(f->in, key, err);
	sodium_memzero(key, sizeof(key));
	return s;
}

static enum ln_status
read_header(struct lni_backup_file *f, struct ln_error *err)
{
	char *json;
	enum ln_status s;

	if ((s = lni_pack_read_header(f->in, &json, err)) != LN_OK)
		return s;
	s = lni_backup_header_parse(json, &f->header, err);
	f->has_header = s == LN_OK;
	free(json);
	return s;
}

enum ln_status
lni_backup_open(const char *path, const struct ln_backup_unlock *unlock,
    struct lni_backup_file *f, struct ln_error *err)
{
	enum ln_status s;

	*f = (struct lni_backup_file)LNI_BACKUP_FILE_INIT;
	if ((s = open_file(path, &f->fd, err)) != LN_OK)
		return s;
	if ((s = lni_pack_in_open(f->fd, &f->in, err)) != LN_OK)
		goto out;
	if (lni_pack_in_envelope(f->in) != NULL) {
		if (unlock == NULL)
			return LN_OK;
		if ((s = unlock_file(f, unlock, err)) != LN_OK)
			goto out;
	}
	s = read_header(f, err);
out:
	if (s != LN_OK)
		lni_backup_close(f);
	return s;
}

void
lni_backup_close(struct lni_backup_file *f)
{
	lni_pack_in_free(f->in);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct lni_backup_file)LNI_BACKUP_FILE_INIT;
}

enum ln_status
lni_backup_unpack(struct lni_backup_file *f, int to_fd,
    bool (*progress)(void *arg, int percent), void *arg, struct ln_error *err)
{
	const struct lni_pack_job job = { .from_fd = f->fd, .to_fd = to_fd,
		.progress = progress, .progress_arg = arg };
	unsigned char hash[LNI_PACK_HASH_BYTES];
	enum ln_status s;

	if ((s = lni_unpack(f->in, &job, f->header.database_bytes, hash,
	    err)) != LN_OK)
		return s;
	if (memcmp(hash, f->header.hash, sizeof(hash)) != 0)
		return ln_fail(err, LN_CORRUPT, "The backup is damaged",
		    "the database is not the one of the header");
	return LN_OK;
}

/* --- soundness ----------------------------------------------------------- */

static enum ln_status
read_newest(struct ln_store *st, struct ln_error *err)
{
	struct ln_message_list messages = { NULL, 0 };
	char *user_id, *id;
	enum ln_status s;

	s = lni_conversation_newest(st, &user_id, &id, err);
	if (s == LN_NOT_FOUND)
		return LN_OK;	/* nobody has talked yet */
	if (s != LN_OK)
		return s;
	s = ln_message_list(st, user_id, id, &messages, err);
	ln_message_list_free(&messages);
	free(user_id);
	free(id);
	return s;
}

static enum ln_status
validate(const char *path, struct ln_error *err)
{
	struct ln_report *r = NULL;
	enum ln_status s;
	size_t i;

	if ((s = ln_validate(path, NULL, &r, err)) != LN_OK)
		return s;
	if (r->kind != LN_REPORT_OURS)
		s = ln_fail(err, LN_INVALID,
		    "The backup does not hold a database of this program",
		    "kind %d", (int)r->kind);
	for (i = 0; s == LN_OK && !r->is_importable && i < r->finding_count;
	    i++) {
		if (r->findings[i].level == LN_FINDING_ERROR)
			s = ln_fail(err, LN_INVALID, "The database in the "
			    "backup is not sound", "%s: %s",
			    r->findings[i].code, r->findings[i].text);
	}
	ln_report_free(r);
	return s;
}

enum ln_status
lni_backup_sound(const char *path, enum ln_backup_check how,
    struct ln_error *err)
{
	struct ln_store *st = NULL;
	enum ln_status s;

	if ((s = validate(path, err)) != LN_OK || how != LN_BACKUP_DRILL)
		return s;
	if ((s = lni_alone_open(path, &st, err)) != LN_OK)
		return s;
	if ((s = ln_store_check(st, true, NULL, NULL, err)) == LN_OK)
		s = read_newest(st, err);
	ln_store_close(st);
	return s;
}

/* --- names --------------------------------------------------------------- */

enum ln_status
lni_backup_place(const char *path, char **out_folder, const char **out_name,
    struct ln_error *err)
{
	const char *slash = strrchr(path, '/');
	char copy[PATH_MAX];
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	*out_folder = NULL;
	*out_name = slash != NULL ? slash + 1 : path;
	if (n >= sizeof(copy) - 1)
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	memcpy(copy, path, n);
	copy[n] = '\0';
	if (slash == path)
		memcpy(copy, "/", 2);
	else if (slash == NULL)
		memcpy(copy, ".", 2);
	if ((*out_folder = realpath(copy, NULL)) == NULL)
		return ln_fail(err, errno == ENOENT ? LN_NOT_FOUND : LN_IO,
		    "There is no such folder", "realpath %s: %s", copy,
		    strerror(errno));
	return LN_OK;
}

enum ln_status
lni_backup_describe(const char *path, const struct lni_backup_file *f,
    struct ln_backup *out, struct ln_error *err)
{
	const char *slash;
	struct stat sb;

	memset(out, 0, sizeof(*out));
	if (fstat(f->fd, &sb) != 0)
		return ln_fail(err, LN_IO, "", "fstat %s: %s", path,
		    strerror(errno));
	if ((out->path = strdup(path)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "backup");
	slash = strrchr(out->path, '/');
	out->name = slash != NULL ? slash + 1 : out->path;
	out->bytes = sb.st_size;
	out->is_encrypted = f->in != NULL &&
	    lni_pack_in_envelope(f->in) != NULL;
	if (f->has_header) {
		out->created_ms = f->header.created_ms;
		out->schema = f->header.schema;
		out->database_bytes = f->header.database_bytes;
		out->user_count = f->header.user_count;
		out->conversation_count = f->header.conversation_count;
		out->message_count = f->header.message_count;
	} else {
		bool is_encrypted;

		(void)lni_backup_name_parse(out->name, &out->created_ms,
		    &is_encrypted);
	}
	return LN_OK;
}

void
ln_backup_clear(struct ln_backup *b)
{
	free(b->path);
	memset(b, 0, sizeof(*b));
}

enum ln_status
lni_backup_lock(const char *folder, int *out_fd, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT((size_t)PATH_MAX + 64);
	enum ln_status s = LN_OK;
	int fd;

	*out_fd = -1;
	ln_buf_printf(&b, "%s/" LOCK_NAME, folder);
	fd = open(ln_buf_str(&b), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		s = ln_fail(err, LN_IO, "Nothing can be written to the folder",
		    "open %s: %s", ln_buf_str(&b), strerror(errno));
	/* The file stays: removing it would let two hold one lock each. */
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		s = ln_fail(err, LN_CONFLICT,
		    "Another backup to this folder is running",
		    "flock %s: %s", ln_buf_str(&b), strerror(errno));
	} else
		*out_fd = fd;
	ln_buf_free(&b);
	return s;
}

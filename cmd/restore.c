#include "backup_cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Taking a backup back, and the secrets that it may want. */

#define DATABASE_NAME "neural_memory.db"

static int
read_secret(struct ctx *c, enum opt_id id, char **out)
{
	const char *path = ctx_opt(c, id);
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	*out = NULL;
	if (path == NULL)
		return EX_OK;
	if ((s = ln_secret_read_file(path, SECRET_BYTES_MAX, out, &err)) !=
	    LN_OK)
		return ctx_fail(c, s, &err, s == LN_FORBIDDEN ?
		    "A secret file is a regular file, mode 0600" : NULL, "%s",
		    path);
	return EX_OK;
}

int
backup_secret_read(struct ctx *c, struct backup_secret *out)
{
	int rc;

	out->key = out->passphrase = NULL;
	if ((rc = read_secret(c, O_SECRET_KEY_FILE, &out->key)) == EX_OK)
		rc = read_secret(c, O_PASSPHRASE_FILE, &out->passphrase);
	return rc;
}

void
backup_secret_clear(struct backup_secret *s)
{
	ln_wipe_free(s->key);
	ln_wipe_free(s->passphrase);
	s->key = s->passphrase = NULL;
}

static int
make_folder(struct ctx *c, const char *database)
{
	char folder[4096];

	file_dir(database, folder, sizeof(folder));
	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		return EX_OK;
	return ctx_refuse(c, EX_FAILED, "io", strerror(errno), "", "%s",
	    folder);
}

int
backup_place(struct ctx *c, const char *file, const char *database,
    struct ln_backup *out)
{
	struct ln_backup_unlock unlock = { .size = sizeof(unlock) };
	struct ln_error err = LN_ERROR_INIT;
	struct backup_secret secret;
	struct progress p;
	enum ln_status s;
	int rc;

	memset(out, 0, sizeof(*out));
	if ((rc = backup_secret_read(c, &secret)) != EX_OK ||
	    (rc = make_folder(c, database)) != EX_OK)
		goto out;
	unlock.secret_key = secret.key;
	unlock.passphrase = secret.passphrase;
	progress_init(&p, c, "restoring");
	unlock.progress = progress_step;
	unlock.progress_arg = &p;
	s = ln_backup_extract(file, &unlock, database, out, &err);
	progress_done(&p);
	if (s == LN_CONFLICT)
		rc = ctx_fail(c, s, &err, "Nothing was changed", "%s",
		    database);
	else if (s != LN_OK)
		rc = backup_fail(c, s, &err, file);
out:
	backup_secret_clear(&secret);
	return rc;
}

static int
finish(struct ctx *c, const struct ln_backup *b, const char *database,
    const char *snapshot)
{
	out_str(c->out, "result", "restored");
	out_str(c->out, "database", database);
	out_str(c->out, "snapshot", snapshot);
	out_open(c->out, "backup");
	backup_fields(c->out, b);
	out_close(c->out);
	out_say(c->out, "%s: restored", database);
	if (snapshot != NULL)
		out_say(c->out, "The database as it was: %s", snapshot);
	return ctx_finish(c);
}

/* Where no database is: the backup's, to the last byte. */
static int
restore_new(struct ctx *c, const char *file, const char *database)
{
	struct ln_backup b;
	int rc;

	if ((rc = backup_place(c, file, database, &b)) != EX_OK)
		return rc;
	rc = finish(c, &b, database, NULL);
	ln_backup_clear(&b);
	return rc;
}

/* Into the one in use, which server and people go on with. */
static int
restore_live(struct ctx *c, const char *file)
{
	struct ln_backup_unlock unlock = { .size = sizeof(unlock) };
	struct ln_error err = LN_ERROR_INIT;
	struct backup_secret secret = { NULL, NULL };
	char *snapshot = NULL;
	struct ln_backup b;
	struct progress p;
	enum ln_status s;
	int rc;

	if ((rc = ctx_keys(c, true)) != EX_OK ||
	    (rc = ctx_store(c, LN_STORE_RW)) != EX_OK ||
	    (rc = tty_confirm(c, "Replace the content of %s by %s?",
	    ln_store_path(c->st), file)) != EX_OK ||
	    (rc = backup_secret_read(c, &secret)) != EX_OK)
		goto out;
	unlock.secret_key = secret.key;
	unlock.passphrase = secret.passphrase;
	progress_init(&p, c, "restoring");
	unlock.progress = progress_step;
	unlock.progress_arg = &p;
	s = ln_backup_restore(c->st, file, &unlock, &snapshot, &b, &err);
	progress_done(&p);
	if (s != LN_OK) {
		rc = backup_fail(c, s, &err, file);
		goto out;
	}
	rc = finish(c, &b, ln_store_path(c->st), snapshot);
	ln_backup_clear(&b);
out:
	ln_free(snapshot);
	backup_secret_clear(&secret);
	return rc;
}

int
backup_restore(struct ctx *c)
{
	const char *file = ctx_word(c, 0), *to = ctx_opt(c, O_TO);
	const char *database = ln_config_get(c->cfg, "LOCALNEURAL_DB");
	char path[4096];
	struct stat sb;
	int rc;

	if ((rc = ctx_act_as_owner(c)) != EX_OK)
		return rc;
	if (to != NULL) {
		if (snprintf(path, sizeof(path), "%s/" DATABASE_NAME, to) >=
		    (int)sizeof(path))
			return ctx_usage(c, NULL, "%s: the path is too long",
			    c->path);
		return restore_new(c, file, path);
	}
	if (stat(database, &sb) != 0 && errno == ENOENT)
		return restore_new(c, file, database);
	return restore_live(c, file);
}

int
backup_keygen(struct ctx *c)
{
	const char *path = ctx_opt(c, O_OUTPUT);
	struct ln_error err = LN_ERROR_INIT;
	char *public_key = NULL, *secret_key = NULL;
	enum ln_status s;
	int e, rc;

	if (path == NULL)
		return ctx_usage(c, "The secret key goes there; keep it where "
		    "the backups are not", "%s: name a file with -o",
		    c->path);
	s = ln_backup_keygen(&public_key, &secret_key, &err);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "keygen");
		goto out;
	}
	if ((e = file_create(path, secret_key, strlen(secret_key))) != 0) {
		rc = ctx_refuse(c, e == EEXIST ? EX_CONFLICT : EX_FAILED,
		    e == EEXIST ? "conflict" : "io", strerror(e),
		    "Nothing was written", "%s", path);
		goto out;
	}
	out_str(c->out, "public_key", public_key);
	out_str(c->out, "secret_key_file", path);
	out_say(c->out, "%s", public_key);
	rc = ctx_finish(c);
	if (rc == EX_OK)
		ctx_note(c, "The secret key is in %s. Without it nobody opens "
		    "the backups: keep a copy elsewhere", path);
out:
	ln_free(public_key);
	ln_wipe_free(secret_key);
	return rc;
}

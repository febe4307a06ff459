#define _XOPEN_SOURCE 700	/* realpath */

#include "service/rotate_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/rotate.h>
#include <ln/secret.h>

#include "base/envfile.h"

#include "base/banned.h"

#define NAME "SECRET_KEY"
#define NAME_FILE "SECRET_KEY_FILE"
#define STAGED ".rotate"

enum ln_status
lni_key_file_find(const struct ln_config *cfg, struct lni_key_file *out,
    struct ln_error *err)
{
	enum ln_config_origin origin = ln_config_origin(cfg, NAME);
	const char *path;

	memset(out, 0, sizeof(*out));
	if (ln_config_origin(cfg, NAME_FILE) > origin) {
		path = ln_config_get(cfg, NAME_FILE);
	} else if (origin == LN_CONFIG_FILE) {
		path = ln_config_path(cfg);
		out->is_env_file = true;
	} else if (origin == LN_CONFIG_DEFAULT) {
		return ln_fail_field(err, LN_INVALID, NAME,
		    "SECRET_KEY is missing", "nowhere");
	} else {
		return ln_fail(err, LN_FORBIDDEN,
		    "SECRET_KEY stands in the environment, where it cannot be "
		    "replaced. Move it to the env file", "environment");
	}
	if (path == NULL)
		return ln_fail(err, LN_INTERNAL, "", NAME " without a file");
	if ((out->path = realpath(path, NULL)) == NULL)
		return ln_fail(err, errno == ENOMEM ? LN_NOMEM : LN_NOT_FOUND,
		    "The file with SECRET_KEY cannot be found", "%s: %s", path,
		    strerror(errno));
	if (snprintf(out->staged, sizeof(out->staged), "%s" STAGED,
	    out->path) >= (int)sizeof(out->staged)) {
		lni_key_file_clear(out);
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	}
	return LN_OK;
}

void
lni_key_file_clear(struct lni_key_file *f)
{
	free(f->path);
	memset(f, 0, sizeof(*f));
}

enum ln_status
lni_key_file_read(const struct lni_key_file *f, struct lni_file *out,
    struct ln_error *err)
{
	return lni_file_read(f->path, O_NOFOLLOW, LNI_ENVFILE_MAX, out, err);
}

static enum ln_status
unreadable(struct ln_error *err)
{
	return ln_fail(err, LN_INVALID,
	    "The env file has no line with SECRET_KEY that can be replaced",
	    "read back");
}

/* Whether the env file ${b} would be read as having ${secret}. */
static enum ln_status
check(const struct ln_buf *b, const char *secret, struct ln_error *err)
{
	size_t from = 0, to = 0, n = strlen(secret);

	if (lni_envfile_find(b->data, b->len, NAME, &from, &to) != LN_OK ||
	    to - from != n || memcmp(b->data + from, secret, n) != 0)
		return unreadable(err);
	return LN_OK;
}

enum ln_status
lni_key_file_render(const struct lni_key_file *f, const char *secret,
    struct ln_buf *out, struct ln_error *err)
{
	struct lni_file old = { NULL, 0, 0 };
	enum ln_status s = LN_OK;
	size_t from = 0, to = 0;

	if (f->is_env_file) {
		if ((s = lni_key_file_read(f, &old, err)) != LN_OK)
			return s;
		s = lni_envfile_find(old.bytes, old.length, NAME, &from, &to);
		if (s == LN_NOT_FOUND || s == LN_INVALID)
			s = unreadable(err);
		else if (s != LN_OK)
			s = ln_fail(err, s, "", "env file");
	}
	if (s == LN_OK) {
		ln_buf_put(out, old.bytes, from);
		ln_buf_puts(out, secret);
		if (f->is_env_file)
			ln_buf_put(out, old.bytes + to, old.length - to);
		else
			ln_buf_putc(out, '\n');
		if ((s = ln_buf_status(out)) != LN_OK)
			s = ln_fail(err, s, "", "env file");
	}
	if (s == LN_OK && f->is_env_file)
		s = check(out, secret, err);
	lni_file_wipe(&old);
	return s;
}

/* The newline is the mark that nothing is missing. */
enum ln_status
lni_key_staged_write(const struct lni_key_file *f, const char *secret,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_SECRET_INIT(LN_CONFIG_SECRET_MAX);
	enum ln_status s;

	ln_buf_puts(&b, secret);
	ln_buf_putc(&b, '\n');
	if ((s = ln_buf_status(&b)) != LN_OK)
		s = ln_fail(err, s, "", "staged key");
	else
		s = lni_file_create(f->staged, b.data, b.len, err);
	ln_buf_free(&b);
	return s;
}

enum ln_status
lni_key_staged_read(const struct lni_key_file *f, char **out,
    struct ln_error *err)
{
	struct lni_file file = { NULL, 0, 0 };
	enum ln_status s;

	*out = NULL;
	if ((s = lni_file_read(f->staged, O_NOFOLLOW, LN_CONFIG_SECRET_MAX,
	    &file, err)) != LN_OK)
		return s;
	if ((file.mode & LNI_MODE_OTHERS) != 0)
		s = ln_fail(err, LN_FORBIDDEN, "The staged SECRET_KEY can be "
		    "read by others. Run chmod 600 on it", "%s", f->staged);
	else if (file.length > 0 && file.bytes[file.length - 1] == '\n' &&
	    memchr(file.bytes, '\0', file.length) == NULL &&
	    (*out = strndup(file.bytes, file.length - 1)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "staged key");
	lni_file_wipe(&file);
	return s;
}

enum ln_status
lni_key_staged_remove(const struct lni_key_file *f, struct ln_error *err)
{
	char part[LNI_FILE_PATH_MAX + sizeof(LNI_FILE_NEW)];
	enum ln_status s;

	(void)snprintf(part, sizeof(part), "%s" LNI_FILE_NEW, f->path);
	if ((s = lni_file_remove(part, err)) == LN_OK)
		return lni_file_remove(f->staged, err);
	/* The one that cannot be removed is no reason to keep the other. */
	(void)!lni_file_remove(f->staged, NULL);
	return s;
}

enum ln_status
ln_rotate_file(const struct ln_config *cfg, char **out, struct ln_error *err)
{
	struct lni_key_file f;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_key_file_find(cfg, &f, err)) == LN_OK) {
		*out = f.path;
		f.path = NULL;
	}
	lni_key_file_clear(&f);
	return s;
}

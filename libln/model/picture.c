#include "model/picture.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "store/stmt.h"
#include "text/picture.h"

#include "base/banned.h"

static const char SQL_GET[] =
    "SELECT type, bytes FROM user_picture WHERE user_id = ?1";
static const char SQL_SET[] =
    "INSERT INTO user_picture(user_id, type, bytes) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (user_id) DO UPDATE SET type = ?2, bytes = ?3";
static const char SQL_REMOVE[] =
    "DELETE FROM user_picture WHERE user_id = ?1";

const char *const lni_picture_sql[] = { SQL_GET, SQL_SET, SQL_REMOVE };
const size_t lni_picture_sql_count =
    sizeof(lni_picture_sql) / sizeof(lni_picture_sql[0]);

void
ln_picture_free(struct ln_picture *p)
{
	if (p == NULL)
		return;
	free(p->bytes);
	free(p);
}

/* The types that there are, whatever a row says. */
static const char *
known_type(const char *type)
{
	static const char *const types[] = { "image/png", "image/jpeg",
		"image/gif", "image/webp" };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type != NULL && strcmp(type, types[i]) == 0)
			return types[i];
	return NULL;
}

/* A part of a hash of the bytes: an import cannot make two alike. */
static void
make_version(const void *p, size_t n, char version[LN_PICTURE_VERSION_SIZE])
{
	unsigned char hash[crypto_generichash_BYTES_MIN];

	(void)crypto_generichash(hash, sizeof(hash), p, n, NULL, 0);
	(void)sodium_bin2hex(version, LN_PICTURE_VERSION_SIZE, hash,
	    (LN_PICTURE_VERSION_SIZE - 1) / 2);
}

static enum ln_status
from_row(struct lni_stmt *q, struct ln_picture **out, struct ln_error *err)
{
	const char *type = known_type(lni_col_text(q, 0));
	struct ln_picture *p;
	const void *bytes;
	size_t n;

	bytes = lni_col_blob(q, 1, &n);
	if (type == NULL || bytes == NULL || n == 0)
		return ln_fail(err, LN_NOT_FOUND, "There is no picture",
		    "a picture of an unknown kind");
	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->bytes = malloc(n)) == NULL) {
		free(p);
		return ln_fail(err, LN_NOMEM, "", "picture of %zu bytes", n);
	}
	memcpy(p->bytes, bytes, n);
	p->length = n;
	p->type = type;
	make_version(p->bytes, n, p->version);
	*out = p;
	return LN_OK;
}

enum ln_status
ln_picture_get(struct ln_store *st, const char *user_id,
    struct ln_picture **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = from_row(&q, out, err);
	else if (s == LN_NOT_FOUND)
		s = ln_fail(err, s, "There is no picture", "no picture");
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_picture_version(struct ln_store *st, const char *user_id,
    char version[LN_PICTURE_VERSION_SIZE], struct ln_error *err)
{
	struct ln_picture *p;
	enum ln_status s;

	version[0] = '\0';
	s = ln_picture_get(st, user_id, &p, err);
	if (s == LN_OK)
		memcpy(version, p->version, sizeof(p->version));
	ln_picture_free(p);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_picture_set(struct ln_store *st, const char *user_id, const void *p,
    size_t n, struct ln_error *err)
{
	uint32_t width, height;
	const char *type;
	struct lni_stmt q;
	enum ln_status s;

	if (n > LN_PICTURE_BYTES_MAX)
		return ln_fail_field(err, LN_TOO_LARGE, "pic",
		    "A picture has at most 2 MiB", "%zu bytes", n);
	if (!lni_picture_look(p, n, &type, &width, &height))
		return ln_fail_field(err, LN_INVALID, "pic",
		    "The file is not a picture (PNG, JPEG, GIF or WebP)",
		    "%zu bytes", n);
	if (width == 0 || height == 0 || width > LN_PICTURE_SIDE_MAX ||
	    height > LN_PICTURE_SIDE_MAX)
		return ln_fail_field(err, LN_INVALID, "pic",
		    "A picture has sides of 1 to 8,192 pixels", "%ux%u",
		    (unsigned)width, (unsigned)height);
	if ((s = lni_stmt_get(&q, st, SQL_SET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, type);
	lni_bind_blob(&q, 3, p, n);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_picture_remove(struct ln_store *st, const char *user_id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REMOVE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK && lni_changes(st) == 0)
		s = ln_fail(err, LN_NOT_FOUND, "There is no picture",
		    "no picture");
	return s;
}

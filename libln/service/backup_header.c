#include "service/backup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/json.h>
#include <ln/time.h>

#include "base/banned.h"

#define FORMAT "localneural-backup"
#define HEX_SIZE (2 * (size_t)LNI_PACK_HASH_BYTES + 1)
/* Beyond what SQLite itself can hold there is only damage: 281 TB. */
#define DATABASE_BYTES_MAX ((int64_t)1 << 48)

#define PREFIX "localneural-"
#define STAMP "YYYYMMDDTHHMMSSZ"
#define SUFFIX ".db.zst"
#define SUFFIX_SEALED ".enc"

/* --- header -------------------------------------------------------------- */

enum ln_status
lni_backup_header_print(const struct lni_backup_header *h, char **out,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(LNI_PACK_HEADER_MAX);
	char hex[HEX_SIZE];
	struct ln_jw *w;
	enum ln_status s;

	*out = NULL;
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "backup header");
	ln_jw_object(w, NULL);
	ln_jw_string(w, "format", FORMAT);
	ln_jw_int(w, "version", 1);
	ln_jw_string(w, "program", LN_VERSION);
	ln_jw_time(w, "created", h->created_ms);
	ln_jw_int(w, "schema", h->schema);
	ln_jw_int(w, "database_bytes", h->database_bytes);
	ln_jw_string(w, "database_blake2b", sodium_bin2hex(hex, sizeof(hex),
	    h->hash, sizeof(h->hash)));
	ln_jw_int(w, "users", h->user_count);
	ln_jw_int(w, "conversations", h->conversation_count);
	ln_jw_int(w, "messages", h->message_count);
	s = ln_jw_print(w, false, &b);
	if (s == LN_OK && (*out = ln_buf_steal(&b)) == NULL)
		s = LN_NOMEM;
	if (s != LN_OK)
		(void)ln_fail(err, s, "", "backup header");
	ln_jw_free(w);
	ln_buf_free(&b);
	return s;
}

static bool
get_count(const struct ln_json *o, const char *name, int64_t *out)
{
	return ln_json_int(ln_json_get(o, name), out) && *out >= 0;
}

static bool
get_hash(const struct ln_json *o, unsigned char out[LNI_PACK_HASH_BYTES])
{
	const char *hex = ln_json_get_string(o, "database_blake2b");
	size_t n;

	return hex != NULL && sodium_hex2bin(out, LNI_PACK_HASH_BYTES, hex,
	    strlen(hex), NULL, &n, NULL) == 0 &&
	    n == (size_t)LNI_PACK_HASH_BYTES && strlen(hex) == HEX_SIZE - 1;
}

static enum ln_status
read_header(const struct ln_json *root, struct lni_backup_header *out,
    struct ln_error *err)
{
	const char *format = ln_json_get_string(root, "format");
	const char *created = ln_json_get_string(root, "created");
	int64_t version = 0, schema = 0;

	if (format == NULL || strcmp(format, FORMAT) != 0 ||
	    !get_count(root, "version", &version))
		return ln_fail(err, LN_CORRUPT, "This is not a backup",
		    "header format");
	if (version != 1)
		return ln_fail(err, LN_TOO_NEW,
		    "The backup was made by a newer program",
		    "header version %lld", (long long)version);
	if (created == NULL ||
	    ln_time_parse(created, 0, &out->created_ms, NULL) != LN_OK ||
	    !get_count(root, "schema", &schema) || schema > INT32_MAX ||
	    !get_count(root, "database_bytes", &out->database_bytes) ||
	    out->database_bytes > DATABASE_BYTES_MAX ||
	    !get_hash(root, out->hash) ||
	    !get_count(root, "users", &out->user_count) ||
	    !get_count(root, "conversations", &out->conversation_count) ||
	    !get_count(root, "messages", &out->message_count))
		return ln_fail(err, LN_CORRUPT, "The backup is damaged",
		    "header members");
	out->schema = (int)schema;
	return LN_OK;
}

enum ln_status
lni_backup_header_parse(const char *json, struct lni_backup_header *out,
    struct ln_error *err)
{
	struct ln_json *root = NULL;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	s = ln_json_parse(json, strlen(json), NULL, &root, NULL);
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "backup header");
	s = read_header(root, out, err);
	ln_json_free(root);
	return s;
}

/* --- name ---------------------------------------------------------------- */

void
lni_backup_name(int64_t created_ms, int n, bool is_encrypted,
    char out[LNI_BACKUP_NAME_SIZE])
{
	char iso[LN_TIME_ISO_SIZE], number[16] = "";

	ln_time_iso(created_ms, iso);
	if (n > 1)
		(void)snprintf(number, sizeof(number), "-%d", n);
	(void)snprintf(out, LNI_BACKUP_NAME_SIZE,
	    PREFIX "%.4s%.2s%.2sT%.2s%.2s%.2sZ%s" SUFFIX "%s", iso, iso + 5,
	    iso + 8, iso + 11, iso + 14, iso + 17, number,
	    is_encrypted ? SUFFIX_SEALED : "");
}

/* What remains of ${s} after ${head}, or NULL. */
static const char *
after(const char *s, const char *head)
{
	size_t n = strlen(head);

	return strncmp(s, head, n) == 0 ? s + n : NULL;
}

bool
lni_backup_name_parse(const char *name, int64_t *out_created_ms,
    bool *out_is_encrypted)
{
	char iso[LN_TIME_ISO_SIZE];
	const char *stamp, *rest;

	if ((stamp = after(name, PREFIX)) == NULL ||
	    strlen(stamp) < strlen(STAMP))
		return false;
	(void)snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ",
	    stamp, stamp + 4, stamp + 6, stamp + 9, stamp + 11, stamp + 13);
	if (stamp[8] != 'T' || stamp[15] != 'Z' ||
	    ln_time_parse(iso, 0, out_created_ms, NULL) != LN_OK)
		return false;
	rest = stamp + strlen(STAMP);
	if (*rest == '-') {
		for (rest++; isdigit((unsigned char)*rest); rest++)
			continue;
	}
	if ((rest = after(rest, SUFFIX)) == NULL)
		return false;
	*out_is_encrypted = strcmp(rest, SUFFIX_SEALED) == 0;
	return *out_is_encrypted || *rest == '\0';
}

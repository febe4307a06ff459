#include "model/session.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/text.h>
#include <ln/time.h>

#include "model/user.h"
#include "store/stmt.h"

#include "base/banned.h"

#define ID_BYTES 32		/* security contract */
#define ADDRESS_MAX 64		/* bytes kept: an IPv6 address with a zone */
#define AGENT_MAX 256		/* bytes kept of what a browser calls itself */

/* "v1." id "." mac */
#define PREFIX "v1."
#define PREFIX_LEN 3
#define PART_LEN 43		/* 32 bytes in base64url without padding */
#define MAC_AT (PREFIX_LEN + PART_LEN + 1)
#define COOKIE_LEN (MAC_AT + PART_LEN)

_Static_assert(COOKIE_LEN + 1 == LN_SESSION_COOKIE_SIZE, "cookie size");
_Static_assert(LN_KEY_BYTES == crypto_generichash_BYTES, "MAC size");
_Static_assert(LN_KEY_BYTES == crypto_generichash_KEYBYTES, "key size");

static const char SQL_ADD[] =
    "INSERT INTO session(hash, user_id, address, agent, created_ms,"
    " expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char SQL_PURGE[] = "DELETE FROM session WHERE expires_ms <= ?1";
/* Two of one millisecond: the one just made, ?2, is the newer. */
static const char SQL_TRIM[] =
    "DELETE FROM session WHERE user_id = ?1 AND hash NOT IN"
    " (SELECT hash FROM session WHERE user_id = ?1"
    "  ORDER BY hash = ?2 DESC, created_ms DESC LIMIT ?3)";
static const char SQL_USER[] =
    "SELECT " LNI_USER_COLUMNS " FROM session"
    " JOIN user ON user.id = session.user_id"
    " WHERE session.hash = ?1 AND session.expires_ms > ?2";
static const char SQL_END[] = "DELETE FROM session WHERE hash = ?1";
static const char SQL_END_USER[] =
    "DELETE FROM session WHERE user_id = ?1 AND hash IS NOT ?2";
static const char SQL_END_ALL[] = "DELETE FROM session";
static const char SQL_LIST[] =
    "SELECT hash, user_id, address, agent, created_ms, expires_ms"
    " FROM session WHERE user_id = ?1 AND expires_ms > ?2"
    " ORDER BY created_ms DESC, hash";

const char *const lni_session_sql[] = { SQL_ADD, SQL_PURGE, SQL_TRIM, SQL_USER,
	SQL_END, SQL_END_USER, SQL_END_ALL, SQL_LIST };
const size_t lni_session_sql_count =
    sizeof(lni_session_sql) / sizeof(lni_session_sql[0]);

/* Keyed BLAKE2b-256 over a label, which keeps uses apart, and the id. */
static void
keyed_hash(const unsigned char key[LN_KEY_BYTES], const char *label,
    const unsigned char id[ID_BYTES], unsigned char out[LN_KEY_BYTES])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, key, LN_KEY_BYTES, LN_KEY_BYTES);
	crypto_generichash_update(&state, (const unsigned char *)label,
	    strlen(label));
	crypto_generichash_update(&state, id, ID_BYTES);
	crypto_generichash_final(&state, out, LN_KEY_BYTES);
	ln_wipe(&state, sizeof(state));
}

static void
cookie_mac(const struct ln_keys *keys, const unsigned char id[ID_BYTES],
    unsigned char out[LN_KEY_BYTES])
{
	keyed_hash(keys->cookie, "ln-session-v1", id, out);
}

static void
row_hash(const struct ln_keys *keys, const unsigned char id[ID_BYTES],
    unsigned char out[LN_KEY_BYTES])
{
	keyed_hash(keys->session, "ln-session-row-v1", id, out);
}

static enum ln_status
need_keys(struct ln_store *st, const struct ln_keys **out,
    struct ln_error *err)
{
	if ((*out = ln_store_keys(st)) == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "sign-in sessions need keys");
	return LN_OK;
}

/* What somebody else sent, made fit for a row: UTF-8, cut at ${max} bytes. */
static enum ln_status
clean(const char *s, size_t max, char **out, struct ln_error *err)
{
	enum ln_status st;

	*out = NULL;
	if (s == NULL)
		return LN_OK;
	st = ln_utf8_repair(s, strnlen(s, max), out, err);
	if (st == LN_OK)
		(*out)[ln_utf8_prefix(*out, strlen(*out), max)] = '\0';
	return st;
}

static enum ln_status
insert(struct ln_store *st, const unsigned char hash[LN_KEY_BYTES],
    const char *user_id, const char *address, const char *agent,
    int64_t now_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, hash, LN_KEY_BYTES);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, address);
	lni_bind_text(&q, 4, agent);
	lni_bind_int(&q, 5, now_ms);
	lni_bind_int(&q, 6, now_ms + LN_SESSION_MS);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
purge(struct ln_store *st, int64_t now_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_PURGE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, now_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
trim(struct ln_store *st, const char *user_id,
    const unsigned char hash[LN_KEY_BYTES], struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_TRIM, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_blob(&q, 2, hash, LN_KEY_BYTES);
	lni_bind_int(&q, 3, LN_SESSION_PER_USER);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_session_create(struct ln_store *st, const char *user_id,
    const char *address, const char *agent,
    char out_cookie[LN_SESSION_COOKIE_SIZE], struct ln_error *err)
{
	unsigned char id[ID_BYTES], mac[LN_KEY_BYTES], hash[LN_KEY_BYTES];
	char *clean_address = NULL, *clean_agent = NULL;
	const struct ln_keys *keys;
	int64_t now_ms = ln_time_now_ms();
	enum ln_status s;

	memset(out_cookie, 0, LN_SESSION_COOKIE_SIZE);
	if ((s = need_keys(st, &keys, err)) != LN_OK)
		return s;
	ln_random(id, sizeof(id));
	cookie_mac(keys, id, mac);
	row_hash(keys, id, hash);
	if ((s = clean(address, ADDRESS_MAX, &clean_address, err)) != LN_OK)
		goto out;
	if ((s = clean(agent, AGENT_MAX, &clean_agent, err)) != LN_OK)
		goto out;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = purge(st, now_ms, err)) != LN_OK)
		goto end;
	s = insert(st, hash, user_id, clean_address, clean_agent, now_ms, err);
	if (s != LN_OK)
		goto end;
	s = trim(st, user_id, hash, err);
end:
	s = lni_tx_end(st, s, err);
	if (s != LN_OK)
		goto out;
	memcpy(out_cookie, PREFIX, PREFIX_LEN);
	if (ln_b64url_encode(id, sizeof(id), out_cookie + PREFIX_LEN,
	    PART_LEN + 1) == NULL ||
	    ln_b64url_encode(mac, sizeof(mac), out_cookie + MAC_AT,
	    PART_LEN + 1) == NULL)
		s = ln_fail(err, LN_INTERNAL, "", "session cookie");
	out_cookie[MAC_AT - 1] = '.';
out:
	ln_wipe(id, sizeof(id));
	ln_wipe(mac, sizeof(mac));
	ln_free(clean_address);
	ln_free(clean_agent);
	return s;
}

bool
ln_session_verify(const struct ln_keys *keys, const char *cookie,
    unsigned char out_hash[LN_KEY_BYTES])
{
	unsigned char id[ID_BYTES], theirs[LN_KEY_BYTES], ours[LN_KEY_BYTES];
	bool is_ours = false;
	size_t n;

	memset(out_hash, 0, LN_KEY_BYTES);
	if (strnlen(cookie, COOKIE_LEN + 1) != COOKIE_LEN ||
	    memcmp(cookie, PREFIX, PREFIX_LEN) != 0 ||
	    cookie[MAC_AT - 1] != '.')
		return false;
	if (!ln_b64url_decode(cookie + PREFIX_LEN, PART_LEN, id, sizeof(id),
	    &n) || n != sizeof(id))
		goto out;
	if (!ln_b64url_decode(cookie + MAC_AT, PART_LEN, theirs,
	    sizeof(theirs), &n) || n != sizeof(theirs))
		goto out;
	cookie_mac(keys, id, ours);
	if (!ln_secret_equal(ours, theirs, sizeof(ours)))
		goto out;
	row_hash(keys, id, out_hash);
	is_ours = true;
out:
	ln_wipe(id, sizeof(id));
	ln_wipe(ours, sizeof(ours));
	return is_ours;
}

enum ln_status
ln_session_user(struct ln_store *st, const char *cookie,
    unsigned char out_hash[LN_KEY_BYTES], struct ln_user **out_user,
    struct ln_error *err)
{
	const struct ln_keys *keys;
	enum ln_status s;

	*out_user = NULL;
	memset(out_hash, 0, LN_KEY_BYTES);
	if ((s = need_keys(st, &keys, err)) != LN_OK)
		return s;
	if (!ln_session_verify(keys, cookie, out_hash))
		return ln_fail(err, LN_UNAUTHENTICATED, "", "not our cookie");
	return ln_session_user_by_hash(st, out_hash, out_user, err);
}

enum ln_status
ln_session_user_by_hash(struct ln_store *st,
    const unsigned char hash[LN_KEY_BYTES], struct ln_user **out_user,
    struct ln_error *err)
{
	int64_t now_ms = ln_time_now_ms();
	struct lni_stmt q;
	enum ln_status s;

	*out_user = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_USER, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, hash, LN_KEY_BYTES);
	lni_bind_int(&q, 2, now_ms);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = lni_user_row(&q, now_ms, out_user, err);
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return ln_fail(err, LN_UNAUTHENTICATED, "", "no such session");
	return s;
}

enum ln_status
ln_session_end(struct ln_store *st, const unsigned char hash[LN_KEY_BYTES],
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_END, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, hash, LN_KEY_BYTES);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_session_end_user(struct ln_store *st, const char *user_id,
    const unsigned char *keep, int64_t *out_count, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if (out_count != NULL)
		*out_count = 0;
	if ((s = lni_stmt_get(&q, st, SQL_END_USER, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	if (keep != NULL)
		lni_bind_blob(&q, 2, keep, LN_KEY_BYTES);
	if ((s = lni_stmt_done(&q, err)) == LN_OK && out_count != NULL)
		*out_count = lni_changes(st);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_session_end_all(struct ln_store *st, int64_t *out_count,
    struct ln_error *err)
{
	enum ln_status s;

	if (out_count != NULL)
		*out_count = 0;
	if ((s = lni_exec(st, SQL_END_ALL, err)) == LN_OK && out_count != NULL)
		*out_count = lni_changes(st);
	return s;
}

static void
session_free(struct ln_session *session)
{
	if (session == NULL)
		return;
	free(session->user_id);
	free(session->address);
	free(session->agent);
	free(session);
}

static enum ln_status
session_row(struct lni_stmt *q, struct ln_session **out, struct ln_error *err)
{
	struct ln_session *session;
	enum ln_status s = LN_OK;
	const void *hash;
	size_t n;

	*out = NULL;
	if ((session = calloc(1, sizeof(*session))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "session record");
	hash = lni_col_blob(q, 0, &n);
	if (hash == NULL || n != sizeof(session->hash)) {
		session_free(session);
		return ln_fail(err, LN_CORRUPT, "", "session hash");
	}
	memcpy(session->hash, hash, n);
	session->user_id = lni_col_dup(q, 1, &s);
	session->address = lni_col_dup(q, 2, &s);
	session->agent = lni_col_dup(q, 3, &s);
	session->created_ms = lni_col_int(q, 4);
	session->expires_ms = lni_col_int(q, 5);
	if (s != LN_OK) {
		session_free(session);
		return ln_fail(err, s, "", "session record");
	}
	*out = session;
	return LN_OK;
}

void
ln_session_list_free(struct ln_session_list *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->count; i++)
		session_free(l->items[i]);
	free(l->items);
	memset(l, 0, sizeof(*l));
}

enum ln_status
ln_session_list(struct ln_store *st, const char *user_id,
    struct ln_session_list *out, struct ln_error *err)
{
	struct ln_session **grown;
	struct lni_stmt q;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, ln_time_now_ms());
	/* LN_SESSION_PER_USER rows at most: growing by one is fine. */
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		grown = realloc(out->items, (out->count + 1) * sizeof(*grown));
		if (grown == NULL) {
			s = ln_fail(err, LN_NOMEM, "", "session list");
			break;
		}
		out->items = grown;
		s = session_row(&q, &out->items[out->count], err);
		if (s != LN_OK)
			break;
		out->count++;
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
	ln_session_list_free(out);
	return s;
}

#include "store/retired.h"

#include <sodium.h>

#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_GET[] = "SELECT 1 FROM retired_key WHERE hash = ?1";
static const char SQL_ADD[] =
    "INSERT INTO retired_key(hash, retired_ms) VALUES (?1, ?2)";

static void
hash_of(const struct ln_keys *keys, unsigned char out[LN_KEY_BYTES])
{
	static const char label[] = "ln-retired-key-v1";

	crypto_generichash(out, LN_KEY_BYTES, (const unsigned char *)label,
	    sizeof(label) - 1, keys->audit, sizeof(keys->audit));
}

enum ln_status
lni_retired_check(struct ln_store *st, struct ln_error *err)
{
	const struct ln_keys *keys = ln_store_keys(st);
	unsigned char hash[LN_KEY_BYTES];
	struct lni_stmt q;
	enum ln_status s;

	if (keys == NULL)
		return LN_OK;
	hash_of(keys, hash);
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, hash, sizeof(hash));
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
	if (s == LN_OK)
		s = ln_fail(err, LN_BAD_KEY,
		    "This SECRET_KEY was replaced by another one",
		    "retired key");
	return s;
}

enum ln_status
lni_retired_add(struct ln_store *st, const struct ln_keys *keys,
    struct ln_error *err)
{
	unsigned char hash[LN_KEY_BYTES];
	struct lni_stmt q;
	enum ln_status s;

	hash_of(keys, hash);
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, hash, sizeof(hash));
	lni_bind_int(&q, 2, ln_time_now_ms());
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

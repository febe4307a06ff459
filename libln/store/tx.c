#include "store/stmt.h"

#include <assert.h>

#include <ln/log.h>

#include "store/search.h"
#include "store/store.h"

#include "base/banned.h"

static const char SQL_BEGIN[] = "BEGIN IMMEDIATE";
static const char SQL_BEGIN_READ[] = "BEGIN";
static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";
/* Savepoints nest under one name: the innermost is always meant. */
static const char SQL_SAVE[] = "SAVEPOINT ln";
static const char SQL_RELEASE[] = "RELEASE ln";
static const char SQL_ROLLBACK_TO[] = "ROLLBACK TO ln";

enum ln_status
lni_tx_begin(struct ln_store *st, struct ln_error *err)
{
	enum ln_status s;

	s = lni_exec(st, st->tx_depth == 0 ? SQL_BEGIN : SQL_SAVE, err);
	if (s == LN_OK)
		st->tx_depth++;
	return s;
}

/* The first failure is the one to report: rolling back keeps its own quiet. */
static void
roll_back(struct ln_store *st)
{
	if (st->tx_depth > 0) {
		(void)!lni_exec(st, SQL_ROLLBACK_TO, NULL);
		(void)!lni_exec(st, SQL_RELEASE, NULL);
	} else if (sqlite3_get_autocommit(st->db) == 0) {
		(void)!lni_exec(st, SQL_ROLLBACK, NULL);
	}
}

enum ln_status
lni_tx_end(struct ln_store *st, enum ln_status s, struct ln_error *err)
{
	assert(st->tx_depth > 0);
	if (s == LN_OK && st->tx_depth == 1)
		s = lni_search_settle(st, err);
	st->tx_depth--;
	if (s == LN_OK) {
		s = lni_exec(st, st->tx_depth == 0 ? SQL_COMMIT : SQL_RELEASE,
		    err);
		if (s == LN_OK)
			return LN_OK;
	}
	roll_back(st);
	return s;
}

bool
lni_tx_is_alive(const struct ln_store *st)
{
	return sqlite3_get_autocommit(st->db) == 0;
}

enum ln_status
lni_read_begin(struct ln_store *st, struct ln_error *err)
{
	enum ln_status s = LN_OK;

	if (st->tx_depth == 0)
		s = lni_exec(st, SQL_BEGIN_READ, err);
	if (s == LN_OK)
		st->tx_depth++;
	return s;
}

void
lni_read_end(struct ln_store *st)
{
	assert(st->tx_depth > 0);
	st->tx_depth--;
	/* Nothing was written, so ending it cannot lose anything. */
	if (st->tx_depth == 0)
		(void)!lni_exec(st, SQL_COMMIT, NULL);
}

void
lni_store_keys_set(struct ln_store *st, const struct ln_keys *keys)
{
	st->keys = keys;
}

enum ln_status
lni_store_scrub_begin(struct ln_store *st, struct ln_error *err)
{
	static const char SQL_SECURE[] = "PRAGMA secure_delete=ON";

	return lni_exec(st, SQL_SECURE, err);
}

void
lni_store_scrub_end(struct ln_store *st)
{
	int rc;

	rc = sqlite3_wal_checkpoint_v2(st->db, "main",
	    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc != SQLITE_OK)
		ln_log(LN_LOG_INFO, "store.checkpoint", "after=scrub rc=%d",
		    rc);
}

enum ln_status
ln_store_transaction(struct ln_store *st,
    enum ln_status (*fn)(struct ln_store *, void *, struct ln_error *),
    void *arg, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = fn(st, arg, err);
	return lni_tx_end(st, s, err);
}

#include "store/search.h"

#include <stdio.h>

#include "store/scratch.h"
#include "store/stmt.h"
#include "store/store.h"
#include "store/swap.h"

#include "base/banned.h"

/* Whether each entry is where it belongs, and nothing else is. */
static const struct {
	const char *sql;
	const char *what;
} counts[] = {
	{ "SELECT count(*) FROM message m WHERE m.state <> 'streaming'"
	    " AND m.role IN ('user', 'assistant') AND NOT EXISTS"
	    " (SELECT 1 FROM search_doc d WHERE d.message_id = m.id)",
	    "messages that it does not know" },
	{ "SELECT count(*) FROM conversation c WHERE NOT EXISTS (SELECT 1"
	    " FROM search_doc d WHERE d.conversation_id = c.id)",
	    "titles that it does not know" },
	{ "SELECT count(*) FROM search_doc d WHERE d.message_id IS NOT NULL"
	    " AND NOT EXISTS (SELECT 1 FROM message m JOIN conversation c"
	    " ON c.id = m.conversation_id JOIN search_owner o"
	    " ON o.user_id = c.user_id WHERE m.id = d.message_id"
	    " AND m.state <> 'streaming' AND o.number = d.id >> 40)",
	    "entries of messages that are gone" },
	{ "SELECT count(*) FROM search_doc d WHERE d.message_id IS NULL"
	    " AND NOT EXISTS (SELECT 1 FROM conversation c JOIN search_owner o"
	    " ON o.user_id = c.user_id WHERE c.id = d.conversation_id"
	    " AND o.number = d.id >> 40)",
	    "entries of conversations that are gone" },
	{ "SELECT count(*) FROM search_doc d WHERE NOT EXISTS"
	    " (SELECT 1 FROM message_fts_docsize s WHERE s.id = d.id)",
	    "entries without words" },
	{ "SELECT count(*) FROM message_fts_docsize s WHERE NOT EXISTS"
	    " (SELECT 1 FROM search_doc d WHERE d.id = s.id)",
	    "words of entries that are gone" },
	{ "SELECT count(*) FROM search_doc d WHERE NOT EXISTS"
	    " (SELECT 1 FROM message_fts_tri_docsize s WHERE s.id = d.id)",
	    "entries without parts of words" },
	{ "SELECT count(*) FROM message_fts_tri_docsize s WHERE NOT EXISTS"
	    " (SELECT 1 FROM search_doc d WHERE d.id = s.id)",
	    "parts of words of entries that are gone" },
	{ "SELECT count(*) FROM search_queue",
	    "notes that were not settled" },
};

/* The rank says whether to compare with the text, too. */
static const struct {
	const char *structure;
	const char *whole;
	const char *what;
} indexes[] = {
	{ "INSERT INTO message_fts(message_fts) VALUES ('integrity-check')",
	    "INSERT INTO message_fts(message_fts, rank)"
	    " VALUES ('integrity-check', 1)",
	    "search index: the words disagree with the messages" },
	{ "INSERT INTO message_fts_tri(message_fts_tri)"
	    " VALUES ('integrity-check')",
	    "INSERT INTO message_fts_tri(message_fts_tri, rank)"
	    " VALUES ('integrity-check', 1)",
	    "search index: the parts of words disagree with the messages" },
	{ "INSERT INTO chunk_fts(chunk_fts) VALUES ('integrity-check')",
	    "INSERT INTO chunk_fts(chunk_fts, rank)"
	    " VALUES ('integrity-check', 1)",
	    "search index: the words disagree with the documents" },
};

struct findings {
	void (*fn)(void *arg, const char *problem);
	void *arg;
	int *count;
};

static void
found(struct findings *f, const char *problem)
{
	(*f->count)++;
	if (f->fn != NULL)
		f->fn(f->arg, problem);
}

static enum ln_status
check_entries(struct ln_store *st, struct findings *f, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s = LN_OK;
	char line[160];
	int64_t n = 0;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if ((s = lni_stmt_get(&q, st, counts[i].sql, err)) != LN_OK)
			return s;
		if ((s = lni_stmt_row(&q, err)) == LN_OK)
			n = lni_col_int(&q, 0);
		lni_stmt_put(&q);
		if (s != LN_OK)
			return s;
		if (n == 0)
			continue;
		(void)snprintf(line, sizeof(line), "search index: %lld %s",
		    (long long)n, counts[i].what);
		found(f, line);
	}
	return LN_OK;
}

static enum ln_status
check_words(sqlite3 *db, bool is_full, struct findings *f,
    struct ln_error *err)
{
	size_t i;
	int rc;

	for (i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		rc = sqlite3_exec(db, is_full ? indexes[i].whole :
		    indexes[i].structure, NULL, NULL, NULL);
		if ((rc & 0xff) == SQLITE_CORRUPT)
			found(f, indexes[i].what);
		else if (rc != SQLITE_OK)
			return lni_sqlite_fail(db, rc, err);
	}
	return LN_OK;
}

/* The check is a command to a table, so only a writer may give it: on the
 * file itself it would keep everybody else from writing. */
static enum ln_status
check_copy(struct ln_store *st, struct findings *f, struct ln_error *err)
{
	char path[LNI_PATH_MAX];
	struct lni_scratch sc = { .fd = -1 };
	sqlite3 *copy = NULL;
	enum ln_status s;

	if (lni_scratch_make(st->path, "check", &sc, err) != LN_OK &&
	    (s = lni_scratch_make(NULL, "check", &sc, err)) != LN_OK)
		return s;
	if ((s = lni_scratch_file(&sc, LNI_SCRATCH_COPY, path, NULL, err)) ==
	    LN_OK &&
	    (s = lni_open_plain(path, false, st->busy_ms, &copy, err)) ==
	    LN_OK &&
	    (s = lni_backup(copy, st->db, st->busy_ms, NULL, NULL, err)) ==
	    LN_OK)
		s = check_words(copy, true, f, err);
	sqlite3_close(copy);
	lni_scratch_remove(&sc);
	return s;
}

enum ln_status
lni_search_check(struct ln_store *st, bool is_full,
    void (*fn)(void *arg, const char *problem), void *arg, int *out_count,
    struct ln_error *err)
{
	struct findings f = { fn, arg, out_count };
	int before = *out_count;
	enum ln_status s;

	s = check_entries(st, &f, err);
	/* What is missing by name need not be looked for by word. */
	if (s != LN_OK || *out_count > before)
		return s;
	if (st->mode != LN_STORE_RO)
		return check_words(st->db, is_full, &f, err);
	return is_full ? check_copy(st, &f, err) : LN_OK;
}

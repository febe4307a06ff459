/* The handbook (docs/handbook), searchable: one row a section. */
#include "model/search.h"

#include <string.h>

#include <ln/buf.h>

#include "store/embed.h"
#include "store/stmt.h"

#include "base/banned.h"

#define SECTION_MAX ((size_t)64 * 1024)	/* bytes of one section */

static const char SQL_IS_THERE[] =
    "SELECT 1 FROM temp.sqlite_master WHERE name = 'handbook'";
static const char SQL_CREATE[] =
    "CREATE VIRTUAL TABLE temp.handbook USING fts5("
    "chapter UNINDEXED, heading, body,"
    " tokenize = 'porter unicode61 remove_diacritics 2')";
static const char SQL_ADD[] =
    "INSERT INTO temp.handbook(chapter, heading, body) VALUES (?1, ?2, ?3)";
/* A heading says what its section is about: it weighs more. */
static const char SQL_SEARCH[] =
    "SELECT chapter, heading, body FROM temp.handbook"
    " WHERE handbook MATCH ?1 ORDER BY bm25(handbook, 0.0, 4.0, 1.0) LIMIT ?2";
/* Not a transaction of lni_tx_begin, which would wait for the right to write
 * to the database: only a temporary table is written here. */
static const char SQL_SAVE[] = "SAVEPOINT handbook";
static const char SQL_UNDO[] = "ROLLBACK TO handbook";
static const char SQL_RELEASE[] = "RELEASE handbook";

struct section {
	struct ln_buf chapter;
	struct ln_buf heading;
	struct ln_buf body;
};

static enum ln_status
add_section(struct ln_store *st, struct section *sec, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if (sec->body.len == 0)
		return LN_OK;
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, ln_buf_str(&sec->chapter));
	lni_bind_text(&q, 2, ln_buf_str(&sec->heading));
	lni_bind_text(&q, 3, ln_buf_str(&sec->body));
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	ln_buf_clear(&sec->body);
	return s;
}

static void
set(struct ln_buf *b, const char *p, size_t n)
{
	ln_buf_clear(b);
	ln_buf_put(b, p, n);
}

/* "# Chapter", "## Section", and text. */
static enum ln_status
add_file(struct ln_store *st, const char *p, struct section *sec,
    struct ln_error *err)
{
	enum ln_status s = LN_OK;
	size_t n;

	for (; s == LN_OK && *p != '\0'; p += n + (p[n] == '\n' ? 1 : 0)) {
		n = strcspn(p, "\n");
		if (n > 2 && memcmp(p, "# ", 2) == 0) {
			s = add_section(st, sec, err);
			set(&sec->chapter, p + 2, n - 2);
			set(&sec->heading, p + 2, n - 2);
		} else if (n > 3 && memcmp(p, "## ", 3) == 0) {
			s = add_section(st, sec, err);
			set(&sec->heading, p + 3, n - 3);
		} else if (n > 0) {
			if (sec->body.len > 0)
				ln_buf_putc(&sec->body, '\n');
			ln_buf_put(&sec->body, p, n);
		}
	}
	if (s == LN_OK)
		s = add_section(st, sec, err);
	return s;
}

static enum ln_status
fill(struct ln_store *st, struct ln_error *err)
{
	struct section sec = {
		LN_BUF_INIT(SECTION_MAX), LN_BUF_INIT(SECTION_MAX),
		LN_BUF_INIT(SECTION_MAX),
	};
	enum ln_status s;
	size_t i;

	s = lni_exec(st, SQL_CREATE, err);
	for (i = 0; s == LN_OK && i < lni_handbook_count; i++)
		s = add_file(st, (const char *)lni_handbook[i].data, &sec,
		    err);
	ln_buf_free(&sec.chapter);
	ln_buf_free(&sec.heading);
	ln_buf_free(&sec.body);
	return s;
}

static enum ln_status
prepare(struct ln_store *st, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_IS_THERE, err)) != LN_OK)
		return s;
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	if (s != LN_NOT_FOUND)
		return s;
	if ((s = lni_exec(st, SQL_SAVE, err)) != LN_OK)
		return s;
	s = fill(st, err);
	/* The first failure is the one to report. */
	if (s != LN_OK)
		(void)!lni_exec(st, SQL_UNDO, NULL);
	if (s != LN_OK)
		(void)!lni_exec(st, SQL_RELEASE, NULL);
	else
		s = lni_exec(st, SQL_RELEASE, err);
	return s;
}

enum ln_status
lni_search_handbook(struct ln_store *st, const char *query, int64_t limit,
    lni_passage_fn *fn, void *arg, struct ln_error *err)
{
	struct lni_passage p = { .role = LN_MESSAGE_SYSTEM };
	struct lni_stmt q;
	enum ln_status s;

	if ((s = prepare(st, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_SEARCH, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, query);
	lni_bind_int(&q, 2, limit);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		p.source = lni_col_text(&q, 0);
		p.heading = lni_col_text(&q, 1);
		p.text = lni_col_text(&q, 2);
		if (p.source == NULL || p.heading == NULL || p.text == NULL)
			s = ln_fail(err, LN_NOMEM, "", "handbook row");
		else
			s = fn(arg, &p, err);
		if (s != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

#include "model/document.h"

#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>
#include <ln/text.h>
#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define PART_BYTES ((size_t)1024 * 1024)
#define PARTS_A_TIME 4		/* of one transaction: others write, too */
#define NAME_BYTES_MAX ((size_t)4 * LN_DOCUMENT_NAME_MAX)
#define ENDING_MAX 16		/* bytes of an ending that is kept */

/* The wall: a document is the user's when its project is. */
#define OWNED								\
	" FROM document d JOIN project p ON p.id = d.project_id"	\
	" WHERE p.user_id = ?1 AND d.project_id = ?2"

static const char SQL_OWNS[] =
    "SELECT 1 FROM project WHERE user_id = ?1 AND id = ?2";
static const char SQL_LIST[] =
    "SELECT " LNI_DOCUMENT_COLUMNS OWNED " ORDER BY d.id DESC";
static const char SQL_GET[] =
    "SELECT " LNI_DOCUMENT_COLUMNS OWNED " AND d.id = ?3";
static const char SQL_COUNT[] =
    "SELECT count(*) FROM document WHERE project_id = ?1";
static const char SQL_SUM[] =
    "SELECT coalesce(sum(d.bytes), 0) FROM document d"
    " JOIN project p ON p.id = d.project_id WHERE p.user_id = ?1";
static const char SQL_ADD[] =
    "INSERT INTO document(project_id, filename, content, bytes, source_url,"
    " holder, beat_ms, created_ms) VALUES (?1, ?2, '', ?3, ?4, ?5, ?6, ?6)";
static const char SQL_ADD_PART[] =
    "INSERT INTO document_file(document_id, part, bytes)"
    " SELECT id, ?3, ?4 FROM document WHERE id = ?1 AND holder = ?2";
static const char SQL_BEAT[] =
    "UPDATE document SET beat_ms = ?3 WHERE id = ?1 AND holder = ?2";
static const char SQL_LET_GO[] =
    "UPDATE document SET holder = NULL, beat_ms = NULL"
    " WHERE id = ?1 AND holder = ?2";
static const char SQL_DELETE[] =
    "DELETE FROM document WHERE id = ?3 AND project_id ="
    " (SELECT id FROM project WHERE user_id = ?1 AND id = ?2)";

const char *const lni_document_sql[] = { SQL_OWNS, SQL_LIST, SQL_GET,
	SQL_COUNT, SQL_SUM, SQL_ADD, SQL_ADD_PART, SQL_BEAT, SQL_LET_GO,
	SQL_DELETE };
const size_t lni_document_sql_count =
    sizeof(lni_document_sql) / sizeof(lni_document_sql[0]);

static const char *const state_names[] = {
	[LN_DOCUMENT_QUEUED] = "queued",
	[LN_DOCUMENT_READING] = "reading",
	[LN_DOCUMENT_READY] = "ready",
	[LN_DOCUMENT_FAILED] = "failed",
};

static const char *const vectors_names[] = {
	[LN_VECTORS_NONE] = "none",
	[LN_VECTORS_WORKING] = "working",
	[LN_VECTORS_READY] = "ready",
	[LN_VECTORS_FAILED] = "failed",
	[LN_VECTORS_SKIPPED] = "skipped",
};

const char *
ln_document_state_name(enum ln_document_state state)
{
	return state_names[state];
}

const char *
ln_vectors_name(enum ln_vectors v)
{
	return vectors_names[v];
}

void
ln_document_free(struct ln_document *d)
{
	if (d == NULL)
		return;
	free(d->project_id);
	free(d->filename);
	free(d->reason);
	free(d->type);
	free(d->source_url);
	free(d->vectors_reason);
	free(d);
}

void
ln_document_list_free(struct ln_document_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		ln_document_free(l->items[i]);
	free(l->items);
	*l = (struct ln_document_list){ NULL, 0 };
}

/* --- reading -------------------------------------------------------------- */

static bool
state_parse(const char *s, enum ln_document_state *out)
{
	size_t i;

	for (i = 0; s != NULL &&
	    i < sizeof(state_names) / sizeof(state_names[0]); i++) {
		if (strcmp(state_names[i], s) == 0) {
			*out = (enum ln_document_state)i;
			return true;
		}
	}
	return false;
}

/* No row says nothing of them. */
static enum ln_vectors
vectors_parse(const char *s)
{
	size_t i;

	for (i = 0; s != NULL &&
	    i < sizeof(vectors_names) / sizeof(vectors_names[0]); i++) {
		if (strcmp(vectors_names[i], s) == 0)
			return (enum ln_vectors)i;
	}
	return LN_VECTORS_NONE;
}

enum ln_status
lni_document_from_row(struct lni_stmt *q, struct ln_document **out,
    struct ln_error *err)
{
	struct ln_document *d;
	enum ln_status s = LN_OK;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "document row");
	d->id = lni_col_int(q, 0);
	d->project_id = lni_col_dup(q, 1, &s);
	d->filename = lni_col_dup(q, 2, &s);
	if (!state_parse(lni_col_text(q, 3), &d->state))
		s = LN_CORRUPT;
	d->reason = lni_col_dup(q, 4, &s);
	d->type = lni_col_dup(q, 5, &s);
	d->source_url = lni_col_dup(q, 6, &s);
	d->bytes = lni_col_int(q, 7);
	d->chunk_count = lni_col_int(q, 8);
	d->page_count = lni_col_int(q, 9);
	d->created_ms = lni_col_int(q, 10);
	d->vectors = vectors_parse(lni_col_text(q, 11));
	d->vectors_reason = lni_col_dup(q, 12, &s);
	if (s != LN_OK) {
		ln_document_free(d);
		return ln_fail(err, s, "", "document row");
	}
	*out = d;
	return LN_OK;
}

static enum ln_status
check_owner(struct ln_store *st, const char *user_id, const char *project_id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_OWNS, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, project_id);
	if ((s = lni_stmt_row(&q, err)) == LN_NOT_FOUND)
		s = ln_fail(err, s, "There is no such project",
		    "project %.64s", project_id);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
append(struct ln_document_list *l, struct ln_document *d,
    struct ln_error *err)
{
	struct ln_document **items;

	items = realloc(l->items, (l->count + 1) * sizeof(*items));
	if (items == NULL) {
		ln_document_free(d);
		return ln_fail(err, LN_NOMEM, "", "%zu documents", l->count);
	}
	l->items = items;
	l->items[l->count++] = d;
	return LN_OK;
}

static enum ln_status
list(struct ln_store *st, const char *user_id, const char *project_id,
    struct ln_document_list *out, struct ln_error *err)
{
	struct ln_document *d;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, project_id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = lni_document_from_row(&q, &d, err)) != LN_OK ||
		    (s = append(out, d, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_document_list(struct ln_store *st, const char *user_id,
    const char *project_id, struct ln_document_list *out,
    struct ln_error *err)
{
	enum ln_status s;

	*out = (struct ln_document_list){ NULL, 0 };
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	if ((s = check_owner(st, user_id, project_id, err)) == LN_OK)
		s = list(st, user_id, project_id, out, err);
	lni_read_end(st);
	if (s != LN_OK)
		ln_document_list_free(out);
	return s;
}

enum ln_status
ln_document_get(struct ln_store *st, const char *user_id,
    const char *project_id, int64_t id, struct ln_document **out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, project_id);
	lni_bind_int(&q, 3, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = lni_document_from_row(&q, out, err);
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		s = ln_fail(err, s, "There is no such document",
		    "document %lld", (long long)id);
	return s;
}

/* --- names ---------------------------------------------------------------- */

static const char *
last_part(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++) {
		if (*p == '/' || *p == '\\')
			name = p + 1;
	}
	return name;
}

/* The bytes of the first ${points} code points of ${s}. */
static size_t
prefix_of_points(const char *s, size_t points)
{
	size_t i = 0;

	while (s[i] != '\0' && points > 0) {
		do
			i++;
		while (((unsigned char)s[i] & 0xc0) == 0x80);
		points--;
	}
	return i;
}

/* Cut in the middle, so that the ending still says what it is. */
static void
put_short(struct ln_buf *b, const char *s)
{
	const char *ending = strrchr(s, '.');
	size_t n;

	if (ln_utf8_count(s) <= LN_DOCUMENT_NAME_MAX) {
		ln_buf_puts(b, s);
		return;
	}
	if (ending == NULL || strlen(ending) > ENDING_MAX)
		ending = "";
	n = prefix_of_points(s, LN_DOCUMENT_NAME_MAX - ln_utf8_count(ending));
	ln_buf_put(b, s, n);
	ln_buf_puts(b, ending);
}

/* A file name that anybody may read: no path, nothing that drives a terminal,
 * and valid for an import (see LNI_COL_NAME). */
static enum ln_status
clean_name(const char *name, char **out, struct ln_error *err)
{
	struct ln_buf plain = LN_BUF_INIT(SIZE_MAX / 2);
	struct ln_buf b = LN_BUF_INIT(NAME_BYTES_MAX + ENDING_MAX);
	char *trimmed = NULL, *p;
	enum ln_status s;

	*out = NULL;
	name = last_part(name != NULL ? name : "");
	ln_text_terminal(name, strlen(name), &plain);
	for (p = plain.data; p != NULL && *p != '\0'; p++) {
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	}
	if ((s = ln_buf_status(&plain)) != LN_OK ||
	    (s = ln_text_trim(ln_buf_str(&plain), &trimmed, err)) != LN_OK)
		goto out;
	if (trimmed[strspn(trimmed, ".")] == '\0')
		ln_buf_puts(&b, "document");
	else
		put_short(&b, trimmed);
	if ((s = ln_buf_status(&b)) == LN_OK &&
	    (*out = ln_buf_steal(&b)) == NULL)
		s = LN_NOMEM;
out:
	if (s != LN_OK)
		(void)ln_fail(err, s, "", "name of a document");
	ln_free(trimmed);
	ln_buf_free(&plain);
	ln_buf_free(&b);
	return s;
}

/* --- adding --------------------------------------------------------------- */

static enum ln_status
number(struct ln_store *st, const char *sql, const char *arg, int64_t *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, arg);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
check_room(struct ln_store *st, const char *user_id, const char *project_id,
    size_t bytes, struct ln_error *err)
{
	int64_t n;
	enum ln_status s;

	if ((s = number(st, SQL_COUNT, project_id, &n, err)) != LN_OK)
		return s;
	if (n >= LN_DOCUMENT_COUNT_MAX)
		return ln_fail(err, LN_TOO_LARGE,
		    "The project has too many documents. Delete one first",
		    "%lld documents", (long long)n);
	if ((s = number(st, SQL_SUM, user_id, &n, err)) != LN_OK)
		return s;
	if (n > LN_DOCUMENT_SUM_MAX - (int64_t)bytes)
		return ln_fail(err, LN_TOO_LARGE,
		    "Your documents take too much room. Delete some first",
		    "%lld bytes", (long long)n);
	return LN_OK;
}

static enum ln_status
insert(struct ln_store *st, const char *project_id, const char *filename,
    const char *holder, const struct ln_document_new *d, int64_t *out_id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, project_id);
	lni_bind_text(&q, 2, filename);
	lni_bind_int(&q, 3, (int64_t)d->bytes_count);
	lni_bind_text(&q, 4, d->source_url);
	lni_bind_text(&q, 5, holder);
	lni_bind_int(&q, 6, ln_time_now_ms());
	if ((s = lni_stmt_done(&q, err)) == LN_OK)
		*out_id = lni_last_id(st);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
begin(struct ln_store *st, const char *user_id, const char *project_id,
    const char *holder, const struct ln_document_new *d, int64_t *out_id,
    struct ln_error *err)
{
	char *filename = NULL;
	enum ln_status s;

	if ((s = clean_name(d->filename, &filename, err)) != LN_OK)
		return s;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = check_owner(st, user_id, project_id, err)) == LN_OK &&
	    (s = check_room(st, user_id, project_id, d->bytes_count, err)) ==
	    LN_OK)
		s = insert(st, project_id, filename, holder, d, out_id, err);
	s = lni_tx_end(st, s, err);
out:
	ln_free(filename);
	return s;
}

/* ${sql} is for the holder alone: it changes nothing of others. */
static enum ln_status
held(struct ln_store *st, const char *sql, int64_t id, const char *holder,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, holder);
	if (sql == SQL_BEAT)
		lni_bind_int(&q, 3, ln_time_now_ms());
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK && lni_changes(st) == 0)
		s = ln_fail(err, LN_CANCELLED,
		    "The document was deleted meanwhile", "document %lld",
		    (long long)id);
	return s;
}

enum ln_status
lni_document_beat(struct ln_store *st, int64_t id, const char *holder,
    struct ln_error *err)
{
	return held(st, SQL_BEAT, id, holder, err);
}

static enum ln_status
add_part(struct ln_store *st, int64_t id, const char *holder, size_t part,
    const struct ln_document_new *d, struct ln_error *err)
{
	size_t from = part * PART_BYTES, n = d->bytes_count - from;
	struct lni_stmt q;
	enum ln_status s;

	if (n > PART_BYTES)
		n = PART_BYTES;
	if ((s = lni_stmt_get(&q, st, SQL_ADD_PART, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, holder);
	lni_bind_int(&q, 3, (int64_t)part);
	lni_bind_blob(&q, 4, (const char *)d->bytes + from, n);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
add_parts(struct ln_store *st, int64_t id, const char *holder,
    const struct ln_document_new *d, struct ln_error *err)
{
	size_t count = (d->bytes_count + PART_BYTES - 1) / PART_BYTES;
	size_t part = 0, stop;
	enum ln_status s = LN_OK;

	while (part < count && s == LN_OK) {
		if ((s = lni_tx_begin(st, err)) != LN_OK)
			return s;
		s = held(st, SQL_BEAT, id, holder, err);
		stop = part + PARTS_A_TIME < count ? part + PARTS_A_TIME :
		    count;
		for (; part < stop && s == LN_OK; part++)
			s = add_part(st, id, holder, part, d, err);
		if (s == LN_OK && part == count)
			s = held(st, SQL_LET_GO, id, holder, err);
		s = lni_tx_end(st, s, err);
	}
	return s;
}

enum ln_status
ln_document_add(struct ln_store *st, const char *user_id,
    const char *project_id, const struct ln_document_new *d,
    struct ln_document **out, struct ln_error *err)
{
	char holder[LNI_HOLDER_SIZE];
	struct ln_error dropped;
	enum ln_status s;
	int64_t id = 0;

	if (out != NULL)
		*out = NULL;
	if (d->bytes_count == 0)
		return ln_fail_field(err, LN_INVALID, "files",
		    "The file is empty", "no bytes");
	if (d->bytes_count > LN_DOCUMENT_FILE_MAX)
		return ln_fail_field(err, LN_TOO_LARGE, "files",
		    "A document can have at most 50 MiB", "%zu bytes",
		    d->bytes_count);
	ln_uuid(holder);
	if ((s = begin(st, user_id, project_id, holder, d, &id, err)) !=
	    LN_OK)
		return s;
	if ((s = add_parts(st, id, holder, d, err)) != LN_OK) {
		/* The first failure is the one to tell; a sweep finds what
		 * this leaves behind. */
		dropped = (struct ln_error)LN_ERROR_INIT;
		(void)!ln_document_delete(st, user_id, project_id, id,
		    &dropped);
		return s;
	}
	if (out != NULL)
		s = ln_document_get(st, user_id, project_id, id, out, err);
	return s;
}

enum ln_status
ln_document_delete(struct ln_store *st, const char *user_id,
    const char *project_id, int64_t id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_DELETE, err)) == LN_OK) {
		lni_bind_text(&q, 1, user_id);
		lni_bind_text(&q, 2, project_id);
		lni_bind_int(&q, 3, id);
		s = lni_stmt_done(&q, err);
		if (s == LN_OK && lni_changes(st) == 0)
			s = ln_fail(err, LN_NOT_FOUND,
			    "There is no such document", "document %lld",
			    (long long)id);
		lni_stmt_put(&q);
	}
	return lni_tx_end(st, s, err);
}

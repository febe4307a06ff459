#include "store/foreign.h"

#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>
#include <ln/text.h>
#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define SCAN_SQL_MAX 4096
#define ID_MAX 64		/* code points, as the schema checks */
#define NAME_MAX_CHARS 128

/* Names come from our own tables of columns, never from the file. */
static enum ln_status
build(const struct lni_scan *sc, struct ln_buf *sql, struct ln_error *err)
{
	const struct lni_table *t = sc->table;
	size_t i;

	ln_buf_puts(sql, "SELECT ");
	ln_buf_puts(sql, t->has_rowid ? "rowid" : "1");
	for (i = 0; i < t->col_count; i++) {
		if ((sc->f->present[sc->index] & UINT32_C(1) << i) != 0 &&
		    t->cols[i].kind != LNI_COL_IGNORED)
			ln_buf_printf(sql, ", \"%s\"", t->cols[i].name);
		else
			ln_buf_puts(sql, ", NULL");
	}
	ln_buf_printf(sql, " FROM main.\"%s\"", t->name);
	if (t->has_rowid)
		ln_buf_puts(sql, " ORDER BY rowid");
	if (ln_buf_status(sql) != LN_OK)
		return ln_fail(err, ln_buf_status(sql), "", "scan of %s",
		    t->name);
	return LN_OK;
}

enum ln_status
lni_scan_open(struct lni_scan *sc, struct lni_foreign *f, size_t table,
    struct ln_error *err)
{
	struct ln_buf sql = LN_BUF_INIT(SCAN_SQL_MAX);
	enum ln_status s;
	int rc;

	memset(sc, 0, sizeof(*sc));
	sc->f = f;
	sc->table = &f->tables[table];
	sc->index = table;
	f->held[table] = 0;
	if (f->present[table] == 0)
		return LN_OK;
	if ((s = build(sc, &sql, err)) == LN_OK) {
		rc = sqlite3_prepare_v2(f->db, ln_buf_str(&sql), -1, &sc->q,
		    NULL);
		if (rc != SQLITE_OK)
			s = lni_foreign_fail(f, rc, sc->table->name, err);
	}
	ln_buf_free(&sql);
	return s;
}

static void
forget(struct lni_scan *sc)
{
	size_t i;

	for (i = 0; i < sc->table->col_count; i++)
		free(sc->v[i].owned);
	memset(sc->v, 0, sizeof(sc->v));
}

void
lni_scan_close(struct lni_scan *sc)
{
	if (sc->table == NULL)
		return;
	forget(sc);
	sqlite3_finalize(sc->q);
	memset(sc, 0, sizeof(*sc));
}

/* --- one value ------------------------------------------------------------ */

static void
find(struct lni_scan *sc, enum lni_finding f)
{
	if (!sc->is_quiet)
		lni_find(sc->f->report, f, sc->table->name, 1);
}

static bool
refuse(struct lni_scan *sc, enum lni_finding f)
{
	find(sc, f);
	return false;
}

/* For ids and names: what could climb out of a folder, break a line or cheat
 * the eye is refused whole. */
static bool
check_name(struct lni_scan *sc, const struct lni_value *v, size_t max,
    enum lni_finding f)
{
	if (v->is_null)
		return true;
	if (v->text == NULL || !ln_utf8_valid(v->text, v->len) ||
	    strlen(v->text) != v->len || ln_text_has_control(v->text) ||
	    strpbrk(v->text, "/\\") != NULL || strcmp(v->text, ".") == 0 ||
	    strcmp(v->text, "..") == 0 || ln_utf8_count(v->text) > max)
		return refuse(sc, f);
	return true;
}

static enum ln_status
repair_text(struct lni_scan *sc, struct lni_value *v, struct ln_error *err)
{
	enum ln_status s;

	if (v->text == NULL || (ln_utf8_valid(v->text, v->len) &&
	    memchr(v->text, '\0', v->len) == NULL))
		return LN_OK;
	if ((s = ln_utf8_repair(v->text, v->len, &v->owned, err)) != LN_OK)
		return s;
	v->text = v->owned;
	v->len = strlen(v->owned);
	find(sc, LNI_F_INVALID_UTF8);
	return LN_OK;
}

static enum ln_status
repair_line(struct lni_scan *sc, struct lni_value *v, struct ln_error *err)
{
	unsigned char *p;
	enum ln_status s;

	if ((s = repair_text(sc, v, err)) != LN_OK || v->text == NULL ||
	    !ln_text_has_control(v->text))
		return s;
	if (v->owned == NULL && (v->owned = strdup(v->text)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "repair_line");
	for (p = (unsigned char *)v->owned; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			*p = ' ';
		} else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			p[0] = ' ';
			p[1] = ' ';
		}
	}
	v->text = v->owned;
	find(sc, LNI_F_CONTROL_CHARACTERS);
	return LN_OK;
}

static void
read_flag(struct lni_value *v, int type)
{
	static const char *const off[] = { "", "0", "false", "no", "off",
		"none", "null" };
	size_t i;

	if (type != SQLITE_TEXT) {
		v->is_odd = v->number != 0 && v->number != 1;
		v->number = v->number != 0;
		return;
	}
	v->number = 1;
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		if (sqlite3_stricmp(v->text, off[i]) == 0)
			v->number = 0;
	}
	v->is_odd = strcmp(v->text, "1") != 0 && strcmp(v->text, "0") != 0;
}

static bool
type_allowed(enum lni_col_kind kind, int type)
{
	switch (kind) {
	case LNI_COL_ROWID:
	case LNI_COL_INT:
		return type == SQLITE_INTEGER;
	case LNI_COL_REAL:
		return type == SQLITE_FLOAT || type == SQLITE_INTEGER;
	case LNI_COL_FLAG:
		return type == SQLITE_INTEGER || type == SQLITE_TEXT;
	case LNI_COL_BLOB:
		return type == SQLITE_BLOB;
	case LNI_COL_ID:
	case LNI_COL_NAME:
	case LNI_COL_LINE:
	case LNI_COL_TEXT:
	case LNI_COL_TIME:
		return type == SQLITE_TEXT;
	case LNI_COL_IGNORED:
		return true;
	}
	return false;
}

/* Sets ${out_ok} to whether the value passed. */
static enum ln_status
check_value(struct lni_scan *sc, size_t i, bool *out_ok, struct ln_error *err)
{
	const struct lni_col *col = &sc->table->cols[i];
	struct lni_value *v = &sc->v[i];
	enum ln_status s = LN_OK;
	int n = (int)i + 1;
	int type = sqlite3_column_type(sc->q, n);

	*out_ok = true;
	v->is_null = type == SQLITE_NULL;
	if (v->is_null) {
		v->is_odd = col->kind == LNI_COL_TIME;
		return LN_OK;
	}
	if (!type_allowed(col->kind, type)) {
		*out_ok = refuse(sc, LNI_F_WRONG_TYPE);
		return LN_OK;
	}
	if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
		v->text = type == SQLITE_TEXT ?
		    (const char *)sqlite3_column_text(sc->q, n) :
		    sqlite3_column_blob(sc->q, n);
		v->len = (size_t)sqlite3_column_bytes(sc->q, n);
		sc->f->bytes_read += (int64_t)v->len;
		if (v->text == NULL && v->len > 0)
			return ln_fail(err, LN_NOMEM, "", "column of %s",
			    sc->table->name);
		if (v->text == NULL)
			v->text = "";
	} else {
		v->number = sqlite3_column_int64(sc->q, n);
		v->real = sqlite3_column_double(sc->q, n);
	}
	switch (col->kind) {
	case LNI_COL_ROWID:
		if (v->number < 1 || v->number > LNI_ROWID_MAX)
			*out_ok = refuse(sc, LNI_F_ROW_ID);
		break;
	case LNI_COL_ID:
		*out_ok = v->len > 0 ? check_name(sc, v, ID_MAX, LNI_F_BAD_ID) :
		    refuse(sc, LNI_F_BAD_ID);
		break;
	case LNI_COL_NAME:
		*out_ok = check_name(sc, v, NAME_MAX_CHARS, LNI_F_BAD_NAME);
		break;
	case LNI_COL_LINE:
		s = repair_line(sc, v, err);
		break;
	case LNI_COL_TEXT:
		s = repair_text(sc, v, err);
		break;
	case LNI_COL_TIME:
		v->is_odd = strlen(v->text) != v->len ||
		    !ln_time_parse_local(v->text, &v->number);
		break;
	case LNI_COL_FLAG:
		read_flag(v, type);
		break;
	case LNI_COL_INT:
		if (v->number < -LNI_INT_MAX || v->number > LNI_INT_MAX)
			*out_ok = refuse(sc, LNI_F_OUT_OF_RANGE);
		break;
	case LNI_COL_REAL:
	case LNI_COL_BLOB:
	case LNI_COL_IGNORED:
		break;
	}
	return s;
}

static enum ln_status
read_row(struct lni_scan *sc, bool *out_ok, struct ln_error *err)
{
	enum ln_status s;
	bool is_ok;
	size_t i;

	*out_ok = true;
	if (sc->table->has_rowid &&
	    sqlite3_column_int64(sc->q, 0) > LNI_ROWID_MAX)
		*out_ok = refuse(sc, LNI_F_ROW_ID);
	for (i = 0; i < sc->table->col_count; i++) {
		if ((s = check_value(sc, i, &is_ok, err)) != LN_OK)
			return s;
		*out_ok = *out_ok && is_ok;
	}
	return LN_OK;
}

enum ln_status
lni_scan_next(struct lni_scan *sc, struct ln_error *err)
{
	enum ln_status s;
	bool is_ok = false;
	int rc;

	while (sc->q != NULL && !is_ok) {
		forget(sc);
		rc = sqlite3_step(sc->q);
		if (rc == SQLITE_DONE)
			break;
		if (rc != SQLITE_ROW) {
			/* Reported: what follows cannot be reached. */
			s = lni_foreign_fail(sc->f, rc, sc->table->name, err);
			if (s != LN_OK)
				return s;
			break;
		}
		sc->f->held[sc->index]++;
		/* Many small rows never wake the watch of one statement. */
		if ((s = lni_foreign_watch(sc->f, err)) != LN_OK)
			return s;
		if (sc->f->is_late)
			break;
		if ((s = read_row(sc, &is_ok, err)) != LN_OK)
			return s;
	}
	return is_ok ? LN_OK : LN_NOT_FOUND;
}

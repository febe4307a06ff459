#ifndef LNI_FOREIGN_H
#define LNI_FOREIGN_H

#include <sqlite3.h>

#include <ln/error.h>
#include <ln/transfer.h>

#include "store/finding.h"
#include "store/scratch.h"

/*
 * A database that is not ours to trust: looked at, copied, opened read-only,
 * and read row by row with every value checked.  What is wrong with the file
 * goes into the report; statuses are about this machine (LN_IO, LN_NOMEM) or
 * the person (LN_CANCELLED).
 */

#define LNI_FOREIGN_BYTES_MAX INT64_C(2147483648)	/* data.md: 2 GiB */
#define LNI_VALUE_MAX (16 * 1024 * 1024)		/* data.md: 16 MiB */
/* JSON carries whole numbers up to 2^53; leave room for rows to come. */
#define LNI_ROWID_MAX (INT64_C(9007199254740991) - INT64_C(4294967296))
#define LNI_INT_MAX INT64_C(9007199254740991)
#define LNI_COLS_MAX 24
#define LNI_TABLES_MAX 20

enum lni_col_kind {
	LNI_COL_ROWID,		/* 1..LNI_ROWID_MAX */
	LNI_COL_ID,		/* 1 to 64 characters, safe in paths */
	LNI_COL_NAME,		/* the same, up to 128; may be empty */
	LNI_COL_LINE,		/* text without control characters */
	LNI_COL_TEXT,
	LNI_COL_TIME,		/* the legacy program's local time */
	LNI_COL_FLAG,		/* NULL, 0, 1, '1', 'True' */
	LNI_COL_INT,
	LNI_COL_REAL,
	LNI_COL_BLOB,
	LNI_COL_IGNORED,	/* known, never read */
};

struct lni_col {
	const char *name;
	enum lni_col_kind kind;
	/* Ours: the schema that brought it.  Legacy: 1 when needed, else 0. */
	int since;
};

struct lni_table {
	const char *name;
	const struct lni_col *cols;
	size_t col_count;
	int since;
	bool has_rowid;
};

/* Both end with a row whose name is NULL. */
extern const struct lni_table lni_legacy_tables[];
extern const struct lni_table lni_our_tables[];

struct lni_foreign {
	sqlite3 *db;
	struct ln_report *report;
	const struct ln_transfer_opts *opts;
	const struct lni_table *tables;	/* of its kind */
	/* Bit n of [t]: column n of table t is there; 0: no such table. */
	uint32_t present[LNI_TABLES_MAX];
	int64_t held[LNI_TABLES_MAX];	/* rows read by scans */
	int64_t bytes;
	int64_t bytes_read;		/* by scans, for the progress */
	int64_t changed_ms;		/* of the file, Unix ms */
	int64_t deadline_ms;		/* on the monotonic clock */
	int64_t memory_start;
	int64_t reported_ms;
	int percent_from, percent_to;	/* of the phase at hand */
	bool is_late, is_fat, is_cancelled;
};

/**
 * lni_foreign_copy(path, sc, out_copy, f, err):
 * Look at the file without trusting it, copy it into ${sc} and read its
 * header.  The descriptor of the copy is closed; its path is in ${out_copy}.
 * Nothing was copied when the report holds an error.
 */
enum ln_status lni_foreign_copy(const char *path, struct lni_scratch *sc,
    char out_copy[LNI_PATH_MAX], struct lni_foreign *f, struct ln_error *err)
    LN_USE;

/**
 * lni_foreign_open(path, opts, sc, report, f, err):
 * All of it: copy, open, check schema, integrity and (ours) foreign keys.
 * ${f} is usable only when the report has no error.  Close it in any case.
 */
enum ln_status lni_foreign_open(const char *path,
    const struct ln_transfer_opts *opts, struct lni_scratch *sc,
    struct ln_report *report, struct lni_foreign *f, struct ln_error *err)
    LN_USE;
void lni_foreign_close(struct lni_foreign *f);

/* foreign_schema.c: what the tables are made of. */
enum ln_status lni_foreign_schema(struct lni_foreign *f, struct ln_error *err)
    LN_USE;

/**
 * lni_foreign_fail(f, rc, subject, err):
 * Sort a failure of the foreign connection: about the file (a finding, LN_OK)
 * or not (a status).
 */
enum ln_status lni_foreign_fail(struct lni_foreign *f, int rc,
    const char *subject, struct ln_error *err) LN_USE;

/* Report progress now and then; false when the person gave up. */
bool lni_foreign_progress(struct lni_foreign *f, int percent);

/* Between two rows: LN_CANCELLED; sets f->is_late with a finding when time is
 * up. */
enum ln_status lni_foreign_watch(struct lni_foreign *f, struct ln_error *err)
    LN_USE;

/* The same for SQLite's progress handler, on whatever connection works for
 * the import: nonzero stops it. */
int lni_foreign_interrupt(void *f);

/* Start the time for a phase anew: ${factor} times that of transfer.h unless
 * the caller set a deadline of his own, which then goes on. */
void lni_foreign_phase(struct lni_foreign *f, int factor, int percent_from,
    int percent_to);

/* --- reading rows --------------------------------------------------------- */

struct lni_value {
	const char *text;	/* NULL when it is NULL or not text or blob */
	size_t len;
	int64_t number;
	double real;
	bool is_null;
	bool is_odd;		/* a flag not 0 or 1, a time not readable */
	char *owned;		/* ${text} when it had to be repaired */
};

struct lni_scan {
	struct lni_foreign *f;
	const struct lni_table *table;
	size_t index;
	sqlite3_stmt *q;
	bool is_quiet;		/* a first reading: the next one reports */
	struct lni_value v[LNI_COLS_MAX];
};

/**
 * lni_scan_open(sc, f, table, err):
 * Read table number ${table} of f->tables in row order.  A table that is not
 * there has no rows.  lni_scan_next gives LN_OK with the next row whose values
 * all passed, LN_NOT_FOUND at the end; rows with errors are reported and
 * skipped.  Values are valid until the next call.
 */
enum ln_status lni_scan_open(struct lni_scan *sc, struct lni_foreign *f,
    size_t table, struct ln_error *err) LN_USE;
enum ln_status lni_scan_next(struct lni_scan *sc, struct ln_error *err)
    LN_USE;
void lni_scan_close(struct lni_scan *sc);

#endif

#ifndef LNI_INTAKE_H
#define LNI_INTAKE_H

#include <ln/error.h>
#include <ln/store.h>
#include <ln/transfer.h>

#include "store/foreign.h"
#include "store/stmt.h"
#include "store/take.h"

/*
 * Re-inserting the rows of a foreign database into a fresh one of our own
 * schema, with every repair counted.
 */

/* The notes for the search index repeat the text of messages: settle them
 * after so many, or at once after a long one. */
#define LNI_SETTLE_ROWS 256
#define LNI_SETTLE_BYTES (64 * 1024)
#define LNI_ID_SIZE 257		/* 64 code points of 4 bytes and a NUL */

struct lni_intake {
	struct lni_foreign *from;
	struct ln_store *to;
	struct ln_report *report;
	const struct lni_intake_rules *rules;
	const struct lni_kept *kept;	/* or NULL */
	const char *allowed_endpoints;	/* when the file brings none */
	const char *live_endpoints;	/* the live setting, or NULL */
	char *file_endpoints;		/* while reading a file of ours */
	char admin_id[LNI_ID_SIZE];	/* gets what nobody owns; "": none */
	int64_t fallback_ms;		/* for rows without a time */
	int64_t held_images, held_pictures, held_audit;
};

/**
 * lni_intake_run(im, err):
 * Everything, in one transaction on im->to.  LN_OK with errors in the report
 * when the file is to blame.
 */
enum ln_status lni_intake_run(struct lni_intake *im, struct ln_error *err)
    LN_USE;

/* Rows that the file holds / that im->to holds, into the report's counts. */
void lni_intake_count_held(struct lni_intake *im);
enum ln_status lni_intake_count_arrived(struct ln_store *to,
    struct ln_report *report, struct ln_error *err) LN_USE;

/* --- for legacy_*.c and ours.c -------------------------------------------- */

/**
 * lni_intake_put(im, q, table, err):
 * Run the insert ${q} and give it back.  What the schema refuses about the row
 * becomes a finding about ${table} and LN_OK.
 */
enum ln_status lni_intake_put(struct lni_intake *im, struct lni_stmt *q,
    const char *table, struct ln_error *err) LN_USE;

/* After the accounts: carry the kept one over, choose who gets what nobody
 * owns. */
enum ln_status lni_intake_admin(struct lni_intake *im, struct ln_error *err)
    LN_USE;

void lni_bind_value(struct lni_stmt *q, int i, const struct lni_value *v);
/* NULL for an empty text too. */
void lni_bind_filled(struct lni_stmt *q, int i, const struct lni_value *v);

/* Whether a tool definition is one that a model can be given. */
bool lni_tool_is_sane(const char *name, const char *definition);

/* Picture lists as the wire carries them: a JSON array of base64 strings.  A
 * clean copy in ${out}, NULL when nothing is left; what is not usable is
 * counted. */
enum ln_status lni_images_clean(struct lni_intake *im, const char *text,
    size_t n, char **out, struct ln_error *err) LN_USE;

#endif

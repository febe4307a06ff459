#ifndef LNI_DOCUMENT_H
#define LNI_DOCUMENT_H

#include <ln/buf.h>
#include <ln/project.h>

/*
 * Documents as somebody reads them (service/ingest.c).  A document in hand has
 * a holder, a random name; each write of that holder asks whether it still is.
 */

#define LNI_HOLDER_SIZE 37

struct lni_stmt;
enum ln_status lni_document_from_row(struct lni_stmt *q,
    struct ln_document **out, struct ln_error *err) LN_USE;

/* The columns that lni_document_from_row wants, of document d. */
#define LNI_DOCUMENT_COLUMNS						\
	"d.id, d.project_id, d.filename, d.state, d.reason, d.type,"	\
	" d.source_url, d.bytes, d.chunk_count, d.page_count, d.created_ms,"	\
	" (SELECT v.state FROM document_vector v WHERE v.document_id = d.id)," \
	" (SELECT v.reason FROM document_vector v WHERE v.document_id = d.id)"

/**
 * lni_document_take(st, project_id, holder, out, out_user_id, err):
 * The oldest that waits, of that project unless it is NULL, is now in hand of
 * ${holder}.  LN_NOT_FOUND when none does.  Both are yours.
 */
enum ln_status lni_document_take(struct ln_store *st, const char *project_id,
    const char *holder, struct ln_document **out, char **out_user_id,
    struct ln_error *err) LN_USE;

/* A sign of life.  LN_CANCELLED: it is in hand no more, or gone. */
enum ln_status lni_document_beat(struct ln_store *st, int64_t id,
    const char *holder, struct ln_error *err) LN_USE;

/* Append the file that waits / the text that an import brought, with "" when
 * there is none. */
enum ln_status lni_document_file(struct ln_store *st, int64_t id,
    struct ln_buf *out, struct ln_error *err) LN_USE;
enum ln_status lni_document_content(struct ln_store *st, int64_t id,
    char **out, struct ln_error *err) LN_USE;

/* It waits again; this try does not count. */
enum ln_status lni_document_put_back(struct ln_store *st, int64_t id,
    const char *holder, struct ln_error *err) LN_USE;

/* It was read (${reason} NULL) or failed: what it came in goes, unless it
 * failed with text in it.  LN_CANCELLED as above. */
struct lni_document_end {
	const char *reason;
	const char *type;
	int64_t chunk_count;
	int64_t page_count;
	int64_t bytes;		/* of what was read, where nobody knew */
};
enum ln_status lni_document_end(struct ln_store *st, int64_t id,
    const char *holder, const struct lni_document_end *end,
    struct ln_error *err) LN_USE;

extern const char *const lni_document_sql[];
extern const size_t lni_document_sql_count;
extern const char *const lni_document_work_sql[];
extern const size_t lni_document_work_sql_count;

#endif

#ifndef LNI_NDJSON_H
#define LNI_NDJSON_H

#include "text/lines.h"

/*
 * Newline-delimited JSON: one value a line, blank lines ignored.  The value is
 * handed over as text; its reader is ln/json.h.
 */
struct lni_ndjson {
	struct lni_lines lines;
	lni_line_fn *fn;
	void *arg;
};

void lni_ndjson_init(struct lni_ndjson *p, size_t line_max, lni_line_fn *fn,
    void *arg);
enum ln_status lni_ndjson_feed(struct lni_ndjson *p, const char *s, size_t n)
    LN_USE;
enum ln_status lni_ndjson_end(struct lni_ndjson *p) LN_USE;
void lni_ndjson_free(struct lni_ndjson *p);

#endif

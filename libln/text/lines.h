#ifndef LNI_LINES_H
#define LNI_LINES_H

#include <ln/buf.h>

/*
 * Lines out of bytes that come in any pieces.  A line ends in LF, CR or CRLF,
 * is handed over without its end, and is bounded.
 */

/* ${line} is borrowed and not NUL-terminated.  Return false to hear no more. */
typedef bool lni_line_fn(void *arg, const char *line, size_t n);

struct lni_lines {
	struct ln_buf partial;
	lni_line_fn *fn;
	void *arg;
	enum ln_status status;
	bool was_cr;		/* a LF that comes next belongs to it */
	bool is_stopped;
};

void lni_lines_init(struct lni_lines *l, size_t line_max, lni_line_fn *fn,
    void *arg);

/* LN_TOO_LARGE for a line beyond the bound, LN_NOMEM; both stick. */
enum ln_status lni_lines_feed(struct lni_lines *l, const char *p, size_t n)
    LN_USE;

/* No more bytes: what is left without an end is the last line. */
enum ln_status lni_lines_end(struct lni_lines *l) LN_USE;

void lni_lines_free(struct lni_lines *l);

#endif

#ifndef LNI_SSE_H
#define LNI_SSE_H

#include "text/lines.h"

/*
 * Server-sent events, as the HTML standard parses an event stream: a byte
 * order mark at the start is ignored, comments and unknown fields too, an
 * event without data is none, and one without its blank line is not complete.
 */
struct lni_sse_event {
	const char *name;	/* "message" when the stream names none */
	const char *data;	/* NUL-terminated, lines joined by LF */
	size_t len;
	const char *id;		/* the last one seen, "" when none */
};

/* Everything is borrowed for the call.  Return false to hear no more. */
typedef bool lni_sse_fn(void *arg, const struct lni_sse_event *ev);

struct lni_sse {
	struct lni_lines lines;
	struct ln_buf name;
	struct ln_buf data;
	struct ln_buf id;
	lni_sse_fn *fn;
	lni_line_fn *stray;	/* gets lines that are no field of an event
				 * stream, an error page say; may be NULL */
	void *arg;
	enum ln_status status;
	bool is_begun;
	bool has_data;
};

/* ${event_max} bounds a line and the data of an event. */
void lni_sse_init(struct lni_sse *p, size_t event_max, lni_sse_fn *fn,
    void *arg);
/* LN_TOO_LARGE, LN_NOMEM; both stick. */
enum ln_status lni_sse_feed(struct lni_sse *p, const char *s, size_t n)
    LN_USE;
/* No more bytes: a line without its end is one all the same, an event without
 * its blank line is none. */
enum ln_status lni_sse_end(struct lni_sse *p) LN_USE;
void lni_sse_free(struct lni_sse *p);

#endif

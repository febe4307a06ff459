#ifndef LN_BUF_H
#define LN_BUF_H

#include <ln/base.h>

/**
 * struct ln_buf:
 * A growing byte string that is born with a maximum and whose failure sticks:
 * append freely, ask once with ln_buf_status().  ${data} is NUL-terminated
 * whenever it is not NULL; ${len} excludes the NUL.  One thread at a time.
 */
struct ln_buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	enum ln_status status;
	bool is_secret;
};

#define LN_BUF_INIT(max) { NULL, 0, 0, (max), LN_OK, false }
/* The same for secrets: old copies are wiped when it grows or goes. */
#define LN_BUF_SECRET_INIT(max) { NULL, 0, 0, (max), LN_OK, true }

/**
 * ln_buf_put(b, p, n) / ln_buf_puts(b, s) / ln_buf_putc(b, c) /
 * ln_buf_printf(b, fmt, ...):
 * Append.  Past the maximum nothing of that call is kept and the status
 * becomes LN_TOO_LARGE; without memory LN_NOMEM; later calls do nothing.
 */
LN_API void ln_buf_put(struct ln_buf *b, const void *p, size_t n);
LN_API void ln_buf_puts(struct ln_buf *b, const char *s);
LN_API void ln_buf_putc(struct ln_buf *b, char c);
LN_API void ln_buf_printf(struct ln_buf *b, const char *fmt, ...)
    LN_PRINTF(2, 3);

/**
 * ln_buf_status(b):
 * LN_OK, LN_TOO_LARGE or LN_NOMEM: how all appends since the last clear went.
 */
LN_API enum ln_status ln_buf_status(const struct ln_buf *b) LN_USE;

/**
 * ln_buf_str(b):
 * The content as a C string, never NULL ("" when empty).  Borrowed until the
 * next append.
 */
LN_API const char *ln_buf_str(const struct ln_buf *b);

/**
 * ln_buf_consume(b, n):
 * Drop the first ${n} bytes (at most all of them).
 */
LN_API void ln_buf_consume(struct ln_buf *b, size_t n);

/**
 * ln_buf_steal(b):
 * Give the content away as a NUL-terminated string (release with ln_free) and
 * leave ${b} empty.  NULL when the status is not LN_OK or memory is short;
 * then ${b} is cleared all the same.
 */
LN_API char *ln_buf_steal(struct ln_buf *b) LN_USE;

/**
 * ln_buf_clear(b) / ln_buf_free(b):
 * Empty it for reuse, keeping memory and maximum / release its memory.  Both
 * reset the status; a secret buffer is wiped.
 */
LN_API void ln_buf_clear(struct ln_buf *b);
LN_API void ln_buf_free(struct ln_buf *b);

#endif

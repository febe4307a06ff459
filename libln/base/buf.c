#include <ln/buf.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/banned.h"

/* First allocation: most replies and lines fit without growing again. */
#define BUF_FIRST 256

/* realloc() would leave copies of a secret behind in freed memory. */
static char *
grow(struct ln_buf *b, size_t cap)
{
	char *p;

	if (!b->is_secret)
		return realloc(b->data, cap);
	if ((p = malloc(cap)) == NULL)
		return NULL;
	if (b->data != NULL) {
		memcpy(p, b->data, b->len);
		sodium_memzero(b->data, b->cap);
		free(b->data);
	}
	return p;
}

/* Make room for ${n} more bytes and the NUL. */
static bool
reserve(struct ln_buf *b, size_t n)
{
	size_t cap;
	char *p;

	if (b->status != LN_OK)
		return false;
	if (n > b->max - b->len) {
		b->status = LN_TOO_LARGE;
		return false;
	}
	if (b->len + n < b->cap)
		return true;
	cap = b->cap == 0 ? BUF_FIRST : b->cap;
	while (cap <= b->len + n) {
		if (cap > SIZE_MAX / 2) {
			b->status = LN_NOMEM;
			return false;
		}
		cap *= 2;
	}
	if ((p = grow(b, cap)) == NULL) {
		b->status = LN_NOMEM;
		return false;
	}
	b->data = p;
	b->cap = cap;
	return true;
}

void
ln_buf_put(struct ln_buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n > 0)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
ln_buf_puts(struct ln_buf *b, const char *s)
{
	ln_buf_put(b, s, strlen(s));
}

void
ln_buf_putc(struct ln_buf *b, char c)
{
	ln_buf_put(b, &c, 1);
}

void
ln_buf_printf(struct ln_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		if (b->status == LN_OK)
			b->status = LN_NOMEM;
		return;
	}
	if (!reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (n > 0)
		b->len += (size_t)n;
}

enum ln_status
ln_buf_status(const struct ln_buf *b)
{
	return b->status;
}

const char *
ln_buf_str(const struct ln_buf *b)
{
	return b->data == NULL ? "" : b->data;
}

void
ln_buf_consume(struct ln_buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	if (b->is_secret)
		sodium_memzero(b->data + b->len - n, n);
	b->len -= n;
	b->data[b->len] = '\0';
}

char *
ln_buf_steal(struct ln_buf *b)
{
	char *p = NULL;

	if (b->status == LN_OK && reserve(b, 0)) {
		p = b->data;
		p[b->len] = '\0';
		b->data = NULL;
		b->len = b->cap = 0;
	}
	ln_buf_clear(b);
	return p;
}

void
ln_buf_clear(struct ln_buf *b)
{
	if (b->data != NULL) {
		if (b->is_secret)
			sodium_memzero(b->data, b->cap);
		b->data[0] = '\0';
	}
	b->len = 0;
	b->status = LN_OK;
}

void
ln_buf_free(struct ln_buf *b)
{
	ln_buf_clear(b);
	free(b->data);
	b->data = NULL;
	b->cap = 0;
}

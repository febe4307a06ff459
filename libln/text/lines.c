#include "text/lines.h"

#include <string.h>

#include "base/banned.h"

void
lni_lines_init(struct lni_lines *l, size_t line_max, lni_line_fn *fn,
    void *arg)
{
	memset(l, 0, sizeof(*l));
	l->partial = (struct ln_buf)LN_BUF_INIT(line_max);
	l->fn = fn;
	l->arg = arg;
}

static size_t
line_length(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] == '\n' || p[i] == '\r')
			break;
	}
	return i;
}

static void
hand_over(struct lni_lines *l, const char *p, size_t n)
{
	if (l->partial.len == 0) {
		if (n > l->partial.max)
			l->status = LN_TOO_LARGE;
		else
			l->is_stopped = !l->fn(l->arg, p, n);
		return;
	}
	ln_buf_put(&l->partial, p, n);
	if ((l->status = ln_buf_status(&l->partial)) != LN_OK)
		return;
	l->is_stopped = !l->fn(l->arg, l->partial.data, l->partial.len);
	ln_buf_clear(&l->partial);
}

enum ln_status
lni_lines_feed(struct lni_lines *l, const char *p, size_t n)
{
	size_t length;

	while (n > 0 && l->status == LN_OK && !l->is_stopped) {
		if (l->was_cr && *p == '\n') {
			l->was_cr = false;
			p++;
			n--;
			continue;
		}
		l->was_cr = false;
		length = line_length(p, n);
		if (length == n) {
			ln_buf_put(&l->partial, p, n);
			l->status = ln_buf_status(&l->partial);
			break;
		}
		hand_over(l, p, length);
		l->was_cr = p[length] == '\r';
		p += length + 1;
		n -= length + 1;
	}
	return l->status;
}

enum ln_status
lni_lines_end(struct lni_lines *l)
{
	if (l->status == LN_OK && !l->is_stopped && l->partial.len > 0)
		hand_over(l, "", 0);
	return l->status;
}

void
lni_lines_free(struct lni_lines *l)
{
	ln_buf_free(&l->partial);
}

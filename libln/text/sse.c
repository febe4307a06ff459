#include "text/sse.h"

#include <string.h>

#include "base/banned.h"

#define BOM "\xef\xbb\xbf"
#define NAME_MAX_BYTES ((size_t)1024)	/* of an event's name or id */

static bool
keep(struct lni_sse *p, const struct ln_buf *b)
{
	p->status = ln_buf_status(b);
	return p->status == LN_OK;
}

static bool
set(struct lni_sse *p, struct ln_buf *b, const char *value, size_t n)
{
	ln_buf_clear(b);
	ln_buf_put(b, value, n);
	return keep(p, b);
}

static bool
dispatch(struct lni_sse *p)
{
	struct lni_sse_event ev;
	bool goes_on = true;

	if (p->has_data) {
		ev.name = p->name.len > 0 ? ln_buf_str(&p->name) : "message";
		ev.data = ln_buf_str(&p->data);
		ev.len = p->data.len;
		ev.id = ln_buf_str(&p->id);
		goes_on = p->fn(p->arg, &ev);
	}
	ln_buf_clear(&p->name);
	ln_buf_clear(&p->data);
	p->has_data = false;
	return goes_on;
}

static bool
is_field(const char *line, size_t n, const char *name)
{
	return n == strlen(name) && memcmp(line, name, n) == 0;
}

/* ${n} is the length of the name that ${line} begins with. */
static bool
on_field(struct lni_sse *p, const char *line, size_t n, const char *value,
    size_t value_len)
{
	if (is_field(line, n, "data")) {
		if (p->has_data)
			ln_buf_putc(&p->data, '\n');
		ln_buf_put(&p->data, value, value_len);
		p->has_data = true;
		return keep(p, &p->data);
	}
	if (is_field(line, n, "event"))
		return set(p, &p->name, value, value_len);
	if (is_field(line, n, "id") && memchr(value, '\0', value_len) == NULL)
		return set(p, &p->id, value, value_len);
	if (p->stray != NULL && !is_field(line, n, "id") &&
	    !is_field(line, n, "retry"))
		return p->stray(p->arg, line,
		    (size_t)(value - line) + value_len);
	return true;
}

static bool
on_line(void *arg, const char *line, size_t n)
{
	struct lni_sse *p = arg;
	const char *colon, *value;
	size_t value_len;

	if (!p->is_begun) {
		p->is_begun = true;
		if (n >= strlen(BOM) && memcmp(line, BOM, strlen(BOM)) == 0) {
			line += strlen(BOM);
			n -= strlen(BOM);
		}
	}
	if (n == 0)
		return dispatch(p);
	if ((colon = memchr(line, ':', n)) == NULL)
		return on_field(p, line, n, line + n, 0);
	if (colon == line)
		return true;
	value = colon + 1;
	value_len = n - (size_t)(value - line);
	if (value_len > 0 && value[0] == ' ') {
		value++;
		value_len--;
	}
	return on_field(p, line, (size_t)(colon - line), value, value_len);
}

void
lni_sse_init(struct lni_sse *p, size_t event_max, lni_sse_fn *fn, void *arg)
{
	memset(p, 0, sizeof(*p));
	p->fn = fn;
	p->arg = arg;
	p->name = (struct ln_buf)LN_BUF_INIT(NAME_MAX_BYTES);
	p->data = (struct ln_buf)LN_BUF_INIT(event_max);
	p->id = (struct ln_buf)LN_BUF_INIT(NAME_MAX_BYTES);
	lni_lines_init(&p->lines, event_max, on_line, p);
}

enum ln_status
lni_sse_feed(struct lni_sse *p, const char *s, size_t n)
{
	enum ln_status line_status;

	line_status = lni_lines_feed(&p->lines, s, n);
	return p->status != LN_OK ? p->status : line_status;
}

enum ln_status
lni_sse_end(struct lni_sse *p)
{
	enum ln_status line_status;

	line_status = lni_lines_end(&p->lines);
	return p->status != LN_OK ? p->status : line_status;
}

void
lni_sse_free(struct lni_sse *p)
{
	lni_lines_free(&p->lines);
	ln_buf_free(&p->name);
	ln_buf_free(&p->data);
	ln_buf_free(&p->id);
}

#define _GNU_SOURCE	/* memrchr */

#include "markdown.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ln/chat.h>
#include <ln/text.h>

#include "markdown_text.h"

/*
 * A block is laid out when it is complete; until then its text is on the
 * screen as it came, and is taken away again when its layout takes its place.
 * Where it would be higher than the screen the rest of it waits unseen: what
 * has scrolled away cannot be taken back.  Code between fences needs no
 * waiting, every line of it is final.
 *
 * What a block is, md4c knows; here is only known where one may safely be cut
 * off: before a line at the margin that follows an empty one, before the next
 * item of a list, behind a heading, and at a fence.
 */

#define PENDING_MAX ((size_t)64 * 1024 * 1024)
#define COLUMNS_USUAL 80
#define ROWS_USUAL 24
#define TAB_COLUMNS 8

struct markdown {
	FILE *f;
	struct ln_buf pending;		/* not laid out yet */
	struct ln_buf preview;		/* what of it is on the screen */
	size_t shown;			/* bytes of pending behind preview */
	bool is_silent;			/* the rest waits */
	char fence;			/* '`' or '~' inside of code, or NUL */
	size_t fence_length;
	struct highlight highlight;
	bool has_printed, has_gap;	/* before; an empty line since */
	bool was_item;			/* the last one was one of a list */
};

struct markdown *
markdown_new(FILE *f)
{
	const struct ln_buf empty = LN_BUF_INIT(PENDING_MAX);
	struct markdown *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->f = f;
	m->pending = m->preview = empty;
	return m;
}

void
markdown_free(struct markdown *m)
{
	if (m == NULL)
		return;
	ln_buf_free(&m->pending);
	ln_buf_free(&m->preview);
	free(m);
}

static void
screen_size(const struct markdown *m, size_t *out_columns, size_t *out_rows)
{
	struct winsize size;

	*out_columns = COLUMNS_USUAL;
	*out_rows = ROWS_USUAL;
	if (ioctl(fileno(m->f), TIOCGWINSZ, &size) != 0)
		return;
	if (size.ws_col > 0)
		*out_columns = size.ws_col;
	if (size.ws_row > 0)
		*out_rows = size.ws_row;
}

/* How many rows the cursor is below the first row of the preview. */
static size_t
rows_below(const char *s, size_t n, size_t columns)
{
	const char *nl;
	size_t rows = 0, length, width;

	for (;;) {
		nl = memchr(s, '\n', n);
		length = nl != NULL ? (size_t)(nl - s) : n;
		width = ln_text_width(s, length);
		rows += width > 0 ? (width - 1) / columns : 0;
		if (nl == NULL)
			return rows;
		rows++;
		s += length + 1;
		n -= length + 1;
	}
}

static void
take_back(struct markdown *m)
{
	size_t columns, rows, up;

	if (m->preview.len > 0) {
		screen_size(m, &columns, &rows);
		up = rows_below(m->preview.data, m->preview.len, columns);
		/* Row by row: what clears a screen at once may keep it in
		 * the lines above. */
		(void)fputs("\r\033[K", m->f);
		while (up-- > 0)
			(void)fputs("\033[A\033[K", m->f);
	}
	ln_buf_clear(&m->preview);
	m->shown = 0;
	m->is_silent = false;
}

/* Text for the preview: a tab is as wide as its place says. */
static void
put_plain(struct ln_buf *out, const char *s, size_t n)
{
	struct ln_buf clean = LN_BUF_INIT(n * 3 + 1);
	const char *nl;
	size_t i, at;

	ln_text_terminal(s, n, &clean);
	for (i = 0; i < clean.len; i++) {
		if (clean.data[i] != '\t') {
			ln_buf_putc(out, clean.data[i]);
			continue;
		}
		nl = out->len > 0 ? memrchr(out->data, '\n', out->len) : NULL;
		at = nl != NULL ? (size_t)(nl - out->data) + 1 : 0;
		at = out->len > at ?
		    ln_text_width(out->data + at, out->len - at) : 0;
		do
			ln_buf_putc(out, ' ');
		while (++at % TAB_COLUMNS != 0);
	}
	ln_buf_free(&clean);
}

static void
show(struct markdown *m)
{
	size_t before = m->preview.len, columns, rows;

	if (m->is_silent || m->shown == m->pending.len)
		return;
	put_plain(&m->preview, m->pending.data + m->shown,
	    m->pending.len - m->shown);
	m->shown = m->pending.len;
	screen_size(m, &columns, &rows);
	if (ln_buf_status(&m->preview) != LN_OK || rows_below(m->preview.data,
	    m->preview.len, columns) + 2 > rows) {
		m->preview.len = before;
		m->is_silent = true;
		return;
	}
	(void)fwrite(m->preview.data + before, 1, m->preview.len - before,
	    m->f);
}

/* --- lines ---------------------------------------------------------------- */

static bool
is_blank(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' &&
		    s[i] != '\n')
			return false;
	return true;
}

static size_t
margin(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i] == ' '; i++)
		;
	return i;
}

/* The length of the fence that the line is or begins with (CommonMark 4.5),
 * and its letter; 0 when it is none. */
static size_t
fence_of(const char *s, size_t n, char *out_letter)
{
	size_t at = margin(s, n), i;

	if (at == n || (s[at] != '`' && s[at] != '~'))
		return 0;
	for (i = at; i < n && s[i] == s[at]; i++)
		;
	if (i - at < 3 ||
	    (s[at] == '`' && memchr(s + i, '`', n - i) != NULL))
		return 0;
	*out_letter = s[at];
	return i - at;
}

static bool
is_heading(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i] == '#'; i++)
		;
	return i >= 1 && i <= 6 && i < n && (s[i] == ' ' || s[i] == '\n');
}

/* An item at the margin: its letter, and its number if it has one. */
static bool
is_item(const char *s, size_t n, char *out_letter, unsigned long *out_number)
{
	size_t i = 0;

	*out_number = 0;
	while (i < n && i < 9 && isdigit((unsigned char)s[i]) != 0)
		*out_number = *out_number * 10 +
		    (unsigned long)(s[i++] - '0');
	if (i + 1 >= n || (s[i + 1] != ' ' && s[i + 1] != '\t') ||
	    strchr(i > 0 ? ".)" : "-*+", s[i]) == NULL)
		return false;
	*out_letter = s[i];
	return true;
}

/* The fence that stands alone in a line of an item, or begins the item. */
static size_t
inner_fence(const char *s, size_t n, char *out_letter)
{
	unsigned long number;
	size_t at = margin(s, n);
	char letter;

	while (is_item(s + at, n - at, &letter, &number)) {
		while (at < n && s[at] != ' ' && s[at] != '\t')
			at++;
		at += margin(s + at, n - at) + (at < n && s[at] == '\t');
	}
	return fence_of(s + at, n - at, out_letter);
}

/* --- blocks --------------------------------------------------------------- */

/* How many bytes of what is pending are a block for sure; 0: not known yet. */
static size_t
block_length(const struct markdown *m)
{
	const char *s = m->pending.data, *line, *nl;
	size_t n = m->pending.len, at = 0, length;
	char first_letter = '\0', letter, inner = '\0', mark = '\0';
	unsigned long first = 0, number;
	bool starts_item = false;

	while ((nl = memchr(s + at, '\n', n - at)) != NULL) {
		line = s + at;
		length = (size_t)(nl - line) + 1;
		if (at == 0 && is_heading(line, length))
			return length;
		if (at == 0)
			starts_item = is_item(line, length, &first_letter,
			    &first);
		else if (inner == '\0' && margin(line, length) == 0 &&
		    fence_of(line, length - 1, &mark) > 0)
			return at;
		else if (inner == '\0' && starts_item &&
		    is_item(line, length, &letter, &number) &&
		    letter == first_letter &&
		    (number == 0 || number == first + 1))
			return at;
		if (inner_fence(line, length - 1, &mark) > 0)
			inner = inner == '\0' ? mark :
			    inner == mark ? '\0' : inner;
		at += length;
		if (inner == '\0' && is_blank(line, length) && at < n &&
		    strchr(" \t\r\n", s[at]) == NULL)
			return at;
	}
	return 0;
}

static void
begin_block(struct markdown *m, bool is_item_now)
{
	if (m->has_printed && (m->has_gap || !m->was_item || !is_item_now))
		(void)fputc('\n', m->f);
	m->has_printed = true;
	m->has_gap = false;
	m->was_item = is_item_now;
}

static void
put_block(struct markdown *m, size_t n)
{
	struct ln_buf out = LN_BUF_INIT(PENDING_MAX);
	size_t columns, rows;
	unsigned long number;
	const char *tail;
	char letter;

	take_back(m);
	begin_block(m, is_item(m->pending.data, n, &letter, &number));
	screen_size(m, &columns, &rows);
	if (markdown_render(m->pending.data, n, columns, &out))
		(void)fwrite(out.data, 1, out.len, m->f);
	else {
		out_text(m->f, m->pending.data, n);
		if (m->pending.data[n - 1] != '\n')
			(void)fputc('\n', m->f);
	}
	ln_buf_free(&out);
	/* An empty line at its end is one before the next. */
	tail = n > 1 ? memrchr(m->pending.data, '\n', n - 1) : NULL;
	m->has_gap = tail != NULL && is_blank(tail,
	    n - (size_t)(tail - m->pending.data));
	ln_buf_consume(&m->pending, n);
}

/* A line of code, or the one that ends it. */
static void
put_code(struct markdown *m, size_t n)
{
	struct ln_buf out = LN_BUF_INIT(PENDING_MAX);
	const char *s = m->pending.data;
	size_t length = n > 0 && s[n - 1] == '\n' ? n - 1 : n, marks;
	char letter = '\0';

	take_back(m);
	marks = fence_of(s, length, &letter);
	if (letter == m->fence && marks >= m->fence_length &&
	    is_blank(s + margin(s, length) + marks,
	    length - margin(s, length) - marks)) {
		text_put_styled(&out, TEXT_DIM, "```");
		m->fence = '\0';
	} else
		highlight_line(&m->highlight, s, length, &out);
	ln_buf_putc(&out, '\n');
	(void)fwrite(out.data, 1, out.len, m->f);
	ln_buf_free(&out);
	ln_buf_consume(&m->pending, n);
}

static void
open_code(struct markdown *m, size_t n)
{
	struct ln_buf out = LN_BUF_INIT(PENDING_MAX);
	const char *s = m->pending.data;
	size_t at, end;

	take_back(m);
	begin_block(m, false);
	m->fence_length = fence_of(s, n - 1, &m->fence);
	for (at = margin(s, n) + m->fence_length; s[at] == ' '; at++)
		;
	for (end = at; end < n && isspace((unsigned char)s[end]) == 0; end++)
		;
	highlight_begin(&m->highlight, s + at, end - at);
	text_style(&out, TEXT_DIM);
	ln_buf_puts(&out, "```");
	ln_text_terminal(s + at, end - at, &out);
	text_style(&out, 0);
	ln_buf_putc(&out, '\n');
	(void)fwrite(out.data, 1, out.len, m->f);
	ln_buf_free(&out);
	ln_buf_consume(&m->pending, n);
}

/* One step from what is pending to the screen, if one can be taken. */
static bool
advance(struct markdown *m)
{
	const char *s = m->pending.data, *nl;
	size_t n;
	char letter;

	nl = m->pending.len > 0 ? memchr(s, '\n', m->pending.len) : NULL;
	if (nl == NULL)
		return false;
	n = (size_t)(nl - s) + 1;
	if (m->fence != '\0') {
		put_code(m, n);
		return true;
	}
	if (is_blank(s, n)) {
		take_back(m);
		m->has_gap = true;
		ln_buf_consume(&m->pending, n);
		return true;
	}
	if (margin(s, n) < 4 && fence_of(s, n - 1, &letter) > 0) {
		open_code(m, n);
		return true;
	}
	if ((n = block_length(m)) == 0)
		return false;
	put_block(m, n);
	return true;
}

void
markdown_put(struct markdown *m, const char *text, size_t n)
{
	ln_buf_put(&m->pending, text, n);
	if (ln_buf_status(&m->pending) != LN_OK)
		return;
	while (advance(m))
		;
	show(m);
	(void)fflush(m->f);
}

void
markdown_settle(struct markdown *m)
{
	while (advance(m))
		;
	if (m->pending.len > 0) {
		if (m->fence != '\0')
			put_code(m, m->pending.len);
		else if (!is_blank(m->pending.data, m->pending.len))
			put_block(m, m->pending.len);
	}
	take_back(m);
	ln_buf_clear(&m->pending);
	(void)fflush(m->f);
}

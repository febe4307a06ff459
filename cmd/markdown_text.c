#include "markdown_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ln/text.h>

#define BLOCK_MAX ((size_t)64 * 1024 * 1024)
#define HREF_MAX 2048		/* what browsers take, bytes */

void
text_init(struct text *t)
{
	const struct ln_buf empty = LN_BUF_INIT(BLOCK_MAX);

	memset(t, 0, sizeof(*t));
	t->bytes = t->styles = t->links = empty;
}

void
text_clear(struct text *t)
{
	while (t->href_count > 0)
		free(t->hrefs[--t->href_count]);
	ln_buf_clear(&t->bytes);
	ln_buf_clear(&t->styles);
	ln_buf_clear(&t->links);
}

void
text_free(struct text *t)
{
	text_clear(t);
	ln_buf_free(&t->bytes);
	ln_buf_free(&t->styles);
	ln_buf_free(&t->links);
}

size_t
text_length(const struct text *t)
{
	return t->links.len;
}

bool
text_is_whole(const struct text *t)
{
	return !t->has_failed && ln_buf_status(&t->bytes) == LN_OK &&
	    ln_buf_status(&t->styles) == LN_OK &&
	    ln_buf_status(&t->links) == LN_OK;
}

void
text_begin(struct text *t, unsigned style)
{
	size_t i;

	for (i = 0; i < TEXT_STYLES; i++)
		t->nested[i] += style >> i & 1U;
}

void
text_end(struct text *t, unsigned style)
{
	size_t i;

	for (i = 0; i < TEXT_STYLES; i++)
		t->nested[i] -= style >> i & 1U;
}

/* Only what a browser opens, and only in letters that end nothing. */
static bool
is_href(const char *s, size_t n)
{
	size_t i;

	if (n == 0 || n > HREF_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return false;
	return (n > 7 && strncasecmp(s, "http://", 7) == 0) ||
	    (n > 8 && strncasecmp(s, "https://", 8) == 0) ||
	    (n > 7 && strncasecmp(s, "mailto:", 7) == 0);
}

void
text_link(struct text *t, const char *href, size_t n)
{
	text_begin(t, TEXT_LINK);
	t->link = 0;
	t->link_from = t->bytes.len;
	if (href == NULL || !is_href(href, n) ||
	    t->href_count == TEXT_LINKS_MAX)
		return;
	if ((t->hrefs[t->href_count] = strndup(href, n)) == NULL) {
		t->has_failed = true;
		return;
	}
	t->link = (unsigned char)++t->href_count;
}

/* A terminal that knows no links, and a reader who wants to know where one
 * leads, need its address when it is not what the link says. */
void
text_link_end(struct text *t)
{
	const char *href = t->link > 0 ? t->hrefs[t->link - 1] : NULL;
	size_t n = t->bytes.len - t->link_from;
	bool is_said = href != NULL && strlen(href) == n &&
	    memcmp(t->bytes.data + t->link_from, href, n) == 0;

	t->link = 0;
	text_end(t, TEXT_LINK);
	if (href == NULL || is_said)
		return;
	text_begin(t, TEXT_DIM);
	text_add(t, " (", 2);
	text_add(t, href, strlen(href));
	text_add(t, ")", 1);
	text_end(t, TEXT_DIM);
}

static unsigned char
style_now(const struct text *t)
{
	unsigned style = 0, i;

	for (i = 0; i < TEXT_STYLES; i++)
		if (t->nested[i] > 0)
			style |= 1U << i;
	return (unsigned char)style;
}

void
text_add(struct text *t, const char *s, size_t n)
{
	size_t i = t->bytes.len;
	unsigned char style = style_now(t);

	ln_text_terminal(s, n, &t->bytes);
	for (; i < t->bytes.len; i++) {
		ln_buf_putc(&t->styles, (char)style);
		ln_buf_putc(&t->links, (char)t->link);
	}
}

/* The names that models write; any other stays as it stands. */
void
text_add_entity(struct text *t, const char *s, size_t n)
{
	/* clang-format off */
	static const struct { const char *name, *text; } known[] = {
		{ "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" },
		{ "&quot;", "\"" }, { "&apos;", "'" },
		{ "&nbsp;", "\xC2\xA0" }, { "&copy;", "\xC2\xA9" },
		{ "&deg;", "\xC2\xB0" }, { "&times;", "\xC3\x97" },
		{ "&ndash;", "\xE2\x80\x93" }, { "&mdash;", "\xE2\x80\x94" },
		{ "&hellip;", "\xE2\x80\xA6" }, { "&euro;", "\xE2\x82\xAC" },
		{ "&larr;", "\xE2\x86\x90" }, { "&rarr;", "\xE2\x86\x92" },
	};
	/* clang-format on */
	size_t i;

	for (i = 0; i < nitems(known); i++)
		if (strlen(known[i].name) == n &&
		    memcmp(known[i].name, s, n) == 0) {
			text_add(t, known[i].text, strlen(known[i].text));
			return;
		}
	text_add(t, s, n);
}

/* Bytes of the code point at ${s}: the text is valid. */
static size_t
point_length(const char *s)
{
	unsigned char c = (unsigned char)*s;

	return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

size_t
text_line(const struct text *t, size_t from, size_t to, size_t columns,
    size_t *out_end)
{
	const char *s = t->bytes.data;
	size_t at = from, width = 0, end = 0, next = 0, n, w;
	bool can_break = false;

	while (at < to) {
		if (s[at] == '\n') {
			*out_end = at;
			return at + 1;
		}
		n = point_length(s + at);
		w = ln_text_width(s + at, n);
		/* Scripts of wide letters have no blanks between words. */
		if (s[at] == ' ' || (w == 2 && at > from)) {
			if (width > columns && can_break)
				break;
			can_break = true;
			end = at;
			next = s[at] == ' ' ? at + 1 : at;
		}
		if (width + w > columns && can_break)
			break;
		width += w;
		at += n;
	}
	if (at >= to || !can_break) {
		*out_end = to;
		return to;
	}
	*out_end = end;
	return next;
}

void
text_style(struct ln_buf *out, unsigned style)
{
	/* ECMA-48, 8.3.117: SGR. */
	static const char *const codes[TEXT_STYLES] = {
		";1", ";3", ";36", ";9", ";4", ";1;4", ";2",
	};
	size_t i;

	ln_buf_puts(out, "\033[0");
	for (i = 0; i < TEXT_STYLES; i++)
		if ((style >> i & 1U) != 0)
			ln_buf_puts(out, codes[i]);
	ln_buf_putc(out, 'm');
}

void
text_put_styled(struct ln_buf *out, unsigned style, const char *s)
{
	if (s[strspn(s, " ")] == '\0') {
		ln_buf_puts(out, s);
		return;
	}
	text_style(out, style);
	ln_buf_puts(out, s);
	text_style(out, 0);
}

void
text_put(const struct text *t, size_t from, size_t to, struct ln_buf *out)
{
	size_t at, n;
	unsigned char style = 0, link = 0;

	for (at = from; at < to; at += n) {
		for (n = 1; at + n < to &&
		    t->styles.data[at + n] == t->styles.data[at] &&
		    t->links.data[at + n] == t->links.data[at]; n++)
			;
		if ((unsigned char)t->links.data[at] != link) {
			link = (unsigned char)t->links.data[at];
			ln_buf_printf(out, "\033]8;;%s\033\\",
			    link > 0 ? t->hrefs[link - 1] : "");
		}
		if ((unsigned char)t->styles.data[at] != style) {
			style = (unsigned char)t->styles.data[at];
			text_style(out, style);
		}
		ln_buf_put(out, t->bytes.data + at, n);
	}
	if (style != 0)
		text_style(out, 0);
	if (link != 0)
		ln_buf_puts(out, "\033]8;;\033\\");
}

size_t
text_columns(const struct text *t, size_t from, size_t to)
{
	return from < to ? ln_text_width(t->bytes.data + from, to - from) : 0;
}

#include "markdown.h"

#include <stdlib.h>
#include <string.h>

#include <ln/text.h>

#include <md4c.h>

#include "markdown_text.h"

/*
 * Blocks: md4c calls these for what it finds, they put together paragraphs,
 * lists, quotes and code as lines.  Tables are in markdown_table.c, words and
 * their style in markdown_text.c.
 */

#define DEPTH_MAX 16	/* deeper levels are not indented any further */
#define MARKER_SIZE 24	/* bytes: a number of nine digits, and blanks */

/* The number of an ordered item is at most nine digits long. */
#define NUMBER_MAX 999999999U

/* A quote or a list item around what is being written. */
struct level {
	char marker[MARKER_SIZE];	/* before its first line */
	char rest[MARKER_SIZE];		/* before the others, as wide */
	bool is_used;
};

struct list {
	bool is_ordered, is_tight;
	unsigned number;
	size_t items;
};

struct page {
	struct ln_buf *out;
	size_t columns;
	struct text text;	/* of the block at hand */
	struct table *table;	/* the one at hand, or NULL */
	struct level levels[DEPTH_MAX];
	size_t depth, deeper;
	struct list lists[DEPTH_MAX];
	size_t list_depth, more_lists;
	struct highlight highlight;
	char fence[64];		/* the line that opens the code at hand */
	bool has_line, is_quote_new;
};

static size_t
indentation(const struct page *p)
{
	size_t i, n = 0;

	for (i = 0; i < p->depth; i++)
		n += ln_text_width(p->levels[i].rest,
		    strlen(p->levels[i].rest));
	return n;
}

static size_t
room(const struct page *p)
{
	size_t n = indentation(p);

	return p->columns > n + 10 ? p->columns - n : 10;
}

static void
begin_line(void *arg)
{
	struct page *p = arg;
	struct level *l;
	size_t i;

	p->has_line = true;
	p->is_quote_new = false;
	for (i = 0; i < p->depth; i++) {
		l = &p->levels[i];
		text_put_styled(p->out, TEXT_DIM,
		    l->is_used ? l->rest : l->marker);
		l->is_used = true;
	}
}

/* An empty line between two blocks, where one belongs. */
static void
gap(struct page *p)
{
	size_t i, bars = 0;

	if (!p->has_line || p->is_quote_new || (p->list_depth > 0 &&
	    p->lists[p->list_depth - 1].is_tight))
		return;
	for (i = 0; i < p->depth; i++) {
		if (!p->levels[i].is_used)
			return;
		if (p->levels[i].rest[0] != ' ')
			bars = i + 1;
	}
	for (i = 0; i < bars; i++)
		text_put_styled(p->out, TEXT_DIM, p->levels[i].rest);
	ln_buf_putc(p->out, '\n');
}

static void
push(struct page *p, const char *marker, const char *rest, bool is_used)
{
	struct level *l;

	if (p->depth == DEPTH_MAX) {
		p->deeper++;
		return;
	}
	l = &p->levels[p->depth++];
	(void)snprintf(l->marker, sizeof(l->marker), "%s", marker);
	(void)snprintf(l->rest, sizeof(l->rest), "%s", rest);
	l->is_used = is_used;
}

static void
pop(struct page *p)
{
	if (p->deeper > 0)
		p->deeper--;
	else
		p->depth--;
}

/* The words that have come, as lines. */
static void
flush(struct page *p)
{
	size_t from = 0, to, next, n = text_length(&p->text);

	while (from < n) {
		next = text_line(&p->text, from, n, room(p), &to);
		begin_line(p);
		text_put(&p->text, from, to, p->out);
		ln_buf_putc(p->out, '\n');
		from = next;
	}
	text_clear(&p->text);
}

static void
enter_list(struct page *p, bool is_ordered, bool is_tight, unsigned start)
{
	struct list *l;

	flush(p);
	gap(p);
	if (p->list_depth == DEPTH_MAX) {
		p->more_lists++;
		return;
	}
	l = &p->lists[p->list_depth++];
	memset(l, 0, sizeof(*l));
	l->is_ordered = is_ordered;
	l->is_tight = is_tight;
	l->number = start;
}

static void
leave_list(struct page *p)
{
	if (p->more_lists > 0)
		p->more_lists--;
	else
		p->list_depth--;
}

static void
enter_item(struct page *p, const MD_BLOCK_LI_DETAIL *item)
{
	struct list *l = &p->lists[p->list_depth - 1];
	char marker[MARKER_SIZE], rest[MARKER_SIZE];

	if (l->items++ > 0)
		gap(p);
	if (item->is_task)
		(void)snprintf(marker, sizeof(marker), "%s",
		    item->task_mark == ' ' ? "\xE2\x98\x90 " : "\xE2\x98\x91 ");
	else if (l->is_ordered)
		(void)snprintf(marker, sizeof(marker), "%u. ", l->number);
	else
		(void)snprintf(marker, sizeof(marker), "\xE2\x80\xA2 ");
	if (l->number < NUMBER_MAX)
		l->number++;
	(void)snprintf(rest, sizeof(rest), "%*s",
	    (int)ln_text_width(marker, strlen(marker)), "");
	push(p, marker, rest, false);
}

static void
enter_code(struct page *p, const MD_BLOCK_CODE_DETAIL *code)
{
	struct ln_buf name = LN_BUF_INIT(sizeof(p->fence));

	flush(p);
	gap(p);
	highlight_begin(&p->highlight, code->lang.text, code->lang.size);
	p->fence[0] = '\0';
	if (code->fence_char != '\0') {
		if (code->lang.text != NULL &&
		    code->lang.size < sizeof(p->fence) / 2)
			ln_text_terminal(code->lang.text, code->lang.size,
			    &name);
		(void)snprintf(p->fence, sizeof(p->fence), "```%s",
		    ln_buf_str(&name));
	}
	ln_buf_free(&name);
}

static void
put_fence(struct page *p, const char *fence)
{
	begin_line(p);
	text_put_styled(p->out, TEXT_DIM, fence);
	ln_buf_putc(p->out, '\n');
}

static void
leave_code(struct page *p)
{
	const char *s = p->text.bytes.data, *nl;
	size_t n = p->text.bytes.len, length;
	bool is_fenced = p->fence[0] != '\0';

	if (is_fenced)
		put_fence(p, p->fence);
	while (n > 0) {
		nl = memchr(s, '\n', n);
		length = nl != NULL ? (size_t)(nl - s) : n;
		begin_line(p);
		if (!is_fenced)
			ln_buf_puts(p->out, "    ");
		highlight_line(&p->highlight, s, length, p->out);
		ln_buf_putc(p->out, '\n');
		length += nl != NULL;
		s += length;
		n -= length;
	}
	if (is_fenced)
		put_fence(p, "```");
	text_clear(&p->text);
}

static void
rule(struct page *p)
{
	size_t i, n = room(p);

	flush(p);
	gap(p);
	begin_line(p);
	text_style(p->out, TEXT_DIM);
	for (i = 0; i < n; i++)
		ln_buf_puts(p->out, "\xE2\x94\x80");
	text_style(p->out, 0);
	ln_buf_putc(p->out, '\n');
}

static int
enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct page *p = arg;
	const MD_BLOCK_OL_DETAIL *ol = detail;
	const MD_BLOCK_UL_DETAIL *ul = detail;
	const MD_BLOCK_TD_DETAIL *cell = detail;

	switch (type) {
	case MD_BLOCK_QUOTE:
		flush(p);
		gap(p);
		push(p, "\xE2\x94\x82 ", "\xE2\x94\x82 ", true);
		p->is_quote_new = true;
		break;
	case MD_BLOCK_UL:
		enter_list(p, false, ul->is_tight != 0, 0);
		break;
	case MD_BLOCK_OL:
		enter_list(p, true, ol->is_tight != 0, ol->start);
		break;
	case MD_BLOCK_LI:
		enter_item(p, detail);
		break;
	case MD_BLOCK_H:
		flush(p);
		gap(p);
		text_begin(&p->text, TEXT_HEADING);
		break;
	case MD_BLOCK_P:
		flush(p);
		gap(p);
		break;
	case MD_BLOCK_CODE:
		enter_code(p, detail);
		break;
	case MD_BLOCK_HR:
		rule(p);
		break;
	case MD_BLOCK_TABLE:
		flush(p);
		gap(p);
		if ((p->table = table_new()) == NULL)
			return -1;
		break;
	case MD_BLOCK_TR:
		table_row(p->table);
		break;
	case MD_BLOCK_TH:
		text_begin(&p->text, TEXT_STRONG);
		return table_cell(p->table, text_length(&p->text),
		    (int)cell->align) ? 0 : -1;
	case MD_BLOCK_TD:
		return table_cell(p->table, text_length(&p->text),
		    (int)cell->align) ? 0 : -1;
	case MD_BLOCK_DOC:
	case MD_BLOCK_HTML:
	case MD_BLOCK_THEAD:
	case MD_BLOCK_TBODY:
		break;
	}
	return 0;
}

static int
leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct page *p = arg;
	bool is_done = true;

	(void)detail;
	switch (type) {
	case MD_BLOCK_LI:
		flush(p);
		if (p->deeper == 0 && !p->levels[p->depth - 1].is_used) {
			begin_line(p);
			ln_buf_putc(p->out, '\n');
		}
		pop(p);
		break;
	case MD_BLOCK_QUOTE:
		flush(p);
		pop(p);
		break;
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		leave_list(p);
		break;
	case MD_BLOCK_H:
		text_end(&p->text, TEXT_HEADING);
		flush(p);
		break;
	case MD_BLOCK_P:
	case MD_BLOCK_HTML:
		flush(p);
		break;
	case MD_BLOCK_CODE:
		leave_code(p);
		break;
	case MD_BLOCK_TABLE:
		is_done = table_put(p->table, &p->text, room(p), begin_line,
		    p, p->out);
		table_free(p->table);
		p->table = NULL;
		text_clear(&p->text);
		break;
	case MD_BLOCK_TH:
		text_end(&p->text, TEXT_STRONG);
		table_cell_end(p->table, text_length(&p->text));
		break;
	case MD_BLOCK_TD:
		table_cell_end(p->table, text_length(&p->text));
		break;
	case MD_BLOCK_DOC:
	case MD_BLOCK_HR:
	case MD_BLOCK_THEAD:
	case MD_BLOCK_TBODY:
	case MD_BLOCK_TR:
		break;
	}
	return is_done ? 0 : -1;
}

static unsigned
span_style(MD_SPANTYPE type)
{
	switch (type) {
	case MD_SPAN_EM:
		return TEXT_EMPHASIS;
	case MD_SPAN_STRONG:
		return TEXT_STRONG;
	case MD_SPAN_CODE:
		return TEXT_CODE;
	case MD_SPAN_DEL:
		return TEXT_DELETED;
	case MD_SPAN_A:
	case MD_SPAN_IMG:
	case MD_SPAN_WIKILINK:
	case MD_SPAN_LATEXMATH:
	case MD_SPAN_LATEXMATH_DISPLAY:
	case MD_SPAN_U:
		break;
	}
	return 0;
}

static int
enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct page *p = arg;
	const MD_SPAN_A_DETAIL *a = detail;
	const MD_SPAN_IMG_DETAIL *image = detail;

	if (type == MD_SPAN_A)
		text_link(&p->text, a->href.text, a->href.size);
	else if (type == MD_SPAN_IMG)
		text_link(&p->text, image->src.text, image->src.size);
	else
		text_begin(&p->text, span_style(type));
	return 0;
}

static int
leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct page *p = arg;

	(void)detail;
	if (type == MD_SPAN_A || type == MD_SPAN_IMG)
		text_link_end(&p->text);
	else
		text_end(&p->text, span_style(type));
	return 0;
}

static int
on_text(MD_TEXTTYPE type, const MD_CHAR *s, MD_SIZE n, void *arg)
{
	struct page *p = arg;

	switch (type) {
	case MD_TEXT_NULLCHAR:
		text_add(&p->text, "\xEF\xBF\xBD", 3);
		break;
	case MD_TEXT_BR:
		text_add(&p->text, p->table != NULL ? " " : "\n", 1);
		break;
	case MD_TEXT_SOFTBR:
		text_add(&p->text, " ", 1);
		break;
	case MD_TEXT_ENTITY:
		text_add_entity(&p->text, s, n);
		break;
	case MD_TEXT_NORMAL:
	case MD_TEXT_CODE:
	case MD_TEXT_HTML:
	case MD_TEXT_LATEXMATH:
		text_add(&p->text, s, n);
		break;
	}
	return 0;
}

bool
markdown_render(const char *s, size_t n, size_t columns, struct ln_buf *out)
{
	static const MD_PARSER parser = {
		.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH |
		    MD_FLAG_TASKLISTS | MD_FLAG_PERMISSIVEURLAUTOLINKS |
		    MD_FLAG_NOHTML,
		.enter_block = enter_block, .leave_block = leave_block,
		.enter_span = enter_span, .leave_span = leave_span,
		.text = on_text,
	};
	struct page *p;
	bool is_done;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return false;
	p->out = out;
	p->columns = columns;
	text_init(&p->text);
	is_done = n <= (MD_SIZE)-1 && md_parse(s, (MD_SIZE)n, &parser, p) == 0;
	is_done = is_done && text_is_whole(&p->text) &&
	    ln_buf_status(out) == LN_OK;
	table_free(p->table);
	text_free(&p->text);
	free(p);
	return is_done;
}

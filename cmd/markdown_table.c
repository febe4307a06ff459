#include "markdown_text.h"

#include <stdlib.h>
#include <string.h>

#include <md4c.h>

#include <ln/text.h>

#define BAR " \xE2\x94\x82 "
#define BAR_COLUMNS 3
#define LEAST 4		/* columns of a cell that has to give way */

struct cell {
	size_t from, to;	/* in the text of the table */
	size_t row, column;
	int align;
};

struct table {
	struct cell *cells;
	size_t count, rows, columns, column;
};

struct table *
table_new(void)
{
	return calloc(1, sizeof(struct table));
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	free(t->cells);
	free(t);
}

void
table_row(struct table *t)
{
	t->rows++;
	t->column = 0;
}

bool
table_cell(struct table *t, size_t from, int align)
{
	struct cell *grown;

	grown = realloc(t->cells, (t->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return false;
	t->cells = grown;
	grown[t->count++] = (struct cell){ .from = from, .to = from,
		.row = t->rows - 1, .column = t->column++, .align = align };
	if (t->column > t->columns)
		t->columns = t->column;
	return true;
}

void
table_cell_end(struct table *t, size_t to)
{
	t->cells[t->count - 1].to = to;
}

/* The widest columns give way until the table fits, as far as they can. */
static void
fit(size_t *widths, size_t count, size_t columns)
{
	size_t i, widest, total = (count - 1) * BAR_COLUMNS;

	for (i = 0; i < count; i++)
		total += widths[i];
	while (total > columns) {
		for (widest = 0, i = 1; i < count; i++)
			if (widths[i] > widths[widest])
				widest = i;
		if (widths[widest] <= LEAST)
			return;
		widths[widest]--;
		total--;
	}
}

static void
spaces(struct ln_buf *out, size_t n)
{
	while (n-- > 0)
		ln_buf_putc(out, ' ');
}

static void
put_cell(const struct cell *c, const struct text *text, size_t to,
    size_t width, bool is_last, struct ln_buf *out)
{
	size_t used = text_columns(text, c->from, to), before = 0;
	size_t left = width > used ? width - used : 0;

	if (c->align == MD_ALIGN_RIGHT)
		before = left;
	else if (c->align == MD_ALIGN_CENTER)
		before = left / 2;
	spaces(out, before);
	text_put(text, c->from, to, out);
	if (!is_last)
		spaces(out, left - before);
}

/* One row, whose cells may take several lines; ${row} is used up. */
static void
put_row(struct cell *row, size_t count, const size_t *widths,
    const struct table *t, const struct text *text,
    void (*begin_line)(void *arg), void *arg, struct ln_buf *out)
{
	size_t i, to, next;
	bool has_more;

	do {
		has_more = false;
		begin_line(arg);
		for (i = 0; i < t->columns; i++) {
			if (i > 0)
				text_put_styled(out, TEXT_DIM, BAR);
			if (i >= count) {
				if (i + 1 < t->columns)
					spaces(out, widths[i]);
				continue;
			}
			next = text_line(text, row[i].from, row[i].to,
			    widths[i], &to);
			put_cell(&row[i], text, to, widths[i],
			    i + 1 == t->columns, out);
			row[i].from = next;
			has_more = has_more || next < row[i].to;
		}
		ln_buf_putc(out, '\n');
	} while (has_more);
}

static void
put_rule(const size_t *widths, size_t count, struct ln_buf *out)
{
	size_t i, j;

	text_style(out, TEXT_DIM);
	for (i = 0; i < count; i++) {
		if (i > 0)
			ln_buf_puts(out,
			    "\xE2\x94\x80\xE2\x94\xBC\xE2\x94\x80");
		for (j = 0; j < widths[i]; j++)
			ln_buf_puts(out, "\xE2\x94\x80");
	}
	text_style(out, 0);
	ln_buf_putc(out, '\n');
}

bool
table_put(const struct table *t, const struct text *text, size_t columns,
    void (*begin_line)(void *arg), void *arg, struct ln_buf *out)
{
	size_t *widths, i, n, row = 0;

	if (t->count == 0)
		return true;
	if ((widths = calloc(t->columns, sizeof(*widths))) == NULL)
		return false;
	for (i = 0; i < t->count; i++) {
		n = text_columns(text, t->cells[i].from, t->cells[i].to);
		if (n > widths[t->cells[i].column])
			widths[t->cells[i].column] = n;
	}
	fit(widths, t->columns, columns);
	for (i = 0; i < t->count; i += n) {
		for (n = 1; i + n < t->count &&
		    t->cells[i + n].row == t->cells[i].row; n++)
			;
		put_row(&t->cells[i], n, widths, t, text, begin_line, arg,
		    out);
		if (row++ == 0) {
			begin_line(arg);
			put_rule(widths, t->columns, out);
		}
	}
	free(widths);
	return true;
}

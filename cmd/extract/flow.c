#include "flow.h"

#include "extract.h"

#include <string.h>

/* What the next text needs in front. */
static void
lead(struct flow *f)
{
	static const char marks[] = "###### ", ends[] = "\n\n";

	if (f->breaks > 0 && f->has_text) {
		emit(ends, (size_t)f->breaks);
		f->is_in_line = false;
	}
	if (f->is_in_line && f->wants_cell)
		emit("\t", 1);
	else if (f->is_in_line && f->wants_space)
		emit(" ", 1);
	if (!f->is_in_line && f->level > 0)
		emit(marks + 6 - f->level, (size_t)f->level + 1);
	else if (!f->is_in_line && f->is_item)
		emit("- ", 2);
	f->breaks = f->level = 0;
	f->is_item = f->wants_space = f->wants_cell = false;
	f->has_text = f->is_in_line = true;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

void
flow_text(struct flow *f, const char *p, size_t n)
{
	size_t i = 0, start;

	if (f->kept > 0 && n > 0) {
		lead(f);
		emit(p, n);
		return;
	}
	while (i < n) {
		if (is_space(p[i])) {
			f->wants_space = true;
			i++;
			continue;
		}
		for (start = i; i < n && !is_space(p[i]); i++)
			;
		lead(f);
		emit(p + start, i - start);
	}
}

void
flow_space(struct flow *f)
{
	f->wants_space = true;
}

void
flow_line(struct flow *f)
{
	if (f->breaks < 1)
		f->breaks = 1;
}

void
flow_block(struct flow *f)
{
	f->breaks = 2;
	f->level = 0;
	f->is_item = false;
}

void
flow_heading(struct flow *f, int level)
{
	flow_block(f);
	f->level = level < 1 ? 1 : level > 6 ? 6 : level;
}

void
flow_item(struct flow *f)
{
	flow_line(f);
	f->is_item = true;
}

void
flow_cell(struct flow *f)
{
	f->wants_cell = true;
}

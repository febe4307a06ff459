#ifndef FLOW_H
#define FLOW_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Text out of markup: white space is folded, blocks become lines and
 * paragraphs, headings get their marks.
 */

struct flow {
	bool has_text;		/* anything was written */
	bool is_in_line;	/* the line has something */
	bool wants_space;
	bool wants_cell;	/* a tab goes before the next text */
	int breaks;		/* line ends before the next text */
	int level;		/* of the heading that comes; 0 */
	bool is_item;		/* of a list */
	int kept;		/* depth of elements that keep white space */
};

#define FLOW_INIT { false, false, false, false, 0, 0, false, 0 }

void flow_text(struct flow *f, const char *p, size_t n);
void flow_space(struct flow *f);
void flow_line(struct flow *f);		/* the next text is on a line */
void flow_block(struct flow *f);	/* and after an empty one */
void flow_heading(struct flow *f, int level);
void flow_item(struct flow *f);
void flow_cell(struct flow *f);

#endif

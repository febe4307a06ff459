#ifndef LNCTL_MARKDOWN_H
#define LNCTL_MARKDOWN_H

#include <stdio.h>

#include "cmd.h"

/*
 * Markdown on a terminal: md4c reads it, these write lines with the escape
 * sequences of ECMA-48 and OSC 8.  Whatever could drive the terminal is
 * removed from the text on the way.
 */

/**
 * markdown_render(text, n, columns, out):
 * Append the ${n} bytes of Markdown at ${text} to ${out}, laid out for
 * ${columns}.  Ends with a newline unless there is nothing to see.  False when
 * it could not be done (memory): print the text as it is.
 */
bool markdown_render(const char *text, size_t n, size_t columns,
    struct ln_buf *out);

struct markdown;

/**
 * markdown_new(f) / markdown_free(m):
 * Writes Markdown to the terminal ${f} while it comes.  What is not complete
 * yet is shown as it stands and replaced by its layout when its block ends;
 * what could have scrolled away is never touched.  NULL without memory.
 */
struct markdown *markdown_new(FILE *f);
void markdown_free(struct markdown *m);

/**
 * markdown_put(m, text, n):
 * More of the text: whole code points.
 */
void markdown_put(struct markdown *m, const char *text, size_t n);

/**
 * markdown_settle(m):
 * Lay out what has come so far: somebody else wants to write, or it ends.
 * The cursor then stands at the beginning of a line.
 */
void markdown_settle(struct markdown *m);

/* --- highlight.c --------------------------------------------------------- */

struct highlight {
	const struct language *language;	/* NULL: plain */
	bool is_in_comment;	/* of several lines */
};

/**
 * highlight_begin(h, name, n) / highlight_line(h, line, n, out):
 * Code of the language that a fence names / one line of it, without its
 * newline, appended to ${out} in colours.
 */
void highlight_begin(struct highlight *h, const char *name, size_t n);
void highlight_line(struct highlight *h, const char *line, size_t n,
    struct ln_buf *out);

#endif

#ifndef LNCTL_MARKDOWN_TEXT_H
#define LNCTL_MARKDOWN_TEXT_H

#include "cmd.h"

/*
 * Words with their style and their link, as they come out of a Markdown
 * parser, and the tables made of them.
 */

enum {
	TEXT_STRONG = 1, TEXT_EMPHASIS = 2, TEXT_CODE = 4, TEXT_DELETED = 8,
	TEXT_LINK = 16, TEXT_HEADING = 32, TEXT_DIM = 64,
};
#define TEXT_STYLES 7

#define TEXT_LINKS_MAX 255	/* of one block; what is above is no link */

struct text {
	struct ln_buf bytes;
	struct ln_buf styles;	/* one byte for each of ${bytes} */
	struct ln_buf links;	/* likewise: 0, or an index into hrefs plus 1 */
	unsigned nested[TEXT_STYLES];
	char *hrefs[TEXT_LINKS_MAX];
	size_t href_count, link_from;
	unsigned char link;
	bool has_failed;
};

void text_init(struct text *t);
void text_free(struct text *t);
void text_clear(struct text *t);
size_t text_length(const struct text *t);
bool text_is_whole(const struct text *t);

/* A style begins and ends; they nest. */
void text_begin(struct text *t, unsigned style);
void text_end(struct text *t, unsigned style);
void text_link(struct text *t, const char *href, size_t n);
void text_link_end(struct text *t);

/* More words; a newline is a line break, an entity is what "&...;" means. */
void text_add(struct text *t, const char *s, size_t n);
void text_add_entity(struct text *t, const char *s, size_t n);

/**
 * text_line(t, from, to, columns, out_end):
 * The line that begins at ${from}: it ends before ${out_end}, and the next one
 * begins at the result, at ${to} when there is none.  A word that is wider
 * than ${columns} stands out.
 */
size_t text_line(const struct text *t, size_t from, size_t to, size_t columns,
    size_t *out_end);

/* The bytes from ${from} to before ${to}, in their style. */
void text_put(const struct text *t, size_t from, size_t to,
    struct ln_buf *out);
size_t text_columns(const struct text *t, size_t from, size_t to);

/* text_style(out, 0) ends every style. */
void text_style(struct ln_buf *out, unsigned style);
void text_put_styled(struct ln_buf *out, unsigned style, const char *s);

/* --- markdown_table.c ----------------------------------------------------- */

struct table;

/* NULL or false without memory.  ${align} is that of md4c. */
struct table *table_new(void);
void table_free(struct table *t);
void table_row(struct table *t);
bool table_cell(struct table *t, size_t from, int align);
void table_cell_end(struct table *t, size_t to);

/* Its first row is the head; ${begin_line} writes what is left of a line.
 * False without memory. */
bool table_put(const struct table *t, const struct text *text, size_t columns,
    void (*begin_line)(void *arg), void *arg, struct ln_buf *out);

#endif

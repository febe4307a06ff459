#ifndef LNI_TEXT_CHUNK_H
#define LNI_TEXT_CHUNK_H

#include <ln/error.h>
#include <ln/project.h>

/*
 * Text that comes in segments, cut into chunks that a search can find and a
 * model can read: of at most LNI_CHUNK_MAX bytes, ending where a paragraph, a
 * line, a sentence or a word does when that is possible, never inside a UTF-8
 * character, and never with parts of two pages.  A chunk begins with the end
 * of the one before, so that what stands across the cut is found, too.
 */

#define LNI_CHUNK_MAX LN_CHUNK_MAX
#define LNI_CHUNK_MIN ((size_t)700)	/* no cut before, but at a page's end */
#define LNI_CHUNK_OVERLAP ((size_t)150)

/* Borrowed for the call; ${text} is not NUL-terminated. */
struct lni_chunk {
	const char *text;
	size_t length;
	size_t overlap;		/* bytes that the last chunk ended with */
	uint32_t page, line;	/* of its first byte; 0: no such thing */
};
typedef enum ln_status lni_chunk_fn(void *arg, const struct lni_chunk *c,
    struct ln_error *err);

struct lni_chunker {
	lni_chunk_fn *fn;
	void *arg;
	char text[2 * LNI_CHUNK_MAX];
	size_t length, overlap;
	uint32_t page, line;
};

void lni_chunker_init(struct lni_chunker *c, lni_chunk_fn *fn, void *arg);

/**
 * lni_chunker_feed(c, p, n, page, line, err) / lni_chunker_end(c, err):
 * Valid UTF-8, which a segment may cut in the middle of a character; ${page}
 * and ${line} (of the first byte) are 0 where there is no such thing / no more
 * comes.  What is not LN_OK is what ${fn} said.
 */
enum ln_status lni_chunker_feed(struct lni_chunker *c, const char *p,
    size_t n, uint32_t page, uint32_t line, struct ln_error *err) LN_USE;
enum ln_status lni_chunker_end(struct lni_chunker *c, struct ln_error *err)
    LN_USE;

#endif

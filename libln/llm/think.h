#ifndef LNI_THINK_H
#define LNI_THINK_H

#include <ln/base.h>

/*
 * Some servers hand on what a model thinks in its text, as
 * "<think>...</think>" before the answer, instead of beside it.  This splits
 * such a text while it comes, in pieces of any size.  Only the very beginning
 * counts: an answer that speaks of the tag keeps it.
 */

#define LNI_THINK_SPACE_MAX 32	/* bytes of blanks before the tag */

enum lni_think_state {
	LNI_THINK_START,	/* blanks, and perhaps some of the tag */
	LNI_THINK_INSIDE,
	LNI_THINK_AFTER,	/* blanks behind the thoughts */
	LNI_THINK_PLAIN,
};

/* Zeroed: at the beginning. */
struct lni_think {
	enum lni_think_state state;
	char held[LNI_THINK_SPACE_MAX + 8];	/* perhaps a tag, perhaps not */
	size_t held_len;
	size_t matched;		/* bytes of the tag that were seen */
	bool has_thought;	/* blanks are part of it now */
};
typedef void lni_think_fn(void *arg, bool is_thought, const char *text,
    size_t n);

/**
 * lni_think_feed(t, p, n, fn, arg):
 * Hand on what of the text is decided.  Pieces of whole UTF-8 characters give
 * pieces of whole characters.
 */
void lni_think_feed(struct lni_think *t, const char *p, size_t n,
    lni_think_fn *fn, void *arg);

/**
 * lni_think_end(t, fn, arg):
 * No more comes: what was held back is not a tag.  Thoughts without an end
 * stay thoughts.
 */
void lni_think_end(struct lni_think *t, lni_think_fn *fn, void *arg);

#endif

#ifndef LNI_PASSAGES_H
#define LNI_PASSAGES_H

#include <ln/buf.h>
#include <ln/project.h>

/* Passages of a project's documents as a model or a person reads them. */

#define LNI_PASSAGES_OFFERED 8		/* at most, to a model */
#define LNI_PASSAGES_BYTES ((size_t)12 * 1024)	/* of any model; less where
						 * its sight is short */

/* What the model is told about them, once, in the system prompt. */
extern const char lni_passages_rule[];

/* "filename, p. 3" or "filename, line 12". */
void lni_passage_source(const struct ln_passage *p, struct ln_buf *out);

/**
 * lni_passages_frame(l, max, out, out_count):
 * Append as many of the list, best first, as fit into ${max} bytes, numbered
 * from 1, as data: no text in them can end the frame.  None is cut.
 */
void lni_passages_frame(const struct ln_passage_list *l, size_t max,
    struct ln_buf *out, size_t *out_count);

/* The first ${count} as the JSON that a message keeps.  Yours. */
enum ln_status lni_passages_json(const struct ln_passage_list *l,
    size_t count, char **out, struct ln_error *err) LN_USE;

#endif

#ifndef LNI_FIND_PASSAGES_H
#define LNI_FIND_PASSAGES_H

#include <ln/project.h>

/**
 * struct lni_meaning / lni_passages_find(st, q, meaning, out, err):
 * ln_project_search of a project that is known to be the user's, with the
 * question as a packed vector of ${model}; ${meaning} NULL goes by words alone.
 */
struct lni_meaning {
	const char *model;
	const unsigned char *packed;
	size_t dimension;
};
enum ln_status lni_passages_find(struct ln_store *st,
    const struct ln_project_query *q, const struct lni_meaning *meaning,
    struct ln_passage_list *out, struct ln_error *err) LN_USE;

#endif

#ifndef LNI_SCHEMA_H
#define LNI_SCHEMA_H

#include <ln/schema.h>

struct ln_schema {
	struct ln_json *root;
};

/* Where a walk stands: a JSON Pointer, kept on the stack of the callers. */
struct lni_path {
	const struct lni_path *parent;	/* NULL: the root */
	const char *name;		/* of a member, or NULL: */
	size_t index;			/* of an element */
};

/* Append the pointer, "/" for the root, long names cut. */
void lni_path_print(const struct lni_path *at, struct ln_buf *out);

/**
 * lni_schema_type_name(node, i):
 * The ${i}th word of the value of "type" (a word or a list), or NULL.
 */
const char *lni_schema_type_name(const struct ln_json *node, size_t i);

/**
 * lni_schema_target(root, ref):
 * What "$ref" names, NULL when it is not there or not of a form we follow.
 */
const struct ln_json *lni_schema_target(const struct ln_json *root,
    const char *ref);

/**
 * lni_schema_define(root, problem, err):
 * Whether every keyword in ${root} is one that is checked or means nothing,
 * and has a sane value.  LN_INVALID.
 */
enum ln_status lni_schema_define(const struct ln_json *root,
    struct ln_buf *problem, struct ln_error *err) LN_USE;

#endif

#ifndef LN_JSON_H
#define LN_JSON_H

#include <ln/base.h>
#include <ln/buf.h>
#include <ln/error.h>

/*
 * Reading JSON through one strict gate, and building it.  A node is borrowed
 * from its document.  One thread at a time a document.
 */

#define LN_JSON_DEPTH_MAX 32	 /* security contract, "Errors and input" */
#define LN_JSON_VALUES_MAX 10000 /* the same line */

enum ln_json_type {
	LN_JSON_NULL,
	LN_JSON_BOOL,
	LN_JSON_NUMBER,
	LN_JSON_STRING,
	LN_JSON_ARRAY,
	LN_JSON_OBJECT,
};

struct ln_json;

/**
 * struct ln_json_opts:
 * Zero means the default above.  ${allow_duplicates} accepts duplicate member
 * names (the first wins), for files of other programs.
 */
struct ln_json_opts {
	size_t size;
	size_t depth_max;	/* 1000 at most, whatever it says */
	size_t values_max;
	bool allow_duplicates;
};

/**
 * ln_json_parse(s, n, opts, out, err):
 * Parse the whole input: strict UTF-8, no "\u0000", no lone surrogate, no
 * duplicate names, finite numbers of at most 63 characters, depth and count
 * bounded, nothing behind the value.  ${opts} may be NULL.  Release the root
 * with ln_json_free, which wipes the strings in it.  LN_INVALID (text "Invalid
 * JSON"), LN_TOO_LARGE (too deep or too many values), LN_NOMEM.
 */
LN_API enum ln_status ln_json_parse(const char *s, size_t n,
    const struct ln_json_opts *opts, struct ln_json **out,
    struct ln_error *err) LN_USE;
LN_API void ln_json_free(struct ln_json *root);

/**
 * Looking: every function takes NULL and then answers LN_JSON_NULL, NULL,
 * false or 0, so that lookups can be chained.
 */
LN_API enum ln_json_type ln_json_type(const struct ln_json *n);
LN_API const struct ln_json *ln_json_get(const struct ln_json *object,
    const char *name);
LN_API const char *ln_json_string(const struct ln_json *n);
LN_API bool ln_json_bool(const struct ln_json *n, bool *out);
LN_API bool ln_json_number(const struct ln_json *n, double *out);
/* Only whole numbers that a double tells apart: below 2^53 either way. */
LN_API bool ln_json_int(const struct ln_json *n, int64_t *out);
LN_API size_t ln_json_count(const struct ln_json *n);
LN_API const struct ln_json *ln_json_first(const struct ln_json *n);
LN_API const struct ln_json *ln_json_next(const struct ln_json *n);
LN_API const char *ln_json_name(const struct ln_json *n);
/* The string value of member ${name}, or NULL. */
LN_API const char *ln_json_get_string(const struct ln_json *object,
    const char *name);

/**
 * struct ln_jw:
 * Builds a document in writing order; failure sticks.  Inside an object
 * ${name} names the member (each name once), inside an array and at the top it
 * is NULL.  A NULL string writes null.  Strings that are not valid UTF-8 are
 * repaired.  A NULL ${w} does nothing, so that only the end needs a check.
 * Every call takes constant time besides copying what it is given.
 */
struct ln_jw;

LN_API struct ln_jw *ln_jw_new(void) LN_USE;	/* NULL without memory */
LN_API void ln_jw_free(struct ln_jw *w);
LN_API void ln_jw_object(struct ln_jw *w, const char *name);
LN_API void ln_jw_array(struct ln_jw *w, const char *name);
LN_API void ln_jw_end(struct ln_jw *w);		/* closes the innermost */
LN_API void ln_jw_string(struct ln_jw *w, const char *name, const char *v);
LN_API void ln_jw_stringn(struct ln_jw *w, const char *name, const char *v,
    size_t n);
LN_API void ln_jw_int(struct ln_jw *w, const char *name, int64_t v);
/* NaN and the infinities write null. */
LN_API void ln_jw_number(struct ln_jw *w, const char *name, double v);
LN_API void ln_jw_bool(struct ln_jw *w, const char *name, bool v);
LN_API void ln_jw_null(struct ln_jw *w, const char *name);
/* RFC 3339, or null when ${ms} is 0. */
LN_API void ln_jw_time(struct ln_jw *w, const char *name, int64_t ms);
/* A deep copy of a parsed node; NULL writes null. */
LN_API void ln_jw_node(struct ln_jw *w, const char *name,
    const struct ln_json *node);

/**
 * ln_jw_print(w, pretty, out):
 * Append the document to ${out}.  Open containers are closed first.  LN_NOMEM
 * when memory was short on the way (or ${w} is NULL), LN_INTERNAL when the
 * calls did not add up to a document (a member without a name, a second root,
 * more than 64 containers inside each other), else the status of ${out}.
 */
LN_API enum ln_status ln_jw_print(struct ln_jw *w, bool pretty,
    struct ln_buf *out) LN_USE;

#endif

#ifndef INPUT_H
#define INPUT_H

#include "api.h"

/* What clients send, bounded and checked. */

/**
 * input_check(q):
 * Size, content type and JSON of the body as q->route wants them; q->body is
 * the object then.  False when a refusal (413, 415, 400) was written.
 */
bool input_check(struct rq *q);

/**
 * input_size_ok(q, n) / input_type_ok(q):
 * The part of it that can be told before the body is here.
 */
bool input_size_ok(struct rq *q, size_t n);
bool input_type_ok(struct rq *q, size_t n);

/**
 * input_string(q, name, max, out):
 * An optional string member of the body: ${out} is it, or NULL when it is
 * missing or null.  False when it has another type or more than ${max} bytes;
 * then a 400 naming the field was written.
 */
bool input_string(struct rq *q, const char *name, size_t max,
    const char **out);

/**
 * input_bool(q, name, out, out_is_given) / input_number(...) /
 * input_int(...):
 * The same for other types.  ${out} is left alone when it is not given.
 */
bool input_bool(struct rq *q, const char *name, bool *out,
    bool *out_is_given);
bool input_number(struct rq *q, const char *name, double *out,
    bool *out_is_given);
bool input_int(struct rq *q, const char *name, int64_t *out,
    bool *out_is_given);

/**
 * input_query_int(q, name, min, max, out):
 * An optional whole number of the query; ${out} is left alone when it is
 * missing.  False after a 400.
 */
bool input_query_int(struct rq *q, const char *name, int64_t min,
    int64_t max, int64_t *out);

/**
 * input_id(s, out):
 * A row's number as we write it: digits without a leading zero.  False, and 0
 * in ${out}, for anything else: no row has it.
 */
bool input_id(const char *s, int64_t *out);

/**
 * input_bad(q, name):
 * 400 for a member of the wrong type; ${name} is a literal.
 */
int input_bad(struct rq *q, const char *name);

/**
 * input_percent(s, n, is_form, out, outsize):
 * Decode %XX (and, in a query, "+" as a space); false for a malformed one, a NUL, a control character, invalid
 * UTF-8 or too long a result.
 */
bool input_percent(const char *s, size_t n, bool is_form, char *out,
    size_t outsize);

#endif

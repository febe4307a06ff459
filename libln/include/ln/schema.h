#ifndef LN_SCHEMA_H
#define LN_SCHEMA_H

#include <ln/base.h>
#include <ln/buf.h>
#include <ln/error.h>
#include <ln/json.h>

/*
 * A part of JSON Schema, whole in itself: what is checked is checked as the
 * standard (2020-12) says, and a schema that asks for more is refused when it
 * is read, never let through unchecked.
 *
 * Checked: true and false as schemas, type, enum, const, properties, required,
 * additionalProperties, minProperties, maxProperties, items (one schema),
 * minItems, maxItems, uniqueItems, minLength, maxLength, minimum, maximum,
 * exclusiveMinimum, exclusiveMaximum, allOf, anyOf, oneOf, not, and $ref to
 * "#" or to a member of $defs (or definitions) of the root.
 * Read over, as they constrain nothing: title, description, default, examples,
 * format, deprecated, readOnly, writeOnly, $comment, "x-...", and at the root
 * $schema and $id.
 */

#define LN_SCHEMA_BYTES_MAX ((size_t)64 * 1024)	/* of a schema's text */
#define LN_SCHEMA_DEPTH_MAX 64		/* schemas inside each other in a check */
#define LN_SCHEMA_STEPS_MAX 100000	/* schemas and values one check visits */
#define LN_SCHEMA_PROBLEM_MAX ((size_t)4000)	/* longest problem, bytes */

struct ln_schema;

/**
 * ln_schema_parse(text, n, problem, out, err) / ln_schema_free(schema):
 * Read a schema.  ${problem} (may be NULL) gets where and what is wrong, the
 * path being a JSON Pointer and "/" the whole ("/properties/zone: pattern is
 * not checked here").  Yours.  LN_INVALID; LN_TOO_LARGE; LN_NOMEM.
 */
LN_API enum ln_status ln_schema_parse(const char *text, size_t n,
    struct ln_buf *problem, struct ln_schema **out, struct ln_error *err)
    LN_USE;
LN_API void ln_schema_free(struct ln_schema *schema);

/**
 * ln_schema_check(schema, value, problem, err):
 * Whether ${value} fits.  ${problem} (may be NULL) gets the first thing that
 * does not ("/zone: must be a string"); it quotes names of members and values
 * of the schema, no other value.  Bounded in time by the three numbers above.
 * Any thread.  LN_INVALID; LN_TOO_LARGE when it would take too much work;
 * LN_NOMEM.
 */
LN_API enum ln_status ln_schema_check(const struct ln_schema *schema,
    const struct ln_json *value, struct ln_buf *problem,
    struct ln_error *err) LN_USE;

#endif

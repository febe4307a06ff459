#ifndef LNI_JSON_GATE_H
#define LNI_JSON_GATE_H

#include <stddef.h>

#include <ln/error.h>

/* What the library behind the gate can nest; more is never let through. */
#define LNI_JSON_NESTING_MAX 1000

/**
 * lni_json_gate(s, n, depth_max, values_max, err):
 * Check that the ${n} bytes at ${s} are one JSON text by the letter of RFC
 * 8259, in strict UTF-8, without "\u0000" and lone surrogates, with numbers of
 * at most 63 characters, containers nested at most ${depth_max} deep and at
 * most ${values_max} values.  Builds nothing, allocates nothing, one pass.
 * LN_INVALID; LN_TOO_LARGE.
 */
enum ln_status lni_json_gate(const char *s, size_t n, size_t depth_max,
    size_t values_max, struct ln_error *err) LN_USE;

#endif

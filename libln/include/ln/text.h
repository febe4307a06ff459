#ifndef LN_TEXT_H
#define LN_TEXT_H

#include <ln/base.h>
#include <ln/error.h>

/* UTF-8 and small string rules that several nouns share. */

/**
 * ln_utf8_valid(s, n):
 * Whether the ${n} bytes are strict UTF-8 (no overlong form, no surrogate,
 * nothing past U+10FFFF).  NUL bytes count as valid.
 */
LN_API bool ln_utf8_valid(const char *s, size_t n);

/**
 * ln_utf8_count(s):
 * The number of code points in the valid UTF-8 string ${s}.
 */
LN_API size_t ln_utf8_count(const char *s);

/**
 * ln_utf8_prefix(s, n, max):
 * The largest length <= ${max} that does not cut a code point of the ${n}
 * bytes at ${s} in two.
 */
LN_API size_t ln_utf8_prefix(const char *s, size_t n, size_t max);

/**
 * ln_utf8_repair(s, n, out, err):
 * Copy with every invalid sequence and every NUL replaced by U+FFFD.  Yours,
 * release with ln_free.  LN_NOMEM.
 */
LN_API enum ln_status ln_utf8_repair(const char *s, size_t n, char **out,
    struct ln_error *err) LN_USE;

/**
 * ln_text_key(s, out, err):
 * The form under which two names are the same: Unicode NFKC with case folded
 * and without default-ignorable code points (soft hyphen, joiners), so it can
 * be empty.  Yours, release with ln_free.  LN_INVALID if ${s} is not UTF-8,
 * LN_NOMEM.
 */
LN_API enum ln_status ln_text_key(const char *s, char **out,
    struct ln_error *err) LN_USE;

/**
 * ln_text_has_control(s):
 * Whether ${s} holds a C0 or C1 control character or DEL, in UTF-8 or as a
 * bare byte.
 */
LN_API bool ln_text_has_control(const char *s);

/**
 * ln_text_trim(s, out, err):
 * A copy without leading and trailing ASCII white space.  Yours.  LN_NOMEM.
 */
LN_API enum ln_status ln_text_trim(const char *s, char **out,
    struct ln_error *err) LN_USE;

/**
 * ln_text_tag(s, out, err):
 * A tag as it is stored: trimmed, lower case, NFC, each run of inner spaces
 * (Unicode Zs) as one "-".  Yours.  LN_INVALID with field "tag" when empty,
 * longer than LN_TAG_MAX code points, with control characters or not UTF-8;
 * LN_NOMEM.
 */
#define LN_TAG_MAX 64
LN_API enum ln_status ln_text_tag(const char *s, char **out,
    struct ln_error *err) LN_USE;

/**
 * ln_text_terminal(s, n, out):
 * Append the ${n} bytes to the buffer ${out} with everything removed that
 * could drive a terminal: C0 except newline and tab, DEL, C1, bidirectional
 * overrides and isolates.  Invalid UTF-8 becomes U+FFFD.
 */
struct ln_buf;
LN_API void ln_text_terminal(const char *s, size_t n, struct ln_buf *out);

/**
 * ln_text_width(s, n):
 * How many columns of a terminal the ${n} bytes take (utf8proc's table): 2 for
 * wide letters, 0 for what combines with the one before, for controls and for
 * what is not UTF-8.
 */
LN_API size_t ln_text_width(const char *s, size_t n);

#endif

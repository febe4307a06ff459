#ifndef LNI_UTF8_H
#define LNI_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * lni_utf8_decode(s, n, out):
 * Read the code point that starts the ${n} (at least 1) bytes at ${s}.
 * Returns how many bytes it takes and stores it in ${out}; or, when they do
 * not start one, the negated length of the part that one U+FFFD stands for
 * (the Unicode Standard, "substitution of maximal subparts"), never 0.
 */
int lni_utf8_decode(const char *s, size_t n, uint32_t *out);

#endif

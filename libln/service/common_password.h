#ifndef LNI_COMMON_PASSWORD_H
#define LNI_COMMON_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether ${pw} is one of the commonest passwords, in any case of its ASCII
 * letters.  A binary search in a sorted text; thread-safe. */
bool lni_common_password_is(const char *pw, size_t len);

#endif

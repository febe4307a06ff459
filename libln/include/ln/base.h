#ifndef LN_BASE_H
#define LN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What every public header needs: export and check attributes, the outcome
 * enum, and the library's life.
 */

#define LN_API __attribute__((visibility("default")))
#define LN_USE __attribute__((warn_unused_result))
#define LN_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum ln_status {
#define LN_STATUS(name, token, text) LN_##name,
#include <ln/status.def>
#undef LN_STATUS
};

struct ln_error;

/**
 * ln_init(err):
 * Prepare the library (libsodium, the core-dump guard).  Call once a process
 * before anything else; further calls do nothing.  Not thread-safe against
 * itself: call it before the first thread.  LN_INTERNAL if the system offers
 * no randomness.
 */
LN_API enum ln_status ln_init(struct ln_error *err) LN_USE;

/**
 * ln_free(p):
 * Release memory that a libln function said is yours.  NULL does nothing.
 */
LN_API void ln_free(void *p);

/**
 * ln_version():
 * The version of the library, "MAJOR.MINOR.PATCH".  Static.
 */
LN_API const char *ln_version(void);

/**
 * ln_status_token(s) / ln_status_text(s):
 * The stable token and the default sentence of ${s}.  Static.
 */
LN_API const char *ln_status_token(enum ln_status s);
LN_API const char *ln_status_text(enum ln_status s);

#endif

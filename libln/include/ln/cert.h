#ifndef LN_CERT_H
#define LN_CERT_H

#include <stdint.h>

#include <ln/error.h>

/* Longest file that is read, bytes: a chain is a few KiB. */
#define LN_CERT_FILE_MAX ((size_t)256 * 1024)

/**
 * ln_cert_end(path, out_ms, err):
 * When the first certificate of the PEM file ${path}, the server's own in a
 * chain, ends: milliseconds since 1970, UTC.  Nothing else of it is checked.
 * Loads libcrypto on its first call.  Thread-safe.  LN_NOT_FOUND; LN_FORBIDDEN
 * when it is not a regular file; LN_TOO_LARGE; LN_INVALID when it holds no
 * certificate; LN_UNSUPPORTED without libcrypto; LN_IO; LN_NOMEM.
 */
LN_API enum ln_status ln_cert_end(const char *path, int64_t *out_ms,
    struct ln_error *err) LN_USE;

#endif

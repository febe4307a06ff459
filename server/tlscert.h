#ifndef TLSCERT_H
#define TLSCERT_H

#include <ln/error.h>

/**
 * tlscert_ensure(dir, out_cert, out_key, err):
 * The self-signed certificate in the data folder ("tls.crt", "tls.key", 0600),
 * made when it is missing, does not fit its key or has expired: P-256, 825
 * days, for localhost, this machine's name and both loopback addresses.  The
 * paths are yours (free).  LN_IO, LN_INTERNAL.
 */
enum ln_status tlscert_ensure(const char *dir, char **out_cert,
    char **out_key, struct ln_error *err);

/**
 * tlscert_check(cert, key, err):
 * Whether two PEM files hold a certificate and its RSA or EC key, and can be
 * read.  LN_INVALID with a sentence.
 */
enum ln_status tlscert_check(const char *cert, const char *key,
    struct ln_error *err);

#endif

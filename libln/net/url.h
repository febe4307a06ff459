#ifndef LNI_URL_H
#define LNI_URL_H

#include <ln/error.h>

/**
 * lni_url_syntax(url, err):
 * Whether ${url} is one we would connect to at all: http or https, a host, no
 * user info, no control characters.  Judged by libcurl's own parser, so that
 * what is checked is what is connected to.  LN_INVALID, LN_UNSUPPORTED.
 */
enum ln_status lni_url_syntax(const char *url, struct ln_error *err) LN_USE;

#endif

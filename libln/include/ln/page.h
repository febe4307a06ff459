#ifndef LN_PAGE_H
#define LN_PAGE_H

#include <ln/buf.h>
#include <ln/error.h>
#include <ln/http.h>

/* Pages of the web, fetched for a person who gave an address. */

#define LN_PAGE_MAX ((size_t)1024 * 1024)
#define LN_PAGE_TIMEOUT_MS 10000
#define LN_PAGE_REDIRECTS_MAX 3

/* ${url} is where it was in the end; ${charset} what the server said, or "". */
struct ln_page {
	struct ln_buf body;
	char url[LN_HTTP_URL_SIZE];
	char charset[40];
};

#define LN_PAGE_INIT { LN_BUF_INIT(LN_PAGE_MAX), "", "" }

/**
 * ln_page_fetch(url, allowed, is_stopped, arg, out, err):
 * Fetch ${url} (http or https, no user info) within the bounds above into
 * ${out} (LN_PAGE_INIT; release with ln_page_free in every case).  No address
 * inside the local network is connected to, also after a redirect, unless it
 * is one of the ${allowed} (see ln_url_check; NULL: none).  ${is_stopped} (may
 * be NULL) is asked at least every 100 ms.  Blocking.  LN_INVALID for an
 * address or for what is neither a page, text nor PDF; LN_FORBIDDEN;
 * LN_TOO_LARGE; LN_TIMEOUT; LN_CANCELLED; LN_UPSTREAM when there is no such
 * page; each with a sentence for people.
 */
LN_API enum ln_status ln_page_fetch(const char *url, const char *allowed,
    bool (*is_stopped)(void *arg), void *arg, struct ln_page *out,
    struct ln_error *err) LN_USE;
LN_API void ln_page_free(struct ln_page *p);

#endif

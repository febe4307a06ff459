#ifndef LNI_HTTP_TOOL_H
#define LNI_HTTP_TOOL_H

#include <ln/http.h>

#include "service/tools/builtin.h"

/* Calling over HTTP: what tools with an endpoint and the search share. */

#define LNI_TOOL_RESPONSE_MAX ((size_t)1024 * 1024)	/* bytes of an answer */

/**
 * lni_tool_fetch(run, req, out_http_status, body, err):
 * Send ${req}, whose bounds are set here: the run's time, the size above, and
 * no redirect is followed.  ${body} gets the answer.  LN_CANCELLED, LN_TIMEOUT,
 * LN_TOO_LARGE, LN_FORBIDDEN (an address inside the local network), LN_UPSTREAM.
 */
enum ln_status lni_tool_fetch(const struct lni_tool_run *run,
    struct ln_http_request *req, int *out_http_status, struct ln_buf *body,
    struct ln_error *err) LN_USE;

/* Whether ${n} bytes are text that a model can be shown. */
bool lni_tool_is_text(const char *s, size_t n);

/**
 * lni_tool_http_run(run, tool_id, owner_id, definition, err):
 * Call the endpoint of a tool of ${owner_id} (NULL: everybody's).  On a failure
 * run->result may hold a line that says more.
 */
enum ln_status lni_tool_http_run(const struct lni_tool_run *run,
    const char *tool_id, const char *owner_id, const char *definition,
    struct ln_error *err) LN_USE;

#endif

#include "service/tools/http_tool.h"

#include <string.h>

#include <ln/text.h>
#include <ln/time.h>

#include "base/error.h"
#include "base/banned.h"

#define CONNECT_MS 5000

struct fetch {
	const struct lni_tool_run *run;
	struct ln_buf *body;
};

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct fetch *f = arg;

	(void)http_status;
	ln_buf_put(f->body, p, n);
	return ln_buf_status(f->body) == LN_OK;
}

static bool
on_tick(void *arg)
{
	return lni_tool_may_go_on(((struct fetch *)arg)->run);
}

static bool
is_cancelled(const struct lni_tool_run *run)
{
	return run->is_cancelled != NULL && atomic_load(run->is_cancelled);
}

/* What the transport says is about a model provider. */
static enum ln_status
explain(const struct fetch *f, enum ln_status s, const struct ln_error *why,
    struct ln_error *err)
{
	const char *detail = lni_error_detail(why);

	if (s == LN_CANCELLED && ln_buf_status(f->body) != LN_OK)
		s = ln_buf_status(f->body);
	else if (s == LN_CANCELLED && !is_cancelled(f->run))
		s = LN_TIMEOUT;
	if (s == LN_CANCELLED)
		return ln_fail(err, s, "The call was stopped", "%s", detail);
	if (s == LN_TIMEOUT)
		return ln_fail(err, s, "The address that the tool calls did "
		    "not answer in time", "%s", detail);
	if (s == LN_TOO_LARGE)
		return ln_fail(err, s, "The answer to the tool's call is "
		    "larger than 1 MiB", "%s", detail);
	if (s == LN_FORBIDDEN)
		return ln_fail(err, s, "The address that the tool calls is "
		    "inside the local network. An administrator can allow it "
		    "for everybody's tools", "%s", detail);
	if (s == LN_INVALID)
		return ln_fail(err, s, "The address that the tool calls is "
		    "not one of http or https", "%s", detail);
	if (s == LN_UPSTREAM)
		return ln_fail(err, s, "The address that the tool calls could "
		    "not be reached, or the connection was cut", "%s", detail);
	return ln_error_set(err, s, NULL, why->text, "%s", detail);
}

enum ln_status
lni_tool_fetch(const struct lni_tool_run *run, struct ln_http_request *req,
    int *out_http_status, struct ln_buf *body, struct ln_error *err)
{
	struct fetch f = { run, body };
	struct ln_error why = LN_ERROR_INIT;
	int64_t left = run->deadline_ms - ln_time_mono_ms();
	enum ln_status s;

	*out_http_status = 0;
	req->size = sizeof(*req);
	req->connect_ms = left < CONNECT_MS ? left : CONNECT_MS;
	req->stall_ms = req->total_ms = left;
	req->response_max = LNI_TOOL_RESPONSE_MAX;
	if (left <= 0)
		s = LN_TIMEOUT;
	else
		s = ln_http_perform(req, on_data, on_tick, &f,
		    out_http_status, &why);
	return s == LN_OK ? LN_OK : explain(&f, s, &why, err);
}

bool
lni_tool_is_text(const char *s, size_t n)
{
	return ln_utf8_valid(s, n) && (n == 0 || memchr(s, '\0', n) == NULL);
}

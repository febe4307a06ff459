#include <ln/page.h>

#include <string.h>
#include <strings.h>

#include <ln/time.h>

#include "net/url.h"

#include "base/error.h"

#include "base/banned.h"

#define CONNECT_MS 5000

struct fetch {
	struct ln_page *page;
	bool (*is_stopped)(void *arg);
	void *arg;
	int64_t deadline_ms;
	bool was_stopped;
};

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct fetch *f = arg;

	/* What stands around a redirect or an error is not the page. */
	if (http_status / 100 == 2)
		ln_buf_put(&f->page->body, p, n);
	return ln_buf_status(&f->page->body) == LN_OK;
}

static bool
on_tick(void *arg)
{
	struct fetch *f = arg;

	f->was_stopped = f->is_stopped != NULL && f->is_stopped(f->arg);
	return !f->was_stopped;
}

/* The sentences of the transport are about model providers. */
static enum ln_status
explain(const struct fetch *f, enum ln_status s, const struct ln_error *why,
    struct ln_error *err)
{
	const char *detail = lni_error_detail(why);

	if (s == LN_CANCELLED && !f->was_stopped)
		s = ln_buf_status(&f->page->body);
	if (s == LN_TIMEOUT)
		return ln_fail(err, s, "The page did not come in time", "%s",
		    detail);
	if (s == LN_TOO_LARGE)
		return ln_fail(err, s, "The page is larger than 1 MiB", "%s",
		    detail);
	if (s == LN_FORBIDDEN)
		return ln_fail_field(err, s, "url", "The address is inside "
		    "the local network. An administrator can allow it", "%s",
		    detail);
	if (s == LN_INVALID || s == LN_UNSUPPORTED)
		return ln_fail_field(err, LN_INVALID, "url", "That is no "
		    "address of a page (http or https)", "%s", detail);
	if (s == LN_UPSTREAM)
		return ln_fail(err, s, "The page could not be fetched. Check "
		    "its address", "%s", detail);
	return ln_error_set(err, s, NULL, why->text, "%s", detail);
}

static bool
begins_with(const char *s, const char *start)
{
	return strncasecmp(s, start, strlen(start)) == 0;
}

/* A server that does not say is believed by what it sends. */
static bool
is_readable(const char *type)
{
	static const char *const types[] = { "text/", "application/pdf",
		"application/xhtml+xml", "application/xml",
		"application/json", "application/rss+xml",
		"application/atom+xml", NULL };
	size_t i;

	for (i = 0; types[i] != NULL; i++)
		if (begins_with(type, types[i]))
			return true;
	return type[0] == '\0';
}

/* "text/html; charset=utf-8" */
static void
set_charset(struct ln_page *p, const char *type)
{
	const char *at = strchr(type, ';');
	size_t n;

	p->charset[0] = '\0';
	while (at != NULL) {
		at += 1 + strspn(at + 1, " \t");
		if (begins_with(at, "charset=")) {
			at += strlen("charset=");
			at += *at == '"';
			n = strcspn(at, "\"; \t");
			if (n < sizeof(p->charset)) {
				memcpy(p->charset, at, n);
				p->charset[n] = '\0';
			}
			return;
		}
		at = strchr(at, ';');
	}
}

/* One address; LN_OK with ${out}->redirect set means: go on there. */
static enum ln_status
fetch_once(struct fetch *f, const char *allowed, struct ln_http_answer *out,
    struct ln_error *err)
{
	struct ln_http_request req = { .size = sizeof(req) };
	struct ln_error why = LN_ERROR_INIT;
	int64_t left = f->deadline_ms - ln_time_mono_ms();
	int http_status = 0;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	req.url = f->page->url;
	if ((s = lni_url_syntax(req.url, &why)) != LN_OK)
		return explain(f, s, &why, err);
	/* What is an address, and still is none of these, is a local one. */
	if ((s = ln_url_check(req.url, allowed, &req.may_be_local, &why)) !=
	    LN_OK)
		return explain(f, s == LN_INVALID ? LN_FORBIDDEN : s, &why,
		    err);
	if (left <= 0)
		return explain(f, LN_TIMEOUT, &why, err);
	req.connect_ms = left < CONNECT_MS ? left : CONNECT_MS;
	req.stall_ms = req.total_ms = left;
	req.response_max = LN_PAGE_MAX;
	req.answer = out;
	s = ln_http_perform(&req, on_data, on_tick, f, &http_status, &why);
	if (s != LN_OK)
		return explain(f, s, &why, err);
	if (http_status / 100 == 3 && out->redirect[0] != '\0')
		return LN_OK;
	out->redirect[0] = '\0';
	if (http_status / 100 != 2)
		return ln_fail(err, LN_UPSTREAM, "There is no page to be read "
		    "at that address", "HTTP %d", http_status);
	if (!is_readable(out->type))
		return ln_fail_field(err, LN_INVALID, "url", "At that address "
		    "is neither a page, text nor PDF", "%s", out->type);
	return LN_OK;
}

enum ln_status
ln_page_fetch(const char *url, const char *allowed,
    bool (*is_stopped)(void *arg), void *arg, struct ln_page *out,
    struct ln_error *err)
{
	struct fetch f = { out, is_stopped, arg, 0, false };
	struct ln_http_answer answer;
	enum ln_status s;
	int hops;

	f.deadline_ms = ln_time_mono_ms() + LN_PAGE_TIMEOUT_MS;
	if (strlen(url) >= sizeof(out->url))
		return ln_fail_field(err, LN_INVALID, "url", "The address is "
		    "too long", "%zu bytes", strlen(url));
	memcpy(out->url, url, strlen(url) + 1);
	if ((s = ln_http_load(err)) != LN_OK)
		return s;
	for (hops = 0; hops <= LN_PAGE_REDIRECTS_MAX; hops++) {
		if ((s = fetch_once(&f, allowed, &answer, err)) != LN_OK)
			return s;
		if (answer.redirect[0] == '\0') {
			set_charset(out, answer.type);
			return LN_OK;
		}
		memcpy(out->url, answer.redirect, sizeof(out->url));
	}
	return ln_fail(err, LN_UPSTREAM, "The address leads from one to the "
	    "next without end", "%d redirects", hops);
}

void
ln_page_free(struct ln_page *p)
{
	ln_buf_free(&p->body);
}

#include "service/tools/http_tool.h"

#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>
#include <ln/text.h>

#include "model/tool.h"
#include "service/tool.h"
#include "service/tool_def.h"

#include "base/banned.h"

#define URL_BYTES_MAX ((size_t)8192)
#define SENT_HEADERS_MAX (LNI_TOOL_HEADERS_MAX + 2)
#define BODY_BYTES_MAX ((size_t)1024 * 1024)
#define ERROR_EXCERPT_MAX ((size_t)1000)
#define HIDDEN_MIN 6	/* a shorter value would also hide ordinary words */

/* One call in the making. */
struct call {
	const struct lni_tool_run *run;
	struct lni_tool_def def;
	struct ln_json *secrets;	/* values of headers, or NULL */
	struct ln_buf url, used, body, header[SENT_HEADERS_MAX], answer;
	const char *headers[SENT_HEADERS_MAX + 1];
	size_t header_count;
	bool may_be_local;
};

static void
call_free(struct call *c)
{
	size_t i;

	for (i = 0; i < SENT_HEADERS_MAX; i++)
		ln_buf_free(&c->header[i]);
	ln_json_free(c->secrets);
	lni_tool_def_free(&c->def);
	ln_buf_free(&c->url);
	ln_buf_free(&c->used);
	ln_buf_free(&c->body);
	ln_buf_free(&c->answer);
}

static enum ln_status
add_header(struct call *c, const char *name, const char *value,
    struct ln_error *err)
{
	struct ln_buf *b = &c->header[c->header_count];

	ln_buf_printf(b, "%s: %s", name, value);
	if (ln_buf_status(b) != LN_OK)
		return ln_fail(err, ln_buf_status(b), "", "header of a tool");
	c->headers[c->header_count++] = ln_buf_str(b);
	c->headers[c->header_count] = NULL;
	return LN_OK;
}

static enum ln_status
add_headers(struct call *c, const char *tool_id, struct ln_error *err)
{
	const struct ln_json *node;
	const char *value;
	char *text = NULL;
	enum ln_status s;

	if ((s = lni_tool_headers(c->run->st, tool_id, &text, err)) != LN_OK)
		return s;
	if (text != NULL)
		s = ln_json_parse(text, strlen(text), NULL, &c->secrets, err);
	ln_wipe_free(text);
	for (node = ln_json_first(c->def.headers); s == LN_OK && node != NULL;
	    node = ln_json_next(node)) {
		value = ln_json_get_string(c->secrets, ln_json_name(node));
		if (value == NULL || c->header_count == LNI_TOOL_HEADERS_MAX)
			return ln_fail(err, LN_INVALID, "This tool has a header "
			    "without a value. Set it again", "tool %s",
			    tool_id);
		s = add_header(c, ln_json_name(node), value, err);
	}
	if (s == LN_OK && c->def.body == LNI_TOOL_BODY_JSON)
		s = add_header(c, "Content-Type", "application/json", err);
	return s;
}

static bool
is_used(const struct ln_buf *used, const char *name)
{
	size_t at;

	for (at = 0; at < used->len; at += strlen(used->data + at) + 1)
		if (strcmp(used->data + at, name) == 0)
			return true;
	return false;
}

static enum ln_status
write_body(struct call *c, struct ln_error *err)
{
	const struct ln_json *node;
	struct ln_jw *w;
	enum ln_status s;

	if (c->def.body != LNI_TOOL_BODY_JSON)
		return LN_OK;
	w = ln_jw_new();
	ln_jw_object(w, NULL);
	for (node = ln_json_first(c->run->arguments); node != NULL;
	    node = ln_json_next(node))
		if (!is_used(&c->used, ln_json_name(node)))
			ln_jw_node(w, ln_json_name(node), node);
	ln_jw_end(w);
	if ((s = ln_jw_print(w, false, &c->body)) != LN_OK)
		s = ln_fail(err, s, "", "body of a tool's call");
	ln_jw_free(w);
	return s;
}

/* Judged again at each call: what is allowed changes, and the row may come
 * from a file. */
static enum ln_status
check_address(struct call *c, const char *owner_id, struct ln_error *err)
{
	struct ln_error why = LN_ERROR_INIT;
	char *allowed = NULL;
	enum ln_status s;

	if ((s = lni_tool_local(c->run->st, c->run->cfg, owner_id, &allowed,
	    err)) != LN_OK)
		return s;
	s = ln_url_check(ln_buf_str(&c->url), allowed, &c->may_be_local, &why);
	ln_free(allowed);
	if (s == LN_INVALID)
		return ln_fail(err, LN_FORBIDDEN, "The address that the tool "
		    "calls is inside the local network, or not one of http or "
		    "https", "%s", why.text);
	if (s != LN_OK)
		return ln_error_set(err, s, NULL, why.text, "url of a tool");
	return LN_OK;
}

/* An endpoint that repeats what it was sent must not show a header's value. */
static void
hide_secrets(const struct call *c, const char *text, struct ln_buf *out)
{
	const struct ln_json *node;
	const char *value, *found, *next;
	size_t length = 0;

	while (*text != '\0') {
		next = NULL;
		for (node = ln_json_first(c->secrets); node != NULL;
		    node = ln_json_next(node)) {
			value = ln_json_string(node);
			if (value == NULL || strlen(value) < HIDDEN_MIN ||
			    (found = strstr(text, value)) == NULL ||
			    (next != NULL && found >= next))
				continue;
			next = found;
			length = strlen(value);
		}
		if (next == NULL) {
			ln_buf_puts(out, text);
			return;
		}
		ln_buf_put(out, text, (size_t)(next - text));
		ln_buf_puts(out, "[hidden]");
		text = next + length;
	}
}

static enum ln_status
take_answer(struct call *c, int http_status, struct ln_error *err)
{
	struct ln_buf clean = LN_BUF_INIT(LNI_TOOL_RAW_MAX * 2);
	const char *text = ln_buf_str(&c->answer);
	const bool is_text = lni_tool_is_text(text, c->answer.len);
	struct ln_buf *out = c->run->result;
	enum ln_status s = LN_OK;
	size_t n;

	if (is_text)
		hide_secrets(c, text, &clean);
	if (http_status >= 300 && http_status < 400) {
		ln_buf_printf(out, "HTTP %d", http_status);
		s = ln_fail(err, LN_UPSTREAM, "The endpoint of the tool "
		    "answered with a redirect, which is not followed",
		    "HTTP %d", http_status);
	} else if (http_status < 200 || http_status > 299) {
		n = ln_utf8_prefix(ln_buf_str(&clean), clean.len,
		    ERROR_EXCERPT_MAX);
		ln_buf_printf(out, "HTTP %d%s", http_status, n > 0 ? ": " : "");
		ln_buf_put(out, ln_buf_str(&clean), n);
		s = ln_fail(err, LN_UPSTREAM, "The endpoint of the tool "
		    "answered with an error", "HTTP %d", http_status);
	} else if (!is_text) {
		s = ln_fail(err, LN_UNSUPPORTED, "The endpoint of the tool "
		    "answered with something that is not text", "%zu bytes",
		    c->answer.len);
	} else if ((s = ln_buf_status(&clean)) != LN_OK) {
		s = ln_fail(err, s, "", "answer of a tool");
	} else {
		ln_buf_put(out, ln_buf_str(&clean), clean.len);
	}
	ln_buf_free(&clean);
	return s;
}

static enum ln_status
perform(struct call *c, struct ln_error *err)
{
	struct ln_http_request req = { 0 };
	int http_status;
	enum ln_status s;

	req.method = c->def.method;
	req.url = ln_buf_str(&c->url);
	req.headers = c->headers;
	if (c->body.len > 0) {
		req.body = c->body.data;
		req.body_len = c->body.len;
	}
	req.may_be_local = c->may_be_local;
	if ((s = lni_tool_fetch(c->run, &req, &http_status, &c->answer,
	    err)) != LN_OK)
		return s;
	return take_answer(c, http_status, err);
}

enum ln_status
lni_tool_http_run(const struct lni_tool_run *run, const char *tool_id,
    const char *owner_id, const char *definition, struct ln_error *err)
{
	struct call c = {
		.run = run,
		.url = LN_BUF_INIT(URL_BYTES_MAX),
		.used = LN_BUF_INIT(URL_BYTES_MAX),
		.body = LN_BUF_INIT(BODY_BYTES_MAX),
		.answer = LN_BUF_INIT(LNI_TOOL_RESPONSE_MAX),
	};
	enum ln_status s;
	size_t i;

	for (i = 0; i < SENT_HEADERS_MAX; i++)
		c.header[i] = (struct ln_buf)LN_BUF_SECRET_INIT(
		    LNI_TOOL_HEADER_NAME_MAX + LNI_TOOL_HEADER_VALUE_MAX + 4);
	if ((s = lni_tool_def_read(definition, &c.def, err)) == LN_OK &&
	    (s = lni_tool_def_check(&c.def, run->result, err)) == LN_OK &&
	    (s = lni_tool_def_url(&c.def, run->arguments, &c.used, run->result,
	    &c.url, err)) == LN_OK &&
	    (s = check_address(&c, owner_id, err)) == LN_OK &&
	    (s = add_headers(&c, tool_id, err)) == LN_OK &&
	    (s = write_body(&c, err)) == LN_OK)
		s = perform(&c, err);
	call_free(&c);
	return s;
}

#include "service/tools/web_search.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ln/text.h>
#include <ln/time.h>

#include "net/url.h"
#include "service/tools/http_tool.h"

#include "base/banned.h"

#define BASE_URL_MAX ((size_t)2048)
#define TITLE_BYTES_MAX ((size_t)200)
#define SNIPPET_BYTES_MAX ((size_t)600)
#define URL_BYTES_MAX ((size_t)2048)
/* Answers of others: wider than what we let people send. */
#define JSON_DEPTH 64
#define JSON_VALUES 200000

static const struct lni_search_provider *const providers[] = {
	&lni_search_duckduckgo,
	&lni_search_searxng,
	NULL,
};

static const struct lni_search_provider *
chosen(const struct ln_config *cfg)
{
	const char *name = cfg != NULL ?
	    ln_config_get(cfg, "LOCALNEURAL_SEARCH") : NULL;
	size_t i;

	for (i = 0; name != NULL && providers[i] != NULL; i++)
		if (strcasecmp(providers[i]->name, name) == 0)
			return providers[i];
	return NULL;
}

static const char *
base_url(const struct ln_config *cfg, const struct lni_search_provider *p)
{
	const char *url = ln_config_get(cfg, "LOCALNEURAL_SEARCH_URL");

	return url != NULL ? url : p->base_url;
}

/* --- results -------------------------------------------------------------- */

void
ln_search_list_free(struct ln_search_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		ln_free(l->items[i].title);
		ln_free(l->items[i].url);
		ln_free(l->items[i].snippet);
	}
	*l = (struct ln_search_list){ 0 };
}

/* One line of at most ${max} bytes. */
static char *
one_line(const char *s, size_t max)
{
	const size_t whole = strlen(s);
	const size_t n = ln_utf8_prefix(s, whole, max);
	char *out = malloc(n + sizeof("..."));
	size_t i, length = 0;

	if (out == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		if ((unsigned char)s[i] > ' ' && s[i] != '\x7f')
			out[length++] = s[i];
		else if (length > 0 && out[length - 1] != ' ')
			out[length++] = ' ';
	}
	while (length > 0 && out[length - 1] == ' ')
		length--;
	memcpy(out + length, n < whole ? "..." : "", n < whole ? 4 : 1);
	return out;
}

enum ln_status
lni_search_add(struct ln_search_list *l, const char *title, const char *url,
    const char *snippet, struct ln_error *err)
{
	struct ln_search_result *r = &l->items[l->count];

	/* Only what a person could follow. */
	if (l->count == LN_SEARCH_MAX || url == NULL ||
	    strlen(url) > URL_BYTES_MAX || ln_text_has_control(url) ||
	    (strncasecmp(url, "https://", 8) != 0 &&
	    strncasecmp(url, "http://", 7) != 0))
		return LN_OK;
	if (title == NULL || title[0] == '\0')
		title = url;
	r->title = one_line(title, TITLE_BYTES_MAX);
	r->url = strdup(url);
	r->snippet = one_line(snippet != NULL ? snippet : "",
	    SNIPPET_BYTES_MAX);
	l->count++;
	if (r->title == NULL || r->url == NULL || r->snippet == NULL)
		return ln_fail(err, LN_NOMEM, "", "search result");
	return LN_OK;
}

/* --- asking --------------------------------------------------------------- */

static void
put_encoded(struct ln_buf *out, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL)
			ln_buf_putc(out, *s);
		else
			ln_buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

static enum ln_status
build_url(const struct ln_config *cfg, const struct lni_search_provider *p,
    const char *query, struct ln_buf *url, struct ln_error *err)
{
	const char *base = base_url(cfg, p);
	size_t n;

	if (base == NULL)
		return ln_fail(err, LN_UNSUPPORTED, "The address of the search "
		    "is not set. Set LOCALNEURAL_SEARCH_URL", "%s", p->name);
	n = strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	if (n > BASE_URL_MAX || strpbrk(base, "?#") != NULL ||
	    lni_url_syntax(base, NULL) != LN_OK)
		return ln_fail(err, LN_UNSUPPORTED, "LOCALNEURAL_SEARCH_URL is "
		    "not an http or https address without a query", "%s",
		    p->name);
	ln_buf_put(url, base, n);
	ln_buf_puts(url, p->path);
	put_encoded(url, query);
	if (ln_buf_status(url) != LN_OK)
		return ln_fail(err, ln_buf_status(url), "", "url of a search");
	return LN_OK;
}

static enum ln_status
read_answer(const struct lni_search_provider *p, int http_status,
    const struct ln_buf *body, struct ln_search_list *out,
    struct ln_error *err)
{
	static const struct ln_json_opts opts = { .size = sizeof(opts),
		.depth_max = JSON_DEPTH, .values_max = JSON_VALUES,
		.allow_duplicates = true };
	struct ln_json *root = NULL;
	enum ln_status s;

	if (http_status == 429)
		return ln_fail(err, LN_UPSTREAM, "The search service takes no "
		    "more questions for now", "HTTP %d", http_status);
	if (http_status == 403 && p->refused != NULL)
		return ln_error_set(err, LN_UPSTREAM, NULL, p->refused,
		    "HTTP %d", http_status);
	if (http_status < 200 || http_status > 299)
		return ln_fail(err, LN_UPSTREAM, "The search service answered "
		    "with an error", "HTTP %d", http_status);
	s = ln_json_parse(ln_buf_str(body), body->len, &opts, &root, err);
	if (s == LN_NOMEM)
		return s;
	if (s != LN_OK || ln_json_type(root) != LN_JSON_OBJECT)
		s = ln_fail(err, LN_UPSTREAM, "The search service answered "
		    "with something that is not a list of results", "%s: "
		    "%zu bytes", p->name, body->len);
	else
		s = p->read(root, out, err);
	ln_json_free(root);
	return s;
}

static enum ln_status
ask(const struct lni_tool_run *run, const struct lni_search_provider *p,
    const char *query, struct ln_search_list *out, struct ln_error *err)
{
	static const char *const headers[] = { "Accept: application/json",
		NULL };
	struct ln_buf url = LN_BUF_INIT(BASE_URL_MAX +
	    (size_t)LN_SEARCH_QUERY_MAX * 12 + 200);
	struct ln_buf body = LN_BUF_INIT(LNI_TOOL_RESPONSE_MAX);
	struct ln_http_request req = { .headers = headers };
	int http_status;
	enum ln_status s;

	if ((s = build_url(run->cfg, p, query, &url, err)) != LN_OK)
		goto out;
	req.url = ln_buf_str(&url);
	/* The operator chose that address, nobody else can. */
	req.may_be_local = ln_config_get(run->cfg, "LOCALNEURAL_SEARCH_URL") !=
	    NULL;
	if ((s = lni_tool_fetch(run, &req, &http_status, &body, err)) == LN_OK)
		s = read_answer(p, http_status, &body, out, err);
out:
	ln_buf_free(&url);
	ln_buf_free(&body);
	return s;
}

static enum ln_status
search(const struct lni_tool_run *run, const char *query,
    struct ln_search_list *out, struct ln_error *err)
{
	const struct lni_search_provider *p = chosen(run->cfg);
	char *trimmed = NULL;
	enum ln_status s;

	*out = (struct ln_search_list){ 0 };
	if ((s = ln_text_trim(query, &trimmed, err)) != LN_OK)
		return s;
	if (trimmed[0] == '\0' || !ln_utf8_valid(trimmed, strlen(trimmed)) ||
	    ln_utf8_count(trimmed) > LN_SEARCH_QUERY_MAX)
		s = ln_fail_field(err, LN_INVALID, "query", "A search has 1 to "
		    "400 characters", "%zu bytes", strlen(trimmed));
	else if (p == NULL)
		s = ln_fail(err, LN_UNSUPPORTED, "Web search is off. An "
		    "administrator can set LOCALNEURAL_SEARCH", "search off");
	else
		s = ask(run, p, trimmed, out, err);
	if (s != LN_OK)
		ln_search_list_free(out);
	ln_free(trimmed);
	return s;
}

enum ln_status
ln_tool_web_search(const struct ln_config *cfg, const char *query,
    const atomic_bool *is_cancelled, struct ln_search_list *out,
    struct ln_error *err)
{
	struct lni_tool_run run = { 0 };

	run.cfg = cfg;
	run.is_cancelled = is_cancelled;
	run.deadline_ms = ln_time_mono_ms() + LN_TOOL_SEARCH_MS;
	return search(&run, query, out, err);
}

/* --- the tool ------------------------------------------------------------- */

static bool
is_offered(const struct ln_config *cfg)
{
	const struct lni_search_provider *p = chosen(cfg);

	return p != NULL && base_url(cfg, p) != NULL;
}

static enum ln_status
run(const struct lni_tool_run *r, struct ln_error *err)
{
	struct ln_search_list list;
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	if ((s = search(r, ln_json_get_string(r->arguments, "query"), &list,
	    err)) != LN_OK)
		return s;
	w = ln_jw_new();
	ln_jw_object(w, NULL);
	ln_jw_array(w, "results");
	for (i = 0; i < list.count; i++) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "title", list.items[i].title);
		ln_jw_string(w, "url", list.items[i].url);
		ln_jw_string(w, "snippet", list.items[i].snippet);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	ln_jw_end(w);
	if ((s = ln_jw_print(w, false, r->result)) != LN_OK)
		s = ln_fail(err, s, "", "web_search: result");
	ln_jw_free(w);
	ln_search_list_free(&list);
	return s;
}

const struct lni_builtin lni_tool_web_search = {
	.name = "web_search",
	.description = "Search the web. Returns titles, addresses and short "
	    "excerpts.",
	.parameters = "{\"type\":\"object\",\"properties\":{\"query\":"
	    "{\"type\":\"string\",\"minLength\":1,\"maxLength\":400,"
	    "\"description\":\"What to search for\"}},"
	    "\"required\":[\"query\"],\"additionalProperties\":false}",
	.is_offered = is_offered,
	.run = run,
};

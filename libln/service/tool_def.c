#include "service/tool_def.h"

#include <string.h>
#include <strings.h>

#include <ln/schema.h>
#include <ln/text.h>

#include "base/banned.h"

#define EMPTY_PARAMETERS "{\"type\":\"object\",\"properties\":{}}"

/* --- reading -------------------------------------------------------------- */

bool
lni_tool_name_is_sane(const char *name)
{
	const size_t n = strlen(name);

	return n > 0 && n <= LN_TOOL_NAME_MAX && strspn(name,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
	    == n;
}

static void
read_endpoint(struct lni_tool_def *def)
{
	const char *body;

	def->url = ln_json_get_string(def->endpoint, "url");
	def->method = ln_json_get_string(def->endpoint, "method");
	if (def->method == NULL)
		def->method = "GET";
	def->headers = ln_json_get(def->endpoint, "headers");
	body = ln_json_get_string(def->endpoint, "body");
	if (body != NULL && strcmp(body, "json") == 0)
		def->body = LNI_TOOL_BODY_JSON;
}

enum ln_status
lni_tool_def_read(const char *text, struct lni_tool_def *def,
    struct ln_error *err)
{
	const struct ln_json *function;
	enum ln_status s;

	*def = (struct lni_tool_def){ 0 };
	s = ln_json_parse(text, strlen(text), NULL, &def->root, err);
	if (s == LN_NOMEM)
		return s;
	if (s != LN_OK || ln_json_type(def->root) != LN_JSON_OBJECT)
		return ln_fail_field(err, LN_INVALID, "definition",
		    "The definition of a tool is a JSON object", "%zu bytes",
		    strlen(text));
	function = ln_json_get(def->root, "function");
	if (function == NULL)
		function = def->root;
	def->name = ln_json_get_string(function, "name");
	def->description = ln_json_get_string(function, "description");
	def->parameters = ln_json_get(function, "parameters");
	/* Beside the function or in it: people write both. */
	def->endpoint = ln_json_get(def->root, "endpoint");
	if (def->endpoint == NULL)
		def->endpoint = ln_json_get(function, "endpoint");
	if (def->name == NULL || !lni_tool_name_is_sane(def->name))
		return ln_fail_field(err, LN_INVALID, "definition",
		    "The definition needs a name of 1 to 64 letters (A to Z), "
		    "digits, _ or -", "name of a tool");
	if (def->parameters != NULL &&
	    ln_json_type(def->parameters) != LN_JSON_OBJECT)
		return ln_fail_field(err, LN_INVALID, "definition",
		    "The parameters of a tool are a JSON Schema",
		    "parameters of a tool");
	read_endpoint(def);
	return LN_OK;
}

void
lni_tool_def_free(struct lni_tool_def *def)
{
	ln_json_free(def->root);
	*def = (struct lni_tool_def){ 0 };
}

/* --- judging -------------------------------------------------------------- */

static enum ln_status
refuse(struct ln_buf *problem, struct ln_error *err, const char *where,
    const char *what, const char *sentence)
{
	if (problem != NULL)
		ln_buf_printf(problem, "/endpoint%s: %s", where, what);
	return ln_error_set(err, LN_INVALID, "definition", sentence,
	    "endpoint%s", where);
}

static bool
has_only(const struct ln_json *object, const char *const *names)
{
	const struct ln_json *node;
	size_t i;

	for (node = ln_json_first(object); node != NULL;
	    node = ln_json_next(node)) {
		for (i = 0; names[i] != NULL; i++)
			if (strcmp(names[i], ln_json_name(node)) == 0)
				break;
		if (names[i] == NULL)
			return false;
	}
	return true;
}

static enum ln_status
check_schema(const struct lni_tool_def *def, struct ln_buf *problem,
    struct ln_error *err)
{
	struct ln_buf text = LN_BUF_INIT(LN_TOOL_DEFINITION_MAX * 2);
	struct ln_buf where = LN_BUF_INIT(LN_SCHEMA_PROBLEM_MAX);
	struct ln_schema *schema = NULL;
	struct ln_error why = LN_ERROR_INIT;
	const char *type;
	enum ln_status s;

	if ((s = lni_tool_def_parameters(def, &text, err)) != LN_OK)
		goto out;
	s = ln_schema_parse(text.data, text.len, &where, &schema, &why);
	if (s == LN_INVALID || s == LN_TOO_LARGE) {
		if (problem != NULL)
			ln_buf_printf(problem, "/parameters%s",
			    strncmp(ln_buf_str(&where), "/:", 2) == 0 ?
			    ln_buf_str(&where) + 1 : ln_buf_str(&where));
		s = ln_error_set(err, LN_INVALID, "definition", why.text,
		    "schema of a tool");
		goto out;
	}
	if (s != LN_OK) {
		s = ln_fail(err, s, "", "schema of a tool");
		goto out;
	}
	type = ln_json_get_string(def->parameters, "type");
	if (def->parameters != NULL && (type == NULL ||
	    strcmp(type, "object") != 0)) {
		if (problem != NULL)
			ln_buf_puts(problem,
			    "/parameters/type: must be \"object\"");
		s = ln_fail_field(err, LN_INVALID, "definition",
		    "The parameters of a tool are a schema of an object",
		    "type of the parameters");
	}
out:
	ln_schema_free(schema);
	ln_buf_free(&text);
	ln_buf_free(&where);
	return s;
}

static enum ln_status
check_method(const struct lni_tool_def *def, struct ln_buf *problem,
    struct ln_error *err)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH",
		"DELETE" };
	const struct ln_json *method, *body;
	size_t i;

	method = ln_json_get(def->endpoint, "method");
	if (method != NULL && ln_json_string(method) == NULL)
		return refuse(problem, err, "/method", "must be a text",
		    "The method of an endpoint is GET, POST, PUT, PATCH or "
		    "DELETE");
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i], def->method) == 0)
			break;
	if (i == sizeof(methods) / sizeof(methods[0]))
		return refuse(problem, err, "/method",
		    "must be GET, POST, PUT, PATCH or DELETE",
		    "The method of an endpoint is GET, POST, PUT, PATCH or "
		    "DELETE");
	body = ln_json_get(def->endpoint, "body");
	if (body != NULL && (def->body != LNI_TOOL_BODY_JSON || i == 0))
		return refuse(problem, err, "/body",
		    "must be \"json\", and not with GET",
		    "The body of an endpoint is \"json\", and a GET has none");
	return LN_OK;
}

static bool
header_name_is_sane(const char *name)
{
	/* What the connection is made of is not a tool's to say. */
	static const char *const refused[] = { "host", "content-length",
		"content-type", "transfer-encoding", "connection",
		"keep-alive", "upgrade", "te", "trailer", "expect",
		"accept-encoding" };
	const size_t n = strlen(name);
	size_t i;

	if (n == 0 || n > LNI_TOOL_HEADER_NAME_MAX || strspn(name,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
	    != n || strncasecmp(name, "proxy-", 6) == 0)
		return false;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcasecmp(refused[i], name) == 0)
			return false;
	return true;
}

static bool
header_value_is_sane(const struct ln_json *value)
{
	const char *s = ln_json_string(value);

	if (s == NULL)
		return ln_json_type(value) == LN_JSON_NULL;
	return strlen(s) <= LNI_TOOL_HEADER_VALUE_MAX &&
	    !ln_text_has_control(s);
}

static enum ln_status
check_headers(const struct ln_json *headers, struct ln_buf *problem,
    struct ln_error *err)
{
	const struct ln_json *a, *b;

	if (headers == NULL)
		return LN_OK;
	if (ln_json_type(headers) != LN_JSON_OBJECT ||
	    ln_json_count(headers) > LNI_TOOL_HEADERS_MAX)
		return refuse(problem, err, "/headers",
		    "must be an object of at most 16 headers",
		    "The headers of an endpoint are an object of at most 16");
	for (a = ln_json_first(headers); a != NULL; a = ln_json_next(a)) {
		if (!header_name_is_sane(ln_json_name(a)))
			return refuse(problem, err, "/headers",
			    "has a name that an endpoint cannot set",
			    "The endpoint has a header that it cannot set");
		if (!header_value_is_sane(a))
			return refuse(problem, err, "/headers",
			    "has a value that is not a text of one line",
			    "The value of a header is a text of one line");
		for (b = ln_json_next(a); b != NULL; b = ln_json_next(b))
			if (strcasecmp(ln_json_name(a), ln_json_name(b)) == 0)
				return refuse(problem, err, "/headers",
				    "has a name twice",
				    "The endpoint has a header twice");
	}
	return LN_OK;
}

enum ln_status
lni_tool_def_check(const struct lni_tool_def *def, struct ln_buf *problem,
    struct ln_error *err)
{
	static const char *const members[] = { "url", "method", "headers",
		"body", NULL };
	struct ln_buf url = LN_BUF_INIT(LNI_TOOL_URL_MAX * 2);
	enum ln_status s;

	if ((s = check_schema(def, problem, err)) != LN_OK ||
	    def->endpoint == NULL)
		return s;
	if (ln_json_type(def->endpoint) != LN_JSON_OBJECT ||
	    !has_only(def->endpoint, members))
		return refuse(problem, err, "",
		    "must be an object of url, method, headers and body",
		    "An endpoint is an object of url, method, headers and "
		    "body");
	if ((s = check_method(def, problem, err)) != LN_OK ||
	    (s = check_headers(def->headers, problem, err)) != LN_OK)
		return s;
	s = lni_tool_def_url(def, NULL, NULL, problem, &url, err);
	ln_buf_free(&url);
	return s;
}

/* --- writing -------------------------------------------------------------- */

enum ln_status
lni_tool_def_parameters(const struct lni_tool_def *def, struct ln_buf *out,
    struct ln_error *err)
{
	struct ln_jw *w;
	enum ln_status s;

	if (def->parameters == NULL) {
		ln_buf_puts(out, EMPTY_PARAMETERS);
		s = ln_buf_status(out);
	} else {
		w = ln_jw_new();
		ln_jw_node(w, NULL, def->parameters);
		s = ln_jw_print(w, false, out);
		ln_jw_free(w);
	}
	if (s != LN_OK)
		return ln_fail(err, s, "", "parameters of a tool");
	return LN_OK;
}

static void
write_endpoint(struct ln_jw *w, const struct lni_tool_def *def)
{
	const struct ln_json *node;

	ln_jw_object(w, "endpoint");
	ln_jw_string(w, "url", def->url);
	ln_jw_string(w, "method", def->method);
	if (ln_json_count(def->headers) > 0) {
		ln_jw_object(w, "headers");
		for (node = ln_json_first(def->headers); node != NULL;
		    node = ln_json_next(node))
			ln_jw_null(w, ln_json_name(node));
		ln_jw_end(w);
	}
	if (def->body == LNI_TOOL_BODY_JSON)
		ln_jw_string(w, "body", "json");
	ln_jw_end(w);
}

enum ln_status
lni_tool_def_write(const struct lni_tool_def *def, const char *name,
    const char *description, struct ln_buf *out, struct ln_error *err)
{
	struct ln_jw *w = ln_jw_new();
	enum ln_status s;

	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", "function");
	ln_jw_object(w, "function");
	ln_jw_string(w, "name", name);
	if (description != NULL)
		ln_jw_string(w, "description", description);
	if (def->parameters != NULL)
		ln_jw_node(w, "parameters", def->parameters);
	ln_jw_end(w);
	if (def->endpoint != NULL)
		write_endpoint(w, def);
	ln_jw_end(w);
	if ((s = ln_jw_print(w, false, out)) == LN_TOO_LARGE)
		s = ln_fail_field(err, s, "definition",
		    "The definition of a tool has at most 64 KiB",
		    "definition of a tool");
	else if (s != LN_OK)
		s = ln_fail(err, s, "", "definition of a tool");
	ln_jw_free(w);
	return s;
}

/* The value of that name, in any case. */
static const char *
header_find(const struct ln_json *headers, const char *name)
{
	const struct ln_json *node;

	for (node = ln_json_first(headers); node != NULL;
	    node = ln_json_next(node))
		if (strcasecmp(ln_json_name(node), name) == 0)
			return ln_json_string(node);
	return NULL;
}

enum ln_status
lni_tool_def_headers(const struct lni_tool_def *def, const char *old,
    struct ln_buf *out, struct ln_error *err)
{
	struct ln_json *before = NULL;
	const struct ln_json *node;
	const char *value;
	struct ln_jw *w = NULL;
	enum ln_status s = LN_OK;
	size_t n = 0;

	if (old != NULL && (s = ln_json_parse(old, strlen(old), NULL, &before,
	    err)) != LN_OK)
		return s;
	w = ln_jw_new();
	ln_jw_object(w, NULL);
	for (node = ln_json_first(def->headers); node != NULL;
	    node = ln_json_next(node)) {
		value = ln_json_string(node);
		if (value == NULL || value[0] == '\0')
			value = header_find(before, ln_json_name(node));
		if (value == NULL)
			continue;
		ln_jw_string(w, ln_json_name(node), value);
		n++;
	}
	ln_jw_end(w);
	if (n > 0 && (s = ln_jw_print(w, false, out)) != LN_OK)
		s = ln_fail(err, s, "", "headers of a tool");
	ln_jw_free(w);
	ln_json_free(before);
	return s;
}

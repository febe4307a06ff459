#include "service/tool_def.h"

#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

/* The address of a call: a template whose {names} arguments fill in. */

#define NUMBER_MAX ((size_t)64)

struct fill {
	const struct lni_tool_def *def;
	const struct ln_json *arguments;	/* NULL: the template is judged */
	struct ln_buf *used, *problem, *out;
	struct ln_error *err;
	bool is_query;
};

static enum ln_status
bad_template(struct fill *f, const char *what)
{
	if (f->problem != NULL)
		ln_buf_printf(f->problem, "/endpoint/url: %s", what);
	return ln_fail_field(f->err, LN_INVALID, "definition",
	    "The url of an endpoint is an http or https address, with {name} "
	    "of an argument in its path or query", "%s", what);
}

static enum ln_status
bad_argument(struct fill *f, const char *name, const char *what)
{
	if (f->problem != NULL)
		ln_buf_printf(f->problem, "/%.64s: %s", name, what);
	return ln_fail(f->err, LN_INVALID,
	    "An argument does not fit into the address of the tool", "%s",
	    what);
}

/* Everything but RFC 3986's unreserved characters. */
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
put_argument(struct fill *f, const char *name)
{
	const struct ln_json *value = ln_json_get(f->arguments, name);
	struct ln_buf text = LN_BUF_INIT(NUMBER_MAX);
	struct ln_jw *w;
	enum ln_status s = LN_OK;

	switch (ln_json_type(value)) {
	case LN_JSON_STRING:
		put_encoded(f->out, ln_json_string(value));
		break;
	case LN_JSON_NUMBER:
	case LN_JSON_BOOL:
		w = ln_jw_new();
		ln_jw_node(w, NULL, value);
		if ((s = ln_jw_print(w, false, &text)) != LN_OK)
			s = ln_fail(f->err, s, "", "number in an address");
		else
			put_encoded(f->out, ln_buf_str(&text));
		ln_jw_free(w);
		break;
	case LN_JSON_NULL:
		/* An empty value of a query says the same as none. */
		if (!f->is_query)
			s = bad_argument(f, name, "is missing");
		break;
	case LN_JSON_ARRAY:
	case LN_JSON_OBJECT:
		s = bad_argument(f, name,
		    "must be a text or a number to stand in an address");
		break;
	}
	ln_buf_free(&text);
	return s;
}

/* Behind a "{".  ${s} ends up behind the "}". */
static enum ln_status
put_placeholder(struct fill *f, const char **s)
{
	const char *end = strchr(*s, '}');
	char name[LN_TOOL_NAME_MAX + 1];
	size_t n;

	if (end == NULL || (n = (size_t)(end - *s)) == 0 ||
	    n > LN_TOOL_NAME_MAX)
		return bad_template(f, "has a { without the name of an "
		    "argument and a }");
	memcpy(name, *s, n);
	name[n] = '\0';
	*s = end + 1;
	if (ln_json_get(ln_json_get(f->def->parameters, "properties"),
	    name) == NULL)
		return bad_template(f, "names an argument that the parameters "
		    "do not have");
	if (f->used != NULL)
		ln_buf_put(f->used, name, n + 1);
	if (f->arguments != NULL)
		return put_argument(f, name);
	ln_buf_putc(f->out, 'x');
	return LN_OK;
}

/* Where path or query begin: what stands before no argument can change. */
static const char *
authority_end(const char *url)
{
	static const char *const schemes[] = { "http://", "https://" };
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url + strlen(schemes[i]) +
			    strcspn(url + strlen(schemes[i]), "/?#{}\\");
	return NULL;
}

/* A filled segment must still be one, and not lead to its neighbour. */
static enum ln_status
check_segment(struct fill *f, size_t from, bool is_filled)
{
	const char *segment = ln_buf_str(f->out) + from;

	if (!is_filled)
		return LN_OK;
	if (segment[0] == '\0' || strcmp(segment, ".") == 0 ||
	    strcmp(segment, "..") == 0)
		return bad_argument(f, "",
		    "a part of the path would be empty, . or ..");
	return LN_OK;
}

static enum ln_status
fill_rest(struct fill *f, const char *s)
{
	size_t segment = f->out->len;
	bool is_filled = false;
	enum ln_status st;

	while (*s != '\0') {
		if (*s == '{') {
			s++;
			is_filled = true;
			if ((st = put_placeholder(f, &s)) != LN_OK)
				return st;
			continue;
		}
		if (!f->is_query && (*s == '/' || *s == '?')) {
			st = check_segment(f, segment, is_filled);
			if (st != LN_OK)
				return st;
			f->is_query = *s == '?';
			is_filled = false;
			segment = f->out->len + 1;
		}
		ln_buf_putc(f->out, *s++);
	}
	return f->is_query ? LN_OK : check_segment(f, segment, is_filled);
}

/* Escapes of the template must be whole and no hidden dots, so that what is
 * filled in beside them cannot become a part of one. */
static bool
escapes_are_whole(const char *s)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	for (; (s = strchr(s, '%')) != NULL; s++) {
		if (s[1] == '\0' || strchr(hex, s[1]) == NULL ||
		    s[2] == '\0' || strchr(hex, s[2]) == NULL)
			return false;
		if (s[1] == '2' && (s[2] == 'e' || s[2] == 'E'))
			return false;
	}
	return true;
}

enum ln_status
lni_tool_def_url(const struct lni_tool_def *def,
    const struct ln_json *arguments, struct ln_buf *used,
    struct ln_buf *problem, struct ln_buf *out, struct ln_error *err)
{
	struct fill f = { def, arguments, used, problem, out, err, false };
	const char *rest;
	enum ln_status s;

	if (def->url == NULL)
		return bad_template(&f, "is missing");
	if (strlen(def->url) > LNI_TOOL_URL_MAX)
		return bad_template(&f, "is longer than 2048 bytes");
	if (ln_text_has_control(def->url) || strpbrk(def->url, " #\\") != NULL)
		return bad_template(&f, "has a space, a #, a \\ or a control "
		    "character");
	if (!escapes_are_whole(def->url))
		return bad_template(&f, "has a % that is no escape, or hides "
		    "a dot");
	if ((rest = authority_end(def->url)) == NULL)
		return bad_template(&f, "does not begin with http:// or "
		    "https://");
	if (*rest != '\0' && *rest != '/' && *rest != '?')
		return bad_template(&f, "has a placeholder before its path");
	ln_buf_put(out, def->url, (size_t)(rest - def->url));
	if ((s = fill_rest(&f, rest)) != LN_OK)
		return s;
	if (strchr(ln_buf_str(out), '}') != NULL)
		return bad_template(&f, "has a } without a {");
	if ((s = ln_buf_status(out)) != LN_OK ||
	    (used != NULL && (s = ln_buf_status(used)) != LN_OK))
		return ln_fail(err, s, "The address of this call is too long",
		    "%zu bytes", out->len);
	return LN_OK;
}

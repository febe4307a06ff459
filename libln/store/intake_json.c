#include "store/intake.h"

#include <string.h>

#include <ln/buf.h>
#include <ln/json.h>

#include "base/banned.h"

#define TOOL_NAME_MAX 64	/* what the providers accept */

static bool
is_base64(const char *s)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(s), body = strspn(s, alphabet);

	return body > 0 && n % 4 == 0 && n - body <= 2 &&
	    strspn(s + body, "=") == n - body;
}

/* A picture as text: base64, perhaps behind a "data:" prefix. */
static const char *
picture_text(const struct ln_json *n)
{
	const char *s = ln_json_string(n), *comma;

	if (s == NULL)
		return NULL;
	if (strncmp(s, "data:", 5) == 0) {
		if ((comma = strchr(s, ',')) == NULL)
			return NULL;
		s = comma + 1;
	}
	return is_base64(s) ? s : NULL;
}

enum ln_status
lni_images_clean(struct lni_intake *im, const char *text, size_t n,
    char **out, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(LNI_VALUE_MAX + 1024);
	const struct ln_json_opts opts = { .size = sizeof(opts),
		.allow_duplicates = true };
	const struct ln_json *item;
	struct ln_json *root = NULL;
	enum ln_status s = LN_OK;
	size_t kept = 0, bad = 0;
	const char *picture;

	*out = NULL;
	if (n == 0 || strcmp(text, "null") == 0)
		return LN_OK;
	if (is_base64(text)) {
		ln_buf_printf(&b, "[\"%s\"", text);
		kept = 1;
	} else {
		s = ln_json_parse(text, n, &opts, &root, NULL);
		if (s == LN_NOMEM) {
			s = ln_fail(err, LN_NOMEM, "", "picture list");
			goto out;
		}
		if (s != LN_OK || ln_json_type(root) != LN_JSON_ARRAY)
			bad++;
		else
			ln_buf_putc(&b, '[');
		s = LN_OK;
		for (item = bad == 0 ? ln_json_first(root) : NULL;
		    item != NULL; item = ln_json_next(item)) {
			if ((picture = picture_text(item)) == NULL) {
				bad++;
				continue;
			}
			ln_buf_puts(&b, kept++ > 0 ? ",\"" : "\"");
			ln_buf_puts(&b, picture);
			ln_buf_putc(&b, '"');
		}
	}
	if (bad > 0)
		lni_find(im->report, LNI_F_BAD_IMAGES, NULL, (int64_t)bad);
	if (kept == 0)
		goto out;
	ln_buf_putc(&b, ']');
	if ((s = ln_buf_status(&b)) != LN_OK ||
	    (*out = ln_buf_steal(&b)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "picture list");
out:
	ln_json_free(root);
	ln_buf_free(&b);
	return s;
}

bool
lni_tool_is_sane(const char *name, const char *definition)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-";
	const struct ln_json *function, *parameters;
	struct ln_json *root = NULL;
	const char *called, *type;
	bool is_sane = false;

	if (name[0] == '\0' || ln_json_parse(definition, strlen(definition),
	    NULL, &root, NULL) != LN_OK)
		return false;
	type = ln_json_get_string(root, "type");
	function = ln_json_get(root, "function");
	called = ln_json_get_string(function, "name");
	parameters = ln_json_get(function, "parameters");
	is_sane = type != NULL && strcmp(type, "function") == 0 &&
	    called != NULL && called[0] != '\0' &&
	    strlen(called) <= TOOL_NAME_MAX &&
	    strspn(called, allowed) == strlen(called) &&
	    (parameters == NULL ||
	    ln_json_type(parameters) == LN_JSON_OBJECT);
	ln_json_free(root);
	return is_sane;
}

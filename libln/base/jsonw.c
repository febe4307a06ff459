#include <ln/json.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/text.h>
#include <ln/time.h>

#include "base/json_node.h"
#include "base/banned.h"

/* Our own documents nest less than half as deep. */
#define OPEN_MAX_COUNT 64

struct ln_jw {
	cJSON *root;
	cJSON *open[OPEN_MAX_COUNT];
	size_t depth;
	enum ln_status status;
};

static bool
is_working(const struct ln_jw *w)
{
	return w != NULL && w->status == LN_OK;
}

/* ${s} itself when it is valid, else a repaired copy in ${copy}. */
static const char *
valid_text(struct ln_jw *w, const char *s, char **copy)
{
	size_t n = strlen(s);

	*copy = NULL;
	if (ln_utf8_valid(s, n))
		return s;
	w->status = ln_utf8_repair(s, n, copy, NULL);
	return *copy;
}

/* Hand ${item} (NULL: no memory was left for it) to the open container. */
static void
add(struct ln_jw *w, const char *name, cJSON *item)
{
	cJSON *parent = w->depth > 0 ? w->open[w->depth - 1] : NULL;
	char *copy = NULL;

	if (item == NULL) {
		w->status = LN_NOMEM;
		return;
	}
	if (parent == NULL ? w->root != NULL || name != NULL :
	    (cJSON_IsObject(parent) != 0) != (name != NULL)) {
		/* A second root, a member without a name, a named element. */
		w->status = LN_INTERNAL;
	} else if (parent == NULL) {
		w->root = item;
		return;
	} else if (name == NULL) {
		if (cJSON_AddItemToArray(parent, item))
			return;
		w->status = LN_NOMEM;
	} else if ((name = valid_text(w, name, &copy)) != NULL) {
		if (cJSON_AddItemToObject(parent, name, item))
			item = NULL;
		else
			w->status = LN_NOMEM;
	}
	free(copy);
	cJSON_Delete(item);
}

struct ln_jw *
ln_jw_new(void)
{
	return calloc(1, sizeof(struct ln_jw));
}

void
ln_jw_free(struct ln_jw *w)
{
	if (w == NULL)
		return;
	cJSON_Delete(w->root);
	free(w);
}

static void
open_container(struct ln_jw *w, const char *name, cJSON *item)
{
	if (w->depth == OPEN_MAX_COUNT) {
		cJSON_Delete(item);
		w->status = LN_INTERNAL;
		return;
	}
	add(w, name, item);
	if (w->status == LN_OK)
		w->open[w->depth++] = item;
}

void
ln_jw_object(struct ln_jw *w, const char *name)
{
	if (is_working(w))
		open_container(w, name, cJSON_CreateObject());
}

void
ln_jw_array(struct ln_jw *w, const char *name)
{
	if (is_working(w))
		open_container(w, name, cJSON_CreateArray());
}

void
ln_jw_end(struct ln_jw *w)
{
	if (!is_working(w))
		return;
	if (w->depth == 0)
		w->status = LN_INTERNAL;
	else
		w->depth--;
}

void
ln_jw_string(struct ln_jw *w, const char *name, const char *v)
{
	char *copy = NULL;

	if (!is_working(w))
		return;
	if (v == NULL) {
		ln_jw_null(w, name);
		return;
	}
	if ((v = valid_text(w, v, &copy)) != NULL)
		add(w, name, cJSON_CreateString(v));
	free(copy);
}

void
ln_jw_stringn(struct ln_jw *w, const char *name, const char *v, size_t n)
{
	char *copy = NULL;

	if (!is_working(w))
		return;
	if (v == NULL) {
		ln_jw_null(w, name);
		return;
	}
	/* Also makes the copy that ends where cJSON wants it to. */
	if ((w->status = ln_utf8_repair(v, n, &copy, NULL)) == LN_OK)
		add(w, name, cJSON_CreateString(copy));
	free(copy);
}

void
ln_jw_int(struct ln_jw *w, const char *name, int64_t v)
{
	char digits[24];

	if (!is_working(w))
		return;
	/* cJSON's own numbers are doubles: they round past 2^53. */
	(void)snprintf(digits, sizeof(digits), "%" PRId64, v);
	add(w, name, cJSON_CreateRaw(digits));
}

void
ln_jw_number(struct ln_jw *w, const char *name, double v)
{
	if (!is_working(w))
		return;
	if (isfinite(v))
		add(w, name, cJSON_CreateNumber(v));
	else
		ln_jw_null(w, name);
}

void
ln_jw_bool(struct ln_jw *w, const char *name, bool v)
{
	if (is_working(w))
		add(w, name, cJSON_CreateBool(v));
}

void
ln_jw_null(struct ln_jw *w, const char *name)
{
	if (is_working(w))
		add(w, name, cJSON_CreateNull());
}

void
ln_jw_time(struct ln_jw *w, const char *name, int64_t ms)
{
	char iso[LN_TIME_ISO_SIZE];

	ln_jw_string(w, name, ms == 0 ? NULL : ln_time_iso(ms, iso));
}

void
ln_jw_node(struct ln_jw *w, const char *name, const struct ln_json *node)
{
	if (!is_working(w))
		return;
	if (node == NULL)
		ln_jw_null(w, name);
	else
		add(w, name, cJSON_Duplicate(lni_json_to_cjson(node), 1));
}

enum ln_status
ln_jw_print(struct ln_jw *w, bool pretty, struct ln_buf *out)
{
	char *text;

	if (w == NULL)
		return LN_NOMEM;
	if (w->status == LN_OK && w->root == NULL)
		w->status = LN_INTERNAL;
	if (w->status != LN_OK)
		return w->status;
	w->depth = 0;
	text = pretty ? cJSON_Print(w->root) : cJSON_PrintUnformatted(w->root);
	if (text == NULL)
		return w->status = LN_NOMEM;
	ln_buf_puts(out, text);
	cJSON_free(text);
	return ln_buf_status(out);
}

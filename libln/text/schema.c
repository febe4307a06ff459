#include "text/schema.h"

#include <stdlib.h>
#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

#define LIST_MAX ((size_t)300)	/* bytes of values quoted in a problem */
#define NAMES_A_STEP 64		/* that are compared in the time of a step */

/* One check.  A verdict is LN_OK, LN_INVALID, or what stops it all. */
struct check {
	const struct ln_json *root;
	struct ln_buf *problem;		/* NULL: nobody wants to know */
	size_t steps;
	size_t depth;
};

static enum ln_status fits(struct check *c, const struct ln_json *schema,
    const struct ln_json *value, const struct lni_path *at);

/* Say where and what, unless something is said already. */
static bool
begins_problem(struct check *c, const struct lni_path *at)
{
	if (c->problem == NULL || c->problem->len > 0)
		return false;
	lni_path_print(at, c->problem);
	ln_buf_puts(c->problem, ": ");
	return true;
}

static enum ln_status
wrong(struct check *c, const struct lni_path *at, const char *what)
{
	if (begins_problem(c, at))
		ln_buf_puts(c->problem, what);
	return LN_INVALID;
}

static enum ln_status
wrong_limit(struct check *c, const struct lni_path *at, const char *what,
    double limit)
{
	if (begins_problem(c, at))
		ln_buf_printf(c->problem, "%s %.15g", what, limit);
	return LN_INVALID;
}

static void
print_value(struct ln_buf *out, const struct ln_json *value)
{
	struct ln_buf b = LN_BUF_INIT(LN_SCHEMA_BYTES_MAX * 4);
	struct ln_jw *w = ln_jw_new();

	ln_jw_node(w, NULL, value);
	/* What cannot be quoted is not. */
	if (ln_jw_print(w, false, &b) == LN_OK && b.len <= LIST_MAX)
		ln_buf_puts(out, ln_buf_str(&b));
	else
		ln_buf_puts(out, "...");
	ln_jw_free(w);
	ln_buf_free(&b);
}

/* One unit of work.  LN_TOO_LARGE when there was too much of it. */
static enum ln_status
step(struct check *c)
{
	return ++c->steps > LN_SCHEMA_STEPS_MAX ? LN_TOO_LARGE : LN_OK;
}

/* LN_OK when both are the same value, LN_INVALID when not. */
static enum ln_status
same(struct check *c, const struct ln_json *a, const struct ln_json *b)
{
	const struct ln_json *x, *y;
	bool p, q;
	double m, n;
	enum ln_status s;

	if ((s = step(c)) != LN_OK)
		return s;
	if (ln_json_type(a) != ln_json_type(b))
		return LN_INVALID;
	switch (ln_json_type(a)) {
	case LN_JSON_NULL:
		return LN_OK;
	case LN_JSON_BOOL:
		(void)ln_json_bool(a, &p);
		(void)ln_json_bool(b, &q);
		return p == q ? LN_OK : LN_INVALID;
	case LN_JSON_NUMBER:
		(void)ln_json_number(a, &m);
		(void)ln_json_number(b, &n);
		return !(m < n) && !(m > n) ? LN_OK : LN_INVALID;
	case LN_JSON_STRING:
		return strcmp(ln_json_string(a), ln_json_string(b)) == 0 ?
		    LN_OK : LN_INVALID;
	case LN_JSON_ARRAY:
		x = ln_json_first(a);
		y = ln_json_first(b);
		for (; x != NULL && y != NULL;
		    x = ln_json_next(x), y = ln_json_next(y))
			if ((s = same(c, x, y)) != LN_OK)
				return s;
		return x == NULL && y == NULL ? LN_OK : LN_INVALID;
	case LN_JSON_OBJECT:
		if (ln_json_count(a) != ln_json_count(b))
			return LN_INVALID;
		for (x = ln_json_first(a); x != NULL; x = ln_json_next(x)) {
			y = ln_json_get(b, ln_json_name(x));
			if (y == NULL)
				return LN_INVALID;
			c->steps += ln_json_count(b) / NAMES_A_STEP;
			if ((s = same(c, x, y)) != LN_OK)
				return s;
		}
		return LN_OK;
	}
	return LN_INVALID;
}

/* --- type, enum, const ---------------------------------------------------- */

static bool
is_of_type(const struct ln_json *value, const char *type)
{
	static const char *const names[] = {
		[LN_JSON_NULL] = "null",
		[LN_JSON_BOOL] = "boolean",
		[LN_JSON_NUMBER] = "number",
		[LN_JSON_STRING] = "string",
		[LN_JSON_ARRAY] = "array",
		[LN_JSON_OBJECT] = "object",
	};
	int64_t whole;

	if (strcmp(type, "integer") == 0)
		return ln_json_int(value, &whole);
	return strcmp(type, names[ln_json_type(value)]) == 0;
}

static const char *
type_words(const char *type)
{
	static const char *const words[][2] = {
		{ "null", "null" }, { "boolean", "true or false" },
		{ "number", "a number" }, { "integer", "a whole number" },
		{ "string", "a string" }, { "array", "a list" },
		{ "object", "an object" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], type) == 0)
			return words[i][1];
	return type;
}

static enum ln_status
fits_type(struct check *c, const struct ln_json *types,
    const struct ln_json *value, const struct lni_path *at)
{
	const char *type;
	size_t i;

	for (i = 0; (type = lni_schema_type_name(types, i)) != NULL; i++)
		if (is_of_type(value, type))
			return LN_OK;
	if (begins_problem(c, at)) {
		ln_buf_puts(c->problem, "must be ");
		for (i = 0; (type = lni_schema_type_name(types, i)) != NULL;
		    i++)
			ln_buf_printf(c->problem, "%s%s", i > 0 ? " or " : "",
			    type_words(type));
	}
	return LN_INVALID;
}

static enum ln_status
fits_values(struct check *c, const struct ln_json *schema,
    const struct ln_json *value, const struct lni_path *at)
{
	const struct ln_json *list, *one;
	enum ln_status s = LN_OK;

	if ((one = ln_json_get(schema, "const")) != NULL) {
		s = same(c, one, value);
		if (s == LN_INVALID && begins_problem(c, at)) {
			ln_buf_puts(c->problem, "must be ");
			print_value(c->problem, one);
		}
	}
	if (s != LN_OK || (list = ln_json_get(schema, "enum")) == NULL)
		return s;
	for (one = ln_json_first(list); one != NULL; one = ln_json_next(one))
		if ((s = same(c, one, value)) != LN_INVALID)
			return s;
	if (begins_problem(c, at)) {
		ln_buf_puts(c->problem, "must be one of ");
		print_value(c->problem, list);
	}
	return LN_INVALID;
}

/* --- numbers and sizes ---------------------------------------------------- */

static enum ln_status
fits_range(struct check *c, const struct ln_json *schema, double n,
    const struct lni_path *at)
{
	double limit;

	if (ln_json_number(ln_json_get(schema, "minimum"), &limit) &&
	    n < limit)
		return wrong_limit(c, at, "must be at least", limit);
	if (ln_json_number(ln_json_get(schema, "maximum"), &limit) &&
	    n > limit)
		return wrong_limit(c, at, "must be at most", limit);
	if (ln_json_number(ln_json_get(schema, "exclusiveMinimum"), &limit) &&
	    n <= limit)
		return wrong_limit(c, at, "must be more than", limit);
	if (ln_json_number(ln_json_get(schema, "exclusiveMaximum"), &limit) &&
	    n >= limit)
		return wrong_limit(c, at, "must be less than", limit);
	return LN_OK;
}

static enum ln_status
wrong_size(struct check *c, const struct lni_path *at, const char *what,
    int64_t limit, const char *unit)
{
	if (begins_problem(c, at))
		ln_buf_printf(c->problem, "must have %s %lld %s%s", what,
		    (long long)limit, unit, limit == 1 ? "" : "s");
	return LN_INVALID;
}

static enum ln_status
fits_size(struct check *c, const struct ln_json *schema, const char *least,
    const char *most, size_t n, const char *unit, const struct lni_path *at)
{
	int64_t limit;

	if (ln_json_int(ln_json_get(schema, least), &limit) &&
	    (int64_t)n < limit)
		return wrong_size(c, at, "at least", limit, unit);
	if (ln_json_int(ln_json_get(schema, most), &limit) &&
	    (int64_t)n > limit)
		return wrong_size(c, at, "at most", limit, unit);
	return LN_OK;
}

/* --- lists and objects ---------------------------------------------------- */

static enum ln_status
fits_unique(struct check *c, const struct ln_json *list,
    const struct lni_path *at)
{
	const struct ln_json *a, *b;
	enum ln_status s;

	for (a = ln_json_first(list); a != NULL; a = ln_json_next(a)) {
		for (b = ln_json_next(a); b != NULL; b = ln_json_next(b)) {
			if ((s = same(c, a, b)) == LN_OK)
				return wrong(c, at,
				    "must not hold a value twice");
			if (s != LN_INVALID)
				return s;
		}
	}
	return LN_OK;
}

static enum ln_status
fits_list(struct check *c, const struct ln_json *schema,
    const struct ln_json *list, const struct lni_path *at)
{
	const struct ln_json *items, *node;
	struct lni_path here = { at, NULL, 0 };
	bool is_unique;
	enum ln_status s;

	if ((s = fits_size(c, schema, "minItems", "maxItems",
	    ln_json_count(list), "value", at)) != LN_OK)
		return s;
	if (ln_json_bool(ln_json_get(schema, "uniqueItems"), &is_unique) &&
	    is_unique && (s = fits_unique(c, list, at)) != LN_OK)
		return s;
	if ((items = ln_json_get(schema, "items")) == NULL)
		return LN_OK;
	for (node = ln_json_first(list); node != NULL;
	    node = ln_json_next(node), here.index++)
		if ((s = fits(c, items, node, &here)) != LN_OK)
			return s;
	return LN_OK;
}

static enum ln_status
has_required(struct check *c, const struct ln_json *names,
    const struct ln_json *object, const struct lni_path *at)
{
	const struct ln_json *name;
	struct lni_path here = { at, NULL, 0 };
	const size_t search = ln_json_count(object) / NAMES_A_STEP;
	enum ln_status s;

	for (name = ln_json_first(names); name != NULL;
	    name = ln_json_next(name)) {
		c->steps += search;
		if ((s = step(c)) != LN_OK)
			return s;
		here.name = ln_json_string(name);
		if (ln_json_get(object, here.name) == NULL)
			return wrong(c, &here, "is missing");
	}
	return LN_OK;
}

static enum ln_status
fits_object(struct check *c, const struct ln_json *schema,
    const struct ln_json *object, const struct lni_path *at)
{
	const struct ln_json *properties, *others, *node, *one;
	struct lni_path here = { at, NULL, 0 };
	size_t search;
	enum ln_status s;

	if ((s = has_required(c, ln_json_get(schema, "required"), object,
	    at)) != LN_OK ||
	    (s = fits_size(c, schema, "minProperties", "maxProperties",
	    ln_json_count(object), "member", at)) != LN_OK)
		return s;
	properties = ln_json_get(schema, "properties");
	/* Looking for a name reads the others before it. */
	search = ln_json_count(properties) / NAMES_A_STEP;
	others = ln_json_get(schema, "additionalProperties");
	for (node = ln_json_first(object); node != NULL;
	    node = ln_json_next(node)) {
		here.name = ln_json_name(node);
		c->steps += search;
		if ((s = step(c)) != LN_OK)
			return s;
		if ((one = ln_json_get(properties, here.name)) == NULL)
			one = others;
		if (one != NULL && (s = fits(c, one, node, &here)) != LN_OK)
			return s;
	}
	return LN_OK;
}

/* --- schemas of schemas --------------------------------------------------- */

/* The same, without a word about what does not fit. */
static enum ln_status
fits_silently(struct check *c, const struct ln_json *schema,
    const struct ln_json *value, const struct lni_path *at)
{
	struct ln_buf *problem = c->problem;
	enum ln_status s;

	c->problem = NULL;
	s = fits(c, schema, value, at);
	c->problem = problem;
	return s;
}

/* How many of the alternatives fit, as far as that matters. */
static enum ln_status
count_fitting(struct check *c, const struct ln_json *list,
    const struct ln_json *value, size_t enough, size_t *out,
    const struct lni_path *at)
{
	const struct ln_json *one;
	enum ln_status s;

	*out = 0;
	for (one = ln_json_first(list); one != NULL && *out < enough;
	    one = ln_json_next(one)) {
		s = fits_silently(c, one, value, at);
		if (s == LN_OK)
			(*out)++;
		else if (s != LN_INVALID)
			return s;
	}
	return LN_OK;
}

static enum ln_status
fits_combination(struct check *c, const struct ln_json *schema,
    const struct ln_json *value, const struct lni_path *at)
{
	const struct ln_json *one;
	const char *ref;
	enum ln_status s;
	size_t n;

	ref = ln_json_get_string(schema, "$ref");
	if (ref != NULL && (s = fits(c, lni_schema_target(c->root, ref),
	    value, at)) != LN_OK)
		return s;
	for (one = ln_json_first(ln_json_get(schema, "allOf")); one != NULL;
	    one = ln_json_next(one))
		if ((s = fits(c, one, value, at)) != LN_OK)
			return s;
	if ((one = ln_json_get(schema, "anyOf")) != NULL) {
		if ((s = count_fitting(c, one, value, 1, &n, at)) != LN_OK)
			return s;
		if (n == 0)
			return wrong(c, at, "fits none of the alternatives");
	}
	if ((one = ln_json_get(schema, "oneOf")) != NULL) {
		if ((s = count_fitting(c, one, value, 2, &n, at)) != LN_OK)
			return s;
		if (n != 1)
			return wrong(c, at, n == 0 ?
			    "fits none of the alternatives" :
			    "fits more than one of the alternatives");
	}
	if ((one = ln_json_get(schema, "not")) != NULL) {
		s = fits_silently(c, one, value, at);
		if (s == LN_OK)
			return wrong(c, at, "has a form that is excluded");
		if (s != LN_INVALID)
			return s;
	}
	return LN_OK;
}

static enum ln_status
fits_object_schema(struct check *c, const struct ln_json *schema,
    const struct ln_json *value, const struct lni_path *at)
{
	const struct ln_json *types = ln_json_get(schema, "type");
	enum ln_status s;
	double n;

	if (types != NULL && (s = fits_type(c, types, value, at)) != LN_OK)
		return s;
	if ((s = fits_values(c, schema, value, at)) != LN_OK)
		return s;
	s = LN_OK;
	switch (ln_json_type(value)) {
	case LN_JSON_NUMBER:
		(void)ln_json_number(value, &n);
		s = fits_range(c, schema, n, at);
		break;
	case LN_JSON_STRING:
		s = fits_size(c, schema, "minLength", "maxLength",
		    ln_utf8_count(ln_json_string(value)), "character", at);
		break;
	case LN_JSON_ARRAY:
		s = fits_list(c, schema, value, at);
		break;
	case LN_JSON_OBJECT:
		s = fits_object(c, schema, value, at);
		break;
	case LN_JSON_NULL:
	case LN_JSON_BOOL:
		break;
	}
	return s != LN_OK ? s : fits_combination(c, schema, value, at);
}

static enum ln_status
fits(struct check *c, const struct ln_json *schema,
    const struct ln_json *value, const struct lni_path *at)
{
	enum ln_status s;
	bool is_open;

	if ((s = step(c)) != LN_OK)
		return s;
	if (ln_json_bool(schema, &is_open))
		return is_open ? LN_OK : wrong(c, at, "is not allowed");
	if (c->depth == LN_SCHEMA_DEPTH_MAX)
		return LN_TOO_LARGE;
	c->depth++;
	s = fits_object_schema(c, schema, value, at);
	c->depth--;
	return s;
}

/* --- the public face ------------------------------------------------------ */

enum ln_status
ln_schema_parse(const char *text, size_t n, struct ln_buf *problem,
    struct ln_schema **out, struct ln_error *err)
{
	struct ln_schema *schema;
	enum ln_status s;

	*out = NULL;
	if (n > LN_SCHEMA_BYTES_MAX)
		return ln_fail(err, LN_TOO_LARGE,
		    "A schema has at most 64 KiB", "%zu bytes", n);
	if ((schema = calloc(1, sizeof(*schema))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "schema");
	if ((s = ln_json_parse(text, n, NULL, &schema->root, err)) == LN_OK)
		s = lni_schema_define(schema->root, problem, err);
	if (s != LN_OK) {
		ln_schema_free(schema);
		return s;
	}
	*out = schema;
	return LN_OK;
}

void
ln_schema_free(struct ln_schema *schema)
{
	if (schema == NULL)
		return;
	ln_json_free(schema->root);
	free(schema);
}

enum ln_status
ln_schema_check(const struct ln_schema *schema, const struct ln_json *value,
    struct ln_buf *problem, struct ln_error *err)
{
	const struct lni_path at = { NULL, NULL, 0 };
	struct check c = { schema->root, problem, 0, 0 };
	enum ln_status s;

	s = fits(&c, schema->root, value, &at);
	if (s == LN_INVALID)
		return ln_fail(err, s, "The value does not fit its schema",
		    "json schema");
	if (s != LN_OK)
		return ln_fail(err, s, "This schema is too much work to check",
		    "%zu steps", c.steps);
	return LN_OK;
}

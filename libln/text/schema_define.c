#include "text/schema.h"

#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

#define PATH_NAME_MAX 64	/* bytes of one name in a path, ours */
#define PATH_DEPTH_MAX 64	/* more than a parsed document can have */

/* What is wrong with the value of a keyword, or NULL. */
struct walk;
typedef const char *value_fn(struct walk *w, const struct ln_json *value,
    const struct lni_path *at);

struct walk {
	const struct ln_json *root;
	struct ln_buf *problem;
	bool is_wrong;		/* problem and sentence are written */
	const char *sentence;
};

struct keyword {
	const char *name;
	value_fn *check;
};

void
lni_path_print(const struct lni_path *at, struct ln_buf *out)
{
	const struct lni_path *steps[PATH_DEPTH_MAX];
	size_t n = 0, length, i;
	const char *s;

	for (; at != NULL && at->parent != NULL && n < PATH_DEPTH_MAX;
	    at = at->parent)
		steps[n++] = at;
	if (n == 0)
		ln_buf_putc(out, '/');
	while (n > 0) {
		at = steps[--n];
		ln_buf_putc(out, '/');
		if (at->name == NULL) {
			ln_buf_printf(out, "%zu", at->index);
			continue;
		}
		s = at->name;
		length = ln_utf8_prefix(s, strlen(s), PATH_NAME_MAX);
		for (i = 0; i < length; i++) {
			if (s[i] == '~')
				ln_buf_puts(out, "~0");
			else if (s[i] == '/')
				ln_buf_puts(out, "~1");
			else if ((unsigned char)s[i] < ' ' || s[i] == '\x7f')
				ln_buf_putc(out, '?');
			else
				ln_buf_putc(out, s[i]);
		}
		if (s[length] != '\0')
			ln_buf_puts(out, "...");
	}
}

const char *
lni_schema_type_name(const struct ln_json *node, size_t i)
{
	if (ln_json_type(node) == LN_JSON_STRING)
		return i == 0 ? ln_json_string(node) : NULL;
	if (ln_json_type(node) != LN_JSON_ARRAY)
		return NULL;
	for (node = ln_json_first(node); i > 0 && node != NULL; i--)
		node = ln_json_next(node);
	return ln_json_string(node);
}

const struct ln_json *
lni_schema_target(const struct ln_json *root, const char *ref)
{
	static const char *const places[] = { "$defs", "definitions" };
	const char *name;
	size_t i, n;

	if (strcmp(ref, "#") == 0)
		return root;
	if (strncmp(ref, "#/", 2) != 0)
		return NULL;
	ref += 2;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		n = strlen(places[i]);
		if (strncmp(ref, places[i], n) != 0 || ref[n] != '/')
			continue;
		name = ref + n + 1;
		/* Deeper or escaped pointers are not followed. */
		if (strpbrk(name, "/~%") != NULL)
			return NULL;
		return ln_json_get(ln_json_get(root, places[i]), name);
	}
	return NULL;
}

static void
complain(struct walk *w, const struct lni_path *at, const char *sentence,
    const char *name, const char *what)
{
	if (w->is_wrong)
		return;
	w->is_wrong = true;
	w->sentence = sentence;
	if (w->problem == NULL)
		return;
	lni_path_print(at, w->problem);
	ln_buf_printf(w->problem, ": %.64s %s", name, what);
}

static void walk_schema(struct walk *w, const struct ln_json *node,
    const struct lni_path *at);

/* --- values of keywords --------------------------------------------------- */

static const char *
want_anything(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	(void)w;
	(void)value;
	(void)at;
	return NULL;
}

static const char *
want_types(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	static const char *const types[] = { "null", "boolean", "object",
		"array", "number", "string", "integer" };
	const char *name;
	size_t i, k, count;

	(void)w;
	(void)at;
	count = ln_json_type(value) == LN_JSON_ARRAY ? ln_json_count(value) :
	    1;
	if (count == 0)
		return "must name a type";
	for (i = 0; i < count; i++) {
		if ((name = lni_schema_type_name(value, i)) == NULL)
			return "must be the name of a type or a list of them";
		for (k = 0; k < sizeof(types) / sizeof(types[0]); k++)
			if (strcmp(types[k], name) == 0)
				break;
		if (k == sizeof(types) / sizeof(types[0]))
			return "names a type that JSON does not have";
	}
	return NULL;
}

static const char *
want_values(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	(void)w;
	(void)at;
	if (ln_json_type(value) != LN_JSON_ARRAY || ln_json_count(value) == 0)
		return "must be a list of at least one value";
	return NULL;
}

static const char *
want_names(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	const struct ln_json *name;

	(void)w;
	(void)at;
	if (ln_json_type(value) != LN_JSON_ARRAY)
		return "must be a list of names";
	for (name = ln_json_first(value); name != NULL;
	    name = ln_json_next(name))
		if (ln_json_type(name) != LN_JSON_STRING)
			return "must be a list of names";
	return NULL;
}

static const char *
want_number(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	(void)w;
	(void)at;
	return ln_json_type(value) == LN_JSON_NUMBER ? NULL :
	    "must be a number";
}

static const char *
want_count(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	int64_t n;

	(void)w;
	(void)at;
	return ln_json_int(value, &n) && n >= 0 ? NULL :
	    "must be a whole number that is not negative";
}

static const char *
want_bool(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	(void)w;
	(void)at;
	return ln_json_type(value) == LN_JSON_BOOL ? NULL :
	    "must be true or false";
}

static const char *
want_schema(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	walk_schema(w, value, at);
	return NULL;
}

static const char *
want_schema_list(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	struct lni_path here = { at, NULL, 0 };
	const struct ln_json *node;

	if (ln_json_type(value) != LN_JSON_ARRAY || ln_json_count(value) == 0)
		return "must be a list of at least one schema";
	for (node = ln_json_first(value); node != NULL;
	    node = ln_json_next(node), here.index++)
		walk_schema(w, node, &here);
	return NULL;
}

static const char *
want_schema_map(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	struct lni_path here = { at, NULL, 0 };
	const struct ln_json *node;

	if (ln_json_type(value) != LN_JSON_OBJECT)
		return "must be an object of schemas";
	for (node = ln_json_first(value); node != NULL;
	    node = ln_json_next(node)) {
		here.name = ln_json_name(node);
		walk_schema(w, node, &here);
	}
	return NULL;
}

static const char *
want_ref(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	const char *ref = ln_json_string(value);

	(void)at;
	if (ref == NULL || lni_schema_target(w->root, ref) == NULL)
		return "must be # or name a member of $defs, as in "
		    "#/$defs/name";
	return NULL;
}

/* clang-format off */
static const struct keyword keywords[] = {
	{ "type", want_types },
	{ "enum", want_values },
	{ "const", want_anything },
	{ "properties", want_schema_map },
	{ "required", want_names },
	{ "additionalProperties", want_schema },
	{ "minProperties", want_count },
	{ "maxProperties", want_count },
	{ "items", want_schema },
	{ "minItems", want_count },
	{ "maxItems", want_count },
	{ "uniqueItems", want_bool },
	{ "minLength", want_count },
	{ "maxLength", want_count },
	{ "minimum", want_number },
	{ "maximum", want_number },
	{ "exclusiveMinimum", want_number },
	{ "exclusiveMaximum", want_number },
	{ "allOf", want_schema_list },
	{ "anyOf", want_schema_list },
	{ "oneOf", want_schema_list },
	{ "not", want_schema },
	{ "$ref", want_ref },
	{ "title", want_anything },
	{ "description", want_anything },
	{ "default", want_anything },
	{ "examples", want_anything },
	{ "format", want_anything },
	{ "deprecated", want_anything },
	{ "readOnly", want_anything },
	{ "writeOnly", want_anything },
	{ "$comment", want_anything },
};

/* Only there they mean what we take them for. */
static const struct keyword root_keywords[] = {
	{ "$defs", want_schema_map },
	{ "definitions", want_schema_map },
	{ "$schema", want_anything },
	{ "$id", want_anything },
};

/* Constraints of the standard that we know and do not check. */
#define REFUSED(name) { name, "The schema uses \"" name "\", which is not " \
	"checked here" }
static const struct {
	const char *name;
	const char *sentence;
} refused[] = {
	REFUSED("pattern"),
	REFUSED("patternProperties"),
	REFUSED("propertyNames"),
	REFUSED("multipleOf"),
	REFUSED("prefixItems"),
	REFUSED("additionalItems"),
	REFUSED("contains"),
	REFUSED("minContains"),
	REFUSED("maxContains"),
	REFUSED("dependencies"),
	REFUSED("dependentRequired"),
	REFUSED("dependentSchemas"),
	REFUSED("if"),
	REFUSED("then"),
	REFUSED("else"),
	REFUSED("unevaluatedItems"),
	REFUSED("unevaluatedProperties"),
	REFUSED("nullable"),
	REFUSED("contentEncoding"),
	REFUSED("contentMediaType"),
	REFUSED("contentSchema"),
	REFUSED("$anchor"),
	REFUSED("$dynamicAnchor"),
	REFUSED("$dynamicRef"),
	REFUSED("$recursiveRef"),
};
/* clang-format on */

/* --- the walk ------------------------------------------------------------- */

static const struct keyword *
find(const struct keyword *table, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static void
refuse(struct walk *w, const struct lni_path *at, const char *name)
{
	const char *sentence = "The schema uses a keyword that is not known "
	    "here";
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(refused[i].name, name) == 0)
			sentence = refused[i].sentence;
	complain(w, at, sentence, name, "is not checked here");
}

static void
walk_keyword(struct walk *w, const struct ln_json *value,
    const struct lni_path *at)
{
	const char *name = ln_json_name(value), *wrong;
	struct lni_path here = { at, name, 0 };
	const struct keyword *k;

	if (strncmp(name, "x-", 2) == 0)
		return;
	k = find(keywords, sizeof(keywords) / sizeof(keywords[0]), name);
	if (k == NULL && at->parent == NULL)
		k = find(root_keywords, sizeof(root_keywords) /
		    sizeof(root_keywords[0]), name);
	if (k == NULL)
		refuse(w, at, name);
	else if ((wrong = k->check(w, value, &here)) != NULL)
		complain(w, at, "The schema has a keyword with a value that "
		    "it cannot have", name, wrong);
}

static void
walk_schema(struct walk *w, const struct ln_json *node,
    const struct lni_path *at)
{
	if (ln_json_type(node) == LN_JSON_BOOL)
		return;
	if (ln_json_type(node) != LN_JSON_OBJECT) {
		complain(w, at, "A schema is an object, true or false",
		    "a schema", "is an object, true or false");
		return;
	}
	for (node = ln_json_first(node); node != NULL && !w->is_wrong;
	    node = ln_json_next(node))
		walk_keyword(w, node, at);
}

enum ln_status
lni_schema_define(const struct ln_json *root, struct ln_buf *problem,
    struct ln_error *err)
{
	const struct lni_path at = { NULL, NULL, 0 };
	struct walk w = { root, problem, false, NULL };

	walk_schema(&w, root, &at);
	if (w.is_wrong)
		return ln_error_set(err, LN_INVALID, NULL, w.sentence,
		    "schema");
	return LN_OK;
}

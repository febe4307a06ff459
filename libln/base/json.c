#include <ln/json.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>

#include "base/json_gate.h"
#include "base/json_node.h"
#include "base/banned.h"

/* Doubles count exactly up to here; at 2^53 a neighbour rounds onto it. */
#define INT_MAX_EXACT (((int64_t)1 << 53) - 1)

_Static_assert(LNI_JSON_NESTING_MAX <= CJSON_NESTING_LIMIT,
    "the gate lets nothing through that cJSON refuses");

/* A preorder walk; cJSON keeps no way back to the parent. */
struct walk {
	cJSON *parents[LNI_JSON_NESTING_MAX];
	size_t depth;
};

static cJSON *
walk_next(struct walk *w, cJSON *node)
{
	if (node->child != NULL) {
		w->parents[w->depth++] = node;
		return node->child;
	}
	while (w->depth > 0 && node->next == NULL)
		node = w->parents[--w->depth];
	return w->depth > 0 ? node->next : NULL;
}

/* A member and where it stands among its siblings. */
struct member {
	cJSON *node;
	size_t position;
};

static int
member_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order;

	if ((order = strcmp(x->node->string, y->node->string)) != 0)
		return order;
	return x->position < y->position ? -1 : 1;
}

/*
 * Refuse duplicate names in ${object}, or remove all but the first of each.
 * Sorting keeps a hostile object of many members from costing their square.
 */
static enum ln_status
check_names(cJSON *object, bool allow_duplicates, struct ln_error *err)
{
	struct member *members;
	size_t count = 0, i = 0;
	enum ln_status s = LN_OK;
	cJSON *node;

	for (node = object->child; node != NULL; node = node->next)
		count++;
	if (count < 2)
		return LN_OK;
	if ((members = calloc(count, sizeof(*members))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "json: %zu members", count);
	for (node = object->child; node != NULL; node = node->next, i++) {
		members[i].node = node;
		members[i].position = i;
	}
	qsort(members, count, sizeof(*members), member_compare);
	for (i = 1; i < count; i++) {
		if (strcmp(members[i - 1].node->string,
		    members[i].node->string) != 0)
			continue;
		if (!allow_duplicates) {
			s = ln_fail(err, LN_INVALID, "Invalid JSON",
			    "duplicate name in an object of %zu members",
			    count);
			break;
		}
		node = members[i].node;
		members[i].node = members[i - 1].node;
		ln_json_free(lni_json_from_cjson(
		    cJSON_DetachItemViaPointer(object, node)));
	}
	free(members);
	return s;
}

/* What only the values tell. */
static enum ln_status
check_tree(cJSON *root, bool allow_duplicates, struct ln_error *err)
{
	struct walk w = { .depth = 0 };
	enum ln_status s;
	cJSON *node;

	for (node = root; node != NULL; node = walk_next(&w, node)) {
		if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
			return ln_fail(err, LN_INVALID, "Invalid JSON",
			    "a number out of range");
		if (cJSON_IsObject(node) && (s = check_names(node,
		    allow_duplicates, err)) != LN_OK)
			return s;
	}
	return LN_OK;
}

enum ln_status
ln_json_parse(const char *s, size_t n, const struct ln_json_opts *opts,
    struct ln_json **out, struct ln_error *err)
{
	size_t depth_max = LN_JSON_DEPTH_MAX, values_max = LN_JSON_VALUES_MAX;
	bool allow_duplicates = false;
	enum ln_status st;
	cJSON *root;

	*out = NULL;
	if (opts != NULL) {
		if (opts->depth_max > 0)
			depth_max = opts->depth_max;
		if (opts->values_max > 0)
			values_max = opts->values_max;
		allow_duplicates = opts->allow_duplicates;
	}
	if ((st = lni_json_gate(s, n, depth_max, values_max, err)) != LN_OK)
		return st;
	/* Past the gate only memory can be missing. */
	if ((root = cJSON_ParseWithLengthOpts(s, n, NULL, 0)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "json: %zu bytes", n);
	if ((st = check_tree(root, allow_duplicates, err)) != LN_OK) {
		ln_json_free(lni_json_from_cjson(root));
		return st;
	}
	*out = lni_json_from_cjson(root);
	return LN_OK;
}

void
ln_json_free(struct ln_json *root)
{
	struct walk w = { .depth = 0 };
	cJSON *top = (cJSON *)(void *)root, *node;

	/* Requests carry passwords. */
	for (node = top; node != NULL; node = walk_next(&w, node))
		if (node->valuestring != NULL)
			ln_wipe(node->valuestring, strlen(node->valuestring));
	cJSON_Delete(top);
}

enum ln_json_type
ln_json_type(const struct ln_json *n)
{
	const cJSON *node = lni_json_to_cjson(n);

	if (cJSON_IsBool(node))
		return LN_JSON_BOOL;
	if (cJSON_IsNumber(node))
		return LN_JSON_NUMBER;
	if (cJSON_IsString(node))
		return LN_JSON_STRING;
	if (cJSON_IsArray(node))
		return LN_JSON_ARRAY;
	if (cJSON_IsObject(node))
		return LN_JSON_OBJECT;
	return LN_JSON_NULL;
}

const struct ln_json *
ln_json_get(const struct ln_json *object, const char *name)
{
	const cJSON *node = lni_json_to_cjson(object);

	if (!cJSON_IsObject(node))
		return NULL;
	return lni_json_from_const(
	    cJSON_GetObjectItemCaseSensitive(node, name));
}

const char *
ln_json_string(const struct ln_json *n)
{
	return cJSON_GetStringValue(lni_json_to_cjson(n));
}

bool
ln_json_bool(const struct ln_json *n, bool *out)
{
	const cJSON *node = lni_json_to_cjson(n);

	*out = cJSON_IsTrue(node) != 0;
	return cJSON_IsBool(node) != 0;
}

bool
ln_json_number(const struct ln_json *n, double *out)
{
	const cJSON *node = lni_json_to_cjson(n);

	*out = 0;
	if (!cJSON_IsNumber(node))
		return false;
	*out = node->valuedouble;
	return true;
}

bool
ln_json_int(const struct ln_json *n, int64_t *out)
{
	double number;

	*out = 0;
	if (!ln_json_number(n, &number) || number > (double)INT_MAX_EXACT ||
	    number < -(double)INT_MAX_EXACT ||
	    number != (double)(int64_t)number)
		return false;
	*out = (int64_t)number;
	return true;
}

size_t
ln_json_count(const struct ln_json *n)
{
	const struct ln_json *child;
	size_t count = 0;

	for (child = ln_json_first(n); child != NULL;
	    child = ln_json_next(child))
		count++;
	return count;
}

const struct ln_json *
ln_json_first(const struct ln_json *n)
{
	return n == NULL ? NULL :
	    lni_json_from_const(lni_json_to_cjson(n)->child);
}

const struct ln_json *
ln_json_next(const struct ln_json *n)
{
	return n == NULL ? NULL :
	    lni_json_from_const(lni_json_to_cjson(n)->next);
}

const char *
ln_json_name(const struct ln_json *n)
{
	return n == NULL ? NULL : lni_json_to_cjson(n)->string;
}

const char *
ln_json_get_string(const struct ln_json *object, const char *name)
{
	return ln_json_string(ln_json_get(object, name));
}

#ifndef LNI_JSON_NODE_H
#define LNI_JSON_NODE_H

#include <cjson/cJSON.h>

#include <ln/json.h>

/* A struct ln_json is never defined: it is cJSON's node under our name. */

static inline const cJSON *
lni_json_to_cjson(const struct ln_json *n)
{
	return (const cJSON *)(const void *)n;
}

static inline struct ln_json *
lni_json_from_cjson(cJSON *n)
{
	return (struct ln_json *)(void *)n;
}

static inline const struct ln_json *
lni_json_from_const(const cJSON *n)
{
	return (const struct ln_json *)(const void *)n;
}

#endif

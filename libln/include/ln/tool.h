#ifndef LN_TOOL_H
#define LN_TOOL_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Tools that a model may call: the built-in ones (current_time, web_search,
 * read_file), everybody's and a person's own.  A definition is the JSON of a
 * function in the words of OpenAI ({"name", "description", "parameters"},
 * perhaps inside {"type": "function", "function": ...}) and may have a member
 * "endpoint" that says how to call it over HTTP.
 */

#define LN_TOOL_NAME_MAX 64		/* as OpenAI and Anthropic allow */
#define LN_TOOL_DESCRIPTION_MAX 1024
#define LN_TOOL_DEFINITION_MAX (64 * 1024)

enum ln_tool_kind {
	LN_TOOL_BUILTIN,	/* id is its name; no row of the table */
	LN_TOOL_HTTP,		/* has an endpoint */
	LN_TOOL_BARE,		/* has none: a call ends in a clear error */
};

struct ln_tool {
	char *id;
	char *user_id;		/* NULL: everybody's */
	char *name;
	char *description;	/* may be NULL */
	char *definition;	/* JSON; secrets of an endpoint left out */
	enum ln_tool_kind kind;
	bool is_enabled;
	bool asks_first;	/* a person has to allow each call */
	int64_t created_ms;
};

struct ln_tool_list {
	struct ln_tool **items;
	size_t count;
};

/**
 * ln_tool_list(st, user_id, out, err) / ln_tool_get(st, user_id, id, ...):
 * What ${user_id} (NULL: only everybody's) can see: built-in ones first, then
 * by name.  ${id} may be a name in ln_tool_get; a person's own goes before
 * everybody's.  LN_NOT_FOUND.
 */
LN_API enum ln_status ln_tool_list(struct ln_store *st, const char *user_id,
    struct ln_tool_list *out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_tool_get(struct ln_store *st, const char *user_id,
    const char *id, struct ln_tool **out, struct ln_error *err) LN_USE;
LN_API void ln_tool_free(struct ln_tool *t);
LN_API void ln_tool_list_free(struct ln_tool_list *l);

/**
 * struct ln_tool_change:
 * NULL members are left alone.  A header value given in the endpoint of
 * ${definition} replaces the stored one; a header named without a value keeps
 * it.
 */
struct ln_tool_change {
	size_t size;
	const char *name;
	const char *description;
	const char *definition;
	const bool *is_enabled;
	const bool *asks_first;
};

/**
 * ln_tool_create(st, cfg, user_id, change, out, err) / ln_tool_update(...):
 * A tool of ${user_id}, or everybody's (NULL), which only an admin or the
 * shell may write.  Of a built-in one only the two switches can change: for
 * everybody, or with ${user_id} to something stricter for one person.
 * LN_INVALID with field (name, definition), LN_CONFLICT (name taken),
 * LN_FORBIDDEN, LN_NOT_FOUND.
 */
LN_API enum ln_status ln_tool_create(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id,
    const struct ln_tool_change *change, struct ln_tool **out,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_tool_update(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id, const char *id,
    const struct ln_tool_change *change, struct ln_tool **out,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_tool_delete(struct ln_store *st, const char *user_id,
    const char *id, struct ln_error *err) LN_USE;

#endif

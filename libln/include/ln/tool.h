#ifndef LN_TOOL_H
#define LN_TOOL_H

#include <stdatomic.h>

#include <ln/base.h>
#include <ln/buf.h>
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
#define LN_TOOL_DEFINITION_MAX ((size_t)64 * 1024)
#define LN_TOOL_COUNT_MAX 60	/* of one person, and of everybody; ours: with
				 * both a turn stays below OpenAI's 128 */

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
	bool is_available;	/* false: the configuration does not allow it */
	bool asks_first;	/* a person has to allow each call */
	int64_t created_ms;
};

struct ln_tool_list {
	struct ln_tool **items;
	size_t count;
};

/**
 * ln_tool_list(st, cfg, user_id, out, err) / ln_tool_get(st, cfg, user_id, id,
 * ...):
 * What ${user_id} (NULL: only everybody's) can see: built-in ones first, then
 * a person's own, then everybody's, by name, with the switches as they are in
 * force for that person.  ${id} may be a name in ln_tool_get, and the first in
 * that order is meant.  LN_NOT_FOUND.
 */
LN_API enum ln_status ln_tool_list(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id,
    struct ln_tool_list *out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_tool_get(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id, const char *id,
    struct ln_tool **out, struct ln_error *err) LN_USE;
LN_API void ln_tool_free(struct ln_tool *t);
LN_API void ln_tool_list_free(struct ln_tool_list *l);

/**
 * struct ln_tool_change:
 * NULL members are left alone.  A header value given in the endpoint of
 * ${definition} replaces the stored one; a header named without a value keeps
 * it.  ${problem} gets, besides the sentence of the error, where in the
 * definition something is wrong ("/parameters/properties/zone: pattern is not
 * checked here").
 */
struct ln_tool_change {
	size_t size;
	const char *name;
	const char *description;
	const char *definition;
	const bool *is_enabled;
	const bool *asks_first;
	struct ln_buf *problem;
};

/**
 * ln_tool_create(st, cfg, user_id, change, out, err) / ln_tool_update(...) /
 * ln_tool_delete(...):
 * A tool of ${user_id}, or everybody's (NULL), which only an admin or the
 * shell may write; with ${user_id}, everybody's can be seen and not changed.
 * Of a built-in one only the two switches can change: for everybody, or with
 * ${user_id} to something stricter for one person.  Unless ${asks_first} says
 * otherwise, a new tool asks first when its method is not GET.  A name has 1
 * to LN_TOOL_NAME_MAX of A-Z a-z 0-9 _ - and is that of no other tool of the
 * owner, nor of a built-in one.  ${out} (may be NULL) is yours.  LN_INVALID
 * with field (name, description, definition), LN_TOO_LARGE (too many, or too
 * long a definition), LN_CONFLICT (name taken), LN_FORBIDDEN, LN_NOT_FOUND,
 * LN_BAD_KEY (headers cannot be sealed).
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

/**
 * struct ln_search_list / ln_tool_web_search(cfg, query, is_cancelled, out,
 * err):
 * Blocking, at most LN_TOOL_SEARCH_MS: what LOCALNEURAL_SEARCH finds for
 * ${query}.  Ends early when ${is_cancelled} (may be NULL) becomes true.  At most
 * LN_SEARCH_MAX results, each text of one line.  Free with
 * ln_search_list_free.  LN_UNSUPPORTED (search is off), LN_INVALID with field
 * "query", LN_UPSTREAM, LN_TIMEOUT, LN_TOO_LARGE, LN_CANCELLED.
 */
#define LN_SEARCH_MAX 8
#define LN_SEARCH_QUERY_MAX 400		/* code points */
#define LN_TOOL_SEARCH_MS 15000
struct ln_search_result {
	char *title, *url, *snippet;	/* snippet may be "" */
};
struct ln_search_list {
	struct ln_search_result items[LN_SEARCH_MAX];
	size_t count;
};
LN_API enum ln_status ln_tool_web_search(const struct ln_config *cfg,
    const char *query, const atomic_bool *is_cancelled,
    struct ln_search_list *out, struct ln_error *err) LN_USE;
LN_API void ln_search_list_free(struct ln_search_list *l);

/**
 * struct ln_tool_file / ln_tool_read_file(cfg, path, out, err):
 * A text file inside one of LOCALNEURAL_READ_FOLDERS: ${path} is absolute or
 * relative to one of them.  No symbolic link leads out of the folder, and
 * nothing in the folder of the database and not the env file is read, whatever
 * the folders say.  Of a file over LN_TOOL_FILE_MAX bytes ${content} has the
 * beginning.  Free with ln_tool_file_free.  LN_UNSUPPORTED (no folders);
 * LN_NOT_FOUND; LN_FORBIDDEN (outside, or not ours to read); LN_INVALID (not
 * a regular file, not text in UTF-8); LN_IO; LN_NOMEM.
 */
#define LN_TOOL_FILE_MAX ((size_t)1024 * 1024)
struct ln_tool_file {
	char *path;		/* absolute, as it was opened */
	char *content;
	size_t length;		/* of content */
	int64_t bytes;		/* of the whole file */
};
LN_API enum ln_status ln_tool_read_file(const struct ln_config *cfg,
    const char *path, struct ln_tool_file *out, struct ln_error *err) LN_USE;
LN_API void ln_tool_file_free(struct ln_tool_file *f);

#endif

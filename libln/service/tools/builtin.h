#ifndef LNI_BUILTIN_H
#define LNI_BUILTIN_H

#include <stdatomic.h>

#include <ln/buf.h>
#include <ln/config.h>
#include <ln/json.h>
#include <ln/store.h>

/* The tools that the product brings itself, one a file. */

/* What a tool may append to its result before the toolbox cuts it. */
#define LNI_TOOL_RAW_MAX ((size_t)1024 * 1024 + 4096)

/**
 * struct lni_tool_run:
 * One call.  All borrowed for its length.
 */
struct lni_tool_run {
	struct ln_store *st;
	const struct ln_config *cfg;
	const char *user_id;
	const struct ln_json *arguments;	/* an object, fits the schema */
	const atomic_bool *is_cancelled;	/* may be NULL */
	int64_t deadline_ms;		/* on the clock of ln_time_mono_ms */
	struct ln_buf *result;		/* valid UTF-8; see toolbox.h */
};

/* Whether the call still has time and nobody stopped it.  For on_tick. */
bool lni_tool_may_go_on(const struct lni_tool_run *run);

struct lni_builtin {
	const char *name;
	const char *description;
	const char *parameters;		/* JSON Schema */
	bool asks_first;		/* unless somebody says otherwise */
	/* Whether this instance has it at all; NULL: always. */
	bool (*is_offered)(const struct ln_config *cfg);
	enum ln_status (*run)(const struct lni_tool_run *run,
	    struct ln_error *err);
};

extern const struct lni_builtin lni_tool_current_time;
extern const struct lni_builtin lni_tool_web_search;
extern const struct lni_builtin lni_tool_read_file;

/* All of them, NULL-ended.  Static. */
extern const struct lni_builtin *const lni_builtins[];

/* NULL when there is none of that name. */
const struct lni_builtin *lni_builtin_find(const char *name);

#endif

#include "service/tool_switch.h"

#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>
#include <ln/setting.h>

#include "base/banned.h"

#define ENABLED "enabled"
#define ASKS_FIRST "asks_first"

static enum ln_status
setting_name(struct ln_buf *b, const char *tool, const char *what,
    struct ln_error *err)
{
	ln_buf_printf(b, "tool.%s.%s", tool, what);
	if (ln_buf_status(b) != LN_OK)
		return ln_fail(err, ln_buf_status(b), "", "switch of a tool");
	return LN_OK;
}

/* ${fallback} when there is no such setting. */
static enum ln_status
switch_get(struct ln_store *st, const char *user_id, const char *tool,
    const char *what, bool fallback, bool *out, struct ln_error *err)
{
	struct ln_buf name = LN_BUF_INIT(LN_SETTING_NAME_MAX);
	char *value = NULL;
	enum ln_status s;

	*out = fallback;
	if ((s = setting_name(&name, tool, what, err)) == LN_OK &&
	    (s = ln_setting_get(st, user_id, ln_buf_str(&name), &value,
	    err)) == LN_OK && value != NULL)
		*out = strcmp(value, "true") == 0;
	ln_free(value);
	ln_buf_free(&name);
	return s;
}

static enum ln_status
switch_set(struct ln_store *st, const char *user_id, const char *tool,
    const char *what, const char *value, struct ln_error *err)
{
	struct ln_buf name = LN_BUF_INIT(LN_SETTING_NAME_MAX);
	enum ln_status s;

	if ((s = setting_name(&name, tool, what, err)) == LN_OK)
		s = ln_setting_set(st, user_id, ln_buf_str(&name), value, err);
	ln_buf_free(&name);
	return s;
}

static enum ln_status
read_switches(struct ln_store *st, const char *user_id,
    const struct lni_builtin *b, bool *out_enabled, bool *out_asks_first,
    struct ln_error *err)
{
	bool own_enabled = true, own_asks = false;
	enum ln_status s;

	if ((s = switch_get(st, NULL, b->name, ENABLED, true, out_enabled,
	    err)) != LN_OK ||
	    (s = switch_get(st, NULL, b->name, ASKS_FIRST, b->asks_first,
	    out_asks_first, err)) != LN_OK || user_id == NULL)
		return s;
	if ((s = switch_get(st, user_id, b->name, ENABLED, true, &own_enabled,
	    err)) != LN_OK ||
	    (s = switch_get(st, user_id, b->name, ASKS_FIRST, false, &own_asks,
	    err)) != LN_OK)
		return s;
	*out_enabled = *out_enabled && own_enabled;
	*out_asks_first = *out_asks_first || own_asks;
	return LN_OK;
}

static enum ln_status
write_definition(const struct lni_builtin *b, struct ln_buf *out)
{
	struct ln_json *parameters = NULL;
	struct ln_jw *w;
	enum ln_status s;

	if ((s = ln_json_parse(b->parameters, strlen(b->parameters), NULL,
	    &parameters, NULL)) != LN_OK)
		return s;
	w = ln_jw_new();
	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", "function");
	ln_jw_object(w, "function");
	ln_jw_string(w, "name", b->name);
	ln_jw_string(w, "description", b->description);
	ln_jw_node(w, "parameters", parameters);
	ln_jw_end(w);
	ln_jw_end(w);
	s = ln_jw_print(w, false, out);
	ln_jw_free(w);
	ln_json_free(parameters);
	return s;
}

enum ln_status
lni_tool_of_builtin(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct lni_builtin *b, struct ln_tool **out,
    struct ln_error *err)
{
	struct ln_buf definition = LN_BUF_INIT(LN_TOOL_DEFINITION_MAX);
	struct ln_tool *t;
	enum ln_status s;

	*out = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "built-in tool");
	t->kind = LN_TOOL_BUILTIN;
	t->is_available = b->is_offered == NULL || b->is_offered(cfg);
	if ((s = read_switches(st, user_id, b, &t->is_enabled, &t->asks_first,
	    err)) != LN_OK)
		goto out;
	t->id = strdup(b->name);
	t->name = strdup(b->name);
	t->description = strdup(b->description);
	if ((s = write_definition(b, &definition)) != LN_OK) {
		s = ln_fail(err, s, "", "definition of %s", b->name);
		goto out;
	}
	t->definition = ln_buf_steal(&definition);
	if (t->id == NULL || t->name == NULL || t->description == NULL ||
	    t->definition == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "built-in tool");
		goto out;
	}
	*out = t;
	t = NULL;
out:
	ln_tool_free(t);
	ln_buf_free(&definition);
	return s;
}

static const char *
word(bool value)
{
	return value ? "true" : "false";
}

/* A person's switch is there or not; what is not stricter is not stored. */
static enum ln_status
switch_own(struct ln_store *st, const char *user_id,
    const struct lni_builtin *b, const struct ln_tool_change *change,
    struct ln_error *err)
{
	bool is_enabled, asks_first;
	enum ln_status s;

	if ((s = read_switches(st, NULL, b, &is_enabled, &asks_first, err)) !=
	    LN_OK)
		return s;
	if (change->is_enabled != NULL && *change->is_enabled && !is_enabled)
		return ln_fail(err, LN_FORBIDDEN, "An administrator switched "
		    "this tool off", "%s", b->name);
	if (change->asks_first != NULL && !*change->asks_first && asks_first)
		return ln_fail(err, LN_FORBIDDEN, "An administrator wants this "
		    "tool to ask first", "%s", b->name);
	if (change->is_enabled != NULL && (s = switch_set(st, user_id, b->name,
	    ENABLED, *change->is_enabled ? NULL : "false", err)) != LN_OK)
		return s;
	if (change->asks_first != NULL)
		s = switch_set(st, user_id, b->name, ASKS_FIRST,
		    *change->asks_first ? "true" : NULL, err);
	return s;
}

enum ln_status
lni_tool_switch(struct ln_store *st, const char *user_id,
    const struct lni_builtin *b, const struct ln_tool_change *change,
    struct ln_error *err)
{
	enum ln_status s;

	if (user_id != NULL)
		return switch_own(st, user_id, b, change, err);
	if (change->is_enabled != NULL && (s = switch_set(st, NULL, b->name,
	    ENABLED, word(*change->is_enabled), err)) != LN_OK)
		return s;
	if (change->asks_first != NULL && (s = switch_set(st, NULL, b->name,
	    ASKS_FIRST, word(*change->asks_first), err)) != LN_OK)
		return s;
	return LN_OK;
}

#include "service/toolbox.h"

#include <stdlib.h>
#include <string.h>

#include <ln/json.h>
#include <ln/log.h>
#include <ln/schema.h>
#include <ln/text.h>
#include <ln/time.h>
#include <ln/tool.h>

#include "service/tool_def.h"
#include "service/tools/builtin.h"
#include "service/tools/http_tool.h"

#include "base/banned.h"

#define CUT_NOTE "\n[The result was longer; the rest is left out.]"
#define OFFERED_MAX 128		/* as OpenAI allows */

/* What stands behind one of the tools that the model is offered. */
struct slot {
	const struct lni_builtin *builtin;	/* or */
	struct ln_tool *tool;			/* the list's */
	char *name, *parameters;		/* of the tool */
	bool asks_first;
};

struct lni_toolbox {
	const struct ln_config *cfg;
	char *user_id;
	struct ln_tool_list list;
	size_t count;
	struct ln_llm_tool tools[OFFERED_MAX];	/* for the model */
	struct slot slots[OFFERED_MAX];		/* in the same order */
};

static const struct slot *
slot_find(const struct lni_toolbox *box, const char *name)
{
	size_t i;

	for (i = 0; i < box->count; i++) {
		if (strcmp(box->tools[i].name, name) == 0)
			return &box->slots[i];
	}
	return NULL;
}

static void
offer(struct lni_toolbox *box, const struct slot *slot, const char *name,
    const char *description, const char *parameters)
{
	box->slots[box->count] = *slot;
	box->tools[box->count].name = name;
	box->tools[box->count].description = description != NULL ?
	    description : "";
	box->tools[box->count].parameters = parameters;
	box->count++;
}

/* A definition may come from another program: one that cannot be read stays
 * out, and the first of a name is the one that is called. */
static enum ln_status
add_row(struct lni_toolbox *box, struct ln_tool *t, struct ln_error *err)
{
	struct ln_buf parameters = LN_BUF_INIT(LN_TOOL_DEFINITION_MAX * 2);
	struct slot slot = { 0 };
	struct ln_error why = LN_ERROR_INIT;
	struct lni_tool_def def;
	enum ln_status s;

	s = lni_tool_def_read(t->definition, &def, &why);
	if (s == LN_INVALID) {
		ln_log(LN_LOG_WARN, "tool.skip", "tool=%s why=%s", t->id,
		    why.text);
		s = LN_OK;
		goto out;
	}
	if (s != LN_OK) {
		s = ln_fail(err, s, "", "definition of a tool");
		goto out;
	}
	if (slot_find(box, def.name) != NULL ||
	    lni_builtin_find(def.name) != NULL)
		goto out;
	if ((s = lni_tool_def_parameters(&def, &parameters, err)) != LN_OK)
		goto out;
	slot.tool = t;
	slot.asks_first = t->asks_first;
	slot.name = strdup(def.name);
	slot.parameters = ln_buf_steal(&parameters);
	if (slot.name == NULL || slot.parameters == NULL) {
		free(slot.name);
		ln_free(slot.parameters);
		s = ln_fail(err, LN_NOMEM, "", "toolbox");
		goto out;
	}
	offer(box, &slot, slot.name, t->description, slot.parameters);
out:
	lni_tool_def_free(&def);
	ln_buf_free(&parameters);
	return s;
}

static enum ln_status
add(struct lni_toolbox *box, struct ln_tool *t, struct ln_error *err)
{
	struct slot slot = { 0 };

	if (!t->is_enabled || !t->is_available || box->count == OFFERED_MAX)
		return LN_OK;
	if (t->kind != LN_TOOL_BUILTIN)
		return add_row(box, t, err);
	slot.builtin = lni_builtin_find(t->name);
	slot.tool = t;
	slot.asks_first = t->asks_first;
	offer(box, &slot, slot.builtin->name, slot.builtin->description,
	    slot.builtin->parameters);
	return LN_OK;
}

enum ln_status
lni_toolbox_open(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, struct lni_toolbox **out, struct ln_error *err)
{
	struct lni_toolbox *box;
	enum ln_status s;
	size_t i;

	*out = NULL;
	if ((box = calloc(1, sizeof(*box))) == NULL ||
	    (box->user_id = strdup(user_id)) == NULL) {
		free(box);
		return ln_fail(err, LN_NOMEM, "", "toolbox");
	}
	box->cfg = cfg;
	s = ln_tool_list(st, cfg, user_id, &box->list, err);
	for (i = 0; s == LN_OK && i < box->list.count; i++)
		s = add(box, box->list.items[i], err);
	if (s != LN_OK) {
		lni_toolbox_free(box);
		return s;
	}
	*out = box;
	return LN_OK;
}

void
lni_toolbox_free(struct lni_toolbox *box)
{
	size_t i;

	if (box == NULL)
		return;
	for (i = 0; i < box->count; i++) {
		free(box->slots[i].name);
		ln_free(box->slots[i].parameters);
	}
	ln_tool_list_free(&box->list);
	free(box->user_id);
	free(box);
}

const struct ln_llm_tool *
lni_toolbox_tools(const struct lni_toolbox *box, size_t *count)
{
	*count = box->count;
	return box->tools;
}

bool
lni_toolbox_asks_first(const struct lni_toolbox *box, const char *name)
{
	const struct slot *slot = slot_find(box, name);

	return slot != NULL && slot->asks_first;
}

/* --- running -------------------------------------------------------------- */

static enum ln_status
read_arguments(const char *text, struct ln_json **out, struct ln_error *err)
{
	enum ln_status s;

	/* A function without parameters is called without arguments. */
	if (text == NULL || text[0] == '\0')
		text = "{}";
	s = ln_json_parse(text, strlen(text), NULL, out, err);
	if (s == LN_NOMEM)
		return s;
	if (s != LN_OK || ln_json_type(*out) != LN_JSON_OBJECT)
		return ln_fail(err, LN_INVALID, "The arguments of a tool are "
		    "one JSON object", "%zu bytes", strlen(text));
	return LN_OK;
}

static enum ln_status
check_arguments(const char *parameters, const struct ln_json *arguments,
    struct ln_buf *problem, struct ln_error *err)
{
	struct ln_schema *schema = NULL;
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_schema_parse(parameters, strlen(parameters), problem, &schema,
	    &why);
	if (s == LN_INVALID)
		s = ln_fail(err, s, "The definition of this tool has to be "
		    "corrected before it can be called", "%s",
		    ln_buf_str(problem));
	else if (s != LN_OK)
		s = ln_error_set(err, s, NULL, why.text, "schema of a tool");
	else if ((s = ln_schema_check(schema, arguments, problem, &why)) ==
	    LN_INVALID)
		s = ln_fail(err, s, "The arguments do not fit what the tool "
		    "takes", "%s", ln_buf_str(problem));
	else if (s != LN_OK)
		s = ln_error_set(err, s, NULL, why.text, "schema of a tool");
	ln_schema_free(schema);
	return s;
}

static enum ln_status
run_slot(const struct slot *slot, const struct lni_tool_run *run,
    struct ln_error *err)
{
	switch (slot->tool->kind) {
	case LN_TOOL_BUILTIN:
		return slot->builtin->run(run, err);
	case LN_TOOL_HTTP:
		return lni_tool_http_run(run, slot->tool->id,
		    slot->tool->user_id, slot->tool->definition, err);
	case LN_TOOL_BARE:
		break;
	}
	return ln_fail(err, LN_UNSUPPORTED, "This tool has no endpoint: it is "
	    "described to the model, but nothing can be called", "tool %s",
	    slot->tool->id);
}

/* At most LNI_TOOL_RESULT_MAX of ${from}, and a word when that is not all. */
static enum ln_status
pass_on(const struct ln_buf *from, struct ln_buf *result,
    struct ln_error *err)
{
	const size_t room = LNI_TOOL_RESULT_MAX - (sizeof(CUT_NOTE) - 1);
	const char *text = ln_buf_str(from);
	enum ln_status s;

	if (from->len <= LNI_TOOL_RESULT_MAX) {
		ln_buf_put(result, text, from->len);
	} else {
		ln_buf_put(result, text,
		    ln_utf8_prefix(text, from->len, room));
		ln_buf_puts(result, CUT_NOTE);
	}
	if ((s = ln_buf_status(result)) != LN_OK)
		return ln_fail(err, s, "", "result of a tool");
	return LN_OK;
}

enum ln_status
lni_toolbox_run(const struct lni_toolbox *box, struct ln_store *st,
    const char *name, const char *arguments, const atomic_bool *is_cancelled,
    struct ln_buf *result, struct ln_error *err)
{
	struct ln_buf raw = LN_BUF_INIT(LNI_TOOL_RAW_MAX);
	const struct slot *slot = slot_find(box, name);
	struct ln_json *parsed = NULL;
	struct lni_tool_run run = { 0 };
	enum ln_status s, passed;

	if (slot == NULL)
		return ln_fail(err, LN_NOT_FOUND,
		    "There is no tool of this name", "%.64s", name);
	if ((s = read_arguments(arguments, &parsed, err)) != LN_OK)
		goto out;
	run.st = st;
	run.cfg = box->cfg;
	run.user_id = box->user_id;
	run.arguments = parsed;
	run.is_cancelled = is_cancelled;
	run.deadline_ms = ln_time_mono_ms() + LNI_TOOL_TOTAL_MS;
	run.result = &raw;
	/* One that cannot be called does not check what it is called with. */
	if (slot->tool->kind != LN_TOOL_BARE)
		s = check_arguments(box->tools[slot - box->slots].parameters,
		    parsed, &raw, err);
	if (s == LN_OK)
		s = run_slot(slot, &run, err);
	/* What was said about a failure goes along, as far as there is room. */
	if ((passed = pass_on(&raw, result, s == LN_OK ? err : NULL)) !=
	    LN_OK && s == LN_OK)
		s = passed;
out:
	ln_json_free(parsed);
	ln_buf_free(&raw);
	return s;
}

#include "service/toolbox.h"

#include <stdlib.h>
#include <string.h>

#include <ln/json.h>
#include <ln/text.h>
#include <ln/time.h>

#include "service/tools/builtin.h"

#include "base/banned.h"

#define CUT_NOTE "\n[The result was longer; the rest is left out.]"

struct slot {
	const struct lni_builtin *builtin;
	bool asks_first;
};

struct lni_toolbox {
	const struct ln_config *cfg;
	char *user_id;
	size_t count;
	struct ln_llm_tool *tools;	/* for the model, as slots are */
	struct slot *slots;
};

static size_t
builtin_count(void)
{
	size_t n = 0;

	while (lni_builtins[n] != NULL)
		n++;
	return n;
}

static void
add_builtin(struct lni_toolbox *box, const struct lni_builtin *b)
{
	if (b->is_offered != NULL && !b->is_offered(box->cfg))
		return;
	box->tools[box->count].name = b->name;
	box->tools[box->count].description = b->description;
	box->tools[box->count].parameters = b->parameters;
	box->slots[box->count].builtin = b;
	box->slots[box->count].asks_first = b->asks_first;
	box->count++;
}

enum ln_status
lni_toolbox_open(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, struct lni_toolbox **out, struct ln_error *err)
{
	struct lni_toolbox *box;
	size_t n = builtin_count(), i;

	(void)st;
	*out = NULL;
	if ((box = calloc(1, sizeof(*box))) == NULL ||
	    (box->tools = calloc(n, sizeof(*box->tools))) == NULL ||
	    (box->slots = calloc(n, sizeof(*box->slots))) == NULL ||
	    (box->user_id = strdup(user_id)) == NULL) {
		lni_toolbox_free(box);
		return ln_fail(err, LN_NOMEM, "", "toolbox: %zu tools", n);
	}
	box->cfg = cfg;
	for (i = 0; i < n; i++)
		add_builtin(box, lni_builtins[i]);
	*out = box;
	return LN_OK;
}

void
lni_toolbox_free(struct lni_toolbox *box)
{
	if (box == NULL)
		return;
	free(box->tools);
	free(box->slots);
	free(box->user_id);
	free(box);
}

const struct ln_llm_tool *
lni_toolbox_tools(const struct lni_toolbox *box, size_t *count)
{
	*count = box->count;
	return box->tools;
}

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

bool
lni_toolbox_asks_first(const struct lni_toolbox *box, const char *name)
{
	const struct slot *slot = slot_find(box, name);

	return slot != NULL && slot->asks_first;
}

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

/* At most LNI_TOOL_RESULT_MAX of ${from}, and a word when that is not all. */
static enum ln_status
pass_on(const struct ln_buf *from, struct ln_buf *result,
    struct ln_error *err)
{
	const size_t room = LNI_TOOL_RESULT_MAX - sizeof(CUT_NOTE);
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
	enum ln_status s;

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
	s = slot->builtin->run(&run, err);
	if (s == LN_OK)
		s = pass_on(&raw, result, err);
out:
	ln_json_free(parsed);
	ln_buf_free(&raw);
	return s;
}

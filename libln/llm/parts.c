/* What several dialects share. */
#include "llm/codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#include "base/banned.h"

/* OpenRouter lists hundreds of models, each with its prices. */
#define MODELS_VALUES_MAX ((size_t)500000)

/* --- model lists --------------------------------------------------------- */

static enum ln_status
add_model(struct ln_model_list *l, const char *name,
    struct ln_error *err)
{
	char **grown;

	grown = realloc(l->names, (l->count + 1) * sizeof(*grown));
	if (grown != NULL) {
		l->names = grown;
		if ((grown[l->count] = strdup(name)) != NULL) {
			l->count++;
			return LN_OK;
		}
	}
	return ln_fail(err, LN_NOMEM, "", "model list");
}

void
ln_model_list_free(struct ln_model_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		free(l->names[i]);
	free(l->names);
	l->names = NULL;
	l->count = 0;
}

enum ln_status
lni_models_read(const char *body, size_t n, const char *member,
    const char *(*name_of)(const struct ln_json *entry),
    struct ln_model_list *out, struct ln_error *err)
{
	const struct ln_json_opts opts = {
		.size = sizeof(opts), .allow_duplicates = true,
		.values_max = MODELS_VALUES_MAX,
	};
	const struct ln_json *models, *m;
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	enum ln_status s;
	const char *name;

	s = ln_json_parse(body, n, &opts, &root, &why);
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "model list");
	models = ln_json_type(root) == LN_JSON_ARRAY ? root :
	    ln_json_get(root, member);
	if (ln_json_type(models) != LN_JSON_ARRAY) {
		ln_json_free(root);
		return ln_fail(err, LN_UPSTREAM, LNI_SAY_NOT_UNDERSTOOD,
		    "no list of models: %s", lni_error_detail(&why));
	}
	for (m = ln_json_first(models); s == LN_OK && m != NULL;
	    m = ln_json_next(m)) {
		if ((name = name_of(m)) != NULL)
			s = add_model(out, name, err);
	}
	ln_json_free(root);
	return s;
}

/* --- tools --------------------------------------------------------------- */

enum ln_status
lni_tools_write(struct ln_jw *w, const struct ln_llm_prompt *prompt,
    const char *member, bool is_wrapped, struct ln_error *err)
{
	const struct ln_llm_tool *t;
	struct ln_json *parameters;
	enum ln_status s;
	size_t i;

	for (i = 0; i < prompt->tool_count; i++) {
		t = &prompt->tools[i];
		if ((s = ln_json_parse(t->parameters, strlen(t->parameters),
		    NULL, &parameters, err)) != LN_OK)
			return s;
		ln_jw_object(w, NULL);
		if (is_wrapped) {
			ln_jw_string(w, "type", "function");
			ln_jw_object(w, "function");
		}
		ln_jw_string(w, "name", t->name);
		if (t->description != NULL)
			ln_jw_string(w, "description", t->description);
		ln_jw_node(w, member, parameters);
		if (is_wrapped)
			ln_jw_end(w);
		ln_jw_end(w);
		ln_json_free(parameters);
	}
	return LN_OK;
}

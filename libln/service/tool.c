#include "service/tool.h"

#include <stdlib.h>
#include <string.h>

#include <ln/audit.h>
#include <ln/buf.h>
#include <ln/http.h>
#include <ln/secret.h>
#include <ln/text.h>
#include <ln/time.h>

#include "model/tool.h"
#include "service/account.h"
#include "service/provider.h"
#include "service/tool_def.h"
#include "service/tool_switch.h"
#include "service/tools/builtin.h"
#include "store/tx.h"

#include "base/banned.h"

#define NOTE_MAX ((size_t)400)
#define NAME_SENTENCE "The name of a tool is 1 to 64 letters (A to Z), " \
	"digits, _ or -"

/* --- looking -------------------------------------------------------------- */

static void
find_kind(struct ln_tool *t)
{
	struct lni_tool_def def;

	if (lni_tool_def_read(t->definition, &def, NULL) == LN_OK &&
	    def.endpoint != NULL)
		t->kind = LN_TOOL_HTTP;
	lni_tool_def_free(&def);
}

enum ln_status
ln_tool_list(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, struct ln_tool_list *out, struct ln_error *err)
{
	struct ln_tool_list rows = { NULL, 0 };
	struct ln_tool *t;
	enum ln_status s = LN_OK;
	size_t i;

	*out = (struct ln_tool_list){ NULL, 0 };
	for (i = 0; lni_builtins[i] != NULL; i++) {
		if ((s = lni_tool_of_builtin(st, cfg, user_id, lni_builtins[i],
		    &t, err)) != LN_OK ||
		    (s = lni_tool_list_add(out, t, err)) != LN_OK)
			goto out;
	}
	if ((s = lni_tool_rows(st, user_id, &rows, err)) != LN_OK)
		goto out;
	for (i = 0; i < rows.count && s == LN_OK; i++) {
		t = rows.items[i];
		rows.items[i] = NULL;
		find_kind(t);
		s = lni_tool_list_add(out, t, err);
	}
out:
	ln_tool_list_free(&rows);
	if (s != LN_OK)
		ln_tool_list_free(out);
	return s;
}

enum ln_status
ln_tool_get(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const char *id, struct ln_tool **out,
    struct ln_error *err)
{
	const struct lni_builtin *b = lni_builtin_find(id);
	enum ln_status s;

	*out = NULL;
	if (b != NULL)
		return lni_tool_of_builtin(st, cfg, user_id, b, out, err);
	if ((s = lni_tool_row(st, user_id, id, out, err)) == LN_OK)
		find_kind(*out);
	return s;
}

/* --- writing -------------------------------------------------------------- */

enum ln_status
lni_tool_local(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, char **out, struct ln_error *err)
{
	*out = NULL;
	return user_id != NULL ? LN_OK :
	    lni_provider_allowed(st, cfg, out, err);
}

static enum ln_status
check_address(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct lni_tool_def *def,
    struct ln_buf *problem, struct ln_error *err)
{
	struct ln_buf url = LN_BUF_INIT(LNI_TOOL_URL_MAX * 2);
	struct ln_error why = LN_ERROR_INIT;
	char *allowed = NULL;
	bool may_be_local;
	enum ln_status s;

	if (def->endpoint == NULL)
		return LN_OK;
	if ((s = lni_tool_def_url(def, NULL, NULL, problem, &url, err)) !=
	    LN_OK ||
	    (s = lni_tool_local(st, cfg, user_id, &allowed, err)) != LN_OK)
		goto out;
	s = ln_url_check(ln_buf_str(&url), allowed, &may_be_local, &why);
	if (s == LN_INVALID) {
		if (problem != NULL)
			ln_buf_puts(problem, "/endpoint/url: is not an address "
			    "that this tool may call");
		s = ln_error_set(err, s, "definition", why.text,
		    "url of a tool");
	} else if (s != LN_OK) {
		s = ln_error_set(err, s, NULL, why.text, "url of a tool");
	}
out:
	ln_free(allowed);
	ln_buf_free(&url);
	return s;
}

/* NULL in ${change} keeps what is there; "" clears a description. */
static enum ln_status
set_words(struct ln_tool *t, const struct ln_tool_change *change,
    const struct lni_tool_def *def, struct ln_error *err)
{
	const char *name = t->name, *description = t->description;
	char *new_name, *new_description = NULL;

	if (change->definition != NULL) {
		name = def->name;
		description = def->description;
	}
	if (change->name != NULL)
		name = change->name;
	if (change->description != NULL)
		description = change->description;
	if (description != NULL && description[0] == '\0')
		description = NULL;
	if (!lni_tool_name_is_sane(name))
		return ln_fail_field(err, LN_INVALID, "name", NAME_SENTENCE,
		    "%zu bytes", strlen(name));
	if (lni_builtin_find(name) != NULL)
		return ln_fail_field(err, LN_CONFLICT, "name",
		    "A built-in tool has this name", "%s", name);
	if (description != NULL && (strlen(description) >
	    LN_TOOL_DESCRIPTION_MAX || !ln_utf8_valid(description,
	    strlen(description))))
		return ln_fail_field(err, LN_INVALID, "description",
		    "The description of a tool has at most 1024 bytes",
		    "%zu bytes", strlen(description));
	if ((new_name = strdup(name)) == NULL || (description != NULL &&
	    (new_description = strdup(description)) == NULL)) {
		free(new_name);
		return ln_fail(err, LN_NOMEM, "", "words of a tool");
	}
	free(t->name);
	free(t->description);
	t->name = new_name;
	t->description = new_description;
	return LN_OK;
}

/* Judge what ${change} makes of ${t} and write it there, definition in its
 * stored form and the values of headers in ${headers}. */
static enum ln_status
apply(struct ln_store *st, const struct ln_config *cfg, struct ln_tool *t,
    const struct ln_tool_change *change, struct ln_buf *headers,
    struct ln_error *err)
{
	struct ln_buf text = LN_BUF_INIT(LN_TOOL_DEFINITION_MAX);
	struct lni_tool_def def = { 0 };
	const char *definition;
	char *old = NULL;
	enum ln_status s;

	definition = change->definition != NULL ? change->definition :
	    t->definition;
	if (strlen(definition) > LN_TOOL_DEFINITION_MAX) {
		s = ln_fail_field(err, LN_TOO_LARGE, "definition",
		    "The definition of a tool has at most 64 KiB",
		    "%zu bytes", strlen(definition));
		goto out;
	}
	if ((s = lni_tool_def_read(definition, &def, err)) != LN_OK ||
	    (s = set_words(t, change, &def, err)) != LN_OK ||
	    (s = lni_tool_def_check(&def, change->problem, err)) != LN_OK ||
	    (s = check_address(st, cfg, t->user_id, &def, change->problem,
	    err)) != LN_OK ||
	    (s = lni_tool_def_write(&def, t->name, t->description, &text,
	    err)) != LN_OK)
		goto out;
	if (def.endpoint != NULL && t->id != NULL &&
	    (s = lni_tool_headers(st, t->id, &old, err)) == LN_BAD_KEY)
		s = LN_OK;	/* then all are to be given anew */
	if (s != LN_OK ||
	    (s = lni_tool_def_headers(&def, old, headers, err)) != LN_OK)
		goto out;
	t->kind = def.endpoint != NULL ? LN_TOOL_HTTP : LN_TOOL_BARE;
	if (change->asks_first != NULL)
		t->asks_first = *change->asks_first;
	else if (t->id == NULL)
		t->asks_first = def.endpoint != NULL &&
		    strcmp(def.method, "GET") != 0;
	if (change->is_enabled != NULL)
		t->is_enabled = *change->is_enabled;
	free(t->definition);
	if ((t->definition = ln_buf_steal(&text)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "definition of a tool");
out:
	ln_wipe_free(old);
	lni_tool_def_free(&def);
	ln_buf_free(&text);
	return s;
}

static enum ln_status
name_taken(enum ln_status s, struct ln_error *err)
{
	if (s != LN_CONFLICT)
		return s;
	return ln_fail_field(err, s, "name", "There is a tool of this name",
	    "name of a tool");
}

static enum ln_status
note(struct ln_store *st, const char *action, const struct ln_tool *t,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(NOTE_MAX);
	enum ln_status s;

	ln_buf_printf(&b, "tool=%.64s name=%.64s enabled=%d asks_first=%d",
	    t->id, t->name, t->is_enabled, t->asks_first);
	s = ln_audit_add(st, action, t->user_id, LN_OK, ln_buf_str(&b), err);
	ln_buf_free(&b);
	return s;
}

/* Give it away, or not. */
static enum ln_status
hand_out(enum ln_status s, struct ln_tool *t, struct ln_tool **out)
{
	if (s == LN_OK && out != NULL)
		*out = t;
	else
		ln_tool_free(t);
	return s;
}

static enum ln_status
check_room(struct ln_store *st, const char *user_id, struct ln_error *err)
{
	enum ln_status s;
	int64_t n;

	if ((s = lni_tool_row_count(st, user_id, &n, err)) == LN_OK &&
	    n >= LN_TOOL_COUNT_MAX)
		s = ln_fail(err, LN_TOO_LARGE, "There are 60 tools already. "
		    "Delete one first", "%lld tools", (long long)n);
	return s;
}

static enum ln_status
create(struct ln_store *st, const struct ln_config *cfg, const char *user_id,
    const struct ln_tool_change *change, struct ln_tool *t,
    struct ln_error *err)
{
	struct ln_buf headers = LN_BUF_SECRET_INIT(LN_TOOL_DEFINITION_MAX * 2);
	char id[LN_UUID_SIZE];
	enum ln_status s;

	if ((s = lni_account_may_act(st, user_id, user_id == NULL, err)) !=
	    LN_OK ||
	    (s = check_room(st, user_id, err)) != LN_OK)
		return s;
	if (change->definition == NULL)
		return ln_fail_field(err, LN_INVALID, "definition",
		    "A tool needs a definition", "no definition");
	t->is_enabled = t->is_available = true;
	t->created_ms = ln_time_now_ms();
	if (user_id != NULL && (t->user_id = strdup(user_id)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "owner of a tool");
	if ((s = apply(st, cfg, t, change, &headers, err)) != LN_OK)
		goto out;
	ln_uuid(id);
	if ((t->id = strdup(id)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "id of a tool");
		goto out;
	}
	if ((s = name_taken(lni_tool_row_add(st, t, err), err)) != LN_OK)
		goto out;
	if (headers.len > 0 && (s = lni_tool_headers_set(st, t->id,
	    ln_buf_str(&headers), err)) != LN_OK)
		goto out;
	s = note(st, "tool.add", t, err);
out:
	ln_buf_free(&headers);
	return s;
}

enum ln_status
ln_tool_create(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct ln_tool_change *change,
    struct ln_tool **out, struct ln_error *err)
{
	struct ln_tool *t;
	enum ln_status s;

	if (out != NULL)
		*out = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "tool");
	if ((s = lni_tx_begin(st, err)) == LN_OK) {
		s = create(st, cfg, user_id, change, t, err);
		s = lni_account_end(st, s, "tool.add", user_id, err);
	}
	return hand_out(s, t, out);
}

/* The row that ${user_id} may write under that id or name. */
static enum ln_status
get_own(struct ln_store *st, const char *user_id, const char *id,
    struct ln_tool **out, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tool_row(st, user_id, id, out, err)) != LN_OK)
		return s;
	if (user_id != NULL && (*out)->user_id == NULL) {
		ln_tool_free(*out);
		*out = NULL;
		return ln_fail(err, LN_FORBIDDEN,
		    "Only an administrator can change a tool of everybody",
		    "tool %.64s", id);
	}
	return LN_OK;
}

static bool
is_switch_only(const struct ln_tool_change *c)
{
	return c->name == NULL && c->description == NULL &&
	    c->definition == NULL;
}

static enum ln_status
update_builtin(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct lni_builtin *b,
    const struct ln_tool_change *change, struct ln_tool **out,
    struct ln_error *err)
{
	enum ln_status s;

	if (!is_switch_only(change))
		return ln_fail(err, LN_FORBIDDEN, "Of a built-in tool only the "
		    "two switches can change", "%s", b->name);
	if ((s = lni_tool_switch(st, user_id, b, change, err)) != LN_OK ||
	    (s = lni_tool_of_builtin(st, cfg, user_id, b, out, err)) != LN_OK)
		return s;
	/* Of a built-in tool the record names no owner; the audit log does. */
	if (user_id != NULL &&
	    ((*out)->user_id = strdup(user_id)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "tool");
	s = note(st, "tool.set", *out, err);
	free((*out)->user_id);
	(*out)->user_id = NULL;
	return s;
}

static enum ln_status
update_row(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const char *id, const struct ln_tool_change *change,
    struct ln_tool **out, struct ln_error *err)
{
	struct ln_buf headers = LN_BUF_SECRET_INIT(LN_TOOL_DEFINITION_MAX * 2);
	struct ln_tool *t;
	enum ln_status s;

	if ((s = get_own(st, user_id, id, out, err)) != LN_OK)
		return s;
	t = *out;
	/* Switching one off must work whatever is wrong with it. */
	if (is_switch_only(change) && (change->is_enabled == NULL ||
	    !*change->is_enabled)) {
		if (change->is_enabled != NULL)
			t->is_enabled = false;
		if (change->asks_first != NULL)
			t->asks_first = *change->asks_first;
		find_kind(t);
	} else {
		if ((s = apply(st, cfg, t, change, &headers, err)) != LN_OK)
			goto out;
		if ((s = lni_tool_headers_set(st, t->id, headers.len > 0 ?
		    ln_buf_str(&headers) : NULL, err)) != LN_OK)
			goto out;
	}
	if ((s = name_taken(lni_tool_row_set(st, t, err), err)) == LN_OK)
		s = note(st, "tool.set", t, err);
out:
	ln_buf_free(&headers);
	return s;
}

enum ln_status
ln_tool_update(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const char *id, const struct ln_tool_change *change,
    struct ln_tool **out, struct ln_error *err)
{
	const struct lni_builtin *b = lni_builtin_find(id);
	struct ln_tool *t = NULL;
	enum ln_status s;

	if (out != NULL)
		*out = NULL;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = lni_account_may_act(st, user_id, user_id == NULL, err);
	if (s == LN_OK)
		s = b != NULL ? update_builtin(st, cfg, user_id, b, change, &t,
		    err) : update_row(st, cfg, user_id, id, change, &t, err);
	s = lni_account_end(st, s, "tool.set", user_id, err);
	return hand_out(s, t, out);
}

static enum ln_status
delete_row(struct ln_store *st, const char *user_id, const char *id,
    struct ln_error *err)
{
	struct ln_tool *t = NULL;
	enum ln_status s;

	if ((s = lni_account_may_act(st, user_id, user_id == NULL, err)) !=
	    LN_OK)
		return s;
	if (lni_builtin_find(id) != NULL)
		return ln_fail(err, LN_FORBIDDEN, "A built-in tool can be "
		    "switched off, not deleted", "%s", id);
	if ((s = get_own(st, user_id, id, &t, err)) == LN_OK &&
	    (s = lni_tool_row_remove(st, t->id, err)) == LN_OK)
		s = note(st, "tool.delete", t, err);
	ln_tool_free(t);
	return s;
}

enum ln_status
ln_tool_delete(struct ln_store *st, const char *user_id, const char *id,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = delete_row(st, user_id, id, err);
	return lni_account_end(st, s, "tool.delete", user_id, err);
}

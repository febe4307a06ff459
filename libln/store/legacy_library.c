#include "store/legacy.h"

#include <stdio.h>
#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

#define TOOL_STEM_MAX 116	/* bytes; leaves room for "_" and a number */

static const char SQL_PROJECT[] =
    "SELECT created_ms FROM project WHERE id = ?1";
static const char SQL_UNASSIGNED[] =
    "INSERT INTO project (id, user_id, title, created_ms)"
    " VALUES (?1, ?2, ?3, ?4)";
static const char SQL_DOCUMENT[] =
    "INSERT INTO document (id, project_id, filename, content, created_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";
static const char SQL_PROMPT[] =
    "INSERT INTO prompt (id, user_id, title, content, created_ms)"
    " VALUES (?1, NULL, ?2, ?3, ?4)";
static const char SQL_USER[] = "SELECT 1 FROM user WHERE id = ?1";
static const char SQL_TOOL_NAME[] =
    "SELECT 1 FROM tool WHERE coalesce(user_id, '') = coalesce(?1, '')"
    " AND name = ?2";
static const char SQL_TOOL[] =
    "INSERT INTO tool (id, user_id, name, description, definition,"
    " is_enabled, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

static enum ln_status
find_row(struct lni_intake *im, const char *sql, const char *a,
    const char *b, bool *out_found, int64_t *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_found = false;
	if ((s = lni_stmt_get(&q, im->to, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, a);
	if (b != NULL)
		lni_bind_text(&q, 2, b);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		*out_found = true;
		*out = lni_col_int(&q, 0);
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* --- documents ------------------------------------------------------------ */

static enum ln_status
find_project(struct lni_intake *im, const struct lni_value *v,
    const char **out, int64_t *out_created, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	bool is_found = false;

	*out = v->text;
	if (v->text != NULL && (s = find_row(im, SQL_PROJECT, v->text, NULL,
	    &is_found, out_created, err)) != LN_OK)
		return s;
	if (is_found)
		return LN_OK;
	*out = NULL;
	lni_find(im->report, LNI_F_ORPHAN_DOCUMENT, "project_documents", 1);
	if (im->admin_id[0] == '\0')
		return LN_OK;	/* no_admin is reported already */
	*out = LNI_UNASSIGNED_ID;
	*out_created = im->fallback_ms;
	if ((s = find_row(im, SQL_PROJECT, *out, NULL, &is_found, out_created,
	    err)) != LN_OK || is_found)
		return s;
	if ((s = lni_stmt_get(&q, im->to, SQL_UNASSIGNED, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, *out);
	lni_bind_text(&q, 2, im->admin_id);
	lni_bind_text(&q, 3, LNI_UNASSIGNED_TITLE);
	lni_bind_int(&q, 4, im->fallback_ms);
	return lni_intake_put(im, &q, "projects", err);
}

static enum ln_status
take_document(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	const char *project;
	int64_t created = 0;
	char name[64];
	struct lni_stmt q;
	enum ln_status s;

	if ((s = find_project(im, &v[LNI_DOCUMENTS_PROJECT], &project,
	    &created, err)) != LN_OK || project == NULL)
		return s;
	if ((s = lni_stmt_get(&q, im->to, SQL_DOCUMENT, err)) != LN_OK)
		return s;
	snprintf(name, sizeof(name), "document-%lld",
	    (long long)v[LNI_DOCUMENTS_ID].number);
	lni_bind_value(&q, 1, &v[LNI_DOCUMENTS_ID]);
	lni_bind_text(&q, 2, project);
	lni_bind_text(&q, 3, lni_legacy_title(im, &v[LNI_DOCUMENTS_FILENAME],
	    name, "project_documents"));
	if (v[LNI_DOCUMENTS_CONTENT].is_null)
		lni_bind_text(&q, 4, "");
	else
		lni_bind_value(&q, 4, &v[LNI_DOCUMENTS_CONTENT]);
	lni_bind_int(&q, 5, created);
	return lni_intake_put(im, &q, "project_documents", err);
}

enum ln_status
lni_legacy_documents(struct lni_intake *im, struct ln_error *err)
{
	return lni_legacy_each(im, LNI_LEGACY_DOCUMENTS, take_document, err);
}

/* --- prompts and tools ---------------------------------------------------- */

static enum ln_status
take_prompt(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_PROMPT, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_PROMPTS_ID]);
	lni_bind_text(&q, 2, lni_legacy_title(im, &v[LNI_PROMPTS_TITLE],
	    LNI_UNTITLED, "prompts"));
	if (v[LNI_PROMPTS_CONTENT].is_null)
		lni_bind_text(&q, 3, "");
	else
		lni_bind_value(&q, 3, &v[LNI_PROMPTS_CONTENT]);
	lni_bind_int(&q, 4, im->fallback_ms);
	return lni_intake_put(im, &q, "prompts", err);
}

/* ${out} NULL: everybody's.  ${out_is_lost}: its owner is not there. */
static enum ln_status
tool_owner(struct lni_intake *im, const struct lni_value *v,
    const char **out, bool *out_is_lost, struct ln_error *err)
{
	enum ln_status s;
	int64_t unused;
	bool is_found = false;

	*out = NULL;
	*out_is_lost = false;
	/* The legacy column defaults to 1. */
	if (v[LNI_TOOLS_GLOBAL].is_null || v[LNI_TOOLS_GLOBAL].number != 0)
		return LN_OK;
	if (v[LNI_TOOLS_USER].text != NULL &&
	    (s = find_row(im, SQL_USER, v[LNI_TOOLS_USER].text, NULL,
	    &is_found, &unused, err)) != LN_OK)
		return s;
	*out_is_lost = !is_found;
	*out = is_found ? v[LNI_TOOLS_USER].text : im->admin_id;
	if (!is_found)
		lni_find(im->report, LNI_F_UNOWNED_TOOL,
		    v[LNI_TOOLS_NAME].text, 1);
	return LN_OK;
}

/* The name it gets in ${out}: numbered when its owner has one of that name. */
static enum ln_status
tool_name(struct lni_intake *im, const char *owner, const char *name,
    char *out, size_t outsize, struct ln_error *err)
{
	enum ln_status s;
	bool is_taken;
	int64_t unused;
	int n;

	snprintf(out, outsize, "%s", name);
	for (n = 2;; n++) {
		if ((s = find_row(im, SQL_TOOL_NAME, owner, out, &is_taken,
		    &unused, err)) != LN_OK)
			return s;
		if (!is_taken)
			break;
		snprintf(out, outsize, "%.*s_%d", (int)ln_utf8_prefix(name,
		    strlen(name), TOOL_STEM_MAX), name, n);
	}
	if (n > 2)
		lni_find(im->report, LNI_F_TOOL_RENAMED, name, 1);
	return LN_OK;
}

static enum ln_status
take_tool(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	const char *owner, *definition;
	char name[LNI_ID_SIZE * 2];
	bool is_lost, is_enabled;
	struct lni_stmt q;
	enum ln_status s;

	if (v[LNI_TOOLS_ID].is_null || v[LNI_TOOLS_NAME].len == 0) {
		lni_find(im->report, LNI_F_MISSING_VALUE, "tools", 1);
		return LN_OK;
	}
	if ((s = tool_owner(im, v, &owner, &is_lost, err)) != LN_OK)
		return s;
	if (owner != NULL && owner[0] == '\0')
		return LN_OK;	/* no_admin is reported already */
	definition = v[LNI_TOOLS_DEFINITION].text != NULL ?
	    v[LNI_TOOLS_DEFINITION].text : "";
	is_enabled = !is_lost && (v[LNI_TOOLS_ENABLED].is_null ||
	    v[LNI_TOOLS_ENABLED].number != 0);
	if (im->rules->tool_is_builtin(v[LNI_TOOLS_NAME].text) ||
	    !lni_tool_is_sane(v[LNI_TOOLS_NAME].text, definition)) {
		is_enabled = false;
		lni_find(im->report, LNI_F_TOOL_DISABLED,
		    v[LNI_TOOLS_NAME].text, 1);
	}
	if ((s = tool_name(im, owner, v[LNI_TOOLS_NAME].text, name,
	    sizeof(name), err)) != LN_OK ||
	    (s = lni_stmt_get(&q, im->to, SQL_TOOL, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_TOOLS_ID]);
	lni_bind_text(&q, 2, owner);
	lni_bind_text(&q, 3, name);
	lni_bind_filled(&q, 4, &v[LNI_TOOLS_DESCRIPTION]);
	lni_bind_text(&q, 5, definition);
	lni_bind_int(&q, 6, is_enabled);
	lni_bind_int(&q, 7, lni_legacy_time(im, &v[LNI_TOOLS_CREATED],
	    "tools"));
	return lni_intake_put(im, &q, "tools", err);
}

enum ln_status
lni_legacy_library(struct lni_intake *im, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_legacy_each(im, LNI_LEGACY_PROMPTS, take_prompt, err)) !=
	    LN_OK)
		return s;
	return lni_legacy_each(im, LNI_LEGACY_TOOLS, take_tool, err);
}

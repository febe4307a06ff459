#include "store/legacy.h"

#include <stdio.h>
#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

#define NEW_CHAT "New chat"	/* as ln_conversation_create names one */
#define COPY_STEM_MAX 52	/* bytes; leaves room for "-" and a number */

static const char SQL_NOTE[] =
    "INSERT OR IGNORE INTO main.import_session (n, id, owner, forked_from,"
    " group_id, project_id) VALUES (?1, ?2,"
    " (SELECT id FROM user WHERE id = ?3), ?4, ?5, ?6)";
/* Each has one parent, so each is reached once: no circle can hold it up.
 * Begins with the heirs, not with all owners: usually there are few. */
static const char SQL_INHERIT[] =
    "WITH RECURSIVE heir (n, owner) AS ("
    " SELECT c.n, p.owner FROM main.import_session c"
    "  JOIN main.import_session p ON p.id = c.forked_from"
    "  WHERE c.owner IS NULL AND p.owner IS NOT NULL"
    " UNION ALL SELECT c.n, h.owner FROM heir h"
    "  JOIN main.import_session p ON p.n = h.n"
    "  JOIN main.import_session c ON c.forked_from = p.id"
    "  WHERE c.owner IS NULL)"
    " INSERT OR REPLACE INTO main.import_session"
    " SELECT s.n, s.id, h.owner, s.forked_from, s.group_id, s.project_id"
    " FROM heir h JOIN main.import_session s ON s.n = h.n";
static const char SQL_ADOPT[] =
    "UPDATE main.import_session SET owner = ?1 WHERE owner IS NULL";
static const char SQL_PROJECT_USER[] =
    "SELECT owner FROM main.import_session WHERE project_id = ?1"
    " AND owner IS NOT NULL ORDER BY n LIMIT 1";
static const char SQL_USER[] = "SELECT id FROM user WHERE id = ?1";
static const char SQL_GROUP_OWNERS[] =
    "SELECT owner FROM main.import_session WHERE group_id = ?1"
    " AND owner IS NOT NULL GROUP BY owner ORDER BY min(n)";
static const char SQL_NOTE_GROUP[] =
    "INSERT OR IGNORE INTO main.import_group (id, owner, new_id)"
    " VALUES (?1, ?2, ?3)";
static const char SQL_HAS_GROUP[] =
    "SELECT 1 FROM conversation_group WHERE id = ?1";
static const char SQL_INSERT_GROUP[] =
    "INSERT INTO conversation_group (id, user_id, title, position,"
    " created_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
static const char SQL_INSERT_PROJECT[] =
    "INSERT INTO project (id, user_id, title, description, created_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";
static const char SQL_OWNER[] =
    "SELECT owner, (SELECT g.new_id FROM main.import_group g"
    "  WHERE g.id = s.group_id AND g.owner = s.owner)"
    " FROM main.import_session s WHERE s.id = ?1";
static const char SQL_HAS_PROJECT[] =
    "SELECT 1 FROM project WHERE id = ?1 AND user_id = ?2";
static const char SQL_INSERT_CONVERSATION[] =
    "INSERT INTO conversation (id, user_id, title, model, system_prompt,"
    " project_id, group_id, forked_from, archived_ms, pinned_ms,"
    " total_tokens, created_ms, updated_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)";

/* --- who owns what -------------------------------------------------------- */

static enum ln_status
note_sessions(struct lni_intake *im, struct ln_error *err)
{
	struct lni_scan sc;
	struct lni_stmt q;
	enum ln_status s;
	int64_t n = 0;

	if ((s = lni_scan_open(&sc, im->from, LNI_LEGACY_SESSIONS, err)) !=
	    LN_OK)
		return s;
	sc.is_quiet = true;
	while ((s = lni_scan_next(&sc, err)) == LN_OK) {
		if (sc.v[LNI_SESSIONS_ID].is_null)
			continue;
		if ((s = lni_stmt_get(&q, im->to, SQL_NOTE, err)) != LN_OK)
			break;
		lni_bind_int(&q, 1, ++n);
		lni_bind_value(&q, 2, &sc.v[LNI_SESSIONS_ID]);
		lni_bind_value(&q, 3, &sc.v[LNI_SESSIONS_USER]);
		lni_bind_value(&q, 4, &sc.v[LNI_SESSIONS_FORKED]);
		lni_bind_value(&q, 5, &sc.v[LNI_SESSIONS_GROUP]);
		lni_bind_value(&q, 6, &sc.v[LNI_SESSIONS_PROJECT]);
		s = lni_stmt_done(&q, err);
		lni_stmt_put(&q);
		if (s != LN_OK)
			break;
	}
	lni_scan_close(&sc);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_legacy_owners(struct lni_intake *im, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = note_sessions(im, err)) != LN_OK ||
	    (s = lni_exec(im->to, SQL_INHERIT, err)) != LN_OK)
		return s;
	if (lni_changes(im->to) > 0)
		lni_find(im->report, LNI_F_UNOWNED_FORK, "sessions",
		    lni_changes(im->to));
	if (im->admin_id[0] == '\0')
		return LN_OK;
	if ((s = lni_stmt_get(&q, im->to, SQL_ADOPT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, im->admin_id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK && lni_changes(im->to) > 0)
		lni_find(im->report, LNI_F_UNOWNED_CONVERSATION, "sessions",
		    lni_changes(im->to));
	return s;
}

/* The first text of ${sql} for ${key}, or ${out} stays empty. */
static enum ln_status
look_up(struct lni_intake *im, const char *sql, const struct lni_value *key,
    char out[LNI_ID_SIZE], struct ln_error *err)
{
	const char *text;
	struct lni_stmt q;
	enum ln_status s;

	out[0] = '\0';
	if (key->text == NULL)
		return LN_OK;
	if ((s = lni_stmt_get(&q, im->to, sql, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, key);
	if ((s = lni_stmt_row(&q, err)) == LN_OK &&
	    (text = lni_col_text(&q, 0)) != NULL && strlen(text) < LNI_ID_SIZE)
		memcpy(out, text, strlen(text) + 1);
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* --- projects ------------------------------------------------------------- */

static enum ln_status
take_project(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	char owner[LNI_ID_SIZE];
	struct lni_stmt q;
	enum ln_status s;

	if (v[LNI_PROJECTS_ID].is_null) {
		lni_find(im->report, LNI_F_MISSING_VALUE, "projects", 1);
		return LN_OK;
	}
	if ((s = look_up(im, SQL_USER, &v[LNI_PROJECTS_USER], owner, err)) !=
	    LN_OK)
		return s;
	if (owner[0] == '\0') {
		lni_find(im->report, LNI_F_UNOWNED_PROJECT, "projects", 1);
		if ((s = look_up(im, SQL_PROJECT_USER, &v[LNI_PROJECTS_ID],
		    owner, err)) != LN_OK)
			return s;
	}
	if (owner[0] == '\0')
		memcpy(owner, im->admin_id, sizeof(owner));
	if (owner[0] == '\0')
		return LN_OK;	/* no_admin is reported already */
	if ((s = lni_stmt_get(&q, im->to, SQL_INSERT_PROJECT, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_PROJECTS_ID]);
	lni_bind_text(&q, 2, owner);
	lni_bind_text(&q, 3, lni_legacy_title(im, &v[LNI_PROJECTS_TITLE], LNI_UNTITLED,
	    "projects"));
	lni_bind_filled(&q, 4, &v[LNI_PROJECTS_DESCRIPTION]);
	lni_bind_int(&q, 5, lni_legacy_time(im, &v[LNI_PROJECTS_CREATED],
	    "projects"));
	return lni_intake_put(im, &q, "projects", err);
}

/* --- groups --------------------------------------------------------------- */

static enum ln_status
group_exists(struct lni_intake *im, const char *id, bool *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_HAS_GROUP, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	*out = s == LN_OK;
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* A copy's id follows from the file alone, so that importing twice gives the
 * same.  The first owner (${nth} 1) keeps the id. */
static enum ln_status
copy_id(struct lni_intake *im, const char *id, int64_t nth,
    char out[LNI_ID_SIZE], struct ln_error *err)
{
	size_t n = strlen(id);
	enum ln_status s;
	bool exists = true;

	if (nth == 1) {
		snprintf(out, LNI_ID_SIZE, "%s", id);
		return LN_OK;
	}
	if (n > COPY_STEM_MAX)
		n = ln_utf8_prefix(id, n, COPY_STEM_MAX);
	for (; exists; nth++) {
		snprintf(out, LNI_ID_SIZE, "%.*s-%lld", (int)n, id,
		    (long long)nth);
		if ((s = group_exists(im, out, &exists, err)) != LN_OK)
			return s;
	}
	return LN_OK;
}

static enum ln_status
insert_group(struct lni_intake *im, const struct lni_value *v,
    const char *owner, int64_t nth, struct ln_error *err)
{
	char id[LNI_ID_SIZE];
	struct lni_stmt q;
	enum ln_status s;

	if ((s = copy_id(im, v[LNI_GROUPS_ID].text, nth, id, err)) != LN_OK ||
	    (s = lni_stmt_get(&q, im->to, SQL_NOTE_GROUP, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_GROUPS_ID]);
	lni_bind_text(&q, 2, owner);
	lni_bind_text(&q, 3, id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK ||
	    (s = lni_stmt_get(&q, im->to, SQL_INSERT_GROUP, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, owner);
	lni_bind_text(&q, 3, v[LNI_GROUPS_TITLE].len > 0 ?
	    v[LNI_GROUPS_TITLE].text : LNI_UNTITLED);
	lni_bind_int(&q, 4, v[LNI_GROUPS_ORDER].number);
	lni_bind_int(&q, 5, im->fallback_ms);
	return lni_intake_put(im, &q, "groups", err);
}

static enum ln_status
take_group(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	char owner[LNI_ID_SIZE];
	const char *text;
	struct lni_stmt q;
	enum ln_status s;
	int64_t n = 0;

	if (v[LNI_GROUPS_ID].is_null) {
		lni_find(im->report, LNI_F_MISSING_VALUE, "groups", 1);
		return LN_OK;
	}
	if (v[LNI_GROUPS_TITLE].len == 0)
		lni_find(im->report, LNI_F_MISSING_TITLE, "groups", 1);
	if ((s = lni_stmt_get(&q, im->to, SQL_GROUP_OWNERS, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_GROUPS_ID]);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((text = lni_col_text(&q, 0)) == NULL ||
		    strlen(text) >= sizeof(owner))
			continue;
		memcpy(owner, text, strlen(text) + 1);
		if ((s = insert_group(im, v, owner, ++n, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	if (s != LN_NOT_FOUND)
		return s;
	if (n > 1)
		lni_find(im->report, LNI_F_GROUP_COPIED, "groups", n - 1);
	if (n > 0 || im->admin_id[0] == '\0')
		return LN_OK;
	lni_find(im->report, LNI_F_UNOWNED_GROUP, "groups", 1);
	return insert_group(im, v, im->admin_id, 1, err);
}

/* --- conversations -------------------------------------------------------- */

static enum ln_status
check_project(struct lni_intake *im, const struct lni_value *project,
    const char *owner, bool *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = false;
	if (project->text == NULL)
		return LN_OK;
	if ((s = lni_stmt_get(&q, im->to, SQL_HAS_PROJECT, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, project);
	lni_bind_text(&q, 2, owner);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	*out = s == LN_OK;
	if (s != LN_NOT_FOUND)
		return s;
	lni_find(im->report, LNI_F_WRONG_PROJECT, "sessions", 1);
	return LN_OK;
}

static int64_t
count_of(struct lni_intake *im, const struct lni_value *v)
{
	if (v->number >= 0)
		return v->number;
	lni_find(im->report, LNI_F_NEGATIVE_COUNT, "sessions", 1);
	return 0;
}

static enum ln_status
insert_conversation(struct lni_intake *im, const struct lni_value *v,
    const char *owner, const char *group, struct ln_error *err)
{
	int64_t created = lni_legacy_time(im, &v[LNI_SESSIONS_TIME], "sessions");
	struct lni_stmt q;
	enum ln_status s;
	bool has_project;

	if ((s = check_project(im, &v[LNI_SESSIONS_PROJECT], owner,
	    &has_project, err)) != LN_OK)
		return s;
	if (group[0] == '\0' && v[LNI_SESSIONS_GROUP].text != NULL)
		lni_find(im->report, LNI_F_WRONG_GROUP, "sessions", 1);
	if ((s = lni_stmt_get(&q, im->to, SQL_INSERT_CONVERSATION, err)) !=
	    LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_SESSIONS_ID]);
	lni_bind_text(&q, 2, owner);
	lni_bind_text(&q, 3, lni_legacy_title(im, &v[LNI_SESSIONS_TITLE], NEW_CHAT,
	    "sessions"));
	lni_bind_filled(&q, 4, &v[LNI_SESSIONS_MODEL]);
	lni_bind_filled(&q, 5, &v[LNI_SESSIONS_PROMPT]);
	if (has_project)
		lni_bind_value(&q, 6, &v[LNI_SESSIONS_PROJECT]);
	else
		lni_bind_null(&q, 6);
	lni_bind_text(&q, 7, group[0] != '\0' ? group : NULL);
	lni_bind_value(&q, 8, &v[LNI_SESSIONS_FORKED]);
	lni_bind_opt_int(&q, 9, v[LNI_SESSIONS_ARCHIVED].number != 0 ?
	    created : 0);
	lni_bind_opt_int(&q, 10, v[LNI_SESSIONS_PINNED].number != 0 ?
	    created : 0);
	lni_bind_int(&q, 11, count_of(im, &v[LNI_SESSIONS_TOKENS]));
	lni_bind_int(&q, 12, created);
	return lni_intake_put(im, &q, "sessions", err);
}

static enum ln_status
take_conversation(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	char owner[LNI_ID_SIZE] = "", group[LNI_ID_SIZE] = "";
	const char *text;
	struct lni_stmt q;
	enum ln_status s;

	if (v[LNI_SESSIONS_ID].is_null) {
		lni_find(im->report, LNI_F_MISSING_VALUE, "sessions", 1);
		return LN_OK;
	}
	if ((s = lni_stmt_get(&q, im->to, SQL_OWNER, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_SESSIONS_ID]);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((text = lni_col_text(&q, 0)) != NULL)
			snprintf(owner, sizeof(owner), "%s", text);
		if ((text = lni_col_text(&q, 1)) != NULL)
			snprintf(group, sizeof(group), "%s", text);
	}
	lni_stmt_put(&q);
	if (s != LN_OK && s != LN_NOT_FOUND)
		return s;
	if (owner[0] == '\0')
		return LN_OK;	/* no_admin is reported already */
	return insert_conversation(im, v, owner, group, err);
}

enum ln_status
lni_legacy_projects(struct lni_intake *im, struct ln_error *err)
{
	return lni_legacy_each(im, LNI_LEGACY_PROJECTS, take_project, err);
}

enum ln_status
lni_legacy_groups(struct lni_intake *im, struct ln_error *err)
{
	return lni_legacy_each(im, LNI_LEGACY_GROUPS, take_group, err);
}

enum ln_status
lni_legacy_conversations(struct lni_intake *im, struct ln_error *err)
{
	return lni_legacy_each(im, LNI_LEGACY_SESSIONS, take_conversation, err);
}

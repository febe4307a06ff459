#include "store/intake.h"

#include <string.h>

#include "store/legacy.h"
#include "store/ours.h"

#include "base/banned.h"

#define WATCH_STEPS 10000	/* virtual machine steps between two looks */

static const char SQL_WRONG_PROJECT[] =
    "UPDATE conversation SET project_id = NULL WHERE project_id IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM project p"
    "  WHERE p.id = conversation.project_id"
    "  AND p.user_id = conversation.user_id)";
static const char SQL_WRONG_GROUP[] =
    "UPDATE conversation SET group_id = NULL WHERE group_id IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM conversation_group g"
    "  WHERE g.id = conversation.group_id"
    "  AND g.user_id = conversation.user_id)";
static const char SQL_COUNTS[] =
    "SELECT (SELECT count(*) FROM user),"
    " (SELECT count(*) FROM user WHERE role = 'admin'),"
    " (SELECT count(*) FROM conversation), (SELECT count(*) FROM message),"
    " (SELECT count(*) FROM message_image),"
    " (SELECT count(*) FROM conversation_tag),"
    " (SELECT count(*) FROM conversation_group),"
    " (SELECT count(*) FROM project), (SELECT count(*) FROM document),"
    " (SELECT count(*) FROM prompt), (SELECT count(*) FROM tool),"
    " (SELECT count(*) FROM setting), (SELECT count(*) FROM user_setting),"
    " (SELECT count(*) FROM user_picture)";

enum ln_status
lni_intake_put(struct lni_intake *im, struct lni_stmt *q, const char *table,
    struct ln_error *err)
{
	struct ln_error why = LN_ERROR_INIT;
	enum lni_finding f;
	enum ln_status s;

	s = lni_stmt_done(q, &why);
	lni_stmt_put(q);
	if (s == LN_CONFLICT) {
		f = LNI_F_DUPLICATE_KEY;
	} else if (s == LN_INVALID) {
		f = LNI_F_OUT_OF_RANGE;
	} else if (s == LN_NOT_FOUND) {
		f = LNI_F_ORPHAN_ROWS;
	} else {
		if (s != LN_OK && err != NULL)
			*err = why;
		return s;
	}
	lni_find(im->report, f, table, 1);
	return LN_OK;
}

void
lni_bind_value(struct lni_stmt *q, int i, const struct lni_value *v)
{
	if (v->is_null)
		lni_bind_null(q, i);
	else if (v->text != NULL)
		lni_bind_textn(q, i, v->text, v->len);
	else
		lni_bind_int(q, i, v->number);
}

void
lni_bind_filled(struct lni_stmt *q, int i, const struct lni_value *v)
{
	if (v->text == NULL || v->len == 0)
		lni_bind_null(q, i);
	else
		lni_bind_textn(q, i, v->text, v->len);
}

static enum ln_status
clear_links(struct lni_intake *im, const char *sql, enum lni_finding f,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_exec(im->to, sql, err)) == LN_OK &&
	    lni_changes(im->to) > 0)
		lni_find(im->report, f, "conversation", lni_changes(im->to));
	return s;
}

static enum ln_status
take(struct lni_intake *im, struct ln_error *err)
{
	enum ln_status s;

	im->fallback_ms = im->from->changed_ms > 0 ? im->from->changed_ms : 1;
	if (im->report->kind == LN_REPORT_OURS)
		s = lni_ours_take(im, err);
	else
		s = lni_legacy_take(im, err);
	/* Nothing of one person may hang on a thing of another. */
	if (s != LN_OK || (s = clear_links(im, SQL_WRONG_PROJECT,
	    LNI_F_WRONG_PROJECT, err)) != LN_OK)
		return s;
	return clear_links(im, SQL_WRONG_GROUP, LNI_F_WRONG_GROUP, err);
}

enum ln_status
lni_intake_run(struct lni_intake *im, struct ln_error *err)
{
	sqlite3 *db = lni_store_db(im->to);
	enum ln_status s;

	if ((s = lni_tx_begin(im->to, err)) != LN_OK)
		return s;
	/* Work of ours, but its amount is the file's choice. */
	sqlite3_progress_handler(db, WATCH_STEPS, lni_foreign_interrupt,
	    im->from);
	s = take(im, err);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	s = lni_tx_end(im->to, s, err);
	if (s != LN_CANCELLED || im->from->is_cancelled)
		return s;
	lni_find(im->report, im->from->is_fat ? LNI_F_TOO_MUCH_MEMORY :
	    LNI_F_TOO_SLOW, NULL, 1);
	return LN_OK;
}

static void
count_legacy(struct lni_intake *im)
{
	const int64_t *held = im->from->held;
	struct ln_report *r = im->report;

	r->counts.users = held[LNI_LEGACY_USERS];
	r->counts.conversations = held[LNI_LEGACY_SESSIONS];
	r->counts.messages = held[LNI_LEGACY_MESSAGES];
	r->counts.tags = held[LNI_LEGACY_TAGS];
	r->counts.groups = held[LNI_LEGACY_GROUPS];
	r->counts.projects = held[LNI_LEGACY_PROJECTS];
	r->counts.documents = held[LNI_LEGACY_DOCUMENTS];
	r->counts.prompts = held[LNI_LEGACY_PROMPTS];
	r->counts.tools = held[LNI_LEGACY_TOOLS];
	r->counts.settings = held[LNI_LEGACY_SETTINGS];
	r->counts.user_settings = held[LNI_LEGACY_USER_SETTINGS];
}

static void
count_ours(struct lni_intake *im)
{
	const int64_t *held = im->from->held;
	struct ln_report *r = im->report;

	r->counts.users = held[LNI_OUR_USER];
	r->counts.conversations = held[LNI_OUR_CONVERSATION];
	r->counts.messages = held[LNI_OUR_MESSAGE];
	r->counts.tags = held[LNI_OUR_TAG];
	r->counts.groups = held[LNI_OUR_GROUP];
	r->counts.projects = held[LNI_OUR_PROJECT];
	r->counts.documents = held[LNI_OUR_DOCUMENT];
	r->counts.prompts = held[LNI_OUR_PROMPT];
	r->counts.tools = held[LNI_OUR_TOOL];
	r->counts.settings = held[LNI_OUR_SETTING];
	r->counts.user_settings = held[LNI_OUR_USER_SETTING];
}

void
lni_intake_count_held(struct lni_intake *im)
{
	int64_t admins = im->report->counts.admins;
	int64_t audit = im->held_audit;

	memset(&im->report->counts, 0, sizeof(im->report->counts));
	if (im->report->kind == LN_REPORT_OURS)
		count_ours(im);
	else
		count_legacy(im);
	im->report->counts.admins = admins;
	im->report->counts.audit = audit;
	im->report->counts.images = im->held_images;
	im->report->counts.pictures = im->held_pictures;
}

enum ln_status
lni_intake_count_arrived(struct ln_store *to, struct ln_report *report,
    struct ln_error *err)
{
	int64_t *const counts[] = { &report->counts.users,
		&report->counts.admins, &report->counts.conversations,
		&report->counts.messages, &report->counts.images,
		&report->counts.tags, &report->counts.groups,
		&report->counts.projects, &report->counts.documents,
		&report->counts.prompts, &report->counts.tools,
		&report->counts.settings, &report->counts.user_settings,
		&report->counts.pictures };
	struct lni_stmt q;
	enum ln_status s;
	size_t i;

	memset(&report->counts, 0, sizeof(report->counts));
	if ((s = lni_stmt_get(&q, to, SQL_COUNTS, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			*counts[i] = lni_col_int(&q, (int)i);
	}
	lni_stmt_put(&q);
	return s;
}

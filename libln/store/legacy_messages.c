#include "store/legacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/text.h>

#include "store/search.h"

#include "base/banned.h"

static const char SQL_CONVERSATION[] =
    "SELECT created_ms FROM conversation WHERE id = ?1";
static const char SQL_UNASSIGNED[] =
    "INSERT INTO conversation (id, user_id, title, created_ms, updated_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?4)";
static const char SQL_INSERT[] =
    "INSERT INTO message (id, conversation_id, role, content, pinned_ms,"
    " created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char SQL_IMAGES[] =
    "INSERT INTO message_image (message_id, images) VALUES (?1, ?2)";
/* The legacy time is that of creation; a fork's messages are older than it. */
static const char SQL_TOUCH[] =
    "UPDATE conversation SET updated_ms = max(created_ms,"
    " coalesce((SELECT max(m.created_ms) FROM message m"
    "  WHERE m.conversation_id = conversation.id), created_ms))";
static const char SQL_SAME_IMAGES[] =
    "SELECT 1 FROM message m JOIN message_image i ON i.message_id = m.id"
    " WHERE m.conversation_id = ?1 AND i.images = ?2 LIMIT 1";
static const char SQL_FREE_MESSAGE[] =
    "SELECT m.id FROM message m LEFT JOIN message_image i"
    "  ON i.message_id = m.id"
    " WHERE m.conversation_id = ?1 AND i.message_id IS NULL"
    " ORDER BY m.role <> 'user', m.id LIMIT 1";
static const char SQL_EMPTY_MESSAGE[] =
    "INSERT INTO message (conversation_id, role, content, created_ms)"
    " SELECT id, 'user', '', created_ms FROM conversation WHERE id = ?1";
static const char SQL_TAG[] =
    "INSERT OR IGNORE INTO conversation_tag (conversation_id, tag)"
    " VALUES (?1, ?2)";

/* --- messages ------------------------------------------------------------- */

static enum ln_status
find_conversation(struct lni_intake *im, const char *id, bool *out_found,
    int64_t *out_created, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_found = false;
	if (id == NULL)
		return LN_OK;
	if ((s = lni_stmt_get(&q, im->to, SQL_CONVERSATION, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		*out_found = true;
		*out_created = lni_col_int(&q, 0);
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* The conversation for messages of none, made when it is first needed. */
static enum ln_status
unassigned(struct lni_intake *im, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_UNASSIGNED, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, LNI_UNASSIGNED_ID);
	lni_bind_text(&q, 2, im->admin_id);
	lni_bind_text(&q, 3, LNI_UNASSIGNED_TITLE);
	lni_bind_int(&q, 4, im->fallback_ms);
	return lni_intake_put(im, &q, "sessions", err);
}

static bool
is_blank(const struct lni_value *v)
{
	return v->text == NULL || strspn(v->text, " \t\r\n") == v->len;
}

/* Where the message goes; ${out} NULL: nowhere. */
static enum ln_status
find_home(struct lni_intake *im, const struct lni_value *v, bool has_images,
    const char **out, int64_t *out_created, struct ln_error *err)
{
	const char *id = v[LNI_MESSAGES_SESSION].text;
	enum ln_status s;
	bool is_found;

	*out = NULL;
	if ((s = find_conversation(im, id, &is_found, out_created, err)) !=
	    LN_OK)
		return s;
	if (is_found) {
		*out = id;
		return LN_OK;
	}
	if (is_blank(&v[LNI_MESSAGES_CONTENT]) && !has_images) {
		lni_find(im->report, LNI_F_ORPHAN_EMPTY, "messages", 1);
		return LN_OK;
	}
	lni_find(im->report, LNI_F_ORPHAN_MESSAGE, "messages", 1);
	if (im->admin_id[0] == '\0')
		return LN_OK;	/* no_admin is reported already */
	if ((s = find_conversation(im, LNI_UNASSIGNED_ID, &is_found,
	    out_created, err)) != LN_OK)
		return s;
	*out = LNI_UNASSIGNED_ID;
	*out_created = im->fallback_ms;
	return is_found ? LN_OK : unassigned(im, err);
}

static const char *
role_of(struct lni_intake *im, const struct lni_value *v)
{
	static const char *const roles[] = { "user", "assistant", "system",
		"tool" };
	size_t i;

	for (i = 0; v->text != NULL && i < sizeof(roles) / sizeof(roles[0]);
	    i++) {
		if (strcmp(v->text, roles[i]) == 0)
			return roles[i];
	}
	lni_find(im->report, LNI_F_MESSAGE_ROLE, "messages", 1);
	return "user";
}

static enum ln_status
insert_images(struct lni_intake *im, int64_t id, const char *images,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_IMAGES, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, images);
	return lni_intake_put(im, &q, "messages", err);
}

static enum ln_status
insert(struct lni_intake *im, const struct lni_value *v, const char *home,
    int64_t created, const char *images, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if (v[LNI_MESSAGES_TIME].is_odd)
		lni_find(im->report, LNI_F_BAD_TIME, "messages", 1);
	else
		created = v[LNI_MESSAGES_TIME].number;
	if ((s = lni_stmt_get(&q, im->to, SQL_INSERT, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_MESSAGES_ID]);
	lni_bind_text(&q, 2, home);
	lni_bind_text(&q, 3, role_of(im, &v[LNI_MESSAGES_ROLE]));
	if (v[LNI_MESSAGES_CONTENT].is_null)
		lni_bind_text(&q, 4, "");
	else
		lni_bind_value(&q, 4, &v[LNI_MESSAGES_CONTENT]);
	lni_bind_opt_int(&q, 5, v[LNI_MESSAGES_PINNED].number != 0 ?
	    created : 0);
	lni_bind_int(&q, 6, created);
	if ((s = lni_intake_put(im, &q, "messages", err)) != LN_OK ||
	    images == NULL)
		return s;
	return insert_images(im, v[LNI_MESSAGES_ID].is_null ?
	    lni_last_id(im->to) : v[LNI_MESSAGES_ID].number, images, err);
}

static enum ln_status
settle(struct lni_intake *im, size_t n, struct ln_error *err)
{
	if (im->from->held[LNI_LEGACY_MESSAGES] % LNI_SETTLE_ROWS != 0 &&
	    n < LNI_SETTLE_BYTES)
		return LN_OK;
	return lni_search_settle(im->to, err);
}

static enum ln_status
take_message(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	char *images = NULL;
	const char *home;
	int64_t created = 0;
	enum ln_status s = LN_OK;

	if (v[LNI_MESSAGES_IMAGES].text != NULL)
		s = lni_images_clean(im, v[LNI_MESSAGES_IMAGES].text,
		    v[LNI_MESSAGES_IMAGES].len, &images, err);
	if (s != LN_OK)
		return s;
	im->held_images += images != NULL;
	if ((s = find_home(im, v, images != NULL, &home, &created, err)) ==
	    LN_OK && home != NULL)
		s = insert(im, v, home, created, images, err);
	ln_free(images);
	return s == LN_OK ? settle(im, v[LNI_MESSAGES_CONTENT].len, err) : s;
}

/* --- pictures of a conversation ------------------------------------------- */

static enum ln_status
find_message(struct lni_intake *im, const char *sql, const char *conversation,
    const char *images, int64_t *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, im->to, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation);
	if (images != NULL)
		lni_bind_text(&q, 2, images);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
take_session_images(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	const char *conversation = v[LNI_SESSIONS_ID].text;
	char *images = NULL;
	struct lni_stmt q;
	enum ln_status s;
	bool is_found;
	int64_t id, created;

	if (v[LNI_SESSIONS_IMAGES].text == NULL)
		return LN_OK;
	if ((s = find_conversation(im, conversation, &is_found, &created,
	    err)) != LN_OK || !is_found ||
	    (s = lni_images_clean(im, v[LNI_SESSIONS_IMAGES].text,
	    v[LNI_SESSIONS_IMAGES].len, &images, err)) != LN_OK ||
	    images == NULL)
		goto out;
	/* Usually they only repeat what a message has. */
	if ((s = find_message(im, SQL_SAME_IMAGES, conversation, images, &id,
	    err)) != LN_OK || id != 0)
		goto out;
	lni_find(im->report, LNI_F_SESSION_IMAGES, "sessions", 1);
	im->held_images++;
	if ((s = find_message(im, SQL_FREE_MESSAGE, conversation, NULL, &id,
	    err)) != LN_OK)
		goto out;
	if (id == 0) {
		if ((s = lni_stmt_get(&q, im->to, SQL_EMPTY_MESSAGE, err)) !=
		    LN_OK)
			goto out;
		lni_bind_text(&q, 1, conversation);
		s = lni_stmt_done(&q, err);
		lni_stmt_put(&q);
		if (s != LN_OK)
			goto out;
		id = lni_last_id(im->to);
	}
	s = insert_images(im, id, images, err);
out:
	ln_free(images);
	return s;
}

enum ln_status
lni_legacy_messages(struct lni_intake *im, struct ln_error *err)
{
	struct lni_scan sc;
	enum ln_status s;

	if ((s = lni_legacy_each(im, LNI_LEGACY_MESSAGES, take_message,
	    err)) != LN_OK)
		return s;
	if ((s = lni_scan_open(&sc, im->from, LNI_LEGACY_SESSIONS, err)) !=
	    LN_OK)
		return s;
	sc.is_quiet = true;	/* the second reading: reported already */
	while ((s = lni_scan_next(&sc, err)) == LN_OK) {
		if ((s = take_session_images(im, sc.v, err)) != LN_OK)
			break;
	}
	lni_scan_close(&sc);
	if (s != LN_NOT_FOUND && s != LN_OK)
		return s;
	return lni_exec(im->to, SQL_TOUCH, err);
}

/* --- tags ----------------------------------------------------------------- */

/* Shorten and smooth what ln_text_tag refuses. */
static enum ln_status
force_tag(const char *text, char **out, struct ln_error *err)
{
	char smooth[LN_TAG_MAX * 4 + 1];
	unsigned char *p;
	size_t n, chars = 0, i;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	for (i = 0; i < n && chars <= LN_TAG_MAX; i++)
		chars += ((unsigned char)text[i] & 0xc0) != 0x80;
	/* ${i} is one past the first byte of a character too many. */
	n = chars > LN_TAG_MAX ? i - 1 : n;
	memcpy(smooth, text, n);
	smooth[n] = '\0';
	for (p = (unsigned char *)smooth; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			*p = ' ';
		} else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			p[0] = ' ';
			p[1] = ' ';
		}
	}
	return ln_text_tag(smooth, out, err);
}

static enum ln_status
take_tag(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	const char *text = v[LNI_TAGS_TAG].text;
	char *tag = NULL;
	int64_t created;
	struct lni_stmt q;
	enum ln_status s;
	bool is_found;

	if ((s = find_conversation(im, v[LNI_TAGS_SESSION].text, &is_found,
	    &created, err)) != LN_OK)
		return s;
	if (!is_found) {
		lni_find(im->report, LNI_F_ORPHAN_TAG, "session_tags", 1);
		return LN_OK;
	}
	s = ln_text_tag(text != NULL ? text : "", &tag, err);
	if (s == LN_INVALID && text != NULL &&
	    (s = force_tag(text, &tag, err)) == LN_OK)
		lni_find(im->report, LNI_F_TAG_CHANGED, "session_tags", 1);
	if (s == LN_INVALID) {
		lni_find(im->report, LNI_F_TAG_MERGED, "session_tags", 1);
		return LN_OK;
	}
	if (s != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, im->to, SQL_TAG, err)) == LN_OK) {
		lni_bind_value(&q, 1, &v[LNI_TAGS_SESSION]);
		lni_bind_text(&q, 2, tag);
		s = lni_intake_put(im, &q, "session_tags", err);
		if (s == LN_OK && lni_changes(im->to) == 0)
			lni_find(im->report, LNI_F_TAG_MERGED,
			    "session_tags", 1);
	}
	ln_free(tag);
	return s;
}

enum ln_status
lni_legacy_tags(struct lni_intake *im, struct ln_error *err)
{
	return lni_legacy_each(im, LNI_LEGACY_TAGS, take_tag, err);
}

#include "service/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/message.h>
#include <ln/text.h>

#include "base/banned.h"

/*
 * The legacy program's localneural_export.json: rows of its tables by name, or
 * conversations that hold their messages.  Its groups and settings were
 * everybody's and are no person's.
 */

#define NUMBER_SIZE 24

/* An id, which may be a number there. */
static const char *
id_of(const struct ln_json *n, const char *member, char room[NUMBER_SIZE])
{
	const struct ln_json *v = ln_json_get(n, member);
	int64_t number;

	if (!ln_json_int(v, &number))
		return ln_json_string(v);
	(void)snprintf(room, NUMBER_SIZE, "%lld", (long long)number);
	return room;
}

static int64_t
time_of(const struct lni_data *d, const struct ln_json *n)
{
	int64_t ms = lni_data_time(d, ln_json_get(n, "timestamp"));

	return ms != 0 ? ms : lni_data_time(d, ln_json_get(n, "created_at"));
}

static enum ln_status
put_turn(struct lni_data *d, const char *id, const struct ln_json *n,
    int64_t fallback_ms, struct ln_error *err)
{
	struct lni_put_message m = {
		.conversation_id = id,
		.role = ln_json_get_string(n, "role"),
		.state = "complete",
		.content = ln_json_get_string(n, "content"),
		.created_ms = time_of(d, n),
	};
	enum ln_message_role role;
	char *images = NULL;
	enum ln_status s;
	int64_t new_id;

	if (m.role == NULL || !ln_message_role_parse(m.role, &role)) {
		lni_data_skip(d, LNI_DATA_MESSAGE, "Its role is unknown");
		return LN_OK;
	}
	if (m.created_ms == 0)
		m.created_ms = fallback_ms;
	if (lni_data_bool(ln_json_get(n, "pinned")))
		m.pinned_ms = d->now_ms;
	if ((s = lni_data_images(ln_json_get(n, "images"), &images, err)) !=
	    LN_OK)
		return s;
	m.images = images;
	s = lni_data_message(d, &m, &new_id, err);
	ln_free(images);
	return s;
}

static enum ln_status
take_session(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	char number[NUMBER_SIZE], parent[NUMBER_SIZE], project[NUMBER_SIZE];
	char id[LN_UUID_SIZE];
	struct lni_put_conversation c = {
		.id = id_of(n, "id", number),
		.title = ln_json_get_string(n, "title"),
		.model = lni_data_name(n, "model"),
		.system_prompt = ln_json_get_string(n, "system_prompt"),
		.project_id = id_of(n, "project_id", project),
		.forked_from = id_of(n, "forked_from", parent),
		.created_ms = time_of(d, n),
	};
	const struct ln_json *m;
	enum ln_status s;
	bool is_new;

	if (c.id == NULL) {
		lni_data_skip(d, LNI_DATA_CONVERSATION, "It has no id");
		return LN_OK;
	}
	if (lni_data_bool(ln_json_get(n, "archived")))
		c.archived_ms = d->now_ms;
	if (lni_data_bool(ln_json_get(n, "pinned")))
		c.pinned_ms = d->now_ms;
	s = lni_data_conversation(d, &c, ln_json_get(n, "tags"), id, &is_new,
	    err);
	if (s != LN_OK || !is_new)
		return s;
	for (m = ln_json_first(ln_json_get(n, "messages")); m != NULL &&
	    s == LN_OK; m = ln_json_next(m))
		s = put_turn(d, id, m, c.created_ms, err);
	return s;
}

static enum ln_status
take_project(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	char number[NUMBER_SIZE], id[LN_UUID_SIZE];
	char title[LNI_DATA_TITLE_SIZE];
	const char *old = id_of(n, "id", number);
	int64_t created_ms = time_of(d, n);
	enum ln_status s;
	bool is_there;

	if (old == NULL) {
		lni_data_skip(d, LNI_DATA_PROJECT, "It has no id");
		return LN_OK;
	}
	if ((s = lni_data_find(d, LNI_PUT_PROJECT, old, id, &is_there,
	    err)) != LN_OK)
		return s;
	if (is_there) {
		lni_data_present(d, LNI_DATA_PROJECT);
		return LN_OK;
	}
	if ((s = lni_put_project(d->st, d->user_id, id, lni_data_title(
	    ln_json_get_string(n, "title"), "Imported project", title),
	    ln_json_get_string(n, "description"), created_ms != 0 ?
	    created_ms : d->now_ms, err)) != LN_OK ||
	    (s = lni_data_fresh_add(d, id, err)) != LN_OK)
		return s;
	lni_data_added(d, LNI_DATA_PROJECT);
	return LN_OK;
}

/* What hangs on something that came with this file. */
static enum ln_status
find_home(struct lni_data *d, const struct ln_json *n, enum lni_data_kind k,
    enum lni_put_kind kind, const char *member, char id[LN_UUID_SIZE],
    bool *out_is_fresh, struct ln_error *err)
{
	char number[NUMBER_SIZE];
	const char *old = id_of(n, member, number);
	enum ln_status s = LN_OK;
	bool is_there = false;

	*out_is_fresh = false;
	if (old != NULL)
		s = lni_data_find(d, kind, old, id, &is_there, err);
	if (s != LN_OK)
		return s;
	if (!is_there)
		lni_data_skip(d, k, "What it belongs to is not there");
	else if (lni_data_is_fresh(d, id))
		*out_is_fresh = true;
	else
		lni_data_present(d, k);
	return LN_OK;
}

static enum ln_status
take_message(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	char id[LN_UUID_SIZE];
	enum ln_status s;
	bool is_fresh;

	s = find_home(d, n, LNI_DATA_MESSAGE, LNI_PUT_CONVERSATION,
	    "session_id", id, &is_fresh, err);
	return s == LN_OK && is_fresh ? put_turn(d, id, n, 0, err) : s;
}

static enum ln_status
take_document(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	const char *content = ln_json_get_string(n, "content");
	char id[LN_UUID_SIZE], name[LNI_DATA_TITLE_SIZE];
	enum ln_status s;
	bool is_fresh;

	s = find_home(d, n, LNI_DATA_DOCUMENT, LNI_PUT_PROJECT, "project_id",
	    id, &is_fresh, err);
	if (s != LN_OK || !is_fresh)
		return s;
	if (content == NULL) {
		lni_data_skip(d, LNI_DATA_DOCUMENT, "It has no text");
		return LN_OK;
	}
	if ((s = lni_put_document(d->st, id, lni_data_title(
	    ln_json_get_string(n, "filename"), "document", name), content,
	    d->now_ms, err)) == LN_OK)
		lni_data_added(d, LNI_DATA_DOCUMENT);
	return s;
}

static enum ln_status
take_tag(struct lni_data *d, const struct ln_json *n, struct ln_error *err)
{
	const char *word = ln_json_get_string(n, "tag");
	char number[NUMBER_SIZE], id[LN_UUID_SIZE];
	const char *old = id_of(n, "session_id", number);
	char *tag = NULL;
	bool is_there;
	enum ln_status s;

	if (old == NULL || word == NULL)
		return LN_OK;
	if ((s = lni_data_find(d, LNI_PUT_CONVERSATION, old, id, &is_there,
	    err)) != LN_OK || !is_there || !lni_data_is_fresh(d, id))
		return s;
	if ((s = ln_text_tag(word, &tag, NULL)) == LN_OK)
		s = lni_put_tag(d->st, id, tag, err);
	else if (s == LN_INVALID) {
		lni_data_change(d, LNI_DATA_CONVERSATION,
		    "A tag that is none was left out");
		s = LN_OK;
	} else
		s = ln_fail(err, s, "", "tag of an import");
	ln_free(tag);
	return s;
}

enum ln_status
lni_data_legacy(struct lni_data *d, const char *member,
    const struct ln_json *node, struct ln_error *err)
{
	static const struct {
		const char *list;
		enum ln_status (*take)(struct lni_data *, const struct ln_json *,
		    struct ln_error *);
	} lists[] = {
		{ "sessions", take_session },
		{ "projects", take_project },
		{ "messages", take_message },
		{ "project_documents", take_document },
		{ "session_tags", take_tag },
	};
	size_t i;

	if (node == NULL)	/* the end of a pass */
		return LN_OK;
	if (member == NULL)
		return take_session(d, node, err);
	if (strcmp(member, "prompts") == 0)
		return lni_data_prompt(d, ln_json_get_string(node, "title"),
		    ln_json_get_string(node, "content"), err);
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(member, lists[i].list) == 0)
			return lists[i].take(d, node, err);
	return LN_OK;
}

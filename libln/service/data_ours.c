#include "service/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/picture.h>
#include <ln/setting.h>
#include <ln/text.h>
#include <ln/tool.h>

#include "base/banned.h"

/*
 * The JSON of ln_export_user (docs/personal-data.md).  Who the account is, its
 * secrets and which provider answers stay what they are here.
 */

#define DOCUMENT_MAX ((size_t)64 * 1024 * 1024)
#define ROUND_MAX 1000

static int64_t
count_of(const struct ln_json *node, const char *member)
{
	int64_t n;

	return ln_json_int(ln_json_get(node, member), &n) && n > 0 ? n : 0;
}

static int64_t
time_of(const struct lni_data *d, const struct ln_json *node,
    const char *member)
{
	return lni_data_time(d, ln_json_get(node, member));
}

/* --- groups to conversations ---------------------------------------------- */

static enum ln_status
take_group(struct lni_data *d, const struct ln_json *n, struct ln_error *err)
{
	const char *id = ln_json_get_string(n, "id");
	char our_id[LN_UUID_SIZE], title[LNI_DATA_TITLE_SIZE];
	int64_t created_ms = time_of(d, n, "created");
	enum ln_status s;
	bool is_there;

	if (id == NULL) {
		lni_data_skip(d, LNI_DATA_GROUP, "It has no id");
		return LN_OK;
	}
	if ((s = lni_data_find(d, LNI_PUT_GROUP, id, our_id, &is_there,
	    err)) != LN_OK)
		return s;
	if (is_there) {
		lni_data_present(d, LNI_DATA_GROUP);
		return LN_OK;
	}
	if ((s = lni_put_group(d->st, d->user_id, our_id, lni_data_title(
	    ln_json_get_string(n, "title"), "Imported group", title),
	    count_of(n, "position"), created_ms != 0 ? created_ms : d->now_ms,
	    err)) == LN_OK)
		lni_data_added(d, LNI_DATA_GROUP);
	return s;
}

static enum ln_status
take_project(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	const char *id = ln_json_get_string(n, "id");
	const char *description = ln_json_get_string(n, "description");
	char our_id[LN_UUID_SIZE], title[LNI_DATA_TITLE_SIZE];
	int64_t created_ms = time_of(d, n, "created");
	enum ln_status s;
	bool is_there;

	if (id == NULL) {
		lni_data_skip(d, LNI_DATA_PROJECT, "It has no id");
		return LN_OK;
	}
	if (description != NULL &&
	    strlen(description) > LN_SYSTEM_PROMPT_MAX)
		description = NULL;
	if ((s = lni_data_find(d, LNI_PUT_PROJECT, id, our_id, &is_there,
	    err)) != LN_OK)
		return s;
	if (is_there) {
		lni_data_present(d, LNI_DATA_PROJECT);
		return LN_OK;
	}
	if ((s = lni_put_project(d->st, d->user_id, our_id, lni_data_title(
	    ln_json_get_string(n, "title"), "Imported project", title),
	    description, created_ms != 0 ? created_ms : d->now_ms, err)) !=
	    LN_OK ||
	    (s = lni_data_fresh_add(d, our_id, err)) != LN_OK)
		return s;
	lni_data_added(d, LNI_DATA_PROJECT);
	return LN_OK;
}

/* Where a fork left its parent is known when the messages are there. */
static enum ln_status
remember_fork(struct lni_data *d, const char *id, int64_t old,
    struct ln_error *err)
{
	size_t cap = d->fork_cap == 0 ? 16 : d->fork_cap * 2;
	struct lni_data_fork *grown;

	if (d->fork_count == d->fork_cap) {
		grown = realloc(d->forks, cap * sizeof(*grown));
		if (grown == NULL)
			return ln_fail(err, LN_NOMEM, "", "%zu forks", cap);
		d->forks = grown;
		d->fork_cap = cap;
	}
	memcpy(d->forks[d->fork_count].id, id, LN_UUID_SIZE);
	d->forks[d->fork_count++].old = old;
	return LN_OK;
}

static enum ln_status
take_conversation(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	struct lni_put_conversation c = {
		.id = ln_json_get_string(n, "id"),
		.title = ln_json_get_string(n, "title"),
		.provider = lni_data_name(n, "provider"),
		.model = lni_data_name(n, "model"),
		.system_prompt = ln_json_get_string(n, "system_prompt"),
		.project_id = ln_json_get_string(n, "project_id"),
		.group_id = ln_json_get_string(n, "group_id"),
		.forked_from = ln_json_get_string(n, "forked_from"),
		.archived_ms = time_of(d, n, "archived"),
		.pinned_ms = time_of(d, n, "pinned"),
		.total_tokens = count_of(n, "total_tokens"),
		.created_ms = time_of(d, n, "created"),
		.updated_ms = time_of(d, n, "updated"),
	};
	char id[LN_UUID_SIZE];
	enum ln_status s;
	int64_t at;
	bool is_new;

	if (c.id == NULL) {
		lni_data_skip(d, LNI_DATA_CONVERSATION, "It has no id");
		return LN_OK;
	}
	c.has_temperature = ln_json_number(ln_json_get(n, "temperature"),
	    &c.temperature) && c.temperature >= 0 && c.temperature <= 2;
	s = lni_data_conversation(d, &c, ln_json_get(n, "tags"), id, &is_new,
	    err);
	at = count_of(n, "forked_at_message");
	if (s == LN_OK && is_new && at != 0)
		s = remember_fork(d, id, at, err);
	return s;
}

/* Only what says nothing about where messages and keys go. */
static enum ln_status
take_setting(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	static const char *const names[] = { "system_prompt", "temperature",
		"theme" };
	const char *name = ln_json_get_string(n, "name");
	const char *value = ln_json_get_string(n, "value");
	char *there = NULL;
	enum ln_status s;
	size_t i, count = sizeof(names) / sizeof(names[0]);

	for (i = 0; i < count && (name == NULL || strcmp(name, names[i]) != 0);
	    i++)
		continue;
	if (i == count || value == NULL || strlen(value) >
	    (i == 0 ? (size_t)LN_SYSTEM_PROMPT_MAX : 32)) {
		lni_data_skip(d, LNI_DATA_SETTING,
		    "It is not among those that are taken over");
		return LN_OK;
	}
	s = ln_setting_get(d->st, d->user_id, name, &there, err);
	if (s != LN_OK)
		return s;
	if (there != NULL)
		lni_data_present(d, LNI_DATA_SETTING);
	else if ((s = ln_setting_set(d->st, d->user_id, name, value, err)) ==
	    LN_OK)
		lni_data_added(d, LNI_DATA_SETTING);
	ln_free(there);
	return s;
}

static enum ln_status
take_picture(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	const char *text = ln_json_get_string(n, "bytes");
	struct ln_picture *there = NULL;
	struct ln_error why = LN_ERROR_INIT;
	unsigned char *bytes = NULL;
	enum ln_status s;
	size_t size, used = 0;

	s = ln_picture_get(d->st, d->user_id, &there, err);
	ln_picture_free(there);
	if (s != LN_NOT_FOUND) {
		if (s == LN_OK)
			lni_data_present(d, LNI_DATA_PICTURE);
		return s;
	}
	size = text != NULL ? strlen(text) / 4 * 3 + 3 : 0;
	if (size > 0 && (bytes = malloc(size)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "picture of an import");
	if (bytes == NULL || sodium_base642bin(bytes, size, text, strlen(text),
	    NULL, &used, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    (s = ln_picture_set(d->st, d->user_id, bytes, used, &why)) ==
	    LN_INVALID || s == LN_TOO_LARGE) {
		lni_data_skip(d, LNI_DATA_PICTURE,
		    "It is not a picture that can be taken");
		s = LN_OK;
	} else if (s == LN_OK)
		lni_data_added(d, LNI_DATA_PICTURE);
	else
		s = ln_error_set(err, s, NULL, why.text, "picture");
	free(bytes);
	return s;
}

/* Switched off: who imports a file need not know what is in it. */
static enum ln_status
take_tool(struct lni_data *d, const struct ln_json *n, struct ln_error *err)
{
	static const bool off = false;
	bool asks = lni_data_bool(ln_json_get(n, "asks_first"));
	struct ln_tool_change c = { .size = sizeof(c), .is_enabled = &off,
		.name = ln_json_get_string(n, "name"),
		.description = ln_json_get_string(n, "description"),
		.definition = ln_json_get_string(n, "definition"),
		.asks_first = &asks };
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_tool_create(d->st, d->cfg, d->user_id, &c, NULL, &why);
	if (s == LN_OK) {
		lni_data_added(d, LNI_DATA_TOOL);
		lni_data_change(d, LNI_DATA_TOOL,
		    "It is switched off, and secrets of its endpoint are gone");
	} else if (s == LN_CONFLICT)
		lni_data_present(d, LNI_DATA_TOOL);
	else if (s == LN_INVALID || s == LN_TOO_LARGE || s == LN_FORBIDDEN)
		lni_data_skip(d, LNI_DATA_TOOL,
		    "Its definition is refused, or there are too many");
	else
		return ln_error_set(err, s, why.field, why.text, "tool");
	return LN_OK;
}

/* --- messages and documents ----------------------------------------------- */

static enum ln_status
remember_message(struct lni_data *d, int64_t old, int64_t new,
    struct ln_error *err)
{
	size_t cap = d->message_cap == 0 ? 256 : d->message_cap * 2;
	struct lni_data_pair *grown;

	if (d->message_count == d->message_cap) {
		grown = realloc(d->messages, cap * sizeof(*grown));
		if (grown == NULL)
			return ln_fail(err, LN_NOMEM, "", "%zu messages", cap);
		d->messages = grown;
		d->message_cap = cap;
	}
	d->messages[d->message_count++] = (struct lni_data_pair){ old, new };
	return LN_OK;
}

/* What was being written when it was exported ended there. */
static const char *
state_of(const struct ln_json *n)
{
	static const char *const names[] = { "complete", "stopped", "failed",
		"interrupted" };
	const char *s = ln_json_get_string(n, "state");
	size_t i;

	for (i = 0; s != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s, names[i]) == 0)
			return names[i];
	return s == NULL ? "complete" : "interrupted";
}

/* What a person was told once, or NULL. */
static const char *
sentence_of(const struct ln_json *n, const char *member)
{
	const char *s = ln_json_get_string(n, member);

	return s != NULL && *s != '\0' && !ln_text_has_control(s) &&
	    strlen(s) < LN_ERROR_SENTENCE_SIZE ? s : NULL;
}

/* Whose it is: false after it was counted. */
static enum ln_status
find_home(struct lni_data *d, const struct ln_json *n, enum lni_data_kind k,
    enum lni_put_kind kind, const char *member, char id[LN_UUID_SIZE],
    bool *out_is_fresh, struct ln_error *err)
{
	const char *old = ln_json_get_string(n, member);
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
	struct lni_put_message m = {
		.role = ln_json_get_string(n, "role"),
		.state = state_of(n),
		.content = ln_json_get_string(n, "content"),
		.provider = lni_data_name(n, "provider"),
		.model = lni_data_name(n, "model"),
		.finish_reason = lni_data_name(n, "finish_reason"),
		.thinking = ln_json_get_string(n, "thinking"),
		.error = sentence_of(n, "error"),
		.tokens = count_of(n, "tokens"),
		.prompt_tokens = count_of(n, "prompt_tokens"),
		.is_estimated = lni_data_bool(ln_json_get(n, "is_estimated")),
		.pinned_ms = time_of(d, n, "pinned"),
		.created_ms = time_of(d, n, "created"),
	};
	enum ln_message_role role;
	char id[LN_UUID_SIZE], *images = NULL;
	double seconds;
	enum ln_status s;
	int64_t new_id;
	bool is_fresh;

	if ((s = find_home(d, n, LNI_DATA_MESSAGE, LNI_PUT_CONVERSATION,
	    "conversation_id", id, &is_fresh, err)) != LN_OK || !is_fresh)
		return s;
	if (m.role == NULL || !ln_message_role_parse(m.role, &role)) {
		lni_data_skip(d, LNI_DATA_MESSAGE, "Its role is unknown");
		return LN_OK;
	}
	m.conversation_id = id;
	if (ln_json_number(ln_json_get(n, "seconds"), &seconds) &&
	    seconds > 0 && seconds < 1e6)
		m.duration_ms = (int64_t)(seconds * 1000);
	if ((s = lni_data_images(ln_json_get(n, "images"), &images, err)) !=
	    LN_OK)
		return s;
	m.images = images;
	s = lni_data_message(d, &m, &new_id, err);
	ln_free(images);
	if (s == LN_OK && new_id != 0)
		s = remember_message(d, count_of(n, "id"), new_id, err);
	return s;
}

static enum ln_status
take_document(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	const char *content = ln_json_get_string(n, "content");
	char id[LN_UUID_SIZE], name[LNI_DATA_TITLE_SIZE];
	int64_t created_ms = time_of(d, n, "created");
	enum ln_status s;
	bool is_fresh;

	if ((s = find_home(d, n, LNI_DATA_DOCUMENT, LNI_PUT_PROJECT,
	    "project_id", id, &is_fresh, err)) != LN_OK || !is_fresh)
		return s;
	if (content == NULL || strlen(content) > DOCUMENT_MAX) {
		lni_data_skip(d, LNI_DATA_DOCUMENT, "It has no text");
		return LN_OK;
	}
	if ((s = lni_put_document(d->st, id, lni_data_title(
	    ln_json_get_string(n, "filename"), "document", name), content,
	    created_ms != 0 ? created_ms : d->now_ms, err)) == LN_OK)
		lni_data_added(d, LNI_DATA_DOCUMENT);
	return s;
}

/* --- what hangs on messages ----------------------------------------------- */

static int
compare_pairs(const void *a, const void *b)
{
	const struct lni_data_pair *x = a, *y = b;

	return (x->old > y->old) - (x->old < y->old);
}

static int64_t
new_message(const struct lni_data *d, int64_t old)
{
	struct lni_data_pair key = { old, 0 }, *p;

	if (d->message_count == 0)
		return 0;
	p = bsearch(&key, d->messages, d->message_count, sizeof(key),
	    compare_pairs);
	return p != NULL ? p->new : 0;
}

static enum ln_status
take_tool_run(struct lni_data *d, const struct ln_json *n,
    struct ln_error *err)
{
	static const char *const states[] = { "done", "failed", "denied" };
	const char *state = ln_json_get_string(n, "state");
	struct lni_put_tool_run r = {
		.message_id = new_message(d, count_of(n, "message_id")),
		.round = count_of(n, "round"),
		.name = lni_data_name(n, "name"),
		.arguments = ln_json_get_string(n, "arguments"),
		.state = "failed",
		.result = ln_json_get_string(n, "result"),
		.created_ms = time_of(d, n, "created"),
		.ended_ms = time_of(d, n, "ended"),
	};
	enum ln_status s;
	size_t i;

	if (r.message_id == 0) {
		lni_data_present(d, LNI_DATA_TOOL_RUN);
		return LN_OK;
	}
	if (r.name == NULL || r.arguments == NULL) {
		lni_data_skip(d, LNI_DATA_TOOL_RUN, "It has no name");
		return LN_OK;
	}
	for (i = 0; state != NULL && i < 3; i++)
		if (strcmp(state, states[i]) == 0)
			r.state = states[i];
	if (r.round < 1 || r.round > ROUND_MAX)
		r.round = 1;
	if (r.created_ms == 0)
		r.created_ms = d->now_ms;
	if (r.ended_ms == 0)
		r.ended_ms = r.created_ms;
	if ((s = lni_put_tool_run(d->st, &r, err)) == LN_OK)
		lni_data_added(d, LNI_DATA_TOOL_RUN);
	return s;
}

/* Once, when all messages are known. */
static enum ln_status
settle_forks(struct lni_data *d, struct ln_error *err)
{
	enum ln_status s = LN_OK;
	int64_t id;
	size_t i;

	if (d->message_count > 1)
		qsort(d->messages, d->message_count, sizeof(*d->messages),
		    compare_pairs);
	for (i = 0; i < d->fork_count && s == LN_OK; i++)
		if ((id = new_message(d, d->forks[i].old)) != 0)
			s = lni_put_fork_point(d->st, d->forks[i].id, id, err);
	return s;
}

enum ln_status
lni_data_ours(struct lni_data *d, const char *member,
    const struct ln_json *node, struct ln_error *err)
{
	static const struct {
		const char *list;
		enum ln_status (*take)(struct lni_data *, const struct ln_json *,
		    struct ln_error *);
	} lists[] = {
		{ "picture", take_picture },
		{ "settings", take_setting },
		{ "groups", take_group },
		{ "projects", take_project },
		{ "conversations", take_conversation },
		{ "tools", take_tool },
		{ "documents", take_document },
		{ "messages", take_message },
		{ "tool_runs", take_tool_run },
	};
	size_t i;

	if (node == NULL)	/* the end of a pass */
		return d->pass == LNI_DATA_PASS_MESSAGES ?
		    settle_forks(d, err) : LN_OK;
	if (member == NULL)
		return LN_OK;
	if (strcmp(member, "prompts") == 0)
		return lni_data_prompt(d, ln_json_get_string(node, "title"),
		    ln_json_get_string(node, "content"), err);
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(member, lists[i].list) == 0)
			return lists[i].take(d, node, err);
	return LN_OK;
}

#include "service/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>
#include <ln/message.h>

#include "base/banned.h"

/*
 * Conversations that are trees: what was asked or answered again is another
 * branch.  The branch that was last looked at becomes the conversation, each
 * other one a fork of it.
 */

#define FORKS_MAX 16		/* of one conversation */
#define FORK_ID_MAX ((size_t)4096)
#define NONE SIZE_MAX

struct node {
	const char *id;
	const char *parent_id;
	const struct ln_json *json;
	size_t parent;		/* NONE: it is a root */
	bool has_child;
	bool is_main;
	int64_t message_id;	/* on the main branch; 0: it holds no turn */
};

/* A turn as it is read from a node. */
struct turn {
	struct lni_put_message m;
	struct ln_buf text;
	char *images;
};

/* False when the node holds no turn that is kept. */
typedef enum ln_status turn_fn(struct lni_data *d, const struct ln_json *node,
    bool is_noted, struct turn *t, bool *out_is_turn, struct ln_error *err);

struct tree {
	struct lni_data *d;
	struct node *nodes;	/* sorted by id */
	size_t count;
	size_t *path;		/* from the root, at most count */
	size_t path_count;
	turn_fn *read;
};

static void
turn_free(struct turn *t)
{
	ln_buf_free(&t->text);
	ln_free(t->images);
}

static int
compare_nodes(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static size_t
find_node(const struct tree *t, const char *id)
{
	struct node key = { .id = id }, *n;

	if (id == NULL || t->count == 0)
		return NONE;
	n = bsearch(&key, t->nodes, t->count, sizeof(key), compare_nodes);
	return n != NULL ? (size_t)(n - t->nodes) : NONE;
}

static enum ln_status
tree_open(struct tree *t, const struct ln_json *nodes,
    const char *parent_member, struct ln_error *err)
{
	const struct ln_json *n;
	size_t i, count = ln_json_count(nodes);

	t->nodes = calloc(count + 1, sizeof(*t->nodes));
	t->path = calloc(count + 1, sizeof(*t->path));
	if (t->nodes == NULL || t->path == NULL)
		return ln_fail(err, LN_NOMEM, "", "%zu nodes", count);
	for (n = ln_json_first(nodes); n != NULL && t->count < count;
	    n = ln_json_next(n)) {
		t->nodes[t->count++] = (struct node){ .id = ln_json_name(n),
		    .parent_id = ln_json_get_string(n, parent_member),
		    .json = n, .parent = NONE };
	}
	qsort(t->nodes, t->count, sizeof(*t->nodes), compare_nodes);
	for (i = 0; i < t->count; i++) {
		t->nodes[i].parent = find_node(t, t->nodes[i].parent_id);
		if (t->nodes[i].parent != NONE)
			t->nodes[t->nodes[i].parent].has_child = true;
	}
	return LN_OK;
}

static void
tree_close(struct tree *t)
{
	free(t->nodes);
	free(t->path);
}

/* From the root to ${leaf}; what goes round in a circle is cut. */
static void
walk(struct tree *t, size_t leaf)
{
	size_t at, i, n = 0;

	for (at = leaf; at != NONE && n < t->count; at = t->nodes[at].parent)
		t->path[n++] = at;
	for (i = 0; i < n / 2; i++) {
		at = t->path[i];
		t->path[i] = t->path[n - 1 - i];
		t->path[n - 1 - i] = at;
	}
	t->path_count = n;
}

static enum ln_status
read_turn(struct tree *t, size_t at, bool is_noted, struct turn *turn,
    bool *out_is_turn, struct ln_error *err)
{
	*turn = (struct turn){ .text = LN_BUF_INIT(LN_MESSAGE_MAX + 1) };
	turn->m.state = "complete";
	return t->read(t->d, t->nodes[at].json, is_noted, turn, out_is_turn,
	    err);
}

/* The turns of the path into the conversation ${id}. */
static enum ln_status
put_path(struct tree *t, const char *id, int64_t fallback_ms, bool is_main,
    struct ln_error *err)
{
	struct turn turn;
	enum ln_status s = LN_OK;
	int64_t message_id;
	bool is_turn;
	size_t i;

	for (i = 0; i < t->path_count && s == LN_OK; i++) {
		s = read_turn(t, t->path[i], is_main, &turn, &is_turn, err);
		if (s == LN_OK && is_turn) {
			turn.m.conversation_id = id;
			turn.m.images = turn.images;
			if (turn.m.created_ms == 0)
				turn.m.created_ms = fallback_ms;
			s = lni_data_message(t->d, &turn.m, &message_id, err);
			if (is_main)
				t->nodes[t->path[i]].message_id = message_id;
		}
		if (is_main)
			t->nodes[t->path[i]].is_main = true;
		turn_free(&turn);
	}
	return s;
}

/* Where the path leaves the main branch, and whether it then says anything. */
static enum ln_status
look_at_branch(struct tree *t, int64_t *out_shared, bool *out_has_turns,
    struct ln_error *err)
{
	struct turn turn;
	enum ln_status s = LN_OK;
	bool is_turn;
	size_t i;

	*out_shared = 0;
	*out_has_turns = false;
	for (i = 0; i < t->path_count && s == LN_OK && !*out_has_turns; i++) {
		if (t->nodes[t->path[i]].is_main) {
			if (t->nodes[t->path[i]].message_id != 0)
				*out_shared = t->nodes[t->path[i]].message_id;
			continue;
		}
		s = read_turn(t, t->path[i], true, &turn, &is_turn, err);
		*out_has_turns = is_turn;
		turn_free(&turn);
	}
	return s;
}

static enum ln_status
put_fork(struct tree *t, const struct lni_put_conversation *c, size_t leaf,
    int64_t shared, int64_t fallback_ms, struct ln_error *err)
{
	struct ln_buf name = LN_BUF_INIT(FORK_ID_MAX);
	struct lni_put_conversation fork = *c;
	char id[LN_UUID_SIZE];
	enum ln_status s;
	bool is_new;

	ln_buf_printf(&name, "%s#%s", c->id, t->nodes[leaf].id);
	if (ln_buf_status(&name) != LN_OK) {
		lni_data_skip(t->d, LNI_DATA_CONVERSATION, "Its id is too long");
		ln_buf_free(&name);
		return LN_OK;
	}
	fork.id = ln_buf_str(&name);
	fork.forked_from = c->id;
	fork.pinned_ms = 0;
	s = lni_data_conversation(t->d, &fork, NULL, id, &is_new, err);
	if (s == LN_OK && is_new && shared != 0)
		s = lni_put_fork_point(t->d->st, id, shared, err);
	if (s == LN_OK && is_new) {
		lni_data_change(t->d, LNI_DATA_CONVERSATION,
		    "Another branch became a fork");
		s = put_path(t, id, fallback_ms, false, err);
	}
	ln_buf_free(&name);
	return s;
}

static enum ln_status
put_forks(struct tree *t, const struct lni_put_conversation *c,
    int64_t fallback_ms, struct ln_error *err)
{
	size_t leaf, count = 0;
	enum ln_status s = LN_OK;
	int64_t shared;
	bool has_turns;

	for (leaf = 0; leaf < t->count && s == LN_OK; leaf++) {
		if (t->nodes[leaf].has_child || t->nodes[leaf].is_main)
			continue;
		walk(t, leaf);
		s = look_at_branch(t, &shared, &has_turns, err);
		if (s != LN_OK || !has_turns)
			continue;
		if (++count > FORKS_MAX)
			lni_data_skip(t->d, LNI_DATA_CONVERSATION,
			    "A branch beyond the sixteenth is left out");
		else
			s = put_fork(t, c, leaf, shared, fallback_ms, err);
	}
	return s;
}

/* The leaf that the file was looking at; without one, any. */
static size_t
main_leaf(const struct tree *t, const char *current)
{
	size_t i = find_node(t, current);

	if (i == NONE && t->count > 0)
		for (i = 0; i < t->count - 1 && t->nodes[i].has_child; i++)
			continue;
	return i;
}

static enum ln_status
put_tree(struct lni_data *d, const struct lni_put_conversation *c,
    const struct ln_json *tags, const struct ln_json *nodes,
    const char *parent_member, const char *current, turn_fn *read,
    struct ln_error *err)
{
	struct tree t = { .d = d, .read = read };
	int64_t fallback_ms = c->created_ms != 0 ? c->created_ms : d->now_ms;
	char id[LN_UUID_SIZE];
	enum ln_status s;
	bool is_new;

	s = lni_data_conversation(d, c, tags, id, &is_new, err);
	if (s != LN_OK || !is_new)
		return s;
	if ((s = tree_open(&t, nodes, parent_member, err)) == LN_OK) {
		walk(&t, main_leaf(&t, current));
		if ((s = put_path(&t, id, fallback_ms, true, err)) == LN_OK)
			s = put_forks(&t, c, fallback_ms, err);
	}
	tree_close(&t);
	return s;
}

/* --- ChatGPT -------------------------------------------------------------- */

static void
read_parts(struct lni_data *d, const struct ln_json *parts, bool is_noted,
    struct turn *t)
{
	const struct ln_json *n;
	const char *s;

	for (n = ln_json_first(parts); n != NULL; n = ln_json_next(n)) {
		s = ln_json_string(n);
		if (s == NULL && ln_json_type(n) == LN_JSON_OBJECT) {
			s = ln_json_get_string(n, "text");
			if (s == NULL && is_noted)
				lni_data_change(d, LNI_DATA_MESSAGE,
				    "A picture or file is not in the export");
		}
		if (s == NULL || *s == '\0')
			continue;
		if (t->text.len > 0)
			ln_buf_putc(&t->text, '\n');
		ln_buf_puts(&t->text, s);
	}
}

static bool
is_one_of(const char *s, const char *const *names)
{
	for (; s != NULL && *names != NULL; names++)
		if (strcmp(s, *names) == 0)
			return true;
	return false;
}

static enum ln_status
end_turn(struct lni_data *d, struct turn *t, bool is_noted,
    bool *out_is_turn, struct ln_error *err)
{
	enum ln_status s = ln_buf_status(&t->text);

	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "text of a turn");
	if (s != LN_OK && is_noted)
		lni_data_skip(d, LNI_DATA_MESSAGE, "It is too long");
	*out_is_turn = s == LN_OK && (t->text.len > 0 || t->images != NULL);
	t->m.content = ln_buf_str(&t->text);
	return LN_OK;
}

static enum ln_status
read_chatgpt(struct lni_data *d, const struct ln_json *node, bool is_noted,
    struct turn *t, bool *out_is_turn, struct ln_error *err)
{
	static const char *const spoken[] = { "text", "multimodal_text", NULL };
	static const char *const roles[] = { "user", "assistant", NULL };
	const struct ln_json *m = ln_json_get(node, "message");
	const struct ln_json *content = ln_json_get(m, "content");
	const struct ln_json *meta = ln_json_get(m, "metadata");
	const char *kind = ln_json_get_string(content, "content_type");

	*out_is_turn = false;
	if (ln_json_type(m) != LN_JSON_OBJECT || lni_data_bool(
	    ln_json_get(meta, "is_visually_hidden_from_conversation")))
		return LN_OK;
	t->m.role = ln_json_get_string(ln_json_get(m, "author"), "role");
	if (t->m.role != NULL && strcmp(t->m.role, "system") == 0)
		return LN_OK;
	if (!is_one_of(t->m.role, roles)) {
		if (is_noted)
			lni_data_skip(d, LNI_DATA_MESSAGE,
			    "It is of a tool, or its role is unknown");
		return LN_OK;
	}
	if (is_one_of(kind, spoken))
		read_parts(d, ln_json_get(content, "parts"), is_noted, t);
	else if (kind != NULL && strcmp(kind, "code") == 0 &&
	    ln_json_get_string(content, "text") != NULL)
		ln_buf_puts(&t->text, ln_json_get_string(content, "text"));
	else if (is_noted)
		lni_data_skip(d, LNI_DATA_MESSAGE,
		    "Its content is of a kind that is not kept");
	t->m.model = lni_data_name(meta, "model_slug");
	t->m.created_ms = lni_data_time(d, ln_json_get(m, "create_time"));
	return end_turn(d, t, is_noted, out_is_turn, err);
}

enum ln_status
lni_data_chatgpt(struct lni_data *d, const char *member,
    const struct ln_json *node, struct ln_error *err)
{
	const struct ln_json *mapping = ln_json_get(node, "mapping");
	struct lni_put_conversation c = {
		.id = ln_json_get_string(node, "conversation_id"),
		.title = ln_json_get_string(node, "title"),
		.model = lni_data_name(node, "default_model_slug"),
		.created_ms = lni_data_time(d, ln_json_get(node,
		    "create_time")),
		.updated_ms = lni_data_time(d, ln_json_get(node,
		    "update_time")),
	};

	if (node == NULL || member != NULL)
		return LN_OK;
	if (c.id == NULL)
		c.id = ln_json_get_string(node, "id");
	if (c.id == NULL || ln_json_type(mapping) != LN_JSON_OBJECT) {
		lni_data_skip(d, LNI_DATA_CONVERSATION,
		    "It has no id or no messages");
		return LN_OK;
	}
	if (lni_data_bool(ln_json_get(node, "is_archived")))
		c.archived_ms = d->now_ms;
	return put_tree(d, &c, NULL, mapping, "parent",
	    ln_json_get_string(node, "current_node"), read_chatgpt, err);
}

/* --- Open WebUI ----------------------------------------------------------- */

static enum ln_status
read_webui(struct lni_data *d, const struct ln_json *node, bool is_noted,
    struct turn *t, bool *out_is_turn, struct ln_error *err)
{
	static const char *const roles[] = { "user", "assistant", "system",
		NULL };
	const struct ln_json *file;
	struct ln_jw *w;
	struct ln_buf b = LN_BUF_INIT((size_t)32 * 1024 * 1024);
	struct ln_json *urls = NULL;
	enum ln_status s = LN_OK;

	*out_is_turn = false;
	t->m.role = ln_json_get_string(node, "role");
	if (!is_one_of(t->m.role, roles)) {
		if (is_noted)
			lni_data_skip(d, LNI_DATA_MESSAGE,
			    "It is of a tool, or its role is unknown");
		return LN_OK;
	}
	if (ln_json_get_string(node, "content") != NULL)
		ln_buf_puts(&t->text, ln_json_get_string(node, "content"));
	t->m.model = lni_data_name(node, "model");
	t->m.created_ms = lni_data_time(d, ln_json_get(node, "timestamp"));
	if (ln_json_count(ln_json_get(node, "files")) > 0) {
		w = ln_jw_new();
		ln_jw_array(w, NULL);
		for (file = ln_json_first(ln_json_get(node, "files"));
		    file != NULL; file = ln_json_next(file))
			ln_jw_string(w, NULL, ln_json_get_string(file, "url"));
		s = ln_jw_print(w, false, &b);
		ln_jw_free(w);
		if (s == LN_OK && ln_json_parse(ln_buf_str(&b), b.len, NULL,
		    &urls, NULL) == LN_OK)
			s = lni_data_images(urls, &t->images, err);
		else if (s == LN_NOMEM)
			s = ln_fail(err, s, "", "files of a turn");
		else
			s = LN_OK;
		ln_json_free(urls);
		ln_buf_free(&b);
	}
	return s != LN_OK ? s : end_turn(d, t, is_noted, out_is_turn, err);
}

enum ln_status
lni_data_webui(struct lni_data *d, const char *member,
    const struct ln_json *node, struct ln_error *err)
{
	const struct ln_json *chat = ln_json_get(node, "chat");
	const struct ln_json *history = ln_json_get(chat, "history");
	const struct ln_json *nodes = ln_json_get(history, "messages");
	struct lni_put_conversation c = {
		.id = ln_json_get_string(node, "id"),
		.title = ln_json_get_string(node, "title"),
		.model = lni_data_name(chat, "model"),
		.created_ms = lni_data_time(d, ln_json_get(node,
		    "created_at")),
		.updated_ms = lni_data_time(d, ln_json_get(node,
		    "updated_at")),
	};

	if (node == NULL || member != NULL)
		return LN_OK;
	if (c.id == NULL || ln_json_type(nodes) != LN_JSON_OBJECT) {
		lni_data_skip(d, LNI_DATA_CONVERSATION,
		    "It has no id or no messages");
		return LN_OK;
	}
	if (c.title == NULL)
		c.title = ln_json_get_string(chat, "title");
	if (lni_data_bool(ln_json_get(node, "archived")))
		c.archived_ms = d->now_ms;
	if (lni_data_bool(ln_json_get(node, "pinned")))
		c.pinned_ms = d->now_ms;
	return put_tree(d, &c, ln_json_get(ln_json_get(node, "meta"), "tags"),
	    nodes, "parentId", ln_json_get_string(history, "currentId"),
	    read_webui, err);
}

#include "model/branch.h"

#include <stdlib.h>
#include <string.h>

#include "model/tool_run.h"
#include "store/stmt.h"

#include "base/banned.h"

/* A fork is one copy of rows of several families, made by SQLite without
 * bringing them here. */

static const char SQL_LAST[] =
    "SELECT m.created_ms FROM message m"
    " JOIN conversation c ON c.id = m.conversation_id"
    " WHERE m.id = ?3 AND c.id = ?2 AND c.user_id = ?1";

/* Counted only as far as it matters. */
static const char SQL_WEIGH[] =
    "SELECT count(*), coalesce(sum(length(content)"
    " + coalesce(length(thinking), 0) + coalesce(length(images), 0)), 0)"
    " FROM (SELECT m.content, m.thinking, i.images FROM message m"
    "  LEFT JOIN message_image i ON i.message_id = m.id"
    "  WHERE m.conversation_id = ?1 AND m.id <= ?2 LIMIT ?3)";

static const char SQL_TREE_SIZE[] =
    "SELECT count(*) FROM conversation c WHERE c.user_id = ?1 AND"
    " c.fork_root = (SELECT coalesce(p.fork_root, p.id) FROM conversation p"
    "  WHERE p.id = ?2)";

/* The tokens of what is copied were spent by the parent. */
static const char SQL_FORK[] =
    "INSERT INTO conversation(id, user_id, title, provider, model,"
    " system_prompt, temperature, project_id, group_id, forked_from,"
    " forked_at_message, fork_root, created_ms, updated_ms)"
    " SELECT ?3, user_id, iif(title LIKE '% (branch)', title,"
    "  substr(title, 1, ?6) || ' (branch)'), provider, model, system_prompt,"
    "  temperature, project_id, group_id, id, ?4, coalesce(fork_root, id),"
    "  ?5, ?5 FROM conversation WHERE id = ?2 AND user_id = ?1";
#define TITLE_MAX (LN_TITLE_MAX - 9)	/* with " (branch)" */

static const char SQL_COPY_TAGS[] =
    "INSERT INTO conversation_tag(conversation_id, tag)"
    " SELECT ?2, tag FROM conversation_tag WHERE conversation_id = ?1";

static const char SQL_COPY_MESSAGES[] =
    "INSERT INTO message(conversation_id, role, state, content, provider,"
    " model, finish_reason, tokens, prompt_tokens, duration_ms, is_estimated,"
    " pinned_ms, created_ms, thinking, sources, error)"
    " SELECT ?2, role, iif(state = 'streaming', 'interrupted', state),"
    "  content, provider, model, finish_reason, tokens, prompt_tokens,"
    "  duration_ms, is_estimated, pinned_ms, created_ms, thinking, sources,"
    "  error"
    " FROM message WHERE conversation_id = ?1 AND id <= ?3 ORDER BY id";

/* Which copy is of which message: they are in the same order. */
#define PAIRS								\
	"(SELECT id, row_number() OVER (ORDER BY id) AS n FROM message"	\
	"  WHERE conversation_id = ?1 AND id <= ?3) old"		\
	" JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n"	\
	"  FROM message WHERE conversation_id = ?2) new ON new.n = old.n"

static const char SQL_COPY_IMAGES[] =
    "INSERT INTO message_image(message_id, images)"
    " SELECT new.id, i.images FROM " PAIRS
    " JOIN message_image i ON i.message_id = old.id";

static const char SQL_COPY_RUNS[] =
    "INSERT INTO tool_run(message_id, round, name, arguments, state, result,"
    " created_ms, ended_ms)"
    " SELECT new.id, r.round, r.name, r.arguments,"
    "  iif(r.ended_ms IS NULL, 'failed', r.state),"
    "  iif(r.ended_ms IS NULL, '" LNI_TOOL_RUN_ABANDONED "', r.result),"
    "  r.created_ms,"
    "  coalesce(r.ended_ms, r.created_ms) FROM " PAIRS
    " JOIN tool_run r ON r.message_id = old.id ORDER BY r.id";

static const char SQL_ROOT[] =
    "SELECT coalesce(fork_root, id) FROM conversation"
    " WHERE id = ?2 AND user_id = ?1";

static const char SQL_TREE[] =
    "SELECT id, title, forked_from, forked_at_message, updated_ms"
    " FROM conversation WHERE user_id = ?1 AND (id = ?2 OR fork_root = ?2)"
    " ORDER BY created_ms, id LIMIT ?3";

const char *const lni_branch_sql[] = {
	SQL_LAST, SQL_WEIGH, SQL_TREE_SIZE, SQL_FORK, SQL_COPY_TAGS,
	SQL_COPY_MESSAGES, SQL_COPY_IMAGES, SQL_COPY_RUNS, SQL_ROOT, SQL_TREE,
};
const size_t lni_branch_sql_count =
    sizeof(lni_branch_sql) / sizeof(lni_branch_sql[0]);

static enum ln_status
check_message(struct ln_store *st, const struct lni_fork *f,
    int64_t *out_last_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_last_ms = 0;
	if ((s = lni_stmt_get(&q, st, SQL_LAST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, f->user_id);
	lni_bind_text(&q, 2, f->parent_id);
	lni_bind_int(&q, 3, f->message_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out_last_ms = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
check_weight(struct ln_store *st, const struct lni_fork *f,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_WEIGH, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, f->parent_id);
	lni_bind_int(&q, 2, f->message_id);
	lni_bind_int(&q, 3, LN_FORK_MESSAGE_MAX + 1);
	s = lni_stmt_row(&q, err);
	if (s == LN_OK && (lni_col_int(&q, 0) > LN_FORK_MESSAGE_MAX ||
	    lni_col_int(&q, 1) > LN_FORK_SIZE_MAX))
		s = ln_fail(err, LN_TOO_LARGE,
		    "This is too much to begin a branch with. "
		    "Choose an earlier message", "%lld messages, %lld",
		    (long long)lni_col_int(&q, 0),
		    (long long)lni_col_int(&q, 1));
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
check_tree(struct ln_store *st, const struct lni_fork *f,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_TREE_SIZE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, f->user_id);
	lni_bind_text(&q, 2, f->parent_id);
	/* The first of the tree is not counted. */
	if ((s = lni_stmt_row(&q, err)) == LN_OK &&
	    lni_col_int(&q, 0) >= LN_BRANCH_COUNT_MAX - 1)
		s = ln_fail(err, LN_CONFLICT,
		    "There are as many branches as there can be", "%d",
		    LN_BRANCH_COUNT_MAX);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_branch_check(struct ln_store *st, const struct lni_fork *f,
    int64_t *out_last_ms, struct ln_error *err)
{
	enum ln_status s;

	if ((s = check_message(st, f, out_last_ms, err)) != LN_OK ||
	    (s = check_tree(st, f, err)) != LN_OK)
		return s;
	return check_weight(st, f, err);
}

static enum ln_status
add_conversation(struct ln_store *st, const struct lni_fork *f,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_FORK, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, f->user_id);
	lni_bind_text(&q, 2, f->parent_id);
	lni_bind_text(&q, 3, f->id);
	lni_bind_int(&q, 4, f->message_id);
	lni_bind_int(&q, 5, f->now_ms);
	lni_bind_int(&q, 6, TITLE_MAX);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

/* One of the copies; ${has_end} when it goes up to the message. */
static enum ln_status
copy(struct ln_store *st, const char *sql, const struct lni_fork *f,
    bool has_end, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, f->parent_id);
	lni_bind_text(&q, 2, f->id);
	if (has_end)
		lni_bind_int(&q, 3, f->message_id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_branch_copy(struct ln_store *st, const struct lni_fork *f,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = add_conversation(st, f, err)) != LN_OK ||
	    (s = copy(st, SQL_COPY_TAGS, f, false, err)) != LN_OK ||
	    (s = copy(st, SQL_COPY_MESSAGES, f, true, err)) != LN_OK ||
	    (s = copy(st, SQL_COPY_IMAGES, f, true, err)) != LN_OK)
		return s;
	return copy(st, SQL_COPY_RUNS, f, true, err);
}

/* --- the tree ------------------------------------------------------------ */

void
ln_branch_list_free(struct ln_branch_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		free(l->items[i].id);
		free(l->items[i].title);
		free(l->items[i].parent_id);
	}
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

static enum ln_status
find_root(struct ln_store *st, const char *user_id, const char *id,
    char **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ROOT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK &&
	    (*out = lni_col_dup(&q, 0, &s)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "root of a tree");
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
read_tree(struct ln_store *st, const char *user_id, const char *root,
    struct ln_branch_list *l, struct ln_error *err)
{
	struct ln_branch *b;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_TREE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, root);
	lni_bind_int(&q, 3, LN_BRANCH_COUNT_MAX);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		b = &l->items[l->count++];
		b->id = lni_col_dup(&q, 0, &s);
		b->title = lni_col_dup(&q, 1, &s);
		b->parent_id = lni_col_dup(&q, 2, &s);
		b->message_id = lni_col_int(&q, 3);
		b->updated_ms = lni_col_int(&q, 4);
		if (s != LN_OK) {
			(void)ln_fail(err, s, "", "branch row");
			break;
		}
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* Rows as they came, and the order they are told in. */
struct walk {
	struct ln_branch_list from;
	struct ln_branch *to;
	size_t count;
	size_t *parent;		/* index, or NONE */
	bool *is_done;
	const char *root;
};
#define NONE SIZE_MAX

static void
emit(struct walk *w, size_t i, int64_t depth)
{
	w->is_done[i] = true;
	w->to[w->count] = w->from.items[i];
	w->to[w->count++].depth = depth;
}

static size_t
next_child(const struct walk *w, size_t of)
{
	size_t i;

	for (i = 0; i < w->from.count; i++) {
		if (!w->is_done[i] && w->parent[i] == of)
			return i;
	}
	return NONE;
}

/* ${top} and everything below it. */
static void
emit_tree(struct walk *w, size_t top, int64_t depth)
{
	size_t at = top, child;

	emit(w, top, depth);
	for (;;) {
		if ((child = next_child(w, at)) != NONE) {
			at = child;
			emit(w, at, ++depth);
		} else if (at == top) {
			return;
		} else {
			at = w->parent[at];
			depth--;
		}
	}
}

static bool
is_root(const struct walk *w, size_t i)
{
	return strcmp(w->from.items[i].id, w->root) == 0;
}

/* A fork of one that is deleted, but for the first of the tree. */
static bool
is_orphan(const struct walk *w, size_t i)
{
	const char *parent_id = w->from.items[i].parent_id;

	return w->parent[i] == NONE && !is_root(w, i) &&
	    (parent_id == NULL || strcmp(parent_id, w->root) != 0);
}

static bool
have_same_parent(const struct walk *w, size_t i, size_t j)
{
	const char *a = w->from.items[i].parent_id;
	const char *b = w->from.items[j].parent_id;

	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void
find_parents(struct walk *w)
{
	const char *parent_id;
	size_t i, j;

	for (i = 0; i < w->from.count; i++) {
		w->parent[i] = NONE;
		parent_id = w->from.items[i].parent_id;
		for (j = 0; parent_id != NULL && j < w->from.count; j++)
			if (strcmp(w->from.items[j].id, parent_id) == 0)
				w->parent[i] = j;
	}
}

/* The first of the tree, what hangs below it by a link that is gone, then what
 * was forked of it.  What is left then are circles of a foreign file. */
static void
arrange(struct walk *w)
{
	size_t i, j;

	find_parents(w);
	for (i = 0; i < w->from.count; i++)
		if (is_root(w, i)) {
			w->parent[i] = NONE;
			emit(w, i, 0);
		}
	for (i = 0; i < w->from.count; i++) {
		if (w->is_done[i] || !is_orphan(w, i))
			continue;
		emit_tree(w, i, 2);
		for (j = i + 1; j < w->from.count; j++)
			if (!w->is_done[j] && have_same_parent(w, i, j))
				emit_tree(w, j, 2);
	}
	for (i = 0; i < w->from.count; i++)
		if (!w->is_done[i] && (w->parent[i] == NONE ||
		    is_root(w, w->parent[i])))
			emit_tree(w, i, 1);
	for (i = 0; i < w->from.count; i++)
		if (!w->is_done[i])
			emit_tree(w, i, 1);
}

enum ln_status
ln_branch_list(struct ln_store *st, const char *user_id, const char *id,
    struct ln_branch_list *out, struct ln_error *err)
{
	struct walk w = { .count = 0 };
	char *root = NULL;
	enum ln_status s;

	out->items = NULL;
	out->count = 0;
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	if ((s = find_root(st, user_id, id, &root, err)) != LN_OK)
		goto out;
	w.root = root;
	w.from.items = calloc(LN_BRANCH_COUNT_MAX, sizeof(*w.to));
	w.to = calloc(LN_BRANCH_COUNT_MAX, sizeof(*w.to));
	w.parent = calloc(LN_BRANCH_COUNT_MAX, sizeof(*w.parent));
	w.is_done = calloc(LN_BRANCH_COUNT_MAX, sizeof(*w.is_done));
	if (w.from.items == NULL || w.to == NULL || w.parent == NULL ||
	    w.is_done == NULL)
		s = ln_fail(err, LN_NOMEM, "", "branches");
	else
		s = read_tree(st, user_id, root, &w.from, err);
	if (s != LN_OK)
		goto out;
	arrange(&w);
	out->items = w.to;
	out->count = w.count;
	w.to = NULL;
	w.from.count = 0;	/* the strings have moved */
out:
	lni_read_end(st);
	ln_branch_list_free(&w.from);
	free(w.to);
	free(w.parent);
	free(w.is_done);
	free(root);
	return s;
}

#include "history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/text.h>
#include <ln/tool_run.h>
#include <ln/transfer.h>

#define LIST_DEFAULT 50
#define LIST_MAX 100000
#define EXPORT_MAX ((size_t)512 * 1024 * 1024)

/* Conversations, as the browser shows them too. */

int
history_fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *id)
{
	if (s == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no such conversation", "See `lnctl history list`",
		    "%s", id);
	return ctx_fail(c, s, err, NULL, "%s", id);
}

static const struct out_col list_cols[] = {
	{ "id", OUT_STR, false },
	{ "updated_at", OUT_TIME, false },
	{ "created_at", OUT_TIME, true },
	{ "is_pinned", OUT_BOOL, true },
	{ "is_archived", OUT_BOOL, true },
	{ "provider", OUT_STR, true }, { "model", OUT_STR, false },
	{ "project", OUT_STR, true },
	{ "total_tokens", OUT_INT, true },
	{ "title", OUT_STR, false }, { NULL, OUT_STR, false },
};

static void
list_rows(struct out *o, const struct ln_conversation_list *list)
{
	const struct ln_conversation *v;
	size_t i;

	for (i = 0; i < list->count; i++) {
		v = list->items[i];
		out_row(o, v->id, v->updated_ms, v->created_ms,
		    (int)(v->pinned_ms != 0), (int)(v->archived_ms != 0),
		    v->provider, v->model, v->project_title, v->total_tokens,
		    v->title);
	}
}

/* Page by page, so that any number can be asked for. */
static enum ln_status
list_pages(struct ctx *c, const char *user_id,
    struct ln_conversation_filter *filter, struct ln_error *err)
{
	struct ln_conversation_list list;
	char before[LN_CURSOR_MAX];
	int64_t left = filter->limit;
	enum ln_status s;
	bool has_more;

	do {
		filter->limit = left < LN_CONVERSATION_PAGE_MAX ? left :
		    LN_CONVERSATION_PAGE_MAX;
		if ((s = ln_conversation_list(c->st, user_id, filter, &list,
		    err)) != LN_OK)
			return s;
		if (!out_has_content(c->out))
			out_list(c->out, "conversations", list_cols);
		list_rows(c->out, &list);
		left -= (int64_t)list.count;
		has_more = list.next != NULL && left > 0;
		if (has_more)
			(void)snprintf(before, sizeof(before), "%s",
			    list.next);
		filter->before = before;
		ln_conversation_list_free(&list);
	} while (has_more);
	return LN_OK;
}

static int
history_list(struct ctx *c)
{
	struct ln_conversation_filter filter;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	char *tag = NULL;
	enum ln_status s;
	int rc;

	memset(&filter, 0, sizeof(filter));
	filter.size = sizeof(filter);
	filter.with_archived = opt_has(&c->args, O_ARCHIVED);
	rc = opt_int(c, O_LIMIT, 1, LIST_MAX, LIST_DEFAULT, &filter.limit);
	if (rc != EX_OK)
		return rc;
	if (opt_has(&c->args, O_TAG) &&
	    (s = ln_text_tag(ctx_opt(c, O_TAG), &tag, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "--tag");
	filter.tag = tag;
	if ((rc = ctx_person(c, &u)) != EX_OK) {
		ln_free(tag);
		return rc;
	}
	s = list_pages(c, u->id, &filter, &err);
	ln_user_free(u);
	ln_free(tag);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "conversations");
	out_list_end(c->out);
	return ctx_finish(c);
}

static void
conversation_fields(struct out *o, const struct ln_conversation *v)
{
	out_str(o, "id", v->id);
	out_str(o, "title", v->title);
	out_str(o, "provider", v->provider);
	out_str(o, "model", v->model);
	out_str(o, "system_prompt", v->system_prompt);
	out_str(o, "project", v->project_title);
	out_bool(o, "is_pinned", v->pinned_ms != 0);
	out_bool(o, "is_archived", v->archived_ms != 0);
	out_int(o, "total_tokens", v->total_tokens);
	out_time(o, "created_at", v->created_ms);
	out_time(o, "updated_at", v->updated_ms);
}

/* The tools that an answer used, a line each. */
static void
print_runs(const struct ln_tool_run_list *runs, int64_t message_id)
{
	const struct ln_tool_run *r;
	size_t i;

	for (i = 0; i < runs->count; i++) {
		r = &runs->items[i];
		if (r->message_id != message_id)
			continue;
		(void)fputs("[tool ", stdout);
		out_text(stdout, r->name, strlen(r->name));
		(void)printf(": %s", r->state);
		if (r->result != NULL && strcmp(r->state, "done") != 0) {
			(void)fputs(": ", stdout);
			out_text(stdout, r->result, strlen(r->result));
		}
		(void)puts("]");
	}
}

static void
list_runs(struct out *o, const struct ln_tool_run_list *runs)
{
	static const struct out_col cols[] = { { "id", OUT_INT, false },
		{ "message_id", OUT_INT, false }, { "name", OUT_STR, false },
		{ "state", OUT_STR, false }, { "arguments", OUT_STR, false },
		{ "result", OUT_STR, false }, { NULL, OUT_STR, false } };
	const struct ln_tool_run *r;
	size_t i;

	out_list(o, "tool_runs", cols);
	for (i = 0; i < runs->count; i++) {
		r = &runs->items[i];
		out_row(o, r->id, r->message_id, r->name, r->state,
		    r->arguments, r->result);
	}
	out_list_end(o);
}

/* For people: the turns as text, not as a table. */
static void
print_turns(const struct ln_conversation *v, const struct ln_message_list *l,
    const struct ln_tool_run_list *runs)
{
	const struct ln_message *m;
	size_t i;

	out_text(stdout, v->title, strlen(v->title));
	(void)putchar('\n');
	for (i = 0; i < l->count; i++) {
		m = l->items[i];
		(void)printf("\n%s:", ln_message_role_name(m->role));
		if (m->state != LN_MESSAGE_COMPLETE)
			(void)printf(" (%s)", ln_message_state_name(m->state));
		(void)putchar('\n');
		print_runs(runs, m->id);
		out_text(stdout, m->content, strlen(m->content));
		(void)putchar('\n');
		if (m->error != NULL) {
			(void)putchar('[');
			out_text(stdout, m->error, strlen(m->error));
			(void)puts("]");
		}
	}
}

static int
history_show(struct ctx *c)
{
	static const struct out_col cols[] = { { "id", OUT_INT, false },
		{ "role", OUT_STR, false }, { "state", OUT_STR, false },
		{ "content", OUT_STR, false }, { "model", OUT_STR, false },
		{ "tokens", OUT_INT, false },
		{ "prompt_tokens", OUT_INT, false },
		{ "created_at", OUT_TIME, false }, { "error", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	const char *id = ctx_word(c, 0);
	struct ln_message_list list = { NULL, 0 };
	struct ln_tool_run_list runs = { NULL, 0 };
	struct ln_conversation *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	const struct ln_message *m;
	struct ln_user *u = NULL;
	enum ln_status s;
	size_t i;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	if ((s = ln_conversation_get(c->st, u->id, id, &v, &err)) != LN_OK ||
	    (s = ln_message_list(c->st, u->id, id, &list, &err)) != LN_OK ||
	    (s = ln_tool_run_list(c->st, u->id, id, &runs, &err)) != LN_OK) {
		rc = history_fail(c, s, &err, id);
		goto out;
	}
	if (out_format(c->out) == OUT_TABLE) {
		print_turns(v, &list, &runs);
		rc = ctx_finish(c);
		goto out;
	}
	conversation_fields(c->out, v);
	out_list(c->out, "messages", cols);
	for (i = 0; i < list.count; i++) {
		m = list.items[i];
		out_row(c->out, m->id, ln_message_role_name(m->role),
		    ln_message_state_name(m->state), m->content, m->model,
		    m->tokens, m->prompt_tokens, m->created_ms, m->error);
	}
	out_list_end(c->out);
	list_runs(c->out, &runs);
	rc = ctx_finish(c);
out:
	ln_message_list_free(&list);
	ln_tool_run_list_free(&runs);
	ln_conversation_free(v);
	ln_user_free(u);
	return rc;
}

static int
history_export(struct ctx *c)
{
	const char *id = ctx_word(c, 0), *format = ctx_opt(c, O_FORMAT);
	const char *path = ctx_opt(c, O_OUTPUT);
	struct ln_buf b = LN_BUF_INIT(EXPORT_MAX);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;
	int e, rc;

	if (format == NULL)
		format = "md";
	if (path == NULL && out_format(c->out) != OUT_TABLE)
		return ctx_usage(c, "Name a file with --output", "%s: standard"
		    " output cannot be both the export and --json", c->path);
	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	s = ln_export_conversation(c->st, u->id, id, format, &b, &err);
	if (s != LN_OK) {
		rc = history_fail(c, s, &err, id);
		goto out;
	}
	if (path == NULL) {
		/* A file in the making is exact; a terminal is kept safe. */
		if (isatty(STDOUT_FILENO) == 1)
			out_text(stdout, ln_buf_str(&b), b.len);
		else
			(void)fwrite(ln_buf_str(&b), 1, b.len, stdout);
		rc = ctx_finish(c);
		goto out;
	}
	if ((e = file_create(path, ln_buf_str(&b), b.len)) != 0) {
		rc = ctx_refuse(c, e == EEXIST ? EX_CONFLICT : EX_FAILED,
		    e == EEXIST ? "conflict" : "io", strerror(e),
		    "Nothing was written", "%s", path);
		goto out;
	}
	out_str(c->out, "result", "exported");
	out_str(c->out, "id", id);
	out_str(c->out, "file", path);
	out_str(c->out, "format", format);
	out_bytes(c->out, "bytes", (int64_t)b.len);
	rc = ctx_finish(c);
out:
	ln_buf_free(&b);
	ln_user_free(u);
	return rc;
}

/* What the state verbs share: look, change unless it is so, tell. */
struct change {
	const char *done, *already;
	bool (*is_so)(const struct ln_conversation *v, const char *word);
	enum ln_status (*apply)(struct ln_store *st, const char *user_id,
	    const char *id, const char *word, struct ln_error *err);
};

struct changing {
	const struct change *how;
	const struct ctx *c;
	const char *user_id;
	const char *id;		/* the last that was tried */
	size_t count;
	bool *was_so;
};

/* All of them, or none. */
static enum ln_status
change_all(struct ln_store *st, void *arg, struct ln_error *err)
{
	struct changing *w = arg;
	const char *word = ctx_word(w->c, 1);
	struct ln_conversation *v;
	enum ln_status s = LN_OK;
	size_t i;

	for (i = 0; i < w->count && s == LN_OK; i++) {
		w->id = ctx_word(w->c, i);
		s = ln_conversation_get(st, w->user_id, w->id, &v, err);
		if (s != LN_OK)
			break;
		w->was_so[i] = w->how->is_so(v, word);
		ln_conversation_free(v);
		if (!w->was_so[i])
			s = w->how->apply(st, w->user_id, w->id, word, err);
	}
	return s;
}

static void
tell_changes(struct ctx *c, const struct changing *w)
{
	static const struct out_col cols[] = { { "id", OUT_STR, false },
		{ "result", OUT_STR, false }, { NULL, OUT_STR, false } };
	const struct change *how = w->how;
	size_t i;

	if (w->count == 1) {
		out_str(c->out, "result", w->was_so[0] ? how->already :
		    how->done);
		out_str(c->out, "id", w->id);
		out_say(c->out, "%s: %s", w->id, w->was_so[0] ?
		    how->already : how->done);
		return;
	}
	out_list(c->out, "conversations", cols);
	for (i = 0; i < w->count; i++)
		out_row(c->out, ctx_word(c, i), w->was_so[i] ? how->already :
		    how->done);
	out_list_end(c->out);
}

/* Of the first ${count} words, which are ids. */
static int
change(struct ctx *c, const struct change *how, size_t count)
{
	struct changing w = { .how = how, .c = c, .count = count };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	w.user_id = u->id;
	if ((w.was_so = calloc(count, sizeof(*w.was_so))) == NULL)
		s = ln_fail(&err, LN_NOMEM, "", "history");
	else
		s = ln_store_transaction(c->st, change_all, &w, &err);
	if (s != LN_OK) {
		rc = history_fail(c, s, &err, w.id != NULL ? w.id :
		    ctx_word(c, 0));
	} else {
		tell_changes(c, &w);
		rc = ctx_finish(c);
	}
	free(w.was_so);
	ln_user_free(u);
	return rc;
}

static bool
has_title(const struct ln_conversation *v, const char *word)
{
	return strcmp(v->title, word) == 0;
}

static bool
is_pinned(const struct ln_conversation *v, const char *word)
{
	(void)word;
	return v->pinned_ms != 0;
}

static bool
is_unpinned(const struct ln_conversation *v, const char *word)
{
	(void)word;
	return v->pinned_ms == 0;
}

static bool
is_archived(const struct ln_conversation *v, const char *word)
{
	(void)word;
	return v->archived_ms != 0;
}

static bool
is_unarchived(const struct ln_conversation *v, const char *word)
{
	(void)word;
	return v->archived_ms == 0;
}

static enum ln_status
pin(struct ln_store *st, const char *user_id, const char *id,
    const char *word, struct ln_error *err)
{
	(void)word;
	return ln_conversation_pin(st, user_id, id, true, err);
}

static enum ln_status
unpin(struct ln_store *st, const char *user_id, const char *id,
    const char *word, struct ln_error *err)
{
	(void)word;
	return ln_conversation_pin(st, user_id, id, false, err);
}

static enum ln_status
archive(struct ln_store *st, const char *user_id, const char *id,
    const char *word, struct ln_error *err)
{
	(void)word;
	return ln_conversation_archive(st, user_id, id, true, err);
}

static enum ln_status
unarchive(struct ln_store *st, const char *user_id, const char *id,
    const char *word, struct ln_error *err)
{
	(void)word;
	return ln_conversation_archive(st, user_id, id, false, err);
}

static int
history_rename(struct ctx *c)
{
	static const struct change how = { "renamed", "already_renamed",
		has_title, ln_conversation_rename };

	return change(c, &how, 1);
}

static int
history_pin(struct ctx *c)
{
	static const struct change how = { "pinned", "already_pinned",
		is_pinned, pin };

	return change(c, &how, c->args.count);
}

static int
history_unpin(struct ctx *c)
{
	static const struct change how = { "unpinned", "already_unpinned",
		is_unpinned, unpin };

	return change(c, &how, c->args.count);
}

static int
history_archive(struct ctx *c)
{
	static const struct change how = { "archived", "already_archived",
		is_archived, archive };

	return change(c, &how, c->args.count);
}

static int
history_unarchive(struct ctx *c)
{
	static const struct change how = { "unarchived", "already_unarchived",
		is_unarchived, unarchive };

	return change(c, &how, c->args.count);
}

/* One that is there, for the question; all of several, or none. */
static int
history_delete(struct ctx *c)
{
	const char *id = ctx_word(c, 0);
	struct ln_conversation *v = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	size_t i, n = c->args.count;
	enum ln_status s = LN_OK;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	for (i = 0; i < n && s == LN_OK; i++) {
		ln_conversation_free(v);
		id = ctx_word(c, i);
		s = ln_conversation_get(c->st, u->id, id, &v, &err);
	}
	if (s != LN_OK) {
		rc = history_fail(c, s, &err, id);
		goto out;
	}
	rc = n == 1 ? tty_confirm(c, "Delete \"%s\"?", v->title) :
	    tty_confirm(c, "Delete %zu conversations?", n);
	if (rc != EX_OK)
		goto out;
	s = ln_conversation_delete_all(c->st, u->id,
	    (const char *const *)c->args.words, n, &err);
	if (s != LN_OK) {
		rc = history_fail(c, s, &err, n == 1 ? id : "delete");
		goto out;
	}
	out_str(c->out, "result", "deleted");
	if (n == 1)
		out_str(c->out, "id", id);
	out_int(c->out, "count", (int64_t)n);
	out_say(c->out, "%zu deleted", n);
	rc = ctx_finish(c);
out:
	ln_conversation_free(v);
	ln_user_free(u);
	return rc;
}

static const enum opt_id list_opts[] = { O_USER, O_ARCHIVED, O_TAG,
	O_LIMIT, O_END };
static const enum opt_id export_opts[] = { O_USER, O_FORMAT, O_OUTPUT, O_END };
static const enum opt_id fork_opts[] = { O_USER, O_AT, O_END };
static const enum opt_id import_opts[] = { O_USER, O_DRY_RUN, O_END };
static const enum opt_id user_opts[] = { O_USER, O_END };

static const enum opt_id search_opts[] = { O_USER, O_MODEL, O_TAG, O_SAID_BY,
	O_OF_PROJECT, O_SINCE, O_UNTIL, O_LIMIT, O_END };

static const struct verb verbs[] = {
	{ "list", history_list, list_opts, "", CMD_STORE_RO,
	    "list conversations, pinned and latest first" },
	{ "show", history_show, user_opts, "ID", CMD_STORE_RO,
	    "print a conversation" },
	{ "search", history_search, search_opts, "QUERY", CMD_STORE_RO,
	    "find messages and titles" },
	{ "export", history_export, export_opts, "ID", CMD_STORE_RO,
	    "write a conversation as Markdown, JSON or HTML" },
	{ "fork", history_fork, fork_opts, "ID", CMD_STORE_RW,
	    "go on from a message in a branch" },
	{ "tree", history_tree, user_opts, "ID", CMD_STORE_RO,
	    "draw the branches of a conversation" },
	{ "import", history_import, import_opts, "FILE",
	    CMD_STORE_RW | CMD_KEYS | CMD_SIGNALS,
	    "bring conversations along from an export" },
	{ "rename", history_rename, user_opts, "ID TITLE", CMD_STORE_RW,
	    "change the title" },
	{ "tag", history_tag, user_opts, "ID [TAG...]", CMD_STORE_RW,
	    "add tags, and show them" },
	{ "untag", history_untag, user_opts, "ID TAG...", CMD_STORE_RW,
	    "remove tags" },
	{ "tags", history_tags, user_opts, "", CMD_STORE_RO,
	    "list tags and how many conversations have them" },
	{ "pin", history_pin, user_opts, "ID...", CMD_STORE_RW,
	    "keep at the top of the list" },
	{ "unpin", history_unpin, user_opts, "ID...", CMD_STORE_RW,
	    "let it sink again" },
	{ "archive", history_archive, user_opts, "ID...", CMD_STORE_RW,
	    "take out of the list" },
	{ "unarchive", history_unarchive, user_opts, "ID...", CMD_STORE_RW,
	    "put back into the list" },
	{ "delete", history_delete, user_opts, "ID...", CMD_STORE_RW,
	    "delete conversations, all or none" },
};
const struct noun noun_history = { "history", "conversations", verbs,
	nitems(verbs) };

#include "cmd.h"

#include <string.h>
#include <time.h>

#include <ln/audit.h>
#include <ln/time.h>

#define TAIL_DEFAULT 20
#define SEARCH_DEFAULT 100
#define ROWS_MAX 100000		/* what ln_audit_list gives at most */
#define FOLLOW_NS 500000000L	/* half a second: soon enough for a person */

static const struct out_col cols[] = { { "id", OUT_INT, false },
	{ "at", OUT_TIME, false }, { "action", OUT_STR, false },
	{ "outcome", OUT_STR, false }, { "actor_kind", OUT_STR, false },
	{ "actor_id", OUT_STR, false }, { "address", OUT_STR, false },
	{ "target", OUT_STR, false }, { "detail", OUT_STR, false },
	{ "request_id", OUT_STR, true }, { NULL, OUT_STR, false } };

/* Rows above ${after}, oldest first. */
static void
print_rows(struct ctx *c, const struct ln_audit_list *list, int64_t after)
{
	const struct ln_audit *a;
	size_t i;

	for (i = list->count; i-- > 0;) {
		a = list->items[i];
		if (a->id > after)
			out_row(c->out, a->id, a->at_ms, a->action,
			    a->outcome, a->actor_kind, a->actor_id,
			    a->address, a->target, a->detail, a->request_id);
	}
}

/* Print what is newer than ${last} and move it on. */
static enum ln_status
print_new(struct ctx *c, int64_t *last, struct ln_error *err)
{
	struct ln_audit_list list = { NULL, 0 };
	int64_t newest = *last;
	enum ln_status s;

	if ((s = ln_audit_list(c->st, 0, 1, &list, err)) != LN_OK)
		return s;
	if (list.count > 0)
		newest = list.items[0]->id;
	ln_audit_list_free(&list);
	if (newest <= *last)
		return LN_OK;
	s = ln_audit_list(c->st, newest + 1, newest - *last, &list, err);
	if (s != LN_OK)
		return s;
	out_list(c->out, "audit", cols);
	print_rows(c, &list, *last);
	out_list_end(c->out);
	ln_audit_list_free(&list);
	*last = newest;
	return LN_OK;
}

static int
follow(struct ctx *c, int64_t last)
{
	const struct timespec pause = { 0, FOLLOW_NS };
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	while (!sig_interrupted()) {
		s = print_new(c, &last, &err);
		if (s != LN_OK && s != LN_BUSY)
			return ctx_fail(c, s, &err, NULL, "audit log");
		if (fflush(stdout) != 0)
			return ctx_finish(c);
		(void)nanosleep(&pause, NULL);
	}
	return EX_INTERRUPTED;
}

static int
audit_tail(struct ctx *c)
{
	bool is_following = opt_has(&c->args, O_FOLLOW);
	struct ln_audit_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	int64_t limit, last = 0;
	enum ln_status s;
	int rc;

	if (is_following && out_format(c->out) == OUT_JSON)
		return ctx_usage(c, "Take --jsonl",
		    "%s: --follow never ends, one object does", c->path);
	rc = opt_int(c, O_LIMIT, 1, ROWS_MAX, TAIL_DEFAULT, &limit);
	if (rc != EX_OK)
		return rc;
	if ((s = ln_audit_list(c->st, 0, limit, &list, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "audit log");
	if (list.count > 0)
		last = list.items[0]->id;
	out_list(c->out, "audit", cols);
	print_rows(c, &list, 0);
	out_list_end(c->out);
	ln_audit_list_free(&list);
	if (!is_following)
		return ctx_finish(c);
	(void)fflush(stdout);
	return follow(c, last);
}

/* An account that is gone is still there by its id. */
static int
find_actor(struct ctx *c, const char *name, char **out)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	enum ln_status s = LN_NOT_FOUND;

	if (strcmp(name, "shell") != 0 && strcmp(name, "system") != 0)
		s = ln_user_find(c->st, name, &u, &err);
	if (s != LN_OK && s != LN_NOT_FOUND)
		return ctx_fail(c, s, &err, NULL, "%s", name);
	*out = strdup(u != NULL ? u->id : name);
	ln_user_free(u);
	return *out != NULL ? EX_OK :
	    ctx_fail(c, LN_NOMEM, NULL, NULL, "%s", name);
}

static int
audit_search(struct ctx *c)
{
	struct ln_audit_filter filter = { .size = sizeof(filter) };
	struct ln_audit_list list = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	char *actor = NULL;
	enum ln_status s;
	int rc;

	if ((rc = opt_int(c, O_LIMIT, 1, ROWS_MAX, SEARCH_DEFAULT,
	    &filter.limit)) != EX_OK ||
	    (rc = opt_past(c, O_SINCE, &filter.since_ms)) != EX_OK ||
	    (rc = opt_past(c, O_UNTIL, &filter.until_ms)) != EX_OK)
		return rc;
	if (opt_has(&c->args, O_ACTOR) &&
	    (rc = find_actor(c, ctx_opt(c, O_ACTOR), &actor)) != EX_OK)
		return rc;
	filter.actor = actor;
	filter.action = ctx_opt(c, O_ACTION);
	s = ln_audit_search(c->st, &filter, &list, &err);
	ln_free(actor);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "audit log");
	out_list(c->out, "audit", cols);
	print_rows(c, &list, 0);
	out_list_end(c->out);
	ln_audit_list_free(&list);
	return ctx_finish(c);
}

static int
audit_verify(struct ctx *c)
{
	int64_t first_bad = 0, count = 0;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	s = ln_audit_verify(c->st, &first_bad, &count, &err);
	if (s != LN_OK && s != LN_CORRUPT)
		return ctx_fail(c, s, &err, NULL, "audit log");
	out_str(c->out, "result", s == LN_OK ? "whole" : "broken");
	out_int(c->out, "rows", count);
	if (s != LN_OK)
		out_int(c->out, "first_bad_id", first_bad);
	else
		out_say(c->out, "audit log: whole, %lld rows",
		    (long long)count);
	rc = ctx_finish(c);
	if (rc != EX_OK || s == LN_OK)
		return rc;
	return ctx_refuse(c, EX_INVALID, "corrupt",
	    "a row was edited or removed, or SECRET_KEY is another one", "",
	    "audit log, row %lld", (long long)first_bad);
}

static const enum opt_id tail_opts[] = { O_LIMIT, O_FOLLOW, O_END };
static const enum opt_id search_opts[] = { O_ACTOR, O_ACTION, O_SINCE, O_UNTIL,
	O_LIMIT, O_END };
static const struct verb verbs[] = {
	{ "tail", audit_tail, tail_opts, "", CMD_STORE_RO | CMD_SIGNALS,
	    "print the latest rows" },
	{ "search", audit_search, search_opts, "", CMD_STORE_RO,
	    "print the latest rows that fit" },
	{ "verify", audit_verify, NULL, "", CMD_STORE_RO | CMD_KEYS,
	    "find any edit or removal" },
};
const struct noun noun_audit = { "audit", "the audit log", verbs,
	nitems(verbs) };

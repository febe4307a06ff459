#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <ln/transfer.h>

/* Everything of one person, as a file. */

struct job {
	struct ctx *c;
	const struct ln_user *u;
	int fd;
	int64_t bytes;
	int error;		/* errno of a write that failed */
	enum ln_status s;
	struct ln_error err;
};

static enum ln_status
take(void *arg, const char *p, size_t n, struct ln_error *err)
{
	struct job *j = arg;

	if ((j->error = file_write(j->fd, p, n)) != 0)
		return ln_fail(err, LN_IO, "", "errno %d", j->error);
	j->bytes += (int64_t)n;
	return LN_OK;
}

static int
run(void *arg, int fd)
{
	struct job *j = arg;

	j->fd = fd;
	j->s = ln_export_user(j->c->st, j->u->id, take, j, &j->err);
	if (j->s == LN_OK)
		return 0;
	return j->error != 0 ? j->error : EIO;
}

int
person_export(struct ctx *c, const struct ln_user *u, const char *path,
    int64_t *out_bytes, const char *hint)
{
	struct job j = { .c = c, .u = u, .err = LN_ERROR_INIT };
	int e;

	*out_bytes = 0;
	e = strcmp(path, "-") == 0 ? run(&j, STDOUT_FILENO) :
	    file_create_by(path, run, &j);
	*out_bytes = j.bytes;
	if (j.s != LN_OK && j.error == 0)
		return ctx_fail(c, j.s, &j.err, hint, "%s", u->username);
	if (e != 0)
		return ctx_refuse(c, e == EEXIST ? EX_CONFLICT : EX_FAILED,
		    e == EEXIST ? "conflict" : "io", strerror(e), hint, "%s",
		    path);
	return EX_OK;
}

/* --- in ------------------------------------------------------------------- */

static void
report_fields(struct out *o, const struct ln_data_report *r)
{
	static const struct out_col counts[] = { { "what", OUT_STR, false },
		{ "added", OUT_INT, false }, { "present", OUT_INT, false },
		{ "skipped", OUT_INT, false }, { NULL, OUT_STR, false } };
	static const struct out_col notes[] = { { "what", OUT_STR, false },
		{ "reason", OUT_STR, false }, { "is_kept", OUT_BOOL, false },
		{ "count", OUT_INT, false }, { NULL, OUT_STR, false } };
	size_t i;

	out_list(o, "counts", counts);
	for (i = 0; i < LN_DATA_KINDS; i++)
		out_row(o, r->counts[i].what, r->counts[i].added,
		    r->counts[i].present, r->counts[i].skipped);
	out_list_end(o);
	out_list(o, "notes", notes);
	for (i = 0; i < r->note_count; i++)
		out_row(o, r->notes[i].what, r->notes[i].reason,
		    (int)r->notes[i].is_kept, r->notes[i].count);
	out_list_end(o);
}

int
history_import(struct ctx *c)
{
	const char *path = ctx_word(c, 0);
	struct ln_data_opts opts = { .size = sizeof(opts),
		.is_dry_run = opt_has(&c->args, O_DRY_RUN) };
	struct ln_data_report *r = NULL;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_user *u = NULL;
	struct progress p;
	enum ln_status s;
	int rc;

	if ((rc = ctx_person(c, &u)) != EX_OK)
		return rc;
	progress_init(&p, c, "importing");
	opts.progress = progress_step;
	opts.progress_arg = &p;
	s = ln_data_import(c->st, c->cfg, u->id, path, &opts, &r, &err);
	progress_done(&p);
	if (s == LN_INVALID)
		rc = ctx_refuse(c, EX_INVALID, "invalid",
		    ln_error_text(&err, s), "Nothing was imported", "%s",
		    path);
	else if (s != LN_OK)
		rc = ctx_fail(c, s, &err, NULL, "%s", path);
	else {
		out_str(c->out, "result", opts.is_dry_run ? "would_import" :
		    "imported");
		out_str(c->out, "format", r->format);
		out_str(c->out, "username", u->username);
		report_fields(c->out, r);
		rc = ctx_finish(c);
	}
	ln_free(r);
	ln_user_free(u);
	return rc;
}

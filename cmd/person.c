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

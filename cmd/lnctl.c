#include "cmd.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/json.h>
#include <ln/log.h>

/* Global options, lookup of the command, its preconditions, its exit code. */

int
exit_code(enum ln_status s)
{
	switch (s) {
	case LN_OK:
		return EX_OK;
	case LN_INVALID:
	case LN_TOO_LARGE:
		return EX_USAGE;
	case LN_UNAUTHENTICATED:
	case LN_FORBIDDEN:
		return EX_REFUSED;
	case LN_NOT_FOUND:
		return EX_NOT_FOUND;
	case LN_CONFLICT:
		return EX_CONFLICT;
	case LN_BUSY:
		return EX_BUSY;
	case LN_UPSTREAM:
	case LN_TIMEOUT:
		return EX_UPSTREAM;
	case LN_CANCELLED:
		return EX_INTERRUPTED;
	case LN_TOO_NEW:
		return EX_TOO_NEW;
	case LN_BAD_KEY:
		return EX_BAD_KEY;
	case LN_RATE_LIMITED:
	case LN_UNSUPPORTED:
	case LN_CORRUPT:
	case LN_NOMEM:
	case LN_IO:
	case LN_INTERNAL:
		return EX_FAILED;
	}
	return EX_FAILED;
}

int
provider_exit_code(enum ln_status s)
{
	switch (s) {
	case LN_INVALID:
	case LN_TOO_LARGE:
	case LN_UNAUTHENTICATED:
	case LN_RATE_LIMITED:
	case LN_UNSUPPORTED:
		return EX_UPSTREAM;
	case LN_OK:
	case LN_FORBIDDEN:
	case LN_NOT_FOUND:	/* the model */
	case LN_CONFLICT:
	case LN_BUSY:
	case LN_UPSTREAM:
	case LN_TIMEOUT:
	case LN_CANCELLED:
	case LN_TOO_NEW:
	case LN_BAD_KEY:
	case LN_CORRUPT:
	case LN_NOMEM:
	case LN_IO:
	case LN_INTERNAL:
		return exit_code(s);
	}
	return EX_FAILED;
}

/* What helps against an outcome in general. */
static const char *
general_hint(enum ln_status s)
{
	switch (s) {
	case LN_BAD_KEY:
		return "SECRET_KEY must be the one that goes with this database";
	case LN_TOO_NEW:
		return "Install a newer lnctl; nothing was touched";
	case LN_CORRUPT:
		return "See what is wrong with `lnctl db check --full`";
	case LN_UPSTREAM:
	case LN_TIMEOUT:
		return "See what is set with `lnctl provider show`";
	case LN_IO:
	case LN_INTERNAL:
		return "Add -v for details";
	case LN_OK:
	case LN_INVALID:
	case LN_TOO_LARGE:
	case LN_UNAUTHENTICATED:
	case LN_FORBIDDEN:
	case LN_NOT_FOUND:
	case LN_CONFLICT:
	case LN_BUSY:
	case LN_CANCELLED:
	case LN_RATE_LIMITED:
	case LN_UNSUPPORTED:
	case LN_NOMEM:
		return "";
	}
	return "";
}

/* Append ${s} and see to it that it ends as a sentence does. */
static void
put_sentence(struct ln_buf *b, const char *s)
{
	size_t n = strlen(s);

	if (n == 0)
		return;
	ln_buf_puts(b, s);
	if (s[n - 1] != '.')
		ln_buf_putc(b, '.');
}

static void
print_error_object(int code, const char *token, const char *field,
    const char *message)
{
	struct ln_buf b = LN_BUF_INIT(16384);
	struct ln_jw *w = ln_jw_new();

	ln_jw_object(w, NULL);
	ln_jw_string(w, "error", message);
	ln_jw_string(w, "code", token);
	if (field != NULL)
		ln_jw_string(w, "field", field);
	ln_jw_int(w, "exit", code);
	ln_jw_end(w);
	if (ln_jw_print(w, false, &b) == LN_OK)
		(void)fprintf(stdout, "%s\n", ln_buf_str(&b));
	ln_jw_free(w);
	ln_buf_free(&b);
}

static int LN_PRINTF(7, 0)
tell(struct ctx *c, int code, const char *token, const char *field,
    const char *why, const char *hint, const char *what, va_list ap)
{
	struct ln_buf b = LN_BUF_INIT(8192);
	char name[1024];

	(void)vsnprintf(name, sizeof(name), what, ap);
	if (why[0] != '\0') {
		ln_buf_printf(&b, "%s: ", name);
		put_sentence(&b, why);
	} else
		put_sentence(&b, name);
	if (hint[0] != '\0') {
		ln_buf_putc(&b, ' ');
		put_sentence(&b, hint);
	}
	(void)fflush(stdout);
	(void)fputs("lnctl: ", stderr);
	out_text(stderr, ln_buf_str(&b), b.len);
	(void)fputc('\n', stderr);
	if (c->out != NULL && out_format(c->out) != OUT_TABLE &&
	    !out_has_content(c->out) && !c->has_failed)
		print_error_object(code, token, field, ln_buf_str(&b));
	c->has_failed = true;
	ln_buf_free(&b);
	return code;
}

static int LN_PRINTF(6, 0)
fail(struct ctx *c, int code, enum ln_status s, const struct ln_error *err,
    const char *hint, const char *what, va_list ap)
{
	char sentence[LN_ERROR_SENTENCE_SIZE];

	code = tell(c, code, ln_status_token(s), err != NULL ? err->field :
	    NULL, ln_error_sentence(err, s, sentence), hint != NULL ? hint :
	    general_hint(s), what, ap);
	if (c->is_verbose && err != NULL && err->detail[0] != '\0') {
		(void)fputs("lnctl: detail: ", stderr);
		out_text(stderr, err->detail, strlen(err->detail));
		(void)fputc('\n', stderr);
	}
	return code;
}

int
ctx_fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *hint, const char *what, ...)
{
	va_list ap;
	int code;

	va_start(ap, what);
	code = fail(c, exit_code(s), s, err, hint, what, ap);
	va_end(ap);
	return code;
}

int
ctx_fail_provider(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *hint, const char *what, ...)
{
	va_list ap;
	int code;

	/* What helps in general is meant for failures of ours. */
	if (hint == NULL && exit_code(s) != provider_exit_code(s))
		hint = "";
	va_start(ap, what);
	code = fail(c, provider_exit_code(s), s, err, hint, what, ap);
	va_end(ap);
	return code;
}

int
ctx_refuse(struct ctx *c, int code, const char *token, const char *why,
    const char *hint, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	(void)tell(c, code, token, NULL, why, hint != NULL ? hint : "", what,
	    ap);
	va_end(ap);
	return code;
}

int
ctx_usage(struct ctx *c, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)tell(c, EX_USAGE, "usage", NULL, "", hint != NULL ? hint : "",
	    fmt, ap);
	va_end(ap);
	return EX_USAGE;
}

void
ctx_note(struct ctx *c, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (c->is_quiet)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fflush(stdout);
	out_text(stderr, text, strlen(text));
	(void)fputc('\n', stderr);
}

int
ctx_finish(struct ctx *c)
{
	if (out_end(c->out))
		return EX_OK;
	return ctx_refuse(c, EX_FAILED, "io", "it could not be written",
	    "Is the disk full", "standard output");
}

/* --- signals -------------------------------------------------------------*/

static volatile sig_atomic_t interrupted, terminated;

static void
on_signal(int signo)
{
	interrupted = 1;
	if (signo != SIGINT)
		terminated = 1;
}

void
sig_catch(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	/* No SA_RESTART: a read that waits for a person must end. */
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
}

bool
sig_interrupted(void)
{
	return interrupted != 0;
}

bool
sig_terminated(void)
{
	return terminated != 0;
}

void
sig_reset(void)
{
	interrupted = 0;
}

/* --- running a command ---------------------------------------------------*/

/* Known before anything is parsed, so that the first error honours it. */
static enum out_format
wanted_format(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			return OUT_JSON;
		if (strcmp(argv[i], "--jsonl") == 0)
			return OUT_JSONL;
	}
	return OUT_TABLE;
}

static bool
wants_color(const char *when, int fd)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (when != NULL && strcmp(when, "always") == 0)
		return true;
	if (when != NULL && strcmp(when, "never") == 0)
		return false;
	if (no != NULL && no[0] != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}

static int
prepare(struct ctx *c)
{
	unsigned flags = c->verb->flags;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	if (flags == 0)
		return EX_OK;
	if ((s = ln_init(&err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "start");
	if ((flags & CMD_SIGNALS) != 0)
		sig_catch();
	if ((rc = ctx_config(c)) != EX_OK)
		return rc;
	if ((rc = ctx_act_as_owner(c)) != EX_OK)
		return rc;
	if ((flags & (CMD_STORE_RO | CMD_STORE_RW | CMD_KEYS)) != 0 &&
	    (rc = ctx_keys(c, (flags & CMD_KEYS) != 0)) != EX_OK)
		return rc;
	if ((flags & CMD_STORE_RW) != 0)
		return ctx_store(c, LN_STORE_RW);
	if ((flags & CMD_STORE_RO) != 0)
		return ctx_store(c, LN_STORE_RO);
	return EX_OK;
}

static int
show_help(struct ctx *c, FILE *f)
{
	if (c->noun == NULL)
		help_top(f);
	else if (c->verb == NULL)
		help_noun(f, c->noun);
	else
		help_verb(f, c->noun, c->verb);
	return f == stdout ? ctx_finish(c) : EX_USAGE;
}

static int
run(struct ctx *c, int argc, char **argv)
{
	int rc;

	if ((rc = opt_parse(c, argc, argv)) != EX_OK)
		return rc;
	if (opt_has(&c->args, O_JSON) && opt_has(&c->args, O_JSONL))
		return ctx_usage(c, NULL, "choose --json or --jsonl");
	c->is_quiet = opt_has(&c->args, O_QUIET);
	c->is_verbose = opt_has(&c->args, O_VERBOSE);
	c->is_interactive = !opt_has(&c->args, O_NO_INPUT) &&
	    isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
	c->has_color = wants_color(ctx_opt(c, O_COLOR), STDERR_FILENO);
	out_color(c->out, wants_color(ctx_opt(c, O_COLOR), STDOUT_FILENO));
	ln_log_level_set(c->is_verbose ? LN_LOG_INFO : LN_LOG_ERROR);
	if (opt_has(&c->args, O_HELP))
		return show_help(c, stdout);
	if (opt_has(&c->args, O_VERSION))
		return cmd_version(c);
	if (c->verb == NULL)
		return show_help(c, stderr);
	if ((rc = prepare(c)) != EX_OK)
		return rc;
	return c->verb->run(c);
}

int
main(int argc, char **argv)
{
	struct ctx c;
	int rc;

	(void)umask(077);
	memset(&c, 0, sizeof(c));
	(void)snprintf(c.path, sizeof(c.path), "command line");
	if ((c.out = out_new(wanted_format(argc, argv))) == NULL)
		rc = ctx_fail(&c, LN_NOMEM, NULL, NULL, "start");
	else
		rc = run(&c, argc, argv);
	ln_store_close(c.st);
	ln_keys_free(c.keys);
	ln_config_free(c.cfg);
	out_free(c.out);
	return rc;
}

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <ln/password.h>

#define RANDOM_PASSWORD_SIZE 21	/* 20 characters, 116 bits */
#define ANSWER_MAX 256

/*
 * Questions on the terminal.  Secrets come asked twice without echo, from
 * standard input, from a file only its owner can read, or from the random
 * source; never from the command line.
 */

/* One line from the terminal into ${b}, without its newline. */
static int
read_line(struct ctx *c, struct ln_buf *b)
{
	ssize_t n;
	char ch;

	for (;;) {
		n = read(STDIN_FILENO, &ch, 1);
		if (n < 0 && errno == EINTR) {
			if (sig_interrupted())
				return EX_INTERRUPTED;
			continue;
		}
		if (n < 0)
			return ctx_refuse(c, EX_FAILED, "io", strerror(errno),
			    "", "terminal");
		if (n == 0 && b->len == 0)
			return ctx_refuse(c, EX_USAGE, "invalid",
			    "the input ended before an answer", "", "%s",
			    c->path);
		if (n == 0 || ch == '\n')
			break;
		ln_buf_putc(b, ch);
	}
	if (ln_buf_status(b) != LN_OK)
		return ctx_refuse(c, EX_USAGE, "too_large",
		    "the answer is too long", "", "%s", c->path);
	return EX_OK;
}

/* Ask without echo; the terminal is as before whatever happens. */
static int
ask_secret(struct ctx *c, const char *question, const char *what,
    struct ln_buf *b)
{
	struct termios before, quiet;
	int rc;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return ctx_refuse(c, EX_FAILED, "io", strerror(errno), "",
		    "terminal");
	sig_catch();
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ICANON | ISIG;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	(void)fprintf(stderr, "%s%s: ", question, what);
	rc = read_line(c, b);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)fputc('\n', stderr);
	return rc;
}

static int
ask_twice(struct ctx *c, const char *what, char **out)
{
	struct ln_buf first = LN_BUF_SECRET_INIT(LN_PASSWORD_MAX + 1);
	struct ln_buf second = LN_BUF_SECRET_INIT(LN_PASSWORD_MAX + 1);
	int rc;

	if ((rc = ask_secret(c, "New ", what, &first)) != EX_OK)
		goto end;
	if ((rc = ask_secret(c, "Again, ", what, &second)) != EX_OK)
		goto end;
	if (strcmp(ln_buf_str(&first), ln_buf_str(&second)) != 0) {
		rc = ctx_refuse(c, EX_USAGE, "invalid",
		    "the two are not the same", "Nothing was changed", "%s",
		    what);
		goto end;
	}
	if (first.len == 0)
		rc = ctx_usage(c, NULL, "%s: it is empty", what);
	else if ((*out = ln_buf_steal(&first)) == NULL)
		rc = ctx_fail(c, LN_NOMEM, NULL, NULL, "%s", what);
end:
	ln_buf_free(&first);
	ln_buf_free(&second);
	return rc;
}

int
tty_read_all(struct ctx *c, int fd, struct ln_buf *out, const char *what)
{
	char piece[4096];
	ssize_t n;
	int rc = EX_OK;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR && !sig_interrupted())
			continue;
		if (n < 0) {
			rc = errno == EINTR ? EX_INTERRUPTED :
			    ctx_refuse(c, EX_FAILED, "io", strerror(errno),
			    "", "%s", what);
			break;
		}
		ln_buf_put(out, piece, (size_t)n);
		if (ln_buf_status(out) != LN_OK) {
			rc = ctx_fail(c, ln_buf_status(out), NULL, "", "%s",
			    what);
			break;
		}
	}
	ln_wipe(piece, sizeof(piece));
	return rc;
}

static int
secret_from_stdin(struct ctx *c, const char *what, char **out)
{
	struct ln_buf b = LN_BUF_SECRET_INIT(SECRET_BYTES_MAX);
	int rc;

	if ((rc = tty_read_all(c, STDIN_FILENO, &b, "standard input")) !=
	    EX_OK)
		goto end;
	if (b.len > 0 && b.data[b.len - 1] == '\n') {
		b.data[--b.len] = '\0';
		if (b.len > 0 && b.data[b.len - 1] == '\r')
			b.data[--b.len] = '\0';
	}
	if (b.len == 0)
		rc = ctx_usage(c, NULL, "%s: standard input is empty", what);
	else if (strlen(b.data) != b.len)
		rc = ctx_usage(c, NULL, "%s: standard input holds a NUL byte",
		    what);
	else if ((*out = ln_buf_steal(&b)) == NULL)
		rc = ctx_fail(c, LN_NOMEM, NULL, NULL, "%s", what);
end:
	ln_buf_free(&b);
	return rc;
}

static int
secret_from_file(struct ctx *c, const char *path, char **out)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_secret_read_file(path, SECRET_BYTES_MAX, out, &err);
	if (s == LN_FORBIDDEN)
		return ctx_fail(c, s, &err,
		    "A secret file is a regular file, mode 0600", "%s", path);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", path);
	if ((*out)[0] != '\0')
		return EX_OK;
	ln_wipe_free(*out);
	*out = NULL;
	return ctx_usage(c, NULL, "%s: the file is empty", path);
}

int
tty_random(struct ctx *c, char **out)
{
	struct ln_buf b = LN_BUF_SECRET_INIT(RANDOM_PASSWORD_SIZE);
	char word[RANDOM_PASSWORD_SIZE];

	ln_random_password(word, sizeof(word));
	ln_buf_puts(&b, word);
	ln_wipe(word, sizeof(word));
	*out = ln_buf_steal(&b);
	if (*out == NULL)
		return ctx_fail(c, LN_NOMEM, NULL, NULL, "password");
	return EX_OK;
}

int
tty_secret(struct ctx *c, const char *what, bool is_optional, char **out,
    bool *out_is_random)
{
	const char *file = ctx_opt(c, O_PASSWORD_FILE);
	bool is_stdin = opt_has(&c->args, O_PASSWORD_STDIN);
	bool is_random = opt_has(&c->args, O_RANDOM);

	*out = NULL;
	*out_is_random = false;
	if ((file != NULL) + is_stdin + is_random > 1)
		return ctx_usage(c, NULL, "%s: choose one of --password-stdin,"
		    " --password-file and --random", c->path);
	if (file != NULL)
		return secret_from_file(c, file, out);
	if (is_stdin)
		return secret_from_stdin(c, what, out);
	if (is_random) {
		*out_is_random = true;
		return tty_random(c, out);
	}
	if (is_optional)
		return EX_OK;
	if (!c->is_interactive)
		return ctx_usage(c, "Use --password-stdin, --password-file"
		    " FILE or --random", "%s: no %s was given", c->path, what);
	return ask_twice(c, what, out);
}

int
tty_key(struct ctx *c, char **out)
{
	const char *file = ctx_opt(c, O_KEY_FILE);
	bool is_stdin = opt_has(&c->args, O_KEY_STDIN);
	bool is_clear = opt_has(&c->args, O_CLEAR_KEY);
	struct ln_buf nothing = LN_BUF_INIT(1);

	*out = NULL;
	if ((file != NULL) + is_stdin + is_clear > 1)
		return ctx_usage(c, NULL, "%s: choose one of --key-stdin,"
		    " --key-file and --clear-key", c->path);
	if (file != NULL)
		return secret_from_file(c, file, out);
	if (is_stdin)
		return secret_from_stdin(c, "API key", out);
	if (!is_clear)
		return EX_OK;
	if ((*out = ln_buf_steal(&nothing)) == NULL)
		return ctx_fail(c, LN_NOMEM, NULL, NULL, "API key");
	return EX_OK;
}

/* Print a question safely: names in it are not ours. */
static void LN_PRINTF(1, 0)
print_question(const char *fmt, va_list ap)
{
	char text[1024];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	out_text(stderr, text, strlen(text));
}

int
tty_confirm(struct ctx *c, const char *question, ...)
{
	struct ln_buf b = LN_BUF_INIT(ANSWER_MAX);
	const char *answer;
	va_list ap;
	int rc;

	if (opt_has(&c->args, O_YES))
		return EX_OK;
	if (!c->is_interactive)
		return ctx_usage(c, "Add --yes", "%s: nobody can be asked"
		    " whether this is meant", c->path);
	va_start(ap, question);
	print_question(question, ap);
	va_end(ap);
	(void)fputs(" [y/N] ", stderr);
	if ((rc = read_line(c, &b)) == EX_OK) {
		answer = ln_buf_str(&b);
		if (strcmp(answer, "y") != 0 && strcmp(answer, "Y") != 0 &&
		    strcmp(answer, "yes") != 0)
			rc = ctx_refuse(c, EX_REFUSED, "cancelled",
			    "not confirmed", "Nothing was changed", "%s",
			    c->path);
	}
	ln_buf_free(&b);
	return rc;
}

int
tty_confirm_name(struct ctx *c, const char *name)
{
	struct ln_buf b = LN_BUF_INIT(ANSWER_MAX * 2);
	const char *given = ctx_opt(c, O_CONFIRM);
	int rc = EX_OK;

	if (given == NULL && !c->is_interactive)
		return ctx_usage(c, "Add --confirm with the exact name",
		    "%s: this cannot be undone", c->path);
	if (given == NULL) {
		(void)fputs("This cannot be undone.  Type ", stderr);
		out_text(stderr, name, strlen(name));
		(void)fputs(" to go on: ", stderr);
		if ((rc = read_line(c, &b)) != EX_OK)
			goto end;
		given = ln_buf_str(&b);
	}
	if (strcmp(given, name) != 0)
		rc = ctx_refuse(c, EX_REFUSED, "cancelled",
		    "the confirmation is not the name", "Nothing was changed",
		    "%s", c->path);
end:
	ln_buf_free(&b);
	return rc;
}

#include "talk.h"

#include <dlfcn.h>
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define LIBEDIT "libedit.so.2"
#define HISTORY_MAX 1000	/* lines kept */
#define PATH_SIZE 4096
#define CTRL_G 7

/*
 * libedit and the terminal library behind it cost a fifth of lnctl's start,
 * and only a person at a prompt needs them: they are loaded here, on demand.
 */
static struct {
	EditLine *(*el_init)(const char *, FILE *, FILE *, FILE *);
	void (*el_end)(EditLine *);
	int (*el_set)(EditLine *, int, ...);
	int (*el_get)(EditLine *, int, ...);
	const char *(*el_gets)(EditLine *, int *);
	const LineInfo *(*el_line)(EditLine *);
	History *(*history_init)(void);
	void (*history_end)(History *);
	int (*history)(History *, HistEvent *, int, ...);
} edit;

struct repl {
	struct ctx *c;
	EditLine *el;
	History *history;
	FILE *screen;		/* buffered: an unbuffered stderr is slow */
	char history_path[PATH_SIZE];
	struct ln_buf edited;	/* what an editor made of the line */
	char *plain;		/* getline's */
	size_t plain_size;
};

/* libedit asks for the prompt through a function without an argument of ours;
 * a process has one prompt. */
static char current_prompt[64];

static char *
prompt_of(EditLine *el)
{
	(void)el;
	return current_prompt;
}

static bool
load(void)
{
	const struct {
		const char *name;
		void *slot;
	} symbols[] = {
		{ "el_init", &edit.el_init },
		{ "el_end", &edit.el_end },
		{ "el_set", &edit.el_set },
		{ "el_get", &edit.el_get },
		{ "el_gets", &edit.el_gets },
		{ "el_line", &edit.el_line },
		{ "history_init", &edit.history_init },
		{ "history_end", &edit.history_end },
		{ "history", &edit.history },
	};
	void *library = dlopen(LIBEDIT, RTLD_NOW | RTLD_LOCAL), *p;
	size_t i;

	if (library == NULL)
		return false;
	for (i = 0; i < nitems(symbols); i++) {
		if ((p = dlsym(library, symbols[i].name)) == NULL)
			return false;
		/* ISO C has no cast from void * to a function. */
		memcpy(symbols[i].slot, &p, sizeof(p));
	}
	return true;
}

/* Ctrl-G.  True when the editor left another line than there was; it is in
 * edited then.  One that is left as it was stays on the terminal. */
static bool
edit_line(EditLine *el)
{
	struct ln_buf before = LN_BUF_INIT(LN_CHAT_PROMPT_MAX);
	struct repl *r = NULL;
	const LineInfo *line = edit.el_line(el);
	bool is_changed;

	if (edit.el_get(el, EL_CLIENTDATA, &r) != 0 || r == NULL)
		return false;
	ln_buf_put(&before, line->buffer,
	    (size_t)(line->lastchar - line->buffer));
	(void)fputc('\n', r->screen);
	(void)fflush(r->screen);
	(void)edit.el_set(el, EL_PREP_TERM, 0);
	is_changed = edit_text(r->c, ln_buf_str(&before), &r->edited) ==
	    EX_OK && r->edited.len > 0 &&
	    strcmp(ln_buf_str(&r->edited), ln_buf_str(&before)) != 0;
	(void)edit.el_set(el, EL_PREP_TERM, 1);
	/* The person has read why, and goes on. */
	r->c->has_failed = false;
	if (!is_changed) {
		ln_buf_clear(&r->edited);
		(void)edit.el_set(el, EL_REFRESH);
	}
	ln_buf_free(&before);
	return is_changed;
}

/*
 * libedit would start a read that SIGINT ended once more; a person who presses
 * Ctrl-C wants out of the line at once.
 */
static int
read_char(EditLine *el, wchar_t *out)
{
	mbstate_t state;
	unsigned char byte;
	size_t got;
	ssize_t n;

	memset(&state, 0, sizeof(state));
	for (;;) {
		n = read(STDIN_FILENO, &byte, 1);
		if (n < 0 && errno == EINTR && !sig_interrupted())
			continue;
		if (n <= 0)
			return (int)n;
		/* Here and not as a function of libedit, which never frees
		 * the names of those that are added. */
		if (byte == CTRL_G && mbsinit(&state) != 0) {
			if (!edit_line(el))
				continue;
			*out = L'\n';
			return 1;
		}
		got = mbrtowc(out, (const char *)&byte, 1, &state);
		if (got == (size_t)-2)
			continue;
		if (got == (size_t)-1) {
			memset(&state, 0, sizeof(state));
			continue;
		}
		return 1;
	}
}

/* $XDG_STATE_HOME/localneural/history, its folders made private. */
static bool
history_file(char *dst, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *p;
	int n;

	if (state != NULL && state[0] == '/')
		n = snprintf(dst, size, "%s/localneural/history", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(dst, size, "%s/.local/state/localneural/history",
		    home);
	else
		return false;
	if (n < 0 || (size_t)n >= size)
		return false;
	for (p = strchr(dst + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dst, 0700) != 0 && errno != EEXIST) {
			*p = '/';
			return false;
		}
		*p = '/';
	}
	return true;
}

static void
start_editing(struct repl *r)
{
	HistEvent ev;
	int fd;

	if (!load())
		return;
	/* Names in the person's own language need its character set. */
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	if ((fd = dup(STDERR_FILENO)) < 0)
		return;
	if ((r->screen = fdopen(fd, "w")) == NULL) {
		(void)close(fd);
		return;
	}
	r->el = edit.el_init("lnctl", stdin, r->screen, r->screen);
	if (r->el == NULL)
		return;
	(void)edit.el_set(r->el, EL_PROMPT, prompt_of);
	(void)edit.el_set(r->el, EL_EDITOR, "emacs");
	(void)edit.el_set(r->el, EL_GETCFN, read_char);
	(void)edit.el_set(r->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	(void)edit.el_set(r->el, EL_CLIENTDATA, r);
	if ((r->history = edit.history_init()) == NULL)
		return;
	(void)edit.history(r->history, &ev, H_SETSIZE, HISTORY_MAX);
	(void)edit.history(r->history, &ev, H_SETUNIQUE, 1);
	(void)edit.el_set(r->el, EL_HIST, edit.history, r->history);
	if (history_file(r->history_path, sizeof(r->history_path)))
		(void)edit.history(r->history, &ev, H_LOAD, r->history_path);
	else
		r->history_path[0] = '\0';
}

struct repl *
repl_new(struct ctx *c)
{
	const struct ln_buf empty = LN_BUF_INIT(LN_CHAT_PROMPT_MAX);
	struct repl *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->c = c;
	r->edited = empty;
	if (c->is_interactive)
		start_editing(r);
	return r;
}

void
repl_free(struct repl *r)
{
	HistEvent ev;

	if (r == NULL)
		return;
	if (r->history != NULL) {
		if (r->history_path[0] != '\0') {
			(void)edit.history(r->history, &ev, H_SAVE,
			    r->history_path);
			(void)chmod(r->history_path, 0600);
		}
		edit.history_end(r->history);
	}
	if (r->el != NULL)
		edit.el_end(r->el);
	if (r->screen != NULL)
		(void)fclose(r->screen);
	ln_buf_free(&r->edited);
	free(r->plain);
	free(r);
}

static enum repl_outcome
read_edited(struct repl *r, const char *prompt, struct ln_buf *line)
{
	HistEvent ev;
	const char *text;
	int n = 0;

	(void)snprintf(current_prompt, sizeof(current_prompt), "%s", prompt);
	ln_buf_clear(&r->edited);
	text = edit.el_gets(r->el, &n);
	if (text != NULL && r->edited.len > 0) {
		text = ln_buf_str(&r->edited);
		out_text(r->screen, text, r->edited.len);
		(void)fputc('\n', r->screen);
		(void)fflush(r->screen);
		/* The history is one of lines. */
		if (strchr(text, '\n') == NULL && r->history != NULL)
			(void)edit.history(r->history, &ev, H_ENTER, text);
		ln_buf_put(line, text, r->edited.len);
		return REPL_LINE;
	}
	if (text == NULL || n <= 0) {
		(void)fputc('\n', r->screen);
		(void)fflush(r->screen);
		if (sig_interrupted())
			return REPL_INTERRUPTED;
		return n < 0 ? REPL_FAILED : REPL_END;
	}
	if (text[0] != '\n' && r->history != NULL)
		(void)edit.history(r->history, &ev, H_ENTER, text);
	ln_buf_put(line, text, (size_t)n);
	return REPL_LINE;
}

static enum repl_outcome
read_plain(struct repl *r, const char *prompt, struct ln_buf *line)
{
	ssize_t n;

	if (r->c->is_interactive) {
		(void)fputs(prompt, stderr);
		(void)fflush(stderr);
	}
	errno = 0;
	n = getline(&r->plain, &r->plain_size, stdin);
	if (n < 0) {
		clearerr(stdin);
		if (sig_interrupted())
			return REPL_INTERRUPTED;
		return errno != 0 ? REPL_FAILED : REPL_END;
	}
	ln_buf_put(line, r->plain, (size_t)n);
	return REPL_LINE;
}

enum repl_outcome
repl_read(struct repl *r, const char *prompt, struct ln_buf *line)
{
	enum repl_outcome outcome;

	ln_buf_clear(line);
	outcome = r->el != NULL ? read_edited(r, prompt, line) :
	    read_plain(r, prompt, line);
	if (outcome == REPL_LINE && line->len > 0 &&
	    line->data[line->len - 1] == '\n')
		line->data[--line->len] = '\0';
	if (outcome == REPL_LINE && ln_buf_status(line) != LN_OK)
		return REPL_FAILED;
	return outcome;
}

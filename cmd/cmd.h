#ifndef LNCTL_CMD_H
#define LNCTL_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ln/base.h>
#include <ln/buf.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/secret.h>
#include <ln/store.h>
#include <ln/user.h>

/*
 * lnctl: words become calls of libln.  One table of nouns and verbs drives
 * parsing, help, completion and the check of the manual page; commands emit
 * fields and rows, writers format them.
 */

/* Exit codes, a promise to scripts (see lnctl(1)). */
enum exit_code {
	EX_OK = 0,
	EX_FAILED = 1,
	EX_USAGE = 2,
	EX_PARTIAL = 3,
	EX_NOT_FOUND = 4,
	EX_CONFLICT = 5,
	EX_REFUSED = 6,
	EX_INVALID = 7,
	EX_UPSTREAM = 8,
	EX_NO_DATABASE = 10,
	EX_BUSY = 11,
	EX_BAD_KEY = 12,
	EX_TOO_NEW = 13,
	EX_INTERRUPTED = 130,
};

/* --- options (opt.c) ---------------------------------------------------- */

/* What a shell offers for an option's value or an argument. */
enum complete { C_NONE, C_FILE, C_DIR, C_WORDS };

enum opt_id {
#define OPT(id, name, letter, arg, complete, help) O_##id,
#include "opts.def"
#undef OPT
	O_COUNT,
};

/**
 * struct opt:
 * One row of opts.def.  ${arg} is NULL for a flag; for C_WORDS it lists the
 * allowed values separated by "|" and the parser enforces them.
 */
struct opt {
	const char *name;
	char letter;
	const char *arg;
	enum complete complete;
	const char *help;
};
extern const struct opt opt_table[O_COUNT];
extern const enum opt_id opt_globals[];

/* Lists of option ids end with O_COUNT. */
#define O_END O_COUNT
#define O_SECRET O_PASSWORD_STDIN, O_PASSWORD_FILE, O_RANDOM

/**
 * struct args:
 * What the command line said: ${value} by option (NULL: not given, "" for a
 * flag), every file of --attach, which alone may be given again, then the
 * words.  All borrowed from argv.
 */
#define ATTACH_MAX 16
struct args {
	const char *value[O_COUNT];
	const char *attached[ATTACH_MAX];
	size_t attached_count;
	char **words;
	size_t count;
};

struct ctx;

/* Preconditions and permissions of a command. */
#define CMD_CONFIG 0x01		/* load env file and environment */
#define CMD_STORE_RO 0x02	/* open the database for reading */
#define CMD_STORE_RW 0x04	/* ... for writing */
#define CMD_KEYS 0x08		/* refuse without a sound SECRET_KEY */
#define CMD_CONFIRM 0x10	/* --yes, or a yes on the terminal */
#define CMD_MAKE_ENV 0x40	/* an --env-file that is missing will be made */
#define CMD_SIGNALS 0x20	/* SIGINT sets ctx_interrupted() */

struct verb {
	const char *name;	/* NULL: the noun is the whole command */
	int (*run)(struct ctx *);
	const enum opt_id *opts;	/* ends with O_END, or NULL */
	const char *args;	/* "U", "[FILE]", "U..." */
	unsigned flags;
	const char *help;	/* one phrase, lower case, no period */
};

struct noun {
	const char *name;
	const char *help;
	const struct verb *verbs;
	size_t count;
};

#define nitems(a) (sizeof(a) / sizeof((a)[0]))

/* The table (table.c), in the order help shows; ended by NULL. */
extern const struct noun *const nouns[];

/**
 * opt_parse(c, argc, argv):
 * Fill noun, verb and args of ${c}.  EX_OK, or EX_USAGE after it has told
 * why on standard error.  --help and --version are left to the caller, who
 * finds them in the args; then noun and verb may be NULL.
 */
int opt_parse(struct ctx *c, int argc, char **argv);

static inline bool
opt_has(const struct args *a, enum opt_id id)
{
	return a->value[id] != NULL;
}

/**
 * opt_int(c, id, min, max, fallback, out):
 * The option as a whole number.  EX_OK or EX_USAGE.
 */
int opt_int(struct ctx *c, enum opt_id id, int64_t min, int64_t max,
    int64_t fallback, int64_t *out);

/**
 * opt_past(c, id, out):
 * The option as a point in time; a distance counts back from now.  0 when it
 * was not given.  EX_OK or EX_USAGE.
 */
int opt_past(struct ctx *c, enum opt_id id, int64_t *out);

/* Positional words a command takes: the fewest and the most (SIZE_MAX). */
void opt_word_bounds(const char *args, size_t *out_min, size_t *out_max);

/**
 * opt_nearest(word, next, arg):
 * The candidate closest to ${word} that is close enough to be meant, or NULL.
 * ${next}(arg, i) gives the i-th candidate, NULL at the end.
 */
const char *opt_nearest(const char *word,
    const char *(*next)(const void *arg, size_t i), const void *arg);

/* --- writers (out.c) ---------------------------------------------------- */

enum out_format { OUT_TABLE, OUT_JSON, OUT_JSONL };
enum out_type { OUT_STR, OUT_INT, OUT_BOOL, OUT_TIME, OUT_BYTES };

/* A column; ${is_extra} ones are in JSON only, they would crowd a screen. */
struct out_col {
	const char *name;
	enum out_type type;
	bool is_extra;
};

struct out;

/**
 * out_new(format) / out_free(o):
 * A document on standard output.  JSON: always one object on one line.
 * JSON lines: every row is a line as it comes, then the fields in one.
 * Table: fields as "name  value", rows as columns.  NULL without memory.
 */
struct out *out_new(enum out_format format);
void out_free(struct out *o);
enum out_format out_format(const struct out *o);
void out_color(struct out *o, bool has_color);
bool out_has_color(const struct out *o);

/* Fields of the object.  A NULL text and a time of 0 are null. */
void out_str(struct out *o, const char *name, const char *v);
void out_int(struct out *o, const char *name, int64_t v);
void out_bool(struct out *o, const char *name, bool v);
void out_time(struct out *o, const char *name, int64_t ms);
void out_bytes(struct out *o, const char *name, int64_t n);

/**
 * out_open(o, name) / out_close(o):
 * The fields between are an object of their own in JSON ("user": {...}).
 */
void out_open(struct out *o, const char *name);
void out_close(struct out *o);

/**
 * out_list(o, name, cols) / out_row(o, ...) / out_list_end(o):
 * An array of objects.  ${cols} ends with a NULL name; out_row takes one
 * argument a column: const char *, int64_t, or int for OUT_BOOL.
 */
void out_list(struct out *o, const char *name, const struct out_col *cols);
void out_row(struct out *o, ...);
void out_list_end(struct out *o);

/**
 * out_say(o, fmt, ...):
 * A line for people, instead of the fields; not in JSON.
 */
void out_say(struct out *o, const char *fmt, ...) LN_PRINTF(2, 3);

/* Whether anything was emitted. */
bool out_has_content(const struct out *o);

/**
 * out_end(o):
 * Write what is due.  False when standard output could not be written.
 */
bool out_end(struct out *o);

/* Text for people: without what could drive a terminal.  ${n} bytes. */
void out_text(FILE *f, const char *s, size_t n);

/* "14.2 MiB" into ${dst}; returns it. */
#define OUT_SIZE_SIZE 24
char *out_size(int64_t bytes, char dst[OUT_SIZE_SIZE]);

/* --- the running command (lnctl.c, ctx.c) ------------------------------- */

struct ctx {
	const struct noun *noun;
	const struct verb *verb;
	struct args args;
	struct ln_config *cfg;
	struct ln_keys *keys;		/* NULL without a sound SECRET_KEY */
	struct ln_store *st;
	struct out *out;
	bool is_interactive;		/* may ask on the terminal */
	bool has_color;			/* on standard error */
	bool is_quiet;
	bool is_verbose;
	bool has_made_env;		/* init_env() made the env file */
	bool has_failed;		/* a sentence was printed */
	char path[256];			/* "user block", for messages */
};

/**
 * ctx_fail(c, s, err, hint, what, ...):
 * Print "lnctl: WHAT: WHY. HINT" and give the exit code of ${s}.  WHY is the
 * sentence of ${err}; its detail is added with -v.  ${hint} NULL: what helps
 * against that status in general, if anything.  With --json the same goes to
 * standard output as an object, unless the command had begun its own.
 */
int ctx_fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *hint, const char *what, ...) LN_PRINTF(5, 6);

/* The same when a model provider was asked: what it refused is exit 8. */
int ctx_fail_provider(struct ctx *c, enum ln_status s,
    const struct ln_error *err, const char *hint, const char *what, ...)
    LN_PRINTF(5, 6);

/**
 * ctx_refuse(c, code, token, why, hint, what, ...):
 * The same for failures that are ours, with the exit code said.
 */
int ctx_refuse(struct ctx *c, int code, const char *token, const char *why,
    const char *hint, const char *what, ...) LN_PRINTF(6, 7);

/* ctx_usage(c, hint, fmt, ...): "lnctl: ... HINT"; gives EX_USAGE. */
int ctx_usage(struct ctx *c, const char *hint, const char *fmt, ...)
    LN_PRINTF(3, 4);

/* ctx_note(c, fmt, ...): a message on standard error, unless --quiet. */
void ctx_note(struct ctx *c, const char *fmt, ...) LN_PRINTF(2, 3);

/* The one switch from outcomes to exit codes. */
int exit_code(enum ln_status s);
/* The same when a model provider was asked: what it refuses is its failure. */
int provider_exit_code(enum ln_status s);

/**
 * ctx_finish(c):
 * End the document: EX_OK, or EX_FAILED when it could not be written.
 */
int ctx_finish(struct ctx *c);

/**
 * ctx_config(c) / ctx_act_as_owner(c) / ctx_keys(c, is_required) /
 * ctx_store(c, mode):
 * The preconditions, one by one; EX_OK or the exit code after telling.
 */
int ctx_config(struct ctx *c);
int ctx_act_as_owner(struct ctx *c);
int ctx_keys(struct ctx *c, bool is_required);
int ctx_store(struct ctx *c, enum ln_store_mode mode);

/* Where settings come from, and what to do about a bad SECRET_KEY there. */
const char *ctx_settings_name(const struct ctx *c);
const char *ctx_key_hint(const struct ctx *c);

/* The word ${i} of the command line, or NULL. */
static inline const char *
ctx_word(const struct ctx *c, size_t i)
{
	return i < c->args.count ? c->args.words[i] : NULL;
}

static inline const char *
ctx_opt(const struct ctx *c, enum opt_id id)
{
	return c->args.value[id];
}

/**
 * ctx_user(c, name, out):
 * Find an account by user name, e-mail or id.  EX_OK, or the exit code after
 * telling.  Free with ln_user_free.
 */
int ctx_user(struct ctx *c, const char *name, struct ln_user **out);

/**
 * ctx_person(c, out):
 * The account a person in a shell acts as: --user, LOCALNEURAL_USER, the one
 * named like the system's user, the first active administrator.
 */
int ctx_person(struct ctx *c, struct ln_user **out);

/**
 * sig_catch() / sig_interrupted() / sig_terminated() / sig_reset():
 * Catch SIGINT, SIGTERM and SIGHUP / whether one came since the last reset /
 * whether it was not Ctrl-C, so that the process has to end.
 */
void sig_catch(void);
bool sig_interrupted(void);
bool sig_terminated(void);
void sig_reset(void);

/* --- terminal (tty.c) --------------------------------------------------- */

/**
 * tty_secret(c, what, max, out):
 * A new secret from --password-stdin, --password-file, --random or, on a
 * terminal, asked twice without echo.  ${what} names it ("password for bob").
 * ${out_is_random} tells that it must be shown once.  ${out} is wiped and
 * freed with ln_wipe_free; NULL when nothing said where it comes from and
 * ${is_optional}.
 */
#define SECRET_BYTES_MAX ((size_t)8192)	/* bytes of a password or key */
int tty_secret(struct ctx *c, const char *what, bool is_optional, char **out,
    bool *out_is_random);

/* A random password into ${out}; release with ln_wipe_free. */
int tty_random(struct ctx *c, char **out);

/**
 * tty_key(c, out):
 * An API key from --key-stdin or --key-file; "" with --clear-key, NULL when
 * none was said.  Release with ln_wipe_free.
 */
int tty_key(struct ctx *c, char **out);

/**
 * tty_read_all(c, fd, max, out):
 * Everything on ${fd} into ${out}.
 */
int tty_read_all(struct ctx *c, int fd, struct ln_buf *out, const char *what);

/**
 * tty_confirm(c, question, ...):
 * --yes, or a yes on the terminal; EX_OK, EX_USAGE when nobody can be asked,
 * EX_REFUSED when the answer was no.
 */
int tty_confirm(struct ctx *c, const char *question, ...) LN_PRINTF(2, 3);

/**
 * tty_confirm_name(c, name):
 * For what cannot be undone: --confirm ${name}, or the name typed again.
 */
int tty_confirm_name(struct ctx *c, const char *name);

/* --- progress (progress.c) ---------------------------------------------- */

struct progress {
	const char *what;
	bool is_shown;
	int last;
};

/**
 * progress_init(p, c, what) / progress_step(p, percent) / progress_done(p):
 * A percentage on a terminal, nothing elsewhere.  progress_step is a libln
 * callback: it returns false after SIGINT.
 */
void progress_init(struct progress *p, const struct ctx *c, const char *what);
bool progress_step(void *arg, int percent);
void progress_done(struct progress *p);

/* --- files (file.c) ----------------------------------------------------- */

/**
 * file_create(path, p, n):
 * Write a new file, 0600, whole or not at all; an existing one is left alone.
 * 0, or an errno value (EEXIST).
 */
int file_create(const char *path, const void *p, size_t n);

/**
 * file_create_by(path, fn, arg) / file_write(fd, p, n):
 * The same when ${fn} writes it, and returns 0 or an errno value / write all
 * of it.
 */
int file_create_by(const char *path, int (*fn)(void *arg, int fd), void *arg);
int file_write(int fd, const char *p, size_t n);

/**
 * person_export(c, u, path, out_bytes, hint):
 * Everything of an account as JSON into a new file, or to standard output
 * ("-").  ${hint} is what to say when it failed.  EX_OK, or the exit code
 * after telling.
 */
int person_export(struct ctx *c, const struct ln_user *u, const char *path,
    int64_t *out_bytes, const char *hint);

/**
 * file_read(path, max, out):
 * Read a regular file of at most ${max} bytes.  0, or an errno value (EFBIG).
 */
int file_read(const char *path, size_t max, struct ln_buf *out);

/* The folder part of ${path} ("." when it has none) into ${dst}. */
void file_dir(const char *path, char *dst, size_t size);

/* person.c: a verb of the noun history. */
int history_import(struct ctx *c);

/* --- what commands share ------------------------------------------------ */

/* help.c */
void help_top(FILE *f);
void help_noun(FILE *f, const struct noun *n);
void help_verb(FILE *f, const struct noun *n, const struct verb *v);
/* The SYNOPSIS line of a command, without the program's name. */
void help_usage(struct ln_buf *b, const struct noun *n, const struct verb *v);
int cmd_help(struct ctx *c);

/* completion.c */
int cmd_completion(struct ctx *c);

/* version.c */
int cmd_version(struct ctx *c);

/**
 * init_env(c, path):
 * A private env file with a random SECRET_KEY.  An existing one is never
 * rewritten: it belongs to the operator.
 */
int init_env(struct ctx *c, const char *path);

/**
 * init_instance(c, is_serving):
 * Make what is missing: folder, env file, database, administrator.  With
 * ${is_serving} the password is random unless the configuration names one,
 * and the answer is two lines instead of a document.
 */
int init_instance(struct ctx *c, bool is_serving);

/* user.c: the fields of an account, as every command shows them. */
void user_fields(struct out *o, const struct ln_user *u);

/**
 * listen_parse(s, host, port):
 * "127.0.0.1:59869" or "[::1]:59869".  False when it is not one.
 */
#define LISTEN_HOST_SIZE 256
bool listen_parse(const char *s, char host[LISTEN_HOST_SIZE], char port[8]);

/**
 * listen_probe(listen, why, size):
 * What is at an address now; ${why} gets words for it.  Waits two seconds at
 * most.
 */
enum listen_state { LISTEN_FREE, LISTEN_TAKEN, LISTEN_IMPOSSIBLE };
enum listen_state listen_probe(const char *listen, char *why, size_t size);

/* The nouns, one file each. */
extern const struct noun noun_init, noun_admin, noun_user, noun_db,
    noun_backup, noun_chat, noun_ask, noun_history, noun_project,
    noun_prompt, noun_tool, noun_provider, noun_model, noun_config,
    noun_audit, noun_server, noun_doctor, noun_completion, noun_version,
    noun_help;

struct ln_provider_conf;

/**
 * provider_choice(c, name, out):
 * The choice of --user, or the instance's own; ${name} instead of the chosen
 * provider when it is not NULL.  EX_OK, or the exit code after telling.
 */
int provider_choice(struct ctx *c, const char *name,
    struct ln_provider_conf **out);

/**
 * provider_models(c, p, is_test):
 * Ask ${p} for its models and list them; a test also wants the one that is
 * set to be there.
 */
int provider_models(struct ctx *c, const struct ln_provider_conf *p,
    bool is_test);

#endif

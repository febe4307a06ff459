#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <ln/backup.h>
#include <ln/time.h>

#include "backup_cmd.h"

/* Making backups, looking at them, and throwing old ones away. */

#define KEEP_MAX 10000
/* Without any --keep: a week of days, two months of weeks, a year. */
#define KEEP_LAST 7
#define KEEP_DAILY 14
#define KEEP_WEEKLY 8
#define KEEP_MONTHLY 12

int
backup_dir(struct ctx *c, char *dst, size_t size)
{
	const char *dir = ctx_opt(c, O_DIR);
	char folder[4096];
	int n;

	if (dir != NULL)
		n = snprintf(dst, size, "%s", dir);
	else {
		file_dir(ln_config_get(c->cfg, "LOCALNEURAL_DB"), folder,
		    sizeof(folder));
		n = snprintf(dst, size, "%s/backups", folder);
	}
	if (n < 0 || (size_t)n >= size)
		return ctx_usage(c, NULL, "%s: the path is too long",
		    c->path);
	return EX_OK;
}

int
backup_fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *what)
{
	if (s == LN_CORRUPT || s == LN_INVALID)
		return ctx_refuse(c, EX_INVALID, ln_status_token(s),
		    ln_error_text(err, s), "Look for another one with "
		    "`lnctl backup list`", "%s", what);
	if (s == LN_BAD_KEY)
		return ctx_refuse(c, EX_BAD_KEY, ln_status_token(s),
		    ln_error_text(err, s),
		    "See --secret-key-file and --passphrase-file", "%s", what);
	return ctx_fail(c, s, err, NULL, "%s", what);
}

void
backup_fields(struct out *o, const struct ln_backup *b)
{
	out_str(o, "path", b->path);
	out_time(o, "created_at", b->created_ms);
	out_bytes(o, "bytes", b->bytes);
	out_bool(o, "is_encrypted", b->is_encrypted);
	if (b->schema > 0) {
		out_int(o, "schema", b->schema);
		out_bytes(o, "database_bytes", b->database_bytes);
		out_int(o, "users", b->user_count);
		out_int(o, "conversations", b->conversation_count);
		out_int(o, "messages", b->message_count);
	}
	out_time(o, "verified_at", b->verified_ms);
	out_str(o, "verified", ln_backup_check_name(b->verified_how));
}

static void
rows(struct out *o, const char *name, const struct ln_backup_list *l)
{
	static const struct out_col cols[] = { { "name", OUT_STR, false },
		{ "path", OUT_STR, true }, { "created_at", OUT_TIME, false },
		{ "bytes", OUT_BYTES, false },
		{ "is_encrypted", OUT_BOOL, true },
		{ "verified", OUT_STR, false },
		{ "verified_at", OUT_TIME, true }, { NULL, OUT_STR, false } };
	const struct ln_backup *b;
	size_t i;

	out_list(o, name, cols);
	for (i = 0; i < l->count; i++) {
		b = &l->items[i];
		out_row(o, b->name, b->path, b->created_ms, b->bytes,
		    (int)b->is_encrypted,
		    ln_backup_check_name(b->verified_how), b->verified_ms);
	}
	out_list_end(o);
}

/* --- retention ----------------------------------------------------------- */

static int
keep_opts(struct ctx *c, struct ln_backup_keep *keep)
{
	bool is_said = opt_has(&c->args, O_KEEP_LAST) ||
	    opt_has(&c->args, O_KEEP_DAILY) ||
	    opt_has(&c->args, O_KEEP_WEEKLY) ||
	    opt_has(&c->args, O_KEEP_MONTHLY);
	const struct {
		enum opt_id id;
		int64_t fallback;
		int64_t *out;
	} rules[] = {
		{ O_KEEP_LAST, KEEP_LAST, &keep->last },
		{ O_KEEP_DAILY, KEEP_DAILY, &keep->daily },
		{ O_KEEP_WEEKLY, KEEP_WEEKLY, &keep->weekly },
		{ O_KEEP_MONTHLY, KEEP_MONTHLY, &keep->monthly },
	};
	size_t i;
	int rc;

	memset(keep, 0, sizeof(*keep));
	keep->size = sizeof(*keep);
	for (i = 0; i < nitems(rules); i++) {
		rc = opt_int(c, rules[i].id, 0, KEEP_MAX,
		    is_said ? 0 : rules[i].fallback, rules[i].out);
		if (rc != EX_OK)
			return rc;
	}
	return EX_OK;
}

static int
backup_prune(struct ctx *c)
{
	struct ln_backup_list gone = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	bool is_dry_run = opt_has(&c->args, O_DRY_RUN);
	struct ln_backup_keep keep;
	char dir[4096];
	enum ln_status s;
	int rc;

	if ((rc = keep_opts(c, &keep)) != EX_OK ||
	    (rc = backup_dir(c, dir, sizeof(dir))) != EX_OK)
		return rc;
	s = ln_backup_prune(c->st, dir, &keep, is_dry_run, &gone, &err);
	if (s == LN_OK || gone.count > 0) {
		out_str(c->out, "result", is_dry_run ? "would_prune" :
		    "pruned");
		rows(c->out, "pruned", &gone);
	}
	if (s != LN_OK)
		rc = backup_fail(c, s, &err, dir);
	else
		rc = ctx_finish(c);
	ln_backup_list_free(&gone);
	return rc;
}

/* --- making -------------------------------------------------------------- */

/* Our own default folder may be made; one that was named has to be there: a
 * disk that is not mounted must not be replaced by a folder. */
static int
need_dir(struct ctx *c, const char *dir)
{
	if (opt_has(&c->args, O_DIR) || mkdir(dir, 0700) == 0 ||
	    errno == EEXIST)
		return EX_OK;
	return ctx_refuse(c, EX_FAILED, "io", strerror(errno), "", "%s", dir);
}

static enum ln_backup_check
check_of(struct ctx *c, enum ln_backup_check fallback)
{
	const char *how = ctx_opt(c, O_VERIFY);

	if (how == NULL)
		return fallback;
	return strcmp(how, "drill") == 0 ? LN_BACKUP_DRILL :
	    strcmp(how, "full") == 0 ? LN_BACKUP_FULL : LN_BACKUP_QUICK;
}

/* The backup is there; what is left to do may fail by itself. */
static int
prune_after(struct ctx *c, const char *dir, const struct ln_backup_keep *keep)
{
	struct ln_backup_list gone = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_backup_prune(c->st, dir, keep, false, &gone, &err);
	rows(c->out, "pruned", &gone);
	ln_backup_list_free(&gone);
	if (s == LN_OK)
		return EX_OK;
	(void)ctx_fail(c, s, &err, "The new backup itself is whole", "%s",
	    dir);
	return EX_PARTIAL;
}

static int
backup_create(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	bool is_pruned = opt_has(&c->args, O_PRUNE);
	struct ln_backup_opts opts = { .size = sizeof(opts) };
	struct ln_backup_keep keep;
	struct backup_secret secret = { NULL, NULL };
	struct progress p;
	struct ln_backup b;
	char dir[4096];
	enum ln_status s;
	int rc, pruned = EX_OK;

	memset(&b, 0, sizeof(b));
	if ((rc = keep_opts(c, &keep)) != EX_OK ||
	    (rc = backup_dir(c, dir, sizeof(dir))) != EX_OK ||
	    (rc = need_dir(c, dir)) != EX_OK ||
	    (rc = backup_secret_read(c, &secret)) != EX_OK)
		goto out;
	opts.folder = dir;
	opts.public_key = ctx_opt(c, O_ENCRYPT_TO);
	opts.passphrase = secret.passphrase;
	opts.how = check_of(c, LN_BACKUP_QUICK);
	progress_init(&p, c, "backing up");
	opts.progress = progress_step;
	opts.progress_arg = &p;
	s = ln_backup_create(c->st, &opts, &b, &err);
	progress_done(&p);
	if (s != LN_OK) {
		rc = ctx_fail(c, s, &err, NULL, "%s", dir);
		goto out;
	}
	out_str(c->out, "result", "created");
	backup_fields(c->out, &b);
	if (is_pruned)
		pruned = prune_after(c, dir, &keep);
	out_say(c->out, "%s", b.path);
	rc = ctx_finish(c);
	if (rc == EX_OK)
		rc = pruned;
out:
	ln_backup_clear(&b);
	backup_secret_clear(&secret);
	return rc;
}

/* --- looking ------------------------------------------------------------- */

static int
backup_list(struct ctx *c)
{
	struct ln_backup_list l = { NULL, 0 };
	struct ln_error err = LN_ERROR_INIT;
	char dir[4096];
	enum ln_status s;
	int rc;

	if ((rc = backup_dir(c, dir, sizeof(dir))) != EX_OK)
		return rc;
	if ((s = ln_backup_list(c->st, dir, &l, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", dir);
	rows(c->out, "backups", &l);
	ln_backup_list_free(&l);
	return ctx_finish(c);
}

/* The word, or with --latest the newest of the folder; ${l} keeps it. */
static int
choose(struct ctx *c, struct ln_backup_list *l, const char **out)
{
	const char *word = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	char dir[4096];
	enum ln_status s;
	int rc;

	if ((word != NULL) == opt_has(&c->args, O_LATEST))
		return ctx_usage(c, NULL, "%s: name a FILE, or --latest",
		    c->path);
	if ((*out = word) != NULL)
		return EX_OK;
	if ((rc = backup_dir(c, dir, sizeof(dir))) != EX_OK)
		return rc;
	if ((s = ln_backup_list(c->st, dir, l, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", dir);
	if (l->count == 0)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "there is no backup", "Make one with `lnctl backup create`",
		    "%s", dir);
	*out = l->items[0].path;
	return EX_OK;
}

static int
look(struct ctx *c, enum ln_backup_check how, const char *result)
{
	struct ln_backup_unlock unlock = { .size = sizeof(unlock) };
	struct ln_backup_list l = { NULL, 0 };
	struct backup_secret secret = { NULL, NULL };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_backup b;
	struct progress p;
	const char *path;
	enum ln_status s;
	int rc;

	if ((rc = choose(c, &l, &path)) != EX_OK ||
	    (rc = backup_secret_read(c, &secret)) != EX_OK)
		goto out;
	unlock.secret_key = secret.key;
	unlock.passphrase = secret.passphrase;
	progress_init(&p, c, "reading");
	unlock.progress = progress_step;
	unlock.progress_arg = &p;
	s = ln_backup_verify(c->st, path, how, &unlock, &b, &err);
	progress_done(&p);
	if (s != LN_OK) {
		rc = backup_fail(c, s, &err, path);
		goto out;
	}
	out_str(c->out, "result", result);
	backup_fields(c->out, &b);
	out_say(c->out, "%s: %s", path, result);
	ln_backup_clear(&b);
	rc = ctx_finish(c);
out:
	ln_backup_list_free(&l);
	backup_secret_clear(&secret);
	return rc;
}

static int
backup_verify(struct ctx *c)
{
	return look(c, check_of(c, LN_BACKUP_FULL), "sound");
}

static int
backup_drill(struct ctx *c)
{
	return look(c, LN_BACKUP_DRILL, "restored_and_read");
}

/* What monitoring asks: is there a good one, young enough? */
static int
backup_status(struct ctx *c)
{
	const char *age = ctx_opt(c, O_MAX_AGE);
	struct ln_error err = LN_ERROR_INIT;
	int64_t max_ms, now = ln_time_now_ms();
	enum ln_backup_age is;
	struct ln_backup b;
	enum ln_status s;
	int rc;

	if (age == NULL) {
		s = ln_backup_max_age(c->cfg, &max_ms, &err);
		if (s != LN_OK)
			return ctx_fail(c, s, &err, NULL, "backup");
	} else if (ln_time_parse_duration(age, &max_ms, NULL) != LN_OK)
		return ctx_usage(c, NULL, "%s: --max-age takes a time such as "
		    "26h, not \"%s\"", c->path, age);
	s = ln_backup_last(c->st, &b, &err);
	if (s == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NOT_FOUND, "not_found",
		    "no backup was ever verified",
		    "Make one with `lnctl backup create`", "backup");
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "backup");
	is = ln_backup_age(&b, now, max_ms);
	out_bool(c->out, "is_fresh", is == LN_BACKUP_FRESH);
	out_int(c->out, "age_seconds", (now - b.created_ms) / 1000);
	backup_fields(c->out, &b);
	rc = ctx_finish(c);
	if (rc == EX_OK && is != LN_BACKUP_FRESH)
		rc = ctx_refuse(c, EX_INVALID, "invalid",
		    is == LN_BACKUP_FUTURE ?
		    "the newest verified backup is from the future" :
		    "the newest verified backup is too old",
		    "See why the nightly one did not run", "%s", b.path);
	ln_backup_clear(&b);
	return rc;
}

#define O_KEEPS O_KEEP_LAST, O_KEEP_DAILY, O_KEEP_WEEKLY, O_KEEP_MONTHLY
static const enum opt_id create_opts[] = { O_DIR, O_ENCRYPT_TO,
	O_PASSPHRASE_FILE, O_VERIFY, O_PRUNE, O_KEEPS, O_END };
static const enum opt_id list_opts[] = { O_DIR, O_END };
static const enum opt_id verify_opts[] = { O_LATEST, O_DIR, O_VERIFY,
	O_SECRET_KEY_FILE, O_PASSPHRASE_FILE, O_END };
static const enum opt_id drill_opts[] = { O_LATEST, O_DIR, O_SECRET_KEY_FILE,
	O_PASSPHRASE_FILE, O_END };
static const enum opt_id prune_opts[] = { O_DIR, O_KEEPS, O_DRY_RUN, O_END };
static const enum opt_id restore_opts[] = { O_TO, O_SECRET_KEY_FILE,
	O_PASSPHRASE_FILE, O_END };
static const enum opt_id status_opts[] = { O_MAX_AGE, O_END };
static const enum opt_id keygen_opts[] = { O_OUTPUT, O_END };

static const struct verb verbs[] = {
	{ "create", backup_create, create_opts, "",
	    CMD_STORE_RW | CMD_KEYS | CMD_SIGNALS, "make one" },
	{ "list", backup_list, list_opts, "", CMD_STORE_RO,
	    "list those of a folder" },
	{ "verify", backup_verify, verify_opts, "[FILE]",
	    CMD_STORE_RW | CMD_KEYS | CMD_SIGNALS, "say whether one is whole" },
	{ "drill", backup_drill, drill_opts, "[FILE]",
	    CMD_STORE_RW | CMD_KEYS | CMD_SIGNALS,
	    "restore one beside and read from it" },
	{ "prune", backup_prune, prune_opts, "", CMD_STORE_RW | CMD_KEYS,
	    "remove old ones" },
	{ "restore", backup_restore, restore_opts, "FILE",
	    CMD_CONFIG | CMD_SIGNALS, "take one back" },
	{ "status", backup_status, status_opts, "", CMD_STORE_RO,
	    "say whether the last verified one is young enough" },
	{ "keygen", backup_keygen, keygen_opts, "", 0,
	    "make a key pair to encrypt backups" },
};
const struct noun noun_backup = { "backup", "copies that can be taken back",
	verbs, nitems(verbs) };

#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <ln/backup.h>
#include <ln/cert.h>
#include <ln/mail.h>
#include <ln/provider.h>
#include <ln/time.h>

/*
 * What could be wrong with this installation, each with what to do about it.
 * A check never stops the next one.  --fix changes permissions, nothing else.
 */

#define SPACE_LOW ((int64_t)500 * 1024 * 1024)
#define SPACE_OUT ((int64_t)50 * 1024 * 1024)
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define CERT_SOON_MS (30 * DAY_MS)	/* the third that is left of 90 days */
#define CLOCK_LEAST_MS INT64_C(1704067200000)	/* 2024: before this program */

enum verdict { GOOD, ODD, BAD };

struct doctor {
	struct ctx *c;
	const char *db;
	const char *only;	/* the one check that is wanted, or NULL */
	int64_t warnings, errors;
	bool has_db;
};

static void LN_PRINTF(4, 5)
say(struct doctor *d, const char *check, enum verdict v, const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warning", "error" };
	char text[1024];
	va_list ap;

	if (d->only != NULL && strcmp(check, d->only) != 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->warnings += v == ODD;
	d->errors += v == BAD;
	out_row(d->c->out, check, names[v], text);
}

static void
check_settings(struct doctor *d)
{
	const char *file = ln_config_path(d->c->cfg);
	struct ln_error err = LN_ERROR_INIT;
	char *secret = NULL;
	enum ln_status s;

	if (file != NULL)
		say(d, "settings", GOOD, "read from %s", file);
	else
		say(d, "settings", ODD, "no env file; `lnctl init` makes one");
	s = ln_config_secret(d->c->cfg, "SECRET_KEY", &secret, &err);
	if (s == LN_OK)
		s = ln_keys_derive(secret, &d->c->keys, &err);
	ln_wipe_free(secret);
	if (s == LN_OK)
		say(d, "secret_key", GOOD, "set and long enough");
	else
		say(d, "secret_key", BAD, "%s", ln_error_text(&err, s));
}

/* Whether ${path} is private; with --fix it becomes so. */
static void
check_mode(struct doctor *d, const char *check, const char *path, mode_t wanted)
{
	struct stat sb;

	if (stat(path, &sb) != 0) {
		if (errno != ENOENT)
			say(d, check, BAD, "%s: %s", path, strerror(errno));
		return;
	}
	if ((sb.st_mode & 077) == 0) {
		say(d, check, GOOD, "%s is private", path);
		return;
	}
	if (!opt_has(&d->c->args, O_FIX)) {
		say(d, check, BAD, "%s can be read by others (mode %03o);"
		    " repair with --fix", path, (unsigned)sb.st_mode & 0777);
		return;
	}
	if (chmod(path, wanted) != 0)
		say(d, check, BAD, "%s: chmod %03o: %s", path,
		    (unsigned)wanted, strerror(errno));
	else
		say(d, check, GOOD, "%s made private (mode %03o)", path,
		    (unsigned)wanted);
}

static void
check_permissions(struct doctor *d)
{
	static const char *const sides[] = { "-wal", "-shm" };
	const char *env = ln_config_path(d->c->cfg);
	char path[4096];
	size_t i;

	if (env != NULL)
		check_mode(d, "env_file_mode", env, 0600);
	file_dir(d->db, path, sizeof(path));
	check_mode(d, "data_folder_mode", path, 0700);
	check_mode(d, "database_mode", d->db, 0600);
	for (i = 0; i < nitems(sides); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", d->db, sides[i]);
		check_mode(d, "database_mode", path, 0600);
	}
}

static void
on_problem(void *arg, const char *problem)
{
	say(arg, "database", BAD, "%s", problem);
}

static void
check_database(struct doctor *d)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store_opts opts;
	struct ln_store_info info;
	enum ln_status s;
	struct stat sb;
	char wal[OUT_SIZE_SIZE];

	if (stat(d->db, &sb) != 0) {
		say(d, "database", BAD, "%s: %s; `lnctl init` makes one",
		    d->db, strerror(errno));
		return;
	}
	memset(&opts, 0, sizeof(opts));
	opts.size = sizeof(opts);
	opts.path = d->db;
	opts.mode = LN_STORE_RO;
	opts.keys = d->c->keys;
	if ((s = ln_store_open(&opts, &d->c->st, &err)) != LN_OK) {
		say(d, "database", BAD, "%s: %s", d->db,
		    ln_error_text(&err, s));
		return;
	}
	d->has_db = true;
	s = ln_store_check(d->c->st, false, on_problem, d, &err);
	if (s == LN_OK)
		say(d, "database", GOOD, "%s is sound", d->db);
	else if (s != LN_CORRUPT)
		say(d, "database", BAD, "%s", ln_error_text(&err, s));
	if ((s = ln_store_info(d->c->st, &info, &err)) != LN_OK) {
		say(d, "schema", BAD, "%s", ln_error_text(&err, s));
		return;
	}
	if (info.schema == ln_store_schema_latest())
		say(d, "schema", GOOD, "%d, the latest", info.schema);
	else
		say(d, "schema", ODD, "%d; the next writing command brings it"
		    " to %d", info.schema, ln_store_schema_latest());
	if (info.wal_bytes > info.file_bytes && info.wal_bytes > SPACE_OUT)
		say(d, "wal", ODD, "the write-ahead log has %s; a reader may"
		    " hold it open", out_size(info.wal_bytes, wal));
	else
		say(d, "wal", GOOD, "%s", out_size(info.wal_bytes, wal));
	if (info.admin_count == 0)
		say(d, "administrator", BAD,
		    "there is none; `lnctl admin seed` makes one");
	else
		say(d, "administrator", GOOD, "%lld",
		    (long long)info.admin_count);
}

static void
check_space(struct doctor *d)
{
	char folder[4096], text[OUT_SIZE_SIZE];
	struct statvfs fs;
	struct stat sb;
	int64_t left, needed = 0;

	file_dir(d->db, folder, sizeof(folder));
	if (statvfs(folder, &fs) != 0)
		return;
	if (stat(d->db, &sb) == 0)
		needed = (int64_t)sb.st_size * 2;
	left = (int64_t)(fs.f_bavail * fs.f_frsize);
	(void)out_size(left, text);
	if (left < SPACE_OUT)
		say(d, "disk_space", BAD, "%s left in %s", text, folder);
	else if (left < SPACE_LOW || left < needed)
		say(d, "disk_space", ODD, "%s left in %s; an import or a"
		    " migration needs room for two copies", text, folder);
	else
		say(d, "disk_space", GOOD, "%s left", text);
}

static void
check_backup(struct doctor *d)
{
	char when[LN_TIME_ISO_SIZE];
	struct ln_error err = LN_ERROR_INIT;
	struct ln_backup b;
	enum ln_status s;
	int64_t max_ms;

	if (!d->has_db)
		return;
	if ((s = ln_backup_max_age(d->c->cfg, &max_ms, &err)) != LN_OK) {
		say(d, "backup", BAD, "%s", ln_error_text(&err, s));
		return;
	}
	s = ln_backup_last(d->c->st, &b, &err);
	if (s == LN_NOT_FOUND)
		say(d, "backup", ODD, "none was ever verified; let cron run"
		    " `lnctl backup create` at night");
	else if (s != LN_OK)
		say(d, "backup", BAD, "%s", ln_error_text(&err, s));
	if (s != LN_OK)
		return;
	ln_time_iso(b.created_ms, when);
	switch (ln_backup_age(&b, ln_time_now_ms(), max_ms)) {
	case LN_BACKUP_FRESH:
		say(d, "backup", GOOD, "%s, verified", when);
		break;
	case LN_BACKUP_OLD:
	case LN_BACKUP_FUTURE:
		say(d, "backup", ODD, "the last verified one is of %s", when);
		break;
	}
	ln_backup_clear(&b);
}

static void
check_clock(struct doctor *d)
{
	int64_t now = ln_time_now_ms();
	struct stat sb;

	if (now < CLOCK_LEAST_MS)
		say(d, "clock", BAD, "it is wrong: before 2024");
	else if (stat(d->db, &sb) == 0 &&
	    (int64_t)sb.st_mtime * 1000 > now + DAY_MS)
		say(d, "clock", BAD, "it is behind: the database was written"
		    " in the future");
	else
		say(d, "clock", GOOD, "plausible");
}

/* "llama3.2" is what Ollama lists as "llama3.2:latest". */
static bool
has_model(const struct ln_model_list *models, const char *name)
{
	const char *tail;
	size_t i, n = strlen(name);

	for (i = 0; i < models->count; i++) {
		if (strncmp(models->names[i], name, n) != 0)
			continue;
		tail = models->names[i] + n;
		if (tail[0] == '\0' || strcmp(tail, ":latest") == 0)
			return true;
	}
	return false;
}

static void
check_provider(struct doctor *d)
{
	struct ln_model_list models = { NULL, 0 };
	struct ln_provider_wish wish;
	struct ln_provider_conf *p = NULL;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (!d->has_db)
		return;
	memset(&wish, 0, sizeof(wish));
	wish.size = sizeof(wish);
	s = ln_provider_resolve(d->c->st, d->c->cfg, NULL, &wish, &p, &err);
	if (s != LN_OK) {
		say(d, "provider", BAD, "%s", ln_error_text(&err, s));
		return;
	}
	if (p->base_url == NULL)
		say(d, "provider", GOOD, "%s", p->info->name);
	else if ((s = ln_provider_models(p, &models, &err)) != LN_OK)
		say(d, "provider", ODD, "%s at %s: %s", p->info->name,
		    p->base_url, ln_error_text(&err, s));
	else if (p->model != NULL && models.count > 0 &&
	    !has_model(&models, p->model))
		say(d, "provider", ODD, "%s at %s has %zu models, but not %s;"
		    " `lnctl provider set` chooses another", p->info->name,
		    p->base_url, models.count, p->model);
	else
		say(d, "provider", GOOD, "%s at %s has %zu models",
		    p->info->name, p->base_url, models.count);
	ln_model_list_free(&models);
	ln_provider_conf_free(p);
}

static void
check_listen(struct doctor *d)
{
	const char *listen = ln_config_get(d->c->cfg, "LOCALNEURAL_LISTEN");
	char why[256];

	switch (listen_probe(listen, why, sizeof(why))) {
	case LISTEN_FREE:
		say(d, "listen", GOOD, "%s is free", listen);
		return;
	case LISTEN_TAKEN:
		say(d, "listen", GOOD, "%s: something listens there", listen);
		return;
	case LISTEN_IMPOSSIBLE:
		say(d, "listen", BAD, "%s: %s", listen, why);
		return;
	}
}

static void
check_certificate(struct doctor *d)
{
	const char *own = ln_config_get(d->c->cfg, "LOCALNEURAL_TLS_CERT");
	char path[4096], when[LN_TIME_ISO_SIZE];
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int64_t end, now = ln_time_now_ms();
	size_t n;

	if (own == NULL) {
		file_dir(d->db, path, sizeof(path));
		n = strlen(path);
		(void)snprintf(path + n, sizeof(path) - n, "/tls.crt");
	}
	s = ln_cert_end(own != NULL ? own : path, &end, &err);
	if (s == LN_NOT_FOUND && own == NULL) {
		say(d, "certificate", GOOD, "none yet; the server makes a"
		    " self-signed one");
		return;
	}
	if (s != LN_OK) {
		say(d, "certificate", BAD, "%s: %s", own != NULL ? own : path,
		    ln_error_text(&err, s));
		return;
	}
	ln_time_iso(end, when);
	if (end > now + CERT_SOON_MS)
		say(d, "certificate", GOOD, "valid until %s", when);
	else if (own == NULL)
		say(d, "certificate", ODD, "the self-signed one %s %s; a start"
		    " after its end makes a new one",
		    end <= now ? "ended" : "ends", when);
	else
		say(d, "certificate", end <= now ? BAD : ODD, "%s %s %s; renew"
		    " it, then restart the server", own,
		    end <= now ? "ended" : "ends", when);
}

/* Connects, but sends nothing. */
static void
check_mail(struct doctor *d)
{
	const char *url = ln_config_get(d->c->cfg, "LOCALNEURAL_SMTP_URL");
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if (url == NULL)
		say(d, "mail", GOOD, "not set up; `lnctl user reset-link` helps"
		    " who forgot the password");
	else if (ln_mail_missing(d->c->cfg) != NULL)
		say(d, "mail", BAD, "%s is not set, so no mail is sent",
		    ln_mail_missing(d->c->cfg));
	else if ((s = ln_mail_check(d->c->cfg, &err)) != LN_OK)
		say(d, "mail", BAD, "%s", ln_error_text(&err, s));
	else if ((s = ln_mail_probe(d->c->cfg, &err)) != LN_OK)
		say(d, "mail", ODD, "%s: %s", url, ln_error_text(&err, s));
	else
		say(d, "mail", GOOD, "%s answers", url);
}

/* What to run for which names of the list. */
static const struct {
	const char *names;
	void (*run)(struct doctor *);
} checks[] = {
	{ " settings secret_key ", check_settings },
	{ " env_file_mode data_folder_mode database_mode ",
	    check_permissions },
	{ " database schema wal administrator ", check_database },
	{ " disk_space ", check_space },
	{ " backup ", check_backup },
	{ " clock ", check_clock },
	{ " provider ", check_provider },
	{ " certificate ", check_certificate },
	{ " mail ", check_mail },
	{ " listen ", check_listen },
};

/* Whether ${names} holds the word ${name}. */
static bool
has_name(const char *names, const char *name)
{
	char word[64];
	int n;

	n = snprintf(word, sizeof(word), " %s ", name);
	return n > 2 && n < (int)sizeof(word) && strchr(name, ' ') == NULL &&
	    strstr(names, word) != NULL;
}

static int
doctor_run(struct ctx *c)
{
	static const struct out_col cols[] = { { "check", OUT_STR, false },
		{ "state", OUT_STR, false }, { "text", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct doctor d;
	size_t i;
	bool is_known;
	int rc;

	memset(&d, 0, sizeof(d));
	d.c = c;
	d.db = ln_config_get(c->cfg, "LOCALNEURAL_DB");
	d.only = ctx_opt(c, O_RUN);
	is_known = d.only == NULL;
	for (i = 0; i < nitems(checks) && !is_known; i++)
		is_known = has_name(checks[i].names, d.only);
	if (!is_known)
		return ctx_usage(c, "lnctl doctor lists them",
		    "there is no check named %s", d.only);
	out_list(c->out, "checks", cols);
	for (i = 0; i < nitems(checks); i++) {
		/* The key and the database are what others stand on. */
		if (d.only == NULL || has_name(checks[i].names, d.only) ||
		    checks[i].run == check_settings ||
		    checks[i].run == check_database)
			checks[i].run(&d);
	}
	out_list_end(c->out);
	if (out_format(c->out) != OUT_TABLE) {
		out_int(c->out, "warnings", d.warnings);
		out_int(c->out, "errors", d.errors);
	}
	rc = ctx_finish(c);
	return rc != EX_OK ? rc : d.errors > 0 ? EX_INVALID : EX_OK;
}

static const enum opt_id opts[] = { O_FIX, O_RUN, O_END };
static const struct verb verbs[] = {
	{ NULL, doctor_run, opts, "", CMD_CONFIG,
	    "say what could be wrong, and what to do about it" },
};
const struct noun noun_doctor = { "doctor", "look for trouble", verbs,
	nitems(verbs) };

#include "db_cmd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <ln/audit.h>
#include <ln/search.h>
#include <ln/transfer.h>


static int
db_info(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store_info i;
	enum ln_status s;

	if ((s = ln_store_info(c->st, &i, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", ln_store_path(c->st));
	out_str(c->out, "path", ln_store_path(c->st));
	out_int(c->out, "schema", i.schema);
	out_int(c->out, "schema_latest", ln_store_schema_latest());
	out_bytes(c->out, "file_bytes", i.file_bytes);
	out_bytes(c->out, "wal_bytes", i.wal_bytes);
	out_int(c->out, "page_bytes", i.page_bytes);
	out_int(c->out, "page_count", i.page_count);
	out_int(c->out, "free_page_count", i.free_page_count);
	out_int(c->out, "users", i.user_count);
	out_int(c->out, "admins", i.admin_count);
	out_int(c->out, "blocked", i.blocked_count);
	out_int(c->out, "conversations", i.conversation_count);
	out_int(c->out, "messages", i.message_count);
	out_int(c->out, "tags", i.tag_count);
	out_int(c->out, "projects", i.project_count);
	out_int(c->out, "documents", i.document_count);
	out_int(c->out, "prompts", i.prompt_count);
	out_int(c->out, "tools", i.tool_count);
	out_int(c->out, "settings", i.setting_count);
	out_int(c->out, "sessions", i.session_count);
	out_int(c->out, "audit_rows", i.audit_count);
	return ctx_finish(c);
}

/* --- reports -------------------------------------------------------------*/

static const char *
kind_name(enum ln_report_kind kind)
{
	switch (kind) {
	case LN_REPORT_UNKNOWN:
		return "unknown";
	case LN_REPORT_OURS:
		return "localneural";
	case LN_REPORT_LEGACY:
		return "legacy";
	}
	return "unknown";
}

static const char *
level_name(enum ln_finding_level level)
{
	switch (level) {
	case LN_FINDING_NOTE:
		return "note";
	case LN_FINDING_REPAIR:
		return "repair";
	case LN_FINDING_ERROR:
		return "error";
	}
	return "error";
}

static void
report_counts(struct out *o, const struct ln_report *r)
{
	out_open(o, "counts");
	out_int(o, "users", r->counts.users);
	out_int(o, "admins", r->counts.admins);
	out_int(o, "conversations", r->counts.conversations);
	out_int(o, "messages", r->counts.messages);
	out_int(o, "images", r->counts.images);
	out_int(o, "tags", r->counts.tags);
	out_int(o, "groups", r->counts.groups);
	out_int(o, "projects", r->counts.projects);
	out_int(o, "documents", r->counts.documents);
	out_int(o, "prompts", r->counts.prompts);
	out_int(o, "tools", r->counts.tools);
	out_int(o, "settings", r->counts.settings);
	out_int(o, "user_settings", r->counts.user_settings);
	out_int(o, "pictures", r->counts.pictures);
	out_int(o, "audit", r->counts.audit);
	out_close(o);
}

static void
report_fields(struct out *o, const char *path, const struct ln_report *r)
{
	static const struct out_col cols[] = { { "level", OUT_STR, false },
		{ "code", OUT_STR, false }, { "subject", OUT_STR, false },
		{ "count", OUT_INT, false }, { "text", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	const struct ln_finding *f;
	size_t i;

	out_str(o, "file", path);
	out_str(o, "kind", kind_name(r->kind));
	out_int(o, "schema", r->schema);
	out_bool(o, "is_importable", r->is_importable);
	report_counts(o, r);
	out_int(o, "repaired", r->repaired_count);
	out_int(o, "dropped", r->dropped_count);
	if (r->snapshot_path != NULL)
		out_str(o, "snapshot", r->snapshot_path);
	out_list(o, "findings", cols);
	for (i = 0; i < r->finding_count; i++) {
		f = &r->findings[i];
		out_row(o, level_name(f->level), f->code, f->subject, f->count,
		    f->text);
	}
	out_list_end(o);
}

static void
transfer_opts(struct ctx *c, struct ln_transfer_opts *opts,
    struct progress *p, const char *what)
{
	memset(opts, 0, sizeof(*opts));
	opts->size = sizeof(*opts);
	opts->ignore_unknown = opt_has(&c->args, O_IGNORE_UNKNOWN);
	opts->allowed_endpoints = ln_config_get(c->cfg,
	    "LOCALNEURAL_ALLOWED_ENDPOINTS");
	progress_init(p, c, what);
	opts->progress = progress_step;
	opts->progress_arg = p;
}

/* What the report says decides; a refused file is a finding, not a failure. */
static int
finish_report(struct ctx *c, const char *path, const struct ln_report *r)
{
	int rc;

	report_fields(c->out, path, r);
	rc = ctx_finish(c);
	if (rc != EX_OK || r->is_importable)
		return rc;
	return ctx_refuse(c, EX_INVALID, "invalid",
	    "it cannot be imported", "The findings say why", "%s", path);
}

static int
db_validate(struct ctx *c)
{
	const char *path = ctx_word(c, 0);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_transfer_opts opts;
	struct ln_report *r = NULL;
	struct progress p;
	enum ln_status s;
	int rc;

	transfer_opts(c, &opts, &p, "validating");
	s = ln_validate(path, &opts, &r, &err);
	progress_done(&p);
	if (s != LN_OK)
		rc = ctx_fail(c, s, &err, NULL, "%s", path);
	else
		rc = finish_report(c, path, r);
	ln_report_free(r);
	return rc;
}

/* A refused file says why in its findings; everything is as before. */
static int
fail_import(struct ctx *c, const char *path, const struct ln_report *r,
    enum ln_status s, const struct ln_error *err)
{
	bool has_no_admin = s == LN_CONFLICT && r != NULL;

	if (r != NULL && !r->is_importable) {
		report_fields(c->out, path, r);
		(void)out_end(c->out);
	}
	return ctx_refuse(c, s == LN_INVALID ? EX_INVALID : exit_code(s),
	    ln_status_token(s), ln_error_text(err, s), has_no_admin ?
	    "Keep yours with --keep-admin USER; nothing was changed" :
	    "Nothing was changed", "%s", path);
}

static int
db_import(struct ctx *c)
{
	const char *path = ctx_word(c, 0), *keep = ctx_opt(c, O_KEEP_ADMIN);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_transfer_opts opts;
	struct ln_report *r = NULL;
	struct ln_user *admin = NULL;
	struct progress p;
	enum ln_status s;
	int rc;

	transfer_opts(c, &opts, &p, "importing");
	opts.is_dry_run = opt_has(&c->args, O_DRY_RUN);
	if (keep != NULL) {
		if ((rc = ctx_user(c, keep, &admin)) != EX_OK)
			return rc;
		if (admin->role != LN_USER_ROLE_ADMIN) {
			rc = ctx_usage(c, NULL,
			    "%s: --keep-admin %s is not an administrator",
			    c->path, admin->username);
			goto out;
		}
		opts.keep_admin_id = admin->id;
	}
	if (!opts.is_dry_run && (rc = tty_confirm(c,
	    "Replace the content of %s by %s?", ln_store_path(c->st), path)) !=
	    EX_OK)
		goto out;
	s = ln_import(c->st, path, &opts, &r, &err);
	progress_done(&p);
	if (s != LN_OK)
		rc = fail_import(c, path, r, s, &err);
	else {
		out_str(c->out, "result", opts.is_dry_run ? "would_import" :
		    "imported");
		rc = finish_report(c, path, r);
	}
out:
	ln_report_free(r);
	ln_user_free(admin);
	return rc;
}

/* --- export --------------------------------------------------------------*/

/* What leaves the instance is on record. */
static int
audit_export(struct ctx *c, const char *action, const char *target)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_audit_add(c->st, action, target, LN_OK, NULL, &err);
	if (s == LN_OK)
		return EX_OK;
	(void)ctx_fail(c, s, &err, "The export itself is whole", "audit log");
	return EX_PARTIAL;
}

static int
copy_to_stdout(struct ctx *c, const char *path)
{
	char piece[65536];
	size_t n;
	FILE *f;
	int rc;

	if ((f = fopen(path, "rbe")) == NULL)
		return ctx_refuse(c, EX_FAILED, "io", strerror(errno), "",
		    "%s", path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		if (fwrite(piece, 1, n, stdout) != n)
			break;
	rc = ferror(f) ? ctx_refuse(c, EX_FAILED, "io", strerror(errno), "",
	    "%s", path) : EX_OK;
	(void)fclose(f);
	return rc == EX_OK ? ctx_finish(c) : rc;
}

static int
export_to_stdout(struct ctx *c, struct ln_export_opts *opts)
{
	char path[4096], folder[4096];
	struct ln_error err = LN_ERROR_INIT;
	unsigned char tag[8];
	enum ln_status s;
	int rc;

	if (isatty(STDOUT_FILENO) == 1)
		return ctx_usage(c, "Redirect it, or name a file",
		    "%s: a database does not belong on a terminal", c->path);
	/* Beside the database: the room and the permissions are right there. */
	file_dir(ln_store_path(c->st), folder, sizeof(folder));
	ln_random(tag, sizeof(tag));
	(void)snprintf(path, sizeof(path),
	    "%.4000s/export.%02x%02x%02x%02x%02x%02x%02x%02x.part", folder,
	    tag[0], tag[1], tag[2], tag[3], tag[4], tag[5], tag[6], tag[7]);
	s = ln_export(c->st, path, opts, NULL, &err);
	progress_done(opts->progress_arg);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "export");
	rc = copy_to_stdout(c, path);
	(void)unlink(path);
	return rc == EX_OK ? audit_export(c, "db.export", NULL) : rc;
}

static int
export_sqlite(struct ctx *c, const char *path)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_export_opts opts;
	struct progress p;
	int64_t bytes = 0;
	enum ln_status s;
	int rc;

	memset(&opts, 0, sizeof(opts));
	opts.size = sizeof(opts);
	opts.with_secrets = opt_has(&c->args, O_WITH_SECRETS);
	progress_init(&p, c, "exporting");
	opts.progress = progress_step;
	opts.progress_arg = &p;
	if (strcmp(path, "-") == 0)
		return export_to_stdout(c, &opts);
	s = ln_export(c->st, path, &opts, &bytes, &err);
	progress_done(&p);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, s == LN_CONFLICT ?
		    "Name another file; nothing was written" : NULL, "%s",
		    path);
	out_str(c->out, "result", "exported");
	out_str(c->out, "file", path);
	out_bytes(c->out, "bytes", bytes);
	if ((rc = ctx_finish(c)) != EX_OK)
		return rc;
	return audit_export(c, "db.export", NULL);
}

static int
export_json(struct ctx *c, const char *path, const char *name)
{
	struct ln_user *u = NULL;
	int64_t bytes;
	int rc;

	if ((rc = ctx_user(c, name, &u)) != EX_OK)
		return rc;
	rc = person_export(c, u, path, &bytes, "Nothing was written");
	if (rc == EX_OK && strcmp(path, "-") != 0) {
		out_str(c->out, "result", "exported");
		out_str(c->out, "file", path);
		out_str(c->out, "username", u->username);
		out_bytes(c->out, "bytes", bytes);
		rc = ctx_finish(c);
	}
	if (rc == EX_OK)
		rc = audit_export(c, "user.export", u->id);
	ln_user_free(u);
	return rc;
}

static int
db_export(struct ctx *c)
{
	const char *path = ctx_word(c, 0), *user = ctx_opt(c, O_USER);
	const char *format = ctx_opt(c, O_DB_FORMAT);
	bool is_json = format != NULL && strcmp(format, "json") == 0;

	if (strcmp(path, "-") == 0 && out_format(c->out) != OUT_TABLE)
		return ctx_usage(c, "Name a file",
		    "%s: standard output cannot be both the export and --json",
		    c->path);
	if (format == NULL && user != NULL)
		is_json = true;
	if (is_json && user == NULL)
		return ctx_usage(c, "Add --user, or take --format sqlite",
		    "%s: --format json is one user's data", c->path);
	if (!is_json && user != NULL)
		return ctx_usage(c, "Take --format json",
		    "%s: --format sqlite is everybody's data", c->path);
	return is_json ? export_json(c, path, user) : export_sqlite(c, path);
}

/* --- check ---------------------------------------------------------------*/

static void
on_problem(void *arg, const char *problem)
{
	struct ctx *c = arg;

	out_row(c->out, problem);
}

static int
db_check(struct ctx *c)
{
	static const struct out_col cols[] = { { "problem", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct ln_error err = LN_ERROR_INIT;
	bool is_full = opt_has(&c->args, O_FULL);
	enum ln_status s;
	int rc;

	out_list(c->out, "problems", cols);
	s = ln_store_check(c->st, is_full, on_problem, c, &err);
	out_list_end(c->out);
	if (s != LN_OK && s != LN_CORRUPT)
		return ctx_fail(c, s, &err, NULL, "%s", ln_store_path(c->st));
	out_str(c->out, "path", ln_store_path(c->st));
	out_str(c->out, "check", is_full ? "full" : "quick");
	out_str(c->out, "result", s == LN_OK ? "sound" : "damaged");
	if (s == LN_OK)
		out_say(c->out, "%s: sound", ln_store_path(c->st));
	rc = ctx_finish(c);
	if (rc != EX_OK || s == LN_OK)
		return rc;
	return ctx_refuse(c, EX_INVALID, "corrupt",
	    "the database is damaged", "Restore a backup, or export what"
	    " can be read with `lnctl db export FILE`", "%s", ln_store_path(c->st));
}

static int
db_reindex(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	if ((s = ln_search_rebuild(c->st, &err)) != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", ln_store_path(c->st));
	out_str(c->out, "path", ln_store_path(c->st));
	out_str(c->out, "result", "reindexed");
	out_say(c->out, "%s: reindexed", ln_store_path(c->st));
	return ctx_finish(c);
}

static const enum opt_id validate_opts[] = { O_IGNORE_UNKNOWN, O_END };
static const enum opt_id import_opts[] = { O_DRY_RUN, O_KEEP_ADMIN,
	O_IGNORE_UNKNOWN, O_END };
static const enum opt_id export_opts[] = { O_DB_FORMAT, O_USER,
	O_WITH_SECRETS, O_END };
static const enum opt_id check_opts[] = { O_FULL, O_END };
static const enum opt_id migrate_opts[] = { O_DRY_RUN, O_END };

static const struct verb verbs[] = {
	{ "info", db_info, NULL, "", CMD_STORE_RO,
	    "say what the database holds" },
	{ "validate", db_validate, validate_opts, "FILE",
	    CMD_CONFIG | CMD_SIGNALS,
	    "say whether a file could be imported" },
	{ "import", db_import, import_opts, "FILE",
	    CMD_STORE_RW | CMD_KEYS | CMD_SIGNALS,
	    "replace everything by the content of a file" },
	{ "export", db_export, export_opts, "FILE",
	    CMD_STORE_RW | CMD_KEYS | CMD_SIGNALS,
	    "write a copy that can be imported" },
	{ "check", db_check, check_opts, "", CMD_STORE_RO,
	    "look for damage" },
	{ "reindex", db_reindex, NULL, "", CMD_STORE_RW,
	    "make the search index anew" },
	{ "migrate", db_migrate, migrate_opts, "", CMD_CONFIG | CMD_KEYS,
	    "bring an older database up to date" },
	{ "vacuum", db_vacuum, NULL, "", CMD_STORE_RW,
	    "give back the room of deleted rows" },
	{ "stats", db_stats, NULL, "", CMD_STORE_RO,
	    "say what takes how much room" },
};
const struct noun noun_db = { "db", "the database", verbs, nitems(verbs) };

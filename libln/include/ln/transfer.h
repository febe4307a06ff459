#ifndef LN_TRANSFER_H
#define LN_TRANSFER_H

#include <ln/base.h>
#include <ln/buf.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Databases in and out: validate a file without trusting a byte of it, import
 * by re-insertion, export.  All slow: call them in a worker thread.
 */

enum ln_finding_level { LN_FINDING_NOTE, LN_FINDING_REPAIR, LN_FINDING_ERROR };

/**
 * struct ln_finding:
 * ${code} is stable ("not_sqlite", "orphan_rows"); ${text} a sentence for a
 * person; ${subject} a table, column or id, may be NULL; ${count} rows.
 */
struct ln_finding {
	const char *code;
	enum ln_finding_level level;
	char *subject;
	char *text;
	int64_t count;
};

enum ln_report_kind { LN_REPORT_UNKNOWN, LN_REPORT_OURS, LN_REPORT_LEGACY };

/**
 * struct ln_report:
 * What validation and import found and did.  ${counts} are rows that the file
 * holds (validate) or that arrived (import), by our table names.
 */
struct ln_report {
	enum ln_report_kind kind;
	int schema;
	bool is_importable;
	struct ln_finding *findings;
	size_t finding_count;
	struct {
		int64_t users, admins, conversations, messages, images, tags,
		    groups, projects, documents, prompts, tools, settings,
		    user_settings, pictures, audit;
	} counts;
	int64_t repaired_count, dropped_count;
	char *snapshot_path;	/* import: the kept previous database */
};

/**
 * struct ln_transfer_opts:
 * ${ignore_unknown} leaves unknown tables and columns out instead of refusing.
 * ${keep_admin_id} carries that account of the live database over; validation
 * then only knows that there will be an administrator.  ${deadline_ms} bounds
 * the reading of the file; 0: ten seconds a gigabyte, at least ten, to examine
 * it, and thirty times that to take its rows.  ${progress} may be NULL; return
 * false to cancel.  ${allowed_endpoints} (of LOCALNEURAL_ALLOWED_ENDPOINTS) is
 * the list of local model servers when neither database sets one; NULL: its
 * default.
 */
struct ln_transfer_opts {
	size_t size;
	bool ignore_unknown;
	bool is_dry_run;
	const char *keep_admin_id;
	int64_t deadline_ms;
	bool (*progress)(void *arg, int percent);
	void *progress_arg;
	const char *allowed_endpoints;
};

/**
 * ln_validate(path, opts, out, err):
 * LN_OK with is_importable true or false; other statuses only when the file
 * could not be looked at at all (LN_NOT_FOUND, LN_IO, LN_NOMEM, LN_CANCELLED).
 * ${out} is set whenever LN_OK is returned; free with ln_report_free.
 */
LN_API enum ln_status ln_validate(const char *path,
    const struct ln_transfer_opts *opts, struct ln_report **out,
    struct ln_error *err) LN_USE;

/**
 * ln_import(st, path, opts, out, err):
 * Validate, re-insert into a fresh database, check it, keep a snapshot of the
 * live one beside it, then replace the live content atomically for every
 * process.  On any failure the old database stays in service, whole.
 * Accounts, chats and settings come from the file; the audit log goes on with
 * one row about the import (also about a refused one); everybody signs in
 * again.
 * LN_INVALID: the file was refused, see ${out}; LN_TOO_NEW: likewise, it is of
 * a later schema; LN_CONFLICT: another import runs, the account to keep is no
 * administrator who can sign in, or (see ${out}) none could afterwards;
 * LN_NOT_FOUND; LN_IO; LN_BUSY; LN_CANCELLED; LN_BAD_KEY without keys.
 */
LN_API enum ln_status ln_import(struct ln_store *st, const char *path,
    const struct ln_transfer_opts *opts, struct ln_report **out,
    struct ln_error *err) LN_USE;
LN_API void ln_report_free(struct ln_report *r);

struct ln_json;
struct ln_jw;
/* Write the report as members of the object that is open in ${w}. */
LN_API void ln_report_json(const struct ln_report *r, struct ln_jw *w);

struct ln_export_opts {
	size_t size;
	bool with_secrets;	/* keep sealed API keys */
	bool (*progress)(void *arg, int percent);
	void *progress_arg;
};

/**
 * ln_export(st, path, opts, out_bytes, err):
 * A consistent copy of the database in one new file (0600; LN_CONFLICT when it
 * exists), while others write: without sign-in sessions, reset tokens, mails
 * that wait and, unless asked, API keys.  Nothing is left behind on failure.
 */
LN_API enum ln_status ln_export(struct ln_store *st, const char *path,
    const struct ln_export_opts *opts, int64_t *out_bytes,
    struct ln_error *err) LN_USE;

/**
 * ln_export_user(st, user_id, write, arg, err) / ln_export_user_json(st,
 * user_id, out, err):
 * Everything one user owns, as JSON (docs/personal-data.md describes it),
 * piece by piece to ${write} in bounded memory / into one buffer.  What
 * ${write} returns but LN_OK ends it.  LN_NOT_FOUND.
 */
typedef enum ln_status ln_export_write_fn(void *arg, const char *p, size_t n,
    struct ln_error *err);
LN_API enum ln_status ln_export_user(struct ln_store *st,
    const char *user_id, ln_export_write_fn *write, void *arg,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_export_user_json(struct ln_store *st,
    const char *user_id, struct ln_buf *out, struct ln_error *err) LN_USE;

/**
 * struct ln_data_count / struct ln_data_note:
 * How much of a kind ("conversations", "messages") came, was there already,
 * and was left out / why something was left out or changed: ${reason} is a
 * sentence, static; ${is_kept} tells what was only changed.
 */
struct ln_data_count {
	const char *what;
	int64_t added, present, skipped;
};

struct ln_data_note {
	const char *what;
	const char *reason;
	bool is_kept;
	int64_t count;
};

#define LN_DATA_KINDS 10
#define LN_DATA_NOTES_MAX 64

struct ln_data_report {
	const char *format;	/* "localneural", "chatgpt", "open_webui" or
				 * "legacy" */
	struct ln_data_count counts[LN_DATA_KINDS];
	struct ln_data_note notes[LN_DATA_NOTES_MAX];
	size_t note_count;
};

#define LN_DATA_FILE_MAX ((int64_t)1024 * 1024 * 1024)

/**
 * struct ln_data_opts:
 * ${is_dry_run} changes nothing and reports what would come.  ${progress} may
 * be NULL; return false to cancel.
 */
struct ln_data_opts {
	size_t size;
	bool is_dry_run;
	bool (*progress)(void *arg, int percent);
	void *progress_arg;
};

/**
 * ln_data_import(st, cfg, user_id, path, opts, out, err):
 * What a person brings along, into the account ${user_id}: the JSON of
 * ln_export_user, ChatGPT's conversations.json, chats as Open WebUI exports
 * them, or the legacy program's export; told apart by content.  All of it
 * comes in one transaction, or nothing; what was brought before is not brought
 * twice (docs/personal-data.md).  Memory is bounded by the largest single item
 * that is taken (32 MiB), whatever the size of the file.  Slow: call it in a
 * worker thread.
 * LN_INVALID: no such file of ours or theirs; LN_TOO_NEW: a later version of
 * our format; LN_TOO_LARGE: past LN_DATA_FILE_MAX; LN_NOT_FOUND: no such file
 * or account; LN_FORBIDDEN: the actor may not; LN_CANCELLED; LN_IO; LN_BUSY.
 * ${out} is yours on LN_OK, release with ln_free.
 */
LN_API enum ln_status ln_data_import(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id, const char *path,
    const struct ln_data_opts *opts, struct ln_data_report **out,
    struct ln_error *err) LN_USE;

/* Write the report as members of the object that is open in ${w}. */
LN_API void ln_data_report_json(const struct ln_data_report *r,
    struct ln_jw *w);

/**
 * ln_export_conversation(st, user_id, conversation_id, format, out, err):
 * One conversation as "md", "json" or "html" (escaped, script-free).
 * LN_INVALID for another format; LN_NOT_FOUND.
 */
LN_API enum ln_status ln_export_conversation(struct ln_store *st,
    const char *user_id, const char *conversation_id, const char *format,
    struct ln_buf *out, struct ln_error *err) LN_USE;

/**
 * ln_export_message(st, user_id, id, format, out, err):
 * One message as "md" or "json".  LN_INVALID for another format;
 * LN_NOT_FOUND.
 */
LN_API enum ln_status ln_export_message(struct ln_store *st,
    const char *user_id, int64_t id, const char *format, struct ln_buf *out,
    struct ln_error *err) LN_USE;

#endif

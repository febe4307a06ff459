#ifndef LN_BACKUP_H
#define LN_BACKUP_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Backups: one file each, whole or not there, whose format outlives this
 * program (docs/backup-format.md).  It holds everything but sign-in sessions
 * and links for new passwords; API keys stay sealed under SECRET_KEY, which is
 * not in it.  All slow: call them in a worker thread.  A store handle is used
 * for the copy and for receipts; the rest is files.
 */

enum ln_backup_check {
	LN_BACKUP_UNCHECKED,
	LN_BACKUP_QUICK,	/* the file is byte for byte what was written */
	LN_BACKUP_FULL,		/* it opens, and its database is sound */
	LN_BACKUP_DRILL,	/* restored beside, and a conversation read */
};
/* "unchecked", "quick", ... */
LN_API const char *ln_backup_check_name(enum ln_backup_check how);

/**
 * struct ln_backup:
 * ${schema} and the counts come from the file's header; all 0 when it is
 * encrypted and was not opened.
 */
struct ln_backup {
	char *path;
	const char *name;	/* in ${path} */
	int64_t created_ms;
	int64_t bytes;
	bool is_encrypted;
	int schema;
	int64_t database_bytes;
	int64_t user_count, conversation_count, message_count;
	int64_t verified_ms;	/* 0: never */
	enum ln_backup_check verified_how;
};
struct ln_backup_list {
	struct ln_backup *items;	/* newest first */
	size_t count;
};
LN_API void ln_backup_clear(struct ln_backup *b);
LN_API void ln_backup_list_free(struct ln_backup_list *l);

/**
 * ln_backup_keygen(out_public, out_secret, err):
 * A key pair as text: whoever has the public key can make backups that only
 * the secret one opens.  Yours; release the secret with ln_wipe_free.
 */
LN_API enum ln_status ln_backup_keygen(char **out_public, char **out_secret,
    struct ln_error *err) LN_USE;

/**
 * struct ln_backup_opts / ln_backup_create(st, opts, out, err):
 * Make a backup in ${folder}, which must exist.  ${public_key} or
 * ${passphrase} encrypt it (at most one).  ${how}: what is checked before the
 * file gets its name; an encrypted one can be checked fully here and now,
 * because the key is still in hand.  LN_CONFLICT while another backup to that
 * folder runs; LN_INVALID (field "public_key", "passphrase"); LN_NOT_FOUND (no
 * such folder); LN_IO; LN_CANCELLED.  Nothing is left behind on failure.
 */
struct ln_backup_opts {
	size_t size;
	const char *folder;
	const char *public_key;
	const char *passphrase;
	enum ln_backup_check how;
	bool (*progress)(void *arg, int percent);
	void *progress_arg;
};
LN_API enum ln_status ln_backup_create(struct ln_store *st,
    const struct ln_backup_opts *opts, struct ln_backup *out,
    struct ln_error *err) LN_USE;

/**
 * ln_backup_list(st, folder, out, err):
 * The backups in a folder, by their names and headers.  ${st} may be NULL:
 * then nothing is known of when they were verified.
 */
LN_API enum ln_status ln_backup_list(struct ln_store *st, const char *folder,
    struct ln_backup_list *out, struct ln_error *err) LN_USE;

/**
 * struct ln_backup_unlock:
 * How to open an encrypted one; NULL members are not to be had.
 */
struct ln_backup_unlock {
	size_t size;
	const char *secret_key;
	const char *passphrase;
	bool (*progress)(void *arg, int percent);
	void *progress_arg;
};

/**
 * ln_backup_verify(st, path, how, unlock, out, err):
 * Look at a backup and, when ${st} is not NULL and knows it, note the result.
 * A quick look at one that no receipt knows reads it whole instead.
 * LN_CORRUPT: damaged; LN_BAD_KEY: not the key, or none; LN_NOT_FOUND.
 */
LN_API enum ln_status ln_backup_verify(struct ln_store *st, const char *path,
    enum ln_backup_check how, const struct ln_backup_unlock *unlock,
    struct ln_backup *out, struct ln_error *err) LN_USE;

/**
 * struct ln_backup_keep / ln_backup_prune(st, folder, keep, is_dry_run, out,
 * err):
 * Remove the backups that no rule keeps; ${out} lists them.  A rule keeps the
 * newest of each of the last so many days, weeks or months (UTC) that have
 * one.  Never removed: the newest, and the newest that was verified.
 */
struct ln_backup_keep {
	size_t size;
	int64_t last, daily, weekly, monthly;
};
LN_API enum ln_status ln_backup_prune(struct ln_store *st, const char *folder,
    const struct ln_backup_keep *keep, bool is_dry_run,
    struct ln_backup_list *out, struct ln_error *err) LN_USE;

/**
 * ln_backup_last(st, out, err):
 * The receipt of the newest backup that was verified.  LN_NOT_FOUND: none.
 */
LN_API enum ln_status ln_backup_last(struct ln_store *st,
    struct ln_backup *out, struct ln_error *err) LN_USE;

enum ln_backup_age {
	LN_BACKUP_FRESH,
	LN_BACKUP_OLD,
	LN_BACKUP_FUTURE,	/* a clock was set back: it says nothing */
};

/**
 * ln_backup_max_age(cfg, out_ms, err) / ln_backup_age(b, now_ms, max_ms):
 * How old the last verified backup may be, by LOCALNEURAL_BACKUP_MAX_AGE /
 * whether ${b} is younger than that.  LN_INVALID for a setting that is no
 * time.  Thread-safe.
 */
LN_API enum ln_status ln_backup_max_age(const struct ln_config *cfg,
    int64_t *out_ms, struct ln_error *err) LN_USE;
LN_API enum ln_backup_age ln_backup_age(const struct ln_backup *b,
    int64_t now_ms, int64_t max_ms);

/**
 * ln_backup_extract(path, unlock, database_path, out, err):
 * Write the database of a backup to a new file (0600), checked as by
 * LN_BACKUP_FULL before it gets that name.  LN_CONFLICT when it exists.
 */
LN_API enum ln_status ln_backup_extract(const char *path,
    const struct ln_backup_unlock *unlock, const char *database_path,
    struct ln_backup *out, struct ln_error *err) LN_USE;

/**
 * ln_backup_restore(st, path, unlock, out_snapshot, out, err):
 * Replace the live content by that of a backup, as ln_import does: checked,
 * re-inserted, atomically for every process.  The database as it was stays
 * beside it (${out_snapshot}, yours); the live audit log goes on; everybody
 * signs in again.  Outcomes of ln_backup_verify and of ln_import.
 */
LN_API enum ln_status ln_backup_restore(struct ln_store *st, const char *path,
    const struct ln_backup_unlock *unlock, char **out_snapshot,
    struct ln_backup *out, struct ln_error *err) LN_USE;

#endif

#ifndef LN_STORE_H
#define LN_STORE_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/secret.h>

/*
 * The one database.  A handle belongs to one thread at a time; open it after
 * fork.  Every function on it may answer LN_BUSY (locked longer than the
 * bound), LN_IO, LN_CORRUPT and LN_NOMEM besides what it names.
 */

#define LN_STORE_APPLICATION_ID 0x4C4E4442	/* "LNDB" */
#define LN_STORE_BUSY_MS 5000		/* default bound on waiting for a lock */

enum ln_store_mode {
	LN_STORE_RO,		/* read only */
	LN_STORE_RW,		/* must exist; migrated when it is behind */
	LN_STORE_CREATE,	/* made when missing, its folder 0700 too */
};

struct ln_store;

/**
 * struct ln_store_opts:
 * ${keys} is borrowed and must outlive the handle; without it, functions that
 * sign, seal or audit answer LN_BAD_KEY.  ${busy_ms} 0 is the default.
 */
struct ln_store_opts {
	size_t size;
	const char *path;
	enum ln_store_mode mode;
	int busy_ms;
	const struct ln_keys *keys;
};

/**
 * ln_store_open(opts, out, err):
 * Open, check application id and schema number, migrate (through a checked
 * copy, keeping a snapshot beside the file).  LN_NOT_FOUND: no such file;
 * LN_TOO_NEW: a later schema, untouched; LN_CORRUPT: not our database;
 * LN_BAD_KEY: to be written with keys that were replaced, see ln/rotate.h;
 * LN_BUSY.
 */
LN_API enum ln_status ln_store_open(const struct ln_store_opts *opts,
    struct ln_store **out, struct ln_error *err) LN_USE;
LN_API void ln_store_close(struct ln_store *st);

/**
 * ln_store_lock(path, out_fd, err):
 * Hold the database ${path} for this process and its children alone, as a
 * server does, until the last copy of ${out_fd} is closed.  It keeps other
 * holders out, not programs that just open the database.  LN_CONFLICT while
 * somebody holds it (at once, without waiting); LN_INVALID for a path that is
 * too long; LN_IO.
 */
LN_API enum ln_status ln_store_lock(const char *path, int *out_fd,
    struct ln_error *err) LN_USE;

/**
 * ln_store_path(st) / ln_store_keys(st):
 * As opened.  Borrowed from the handle.
 */
LN_API const char *ln_store_path(const struct ln_store *st);
LN_API const struct ln_keys *ln_store_keys(const struct ln_store *st);

/**
 * ln_store_schema_latest():
 * The schema number this build writes.
 */
LN_API int ln_store_schema_latest(void);

/**
 * ln_store_schema(path, out, err):
 * The schema number of the database ${path}, which stays as it is.  Errors as
 * of ln_store_open.
 */
LN_API enum ln_status ln_store_schema(const char *path, int *out,
    struct ln_error *err) LN_USE;

/**
 * ln_store_version(st, out, err):
 * A number that changes whenever another connection has committed since the
 * last call (PRAGMA data_version).  Cheap: one page read at most.
 */
LN_API enum ln_status ln_store_version(struct ln_store *st, int64_t *out,
    struct ln_error *err) LN_USE;

/**
 * ln_store_transaction(st, fn, arg, err):
 * Run ${fn} inside one IMMEDIATE transaction (a savepoint when already inside
 * one); commit only when it returns LN_OK.  Returns what ${fn} returned, or
 * why the commit failed.
 */
LN_API enum ln_status ln_store_transaction(struct ln_store *st,
    enum ln_status (*fn)(struct ln_store *, void *, struct ln_error *),
    void *arg, struct ln_error *err) LN_USE;

/**
 * struct ln_store_info:
 * What `lnctl db info` shows.
 */
struct ln_store_info {
	int schema;
	int64_t file_bytes;
	int64_t wal_bytes;
	int64_t page_bytes;
	int64_t page_count;
	int64_t free_page_count;
	int64_t user_count, admin_count, blocked_count;
	int64_t conversation_count, message_count, project_count;
	int64_t document_count, prompt_count, tool_count, tag_count;
	int64_t setting_count, session_count, audit_count;
};
LN_API enum ln_status ln_store_info(struct ln_store *st,
    struct ln_store_info *out, struct ln_error *err) LN_USE;

/**
 * ln_store_sizes(st, fn, arg, err):
 * How much room each table takes, its indexes apart, the largest first:
 * ${fn} gets a name (borrowed until it returns), whether it is an index, and
 * bytes of whole pages.  Reads every page.
 */
LN_API enum ln_status ln_store_sizes(struct ln_store *st,
    void (*fn)(void *arg, const char *name, bool is_index, int64_t bytes),
    void *arg, struct ln_error *err) LN_USE;

/**
 * ln_store_vacuum(st, err):
 * Write the file anew without the room that deleted rows left, and empty its
 * log.  Nobody can write meanwhile; LN_BUSY when others do not let go in time.
 * Takes room for a copy twice, beside the file and in its log; LN_IO when
 * there is none, and the database is as before.
 */
LN_API enum ln_status ln_store_vacuum(struct ln_store *st,
    struct ln_error *err) LN_USE;

/**
 * ln_store_check(st, is_full, fn, arg, err):
 * Integrity (quick, or full), foreign keys and the search index (which entries
 * it has, or every word of it; ln_search_rebuild makes a new one); ${fn} gets
 * one line a problem.  A full check through a handle that only reads takes
 * room for a copy.  LN_OK when sound, LN_CORRUPT when not.
 */
LN_API enum ln_status ln_store_check(struct ln_store *st, bool is_full,
    void (*fn)(void *arg, const char *problem), void *arg,
    struct ln_error *err) LN_USE;

/**
 * struct ln_actor / ln_store_actor_set(st, actor):
 * Who acts through this handle, for the audit log.  Copied.  ${kind} is
 * "user", "shell" or "system"; the others may be NULL.
 */
struct ln_actor {
	const char *kind;
	const char *user_id;
	const char *address;
	const char *request_id;
};
LN_API void ln_store_actor_set(struct ln_store *st,
    const struct ln_actor *actor);

#endif

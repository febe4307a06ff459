#ifndef LN_PROJECT_H
#define LN_PROJECT_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/extract.h>
#include <ln/store.h>

/*
 * Projects and their documents.  Every function takes the id of the acting
 * user and answers LN_NOT_FOUND for a project or document of somebody else, as
 * for an unknown one.
 *
 * A document is stored as it came and then read, by whoever finds the time:
 * a thread of the server, or lnctl.  Reading cuts its text into chunks of at
 * most LN_CHUNK_MAX bytes, each with its page or line, and keeps only those.
 */

#define LN_PROJECT_TITLE_MAX 200	/* code points */
#define LN_PROJECT_DESCRIPTION_MAX 4000	/* code points */
#define LN_PROJECT_COUNT_MAX 500	/* of one person; ours, like all below */
#define LN_DOCUMENT_COUNT_MAX 1000	/* of one project */
#define LN_DOCUMENT_FILE_MAX LN_EXTRACT_FILE_MAX
#define LN_DOCUMENT_SUM_MAX (INT64_C(512) * 1024 * 1024) /* bytes a person */
#define LN_DOCUMENT_NAME_MAX 120	/* code points */
#define LN_CHUNK_MAX ((size_t)1500)	/* bytes */

struct ln_project {
	char *id;
	char *user_id;
	char *title;
	char *description;	/* may be NULL */
	int64_t document_count;
	int64_t created_ms;
};

struct ln_project_list {
	struct ln_project **items;
	size_t count;
};

enum ln_document_state {
	LN_DOCUMENT_QUEUED,
	LN_DOCUMENT_READING,
	LN_DOCUMENT_READY,
	LN_DOCUMENT_FAILED,
};

/* Whether a search by meaning finds a document, too; words always do. */
enum ln_vectors {
	LN_VECTORS_NONE,	/* nobody has begun, or no model embeds */
	LN_VECTORS_WORKING,
	LN_VECTORS_READY,
	LN_VECTORS_FAILED,	/* it is tried again later */
	LN_VECTORS_SKIPPED,	/* beyond a bound below */
};

struct ln_document {
	int64_t id;
	char *project_id;
	char *filename;
	enum ln_document_state state;
	char *reason;		/* a sentence, when it failed; else NULL */
	char *type;		/* see ln_extract_type_name; NULL: not known */
	char *source_url;	/* of a page; else NULL */
	int64_t bytes;
	int64_t chunk_count;	/* so far, while it is read */
	int64_t page_count;	/* 0: it has none */
	int64_t created_ms;
	enum ln_vectors vectors;
	char *vectors_reason;	/* a sentence, when they failed or were
				 * skipped; else NULL */
};

struct ln_document_list {
	struct ln_document **items;
	size_t count;
};

LN_API const char *ln_document_state_name(enum ln_document_state state);
LN_API const char *ln_vectors_name(enum ln_vectors v);

/**
 * ln_project_list(st, user_id, out, err) / ln_project_get(st, user_id, id, ...):
 * All, by title / one.  Free with ln_project_list_free, ln_project_free.
 */
LN_API enum ln_status ln_project_list(struct ln_store *st,
    const char *user_id, struct ln_project_list *out, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_project_get(struct ln_store *st, const char *user_id,
    const char *id, struct ln_project **out, struct ln_error *err) LN_USE;

/**
 * ln_project_find(st, user_id, text, out, err):
 * By id, else by title without regard to case.  LN_CONFLICT when several are
 * called that.
 */
LN_API enum ln_status ln_project_find(struct ln_store *st,
    const char *user_id, const char *text, struct ln_project **out,
    struct ln_error *err) LN_USE;
LN_API void ln_project_free(struct ln_project *p);
LN_API void ln_project_list_free(struct ln_project_list *l);

/**
 * ln_project_create(st, user_id, title, description, out, err) /
 * ln_project_update(st, user_id, id, title, description, out, err) /
 * ln_project_delete(st, user_id, id, err):
 * Titles are trimmed and have no control characters; NULL leaves a value
 * alone in an update, and "" removes a description.  ${out} (may be NULL) is
 * yours.  Deleting takes all documents along and leaves the conversations.
 * LN_INVALID with field "title" or "description", LN_TOO_LARGE (too many).
 */
LN_API enum ln_status ln_project_create(struct ln_store *st,
    const char *user_id, const char *title, const char *description,
    struct ln_project **out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_project_update(struct ln_store *st,
    const char *user_id, const char *id, const char *title,
    const char *description, struct ln_project **out, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_project_delete(struct ln_store *st,
    const char *user_id, const char *id, struct ln_error *err) LN_USE;

/**
 * ln_document_list(st, user_id, project_id, out, err) /
 * ln_document_get(st, user_id, project_id, id, ...):
 * Newest first / one.  Free with ln_document_list_free, ln_document_free.
 */
LN_API enum ln_status ln_document_list(struct ln_store *st,
    const char *user_id, const char *project_id,
    struct ln_document_list *out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_document_get(struct ln_store *st,
    const char *user_id, const char *project_id, int64_t id,
    struct ln_document **out, struct ln_error *err) LN_USE;
LN_API void ln_document_free(struct ln_document *d);
LN_API void ln_document_list_free(struct ln_document_list *l);

/**
 * struct ln_document_new / ln_document_add(st, user_id, project_id, d, out,
 * err):
 * Store a file to be read: the ${bytes_count} bytes at ${bytes}.  Of
 * ${filename} the last part is kept, without control characters and shortened.
 * Several transactions, none longer than a few MiB.  ${out} (may be NULL) is
 * yours.  LN_INVALID (an empty file), LN_TOO_LARGE (the file, the documents of
 * the project, or all bytes of the person).
 */
struct ln_document_new {
	size_t size;
	const char *filename;
	const void *bytes;
	size_t bytes_count;
	const char *source_url;	/* may be NULL */
};
LN_API enum ln_status ln_document_add(struct ln_store *st,
    const char *user_id, const char *project_id,
    const struct ln_document_new *d, struct ln_document **out,
    struct ln_error *err) LN_USE;

/**
 * ln_document_delete(st, user_id, project_id, id, err):
 * Also while it is being read: the reader finds nothing to go on with.
 */
LN_API enum ln_status ln_document_delete(struct ln_store *st,
    const char *user_id, const char *project_id, int64_t id,
    struct ln_error *err) LN_USE;

/**
 * struct ln_document_read / ln_document_read_next(st, r, out, err):
 * Blocking: take the oldest document that waits and read it to its end.  Only
 * of ${project_id} unless that is NULL.  ${is_stopped} (may be NULL) is asked
 * several times a second; then the document waits again and LN_CANCELLED comes
 * back.  ${on_change} (may be NULL) hears when it begins and how it ended;
 * the record is borrowed.  LN_OK: one was taken, whatever became of it;
 * LN_NOT_FOUND: none waits.
 */
struct ln_document_read {
	size_t size;
	const char *project_id;
	bool (*is_stopped)(void *arg);
	void (*on_change)(void *arg, const char *user_id,
	    const struct ln_document *d);
	void *arg;
};
LN_API enum ln_status ln_document_read_next(struct ln_store *st,
    const struct ln_document_read *r, struct ln_error *err) LN_USE;

/**
 * ln_document_sweep(st, out_waiting, err):
 * Documents whose holder gave no sign of life for LN_DOCUMENT_DEAD_MS wait
 * again, or have failed when nothing is there to read or they ended their
 * reader LN_DOCUMENT_TRIES times.  ${out_waiting}: whether any waits now.
 */
#define LN_DOCUMENT_DEAD_MS 30000
#define LN_DOCUMENT_TRIES 3
LN_API enum ln_status ln_document_sweep(struct ln_store *st,
    bool *out_waiting, struct ln_error *err) LN_USE;

/**
 * struct ln_document_embed / ln_document_embed_next(st, e, err):
 * Blocking: take a document that was read, but has no vectors of the model
 * which its owner's setting "embedding_model" names, else the instance's, and
 * have that layer's provider make them.  Whoever changes the setting need do no
 * more.  ${cfg} as for ln_provider_resolve; the others as in struct
 * ln_document_read.  What was made before a stop is kept.  LN_OK: one was
 * taken, whatever became of it (a failure is kept with it, and tried again
 * after LN_VECTORS_RETRY_MS, then twice that, and so on up to an hour; until
 * then nothing else of that person is tried); LN_NOT_FOUND: none is due.
 */
#define LN_VECTORS_RETRY_MS 60000
#define LN_VECTORS_DOCUMENT_MAX 4000	/* chunks of one document */
#define LN_VECTORS_PROJECT_MAX 20000	/* of all: a search looks at each */
struct ln_document_embed {
	size_t size;
	const struct ln_config *cfg;
	const char *project_id;
	bool (*is_stopped)(void *arg);
	void (*on_change)(void *arg, const char *user_id,
	    const struct ln_document *d);
	void *arg;
};
LN_API enum ln_status ln_document_embed_next(struct ln_store *st,
    const struct ln_document_embed *e, struct ln_error *err) LN_USE;

/**
 * ln_project_reindex(st, user_id, project_id, err):
 * Forget all vectors of the project, so that they are made anew.
 */
LN_API enum ln_status ln_project_reindex(struct ln_store *st,
    const char *user_id, const char *project_id, struct ln_error *err) LN_USE;

/**
 * struct ln_passage / struct ln_project_query /
 * ln_project_search(st, q, out, err):
 * The passages that match the question best, best first, at most ${max} (up to
 * LN_PASSAGE_COUNT_MAX): by its words, and by its meaning where documents have
 * vectors, both joined by reciprocal rank fusion.  The question may be any
 * text.  With vectors it blocks for LN_PASSAGE_EMBED_MS at most, until the
 * provider has embedded the question; ${is_stopped} (may be NULL) can end that
 * sooner.  Without an answer words alone decide, and ${meaning} says why.
 * ${cfg} as for ln_provider_resolve.  Free with ln_passage_list_free.
 */
#define LN_PASSAGE_COUNT_MAX 50
#define LN_PASSAGE_EMBED_MS 4000
struct ln_passage {
	int64_t document_id;
	char *filename;
	char *text;
	int64_t page, line;	/* 0: no such thing */
	double score;		/* higher is better */
};
struct ln_passage_list {
	struct ln_passage *items;
	size_t count;
	enum ln_status meaning;	/* LN_OK: it counted; LN_NOT_FOUND: there are
				 * no vectors; else why it could not */
};
struct ln_project_query {
	size_t size;
	const struct ln_config *cfg;
	const char *user_id;
	const char *project_id;
	const char *question;
	size_t max;
	bool (*is_stopped)(void *arg);
	void *arg;
};
LN_API enum ln_status ln_project_search(struct ln_store *st,
    const struct ln_project_query *q, struct ln_passage_list *out,
    struct ln_error *err) LN_USE;
LN_API void ln_passage_list_free(struct ln_passage_list *l);

#endif

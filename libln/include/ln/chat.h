#ifndef LN_CHAT_H
#define LN_CHAT_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/http.h>
#include <ln/llm.h>
#include <ln/store.h>

/*
 * One turn of a conversation, from the question to the saved answer, without
 * I/O of its own: the caller moves the bytes.  The same code serves lnctl
 * (ln_chat_run) and the server's event loop.
 *
 *	ln_chat_begin()  saves the question and an empty answer, durably
 *	loop: switch (ln_chat_next())
 *	  SEND   transport ln_chat_request(); ln_chat_feed() each piece;
 *	         ln_chat_upstream_end(); meanwhile ln_chat_tick() every
 *	         LN_CHAT_TICK_MS
 *	  LOCAL  ln_chat_local(), or ln_chat_job_take() for another thread, then
 *	         ask next() again
 *	  PUMP   ln_chat_pump() until next() changes
 *	  WAIT   for a tick, a job, or somebody's decision about a tool call:
 *	         ln_chat_tick() until next() changes
 *	  DONE   ln_chat_free()
 *
 * The answer is journalled by the first tick after LN_CHAT_JOURNAL_MS or
 * LN_CHAT_JOURNAL_BYTES.  Freeing an unfinished turn saves what came.
 */

#define LN_CHAT_TICK_MS 100
#define LN_CHAT_JOURNAL_MS 250		/* data.md: at least every 250 ms ... */
#define LN_CHAT_JOURNAL_BYTES 1024	/* ... or 1 KiB */
#define LN_CHAT_PROMPT_MAX ((size_t)1024 * 1024)	/* bytes typed by a person */
#define LN_CHAT_THINKING_MAX ((size_t)256 * 1024)	/* kept of it */
#define LN_CHAT_TOOL_ROUNDS_MAX 5	/* of one answer */
#define LN_CHAT_FILE_MAX ((size_t)5 * 1024 * 1024)	/* http-api: chat/upload */
/* The setting "context_tokens": what a model keeps in sight. */
#define LN_CHAT_CONTEXT_MIN 256
#define LN_CHAT_CONTEXT_MAX 10000000

struct ln_chat;

enum ln_chat_event_type {
	LN_CHAT_CONVERSATION,	/* created: conversation_id, title */
	LN_CHAT_SAVED,		/* question durable: temp_id, message_id */
	LN_CHAT_CHUNK,		/* text, len, from, seq, tokens, tps */
	LN_CHAT_THINKING,	/* text, len: reasoning, not part of the answer */
	LN_CHAT_TOOL,		/* a tool call changed its state */
	LN_CHAT_DONE,		/* message_id, tokens ..., finish_reason */
	LN_CHAT_TITLE,		/* title */
	LN_CHAT_ERROR,		/* sentence; status.  DONE follows it */
};

/**
 * struct ln_chat_event:
 * Borrowed for the call.  ${from} and ${seq} are byte offsets of a chunk's
 * start and end in the UTF-8 answer, so that a client knows what it has.
 */
struct ln_chat_event {
	enum ln_chat_event_type type;
	const char *conversation_id;
	const char *title;
	const char *temp_id;
	const char *question;	/* SAVED, DONE: the text as sent, file included */
	int64_t message_id;
	const char *text;
	size_t len;
	uint64_t from, seq;
	int64_t tokens, prompt_tokens, max_tokens, duration_ms;
	bool is_estimated;
	double tps;
	const char *finish_reason; /* "stop", "length", "content_filter",
				    * "stopped", "error" */
	const char *sources;	/* DONE: as struct ln_message has them, or
				 * NULL */
	enum ln_status status;
	const char *sentence;	/* ERROR; TOOL: why it failed, or NULL */
	/* TOOL: text is the tool's name, and ... */
	int64_t call_id;	/* of the run, see ln_chat_decide */
	const char *call_state;	/* "asking", "running", "done", "failed",
				 * "denied" */
	const char *arguments;	/* JSON object, as the model asked */
	const char *result;	/* done: what the model is told, or NULL */
};
typedef void ln_chat_event_fn(void *arg, const struct ln_chat_event *ev);

/**
 * struct ln_chat_opts:
 * Zero and NULL mean "not said".  ${owner} names the process for the journal
 * ("server:<boot id>:<worker>", "lnctl:..."), see ln_chat_recover.
 */
struct ln_chat_opts {
	size_t size;
	const char *user_id;
	const char *conversation_id;	/* NULL: a new one */
	const char *prompt;
	const char *provider;
	const char *model;
	const char *system_prompt;
	const char *project_id;		/* whose documents the model may cite;
					 * NULL: the conversation's */
	const char *const *images;	/* base64, NULL-ended, or NULL: none; an
					 * edit then keeps those of the old */
	const char *file_name;		/* quoted into the prompt as data */
	const char *file_content;
	const struct ln_llm_options *options;
	int64_t edit_message_id;	/* replace that question and all after */
	bool is_regenerate;		/* replace the last answer; no prompt */
	bool is_continue;		/* go on with the last answer; no prompt */
	bool is_without_tools;
	bool wants_title;		/* ask the model for one, once DONE went
					 * out for the first answer, unless the
					 * setting "auto_title" is off */
	bool is_unsaved;		/* lnctl --no-save: touch no table */
	bool is_batched;		/* saved by ln_chat_tick_all, not at
					 * once: DONE comes with a tick */
	const struct ln_llm_message *history;	/* of an unsaved one, earlier */
	size_t history_count;			/* turns, oldest first */
	const char *temp_id;
	const char *owner;
};

enum ln_chat_next {
	LN_CHAT_SEND,
	LN_CHAT_LOCAL,
	LN_CHAT_PUMP,
	LN_CHAT_WAIT,
	LN_CHAT_FINISHED,
};

/**
 * ln_chat_begin(st, cfg, opts, fn, arg, out, err):
 * Resolve the provider, save question and placeholder in one transaction, emit
 * CONVERSATION and SAVED.  ${st} and ${cfg} are borrowed until ln_chat_free.
 * LN_NOT_FOUND (conversation, message), LN_FORBIDDEN ("Your account has been
 * blocked."), LN_CONFLICT (an answer is already being written there),
 * LN_INVALID, LN_TOO_LARGE.
 */
LN_API enum ln_status ln_chat_begin(struct ln_store *st,
    const struct ln_config *cfg, const struct ln_chat_opts *opts,
    ln_chat_event_fn *fn, void *arg, struct ln_chat **out,
    struct ln_error *err) LN_USE;

/**
 * struct ln_chat_start / ln_chat_begin_all(st, cfg, starts, n):
 * ln_chat_begin for many at once, each for itself, but with one commit: that
 * is what costs.  ${opts}, ${fn} and ${arg} are given; ${status}, ${error} and
 * ${chat} (NULL unless LN_OK) come back.  No event comes before the commit.
 */
struct ln_chat_start {
	const struct ln_chat_opts *opts;
	ln_chat_event_fn *fn;
	void *arg;
	struct ln_chat *chat;
	enum ln_status status;
	struct ln_error error;
};
LN_API void ln_chat_begin_all(struct ln_store *st,
    const struct ln_config *cfg, struct ln_chat_start *starts, size_t n);

LN_API enum ln_chat_next ln_chat_next(const struct ln_chat *c);

/**
 * ln_chat_is_answered(c):
 * DONE went out; at most a TITLE follows.
 */
LN_API bool ln_chat_is_answered(const struct ln_chat *c);
LN_API const char *ln_chat_conversation_id(const struct ln_chat *c);
LN_API const char *ln_chat_user_id(const struct ln_chat *c);
LN_API int64_t ln_chat_message_id(const struct ln_chat *c);
LN_API const struct ln_provider_conf *ln_chat_provider(const struct ln_chat *c);

/**
 * ln_chat_error(c):
 * Why the turn failed or was ended, for the log, or NULL.  Set when an ERROR
 * event comes.  Borrowed.
 */
LN_API const struct ln_error *ln_chat_error(const struct ln_chat *c);

/* SEND: the request to transport.  Borrowed until ln_chat_upstream_end. */
LN_API const struct ln_http_request *ln_chat_request(const struct ln_chat *c);
LN_API void ln_chat_feed(struct ln_chat *c, int http_status, const char *p,
    size_t n);
LN_API void ln_chat_upstream_end(struct ln_chat *c, int http_status,
    enum ln_status s, const struct ln_error *why);

/**
 * ln_chat_local(st, c, err):
 * LOCAL: search for the offline answer, or run a tool, with ${st}, here and
 * now.  After a failure go on as next() says: the turn ends with it, or the
 * model is told.
 */
LN_API enum ln_status ln_chat_local(struct ln_store *st, struct ln_chat *c,
    struct ln_error *err) LN_USE;

/**
 * ln_chat_job_take(c, out, err):
 * The same in another thread: take the work, run it there with that thread's
 * store, and finish it where the turn lives.  next() says WAIT meanwhile, and
 * everything may be done with the turn: when it ends first, or is freed, the
 * job is cancelled and its result dropped.
 */
struct ln_chat_job;
LN_API enum ln_status ln_chat_job_take(struct ln_chat *c,
    struct ln_chat_job **out, struct ln_error *err) LN_USE;
LN_API void ln_chat_job_run(struct ln_chat_job *j, struct ln_store *st);
/* Instead of running it: why it cannot be. */
LN_API void ln_chat_job_fail(struct ln_chat_job *j, enum ln_status s,
    const struct ln_error *why);
/* From any thread, until it is finished: return soon. */
LN_API void ln_chat_job_cancel(struct ln_chat_job *j);
/* In the turn's thread, always, once it does not run any more; frees it. */
LN_API void ln_chat_job_finish(struct ln_chat_job *j);

/**
 * ln_chat_pump(c):
 * PUMP: emit the next piece (about one sentence) of a local answer, or try
 * again to save an answer that the database did not take.
 */
LN_API void ln_chat_pump(struct ln_chat *c);

/**
 * ln_chat_tick(c, now_ms) / ln_chat_tick_all(chats, count, now_ms):
 * ${now_ms} is ln_time_now_ms().  Journal what is due, look for a stop asked
 * by another process and for a block.  LN_OK: go on; LN_CANCELLED: the turn
 * has ended itself, close the upstream.  Errors of the database are retried at
 * the next tick.  The second does so for all turns that a caller drives on one
 * store, in one transaction; ask ln_chat_next of each afterwards.
 */
LN_API enum ln_status ln_chat_tick(struct ln_chat *c, int64_t now_ms) LN_USE;
LN_API void ln_chat_tick_all(struct ln_chat *const *chats, size_t count,
    int64_t now_ms);

/**
 * ln_chat_stop(c):
 * The person stops: keep what came, emit DONE ("stopped").  Close the upstream
 * afterwards.  No-op when finished.
 */
LN_API void ln_chat_stop(struct ln_chat *c);

/**
 * ln_chat_resume(c, after, fn, arg):
 * Emit to ${fn} one CHUNK with what follows byte ${after}, or DONE as well if
 * finished.
 */
LN_API void ln_chat_resume(const struct ln_chat *c, uint64_t after,
    ln_chat_event_fn *fn, void *arg);

LN_API void ln_chat_free(struct ln_chat *c);

/**
 * ln_chat_cancel_local(c):
 * Ask the job that was taken to return soon; the turn goes on.
 */
LN_API void ln_chat_cancel_local(struct ln_chat *c);

/**
 * ln_chat_decide(st, user_id, conversation_id, call_id, is_allowed, err):
 * Answer a tool call that is "asking", whichever process writes the answer
 * there.  LN_NOT_FOUND: no such call waits in that conversation of the user.
 */
LN_API enum ln_status ln_chat_decide(struct ln_store *st, const char *user_id,
    const char *conversation_id, int64_t call_id, bool is_allowed,
    struct ln_error *err) LN_USE;

/**
 * ln_chat_run(st, cfg, opts, fn, is_cancelled, arg, out_message_id, err):
 * Blocking: a whole turn.  ${is_cancelled} (may be NULL) is asked about ten
 * times a second.  LN_OK, LN_CANCELLED (stopped, saved), or the provider's
 * failure (saved as far as it came).
 */
LN_API enum ln_status ln_chat_run(struct ln_store *st,
    const struct ln_config *cfg, const struct ln_chat_opts *opts,
    ln_chat_event_fn *fn, bool (*is_cancelled)(void *arg), void *arg,
    int64_t *out_message_id, struct ln_error *err) LN_USE;

/**
 * ln_chat_name(st, cfg, user_id, conversation_id, title, is_cancelled, arg,
 *     out, err):
 * After ln_chat_run of a new conversation: ask the model that gave the first
 * answer for a title, as a server's turn does that wants one.  It replaces
 * ${title}, the one that the conversation began with, and no other.  Blocks
 * for LN_CHAT_NAME_MS at most; ${is_cancelled} may be NULL.  ${out} is yours
 * (ln_free); LN_OK with NULL when no title is wanted (the setting
 * "auto_title") or there is none to be had.  Not thread-safe for one store.
 */
#define LN_CHAT_NAME_MS 10000
LN_API enum ln_status ln_chat_name(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id,
    const char *conversation_id, const char *title,
    bool (*is_cancelled)(void *arg), void *arg, char **out,
    struct ln_error *err) LN_USE;

/**
 * ln_chat_request_stop(st, user_id, conversation_id, err):
 * Ask whichever process writes the answer there to stop.  LN_NOT_FOUND when
 * none does.
 */
LN_API enum ln_status ln_chat_request_stop(struct ln_store *st,
    const char *user_id, const char *conversation_id, struct ln_error *err)
    LN_USE;

/**
 * ln_chat_recover(st, owner_prefix, keep_owner, out_count, err):
 * Mark answers INTERRUPTED whose writer is gone: every owner that begins with
 * ${owner_prefix} except ${keep_owner}, and any whose last sign of life is
 * older than LN_CHAT_DEAD_MS.
 */
#define LN_CHAT_DEAD_MS 30000
LN_API enum ln_status ln_chat_recover(struct ln_store *st,
    const char *owner_prefix, const char *keep_owner, int64_t *out_count,
    struct ln_error *err) LN_USE;

/**
 * ln_chat_recover_gone(st, owner_prefix, is_gone, arg, out_count, err):
 * The same at once for those owners that begin with ${owner_prefix} and of whom
 * ${is_gone} says so.  For names that were never another process's, and of
 * which none is the beginning of another.
 */
LN_API enum ln_status ln_chat_recover_gone(struct ln_store *st,
    const char *owner_prefix, bool (*is_gone)(void *arg, const char *owner),
    void *arg, int64_t *out_count, struct ln_error *err) LN_USE;

#endif

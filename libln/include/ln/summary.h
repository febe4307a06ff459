#ifndef LN_SUMMARY_H
#define LN_SUMMARY_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/http.h>
#include <ln/store.h>

/*
 * A summary of a conversation by the model that would answer there.  Nothing
 * is saved.  Without a model (offline) it is an extract: sentences of the
 * conversation itself, under a line that says so.
 *
 * Like a turn (ln/chat.h) it does no I/O of its own beside reading the
 * database in ln_summary_begin; afterwards the store is not needed any more.
 */

struct ln_summary;

struct ln_summary_opts {
	size_t size;
	const char *user_id;
	const char *conversation_id;
	const char *provider;	/* NULL: as for the next answer there */
	const char *model;	/* the same */
};

/**
 * ln_summary_begin(st, cfg, opts, out, err):
 * Read the conversation, the newest part of it when it is longer than what the
 * model keeps in sight, and make the request.  LN_NOT_FOUND (also for somebody
 * else's conversation); LN_INVALID ("There is nothing to summarize yet");
 * LN_FORBIDDEN for a blocked user; what ln_provider_resolve says.
 */
LN_API enum ln_status ln_summary_begin(struct ln_store *st,
    const struct ln_config *cfg, const struct ln_summary_opts *opts,
    struct ln_summary **out, struct ln_error *err) LN_USE;
LN_API void ln_summary_free(struct ln_summary *s);

/**
 * ln_summary_request(s) / ln_summary_feed(s, http_status, p, n) /
 * ln_summary_upstream_end(s, http_status, status, why):
 * The request to transport, or NULL when the summary is there already; its
 * answer as it comes; how it ended.
 */
LN_API const struct ln_http_request *ln_summary_request(
    const struct ln_summary *s);
LN_API void ln_summary_feed(struct ln_summary *s, int http_status,
    const char *p, size_t n);
LN_API void ln_summary_upstream_end(struct ln_summary *s, int http_status,
    enum ln_status status, const struct ln_error *why);

/**
 * ln_summary_text(s, out, err):
 * The summary as Markdown, borrowed from ${s}, or why there is none.
 */
LN_API enum ln_status ln_summary_text(const struct ln_summary *s,
    const char **out, struct ln_error *err) LN_USE;

/* The model that was asked (borrowed), or NULL for its provider's own choice. */
LN_API const char *ln_summary_model(const struct ln_summary *s);
LN_API bool ln_summary_is_extract(const struct ln_summary *s);

/**
 * ln_summary_run(s, is_cancelled, arg):
 * Blocking: transport the request, if there is one.  ${is_cancelled} (may be
 * NULL) is asked about ten times a second.
 */
LN_API void ln_summary_run(struct ln_summary *s,
    bool (*is_cancelled)(void *arg), void *arg);

#endif

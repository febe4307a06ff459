#ifndef LN_MODEL_ADMIN_H
#define LN_MODEL_ADMIN_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/http.h>
#include <ln/provider.h>
#include <ln/store.h>

/*
 * The models that a server of the operator's own keeps: which there are, one
 * more, one less.  Only some providers let us (Ollama); the others answer
 * LN_UNSUPPORTED.  Nothing here asks who may: that is the caller's to know.
 */

#define LN_MODEL_NAME_MAX 255	/* bytes */

/* Whether the models of this provider can be managed through us. */
LN_API bool ln_model_is_managed(const struct ln_provider_conf *conf);

/**
 * struct ln_model_entry / struct ln_model_inventory:
 * An installed model, as its server describes it.  Texts but the name may be
 * NULL; ${bytes} is its size on the disk, ${modified_ms} when it came or
 * changed, each 0 when the server does not say.
 */
struct ln_model_entry {
	char *name;		/* "llama3.2:latest" */
	char *digest;
	char *family;		/* "llama" */
	char *parameters;	/* "3.2B" */
	char *quantization;	/* "Q4_K_M" */
	int64_t bytes;
	int64_t modified_ms;
};

struct ln_model_inventory {
	struct ln_model_entry *items;
	size_t count;
};

/**
 * ln_model_inventory(conf, out, err):
 * Blocking, at most ten seconds: what is installed.  LN_UNSUPPORTED;
 * LN_UPSTREAM; LN_TIMEOUT; LN_UNAUTHENTICATED.  Free with
 * ln_model_inventory_free.
 */
LN_API enum ln_status ln_model_inventory(const struct ln_provider_conf *conf,
    struct ln_model_inventory *out, struct ln_error *err) LN_USE;
LN_API void ln_model_inventory_free(struct ln_model_inventory *l);

/**
 * ln_model_delete(st, conf, name, err):
 * Blocking, at most a minute: remove a model from its server.  Whatever came
 * of it stands in the audit log of ${st}.  LN_INVALID for what is no name;
 * LN_NOT_FOUND; otherwise as ln_model_inventory.
 */
LN_API enum ln_status ln_model_delete(struct ln_store *st,
    const struct ln_provider_conf *conf, const char *name,
    struct ln_error *err) LN_USE;

/* --- pulling --------------------------------------------------------------- */

enum ln_pull_step {
	LN_PULL_WORKING,	/* something that we have no word for */
	LN_PULL_MANIFEST,
	LN_PULL_DOWNLOADING,
	LN_PULL_VERIFYING,
	LN_PULL_WRITING,
	LN_PULL_DONE,
};
/* "downloading", "success" for the last; static. */
LN_API const char *ln_pull_step_name(enum ln_pull_step step);

/**
 * struct ln_pull_progress:
 * ${completed} of ${total} bytes, over all parts that the server has named so
 * far; both 0 before the first one.
 */
struct ln_pull_progress {
	enum ln_pull_step step;
	int64_t completed, total;
};
typedef void ln_pull_progress_fn(void *arg,
    const struct ln_pull_progress *progress);

/**
 * ln_model_pull_new(conf, name, fn, arg, out, err):
 * A pull that has not begun; ${conf} has to outlive it.  ${fn} hears of each
 * step and each thousandth of the bytes, of the last step once.  Like a turn
 * (ln/chat.h) it does no I/O of its own.  LN_INVALID for what is no name;
 * LN_UNSUPPORTED; LN_NOMEM.
 */
struct ln_model_pull;
LN_API enum ln_status ln_model_pull_new(const struct ln_provider_conf *conf,
    const char *name, ln_pull_progress_fn *fn, void *arg,
    struct ln_model_pull **out, struct ln_error *err) LN_USE;
LN_API void ln_model_pull_free(struct ln_model_pull *p);

/**
 * ln_model_pull_request(p) / ln_model_pull_feed(p, http_status, s, n) /
 * ln_model_pull_end(p, http_status, status, why, err):
 * The request to transport (borrowed from ${p}); its answer as it comes, false
 * when no more of it is wanted; how the transport ended.  The last one says
 * what came of it: LN_NOT_FOUND when there is no such model to be had;
 * LN_INVALID for a name that the server does not take; LN_CANCELLED; otherwise
 * as ln_model_inventory.  What was loaded stays with the server, which goes on
 * there the next time.
 */
LN_API const struct ln_http_request *ln_model_pull_request(
    const struct ln_model_pull *p);
LN_API bool ln_model_pull_feed(struct ln_model_pull *p, int http_status,
    const char *s, size_t n);
LN_API enum ln_status ln_model_pull_end(struct ln_model_pull *p,
    int http_status, enum ln_status status, const struct ln_error *why,
    struct ln_error *err) LN_USE;

/**
 * ln_model_pull_run(p, is_cancelled, arg, err):
 * Blocking: transport and end it.  ${is_cancelled} (may be NULL) is asked about
 * ten times a second.
 */
LN_API enum ln_status ln_model_pull_run(struct ln_model_pull *p,
    bool (*is_cancelled)(void *arg), void *arg, struct ln_error *err) LN_USE;

/**
 * ln_model_pull_audit(st, p, outcome, err):
 * Write down what came of it: "model.pull", once it has ended.
 */
LN_API enum ln_status ln_model_pull_audit(struct ln_store *st,
    const struct ln_model_pull *p, enum ln_status outcome,
    struct ln_error *err) LN_USE;

#endif

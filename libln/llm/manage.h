#ifndef LNI_MANAGE_H
#define LNI_MANAGE_H

#include <ln/model_admin.h>

#include "llm/codec.h"

/*
 * How a server that keeps models is told to: the part of a dialect that only
 * local servers have.  Does no I/O either.
 */

/* What one line of the answer to a pull says. */
struct lni_pull_line {
	enum ln_pull_step step;
	const char *part;	/* whose bytes follow, borrowed; NULL: none */
	int64_t completed, total;
	const char *failure;	/* in the server's words, borrowed, or NULL */
	struct ln_json *root;	/* what is borrowed from */
};

struct lni_manager {
	enum ln_status (*list_request)(const struct ln_provider_conf *conf,
	    struct ln_llm_request *r, struct ln_error *err);
	enum ln_status (*list_parse)(const char *body, size_t n,
	    struct ln_model_inventory *out, struct ln_error *err);
	enum ln_status (*pull_request)(const struct ln_provider_conf *conf,
	    const char *name, struct ln_llm_request *r, struct ln_error *err);
	/* Free ${out}->root afterwards, in any case. */
	enum ln_status (*pull_line)(const char *s, size_t n,
	    struct lni_pull_line *out, struct ln_error *err);
	enum ln_status (*delete_request)(const struct ln_provider_conf *conf,
	    const char *name, struct ln_llm_request *r, struct ln_error *err);
	/* The failure in the body of an answer, or NULL: to be freed with
	 * ln_free. */
	char *(*failure)(const char *body, size_t n);
	/* What a failure means: a literal, and its status. */
	const char *(*meaning)(const char *failure, enum ln_status *status);
};

extern const struct lni_manager lni_manager_ollama;

/* NULL for a provider whose models are not ours to manage. */
const struct lni_manager *lni_manager_of(const struct ln_provider_info *info);

#endif

#ifndef MODELS_H
#define MODELS_H

#include <ln/provider.h>

/*
 * What the providers of this worker's users said when they were asked for
 * their models, for a short while.  One entry a person, provider and address:
 * nobody sees a list that another's key or address has brought.  Bounded in
 * number and size; event loop only.
 */

struct models_entry {
	char *user_id;
	char *provider;
	char *base_url;		/* "" when the provider has none */
	struct ln_model_list list;
	bool is_stale;		/* the provider could not be asked */
	bool is_asking;		/* somebody does right now */
	int64_t asked_ms;	/* monotonic */
	int64_t used_ms;
};

/**
 * models_find(user_id, conf, now_ms):
 * What is known, or NULL.  Borrowed until the next call of another function
 * here.
 */
struct models_entry *models_find(const char *user_id,
    const struct ln_provider_conf *conf, int64_t now_ms);

/* Whether the provider is to be asked anew, behind the reply. */
bool models_is_due(const struct models_entry *e, int64_t now_ms);

/**
 * models_keep(user_id, conf, list, is_stale, now_ms):
 * Keep ${list} (its names are copied).  A list that is too large, or that
 * there is no memory for, is not kept.
 */
void models_keep(const char *user_id, const struct ln_provider_conf *conf,
    const struct ln_model_list *list, bool is_stale, int64_t now_ms);

/* Drop what is kept for the person, or (NULL) for everybody. */
void models_forget(const char *user_id);

/**
 * models_changed(user_id):
 * The person (NULL: the instance) has chosen anew.  What is asked right now
 * will not be kept either.  In r_models.c.
 */
void models_changed(const char *user_id);

#endif

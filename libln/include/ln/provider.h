#ifndef LN_PROVIDER_H
#define LN_PROVIDER_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Which provider answers, and where each part of that decision came from:
 * request, then conversation, then user, then instance, then default.
 */

enum ln_provider_origin {
	LN_PROVIDER_FROM_REQUEST,
	LN_PROVIDER_FROM_CONVERSATION,
	LN_PROVIDER_FROM_USER,
	LN_PROVIDER_FROM_INSTANCE,
	LN_PROVIDER_FROM_ENVIRONMENT,
	LN_PROVIDER_FROM_DEFAULT,
};
LN_API const char *ln_provider_origin_name(enum ln_provider_origin o);

/**
 * struct ln_provider_info:
 * One row of the registry.  Static.
 */
struct ln_provider_info {
	const char *name;	/* "ollama" */
	const char *title;	/* "Ollama" */
	const char *base_url;	/* the usual one, or NULL */
	bool is_local;		/* nothing leaves the machine by default */
	bool wants_key;
	const char *key_variable;	/* of the environment, or NULL */
	int64_t context_tokens;	/* what its usual models keep in sight */
	const char *const *models;	/* well-known ones, NULL-ended, or NULL */
	const char *help;	/* one sentence */
};
/* All providers of this build, ended by a row with a NULL name. */
LN_API const struct ln_provider_info *ln_provider_list(void);
/* NULL when there is none of that name. */
LN_API const struct ln_provider_info *ln_provider_find(const char *name);

/**
 * struct ln_provider_conf:
 * A resolved choice.  Free with ln_provider_conf_free (wipes the key).
 */
struct ln_provider_conf {
	const struct ln_provider_info *info;
	char *model;		/* NULL: the provider's default */
	char *base_url;		/* NULL for offline */
	char *api_key;		/* NULL when none */
	bool may_be_local;	/* base_url is an allowed local endpoint */
	enum ln_provider_origin provider_origin, model_origin, url_origin,
	    key_origin;
};

/**
 * struct ln_provider_wish:
 * What the request and the conversation say; any may be NULL.
 */
struct ln_provider_wish {
	size_t size;
	const char *request_provider, *request_model;
	const char *conversation_provider, *conversation_model;
	bool without_key;	/* to show the choice: api_key stays NULL */
};

/**
 * ln_provider_resolve(st, cfg, user_id, wish, out, err):
 * ${user_id} NULL resolves the instance's own choice.  A base URL is only ever
 * used together with the provider of the same origin; a user's must match the
 * allowed endpoints (or be public), and so must the usual address of a local
 * provider that the operator has not chosen.  The key is the user's, else the
 * instance's, else what the provider's variable of the environment holds; of
 * these, a user's own URL is only ever given the first.  LN_INVALID for an
 * unknown provider, a URL that is not allowed, or a provider that has no usual
 * address and was given none; LN_BAD_KEY when the sealed key cannot be opened;
 * what ln_config_secret says of the variable.
 */
LN_API enum ln_status ln_provider_resolve(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id,
    const struct ln_provider_wish *wish, struct ln_provider_conf **out,
    struct ln_error *err) LN_USE;
LN_API void ln_provider_conf_free(struct ln_provider_conf *c);

/**
 * struct ln_provider_change / ln_provider_set(st, cfg, user_id, change, err):
 * Store a choice for a user, or for the instance (${user_id} NULL).  NULL
 * members are left alone, "" clears.  Changing the provider clears base URL,
 * models and key of the old one unless they are given.  LN_INVALID, also for a
 * choice that could not be used (see ln_provider_resolve); nothing changes then.
 */
struct ln_provider_change {
	size_t size;
	const char *provider;
	const char *base_url;
	const char *model;
	const char *api_key;
	const char *embedding_model;	/* see ln_document_embed_next */
};
LN_API enum ln_status ln_provider_set(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id,
    const struct ln_provider_change *change, struct ln_error *err) LN_USE;

/**
 * struct ln_model_list / ln_provider_models(conf, out, err):
 * Blocking: ask the provider for its models.  LN_UPSTREAM, LN_TIMEOUT,
 * LN_UNAUTHENTICATED (key refused).
 */
struct ln_model_list {
	char **names;
	size_t count;
};
LN_API enum ln_status ln_provider_models(const struct ln_provider_conf *conf,
    struct ln_model_list *out, struct ln_error *err) LN_USE;
LN_API void ln_model_list_free(struct ln_model_list *l);

/**
 * The same without I/O, for an event loop: the request to send (release with
 * ln_llm_request_free, see ln/llm.h) and the parser of its answer.
 */
struct ln_llm_request;
LN_API enum ln_status ln_provider_models_request(
    const struct ln_provider_conf *conf, struct ln_llm_request **out,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_provider_models_parse(
    const struct ln_provider_conf *conf, int http_status, const char *body,
    size_t n, struct ln_model_list *out, struct ln_error *err) LN_USE;

#endif

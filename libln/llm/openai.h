#ifndef LNI_OPENAI_H
#define LNI_OPENAI_H

#include <ln/json.h>

#include "llm/codec.h"

/*
 * What the servers that speak OpenAI's chat completions do not agree on, as
 * data.  openai.c writes requests by it; openai_stream.c reads their answers
 * without it, as tolerant of all of them.
 */
struct lni_openai_quirks {
	const char *provider;
	const char *max_tokens;		/* what it calls these options; */
	const char *top_k;		/* NULL: refused or unknown there */
	const char *repeat_penalty;
	size_t stop_max;		/* texts in "stop", 0: any number */
	bool has_one_model;		/* needs not be told which */
	/* Beginnings of the names of models that refuse to be sampled in
	 * another way than their own, and of exceptions; NULL-ended. */
	const char *const *fixed_models;
	const char *const *free_models;
};

/* Of a provider that has this codec. */
const struct lni_openai_quirks *lni_openai_quirks(const char *provider);

/* Whether ${model} takes temperature, top_p and stop. */
bool lni_openai_is_sampled(const struct lni_openai_quirks *q,
    const char *model);

/* --- answers ------------------------------------------------------------- */

extern const struct ln_json_opts lni_openai_json;

/* A literal for what a failure (the object "error", or a whole body without
 * one) means, and its status; NULL when it says no more than ${http_status},
 * 0 where there is none. */
const char *lni_openai_judge(const struct ln_json *root, int http_status,
    enum ln_status *status);

/* What an answer remembers between its events. */
struct lni_openai_call {
	int64_t index;		/* -1 when the server counts none */
	struct ln_buf id, name, arguments;
};
struct lni_openai_state {
	struct lni_openai_call *calls;
	size_t call_count;
	size_t arguments_len;	/* of all calls */
	const char *finish;	/* a literal once the model has ended */
	bool is_counted;
	int64_t tokens, prompt_tokens;
};
void lni_openai_state_clear(void *state);
void lni_openai_event(struct ln_llm_stream *s, const char *p, size_t n);
void lni_openai_whole(struct ln_llm_stream *s, const char *p, size_t n);
void lni_openai_end(struct ln_llm_stream *s);

/* A piece of the calls in ${calls} (an array, or NULL). */
void lni_openai_calls_add(struct ln_llm_stream *s,
    struct lni_openai_state *st, const struct ln_json *calls);
/* Hand over what was put together. */
void lni_openai_calls_emit(struct ln_llm_stream *s,
    struct lni_openai_state *st);

#endif

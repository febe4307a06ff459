#ifndef LNI_LLM_GEMINI_H
#define LNI_LLM_GEMINI_H

#include "llm/codec.h"

/* The asking half of the codec, see struct lni_codec. */
enum ln_status lni_gemini_request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt, struct ln_llm_request *r,
    struct ln_error *err) LN_USE;
enum ln_status lni_gemini_models_request(const struct ln_provider_conf *conf,
    struct ln_llm_request *r, struct ln_error *err) LN_USE;

#endif

#ifndef LN_SPEECH_H
#define LN_SPEECH_H

#include <ln/base.h>
#include <ln/buf.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/provider.h>

/*
 * Speech as text, by providers that have an endpoint for it (OpenAI's dialect:
 * /audio/transcriptions).  No I/O: a request to send, and the reading of its
 * answer.  Nothing is kept.
 */

#define LN_SPEECH_BYTES_MAX ((size_t)10 * 1024 * 1024)
#define LN_SPEECH_TEXT_MAX ((size_t)1024 * 1024)

struct ln_llm_request;

/**
 * ln_speech_request(cfg, conf, audio, n, out, err):
 * The request that asks ${conf} what is said in the ${n} bytes of ${audio}
 * (copied): a recording as WebM, Ogg, MP3, MP4, WAV or FLAC, told by its
 * content.  The model is LOCALNEURAL_SPEECH_MODEL of ${cfg} (may be NULL), else
 * the provider's usual one.  LN_UNSUPPORTED for a provider that has no such
 * endpoint; LN_INVALID for what is no recording, or without a key; LN_TOO_LARGE;
 * LN_NOMEM.  Release with ln_llm_request_free, see ln/llm.h.
 */
LN_API enum ln_status ln_speech_request(const struct ln_config *cfg,
    const struct ln_provider_conf *conf, const void *audio, size_t n,
    struct ln_llm_request **out, struct ln_error *err) LN_USE;

/**
 * ln_speech_parse(conf, http_status, body, n, out, err):
 * Append the text in an answer.  LN_UPSTREAM; LN_UNAUTHENTICATED; LN_NOT_FOUND
 * when the provider does not have the model; LN_TOO_LARGE.
 */
LN_API enum ln_status ln_speech_parse(const struct ln_provider_conf *conf,
    int http_status, const char *body, size_t n, struct ln_buf *out,
    struct ln_error *err) LN_USE;

#endif

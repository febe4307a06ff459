#ifndef LNI_EXCHANGE_H
#define LNI_EXCHANGE_H

#include <ln/http.h>

#include "net/curl.h"

/*
 * One request and its answer as a libcurl easy handle, with our guards, bounds
 * and words for failures; http.c and multi.c move its bytes.
 */
struct lni_exchange {
	CURL *easy;
	struct curl_slist *headers;
	char *body;		/* our copy, or NULL */
	size_t body_len;
	char error[CURL_ERROR_SIZE];
	bool (*on_data)(void *arg, int http_status, const char *p, size_t n);
	void *arg;
	int64_t stall_ms;
	int64_t first_byte_ms;
	int64_t last_sign_ms;	/* monotonic: when a byte moved last */
	curl_off_t uploaded;
	size_t received;
	size_t response_max;
	bool may_be_local;
	bool was_refused;	/* by the address guard */
	bool was_stopped;	/* by on_data */
	bool was_too_large;
	bool was_stalled;
};

/* ${x} must stay where it is until lni_exchange_close.  ${copies} takes a copy
 * of the body; the rest of ${req} is always copied. */
enum ln_status lni_exchange_open(struct lni_exchange *x,
    const struct ln_http_request *req, bool copies,
    bool (*on_data)(void *arg, int http_status, const char *p, size_t n),
    void *arg, struct ln_error *err) LN_USE;

/* Take it out of its multi first.  Wipes what may be secret. */
void lni_exchange_close(struct lni_exchange *x);

/* Whether no byte has moved for longer than allowed; remembered. */
bool lni_exchange_is_stalled(struct lni_exchange *x, int64_t now_mono_ms);

/* What ${rc} means, in our words. */
enum ln_status lni_exchange_outcome(struct lni_exchange *x, CURLcode rc,
    int *out_http_status, struct ln_error *err) LN_USE;

#endif

#include <ln/http.h>

#include <string.h>

#include <ln/time.h>

#include "net/exchange.h"

#include "base/banned.h"

#define TICK_MS 100	/* ln/http.h promises on_tick this often */

/* Move bytes until the transfer ends; ${out} is what libcurl says of it. */
static enum ln_status
drive(CURLM *multi, struct lni_exchange *x, bool (*on_tick)(void *arg),
    void *arg, CURLcode *out, struct ln_error *err)
{
	CURLMsg *msg;
	CURLMcode mc;
	int running, left;

	for (;;) {
		mc = lni_curl.multi_perform(multi, &running);
		if (mc != CURLM_OK)
			break;
		while ((msg = lni_curl.multi_info_read(multi, &left)) != NULL) {
			if (msg->msg != CURLMSG_DONE)
				continue;
			*out = msg->data.result;
			return LN_OK;
		}
		if (on_tick != NULL && !on_tick(arg))
			return ln_fail(err, LN_CANCELLED, "",
			    "stopped by the caller");
		if (lni_exchange_is_stalled(x, ln_time_mono_ms())) {
			*out = CURLE_OPERATION_TIMEDOUT;
			return LN_OK;
		}
		mc = lni_curl.multi_poll(multi, NULL, 0, TICK_MS, NULL);
		if (mc != CURLM_OK)
			break;
	}
	return ln_fail(err, mc == CURLM_OUT_OF_MEMORY ? LN_NOMEM : LN_INTERNAL,
	    "", "curl multi: %s", lni_curl.multi_strerror(mc));
}

static void
copy_word(const struct lni_exchange *x, CURLINFO what, char *out, size_t size)
{
	const char *p = NULL;

	out[0] = '\0';
	if (lni_curl.easy_getinfo(x->easy, what, &p) == CURLE_OK &&
	    p != NULL && strlen(p) < size)
		memcpy(out, p, strlen(p) + 1);
}

static void
fill_answer(const struct lni_exchange *x, struct ln_http_answer *out)
{
	copy_word(x, CURLINFO_CONTENT_TYPE, out->type, sizeof(out->type));
	copy_word(x, CURLINFO_REDIRECT_URL, out->redirect,
	    sizeof(out->redirect));
}

enum ln_status
ln_http_perform(const struct ln_http_request *req, ln_http_data_fn *on_data,
    bool (*on_tick)(void *arg), void *arg, int *out_http_status,
    struct ln_error *err)
{
	struct lni_exchange x;
	struct lni_sigpipe held;
	enum ln_status s;
	CURLcode rc = CURLE_OK;
	CURLM *multi;

	*out_http_status = 0;
	if ((s = ln_http_load(err)) != LN_OK)
		return s;
	if ((s = lni_exchange_open(&x, req, false, on_data, arg, err)) !=
	    LN_OK)
		return s;
	lni_sigpipe_hold(&held);
	if ((multi = lni_curl.multi_init()) == NULL ||
	    lni_curl.multi_add_handle(multi, x.easy) != CURLM_OK) {
		s = ln_fail(err, LN_NOMEM, "", "curl multi");
		goto out;
	}
	if ((s = drive(multi, &x, on_tick, arg, &rc, err)) == LN_OK)
		s = lni_exchange_outcome(&x, rc, out_http_status, err);
	if (req->answer != NULL)
		fill_answer(&x, req->answer);
	(void)lni_curl.multi_remove_handle(multi, x.easy);
out:
	lni_exchange_close(&x);
	if (multi != NULL)
		(void)lni_curl.multi_cleanup(multi);
	lni_sigpipe_release(&held);
	return s;
}

#include "net/curl.h"

#include <pthread.h>
#include <time.h>

#include <ln/http.h>

#include "base/lazy.h"

#include "base/banned.h"

/* The first version with every option we rely on (CURLOPT_QUICK_EXIT). */
#define CURL_VERSION_MIN 0x075700	/* 7.87.0 */

struct lni_curl lni_curl;

static curl_version_info_data *(*version_info)(CURLversion which);

static const struct lni_lazy_symbol symbols[] = {
	{ "curl_global_init", &lni_curl.global_init },
	{ "curl_version_info", &version_info },
	{ "curl_easy_init", &lni_curl.easy_init },
	{ "curl_easy_cleanup", &lni_curl.easy_cleanup },
	{ "curl_easy_setopt", &lni_curl.easy_setopt },
	{ "curl_easy_getinfo", &lni_curl.easy_getinfo },
	{ "curl_easy_perform", &lni_curl.easy_perform },
	{ "curl_easy_strerror", &lni_curl.easy_strerror },
	{ "curl_slist_append", &lni_curl.slist_append },
	{ "curl_slist_free_all", &lni_curl.slist_free_all },
	{ "curl_mime_init", &lni_curl.mime_init },
	{ "curl_mime_free", &lni_curl.mime_free },
	{ "curl_mime_addpart", &lni_curl.mime_addpart },
	{ "curl_mime_data", &lni_curl.mime_data },
	{ "curl_mime_type", &lni_curl.mime_type },
	{ "curl_mime_encoder", &lni_curl.mime_encoder },
	{ "curl_mime_subparts", &lni_curl.mime_subparts },
	{ "curl_multi_init", &lni_curl.multi_init },
	{ "curl_multi_cleanup", &lni_curl.multi_cleanup },
	{ "curl_multi_setopt", &lni_curl.multi_setopt },
	{ "curl_multi_add_handle", &lni_curl.multi_add_handle },
	{ "curl_multi_remove_handle", &lni_curl.multi_remove_handle },
	{ "curl_multi_perform", &lni_curl.multi_perform },
	{ "curl_multi_poll", &lni_curl.multi_poll },
	{ "curl_multi_info_read", &lni_curl.multi_info_read },
	{ "curl_multi_socket_action", &lni_curl.multi_socket_action },
	{ "curl_multi_assign", &lni_curl.multi_assign },
	{ "curl_multi_strerror", &lni_curl.multi_strerror },
	{ "curl_url", &lni_curl.url },
	{ "curl_url_cleanup", &lni_curl.url_cleanup },
	{ "curl_url_set", &lni_curl.url_set },
	{ "curl_url_get", &lni_curl.url_get },
	{ "curl_url_strerror", &lni_curl.url_strerror },
	{ "curl_free", &lni_curl.free },
};

static enum ln_status
prepare(struct ln_error *err)
{
	const curl_version_info_data *v;
	CURLcode rc;

	v = version_info(CURLVERSION_NOW);
	if (v->version_num < CURL_VERSION_MIN)
		return ln_fail(err, LN_UNSUPPORTED,
		    "libcurl is too old. Version 7.87 or later is needed",
		    "libcurl %s", v->version);
	/* A resolver without a thread would block the event loop. */
	if ((v->features & CURL_VERSION_ASYNCHDNS) == 0)
		return ln_fail(err, LN_UNSUPPORTED,
		    "libcurl was built without an asynchronous resolver",
		    "libcurl %s", v->version);
	if ((rc = lni_curl.global_init(CURL_GLOBAL_DEFAULT)) != CURLE_OK)
		return ln_fail(err, LN_INTERNAL, "", "curl_global_init: %s",
		    lni_curl.easy_strerror(rc));
	return LN_OK;
}

enum ln_status
ln_http_load(struct ln_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool is_ready;
	enum ln_status s = LN_OK;

	pthread_mutex_lock(&lock);
	if (!is_ready) {
		s = lni_lazy_load("libcurl.so.4", symbols,
		    sizeof(symbols) / sizeof(symbols[0]), err);
		if (s == LN_OK)
			s = prepare(err);
		is_ready = s == LN_OK;
	}
	pthread_mutex_unlock(&lock);
	return s;
}

void
lni_sigpipe_hold(struct lni_sigpipe *p)
{
	sigset_t pending, pipe_only;

	p->is_held = false;
	sigemptyset(&pending);
	(void)sigpending(&pending);
	p->was_pending = sigismember(&pending, SIGPIPE) == 1;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	p->is_held = pthread_sigmask(SIG_BLOCK, &pipe_only, &p->before) == 0;
}

void
lni_sigpipe_release(struct lni_sigpipe *p)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t pending, pipe_only;

	if (!p->is_held)
		return;
	sigemptyset(&pending);
	(void)sigpending(&pending);
	if (!p->was_pending && sigismember(&pending, SIGPIPE) == 1) {
		sigemptyset(&pipe_only);
		sigaddset(&pipe_only, SIGPIPE);
		(void)sigtimedwait(&pipe_only, NULL, &at_once);
	}
	(void)pthread_sigmask(SIG_SETMASK, &p->before, NULL);
}

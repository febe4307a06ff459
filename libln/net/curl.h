#ifndef LNI_CURL_H
#define LNI_CURL_H

#include <signal.h>
#include <stdbool.h>

#include <curl/curl.h>

#include <ln/error.h>

/*
 * libcurl without linking it: the types come from its headers, the functions
 * from the library that is loaded on first use.
 */
struct lni_curl {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *easy);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO what, ...);
	CURLcode (*easy_perform)(CURL *easy);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(struct curl_slist *list,
	    const char *s);
	void (*slist_free_all)(struct curl_slist *list);
	curl_mime *(*mime_init)(CURL *easy);
	void (*mime_free)(curl_mime *mime);
	curl_mimepart *(*mime_addpart)(curl_mime *mime);
	CURLcode (*mime_data)(curl_mimepart *part, const char *p, size_t n);
	CURLcode (*mime_type)(curl_mimepart *part, const char *type);
	CURLcode (*mime_encoder)(curl_mimepart *part, const char *name);
	CURLcode (*mime_subparts)(curl_mimepart *part, curl_mime *mime);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *multi);
	CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
	CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_perform)(CURLM *multi, int *running);
	CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd extra[],
	    unsigned int extra_count, int timeout_ms, int *ready);
	CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
	CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd,
	    int flags, int *running);
	CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t fd, void *p);
	const char *(*multi_strerror)(CURLMcode code);
	CURLU *(*url)(void);
	void (*url_cleanup)(CURLU *u);
	CURLUcode (*url_set)(CURLU *u, CURLUPart part, const char *s,
	    unsigned int flags);
	CURLUcode (*url_get)(const CURLU *u, CURLUPart part, char **s,
	    unsigned int flags);
	const char *(*url_strerror)(CURLUcode code);
	void (*free)(void *p);
};

/* Filled once ln_http_load() has answered LN_OK. */
extern struct lni_curl lni_curl;

/**
 * lni_sigpipe_hold(p) / lni_sigpipe_release(p):
 * A peer that closes while TLS writes raises SIGPIPE, and a library must not
 * kill its program: hold the signal back in this thread while libcurl works,
 * and swallow one that arose meanwhile.
 */
struct lni_sigpipe {
	sigset_t before;
	bool was_pending;
	bool is_held;
};
void lni_sigpipe_hold(struct lni_sigpipe *p);
void lni_sigpipe_release(struct lni_sigpipe *p);

#endif

#include "net/smtp.h"

#include <string.h>
#include <strings.h>

#include <ln/http.h>

#include "net/curl.h"
#include "net/smtp_message.h"

#include "base/banned.h"

/* Between "send me the mail" and "I have it": the reply that would tell was
 * not read. */
#define CODE_AWAITS_MAIL 354
#define CODE_DEFERRED_MIN 400
#define CODE_REFUSED_MIN 500

struct smtp {
	CURL *easy;
	char *host;		/* libcurl's memory */
	struct lni_smtp_message message;
	struct curl_slist *rcpt;
	bool (*go_on)(void *arg);
	void *arg;
	bool was_stopped;
	char error[CURL_ERROR_SIZE];
};

static enum ln_status
bad_url(struct ln_error *err, const char *why)
{
	return ln_fail_field(err, LN_INVALID, "LOCALNEURAL_SMTP_URL",
	    "LOCALNEURAL_SMTP_URL must be smtp://host:port or "
	    "smtps://host:port", "%s", why);
}

/* Whether nothing but scheme, host and port is there, by libcurl's own parser,
 * so that what is checked is what is connected to. */
static enum ln_status
parse_url(const char *url, char **out_host, struct ln_error *err)
{
	static const CURLUPart unwanted[] = { CURLUPART_QUERY,
		CURLUPART_FRAGMENT, CURLUPART_OPTIONS, CURLUPART_ZONEID };
	char *scheme = NULL, *path = NULL, *text = NULL;
	enum ln_status s;
	CURLUcode rc;
	CURLU *u;
	size_t i;

	*out_host = NULL;
	if ((s = ln_http_load(err)) != LN_OK)
		return s;
	if ((u = lni_curl.url()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "curl_url");
	rc = lni_curl.url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	if (rc == CURLUE_OK)
		rc = lni_curl.url_get(u, CURLUPART_SCHEME, &scheme, 0);
	if (rc == CURLUE_OK)
		rc = lni_curl.url_get(u, CURLUPART_HOST, out_host, 0);
	if (rc == CURLUE_OK)
		rc = lni_curl.url_get(u, CURLUPART_PATH, &path, 0);
	if (rc != CURLUE_OK)
		s = rc == CURLUE_OUT_OF_MEMORY ?
		    ln_fail(err, LN_NOMEM, "", "curl_url_set") :
		    bad_url(err, lni_curl.url_strerror(rc));
	else if (strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0)
		s = bad_url(err, "another scheme");
	else if ((*out_host)[0] == '\0' || strcmp(path, "/") != 0)
		s = bad_url(err, "no host, or a path");
	for (i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		if (s == LN_OK && lni_curl.url_get(u, unwanted[i], &text, 0) ==
		    CURLUE_OK)
			s = bad_url(err, "more than host and port");
		lni_curl.free(text);
		text = NULL;
	}
	lni_curl.free(scheme);
	lni_curl.free(path);
	lni_curl.url_cleanup(u);
	if (s != LN_OK) {
		lni_curl.free(*out_host);
		*out_host = NULL;
	}
	return s;
}

enum ln_status
lni_smtp_check_url(const char *url, struct ln_error *err)
{
	enum ln_status s;
	char *host;

	s = parse_url(url, &host, err);
	if (s == LN_OK)
		lni_curl.free(host);
	return s;
}

/* The spellings that cannot be anything else; a name that merely resolves to
 * this machine gets the strict treatment. */
static bool
is_this_machine(const char *host)
{
	return strcasecmp(host, "localhost") == 0 ||
	    strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0;
}

static size_t
discard(char *p, size_t size, size_t count, void *arg)
{
	(void)p;
	(void)arg;
	return size * count;
}

static int
on_progress(void *arg, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	struct smtp *m = arg;

	(void)down_total;
	(void)down;
	(void)up_total;
	(void)up;
	if (m->go_on != NULL && !m->go_on(m->arg))
		m->was_stopped = true;
	return m->was_stopped ? 1 : 0;
}

static CURLcode
set_options(struct smtp *m, const struct lni_smtp_server *server)
{
	bool is_lax = is_this_machine(m->host) && server->ca_file == NULL;
	const struct {
		CURLoption option;
		long value;
	} longs[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_NOPROGRESS, 0 },
		{ CURLOPT_QUICK_EXIT, 1 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		{ CURLOPT_CONNECTTIMEOUT_MS, LNI_SMTP_CONNECT_MS },
		{ CURLOPT_TIMEOUT_MS, LNI_SMTP_TOTAL_MS },
		{ CURLOPT_USE_SSL, is_lax ? CURLUSESSL_TRY : CURLUSESSL_ALL },
		{ CURLOPT_SSL_VERIFYPEER, is_lax ? 0 : 1 },
		{ CURLOPT_SSL_VERIFYHOST, is_lax ? 0 : 2 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	};
	const struct {
		CURLoption option;
		const void *value;
	} pointers[] = {
		{ CURLOPT_URL, server->url },
		{ CURLOPT_PROTOCOLS_STR, "smtp,smtps" },
		{ CURLOPT_PROXY, "" },
		{ CURLOPT_NOPROXY, "*" },
		{ CURLOPT_ERRORBUFFER, m->error },
		{ CURLOPT_XFERINFODATA, m },
		{ CURLOPT_USERNAME, server->user },
		{ CURLOPT_PASSWORD, server->user != NULL ? server->password :
		    NULL },
		{ CURLOPT_CAINFO, server->ca_file },
	};
	const struct lni_curl *c = &lni_curl;
	CURLcode rc = CURLE_OK;
	size_t i;

	for (i = 0; i < sizeof(longs) / sizeof(longs[0]) && rc == CURLE_OK; i++)
		rc = c->easy_setopt(m->easy, longs[i].option, longs[i].value);
	for (i = 0; i < sizeof(pointers) / sizeof(pointers[0]) &&
	    rc == CURLE_OK; i++) {
		if (pointers[i].value != NULL)
			rc = c->easy_setopt(m->easy, pointers[i].option,
			    pointers[i].value);
	}
	if (rc == CURLE_OK)
		rc = c->easy_setopt(m->easy, CURLOPT_WRITEFUNCTION, discard);
	if (rc == CURLE_OK)
		rc = c->easy_setopt(m->easy, CURLOPT_XFERINFOFUNCTION,
		    on_progress);
	return rc;
}

static CURLcode
set_mail(struct smtp *m, const struct lni_smtp_mail *mail)
{
	const struct lni_curl *c = &lni_curl;
	CURLcode rc;

	if ((m->rcpt = c->slist_append(NULL, mail->to)) == NULL)
		return CURLE_OUT_OF_MEMORY;
	if ((rc = c->easy_setopt(m->easy, CURLOPT_MAIL_FROM, mail->from)) ==
	    CURLE_OK &&
	    (rc = c->easy_setopt(m->easy, CURLOPT_MAIL_RCPT, m->rcpt)) ==
	    CURLE_OK &&
	    (rc = c->easy_setopt(m->easy, CURLOPT_HTTPHEADER,
	    m->message.headers)) == CURLE_OK)
		rc = c->easy_setopt(m->easy, CURLOPT_MIMEPOST,
		    m->message.mime);
	return rc;
}

static enum ln_status
settle(struct lni_smtp_outcome *out, const char *token, bool is_final,
    enum ln_status s)
{
	out->token = token;
	out->is_final = is_final;
	return s;
}

/* libcurl has a hundred codes; ours are these, the rest is general. */
static enum ln_status
judge(const struct smtp *m, CURLcode rc, struct lni_smtp_outcome *out,
    struct ln_error *err)
{
	const char *why = m->error[0] != '\0' ? m->error :
	    lni_curl.easy_strerror(rc);
	long code = 0;

	if (rc == CURLE_OK)
		return settle(out, "sent", true, LN_OK);
	(void)lni_curl.easy_getinfo(m->easy, CURLINFO_RESPONSE_CODE, &code);
	out->may_have_left = code == CODE_AWAITS_MAIL;
	if (m->was_stopped)
		return settle(out, "stopped", false, ln_fail(err,
		    LN_CANCELLED, "", "stopped by the caller"));
	if (rc == CURLE_COULDNT_RESOLVE_HOST || rc == CURLE_COULDNT_CONNECT)
		return settle(out, "unreachable", false, ln_fail(err,
		    LN_UPSTREAM, "The mail server could not be reached. Check "
		    "LOCALNEURAL_SMTP_URL", "%s", why));
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return settle(out, "timeout", false, ln_fail(err, LN_TIMEOUT,
		    "The mail server did not answer in time", "%s", why));
	if (rc == CURLE_PEER_FAILED_VERIFICATION ||
	    rc == CURLE_SSL_ISSUER_ERROR)
		return settle(out, "tls", false, ln_fail(err, LN_UPSTREAM,
		    "The certificate of the mail server could not be "
		    "verified", "%s", why));
	if (rc == CURLE_SSL_CACERT_BADFILE)
		return settle(out, "tls", false, ln_fail(err, LN_UPSTREAM,
		    "The file LOCALNEURAL_SMTP_CA names cannot be read", "%s",
		    why));
	if (rc == CURLE_USE_SSL_FAILED)
		return settle(out, "tls", false, ln_fail(err, LN_UPSTREAM,
		    "The mail server does not offer STARTTLS", "%s", why));
	if (rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_SSL_CIPHER)
		return settle(out, "tls", false, ln_fail(err, LN_UPSTREAM,
		    "The TLS connection to the mail server failed. Check "
		    "whether LOCALNEURAL_SMTP_URL begins with smtp or smtps",
		    "%s", why));
	if (rc == CURLE_LOGIN_DENIED)
		return settle(out, "auth", false, ln_fail(err, LN_UPSTREAM,
		    "The mail server refused LOCALNEURAL_SMTP_USER or its "
		    "password", "%s", why));
	if (code >= CODE_REFUSED_MIN)
		return settle(out, "refused", true, ln_fail(err, LN_UPSTREAM,
		    "The mail server refused the mail", "%s", why));
	if (code >= CODE_DEFERRED_MIN)
		return settle(out, "deferred", false, ln_fail(err, LN_UPSTREAM,
		    "The mail server does not take the mail now", "%s", why));
	if (rc == CURLE_OUT_OF_MEMORY)
		return settle(out, "internal", false, ln_fail(err, LN_NOMEM,
		    "", "%s", why));
	return settle(out, "protocol", false, ln_fail(err, LN_UPSTREAM,
	    "The mail server did not speak SMTP, or cut the connection",
	    "curl %d: %s", (int)rc, why));
}

static enum ln_status
setopt_failed(CURLcode rc, struct ln_error *err)
{
	return ln_fail(err, rc == CURLE_OUT_OF_MEMORY ? LN_NOMEM :
	    LN_INTERNAL, "", "curl_easy_setopt: %s",
	    lni_curl.easy_strerror(rc));
}

/* ${mail} NULL: only greet. */
static enum ln_status
perform(struct smtp *m, const struct lni_smtp_server *server,
    const struct lni_smtp_mail *mail, struct lni_smtp_outcome *out,
    struct ln_error *err)
{
	struct lni_sigpipe held;
	enum ln_status s;
	CURLcode rc;

	out->token = "settings";
	out->is_final = out->may_have_left = false;
	if ((s = parse_url(server->url, &m->host, err)) != LN_OK)
		return s;
	out->token = "internal";
	if ((m->easy = lni_curl.easy_init()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "curl_easy_init");
	if (mail != NULL && (s = lni_smtp_message_make(m->easy, mail,
	    &m->message, err)) != LN_OK) {
		out->is_final = s == LN_INVALID;
		return s;
	}
	if ((rc = set_options(m, server)) != CURLE_OK)
		return setopt_failed(rc, err);
	rc = mail != NULL ? set_mail(m, mail) :
	    lni_curl.easy_setopt(m->easy, CURLOPT_CONNECT_ONLY, 1L);
	if (rc != CURLE_OK)
		return setopt_failed(rc, err);
	lni_sigpipe_hold(&held);
	rc = lni_curl.easy_perform(m->easy);
	lni_sigpipe_release(&held);
	return judge(m, rc, out, err);
}

static void
clear(struct smtp *m)
{
	lni_smtp_message_free(&m->message);
	if (m->rcpt != NULL)
		lni_curl.slist_free_all(m->rcpt);
	if (m->easy != NULL)
		lni_curl.easy_cleanup(m->easy);
	if (m->host != NULL)
		lni_curl.free(m->host);
}

enum ln_status
lni_smtp_send(const struct lni_smtp_server *server,
    const struct lni_smtp_mail *mail, bool (*go_on)(void *arg), void *arg,
    struct lni_smtp_outcome *out, struct ln_error *err)
{
	struct smtp m = { .go_on = go_on, .arg = arg };
	enum ln_status s;

	s = perform(&m, server, mail, out, err);
	clear(&m);
	return s;
}

enum ln_status
lni_smtp_probe(const struct lni_smtp_server *server,
    struct lni_smtp_outcome *out, struct ln_error *err)
{
	struct smtp m = { .go_on = NULL };
	enum ln_status s;

	s = perform(&m, server, NULL, out, err);
	clear(&m);
	return s;
}

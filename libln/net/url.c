#include "net/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ln/http.h>

#include "net/curl.h"
#include "net/guard.h"

#include "base/banned.h"

#define ANY_PORT ":*"

struct url {
	char *scheme;	/* libcurl's memory, like all below */
	char *host;	/* no brackets, no dot at the end */
	char *port;	/* always there */
};

static void
url_clear(struct url *u)
{
	lni_curl.free(u->scheme);
	lni_curl.free(u->host);
	lni_curl.free(u->port);
	memset(u, 0, sizeof(*u));
}

static void
tidy_host(char *host)
{
	size_t n = strlen(host);

	if (n > 1 && host[0] == '[' && host[n - 1] == ']') {
		memmove(host, host + 1, n - 2);
		host[n - 2] = '\0';
	} else if (n > 1 && host[n - 1] == '.') {
		host[n - 1] = '\0';
	}
}

/* Never shows the URL: it may hold a password that does not belong there. */
static enum ln_status
url_parse(const char *text, struct url *out, struct ln_error *err)
{
	enum ln_status s = LN_OK;
	char *zone = NULL;
	CURLUcode rc;
	CURLU *u;

	memset(out, 0, sizeof(*out));
	if ((s = ln_http_load(err)) != LN_OK)
		return s;
	if ((u = lni_curl.url()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "curl_url");
	rc = lni_curl.url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (rc == CURLUE_OK)
		rc = lni_curl.url_get(u, CURLUPART_SCHEME, &out->scheme, 0);
	if (rc == CURLUE_OK)
		rc = lni_curl.url_get(u, CURLUPART_HOST, &out->host, 0);
	if (rc == CURLUE_OK)
		rc = lni_curl.url_get(u, CURLUPART_PORT, &out->port,
		    CURLU_DEFAULT_PORT);
	if (rc == CURLUE_OUT_OF_MEMORY) {
		s = ln_fail(err, LN_NOMEM, "", "curl_url_set");
	} else if (rc == CURLUE_USER_NOT_ALLOWED) {
		s = ln_fail_field(err, LN_INVALID, "base_url",
		    "The address must not hold a user name or password",
		    "user info in a URL");
	} else if (rc != CURLUE_OK) {
		s = ln_fail_field(err, LN_INVALID, "base_url",
		    "This is not an http or https address", "%s",
		    lni_curl.url_strerror(rc));
	} else if (strcmp(out->scheme, "http") != 0 &&
	    strcmp(out->scheme, "https") != 0) {
		s = ln_fail_field(err, LN_INVALID, "base_url",
		    "This is not an http or https address", "scheme %s",
		    out->scheme);
	} else if (out->host[0] == '\0' || lni_curl.url_get(u,
	    CURLUPART_ZONEID, &zone, 0) == CURLUE_OK) {
		s = ln_fail_field(err, LN_INVALID, "base_url",
		    "This is not an http or https address",
		    "no host, or an address with a zone");
	}
	if (s == LN_OK)
		tidy_host(out->host);
	lni_curl.free(zone);
	lni_curl.url_cleanup(u);
	if (s != LN_OK)
		url_clear(out);
	return s;
}

enum ln_status
lni_url_syntax(const char *url, struct ln_error *err)
{
	struct url u;
	enum ln_status s;

	s = url_parse(url, &u, err);
	if (s == LN_OK)
		url_clear(&u);
	return s;
}

/* Whether ${u} is what the list entry [${entry}, ${n}) names.  An entry that
 * is not a URL matches nothing. */
static enum ln_status
entry_matches(const struct url *u, const char *entry, size_t n, bool *out,
    struct ln_error *err)
{
	const size_t any = strlen(ANY_PORT);
	struct url e;
	enum ln_status s;
	char *text;
	bool is_any_port;

	*out = false;
	while (n > 0 && (entry[n - 1] == ' ' || entry[n - 1] == '/'))
		n--;
	is_any_port = n > any && memcmp(entry + n - any, ANY_PORT, any) == 0;
	if (is_any_port)
		n -= any;
	if ((text = strndup(entry, n)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "allowed endpoints");
	s = url_parse(text, &e, err);
	free(text);
	if (s != LN_OK)
		return s == LN_INVALID ? LN_OK : s;
	*out = strcmp(e.scheme, u->scheme) == 0 &&
	    strcasecmp(e.host, u->host) == 0 &&
	    (is_any_port || strcmp(e.port, u->port) == 0);
	url_clear(&e);
	return LN_OK;
}

static enum ln_status
list_matches(const struct url *u, const char *allowed, bool *out,
    struct ln_error *err)
{
	enum ln_status s = LN_OK;
	const char *p = allowed;
	size_t n;

	*out = false;
	while (s == LN_OK && !*out && *p != '\0') {
		p += strspn(p, " ,");
		n = strcspn(p, ",");
		if (n > 0)
			s = entry_matches(u, p, n, out, err);
		p += n;
	}
	return s;
}

static bool
is_local_name(const char *host)
{
	static const char suffix[] = ".localhost";
	size_t n = strlen(host);

	if (strcasecmp(host, "localhost") == 0)
		return true;
	return n >= sizeof(suffix) - 1 &&
	    strcasecmp(host + n - (sizeof(suffix) - 1), suffix) == 0;
}

enum ln_status
ln_url_check(const char *url, const char *allowed, bool *out_may_be_local,
    struct ln_error *err)
{
	struct sockaddr_storage ss;
	struct url u;
	enum ln_status s;

	*out_may_be_local = false;
	if ((s = url_parse(url, &u, err)) != LN_OK)
		return s;
	if (allowed != NULL)
		s = list_matches(&u, allowed, out_may_be_local, err);
	if (s == LN_OK && !*out_may_be_local &&
	    (is_local_name(u.host) || (lni_address_text_parse(u.host, &ss) &&
	    !lni_address_is_global((const struct sockaddr *)&ss))))
		s = ln_fail_field(err, LN_INVALID, "base_url",
		    "This address is inside the local network. An "
		    "administrator can allow it in LOCALNEURAL_ALLOWED_ENDPOINTS",
		    "host %s", u.host);
	url_clear(&u);
	return s;
}

#ifndef LNI_SMTP_H
#define LNI_SMTP_H

#include <stdbool.h>

#include <ln/error.h>

/*
 * One mail to one address through one server, by libcurl.  TLS is required and
 * verified, except towards this machine itself, where it is used when offered.
 */

/* All borrowed; the last three may be NULL. */
struct lni_smtp_server {
	const char *url;	/* smtp://host[:port] or smtps://host[:port] */
	const char *user;
	const char *password;
	const char *ca_file;	/* PEM; then TLS is strict here, too */
};

/* Lines of ${text} and ${html} end with \n; both are UTF-8. */
struct lni_smtp_mail {
	const char *from;
	const char *to;
	const char *subject;
	const char *text;
	const char *html;
};

/**
 * struct lni_smtp_outcome:
 * ${token} is a word for what happened (static): "sent", "stopped",
 * "unreachable", "tls", "auth", "timeout", "deferred", "refused", "protocol",
 * "settings", "internal".  ${is_final}: trying again will not help.  ${may_have_left}: the
 * server may have taken the mail all the same.
 */
struct lni_smtp_outcome {
	const char *token;
	bool is_final;
	bool may_have_left;
};

/**
 * lni_smtp_send(server, mail, go_on, arg, out, err):
 * Blocking, at most LNI_SMTP_TOTAL_MS.  ${go_on} (may be NULL) is asked about
 * once a second; false stops.  ${out} is always filled.  LN_OK only when the
 * server has taken the mail; LN_INVALID, LN_UPSTREAM, LN_TIMEOUT,
 * LN_CANCELLED, LN_UNSUPPORTED, LN_NOMEM.
 */
enum ln_status lni_smtp_send(const struct lni_smtp_server *server,
    const struct lni_smtp_mail *mail, bool (*go_on)(void *arg), void *arg,
    struct lni_smtp_outcome *out, struct ln_error *err) LN_USE;

/* Connect, greet, secure and sign in, without a mail. */
enum ln_status lni_smtp_probe(const struct lni_smtp_server *server,
    struct lni_smtp_outcome *out, struct ln_error *err) LN_USE;

/* Whether the URL is one of the two forms.  LN_INVALID. */
enum ln_status lni_smtp_check_url(const char *url, struct ln_error *err)
    LN_USE;

/* Whether a mail may go to (or come from) ${s}: one "@", and only characters
 * that no mail server or client reads anything into. */
bool lni_mail_address_is_safe(const char *s);

#define LNI_SMTP_CONNECT_MS 10000
#define LNI_SMTP_TOTAL_MS 45000

#endif

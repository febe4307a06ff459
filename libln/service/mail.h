#ifndef LNI_MAIL_H
#define LNI_MAIL_H

#include <ln/buf.h>
#include <ln/mail.h>

#include "model/outbox.h"
#include "net/smtp.h"

/* What the files behind ln/mail.h share. */

/**
 * lni_mail_duplicate(st, email, err):
 * Somebody tried to register with ${email}: note a mail to its owner, if it
 * has one and got none lately.  Inside the caller's transaction.
 */
enum ln_status lni_mail_duplicate(struct ln_store *st, const char *email,
    struct ln_error *err) LN_USE;

/* The limit of a kind: how many, in how long. */
struct lni_mail_rule {
	int64_t max;
	int64_t window_ms;
};
struct lni_mail_rule lni_mail_rule(enum lni_mail_kind kind);

/* The keyed hash under which the outbox knows an address, whatever its case.
 * LN_BAD_KEY without keys. */
enum ln_status lni_mail_address_hash(struct ln_store *st, const char *address,
    unsigned char out[LN_KEY_BYTES], struct ln_error *err) LN_USE;

/* Settings for mail, checked; release with lni_mailer_clear, which wipes. */
struct lni_mailer {
	struct lni_smtp_server server;
	const char *from;
	char *password;
	char *base_url;		/* of this instance, without a slash at the end */
};
enum ln_status lni_mailer_read(const struct ln_config *cfg,
    struct lni_mailer *out, struct ln_error *err) LN_USE;
void lni_mailer_clear(struct lni_mailer *m);

/**
 * lni_mail_compose(kind, base_url, token, out_subject, text, html):
 * Write the mail of that kind; ${token} only for LNI_MAIL_RESET.  The subject
 * is static; see ln_buf_status of both buffers.
 */
void lni_mail_compose(enum lni_mail_kind kind, const char *base_url,
    const char *token, const char **out_subject, struct ln_buf *text,
    struct ln_buf *html);

#endif

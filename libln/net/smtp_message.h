#ifndef LNI_SMTP_MESSAGE_H
#define LNI_SMTP_MESSAGE_H

#include <curl/curl.h>

#include "net/smtp.h"

/* A mail as libcurl wants it.  Both lists belong to the caller. */
struct lni_smtp_message {
	curl_mime *mime;
	struct curl_slist *headers;
};

/**
 * lni_smtp_message_make(easy, mail, out, err):
 * Release with lni_smtp_message_free after the transfer, before the handle.
 * LN_INVALID when a header would hold a line break, or an address is not safe.
 */
enum ln_status lni_smtp_message_make(CURL *easy,
    const struct lni_smtp_mail *mail, struct lni_smtp_message *out,
    struct ln_error *err) LN_USE;
void lni_smtp_message_free(struct lni_smtp_message *m);

#endif

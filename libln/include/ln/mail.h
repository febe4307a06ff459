#ifndef LN_MAIL_H
#define LN_MAIL_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Mails to people: a link for a new password, and word to the owner of an
 * address that somebody tried to register with.  A mail is noted in the outbox
 * and made when it is sent, so neither its text nor the link is ever stored.
 * It goes only to the address it was asked for, while the account still has
 * it.  Links are built from LOCALNEURAL_PUBLIC_URL and nothing else.
 */

/* Security contract: at most so many mails to one address. */
#define LN_MAIL_RESET_MAX 3
#define LN_MAIL_RESET_WINDOW_MS (INT64_C(60) * 60 * 1000)
#define LN_MAIL_DUPLICATE_MAX 1
#define LN_MAIL_DUPLICATE_WINDOW_MS (INT64_C(24) * 60 * 60 * 1000)

/* How long a mail is tried. */
#define LN_MAIL_GIVE_UP_MS (INT64_C(24) * 60 * 60 * 1000)

/**
 * ln_mail_missing(cfg):
 * The name of the first setting without which no mail can be sent, or NULL.
 * Static.
 */
LN_API const char *ln_mail_missing(const struct ln_config *cfg);

/**
 * ln_mail_check(cfg, err):
 * Whether the settings for mail are usable.  No connection is made.
 * LN_NOT_FOUND when one is missing (ln_mail_missing says which), LN_INVALID
 * with its name as the field.
 */
LN_API enum ln_status ln_mail_check(const struct ln_config *cfg,
    struct ln_error *err) LN_USE;

/**
 * ln_mail_probe(cfg, err):
 * Blocking, up to 45 s.  Connect to the mail server, secure the connection
 * and sign in; sends no mail.  As ln_mail_check, LN_UPSTREAM, LN_TIMEOUT.
 */
LN_API enum ln_status ln_mail_probe(const struct ln_config *cfg,
    struct ln_error *err) LN_USE;

/**
 * ln_mail_forgot(st, email, err):
 * Somebody forgot the password of the account with the address ${email}: note
 * a mail to it, unless there is no such account, its address is not one that
 * mail goes to, one waits already, or it got LN_MAIL_RESET_MAX lately.  All of
 * that is LN_OK and one row in the audit log, so that the caller cannot tell.
 * LN_BUSY, LN_IO, LN_NOMEM, LN_BAD_KEY without keys.
 */
LN_API enum ln_status ln_mail_forgot(struct ln_store *st, const char *email,
    struct ln_error *err) LN_USE;

/**
 * ln_mail_send_due(st, cfg, go_on, arg, out_sent, err):
 * Blocking, up to 45 s a mail.  Send what waits and is due; ${out_sent} (may
 * be NULL) counts.  Several processes may do this at the same time: each mail
 * is taken by one.  What fails is tried again after 1, 5, 30, 30 ... minutes,
 * for a day, or given up at once when the server says that it will never take
 * it.  The round ends early when the server cannot be used at all.
 * ${go_on} (may be NULL) is asked about once a second; false stops, with
 * LN_CANCELLED.  A mail that fails is not a failure of this function: it is
 * logged.  As ln_mail_check; LN_BUSY, LN_IO, LN_NOMEM.
 */
LN_API enum ln_status ln_mail_send_due(struct ln_store *st,
    const struct ln_config *cfg, bool (*go_on)(void *arg), void *arg,
    int64_t *out_sent, struct ln_error *err) LN_USE;

#endif

#ifndef MAIL_H
#define MAIL_H

#include "api.h"

/* Mails go out in a thread of one worker, whichever looks first. */

/**
 * mail_configure(err):
 * Check the settings for mail and say in the log whether there will be any.
 * Parent, once libcurl is loaded.  LN_INVALID.
 */
enum ln_status mail_configure(struct ln_error *err);

/**
 * mail_forgot(q, email):
 * Note a mail for who forgot the password, behind the reply to ${q}.
 */
void mail_forgot(struct rq *q, const char *email);

/* A mail may wait: look soon.  Thread-safe. */
void mail_soon(void);

/* Start sending when it is time and nobody does.  Event loop, now and then. */
void mail_tick(int64_t now_mono_ms);

#endif

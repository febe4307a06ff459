#ifndef RATELIMIT_SHM_H
#define RATELIMIT_SHM_H

#include <stdbool.h>
#include <stdint.h>

/* Rate limits of the security contract, counted over all workers. */

enum limit {
	LIMIT_NONE,
	LIMIT_DEFAULT,
	LIMIT_LOGIN,
	LIMIT_REGISTER,
	LIMIT_FORGOT,
	LIMIT_RESET,
	LIMIT_PASSWORD,
	LIMIT_ACCOUNT_DELETE,
	LIMIT_FAILURE,	/* failed sign-ins of one account */
};

enum limit_verdict {
	LIMIT_PASS,
	LIMIT_HIT,	/* one too many, the first of this window */
	LIMIT_REFUSE,	/* another one */
};

/**
 * ratelimit_take(class, who, account, out_retry_s):
 * Count one request of ${who} (an address key; ${account} may be NULL).
 * When it is one too many, ${out_retry_s} says when to try again.
 */
enum limit_verdict ratelimit_take(enum limit class, const char *who, const char *account,
    int *out_retry_s);

/**
 * ratelimit_per_minute(class):
 * How many requests of one client pass in a minute.
 */
int ratelimit_per_minute(enum limit class);

/**
 * ratelimit_failed(name) / ratelimit_delay_ms(name):
 * Note a failed sign-in for what was typed as a user name / how long the reply
 * to the next try has to wait: 0, or 1 to 5 seconds.
 */
void ratelimit_failed(const char *name);
int64_t ratelimit_delay_ms(const char *name);

#endif

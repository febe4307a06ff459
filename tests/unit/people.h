#ifndef TEST_PEOPLE_H
#define TEST_PEOPLE_H

#include <ln/error.h>
#include <ln/user.h>

#include "place.h"

/* Helpers for tests about accounts.  Every function fails the running test by
 * itself. */

/* LN_OK, or fail with what ${err} says. */
void people_ok(enum ln_status s, const struct ln_error *err);

/* An account past the rules of ln/auth.h: id and user name are ${name}.
 * ${email} and ${hash} may be NULL. */
void people_add(struct place *p, const char *name, const char *email,
    enum ln_user_role role, const char *hash);

/* As somebody who opens the file behind our back: run SQL; the number that
 * ${sql} yields with ${text} as its first parameter (NULL: it has none). */
void people_tamper(struct place *p, const char *sql);
int64_t people_number(struct place *p, const char *sql, const char *text);

#endif

#ifndef PROFILE_H
#define PROFILE_H

#include <ln/json.h>
#include <ln/user.h>

/**
 * profile_json(u) / profile_members(w, u):
 * An account as its owner and admins see it: a whole document (NULL without
 * memory) / as members of the open object.
 */
struct ln_jw *profile_json(const struct ln_user *u);
void profile_members(struct ln_jw *w, const struct ln_user *u);

#endif

#ifndef PROFILE_H
#define PROFILE_H

#include <ln/json.h>
#include <ln/user.h>

/**
 * profile_json(u) / profile_members(w, u, pic):
 * An account as its owner sees it: a whole document (NULL without memory) / as
 * its owner and admins do, as members of the open object; ${pic} is the path
 * of the picture, which only its owner is told.
 */
struct ln_jw *profile_json(const struct ln_user *u);
void profile_members(struct ln_jw *w, const struct ln_user *u,
    const char *pic);

/**
 * profile_pic_path(u, out):
 * Where the picture of ${u} is, another path for another picture; NULL when
 * there is none.
 */
#define PROFILE_PIC_SIZE 64
const char *profile_pic_path(const struct ln_user *u,
    char out[PROFILE_PIC_SIZE]);

#endif

#ifndef LNI_EMBED_H
#define LNI_EMBED_H

#include <stddef.h>

/* A file that the host tool store/embed.c turned into an array.  ${name} is
 * its path below the folder that was given; ${data} is NUL-terminated and
 * ${len} excludes the NUL. */
struct lni_embed {
	const char *name;
	const unsigned char *data;
	size_t len;
};

extern const struct lni_embed lni_migrations[];
extern const size_t lni_migrations_count;
extern const struct lni_embed lni_handbook[];
extern const size_t lni_handbook_count;
/* One file: libln/service/common_passwords.txt. */
extern const struct lni_embed lni_common_passwords[];
extern const size_t lni_common_passwords_count;

#endif

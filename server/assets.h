#ifndef ASSETS_H
#define ASSETS_H

#include <stdbool.h>
#include <stddef.h>

/* The browser bundle, embedded at link time. */

struct asset {
	const char *name;	/* path below server/web/dist */
	const char *type;
	const void *bytes;
	size_t len;
	const void *gzip;	/* NULL when it does not pay */
	size_t gzip_len;
};

/**
 * assets_prepare():
 * Make the compressed copies, once, in the parent: workers share the pages.
 */
void assets_prepare(void);

/**
 * asset_find(name) / asset_find_hashed(prefix):
 * The file, or NULL / the first one whose name begins so ("assets/icon-").
 * Static.
 */
const struct asset *asset_find(const char *name);
const struct asset *asset_find_hashed(const char *prefix);

#endif

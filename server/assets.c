#include "assets.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* As the host tool writes them (one struct, one name, see store/embed.c). */
struct lni_embed {
	const char *name;
	const unsigned char *data;
	size_t len;
};
extern const struct lni_embed lni_web[];
extern const size_t lni_web_count;

#define GZIP_WINDOW (15 + 16)	/* zlib: 16 asks for the gzip frame */
#define GZIP_MIN 512		/* less does not pay */

static struct asset *assets;
static size_t asset_count;

static const char *
type_of(const char *name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".woff2", "font/woff2" },
		{ ".json", "application/json; charset=utf-8" },
		{ ".webmanifest", "application/manifest+json" },
		{ ".txt", "text/plain; charset=utf-8" },
	};
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(dot, types[i].suffix) == 0)
			return types[i].type;
	return "application/octet-stream";
}

static void
compress_copy(struct asset *a)
{
	z_stream z;
	unsigned char *out;
	uLong bound;

	if (a->len < GZIP_MIN)
		return;
	memset(&z, 0, sizeof(z));
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 9,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	bound = deflateBound(&z, (uLong)a->len);
	if ((out = malloc(bound)) != NULL) {
		/* zlib's input pointer is not const, the input is. */
		memcpy(&z.next_in, &a->bytes, sizeof(z.next_in));
		z.avail_in = (uInt)a->len;
		z.next_out = out;
		z.avail_out = (uInt)bound;
		if (deflate(&z, Z_FINISH) == Z_STREAM_END &&
		    z.total_out < a->len) {
			a->gzip = out;
			a->gzip_len = z.total_out;
		} else
			free(out);
	}
	(void)deflateEnd(&z);
}

void
assets_prepare(void)
{
	size_t i;

	if ((assets = calloc(lni_web_count + 1, sizeof(*assets))) == NULL)
		return;
	for (i = 0; i < lni_web_count; i++) {
		assets[i].name = lni_web[i].name;
		assets[i].type = type_of(lni_web[i].name);
		assets[i].bytes = lni_web[i].data;
		assets[i].len = lni_web[i].len;
		compress_copy(&assets[i]);
	}
	asset_count = lni_web_count;
}

const struct asset *
asset_find(const char *name)
{
	size_t i;

	for (i = 0; i < asset_count; i++)
		if (strcmp(assets[i].name, name) == 0)
			return &assets[i];
	return NULL;
}

const struct asset *
asset_find_hashed(const char *prefix)
{
	size_t i;

	for (i = 0; i < asset_count; i++)
		if (strncmp(assets[i].name, prefix, strlen(prefix)) == 0)
			return &assets[i];
	return NULL;
}

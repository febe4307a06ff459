#include "text/picture.h"

#include <string.h>

#include "base/banned.h"

/*
 * Headers of pictures: PNG (W3C), JPEG (ITU T.81, annex B), GIF 87a and 89a,
 * WebP (RFC 9649).
 */

#define GIF_HEAD 13
#define PNG_HEAD 33
#define WEBP_HEAD 30

static uint32_t
be16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
be32(const unsigned char *p)
{
	return be16(p) << 16 | be16(p + 2);
}

static uint32_t
le16(const unsigned char *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t
le24(const unsigned char *p)
{
	return (uint32_t)p[2] << 16 | le16(p);
}

static uint32_t
le32(const unsigned char *p)
{
	return le16(p + 2) << 16 | le16(p);
}

static bool
look_png(const unsigned char *p, size_t n, uint32_t *width, uint32_t *height)
{
	static const unsigned char head[] = { 0x89, 'P', 'N', 'G', '\r', '\n',
		0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R' };

	if (n < PNG_HEAD || memcmp(p, head, sizeof(head)) != 0)
		return false;
	*width = be32(p + 16);
	*height = be32(p + 20);
	return true;
}

static bool
look_gif(const unsigned char *p, size_t n, uint32_t *width, uint32_t *height)
{
	if (n < GIF_HEAD || (memcmp(p, "GIF87a", 6) != 0 &&
	    memcmp(p, "GIF89a", 6) != 0))
		return false;
	*width = le16(p + 6);
	*height = le16(p + 8);
	return true;
}

static bool
look_webp(const unsigned char *p, size_t n, uint32_t *width,
    uint32_t *height)
{
	uint32_t bits;

	if (n < WEBP_HEAD || memcmp(p, "RIFF", 4) != 0 ||
	    memcmp(p + 8, "WEBP", 4) != 0 || le32(p + 4) > n - 8)
		return false;
	if (memcmp(p + 12, "VP8X", 4) == 0) {
		*width = le24(p + 24) + 1;
		*height = le24(p + 27) + 1;
		return true;
	}
	if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2f) {
		bits = le32(p + 21);
		*width = (bits & 0x3fff) + 1;
		*height = (bits >> 14 & 0x3fff) + 1;
		return true;
	}
	if (memcmp(p + 12, "VP8 ", 4) == 0 && p[23] == 0x9d &&
	    p[24] == 0x01 && p[25] == 0x2a) {
		*width = le16(p + 26) & 0x3fff;
		*height = le16(p + 28) & 0x3fff;
		return true;
	}
	return false;
}

/* SOF0 to SOF15; three numbers of that range mean other segments. */
static bool
is_frame(unsigned char marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
	    marker != 0xc8 && marker != 0xcc;
}

/* Segment by segment to the one that begins the frame. */
static bool
look_jpeg(const unsigned char *p, size_t n, uint32_t *width,
    uint32_t *height)
{
	size_t at = 2, length;

	if (n < 4 || p[0] != 0xff || p[1] != 0xd8)
		return false;
	while (n - at >= 4 && p[at] == 0xff) {
		if (p[at + 1] == 0xff) {	/* fill */
			at++;
			continue;
		}
		length = be16(p + at + 2);
		if (length < 2 || length > n - at - 2)
			return false;
		if (is_frame(p[at + 1])) {
			if (length < 8)
				return false;
			*height = be16(p + at + 5);
			*width = be16(p + at + 7);
			return true;
		}
		at += 2 + length;
	}
	return false;
}

bool
lni_picture_look(const void *p, size_t n, const char **out_type,
    uint32_t *out_width, uint32_t *out_height)
{
	static const struct {
		const char *type;
		bool (*look)(const unsigned char *p, size_t n,
		    uint32_t *width, uint32_t *height);
	} kinds[] = {
		{ "image/png", look_png },
		{ "image/jpeg", look_jpeg },
		{ "image/gif", look_gif },
		{ "image/webp", look_webp },
	};
	size_t i;

	*out_type = NULL;
	*out_width = *out_height = 0;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].look(p, n, out_width, out_height)) {
			*out_type = kinds[i].type;
			return true;
		}
	}
	return false;
}

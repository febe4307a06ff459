/* What pictures say of themselves, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/picture.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *name;
	const char *bytes;
	size_t n;
	const char *type;	/* NULL: it is none */
	uint32_t width, height;
} cases[] = {
	{ "PNG", BYTES("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\1\2\0\0\0\3"
	    "\x08\2\0\0\0\0\0\0\0"), "image/png", 258, 3 },
	{ "PNG whose first chunk is another", BYTES("\x89PNG\r\n\x1a\n"
	    "\0\0\0\x0dIDAT\0\0\1\2\0\0\0\3\x08\2\0\0\0\0\0\0\0"), NULL, 0, 0 },
	{ "GIF", BYTES("GIF89a\1\2\3\0\0\0\0"), "image/gif", 513, 3 },
	{ "old GIF", BYTES("GIF87a\1\0\1\0\0\0\0"), "image/gif", 1, 1 },
	{ "no GIF", BYTES("GIF88a\1\0\1\0\0\0\0"), NULL, 0, 0 },
	{ "JPEG", BYTES("\xff\xd8\xff\xe0\0\4XY\xff\xff\xc2\0\x0b\x08\0\2\1\0"
	    "\1\1\1\0"), "image/jpeg", 256, 2 },
	{ "JPEG whose segment ends outside", BYTES("\xff\xd8\xff\xe0\xff\xffXY"
	    "\xff\xc0\0\x0b\x08\0\2\1\0\1\1\1\0"), NULL, 0, 0 },
	{ "JPEG whose segment is shorter than its length", BYTES("\xff\xd8"
	    "\xff\xe0\0\1XY"), NULL, 0, 0 },
	{ "JPEG without a frame", BYTES("\xff\xd8\xff\xe0\0\4XY\xff\xd9"),
	    NULL, 0, 0 },
	{ "JPEG with a table where a frame may be", BYTES("\xff\xd8\xff\xc4"
	    "\0\x09\x08\0\2\1\0\1\1\xff\xc0\0\x0b\x08\0\7\0\x09\1\1\1\0"),
	    "image/jpeg", 9, 7 },
	{ "lossy WebP", BYTES("RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\x30\1\0\x9d\1"
	    "\x2a\x05\x40\x06\0"), "image/webp", 5, 6 },
	{ "lossless WebP", BYTES("RIFF\x16\0\0\0WEBPVP8L\x09\0\0\0\x2f\x04\x40"
	    "\x01\0\0\0\0\0\0"), "image/webp", 5, 6 },
	{ "extended WebP", BYTES("RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x04"
	    "\0\0\x05\0\0"), "image/webp", 5, 6 },
	{ "WebP that is longer than its file", BYTES("RIFF\xff\0\0\0WEBPVP8X"
	    "\x0a\0\0\0\0\0\0\0\x04\0\0\x05\0\0"), NULL, 0, 0 },
	{ "SVG", BYTES("<svg xmlns='http://www.w3.org/2000/svg'><script/>"
	    "</svg>          "), NULL, 0, 0 },
	{ "HTML", BYTES("<!doctype html><script>alert(1)</script>"), NULL, 0,
	    0 },
	{ "nothing", "", 0, NULL, 0, 0 },
};

static void
the_type_and_size_are_those_of_the_header(void **state)
{
	uint32_t width, height;
	const char *type;
	size_t i;
	bool ok;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ok = lni_picture_look(cases[i].bytes, cases[i].n, &type,
		    &width, &height);
		if (ok != (cases[i].type != NULL))
			fail_msg("%s: %d", cases[i].name, ok);
		if (!ok)
			continue;
		assert_string_equal(type, cases[i].type);
		assert_int_equal(width, cases[i].width);
		assert_int_equal(height, cases[i].height);
	}
}

/* Each in memory of its own size, so that a sanitizer sees a byte too many. */
static void
a_picture_cut_anywhere_is_read_to_its_end_at_most(void **state)
{
	uint32_t width, height;
	const char *type;
	size_t i, n;
	char *cut;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (n = 0; n < cases[i].n; n++) {
			assert_non_null(cut = malloc(n + 1));
			memcpy(cut + 1, cases[i].bytes, n);
			(void)lni_picture_look(cut + 1, n, &type, &width,
			    &height);
			free(cut);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_type_and_size_are_those_of_the_header),
		cmocka_unit_test(
		    a_picture_cut_anywhere_is_read_to_its_end_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

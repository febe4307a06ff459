#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "llm/image.h"

/* The first bytes of files, and of what only looks like them. */
static const struct {
	const char *bytes;
	size_t n;
	const char *type;
} rows[] = {
	{ "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "image/png" },
	{ "\xff\xd8\xff\xe0\0\x10JFIF", 10, "image/jpeg" },
	{ "\xff\xd8\xff\xdb\0\x43", 6, "image/jpeg" },
	{ "GIF89a\x01\0", 8, "image/gif" },
	{ "GIF87a\x01\0", 8, "image/gif" },
	{ "RIFF\x24\x10\0\0WEBPVP8 ", 16, "image/webp" },
	{ "RIFF\xff\xff\xff\xffWEBPVP8L", 16, "image/webp" },
	{ "RIFF\x24\x10\0\0WAVEfmt ", 16, NULL },
	{ "RIFF\x24\x10\0\0", 8, NULL },
	{ "RIFX\x24\x10\0\0WEBPVP8 ", 16, NULL },
	{ "GIF88a\x01\0", 8, NULL },
	{ "\x89PNG\n\n", 6, NULL },
	{ "<svg xmlns=", 11, NULL },
	{ "", 0, NULL },
};

static void
the_first_bytes_tell_the_type(void **state)
{
	const char *type;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sodium_bin2base64(text, sizeof(text),
		    (const unsigned char *)rows[i].bytes, rows[i].n,
		    sodium_base64_VARIANT_ORIGINAL);
		type = lni_image_type(text);
		if (rows[i].type == NULL)
			assert_null(type);
		else
			assert_string_equal(type, rows[i].type);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_bytes_tell_the_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

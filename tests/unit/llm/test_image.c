#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include <ln/image.h>

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

static void
a_file_becomes_what_a_message_carries(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	char *text = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ln_image_is_known(rows[i].bytes, rows[i].n),
		    rows[i].type != NULL);
		assert_int_equal(ln_image_base64(rows[i].bytes, rows[i].n,
		    &text, &err), rows[i].type != NULL ? LN_OK :
		    LN_UNSUPPORTED);
		if (rows[i].type == NULL)
			assert_null(text);
		else
			assert_string_equal(lni_image_type(text),
			    rows[i].type);
		ln_free(text);
	}
	assert_int_equal(ln_image_base64(rows[3].bytes, rows[3].n, &text,
	    &err), LN_OK);
	assert_string_equal(text, "R0lGODlhAQA=");
	ln_free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_bytes_tell_the_type),
		cmocka_unit_test(a_file_becomes_what_a_message_carries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

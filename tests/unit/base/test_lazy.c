/* A library that is loaded on first use: all of it or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/lazy.h"

static void
fills_every_slot_with_a_function_that_works(void **state)
{
	static unsigned long (*version)(void);
	static const char *(*text)(int);
	static const struct lni_lazy_symbol symbols[] = {
		{ "OpenSSL_version_num", &version },
		{ "OpenSSL_version", &text },
	};
	struct ln_error err = LN_ERROR_INIT;

	(void)state;
	assert_int_equal(lni_lazy_load("libcrypto.so.3", symbols, 2, &err),
	    LN_OK);
	assert_int_equal(version() >> 28, 3);
	assert_non_null(strstr(text(0), "OpenSSL"));
	assert_int_equal(lni_lazy_load("libcrypto.so.3", symbols, 2, &err),
	    LN_OK);
}

static void
says_so_when_the_library_is_missing(void **state)
{
	static unsigned long (*version)(void);
	static const struct lni_lazy_symbol symbols[] = {
		{ "OpenSSL_version_num", &version },
	};
	struct ln_error err = LN_ERROR_INIT;

	(void)state;
	assert_int_equal(lni_lazy_load("libno-such-thing.so.9", symbols, 1,
	    &err), LN_UNSUPPORTED);
	assert_null(version);
	assert_non_null(strstr(err.detail, "libno-such-thing.so.9"));
	assert_null(strstr(err.text, "libno-such-thing"));
}

static void
leaves_every_slot_alone_when_one_symbol_is_missing(void **state)
{
	static unsigned long (*version)(void);
	static void (*nothing)(void);
	static const struct lni_lazy_symbol symbols[] = {
		{ "OpenSSL_version_num", &version },
		{ "OpenSSL_no_such_function", &nothing },
	};
	struct ln_error err = LN_ERROR_INIT;

	(void)state;
	assert_int_equal(lni_lazy_load("libcrypto.so.3", symbols, 2, &err),
	    LN_UNSUPPORTED);
	assert_null(version);
	assert_null(nothing);
	assert_non_null(strstr(err.detail, "OpenSSL_no_such_function"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_every_slot_with_a_function_that_works),
		cmocka_unit_test(says_so_when_the_library_is_missing),
		cmocka_unit_test(
		    leaves_every_slot_alone_when_one_symbol_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

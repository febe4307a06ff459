#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>

/* A buffer is born with a maximum, and failure sticks. */
static void
appends_until_the_maximum(void **state)
{
	static const struct {
		const char *name;
		size_t max;
		const char *parts[4];
		enum ln_status status;
		const char *want;
	} rows[] = {
		{ "nothing", 4, { NULL }, LN_OK, "" },
		{ "fits exactly", 4, { "ab", "cd" }, LN_OK, "abcd" },
		{ "one byte over", 3, { "ab", "cd" }, LN_TOO_LARGE, "ab" },
		{ "stays failed", 3, { "abcd", "a" }, LN_TOO_LARGE, "" },
		{ "zero maximum takes nothing", 0, { "a" }, LN_TOO_LARGE, "" },
		{ "zero maximum takes the empty string", 0, { "" }, LN_OK, "" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ln_buf b = LN_BUF_INIT(rows[i].max);

		for (j = 0; j < 4 && rows[i].parts[j] != NULL; j++)
			ln_buf_puts(&b, rows[i].parts[j]);
		if (ln_buf_status(&b) != rows[i].status)
			fail_msg("%s: status", rows[i].name);
		if (strcmp(ln_buf_str(&b), rows[i].want) != 0)
			fail_msg("%s: content", rows[i].name);
		ln_buf_free(&b);
	}
}

static void
formats_past_its_first_allocation(void **state)
{
	struct ln_buf b = LN_BUF_INIT(10000);
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		ln_buf_printf(&b, "%03d,", i);
	assert_int_equal(ln_buf_status(&b), LN_OK);
	assert_int_equal(b.len, 4000);
	assert_memory_equal(b.data + 3996, "999,", 5);
	ln_buf_free(&b);
}

static void
keeps_bytes_of_any_value(void **state)
{
	struct ln_buf b = LN_BUF_INIT(16);

	(void)state;
	ln_buf_put(&b, "a\0b", 3);
	ln_buf_putc(&b, '\0');
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "a\0b\0", 5);
	ln_buf_free(&b);
}

static void
consumes_from_the_front(void **state)
{
	struct ln_buf b = LN_BUF_INIT(16);

	(void)state;
	ln_buf_puts(&b, "abcdef");
	ln_buf_consume(&b, 2);
	assert_string_equal(ln_buf_str(&b), "cdef");
	ln_buf_consume(&b, 99);
	assert_string_equal(ln_buf_str(&b), "");
	ln_buf_free(&b);
}

static void
gives_its_content_away_once(void **state)
{
	struct ln_buf b = LN_BUF_INIT(16);
	char *s;

	(void)state;
	ln_buf_puts(&b, "yours");
	s = ln_buf_steal(&b);
	assert_string_equal(s, "yours");
	assert_string_equal(ln_buf_str(&b), "");
	ln_free(s);
	s = ln_buf_steal(&b);
	assert_string_equal(s, "");
	ln_free(s);
	ln_buf_puts(&b, "seventeen bytes!!");
	assert_null(ln_buf_steal(&b));
	assert_int_equal(ln_buf_status(&b), LN_OK);
	ln_buf_free(&b);
}

static void
a_cleared_secret_is_wiped(void **state)
{
	struct ln_buf b = LN_BUF_SECRET_INIT(64);
	size_t i;

	(void)state;
	ln_buf_puts(&b, "correct horse battery staple");
	ln_buf_clear(&b);
	for (i = 0; i < 28; i++)
		assert_int_equal(b.data[i], 0);
	ln_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_until_the_maximum),
		cmocka_unit_test(formats_past_its_first_allocation),
		cmocka_unit_test(keeps_bytes_of_any_value),
		cmocka_unit_test(consumes_from_the_front),
		cmocka_unit_test(gives_its_content_away_once),
		cmocka_unit_test(a_cleared_secret_is_wiped),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

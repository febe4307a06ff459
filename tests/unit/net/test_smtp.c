/* Which addresses a mail may go to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ln/base.h>
#include <ln/http.h>

#include "net/curl.h"
#include "net/smtp_message.h"

static void
an_address_is_one_name_at_one_host(void **state)
{
	static const struct {
		const char *s;
		bool want;
	} rows[] = {
		{ "a@b", true },
		{ "first.last+tag@mail.example.test", true },
		{ "o'neil_1=x@x-y.example.test", true },
		{ "root@localhost", true },
		{ "", false },
		{ "@", false },
		{ "a@", false },
		{ "@b", false },
		{ "a", false },
		{ "a@b@c", false },
		{ "a b@c", false },
		{ " a@b", false },
		{ "a@b ", false },
		{ "a@b\r\nBcc: c@d", false },
		{ "a@b\n", false },
		{ "a\t@b", false },
		{ "a@b,c@d", false },
		{ "a@b;c@d", false },
		{ "<a@b>", false },
		{ "A <a@b>", false },
		{ "\"a\"@b", false },
		{ "a(b)@c", false },
		{ "a\\@b", false },
		{ "a:b@c", false },
		{ "a%c@b", false },
		{ "a!c@b", false },
		{ "a|c@b", false },
		{ "`a`@b", false },
		{ "-a@b", false },
		{ ".a@b", false },
		{ "a.@b", false },
		{ "a..b@c", false },
		{ "a@-b", false },
		{ "a@b-", false },
		{ "a@.b", false },
		{ "a@b.", false },
		{ "a@b..c", false },
		{ "a@[127.0.0.1]", false },
		{ "a@b_c", false },
		{ "\xc3\xbc@b", false },
		{ "a@b\xff", false },
		{ "a@b\x7f", false },
	};
	char longest[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (lni_mail_address_is_safe(rows[i].s) != rows[i].want)
			fail_msg("%s", rows[i].s);
	}
	memset(longest, 'a', sizeof(longest));
	longest[64] = '@';
	longest[254] = '\0';
	assert_true(lni_mail_address_is_safe(longest));
	longest[254] = 'a';
	longest[255] = '\0';
	assert_false(lni_mail_address_is_safe(longest));
	longest[64] = 'a';
	longest[65] = '@';
	longest[200] = '\0';
	assert_false(lni_mail_address_is_safe(longest));
}

static void
no_header_holds_a_line_break(void **state)
{
	static const char *const subjects[] = { "one\r\nBcc: e@x.test", "a\nb",
		"a\rb", "a\x01" };
	struct lni_smtp_mail mail = { .from = "a@b", .to = "c@d",
		.text = "x\n", .html = "<p>x</p>\n" };
	struct lni_smtp_message m;
	CURL *easy;
	size_t i;

	(void)state;
	assert_int_equal(ln_http_load(NULL), LN_OK);
	assert_non_null(easy = lni_curl.easy_init());
	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		mail.subject = subjects[i];
		assert_int_equal(lni_smtp_message_make(easy, &mail, &m, NULL),
		    LN_INVALID);
	}
	mail.subject = "fine";
	assert_int_equal(lni_smtp_message_make(easy, &mail, &m, NULL), LN_OK);
	lni_smtp_message_free(&m);
	mail.to = "c@d\r\nX: y";
	assert_int_equal(lni_smtp_message_make(easy, &mail, &m, NULL),
	    LN_INVALID);
	lni_curl.easy_cleanup(easy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_one_name_at_one_host),
		cmocka_unit_test(no_header_holds_a_line_break),
	};

	if (ln_init(NULL) != LN_OK)
		return 1;
	return cmocka_run_group_tests_name("smtp", tests, NULL, NULL);
}

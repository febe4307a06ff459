#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include <ln/http.h>

#include "net/guard.h"

static const char *const global[] = {
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
	"100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
	"169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
	"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
	"223.255.255.255", "2606:4700::1111", "2a00::1", "2001:200::1",
	"2620:fe::fe", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
};

static const char *const not_global[] = {
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1",
	"100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
	"172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
	"192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
	"198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.255",
	"240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
	"::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
	"64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::",
	"2002:c0a8:101::1", "2001::1", "2001:0:7f00:1::", "2001:2::1",
	"2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "fc00::1",
	"fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1", "100::1",
	"4000::1", "5f00::1",
};

static void
public_addresses_pass(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(global) / sizeof(global[0]); i++) {
		if (!lni_address_text_is_global(global[i]))
			fail_msg("%s was refused", global[i]);
	}
}

static void
all_others_are_refused_in_every_clothing(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(not_global) / sizeof(not_global[0]); i++) {
		struct sockaddr_storage ss;

		if (!lni_address_text_parse(not_global[i], &ss))
			fail_msg("%s is no address", not_global[i]);
		if (lni_address_text_is_global(not_global[i]))
			fail_msg("%s passed", not_global[i]);
	}
}

static void
what_is_no_internet_address_is_refused(void **state)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)state;
	assert_false(lni_address_is_global((const struct sockaddr *)&un));
	assert_false(lni_address_text_is_global(""));
	assert_false(lni_address_text_is_global("example.org"));
	assert_false(lni_address_text_is_global("fe80::1%eth0"));
	assert_false(lni_address_text_is_global("8.8.8.8 "));
}

static void
urls_are_public_or_on_the_list(void **state)
{
	static const char list[] = "http://localhost:11434, http://gpu.lan:*,"
	    "https://[fd00::1]:8443/,not a url,http://10.0.0.5";
	static const struct {
		const char *url;
		const char *allowed;
		enum ln_status want;
		bool is_local;
	} rows[] = {
		{ "https://api.example.com", NULL, LN_OK, false },
		{ "https://api.example.com:8443/v1", list, LN_OK, false },
		{ "http://8.8.8.8/", NULL, LN_OK, false },
		{ "http://localhost:11434", list, LN_OK, true },
		{ "http://LOCALHOST:11434/", list, LN_OK, true },
		{ "http://localhost.:11434/", list, LN_OK, true },
		{ "http://localhost:11434/api", list, LN_OK, true },
		{ "http://gpu.lan:9/", list, LN_OK, true },
		{ "http://gpu.lan/", list, LN_OK, true },
		{ "https://[fd00::1]:8443", list, LN_OK, true },
		{ "http://10.0.0.5/", list, LN_OK, true },
		{ "http://10.0.0.5:80/", list, LN_OK, true },
		/* Another scheme, port, host, spelling. */
		{ "https://gpu.lan/", list, LN_OK, false },
		{ "https://localhost:11434", list, LN_INVALID, false },
		{ "http://localhost:11435", list, LN_INVALID, false },
		{ "http://localhost:11434", NULL, LN_INVALID, false },
		{ "http://a.localhost/", list, LN_INVALID, false },
		{ "http://127.0.0.1:11434", list, LN_INVALID, false },
		{ "http://10.0.0.5:81/", list, LN_INVALID, false },
		{ "http://0x7f.1/", NULL, LN_INVALID, false },
		{ "http://2130706433/", NULL, LN_INVALID, false },
		{ "http://0177.0.0.1/", NULL, LN_INVALID, false },
		{ "http://127.1/", NULL, LN_INVALID, false },
		{ "http://[::1]/", NULL, LN_INVALID, false },
		{ "http://[::ffff:127.0.0.1]/", NULL, LN_INVALID, false },
		{ "http://[fe80::1%25lo]/", NULL, LN_INVALID, false },
		{ "http://169.254.169.254/latest", NULL, LN_INVALID, false },
		/* No URL of ours at all. */
		{ "", NULL, LN_INVALID, false },
		{ "localhost:11434", list, LN_INVALID, false },
		{ "ftp://example.com/", NULL, LN_INVALID, false },
		{ "file:///etc/passwd", NULL, LN_INVALID, false },
		{ "gopher://example.com/", NULL, LN_INVALID, false },
		{ "http://user:pw@localhost:11434", list, LN_INVALID, false },
		{ "http://localhost:11434@evil.example/", list, LN_INVALID,
		    false },
		{ "http://", NULL, LN_INVALID, false },
		{ "http://exa mple.com/", NULL, LN_INVALID, false },
		{ "http://example.com/\r\nX: y", NULL, LN_INVALID, false },
		{ "http://example.com:99999/", NULL, LN_INVALID, false },
	};
	struct ln_error err = LN_ERROR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_local = true;
		enum ln_status s;

		s = ln_url_check(rows[i].url, rows[i].allowed, &is_local,
		    &err);
		if (s != rows[i].want || is_local != rows[i].is_local)
			fail_msg("%s: status %d, local %d", rows[i].url,
			    (int)s, is_local);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_addresses_pass),
		cmocka_unit_test(all_others_are_refused_in_every_clothing),
		cmocka_unit_test(what_is_no_internet_address_is_refused),
		cmocka_unit_test(urls_are_public_or_on_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

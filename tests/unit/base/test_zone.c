#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/zone.h"

#define ROOT "/usr/share/zoneinfo/"

static void
expect(const char *name, int64_t at, int offset_s, const char *abbreviation)
{
	struct lni_zone z;
	struct ln_error err = LN_ERROR_INIT;

	if (lni_zone_at(name, at, &z, &err) != LN_OK)
		fail_msg("%s: %s", name, err.text);
	if (z.offset_s != offset_s || strcmp(z.abbreviation, abbreviation) != 0)
		fail_msg("%s at %lld: %d %s", name, (long long)at, z.offset_s,
		    z.abbreviation);
}

static void
offsets_in_every_spelling(void **state)
{
	static const struct {
		const char *name;
		int offset_s;
	} rows[] = {
		{ "+02:00", 7200 }, { "-09:30", -34200 }, { "+0530", 19800 },
		{ "+2", 7200 }, { "-03", -10800 }, { "UTC+2", 7200 },
		{ "GMT-03:30", -12600 }, { "+00:00", 0 }, { "+14", 50400 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(rows[i].name, 0, rows[i].offset_s, "");
	expect("Z", 0, 0, "UTC");
	expect("UTC", 0, 0, "UTC");
}

static void
what_is_no_zone(void **state)
{
	static const char *const names[] = { "", "Berlin", "europe berlin",
		"/etc/passwd", "../zoneinfo/UTC", "Europe", "Europe/", "tzdata.zi",
		"+24", "+02:60", "+02:0", "+020", "+02:000", "UTC*2", "zone.tab",
		"leapseconds", "Europe/Berlin\n", "\xff" };
	struct ln_error err;
	struct lni_zone z;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		if (lni_zone_at(names[i], 0, &z, &err) != LN_INVALID)
			fail_msg("\"%s\" is a zone", names[i]);
		assert_string_equal(err.field, "zone");
	}
}

static void
summer_and_winter(void **state)
{
	(void)state;
	/* 2026-03-29T01:00:00Z and 2026-10-25T01:00:00Z. */
	expect("Europe/Berlin", 1774745999, 3600, "CET");
	expect("Europe/Berlin", 1774746000, 7200, "CEST");
	expect("Europe/Berlin", 1792889999, 7200, "CEST");
	expect("Europe/Berlin", 1792890000, 3600, "CET");
	/* South of the equator: 2026-01-01T00:00:00Z. */
	expect("Australia/Sydney", 1767225600, 39600, "AEDT");
	expect("Asia/Kolkata", 1767225600, 19800, "IST");
	/* Before the first transition of the file, and far behind the last. */
	expect("Europe/Berlin", -4000000000, 3208, "LMT");
	expect("Europe/Berlin", 4118083200, 7200, "CEST");
	expect("America/Sao_Paulo", 4118083200, -10800, "-03");
}

static void
agrees_with_the_c_library(void **state)
{
	static const char *const names[] = { "Europe/Berlin",
		"America/New_York", "Australia/Lord_Howe", "Asia/Tehran",
		"Africa/Casablanca", "Europe/Dublin", "America/Santiago",
		"Pacific/Auckland", "America/Nuuk", "Asia/Gaza" };
	struct lni_zone z;
	struct tm tm;
	time_t at, back;
	size_t i;
	int64_t t;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(setenv("TZ", names[i], 1), 0);
		tzset();
		/* Every 20 days and some, 1950 to 2150. */
		for (t = -631152000; t < 5680281600; t += 1789321) {
			assert_int_equal(lni_zone_at(names[i], t, &z, NULL),
			    LN_OK);
			at = (time_t)t;
			assert_non_null(localtime_r(&at, &tm));
			tm.tm_isdst = 0;
			/* What the clock on the wall shows, read as UTC. */
			assert_int_equal(setenv("TZ", "UTC0", 1), 0);
			back = mktime(&tm);
			assert_int_equal(setenv("TZ", names[i], 1), 0);
			tzset();
			if (back - at != z.offset_s)
				fail_msg("%s at %lld: %ld, not %d", names[i],
				    (long long)t, (long)(back - at),
				    z.offset_s);
		}
	}
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

static void
the_machine_has_one_too(void **state)
{
	struct lni_zone z;

	(void)state;
	assert_int_equal(setenv("TZ", ":Asia/Tokyo", 1), 0);
	expect(NULL, 0, 32400, "JST");
	assert_int_equal(setenv("TZ", "No/Where", 1), 0);
	assert_int_equal(lni_zone_at(NULL, 0, &z, NULL), LN_OK);
	assert_int_equal(unsetenv("TZ"), 0);
	assert_int_equal(lni_zone_at(NULL, 0, &z, NULL), LN_OK);
}

/* A cut or changed file is refused or read, never run past. */
static void
a_damaged_file(void **state)
{
	struct lni_file f = { 0 };
	struct lni_zone z;
	char *copy;
	size_t n, i;

	(void)state;
	assert_int_equal(lni_file_read(ROOT "Europe/Berlin", 0, 65536, &f,
	    NULL), LN_OK);
	for (n = 0; n < f.length; n++) {
		copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, f.bytes, n);
		(void)lni_zone_parse(copy, n, 1774746000, &z);
		free(copy);
	}
	copy = malloc(f.length);
	assert_non_null(copy);
	for (i = 0; i < f.length; i++) {
		memcpy(copy, f.bytes, f.length);
		copy[i] = (char)0xff;
		(void)lni_zone_parse(copy, f.length, 1774746000, &z);
		copy[i] = '\0';
		(void)lni_zone_parse(copy, f.length, 4118083200, &z);
	}
	free(copy);
	lni_file_wipe(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_in_every_spelling),
		cmocka_unit_test(what_is_no_zone),
		cmocka_unit_test(summer_and_winter),
		cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(the_machine_has_one_too),
		cmocka_unit_test(a_damaged_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <ln/time.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define DAY_MS INT64_C(86400000)
#define NOW INT64_C(1700000000000)	/* 2023-11-14T22:13:20Z */

static void
writes_rfc_3339(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ NOW + 84, "2023-11-14T22:13:20.084Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ -62167219200000, "0000-01-01T00:00:00.000Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	char out[LN_TIME_ISO_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_ptr_equal(ln_time_iso(rows[i].ms, out), out);
		assert_string_equal(out, rows[i].want);
	}
}

static void
reads_what_it_writes_on_every_day(void **state)
{
	char text[LN_TIME_ISO_SIZE];
	int64_t ms, back;

	(void)state;
	/* Half of 61 days and a bit: every month of the years 0 to 9999. */
	for (ms = -62167219200000; ms < 253402300799999;
	    ms += 61 * DAY_MS / 2 + 12345678) {
		(void)ln_time_iso(ms, text);
		if (ln_time_parse(text, 0, &back, NULL) != LN_OK || back != ms)
			fail_msg("%s", text);
	}
}

static void
reads_points_in_time(void **state)
{
	static const struct {
		const char *in;
		enum ln_status status;
		int64_t want;
	} rows[] = {
		{ "45s", LN_OK, NOW + 45000 },
		{ "30m", LN_OK, NOW + 1800000 },
		{ "2h", LN_OK, NOW + 7200000 },
		{ "7d", LN_OK, NOW + 7 * DAY_MS },
		{ "1970-01-02", LN_OK, DAY_MS },
		{ "2000-02-29", LN_OK, 951782400000 },
		{ "1970-01-01T00:00:01Z", LN_OK, 1000 },
		{ "1970-01-01t00:00:01z", LN_OK, 1000 },
		{ "1970-01-01 00:00:01Z", LN_OK, 1000 },
		{ "1970-01-01T00:00:01.5Z", LN_OK, 1500 },
		{ "1970-01-01T00:00:01.123999Z", LN_OK, 1123 },
		{ "1970-01-01T02:00:00+02:00", LN_OK, 0 },
		{ "1969-12-31T18:30:00-05:30", LN_OK, 0 },
		{ "2016-12-31T23:59:60Z", LN_OK, 1483228800000 },
		{ "", LN_INVALID, 0 },
		{ "0", LN_INVALID, 0 },
		{ "now", LN_INVALID, 0 },
		{ "-7d", LN_INVALID, 0 },
		{ "+7d", LN_INVALID, 0 },
		{ " 7d", LN_INVALID, 0 },
		{ "7d ", LN_INVALID, 0 },
		{ "7w", LN_INVALID, 0 },
		{ "7", LN_INVALID, 0 },
		{ "d", LN_INVALID, 0 },
		{ "1.5h", LN_INVALID, 0 },
		{ "1h30m", LN_INVALID, 0 },
		{ "9999999999999d", LN_INVALID, 0 },
		{ "99999999999999999999999999s", LN_INVALID, 0 },
		{ "3000000d", LN_INVALID, 0 },
		{ "1900-02-29", LN_INVALID, 0 },
		{ "2023-02-29", LN_INVALID, 0 },
		{ "2023-00-01", LN_INVALID, 0 },
		{ "2023-13-01", LN_INVALID, 0 },
		{ "2023-04-31", LN_INVALID, 0 },
		{ "2023-04-00", LN_INVALID, 0 },
		{ "2023-4-1", LN_INVALID, 0 },
		{ "20230401", LN_INVALID, 0 },
		{ "2023-04-01T", LN_INVALID, 0 },
		{ "2023-04-01T10:00", LN_INVALID, 0 },
		{ "2023-04-01T10:00:00", LN_INVALID, 0 },
		{ "2023-04-01T24:00:00Z", LN_INVALID, 0 },
		{ "2023-04-01T10:60:00Z", LN_INVALID, 0 },
		{ "2023-04-01T10:00:61Z", LN_INVALID, 0 },
		{ "2023-04-01T10:00:00.Z", LN_INVALID, 0 },
		{ "2023-04-01T10:00:00+0200", LN_INVALID, 0 },
		{ "2023-04-01T10:00:00+24:00", LN_INVALID, 0 },
		{ "2023-04-01T10:00:00Zx", LN_INVALID, 0 },
	};
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++)
		if (ln_time_parse(rows[i].in, NOW, &got, NULL) !=
		    rows[i].status || got != rows[i].want)
			fail_msg("\"%s\": %lld", rows[i].in, (long long)got);
}

static void
reads_durations(void **state)
{
	static const struct {
		const char *in;
		enum ln_status status;
		int64_t want;
	} rows[] = {
		{ "0", LN_OK, 0 },
		{ "0s", LN_OK, 0 },
		{ "45s", LN_OK, 45000 },
		{ "1h", LN_OK, 3600000 },
		{ "007d", LN_OK, 7 * DAY_MS },
		{ "", LN_INVALID, 0 },
		{ "00", LN_INVALID, 0 },
		{ "1", LN_INVALID, 0 },
		{ "1H", LN_INVALID, 0 },
		{ "1ms", LN_INVALID, 0 },
		{ "2026-12-01", LN_INVALID, 0 },
		{ "9223372036854775807s", LN_INVALID, 0 },
	};
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++)
		if (ln_time_parse_duration(rows[i].in, &got, NULL) !=
		    rows[i].status || got != rows[i].want)
			fail_msg("\"%s\": %lld", rows[i].in, (long long)got);
}

static void
reads_legacy_local_times_in_the_local_zone(void **state)
{
	static const struct {
		const char *zone;
		const char *in;
		bool is_time;
		int64_t want;
	} rows[] = {
		{ "UTC0", "1970-01-01 00:00:01", true, 1000 },
		{ "UTC0", "1970-01-01 00:00:01.084123", true, 1084 },
		{ "UTC0", "1969-12-31 23:59:59", true, -1000 },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2024-01-15 12:00:00", true,
		    1705316400000 },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2024-07-15 12:00:00", true,
		    1721037600000 },
		{ "UTC0", "1970-01-01", false, 0 },
		{ "UTC0", "1970-01-01T00:00:01", false, 0 },
		{ "UTC0", "1970-01-01 00:00:01Z", false, 0 },
		{ "UTC0", "1970-01-01 00:00:60", false, 0 },
		{ "UTC0", "1970-02-30 00:00:00", false, 0 },
		{ "UTC0", "1970-01-01 00:00:01.", false, 0 },
		{ "UTC0", "", false, 0 },
		{ "UTC0", "1705316400", false, 0 },
	};
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_int_equal(setenv("TZ", rows[i].zone, 1), 0);
		tzset();
		if (ln_time_parse_local(rows[i].in, &got) != rows[i].is_time ||
		    got != rows[i].want)
			fail_msg("\"%s\" in %s: %lld", rows[i].in,
			    rows[i].zone, (long long)got);
	}
}

static void
the_clocks_run(void **state)
{
	int64_t before = ln_time_mono_ms();

	(void)state;
	assert_true(ln_time_now_ms() / 1000 - (int64_t)time(NULL) <= 1);
	assert_true((int64_t)time(NULL) - ln_time_now_ms() / 1000 <= 1);
	assert_true(ln_time_mono_ms() >= before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_rfc_3339),
		cmocka_unit_test(reads_what_it_writes_on_every_day),
		cmocka_unit_test(reads_points_in_time),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_legacy_local_times_in_the_local_zone),
		cmocka_unit_test(the_clocks_run),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}

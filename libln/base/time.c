#include <ln/time.h>

#include <string.h>
#include <time.h>

#include "base/banned.h"

#define DAY_MS ((int64_t)86400000)
#define TIME_MIN_MS (-(int64_t)62167219200000) /* 0000-01-01T00:00:00.000Z */
#define TIME_MAX_MS ((int64_t)253402300799999) /* 9999-12-31T23:59:59.999Z */

/* A calendar date and the time of day, as written, fields in range. */
struct civil {
	int year, month, day;
	int hour, minute, second, ms;
};

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec now;

	/* Cannot fail: both clocks exist wherever this compiles. */
	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
ln_time_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t
ln_time_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static void
put_digits(char *out, int width, int value)
{
	while (width > 0) {
		out[--width] = (char)('0' + value % 10);
		value /= 10;
	}
}

char *
ln_time_iso(int64_t ms, char out[LN_TIME_ISO_SIZE])
{
	struct tm tm = { 0 };
	int64_t days, rest;
	time_t seconds;

	if (ms < TIME_MIN_MS)
		ms = TIME_MIN_MS;
	if (ms > TIME_MAX_MS)
		ms = TIME_MAX_MS;
	days = ms / DAY_MS;
	rest = ms % DAY_MS;
	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	seconds = (time_t)(days * (DAY_MS / 1000) + rest / 1000);
	/* Cannot fail within the clamped years. */
	(void)gmtime_r(&seconds, &tm);
	memcpy(out, "YYYY-MM-DDThh:mm:ss.000Z", LN_TIME_ISO_SIZE);
	put_digits(out, 4, tm.tm_year + 1900);
	put_digits(out + 5, 2, tm.tm_mon + 1);
	put_digits(out + 8, 2, tm.tm_mday);
	put_digits(out + 11, 2, tm.tm_hour);
	put_digits(out + 14, 2, tm.tm_min);
	put_digits(out + 17, 2, tm.tm_sec);
	put_digits(out + 20, 3, (int)(rest % 1000));
	return out;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
read_digits(const char **s, int width, int *out)
{
	int value = 0;

	for (; width > 0; width--, (*s)++) {
		if (!is_digit(**s))
			return false;
		value = value * 10 + (**s - '0');
	}
	*out = value;
	return true;
}

static bool
read_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool
read_date(const char **s, struct civil *c)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	int days;

	if (!read_digits(s, 4, &c->year) || !read_char(s, '-') ||
	    !read_digits(s, 2, &c->month) || !read_char(s, '-') ||
	    !read_digits(s, 2, &c->day))
		return false;
	if (c->month < 1 || c->month > 12)
		return false;
	days = lengths[c->month - 1];
	if (c->month == 2 && is_leap(c->year))
		days++;
	return c->day >= 1 && c->day <= days;
}

/* hh:mm:ss and an optional fraction, cut after the milliseconds. */
static bool
read_clock(const char **s, int second_max, struct civil *c)
{
	int scale = 100;

	if (!read_digits(s, 2, &c->hour) || !read_char(s, ':') ||
	    !read_digits(s, 2, &c->minute) || !read_char(s, ':') ||
	    !read_digits(s, 2, &c->second))
		return false;
	if (c->hour > 23 || c->minute > 59 || c->second > second_max)
		return false;
	c->ms = 0;
	if (**s != '.')
		return true;
	(*s)++;
	if (!is_digit(**s))
		return false;
	for (; is_digit(**s); (*s)++) {
		c->ms += (**s - '0') * scale;
		scale /= 10;
	}
	return true;
}

/* "Z" or "+hh:mm", in minutes east of UTC. */
static bool
read_zone(const char **s, int *out)
{
	int hours, minutes;
	bool is_west;

	*out = 0;
	if (read_char(s, 'Z') || read_char(s, 'z'))
		return true;
	is_west = **s == '-';
	if (!is_west && **s != '+')
		return false;
	(*s)++;
	if (!read_digits(s, 2, &hours) || !read_char(s, ':') ||
	    !read_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*out = hours * 60 + minutes;
	if (is_west)
		*out = -*out;
	return true;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t
days_since_epoch(const struct civil *c)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243,
		273, 304, 334 };
	int64_t y = c->year;
	int64_t days;

	/* Leap days of the years before this one; year 0 is one of them. */
	days = y * 365 + (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400;
	days += before[c->month - 1] + c->day - 1;
	if (c->month > 2 && is_leap(c->year))
		days++;
	return days - 719528;
}

static int64_t
civil_to_ms(const struct civil *c)
{
	return days_since_epoch(c) * DAY_MS +
	    ((int64_t)c->hour * 3600 + (int64_t)c->minute * 60 + c->second) *
	    1000 +
	    c->ms;
}

static bool
parse_duration(const char *s, int64_t *out_ms)
{
	int64_t amount = 0, unit;

	if (!is_digit(*s))
		return false;
	for (; is_digit(*s); s++) {
		amount = amount * 10 + (*s - '0');
		if (amount > TIME_MAX_MS)
			return false;
	}
	switch (*s) {
	case 'd':
		unit = DAY_MS;
		break;
	case 'h':
		unit = 3600000;
		break;
	case 'm':
		unit = 60000;
		break;
	case 's':
		unit = 1000;
		break;
	default:
		return false;
	}
	if (s[1] != '\0' || amount > TIME_MAX_MS / unit)
		return false;
	*out_ms = amount * unit;
	return true;
}

enum ln_status
ln_time_parse_duration(const char *s, int64_t *out_ms, struct ln_error *err)
{
	*out_ms = 0;
	if (strcmp(s, "0") == 0 || parse_duration(s, out_ms))
		return LN_OK;
	return ln_fail(err, LN_INVALID,
	    "A duration looks like 7d, 2h, 30m or 45s", "%zu bytes",
	    strlen(s));
}

static bool
parse_rfc3339(const char *s, int64_t *out_ms)
{
	struct civil c = { 0 };
	int zone = 0;

	if (!read_date(&s, &c))
		return false;
	if (*s != '\0') {
		if (!read_char(&s, 'T') && !read_char(&s, 't') &&
		    !read_char(&s, ' '))
			return false;
		/* A leap second is the first one of the next minute. */
		if (!read_clock(&s, 60, &c) || !read_zone(&s, &zone) ||
		    *s != '\0')
			return false;
	}
	*out_ms = civil_to_ms(&c) - (int64_t)zone * 60000;
	return true;
}

enum ln_status
ln_time_parse(const char *s, int64_t now_ms, int64_t *out_ms,
    struct ln_error *err)
{
	int64_t span_ms, at_ms;

	*out_ms = 0;
	if (parse_duration(s, &span_ms)) {
		if (now_ms > TIME_MAX_MS - span_ms)
			return ln_fail(err, LN_INVALID,
			    "That time is too far away", "%zu bytes",
			    strlen(s));
		*out_ms = now_ms + span_ms;
		return LN_OK;
	}
	if (parse_rfc3339(s, &at_ms)) {
		*out_ms = at_ms;
		return LN_OK;
	}
	return ln_fail(err, LN_INVALID, "A time looks like 7d, 2h, "
	    "2026-12-01 or 2026-12-01T09:30:00Z", "%zu bytes", strlen(s));
}

bool
ln_time_parse_local(const char *s, int64_t *out_ms)
{
	struct civil c = { 0 };
	struct tm tm = { 0 };
	time_t seconds;

	*out_ms = 0;
	if (!read_date(&s, &c) || !read_char(&s, ' ') ||
	    !read_clock(&s, 59, &c) || *s != '\0')
		return false;
	tm.tm_year = c.year - 1900;
	tm.tm_mon = c.month - 1;
	tm.tm_mday = c.day;
	tm.tm_hour = c.hour;
	tm.tm_min = c.minute;
	tm.tm_sec = c.second;
	tm.tm_isdst = -1;
	/* -1 is also a time; an untouched weekday tells a failure. */
	tm.tm_wday = -1;
	seconds = mktime(&tm);
	if (seconds == (time_t)-1 && tm.tm_wday == -1)
		return false;
	*out_ms = (int64_t)seconds * 1000 + c.ms;
	return true;
}

#include "base/zone.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ln/buf.h>

#include "base/file.h"
#include "base/banned.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"
#define ZONE_FILE_MAX ((size_t)64 * 1024)
#define LOCAL_ZONE_FILE "/etc/localtime"
#define DAY_S ((int64_t)86400)
#define OFFSET_MAX_S (26 * 3600)	/* RFC 8536, 3.2 */
#define RULE_HOUR_MAX 167		/* RFC 8536, 3.3.1 */

/* --- the rule behind the last transition: a POSIX TZ string --------------- */

struct change {
	enum { BY_WEEKDAY, BY_DAY_NO_LEAP, BY_DAY } kind;
	int month, week, weekday;	/* 1-12, 1-5, 0-6 from Sunday */
	int day;			/* 1-365 without 29 February, 0-365 */
	int64_t at_s;			/* after midnight, of the clock before */
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
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
read_int(const char **s, int max, int *out)
{
	int value = 0;

	if (!is_digit(**s))
		return false;
	for (; is_digit(**s); (*s)++) {
		value = value * 10 + (**s - '0');
		if (value > max)
			return false;
	}
	*out = value;
	return true;
}

/* "EST" or "<-03>". */
static bool
read_name(const char **s, char out[LNI_ZONE_ABBREVIATION_SIZE])
{
	const bool is_quoted = **s == '<';
	size_t n = 0;

	if (is_quoted)
		(*s)++;
	while (is_letter((*s)[n]) || (is_quoted && (is_digit((*s)[n]) ||
	    (*s)[n] == '+' || (*s)[n] == '-')))
		n++;
	if (n < 3 || n >= LNI_ZONE_ABBREVIATION_SIZE)
		return false;
	memcpy(out, *s, n);
	out[n] = '\0';
	*s += n;
	return !is_quoted || read_char(s, '>');
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
read_clock(const char **s, int hour_max, int64_t *out)
{
	int h, m = 0, sec = 0;
	bool is_negative;

	is_negative = read_char(s, '-');
	if (!is_negative)
		(void)read_char(s, '+');
	if (!read_int(s, hour_max, &h))
		return false;
	if (read_char(s, ':')) {
		if (!read_int(s, 59, &m))
			return false;
		if (read_char(s, ':') && !read_int(s, 59, &sec))
			return false;
	}
	*out = (int64_t)h * 3600 + m * 60 + sec;
	if (is_negative)
		*out = -*out;
	return true;
}

static bool
read_change(const char **s, struct change *c)
{
	if (!read_char(s, ','))
		return false;
	if (read_char(s, 'M')) {
		c->kind = BY_WEEKDAY;
		if (!read_int(s, 12, &c->month) || c->month < 1 ||
		    !read_char(s, '.') || !read_int(s, 5, &c->week) ||
		    c->week < 1 || !read_char(s, '.') ||
		    !read_int(s, 6, &c->weekday))
			return false;
	} else if (read_char(s, 'J')) {
		c->kind = BY_DAY_NO_LEAP;
		if (!read_int(s, 365, &c->day) || c->day < 1)
			return false;
	} else {
		c->kind = BY_DAY;
		if (!read_int(s, 365, &c->day))
			return false;
	}
	c->at_s = 2 * 3600;
	return !read_char(s, '/') || read_clock(s, RULE_HOUR_MAX, &c->at_s);
}

static bool
is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first day of ${month} (1-12) of ${year} > 0. */
static int64_t
days_to(int64_t year, int month)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243,
		273, 304, 334 };
	const int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162 +
	    before[month - 1] + (month > 2 && is_leap(year));
}

/* When ${c} happens in ${year}, in seconds of the local clock before it. */
static int64_t
change_at(const struct change *c, int64_t year)
{
	int64_t day, end;

	switch (c->kind) {
	case BY_WEEKDAY:
		day = days_to(year, c->month);
		end = c->month == 12 ? days_to(year + 1, 1) :
		    days_to(year, c->month + 1);
		/* 1970-01-01 was a Thursday. */
		day += (c->weekday - (day + 4) % 7 + 14) % 7;
		day += (int64_t)7 * (c->week - 1);
		while (day >= end)
			day -= 7;
		break;
	case BY_DAY_NO_LEAP:
		day = days_to(year, 1) + c->day - 1 +
		    (c->day > 59 && is_leap(year));
		break;
	case BY_DAY:
	default:
		day = days_to(year, 1) + c->day;
		break;
	}
	return day * DAY_S + c->at_s;
}

static bool
rule_at(const char *s, int64_t unix_s, struct lni_zone *out)
{
	struct lni_zone standard = { 0 }, summer = { 0 };
	struct change starts = { .kind = BY_DAY }, ends = { .kind = BY_DAY };
	int64_t west, start_s, end_s;
	time_t local;
	struct tm tm;
	bool is_summer;

	if (!read_name(&s, standard.abbreviation) ||
	    !read_clock(&s, 24, &west))
		return false;
	standard.offset_s = (int)-west;
	*out = standard;
	if (*s == '\0')
		return true;
	if (!read_name(&s, summer.abbreviation))
		return false;
	summer.offset_s = standard.offset_s + 3600;
	if (*s != ',') {
		if (!read_clock(&s, 24, &west))
			return false;
		summer.offset_s = (int)-west;
	}
	if (!read_change(&s, &starts) || !read_change(&s, &ends) ||
	    *s != '\0')
		return false;
	local = (time_t)(unix_s + standard.offset_s);
	if (gmtime_r(&local, &tm) == NULL || tm.tm_year < 0)
		return false;
	start_s = change_at(&starts, tm.tm_year + 1900) - standard.offset_s;
	end_s = change_at(&ends, tm.tm_year + 1900) - summer.offset_s;
	/* South of the equator summer lasts over the new year. */
	if (start_s < end_s)
		is_summer = unix_s >= start_s && unix_s < end_s;
	else
		is_summer = unix_s >= start_s || unix_s < end_s;
	if (is_summer)
		*out = summer;
	return true;
}

/* --- TZif, RFC 8536 ------------------------------------------------------- */

#define HEADER_BYTES ((size_t)44)
#define TYPE_BYTES ((size_t)6)

struct block {
	size_t leaps, times, types, chars, is_std, is_utc;
	size_t time_bytes;
	const unsigned char *at;	/* behind the header */
};

static int64_t
read_big(const unsigned char *p, size_t width)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < width; i++)
		value = value << 8 | p[i];
	if (width == 4)
		return (int64_t)(int32_t)(uint32_t)value;
	return (int64_t)value;
}

static size_t
read_count(const unsigned char *p)
{
	return (size_t)(uint32_t)read_big(p, 4);
}

static size_t
block_bytes(const struct block *b)
{
	return b->times * (b->time_bytes + 1) + b->types * TYPE_BYTES +
	    b->chars + b->leaps * (b->time_bytes + 4) + b->is_std + b->is_utc;
}

/* A file is small, so that a larger count is a lie and sums cannot wrap. */
static bool
read_block(const unsigned char *p, size_t n, size_t time_bytes,
    struct block *b)
{
	if (n < HEADER_BYTES || memcmp(p, "TZif", 4) != 0)
		return false;
	b->is_utc = read_count(p + 20);
	b->is_std = read_count(p + 24);
	b->leaps = read_count(p + 28);
	b->times = read_count(p + 32);
	b->types = read_count(p + 36);
	b->chars = read_count(p + 40);
	b->time_bytes = time_bytes;
	b->at = p + HEADER_BYTES;
	if (b->is_utc > n || b->is_std > n || b->leaps > n || b->times > n ||
	    b->types > n || b->chars > n || b->types == 0 || b->chars == 0)
		return false;
	return block_bytes(b) <= n - HEADER_BYTES;
}

static bool
type_at(const struct block *b, size_t type, struct lni_zone *out)
{
	const unsigned char *types = b->at + b->times * (b->time_bytes + 1);
	const unsigned char *t = types + type * TYPE_BYTES;
	const unsigned char *name;
	size_t from, n;

	if (type >= b->types || (from = t[5]) >= b->chars)
		return false;
	name = types + b->types * TYPE_BYTES + from;
	for (n = 0; n < b->chars - from && name[n] != '\0'; n++)
		if (n + 1 == sizeof(out->abbreviation))
			return false;
	out->offset_s = (int)read_big(t, 4);
	memcpy(out->abbreviation, name, n);
	out->abbreviation[n] = '\0';
	return true;
}

static bool
offset_is_sane(const struct lni_zone *z)
{
	return z->offset_s > -OFFSET_MAX_S && z->offset_s < OFFSET_MAX_S;
}

/* The line of text behind the block, if it is there and says something. */
static bool
footer_at(const unsigned char *p, size_t n, int64_t unix_s,
    struct lni_zone *out)
{
	const unsigned char *end;
	char rule[128];
	size_t length;

	if (n < 2 || p[0] != '\n' ||
	    (end = memchr(p + 1, '\n', n - 1)) == NULL)
		return false;
	length = (size_t)(end - (p + 1));
	if (length == 0 || length >= sizeof(rule))
		return false;
	memcpy(rule, p + 1, length);
	rule[length] = '\0';
	return rule_at(rule, unix_s, out) && offset_is_sane(out);
}

bool
lni_zone_parse(const char *bytes, size_t n, int64_t unix_s,
    struct lni_zone *out)
{
	const unsigned char *p = (const unsigned char *)bytes;
	const unsigned char *const end = p + n;
	struct block b;
	size_t low, high, middle;

	*out = (struct lni_zone){ 0 };
	if (n > ZONE_FILE_MAX || !read_block(p, n, 4, &b))
		return false;
	if (p[4] >= '2') {
		p = b.at + block_bytes(&b);
		if (!read_block(p, (size_t)(end - p), 8, &b))
			return false;
	}
	/* How many transitions are at or before the time. */
	low = 0;
	high = b.times;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (read_big(b.at + middle * b.time_bytes, b.time_bytes) <=
		    unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	p = b.at + block_bytes(&b);
	if (low == b.times && b.time_bytes == 8 &&
	    footer_at(p, (size_t)(end - p), unix_s, out))
		return true;
	return type_at(&b, low == 0 ? 0 :
	    b.at[b.times * b.time_bytes + low - 1], out) &&
	    offset_is_sane(out);
}

/* --- names ---------------------------------------------------------------- */

/* "Z", "UTC", "+02:00", "-0930", "+2", "UTC+2", "GMT-03:30". */
static bool
offset_parse(const char *s, struct lni_zone *out)
{
	int h, m = 0, sign;
	size_t digits;

	*out = (struct lni_zone){ 0 };
	memcpy(out->abbreviation, "UTC", sizeof("UTC"));
	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return true;
	if (strncmp(s, "UTC", 3) == 0 || strncmp(s, "GMT", 3) == 0) {
		s += 3;
		if (*s == '\0')
			return true;
	}
	if (*s != '+' && *s != '-')
		return false;
	sign = *s++ == '-' ? -1 : 1;
	digits = strspn(s, "0123456789");
	if (digits == 4) {
		h = (s[0] - '0') * 10 + (s[1] - '0');
		m = (s[2] - '0') * 10 + (s[3] - '0');
		s += 4;
	} else {
		if (digits > 2 || !read_int(&s, 99, &h))
			return false;
		if (read_char(&s, ':')) {
			if (strspn(s, "0123456789") != 2 ||
			    !read_int(&s, 99, &m))
				return false;
		}
	}
	if (*s != '\0' || h > 23 || m > 59)
		return false;
	out->offset_s = sign * (h * 3600 + m * 60);
	out->abbreviation[0] = '\0';
	return true;
}

/* Without a dot nothing outside the folder can be named. */
static bool
name_is_sane(const char *name)
{
	const size_t n = strlen(name);

	return n > 0 && n <= LNI_ZONE_NAME_MAX && name[0] != '/' &&
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

static enum ln_status
unknown(struct ln_error *err)
{
	return ln_fail_field(err, LN_INVALID, "zone",
	    "This time zone is not known here. Use an IANA name such as "
	    "Europe/Berlin, or an offset such as +02:00", "time zone");
}

static enum ln_status
file_at(const char *path, int64_t unix_s, struct lni_zone *out,
    struct ln_error *err)
{
	struct lni_file f = { 0 };
	enum ln_status s;

	s = lni_file_read(path, 0, ZONE_FILE_MAX, &f, err);
	if (s == LN_NOT_FOUND || s == LN_FORBIDDEN || s == LN_TOO_LARGE)
		return unknown(err);
	if (s == LN_OK && !lni_zone_parse(f.bytes, f.length, unix_s, out))
		s = unknown(err);
	lni_file_wipe(&f);
	return s;
}

static enum ln_status
named_at(const char *name, int64_t unix_s, struct lni_zone *out,
    struct ln_error *err)
{
	struct ln_buf path = LN_BUF_INIT(sizeof(ZONE_FOLDER) +
	    LNI_ZONE_NAME_MAX);
	enum ln_status s;

	if (offset_parse(name, out))
		return LN_OK;
	if (!name_is_sane(name))
		return unknown(err);
	ln_buf_puts(&path, ZONE_FOLDER);
	ln_buf_puts(&path, name);
	if ((s = ln_buf_status(&path)) != LN_OK)
		s = ln_fail(err, s, "", "path of a time zone");
	else
		s = file_at(ln_buf_str(&path), unix_s, out, err);
	ln_buf_free(&path);
	return s;
}

enum ln_status
lni_zone_at(const char *name, int64_t unix_s, struct lni_zone *out,
    struct ln_error *err)
{
	const char *tz;
	enum ln_status s;

	*out = (struct lni_zone){ 0 };
	if (name != NULL)
		return named_at(name, unix_s, out, err);
	if ((tz = getenv("TZ")) != NULL && tz[0] != '\0') {
		s = named_at(tz[0] == ':' ? tz + 1 : tz, unix_s, out, err);
		if (s != LN_INVALID)
			return s;
	}
	s = file_at(LOCAL_ZONE_FILE, unix_s, out, err);
	if (s == LN_INVALID) {
		(void)offset_parse("UTC", out);
		s = LN_OK;
	}
	return s;
}

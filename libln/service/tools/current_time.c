#include "service/tools/builtin.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ln/time.h>

#include "base/zone.h"
#include "base/banned.h"

#define NOW_MAX ((size_t)1024)

static void
put_two(struct ln_buf *b, int value)
{
	ln_buf_putc(b, (char)('0' + value / 10 % 10));
	ln_buf_putc(b, (char)('0' + value % 10));
}

/* "+02:00"; seconds of historic zones do not occur at the present time. */
static void
put_offset(struct ln_buf *b, int offset_s)
{
	const int minutes = abs(offset_s) / 60;

	ln_buf_putc(b, offset_s < 0 ? '-' : '+');
	put_two(b, minutes / 60);
	ln_buf_putc(b, ':');
	put_two(b, minutes % 60);
}

static void
put_clock(struct ln_buf *b, const struct tm *tm)
{
	put_two(b, tm->tm_hour);
	ln_buf_putc(b, ':');
	put_two(b, tm->tm_min);
	ln_buf_putc(b, ':');
	put_two(b, tm->tm_sec);
}

static void
put_date(struct ln_buf *b, const struct tm *tm)
{
	ln_buf_printf(b, "%04d-", tm->tm_year + 1900);
	put_two(b, tm->tm_mon + 1);
	ln_buf_putc(b, '-');
	put_two(b, tm->tm_mday);
}

static void
put_member(struct ln_jw *w, const char *name, struct ln_buf *value)
{
	ln_jw_string(w, name, ln_buf_str(value));
	ln_buf_clear(value);
}

static enum ln_status
write_now(const struct lni_zone *zone, const char *name, int64_t now_ms,
    struct ln_buf *result, struct ln_error *err)
{
	static const char *const weekdays[] = { "Sunday", "Monday", "Tuesday",
		"Wednesday", "Thursday", "Friday", "Saturday" };
	struct ln_buf b = LN_BUF_INIT(NOW_MAX);
	char utc[LN_TIME_ISO_SIZE];
	time_t local = (time_t)(now_ms / 1000 + zone->offset_s);
	struct ln_jw *w = NULL;
	struct tm tm;
	enum ln_status s;

	if (gmtime_r(&local, &tm) == NULL)
		return ln_fail(err, LN_INTERNAL, "", "the clock is far off");
	w = ln_jw_new();
	ln_jw_object(w, NULL);
	ln_jw_string(w, "zone", name);
	put_offset(&b, zone->offset_s);
	put_member(w, "utc_offset", &b);
	put_date(&b, &tm);
	put_member(w, "date", &b);
	put_clock(&b, &tm);
	put_member(w, "time", &b);
	ln_jw_string(w, "weekday", weekdays[tm.tm_wday]);
	put_date(&b, &tm);
	ln_buf_putc(&b, 'T');
	put_clock(&b, &tm);
	put_offset(&b, zone->offset_s);
	put_member(w, "rfc3339", &b);
	ln_jw_string(w, "utc", ln_time_iso(now_ms, utc));
	ln_jw_end(w);
	if ((s = ln_jw_print(w, false, result)) != LN_OK)
		s = ln_fail(err, s, "", "current_time: result");
	ln_jw_free(w);
	ln_buf_free(&b);
	return s;
}

static enum ln_status
run(const struct lni_tool_run *r, struct ln_error *err)
{
	const char *name = ln_json_get_string(r->arguments, "zone");
	const int64_t now_ms = ln_time_now_ms();
	struct lni_zone zone;
	enum ln_status s;

	/* Models fill in what they do not know. */
	if (name != NULL && name[0] == '\0')
		name = NULL;
	if ((s = lni_zone_at(name, now_ms / 1000, &zone, err)) != LN_OK)
		return s;
	return write_now(&zone, name != NULL ? name : zone.abbreviation,
	    now_ms, r->result, err);
}

const struct lni_builtin lni_tool_current_time = {
	.name = "current_time",
	.description = "The present date, time and weekday, in a time zone "
	    "when one is given, else in the zone of the server.",
	.parameters = "{\"type\":\"object\",\"properties\":{\"zone\":"
	    "{\"type\":\"string\",\"maxLength\":64,\"description\":"
	    "\"IANA time zone such as Europe/Berlin, or an offset such as "
	    "+02:00\"}},\"additionalProperties\":false}",
	.run = run,
};

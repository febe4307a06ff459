#include <ln/log.h>
#include <ln/time.h>

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

/* One line is one write(2) of at most this many bytes, so that lines of
 * several processes never mix in a pipe (PIPE_BUF is 4096 on Linux). */
#define LOG_LINE_MAX 4096

static _Atomic int log_level = LN_LOG_INFO;

void
ln_log_level_set(enum ln_log_level level)
{
	atomic_store(&log_level, (int)level);
}

static const char *
level_name(enum ln_log_level level)
{
	switch (level) {
	case LN_LOG_DEBUG:
		return "debug";
	case LN_LOG_INFO:
		return "info";
	case LN_LOG_WARN:
		return "warn";
	case LN_LOG_ERROR:
		return "error";
	}
	return "error";
}

/* Append ${c} to the ${n} bytes at ${out}, escaping what could forge a line or
 * drive a terminal.  Returns the new length; 5 bytes of room are the caller's
 * care. */
static size_t
put_escaped(char *out, size_t n, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c >= 0x20 && c != 0x7f) {
		out[n++] = (char)c;
		return n;
	}
	out[n++] = '\\';
	out[n++] = 'x';
	out[n++] = hex[c >> 4];
	out[n++] = hex[c & 15];
	return n;
}

void
ln_log(enum ln_log_level level, const char *event, const char *fmt, ...)
{
	char text[LOG_LINE_MAX / 2], line[LOG_LINE_MAX], ts[LN_TIME_ISO_SIZE];
	int saved_errno = errno;
	size_t i, n;
	va_list ap;
	int head;

	if ((int)level < atomic_load(&log_level))
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	head = snprintf(line, sizeof(line), "ts=%s level=%s ev=%s%s",
	    ln_time_iso(ln_time_now_ms(), ts), level_name(level), event,
	    text[0] != '\0' ? " " : "");
	if (head > 0 && (size_t)head < sizeof(line) - 8) {
		n = (size_t)head;
		for (i = 0; text[i] != '\0' && n < sizeof(line) - 8; i++)
			n = put_escaped(line, n, (unsigned char)text[i]);
		line[n++] = '\n';
		/* Nobody is left to tell when the log itself is gone. */
		(void)!write(STDERR_FILENO, line, n);
	}
	errno = saved_errno;
}

const char *
ln_log_quote(const char *s, char *out, size_t outsize)
{
	size_t n = 0;

	if (outsize < 8)
		return "-";
	if (s == NULL)
		return "-";
	out[n++] = '"';
	for (; *s != '\0' && n < outsize - 6; s++) {
		if (*s == '"' || *s == '\\')
			out[n++] = '\\';
		n = put_escaped(out, n, (unsigned char)*s);
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

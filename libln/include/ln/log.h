#ifndef LN_LOG_H
#define LN_LOG_H

#include <ln/base.h>

/* One line an event on standard error, key=value, control characters
 * escaped.  Thread-safe: a line is one write. */

enum ln_log_level { LN_LOG_DEBUG, LN_LOG_INFO, LN_LOG_WARN, LN_LOG_ERROR };

/**
 * ln_log_level_set(level):
 * Drop lines below ${level}; LN_LOG_INFO at start.
 */
LN_API void ln_log_level_set(enum ln_log_level level);

/**
 * ln_log(level, event, fmt, ...):
 * Write "ts=... level=... ev=${event} ${formatted}".  Values that may hold
 * spaces go through ln_log_quote.  Never a secret, never message text.
 */
LN_API void ln_log(enum ln_log_level level, const char *event,
    const char *fmt, ...) LN_PRINTF(3, 4);

/**
 * ln_log_quote(s, out, outsize):
 * ${s} in double quotes with quotes, backslashes and control characters
 * escaped, cut to fit.  Returns ${out}.  NULL becomes "-".
 */
LN_API const char *ln_log_quote(const char *s, char *out, size_t outsize);

#endif

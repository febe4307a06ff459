#ifndef LN_TIME_H
#define LN_TIME_H

#include <ln/base.h>
#include <ln/error.h>

/* All times in the library are Unix milliseconds, UTC, in int64_t. */

/* "2026-11-24T09:30:12.084Z" and its NUL. */
#define LN_TIME_ISO_SIZE 25

/**
 * ln_time_now_ms() / ln_time_mono_ms():
 * Wall clock / a clock that never goes back, for measuring.  Thread-safe.
 */
LN_API int64_t ln_time_now_ms(void);
LN_API int64_t ln_time_mono_ms(void);

/**
 * ln_time_iso(ms, out):
 * Write ${ms} as RFC 3339 UTC with milliseconds.  Returns ${out}.  Years
 * outside 0..9999 are clamped.
 */
LN_API char *ln_time_iso(int64_t ms, char out[LN_TIME_ISO_SIZE]);

/**
 * ln_time_parse(s, now_ms, out_ms, err):
 * Read "7d", "2h", "30m", "45s" (that far from ${now_ms}, forward),
 * "2026-12-01" (midnight UTC) or RFC 3339.  LN_INVALID.
 */
LN_API enum ln_status ln_time_parse(const char *s, int64_t now_ms,
    int64_t *out_ms, struct ln_error *err) LN_USE;

/**
 * ln_time_parse_duration(s, out_ms, err):
 * Read "7d", "2h", "30m", "45s" or "0".  LN_INVALID.
 */
LN_API enum ln_status ln_time_parse_duration(const char *s, int64_t *out_ms,
    struct ln_error *err) LN_USE;

/**
 * ln_time_parse_local(s, out_ms):
 * Read the legacy program's local "YYYY-MM-DD HH:MM:SS[.ffffff]" in this
 * machine's time zone.  False when it is not one.
 */
LN_API bool ln_time_parse_local(const char *s, int64_t *out_ms);

#endif

#ifndef LN_ERROR_H
#define LN_ERROR_H

#include <ln/base.h>

/* Longest detail kept for the log; the rest is cut.  Ours: one log line. */
#define LN_ERROR_DETAIL_MAX 512

/**
 * struct ln_error:
 * Filled by every function that fails.  ${text} and ${field} can only be
 * string literals (the macros below see to it) and are safe to show;
 * ${detail} is for the log and never leaves the machine.  Reset it with
 * LN_ERROR_INIT.  Belongs to the caller; nothing to free.
 */
struct ln_error {
	enum ln_status status;
	const char *text;
	const char *field;
	int64_t retry_after_s;	/* when the other side said so; else 0 */
	char detail[LN_ERROR_DETAIL_MAX];
};

#define LN_ERROR_INIT { LN_OK, "", NULL, 0, "" }

/**
 * ln_fail(err, status, text, detail-format, ...):
 * Record a failure in ${err} (may be NULL) and evaluate to ${status}.  An
 * empty ${text} means the default sentence of ${status}.
 */
#define ln_fail(err, status, text, ...) \
	ln_error_set((err), (status), NULL, "" text, __VA_ARGS__)

/**
 * ln_fail_field(err, status, field, text, detail-format, ...):
 * The same, naming the offending input by a literal ("email").
 */
#define ln_fail_field(err, status, field, text, ...) \
	ln_error_set((err), (status), "" field, "" text, __VA_ARGS__)

/**
 * ln_error_set(err, status, field, text, fmt, ...):
 * What the macros call.  Do not call it with a ${text} that is not static.
 * Returns ${status}; saves and restores errno.
 */
LN_API enum ln_status ln_error_set(struct ln_error *err, enum ln_status status,
    const char *field, const char *text, const char *fmt, ...)
    LN_PRINTF(5, 6);

/**
 * ln_error_text(err, s):
 * The sentence to show for ${err}, or the default of ${s} when it has none.
 * Static.
 */
LN_API const char *ln_error_text(const struct ln_error *err, enum ln_status s);

/**
 * ln_error_sentence(err, s, buf):
 * The same, and in how many seconds to try again where that is known.  Returns
 * ${buf}, or the static text.
 */
#define LN_ERROR_SENTENCE_SIZE 512
LN_API const char *ln_error_sentence(const struct ln_error *err,
    enum ln_status s, char buf[LN_ERROR_SENTENCE_SIZE]);

#endif

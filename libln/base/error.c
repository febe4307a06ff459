#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

enum ln_status
ln_error_set(struct ln_error *err, enum ln_status status, const char *field,
    const char *text, const char *fmt, ...)
{
	int saved_errno = errno;
	va_list ap;

	if (err != NULL) {
		err->status = status;
		err->field = field;
		err->text = text;
		err->retry_after_s = 0;
		va_start(ap, fmt);
		if (vsnprintf(err->detail, sizeof(err->detail), fmt, ap) < 0)
			err->detail[0] = '\0';
		va_end(ap);
	}
	errno = saved_errno;
	return status;
}

const char *
ln_error_text(const struct ln_error *err, enum ln_status s)
{
	if (err != NULL && err->status == s && err->text != NULL &&
	    err->text[0] != '\0')
		return err->text;
	return ln_status_text(s);
}

const char *
ln_error_sentence(const struct ln_error *err, enum ln_status s,
    char buf[LN_ERROR_SENTENCE_SIZE])
{
	static const char vague[] = ". Try again later";
	const char *text = ln_error_text(err, s);
	size_t n = strlen(text), cut = sizeof(vague) - 1;

	if (err == NULL || err->retry_after_s <= 0)
		return text;
	/* A number says more than "later". */
	if (n > cut && strcmp(text + n - cut, vague) == 0)
		n -= cut;
	(void)snprintf(buf, LN_ERROR_SENTENCE_SIZE,
	    "%.*s. Try again in %lld second%s", (int)n, text,
	    (long long)err->retry_after_s,
	    err->retry_after_s == 1 ? "" : "s");
	return buf;
}

const char *
lni_error_detail(const struct ln_error *err)
{
	return err != NULL ? err->detail : "";
}

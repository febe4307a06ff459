#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

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
lni_error_detail(const struct ln_error *err)
{
	return err != NULL ? err->detail : "";
}

#ifndef LNI_ERROR_H
#define LNI_ERROR_H

#include <ln/error.h>

/**
 * lni_error_detail(err):
 * The detail, for the log or for another error's detail; "" when ${err} is
 * NULL.  Borrowed.
 */
const char *lni_error_detail(const struct ln_error *err);

#endif

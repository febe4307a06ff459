#ifndef LNI_LAZY_H
#define LNI_LAZY_H

#include <ln/error.h>

/*
 * Shared libraries that most runs do not need (libcrypto, libcurl) are loaded
 * on first use: linking them costs more at every start than the whole rest of
 * lnctl.
 */

/* ${slot} is the address of a pointer to a function of the right type. */
struct lni_lazy_symbol {
	const char *name;
	void *slot;
};

/**
 * lni_lazy_load(soname, symbols, count, err):
 * Load the library ${soname} and fill every slot.  Once they are filled, a
 * further call costs a lock and a few comparisons; a library is never
 * unloaded.  Thread-safe: whoever returned from it may use the slots.
 * LN_UNSUPPORTED when the library or one of the symbols is missing; then no
 * slot has changed.
 */
enum ln_status lni_lazy_load(const char *soname,
    const struct lni_lazy_symbol *symbols, size_t count, struct ln_error *err)
    LN_USE;

#endif

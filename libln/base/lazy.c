#include "base/lazy.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "base/banned.h"

/* Functions and data have pointers of one size on every POSIX system; copying
 * the bytes is the way between them that no rule of C forbids. */
_Static_assert(sizeof(void *) == sizeof(void (*)(void)),
    "a data pointer cannot carry a function");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool
is_filled(const struct lni_lazy_symbol *symbols, size_t count)
{
	static const void *const nothing = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (memcmp(symbols[i].slot, &nothing, sizeof(nothing)) == 0)
			return false;
	}
	return true;
}

static enum ln_status
fill(const char *soname, const struct lni_lazy_symbol *symbols, size_t count,
    struct ln_error *err)
{
	const char *why;
	void *library, *symbol;
	size_t i;

	if ((library = dlopen(soname, RTLD_NOW | RTLD_LOCAL)) == NULL) {
		why = dlerror();
		return ln_fail(err, LN_UNSUPPORTED,
		    "A system library is missing. Install it and try again",
		    "%s", why != NULL ? why : soname);
	}
	for (i = 0; i < count; i++) {
		if (dlsym(library, symbols[i].name) == NULL) {
			(void)dlclose(library);
			return ln_fail(err, LN_UNSUPPORTED,
			    "A system library is of the wrong version",
			    "%s has no %s", soname, symbols[i].name);
		}
	}
	for (i = 0; i < count; i++) {
		symbol = dlsym(library, symbols[i].name);
		memcpy(symbols[i].slot, &symbol, sizeof(symbol));
	}
	return LN_OK;
}

enum ln_status
lni_lazy_load(const char *soname, const struct lni_lazy_symbol *symbols,
    size_t count, struct ln_error *err)
{
	enum ln_status s = LN_OK;

	pthread_mutex_lock(&lock);
	if (!is_filled(symbols, count))
		s = fill(soname, symbols, count, err);
	pthread_mutex_unlock(&lock);
	return s;
}

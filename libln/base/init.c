#include <ln/base.h>
#include <ln/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <sodium.h>

#include "base/banned.h"

enum ln_status
ln_init(struct ln_error *err)
{
	static bool is_done;
	const struct rlimit no_core = { 0, 0 };

	if (is_done)
		return LN_OK;
	if (sodium_init() < 0)
		return ln_fail(err, LN_INTERNAL, "", "sodium_init failed");
#if !defined(__SANITIZE_ADDRESS__)
	/* Memory holds passwords and keys: no core file, no foreign ptrace.
	 * (The leak checker is a ptrace, so sanitizer builds stay open.) */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return ln_fail(err, LN_INTERNAL, "", "prctl: %s",
		    strerror(errno));
#endif
	if (setrlimit(RLIMIT_CORE, &no_core) != 0)
		return ln_fail(err, LN_INTERNAL, "", "setrlimit: %s",
		    strerror(errno));
	is_done = true;
	return LN_OK;
}

void
ln_free(void *p)
{
	free(p);
}

const char *
ln_version(void)
{
	return LN_VERSION;
}

#include "service/tools/builtin.h"

#include <string.h>

#include <ln/time.h>

#include "base/banned.h"

const struct lni_builtin *const lni_builtins[] = {
	&lni_tool_current_time,
	&lni_tool_web_search,
	&lni_tool_read_file,
	NULL,
};

const struct lni_builtin *
lni_builtin_find(const char *name)
{
	size_t i;

	for (i = 0; lni_builtins[i] != NULL; i++) {
		if (strcmp(lni_builtins[i]->name, name) == 0)
			return lni_builtins[i];
	}
	return NULL;
}

bool
lni_tool_may_go_on(const struct lni_tool_run *run)
{
	if (run->is_cancelled != NULL && atomic_load(run->is_cancelled))
		return false;
	return ln_time_mono_ms() < run->deadline_ms;
}

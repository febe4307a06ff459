#include "store/deadline.h"

#include <ln/time.h>

#include "store/store.h"

#include "base/banned.h"

#define WATCH_STEPS 2000	/* of the virtual machine: well under 1 ms */

static int
is_over(void *arg)
{
	return lni_deadline_is_past(arg) ? 1 : 0;
}

void
lni_deadline_set(struct ln_store *st, int64_t budget_ms)
{
	st->deadline_ms = ln_time_mono_ms() + budget_ms;
	sqlite3_progress_handler(st->db, WATCH_STEPS, is_over, st);
}

bool
lni_deadline_is_past(const struct ln_store *st)
{
	return st->deadline_ms != 0 && ln_time_mono_ms() >= st->deadline_ms;
}

void
lni_deadline_clear(struct ln_store *st)
{
	st->deadline_ms = 0;
	sqlite3_progress_handler(st->db, 0, NULL, NULL);
}

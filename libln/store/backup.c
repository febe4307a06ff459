#include "store/store.h"

#include <time.h>

#include <ln/error.h>
#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define BACKUP_STEP_PAGES 4096	/* 16 MiB between two progress reports */
#define BACKUP_RETRY_MS 20

static void
pause_ms(long ms)
{
	const struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&ts, NULL);
}

enum ln_status
lni_backup(sqlite3 *to, sqlite3 *from, int busy_ms,
    bool (*progress)(void *arg, int percent), void *arg, struct ln_error *err)
{
	int64_t waited_since = 0;
	sqlite3_backup *b;
	int rc, total, last_percent = -1, percent;

	if ((b = sqlite3_backup_init(to, "main", from, "main")) == NULL)
		return lni_sqlite_fail(to, sqlite3_errcode(to), err);
	for (;;) {
		rc = sqlite3_backup_step(b, BACKUP_STEP_PAGES);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
			if (waited_since == 0)
				waited_since = ln_time_mono_ms();
			if (ln_time_mono_ms() - waited_since >= busy_ms)
				break;
			pause_ms(BACKUP_RETRY_MS);
			continue;
		}
		waited_since = 0;
		if (rc != SQLITE_OK)
			break;
		total = sqlite3_backup_pagecount(b);
		percent = total > 0 ? (int)(100 -
		    (int64_t)sqlite3_backup_remaining(b) * 100 / total) : 100;
		if (progress != NULL && percent != last_percent &&
		    !progress(arg, percent)) {
			sqlite3_backup_finish(b);
			return ln_fail(err, LN_CANCELLED, "", "backup at %d%%",
			    percent);
		}
		last_percent = percent;
	}
	if (rc == SQLITE_DONE)
		rc = sqlite3_backup_finish(b);
	else
		sqlite3_backup_finish(b);
	return rc == SQLITE_OK ? LN_OK : lni_sqlite_fail(to, rc, err);
}

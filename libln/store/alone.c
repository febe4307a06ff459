#include "store/alone.h"

#include <stdlib.h>
#include <string.h>

#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

enum ln_status
lni_alone_open(const char *path, struct ln_store **out, struct ln_error *err)
{
	struct ln_store *st;
	enum ln_status s;
	int rc;

	*out = NULL;
	if ((st = calloc(1, sizeof(*st))) == NULL ||
	    (st->path = strdup(path)) == NULL) {
		free(st);
		return ln_fail(err, LN_NOMEM, "", "lni_alone_open");
	}
	st->mode = LN_STORE_RW;
	st->busy_ms = LN_STORE_BUSY_MS;
	st->actor.kind = "system";
	rc = sqlite3_open_v2(path, &st->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc == SQLITE_OK)
		rc = lni_connection_guard(st->db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(st->db, "PRAGMA locking_mode=EXCLUSIVE;"
		    "PRAGMA synchronous=OFF;", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		s = lni_sqlite_fail(st->db, rc, err);
		ln_store_close(st);
		return s;
	}
	*out = st;
	return LN_OK;
}

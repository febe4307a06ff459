#include <ln/transfer.h>

#include <ln/time.h>
#include <ln/user.h>

#include "store/tx.h"
#include "store/user_rows.h"

#include "base/banned.h"

/*
 * Written list by list instead of as one tree: an account may hold more
 * messages than fit into memory twice.
 */
static enum ln_status
write_all(struct ln_store *st, const char *user_id, struct ln_buf *out,
    struct ln_error *err)
{
	char now[LN_TIME_ISO_SIZE];
	enum ln_status s;
	size_t i;

	ln_buf_printf(out, "{\"format\":\"localneural-user\",\"version\":1,"
	    "\"exported\":\"%s\"", ln_time_iso(ln_time_now_ms(), now));
	for (i = 0; i < lni_user_lists_count; i++) {
		ln_buf_printf(out, ",\n\"%s\":", lni_user_list_name(i));
		if ((s = lni_user_rows(st, user_id, i, out, err)) != LN_OK)
			return s;
	}
	ln_buf_puts(out, "}\n");
	if ((s = ln_buf_status(out)) != LN_OK)
		return ln_fail(err, s, "", "export of a user");
	return LN_OK;
}

enum ln_status
ln_export_user_json(struct ln_store *st, const char *user_id,
    struct ln_buf *out, struct ln_error *err)
{
	struct ln_user *user = NULL;
	enum ln_status s;

	if ((s = ln_user_get(st, user_id, &user, err)) != LN_OK)
		return s;
	ln_user_free(user);
	/* One moment for all lists. */
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	s = write_all(st, user_id, out, err);
	lni_read_end(st);
	return s;
}

#include <ln/transfer.h>

#include <ln/time.h>
#include <ln/user.h>

#include "store/tx.h"
#include "store/user_rows.h"

#include "base/banned.h"

/* The largest row: a message with its pictures. */
#define ROW_MAX ((size_t)128 * 1024 * 1024)

/*
 * Written list by list instead of as one tree: an account may hold more
 * messages than fit into memory.
 */
static enum ln_status
write_all(struct ln_store *st, const char *user_id,
    ln_export_write_fn *write, void *arg, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(ROW_MAX);
	char now[LN_TIME_ISO_SIZE];
	enum ln_status s = LN_OK;
	size_t i;

	ln_buf_printf(&b, "{\"format\":\"localneural-user\",\"version\":1,"
	    "\"exported\":\"%s\"", ln_time_iso(ln_time_now_ms(), now));
	for (i = 0; i < lni_user_lists_count && s == LN_OK; i++) {
		ln_buf_printf(&b, ",\n\"%s\":", lni_user_list_name(i));
		s = lni_user_rows(st, user_id, i, &b, write, arg, err);
	}
	if (s == LN_OK)
		s = write(arg, "}\n", 2, err);
	ln_buf_free(&b);
	return s;
}

enum ln_status
ln_export_user(struct ln_store *st, const char *user_id,
    ln_export_write_fn *write, void *arg, struct ln_error *err)
{
	struct ln_user *user = NULL;
	enum ln_status s;

	if ((s = ln_user_get(st, user_id, &user, err)) != LN_OK)
		return s;
	ln_user_free(user);
	/* One moment for all lists. */
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	s = write_all(st, user_id, write, arg, err);
	lni_read_end(st);
	return s;
}

static enum ln_status
append(void *arg, const char *p, size_t n, struct ln_error *err)
{
	struct ln_buf *b = arg;
	enum ln_status s;

	ln_buf_put(b, p, n);
	if ((s = ln_buf_status(b)) != LN_OK)
		return ln_fail(err, s, "", "export of a user");
	return LN_OK;
}

enum ln_status
ln_export_user_json(struct ln_store *st, const char *user_id,
    struct ln_buf *out, struct ln_error *err)
{
	return ln_export_user(st, user_id, append, out, err);
}

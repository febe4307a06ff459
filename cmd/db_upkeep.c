#include "db_cmd.h"

int
db_migrate(struct ctx *c)
{
	const char *path = ln_config_get(c->cfg, "LOCALNEURAL_DB");
	struct ln_error err = LN_ERROR_INIT;
	int from, latest = ln_store_schema_latest(), rc;
	bool is_dry = opt_has(&c->args, O_DRY_RUN);
	enum ln_status s;

	if ((s = ln_store_schema(path, &from, &err)) == LN_NOT_FOUND)
		return ctx_refuse(c, EX_NO_DATABASE, "no_database",
		    "there is no database", "Make it with `lnctl init`", "%s",
		    path);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", path);
	if (from < latest && !is_dry &&
	    (rc = ctx_store(c, LN_STORE_RW)) != EX_OK)
		return rc;
	out_str(c->out, "path", path);
	out_int(c->out, "from", from);
	out_int(c->out, "to", latest);
	out_str(c->out, "result", from == latest ? "already_current" :
	    is_dry ? "would_migrate" : "migrated");
	if (from == latest)
		out_say(c->out, "%s: already of schema %d", path, latest);
	else if (is_dry)
		out_say(c->out, "%s: would go from schema %d to %d", path,
		    from, latest);
	else
		out_say(c->out, "%s: went from schema %d to %d", path, from,
		    latest);
	return ctx_finish(c);
}

int
db_vacuum(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store_info before, after;
	enum ln_status s;

	if ((s = ln_store_info(c->st, &before, &err)) != LN_OK ||
	    (s = ln_store_vacuum(c->st, &err)) != LN_OK ||
	    (s = ln_store_info(c->st, &after, &err)) != LN_OK)
		return ctx_fail(c, s, &err, s == LN_BUSY ? "Others are using"
		    " the database: try again when it is quieter" : NULL, "%s",
		    ln_store_path(c->st));
	out_str(c->out, "path", ln_store_path(c->st));
	out_bytes(c->out, "bytes_before", before.file_bytes +
	    before.wal_bytes);
	out_bytes(c->out, "bytes_after", after.file_bytes + after.wal_bytes);
	return ctx_finish(c);
}

static void
on_size(void *arg, const char *name, bool is_index, int64_t bytes)
{
	struct ctx *c = arg;

	out_row(c->out, name, is_index ? "index" : "table", bytes);
}

int
db_stats(struct ctx *c)
{
	static const struct out_col cols[] = { { "name", OUT_STR, false },
		{ "kind", OUT_STR, false }, { "bytes", OUT_BYTES, false },
		{ NULL, OUT_STR, false } };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store_info i;
	enum ln_status s;

	out_list(c->out, "parts", cols);
	s = ln_store_sizes(c->st, on_size, c, &err);
	out_list_end(c->out);
	if (s == LN_OK)
		s = ln_store_info(c->st, &i, &err);
	if (s != LN_OK)
		return ctx_fail(c, s, &err, NULL, "%s", ln_store_path(c->st));
	out_str(c->out, "path", ln_store_path(c->st));
	out_bytes(c->out, "file_bytes", i.file_bytes);
	out_bytes(c->out, "wal_bytes", i.wal_bytes);
	out_bytes(c->out, "free_bytes", i.free_page_count * i.page_bytes);
	return ctx_finish(c);
}

#include <ln/transfer.h>

#include <ln/json.h>

#include "base/banned.h"

static const char *
kind_name(enum ln_report_kind kind)
{
	switch (kind) {
	case LN_REPORT_UNKNOWN:
		break;
	case LN_REPORT_OURS:
		return "localneural";
	case LN_REPORT_LEGACY:
		return "legacy";
	}
	return "unknown";
}

static const char *
level_name(enum ln_finding_level level)
{
	switch (level) {
	case LN_FINDING_NOTE:
		return "note";
	case LN_FINDING_REPAIR:
		return "repair";
	case LN_FINDING_ERROR:
		break;
	}
	return "error";
}

static void
counts_json(const struct ln_report *r, struct ln_jw *w)
{
	const struct {
		const char *name;
		int64_t count;
	} counts[] = {
		{ "users", r->counts.users },
		{ "admins", r->counts.admins },
		{ "conversations", r->counts.conversations },
		{ "messages", r->counts.messages },
		{ "images", r->counts.images },
		{ "tags", r->counts.tags },
		{ "groups", r->counts.groups },
		{ "projects", r->counts.projects },
		{ "documents", r->counts.documents },
		{ "prompts", r->counts.prompts },
		{ "tools", r->counts.tools },
		{ "settings", r->counts.settings },
		{ "user_settings", r->counts.user_settings },
		{ "pictures", r->counts.pictures },
		{ "audit", r->counts.audit },
	};
	size_t i;

	ln_jw_object(w, "counts");
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		ln_jw_int(w, counts[i].name, counts[i].count);
	ln_jw_end(w);
}

void
ln_report_json(const struct ln_report *r, struct ln_jw *w)
{
	const struct ln_finding *f;
	size_t i;

	ln_jw_string(w, "kind", kind_name(r->kind));
	ln_jw_int(w, "schema", r->schema);
	ln_jw_bool(w, "is_importable", r->is_importable);
	counts_json(r, w);
	ln_jw_int(w, "repaired", r->repaired_count);
	ln_jw_int(w, "dropped", r->dropped_count);
	if (r->snapshot_path != NULL)
		ln_jw_string(w, "snapshot", r->snapshot_path);
	ln_jw_array(w, "findings");
	for (i = 0; i < r->finding_count; i++) {
		f = &r->findings[i];
		ln_jw_object(w, NULL);
		ln_jw_string(w, "level", level_name(f->level));
		ln_jw_string(w, "code", f->code);
		ln_jw_string(w, "subject", f->subject);
		ln_jw_int(w, "count", f->count);
		ln_jw_string(w, "text", f->text);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

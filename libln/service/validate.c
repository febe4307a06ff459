#include <ln/transfer.h>

#include "service/import_rules.h"

#include "store/finding.h"

#include "base/banned.h"

enum ln_status
ln_validate(const char *path, const struct ln_transfer_opts *opts,
    struct ln_report **out, struct ln_error *err)
{
	struct lni_take t = { .path = path, .opts = opts,
		.rules = &lni_validate_rules };
	struct ln_store *none = NULL;
	struct lni_kept *kept = NULL;
	enum ln_status s;

	*out = NULL;
	if ((t.report = lni_report_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "ln_validate");
	if (opts != NULL && opts->keep_admin_id != NULL &&
	    (s = lni_kept_stand_in(opts->keep_admin_id, &kept, err)) != LN_OK)
		goto out;
	t.kept = kept;
	t.allowed_endpoints = lni_import_endpoints(NULL, opts);
	if ((s = lni_take(&t, &none, err)) == LN_OK)
		s = lni_report_close(t.report, err);
out:
	lni_kept_free(kept);
	if (s == LN_OK)
		*out = t.report;
	else
		ln_report_free(t.report);
	return s;
}

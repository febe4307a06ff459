#include "store/take.h"

#include "store/forks.h"
#include "store/fresh.h"
#include "store/intake.h"

#include "base/banned.h"

/* Every row is also written, searched and checked, on a disk that may be slow:
 * much more time than for the examination, but not without end. */
#define INTAKE_FACTOR 30

static enum ln_status
run(const struct lni_take *t, struct lni_foreign *f, struct lni_scratch *sc,
    struct ln_store **fresh, struct ln_error *err)
{
	struct lni_intake im = {
		.from = f, .report = t->report, .rules = t->rules,
		.kept = t->kept, .allowed_endpoints = t->allowed_endpoints,
		.live_endpoints = t->live_endpoints,
	};
	enum ln_status s;

	if ((s = lni_foreign_open(t->path, t->opts, sc, t->report, f, err)) !=
	    LN_OK || lni_report_has_error(t->report))
		return s;
	if ((s = lni_fresh_open(sc, t->live, fresh, err)) != LN_OK)
		return s;
	/* Both files are open and have no name any more. */
	lni_scratch_remove(sc);
	im.to = *fresh;
	lni_foreign_phase(f, INTAKE_FACTOR, 30, 80);
	if ((s = lni_intake_run(&im, err)) != LN_OK ||
	    (s = lni_forks_settle(*fresh, err)) != LN_OK)
		return s;
	if (t->live != NULL)
		return lni_intake_count_arrived(*fresh, t->report, err);
	if ((s = lni_intake_count_arrived(*fresh, t->report, err)) == LN_OK)
		lni_intake_count_held(&im);
	return s;
}

enum ln_status
lni_take(const struct lni_take *t, struct ln_store **out_fresh,
    struct ln_error *err)
{
	struct lni_scratch sc = { .fd = -1 };
	struct ln_store *fresh = NULL;
	struct lni_foreign f = { .db = NULL };
	enum ln_status s;

	*out_fresh = NULL;
	s = lni_scratch_make(t->live != NULL ? ln_store_path(t->live) : NULL,
	    t->live != NULL ? "import" : "validate", &sc, err);
	if (s == LN_OK)
		s = run(t, &f, &sc, &fresh, err);
	lni_foreign_close(&f);
	lni_scratch_remove(&sc);
	if (s == LN_OK && t->live != NULL &&
	    !lni_report_has_error(t->report))
		*out_fresh = fresh;
	else
		ln_store_close(fresh);
	return s;
}

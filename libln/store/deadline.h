#ifndef LNI_DEADLINE_H
#define LNI_DEADLINE_H

#include <ln/base.h>
#include <ln/store.h>

/**
 * lni_deadline_set(st, budget_ms) / lni_deadline_is_past(st) /
 * lni_deadline_clear(st):
 * Statements on ${st} that are still running ${budget_ms} from now end with
 * LN_CANCELLED.  A caller that gets many rows asks by itself between them.
 * Always cleared by whoever set it.
 */
void lni_deadline_set(struct ln_store *st, int64_t budget_ms);
bool lni_deadline_is_past(const struct ln_store *st);
void lni_deadline_clear(struct ln_store *st);

#endif

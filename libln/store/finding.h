#ifndef LNI_FINDING_H
#define LNI_FINDING_H

#include <ln/transfer.h>

/* Collecting what validation and import find into a report. */

enum lni_finding {
#define LNI_FINDING(name, code, level, is_drop, text) LNI_F_##name,
#include "store/finding.def"
#undef LNI_FINDING
};

/**
 * lni_report_new():
 * An empty report, NULL without memory.  Free it with ln_report_free.
 */
struct ln_report *lni_report_new(void) LN_USE;

/**
 * lni_find(r, f, subject, count):
 * Add ${count} cases of ${f} about ${subject} (copied, cleaned, may be NULL).
 * The same finding about the same subject is counted together.  Counts of
 * repairs and drops are summed in the report.  Failure sticks and surfaces in
 * lni_report_close.
 */
void lni_find(struct ln_report *r, enum lni_finding f, const char *subject,
    int64_t count);

/* The same with the text of the case in place of the general one. */
void lni_find_text(struct ln_report *r, enum lni_finding f,
    const char *subject, int64_t count, const char *text);

bool lni_report_has(const struct ln_report *r, enum lni_finding f);
bool lni_report_has_error(const struct ln_report *r);

/**
 * lni_report_close(r, err):
 * Decide is_importable: no error was found.  LN_NOMEM when a finding was lost.
 */
enum ln_status lni_report_close(struct ln_report *r, struct ln_error *err)
    LN_USE;

#endif

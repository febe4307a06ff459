#ifndef LNI_IMPORT_RULES_H
#define LNI_IMPORT_RULES_H

#include "store/take.h"

/* What validation and import ask of the higher floors.  The first stores no
 * secret: there is no key when a file is only looked at. */
extern const struct lni_intake_rules lni_validate_rules;
extern const struct lni_intake_rules lni_import_rules;

/* The default of LOCALNEURAL_ALLOWED_ENDPOINTS. */
#define LNI_DEFAULT_ENDPOINTS "http://localhost:11434"

/* The list in force: the database's setting, the process's, the default. */
const char *lni_import_endpoints(const char *setting,
    const struct ln_transfer_opts *opts);

#endif

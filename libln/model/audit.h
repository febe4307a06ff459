#ifndef LNI_AUDIT_H
#define LNI_AUDIT_H

#include <ln/audit.h>

extern const char *const lni_audit_sql[];
extern const size_t lni_audit_sql_count;

#endif

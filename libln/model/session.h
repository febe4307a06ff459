#ifndef LNI_SESSION_H
#define LNI_SESSION_H

#include <ln/session.h>

extern const char *const lni_session_sql[];
extern const size_t lni_session_sql_count;

#endif

#ifndef LNI_PROJECT_H
#define LNI_PROJECT_H

#include <ln/project.h>

extern const char *const lni_project_sql[];
extern const size_t lni_project_sql_count;

#endif

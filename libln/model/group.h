#ifndef LNI_GROUP_H
#define LNI_GROUP_H

#include <ln/group.h>

extern const char *const lni_group_sql[];
extern const size_t lni_group_sql_count;

#endif

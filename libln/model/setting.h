#ifndef LNI_SETTING_H
#define LNI_SETTING_H

#include <ln/setting.h>

extern const char *const lni_setting_sql[];
extern const size_t lni_setting_sql_count;

#endif

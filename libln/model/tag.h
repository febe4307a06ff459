#ifndef LNI_TAG_H
#define LNI_TAG_H

#include <ln/tag.h>

extern const char *const lni_tag_sql[];
extern const size_t lni_tag_sql_count;

#endif

#ifndef LNI_MODEL_PICTURE_H
#define LNI_MODEL_PICTURE_H

#include <ln/picture.h>

extern const char *const lni_picture_sql[];
extern const size_t lni_picture_sql_count;

#endif

#ifndef LNI_OURS_H
#define LNI_OURS_H

#include "store/intake.h"

/* Taking over a database of our own.  The order of lni_our_tables. */

enum lni_our_table {
	LNI_OUR_USER,
	LNI_OUR_PICTURE,
	LNI_OUR_SETTING,
	LNI_OUR_USER_SETTING,
	LNI_OUR_PROJECT,
	LNI_OUR_DOCUMENT,
	LNI_OUR_CHUNK,
	LNI_OUR_GROUP,
	LNI_OUR_CONVERSATION,
	LNI_OUR_TAG,
	LNI_OUR_MESSAGE,
	LNI_OUR_IMAGE,
	LNI_OUR_TOOL_RUN,
	LNI_OUR_PROMPT,
	LNI_OUR_TOOL,
};

/* All rows into im->to, inside the caller's transaction. */
enum ln_status lni_ours_take(struct lni_intake *im, struct ln_error *err)
    LN_USE;

#endif

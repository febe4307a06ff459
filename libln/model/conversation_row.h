#ifndef LNI_CONVERSATION_ROW_H
#define LNI_CONVERSATION_ROW_H

#include <ln/conversation.h>

#include "store/stmt.h"

/* A conversation as the files of model/ that select one read it. */

/* Tags in their order, separated by U+001F. */
#define LNI_CONVERSATION_COLUMNS					\
	"c.id, c.user_id, c.title, c.model, c.provider, c.system_prompt,"	\
	" c.project_id, p.title, c.group_id, c.forked_from,"			\
	" (SELECT group_concat(tag, char(31)) FROM"				\
	"  (SELECT tag FROM conversation_tag WHERE conversation_id = c.id"	\
	"   ORDER BY tag)),"							\
	" c.temperature, c.archived_ms, c.pinned_ms, c.total_tokens,"		\
	" c.created_ms, c.updated_ms"						\
	" FROM conversation c LEFT JOIN project p ON p.id = c.project_id"

/* The current row of ${q}, which selected the columns above. */
enum ln_status lni_conversation_row(struct lni_stmt *q,
    struct ln_conversation **out, struct ln_error *err) LN_USE;

#endif

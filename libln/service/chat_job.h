#ifndef LNI_CHAT_JOB_H
#define LNI_CHAT_JOB_H

#include <stdatomic.h>

#include "service/chat.h"

/*
 * Work of a turn that another thread may do.  It shares nothing with the turn
 * but the toolbox, so that the turn can end meanwhile.
 */
struct ln_chat_job {
	struct ln_chat *chat;	/* NULL: it goes on without us */
	atomic_bool is_cancelled;

	/* A tool's run, or a search when ${box} is NULL. */
	struct lni_toolbox *box;	/* the chat's while there is one */
	size_t call;			/* which of its calls */
	char *name;
	char *arguments;

	const struct ln_config *cfg;	/* borrowed, of the process */
	char *user_id;
	char *conversation_id;
	char *question;
	char *project_id;		/* NULL: none */
	bool is_for_model;		/* which is told what was found */
	size_t passages_max;
	char *sources;
	int64_t question_id;

	struct ln_buf out;
	enum ln_status status;
	struct ln_error err;
};

#endif

#include "cmd.h"

/* The command table: every noun, in the order help shows them. */
const struct noun *const nouns[] = {
	&noun_init,
	&noun_admin,
	&noun_user,
	&noun_db,
	&noun_backup,
	&noun_chat,
	&noun_ask,
	&noun_history,
	&noun_project,
	&noun_prompt,
	&noun_tool,
	&noun_provider,
	&noun_model,
	&noun_config,
	&noun_audit,
	&noun_server,
	&noun_doctor,
	&noun_completion,
	&noun_version,
	&noun_help,
	NULL,
};

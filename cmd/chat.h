#ifndef LNCTL_CHAT_H
#define LNCTL_CHAT_H

#include "talk.h"

/* The conversation at the prompt: lines are questions, /words are commands. */

struct chat {
	struct talk t;
	struct repl *repl;
	struct ln_buf line;
	bool is_over;
};

/* chat.c: one turn, its answer printed or in the document. */
int chat_turn(struct chat *chat, enum talk_what what, const char *prompt,
    int64_t edited);

/* chat_command.c: run the command that a line names, without its slash. */
int chat_command(struct chat *chat, const char *line);

/* chat_command.c: EX_OK, or tell that nothing was asked yet. */
int chat_needs_conversation(struct chat *chat);

/* chat_branch.c */
int chat_fork(struct chat *chat, const char *rest);
int chat_branches(struct chat *chat, const char *rest);
int chat_tag(struct chat *chat, const char *rest);

/* chat_find.c */
int chat_project(struct chat *chat, const char *rest);
int chat_search(struct chat *chat, const char *rest);

#endif

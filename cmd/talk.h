#ifndef LNCTL_TALK_H
#define LNCTL_TALK_H

#include <ln/chat.h>
#include <ln/llm.h>

#include "cmd.h"

/*
 * What chat and ask share: who speaks with which provider in which
 * conversation, and one turn of it.
 */

struct talk_call {
	int64_t id;
	char *name;
	char *arguments;
	struct talk_call *next;
};

struct talk {
	struct ctx *c;
	struct ln_user *user;
	char *conversation_id;	/* NULL until there is one */
	char *title;
	char *provider;		/* wishes; NULL: as set for the account */
	char *model;
	char *system_prompt;
	char *project_id;	/* NULL: that of the conversation */
	struct ln_llm_options options;
	/* Goes with the next question only. */
	char *file_name;	/* of all text files, which are one */
	char *file_content;
	size_t file_count;
	char **images;		/* base64, NULL-ended, or NULL */
	size_t image_count;

	bool is_unsaved;
	struct ln_llm_message *turns;	/* of an unsaved talk, oldest first */
	size_t turn_count;
	bool is_printing;	/* print the answer as it comes */
	struct markdown *markdown;	/* laid out; NULL: as it stands */

	/* While an answer comes (talk_event.c). */
	bool shows_thinking;	/* somebody watches both streams */
	bool is_thinking;
	bool is_mid_line;	/* the last thing printed had no newline */
	struct talk_call *asking;	/* tool calls that wait for a yes, in turn */
	bool is_question_shown;	/* the first of them stands on the terminal */
	char reply[8];
	size_t reply_length;

	/* The last turn. */
	struct ln_buf answer;
	int64_t message_id;	/* 0: nothing saved */
	int64_t tokens, prompt_tokens, duration_ms;
	bool is_estimated;
	bool has_error;		/* it began, and failed then */
	bool is_new;		/* it began the conversation */
	char finish_reason[32];
	char *used_provider, *used_model;
};

/* Options that chat and ask take, for the table. */
#define TALK_OPTS O_CONTINUE, O_ID, O_MODEL, O_SYSTEM, O_PROMPT, O_PROVIDER, \
	O_USER, O_TEMP, O_NO_SAVE, O_PROJECT, O_ATTACH

/**
 * talk_open(t, c) / talk_close(t):
 * From the command line.  EX_OK, or the exit code after telling.  talk_close
 * wants a talk that talk_open has seen, whatever came of it.
 */
int talk_open(struct talk *t, struct ctx *c);
void talk_close(struct talk *t);

/**
 * talk_print(t):
 * From now on, print answers as they come: laid out on a terminal that knows
 * colours, as they stand everywhere else.
 */
void talk_print(struct talk *t);

/**
 * talk_project(t, name):
 * From now on, answers may quote the documents of this project.  EX_OK, or the
 * exit code after telling.
 */
int talk_project(struct talk *t, const char *name);

/**
 * talk_turn(t, what, prompt, err):
 * One question and its answer; without a ${prompt}, another answer to the
 * last question, or more of the last answer.  Whatever came is in ${t}, and
 * saved unless --no-save.  ${edited} is the question that ${prompt} replaces,
 * or 0.
 */
enum talk_what { TALK_ASK, TALK_RETRY, TALK_CONTINUE };
enum ln_status talk_turn(struct talk *t, enum talk_what what,
    const char *prompt, int64_t edited, struct ln_error *err) LN_USE;

/**
 * talk_name(t):
 * Have the model give a conversation that the last turn began a title, once
 * its answer is out.  Whatever goes wrong, the first words stay.
 */
void talk_name(struct talk *t);

/**
 * talk_owner(out) / talk_recover(c):
 * The name under which this process writes answers / close those of an lnctl
 * that was killed, so that their conversations can go on at once.
 */
#define TALK_OWNER_SIZE 96
void talk_owner(char out[TALK_OWNER_SIZE]);
void talk_recover(struct ctx *c);

/* talk_event.c: callbacks of ln_chat_run; ${arg} is the talk. */
void talk_on_event(void *arg, const struct ln_chat_event *ev);
bool talk_is_cancelled(void *arg);
void talk_on_done(struct talk *t, const struct ln_chat_event *ev);
void talk_stop_asking(struct talk *t);

/* Forget what an unsaved talk has said so far. */
void talk_forget(struct talk *t);

/* Tell why a turn failed; gives the exit code, which talk_exit_code tells
 * alone. */
int talk_fail(struct talk *t, enum ln_status s, const struct ln_error *err);
int talk_exit_code(const struct talk *t, enum ln_status s);

/**
 * talk_attach(t, path) / talk_detach(t):
 * A text file or a picture that goes with the next question / no file does.
 */
int talk_attach(struct talk *t, const char *path);
void talk_detach(struct talk *t);

/**
 * talk_temperature(t, v):
 * A temperature as a person types it, from --temp or /temp.
 */
int talk_temperature(struct talk *t, const char *v);

/**
 * edit_text(c, text, out):
 * Let the person change ${text} in $VISUAL or $EDITOR; ${out} (cleared first)
 * gets what is left, without newlines at its end.  The file is in a folder of
 * its own that nobody else can enter, and that is gone afterwards.
 */
int edit_text(struct ctx *c, const char *text, struct ln_buf *out);

/* Replace a string of ours by a copy of ${v} (NULL: none). */
int talk_assign(struct talk *t, char **slot, const char *v);

/* Which provider and model would answer now, into used_*. */
enum ln_status talk_resolve(struct talk *t, struct ln_error *err) LN_USE;

/* --- reading lines (repl.c) --------------------------------------------- */

enum repl_outcome { REPL_LINE, REPL_END, REPL_INTERRUPTED, REPL_FAILED };

struct repl;

/**
 * repl_new(c) / repl_free(r):
 * A reader of standard input: with line editing and a private history when a
 * person types and libedit is installed, plain lines otherwise.  Ctrl-G hands
 * the line to the person's editor; what was changed there is the line, of
 * whatever length.  NULL without memory.
 */
struct repl *repl_new(struct ctx *c);
void repl_free(struct repl *r);

/**
 * repl_read(r, prompt, line):
 * One line without its newline into ${line} (cleared first).
 */
enum repl_outcome repl_read(struct repl *r, const char *prompt,
    struct ln_buf *line);

#endif

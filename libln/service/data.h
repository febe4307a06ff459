#ifndef LNI_DATA_H
#define LNI_DATA_H

#include <ln/json.h>
#include <ln/transfer.h>

#include "store/user_put.h"
#include "text/json_split.h"

/*
 * What a person brings along (ln_data_import): what its formats share.  A file
 * is read in passes, an element at a time; a reader takes in each pass what it
 * then can.
 */

/* Groups and projects; conversations; messages; what hangs on them. */
#define LNI_DATA_PASSES 4
#define LNI_DATA_PASS_MESSAGES 2

enum lni_data_kind {
	LNI_DATA_CONVERSATION,
	LNI_DATA_MESSAGE,
	LNI_DATA_TOOL_RUN,
	LNI_DATA_GROUP,
	LNI_DATA_PROJECT,
	LNI_DATA_DOCUMENT,
	LNI_DATA_PROMPT,
	LNI_DATA_TOOL,
	LNI_DATA_SETTING,
	LNI_DATA_PICTURE,
};

/* A number of the file's and ours. */
struct lni_data_pair {
	int64_t old, new;
};

struct lni_data_fork {
	char id[LN_UUID_SIZE];
	int64_t old;
};

struct lni_data {
	struct ln_store *st;
	const struct ln_config *cfg;
	const char *user_id;
	struct ln_data_report *report;
	int64_t now_ms;
	int pass;
	/* Conversations and projects that came with this file. */
	char (*fresh)[LN_UUID_SIZE];
	size_t fresh_count, fresh_cap;
	struct lni_data_pair *messages;
	size_t message_count, message_cap;
	struct lni_data_fork *forks;
	size_t fork_count, fork_cap;
};

/**
 * lni_data_reader:
 * One element: a member of the object at the top, an element of such a member,
 * or (${member} NULL) of the array at the top.  What is wrong with it is noted
 * and not an error.
 */
typedef enum ln_status lni_data_reader(struct lni_data *d,
    const char *member, const struct ln_json *node, struct ln_error *err);

lni_data_reader lni_data_ours, lni_data_chatgpt, lni_data_webui,
    lni_data_legacy;

/* Which list of a file holds elements of which kind, for those that cannot
 * even be read; -1: none. */
int lni_data_kind_of(const char *member);

/* Note why something was left out / changed.  ${reason} is a literal. */
void lni_data_skip(struct lni_data *d, enum lni_data_kind kind,
    const char *reason);
void lni_data_change(struct lni_data *d, enum lni_data_kind kind,
    const char *reason);
void lni_data_added(struct lni_data *d, enum lni_data_kind kind);
void lni_data_present(struct lni_data *d, enum lni_data_kind kind);

/**
 * lni_data_find(d, kind, id, out_id, out_is_there, err):
 * What the file calls ${id} here: itself when that is this person's already,
 * else an id made of it and the person, so that it is the same every time and
 * tells nothing about what others have.
 */
enum ln_status lni_data_find(struct lni_data *d, enum lni_put_kind kind,
    const char *id, char out_id[LN_UUID_SIZE], bool *out_is_there,
    struct ln_error *err) LN_USE;

/* Whether ${id} (ours) came with this file; from the second pass on. */
bool lni_data_is_fresh(const struct lni_data *d, const char *id);
enum ln_status lni_data_fresh_add(struct lni_data *d, const char *id,
    struct ln_error *err) LN_USE;

/**
 * lni_data_conversation(d, c, tags, out_id, out_is_new, err):
 * Add a conversation whose ids are those of the file, with its ${tags} (an
 * array, or NULL), unless it is there.
 */
enum ln_status lni_data_conversation(struct lni_data *d,
    const struct lni_put_conversation *c, const struct ln_json *tags,
    char out_id[LN_UUID_SIZE], bool *out_is_new, struct ln_error *err) LN_USE;

/**
 * lni_data_message(d, m, out_id, err):
 * Add a turn to one that is new; ${out_id} is 0 when it had to be left out.
 */
enum ln_status lni_data_message(struct lni_data *d,
    const struct lni_put_message *m, int64_t *out_id, struct ln_error *err)
    LN_USE;

/* A prompt that is not there yet. */
enum ln_status lni_data_prompt(struct lni_data *d, const char *title,
    const char *content, struct ln_error *err) LN_USE;

/* One line as a title: without control characters, cut, never empty. */
#define LNI_DATA_TITLE_SIZE 801		/* 200 code points and a NUL */
const char *lni_data_title(const char *s, const char *fallback,
    char out[LNI_DATA_TITLE_SIZE]);

/* A name of a model or such, or NULL when it is none. */
const char *lni_data_name(const struct ln_json *object, const char *member);

/* A time in any of the ways that files write it; 0: none, or not from 1970 to
 * tomorrow. */
int64_t lni_data_time(const struct lni_data *d, const struct ln_json *node);

/* true, 1, "1" and "True". */
bool lni_data_bool(const struct ln_json *node);

/**
 * lni_data_images(node, out, err):
 * An array of base64 strings or data: URLs, or its text, as the text that a
 * message keeps: yours, NULL when there is none of a known kind.
 */
enum ln_status lni_data_images(const struct ln_json *node, char **out,
    struct ln_error *err) LN_USE;

#endif

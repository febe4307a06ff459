#ifndef LNI_USER_PUT_H
#define LNI_USER_PUT_H

#include <ln/error.h>
#include <ln/store.h>

/*
 * Rows that a person brings along, the twin of store/user_rows.h.  Inside the
 * caller's transaction; the caller has checked every text.  Texts may be NULL
 * where a comment says so, times that are 0 are none.
 */

enum lni_put_kind { LNI_PUT_GROUP, LNI_PUT_PROJECT, LNI_PUT_CONVERSATION };

/* Whether ${user_id} has one of that id. */
enum ln_status lni_put_has(struct ln_store *st, enum lni_put_kind kind,
    const char *user_id, const char *id, bool *out, struct ln_error *err)
    LN_USE;

struct lni_put_conversation {
	const char *id;
	const char *title;
	const char *provider;	/* may be NULL, like all below */
	const char *model;
	const char *system_prompt;
	const char *project_id;
	const char *group_id;
	const char *forked_from;
	bool has_temperature;
	double temperature;
	int64_t archived_ms, pinned_ms, total_tokens, created_ms, updated_ms;
};
enum ln_status lni_put_conversation(struct ln_store *st, const char *user_id,
    const struct lni_put_conversation *c, struct ln_error *err) LN_USE;
enum ln_status lni_put_tag(struct ln_store *st, const char *conversation_id,
    const char *tag, struct ln_error *err) LN_USE;

/* Where a fork left its parent. */
enum ln_status lni_put_fork_point(struct ln_store *st,
    const char *conversation_id, int64_t message_id, struct ln_error *err)
    LN_USE;

struct lni_put_message {
	const char *conversation_id;
	const char *role;
	const char *state;
	const char *content;
	const char *images;	/* JSON array of base64; may be NULL */
	const char *provider;	/* may be NULL, like all below */
	const char *model;
	const char *finish_reason;
	const char *thinking;
	const char *error;
	int64_t tokens, prompt_tokens, duration_ms;
	bool is_estimated;
	int64_t pinned_ms, created_ms;
};
enum ln_status lni_put_message(struct ln_store *st,
    const struct lni_put_message *m, int64_t *out_id, struct ln_error *err)
    LN_USE;

struct lni_put_tool_run {
	int64_t message_id, round;
	const char *name, *arguments, *state;
	const char *result;	/* may be NULL */
	int64_t created_ms, ended_ms;
};
enum ln_status lni_put_tool_run(struct ln_store *st,
    const struct lni_put_tool_run *r, struct ln_error *err) LN_USE;

enum ln_status lni_put_group(struct ln_store *st, const char *user_id,
    const char *id, const char *title, int64_t position, int64_t created_ms,
    struct ln_error *err) LN_USE;
enum ln_status lni_put_project(struct ln_store *st, const char *user_id,
    const char *id, const char *title, const char *description,
    int64_t created_ms, struct ln_error *err) LN_USE;
enum ln_status lni_put_document(struct ln_store *st, const char *project_id,
    const char *filename, const char *content, int64_t created_ms,
    struct ln_error *err) LN_USE;

extern const char *const lni_user_put_sql[];
extern const size_t lni_user_put_sql_count;

#endif

#ifndef LNI_CHAT_H
#define LNI_CHAT_H

#include <ln/chat.h>
#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/user.h>

#include "model/tool_run.h"
#include "service/chat_prompt.h"

/* The inside of a turn, for service/chat*.c only. */

#define LNI_CHAT_BLOCKED "Your account has been blocked."

enum lni_chat_phase {
	LNI_CHAT_SENDING,	/* the provider answers */
	LNI_CHAT_RETRYING,	/* it must be asked again, without tools */
	LNI_CHAT_CALLING,	/* tools run */
	LNI_CHAT_SEARCHING,	/* ln_chat_local is due */
	LNI_CHAT_PUMPING,	/* its answer is handed out piece by piece */
	LNI_CHAT_SAVING,	/* over, but the database has not taken it yet */
	/* DONE went out: */
	LNI_CHAT_TITLE_DUE,	/* a tick makes the request for a title */
	LNI_CHAT_TITLING,	/* the provider is asked for a title */
	LNI_CHAT_NAMING,	/* a tick has to write it */
	LNI_CHAT_OVER,
};

#define LNI_CHAT_SAVE_TRIES 20	/* a tick apart, before one gives up */

#define LNI_CHAT_CALLS_MAX 16	/* of one round; ours */

enum lni_call_state {
	LNI_CALL_NEW,		/* no row yet */
	LNI_CALL_ASKING,	/* somebody has to decide */
	LNI_CALL_READY,		/* may run */
	LNI_CALL_RUNNING,	/* a job has it */
	LNI_CALL_RAN,		/* over, but the row does not say so yet */
	LNI_CALL_OVER,
};

struct lni_call {
	enum lni_call_state state;
	char *id;		/* the provider's, or NULL */
	char *signature;	/* the same */
	char *name;
	char *arguments;
	int64_t run_id;		/* 0: none yet */
	int64_t asked_ms;
	enum lni_tool_run_state decision;	/* as last seen, when asking */
	enum lni_tool_run_state outcome;	/* from RAN on */
	enum ln_status status;	/* for the audit log */
	const char *sentence;	/* a literal: why it failed, or NULL */
	struct ln_buf result;
};

/* A copy of a store's actor. */
struct lni_chat_actor {
	char kind[16], user_id[68], address[68], request_id[68];
};

struct lni_toolbox;
struct ln_chat_job;

/* What a tick has to write for a turn. */
enum lni_chat_work {
	LNI_CHAT_NOTHING,
	LNI_CHAT_JOURNAL,
	LNI_CHAT_SAVE,
	LNI_CHAT_NAME,
};

/* What a tick has found out about a turn. */
enum lni_chat_finding {
	LNI_CHAT_UNSEEN,
	LNI_CHAT_FINE,
	LNI_CHAT_LOST,
	LNI_CHAT_STOP,
	LNI_CHAT_BLOCK,
};

struct ln_chat {
	struct ln_store *store;
	const struct ln_config *cfg;
	ln_chat_event_fn *fn;
	void *arg;

	struct lni_chat_actor actor;	/* who asked */
	char *user_id;
	char *conversation_id;	/* NULL for an unsaved turn without one */
	char *title;		/* new or given now, else NULL */
	char *temp_id;
	char *owner;
	char *question;		/* as stored */
	char *project_id;	/* whose documents are looked at, or NULL */
	size_t passages_max;	/* bytes of them that the model may get */
	char *sources;		/* what it got, as a message keeps it */
	int64_t question_id;	/* 0: unsaved */
	int64_t message_id;	/* 0: unsaved */
	bool is_new;		/* the conversation is */
	bool is_titled;		/* it was there, and got its title now */
	bool is_unsaved;
	bool is_batched;
	bool wants_title;	/* from the model, after the answer */
	struct ln_buf model_title;
	char *new_title;	/* what was made of it */

	struct ln_provider_conf *conf;
	struct ln_llm_request *request;
	struct ln_llm_stream *stream;
	struct lni_prompt prompt;	/* grows by rounds; empty without tools */
	struct ln_llm_options options;
	char **stop;			/* what they point to */
	int64_t context;		/* tokens; 0: nobody knows */
	int64_t reserved;		/* of them: answer, tools, images */

	struct lni_toolbox *box;	/* NULL: no tools */
	bool is_offering;		/* the request names them */
	int round;			/* of tools, 0: none ran */
	struct lni_call calls[LNI_CHAT_CALLS_MAX];
	size_t call_count;
	size_t calls_left_out;		/* the model asked for too many */
	int64_t unsaved_calls;
	struct ln_chat_job *job;	/* that somebody runs, or NULL */

	struct ln_buf local;	/* the offline answer */
	size_t local_pos;	/* what of it is out */

	enum lni_chat_phase phase;
	struct ln_buf answer;
	size_t shown;		/* bytes of it that events have told */
	bool is_crowded;	/* they wait for a tick, see lni_chat_show */
	struct ln_buf thinking;
	size_t journalled;	/* bytes of it */
	int64_t now_ms;		/* the last tick's */
	int64_t journal_ms;	/* last journal, or try */
	int64_t beat_ms;	/* last sign of life in the database */
	int64_t check_ms;	/* last look for a stop or a block */
	int64_t begin_mono_ms;
	int64_t first_mono_ms;	/* of the answer's first byte; 0: none yet */
	size_t round_from;	/* where the text of this request begins */
	bool needs_gap;		/* a blank line goes before it */
	int64_t round_tokens;	/* the provider's count, see has_usage */
	int64_t round_prompt_tokens;
	bool has_usage;
	bool is_counted;	/* in the sums: */
	int64_t tokens;
	int64_t prompt_tokens;
	bool is_estimated;
	int64_t max_tokens;
	struct {		/* of an answer that is gone on with */
		int64_t tokens, prompt_tokens, duration_ms;
		size_t bytes;
	} earlier;

	/* How it ended, from LNI_CHAT_SAVING on. */
	enum ln_message_state state;
	const char *finish_reason;
	enum ln_status outcome;
	struct ln_error error;	/* when has_error */
	bool has_error;
	int64_t retry_after_s;	/* as the provider said, for that error */
	int save_tries;

	/* During a tick. */
	enum lni_chat_work work;
	enum ln_status work_status;	/* of the last one */
	struct ln_error work_error;
	enum lni_chat_finding finding;
	bool is_user_blocked;
};

/* What ln_chat_begin gathers and does not keep. */
struct lni_draft {
	const struct ln_chat_opts *opts;
	struct ln_user *user;
	struct ln_conversation *conversation;	/* NULL: unsaved without one */
	char *images;		/* JSON, or NULL */
	char *system_prompt;	/* expanded, or NULL */
	struct ln_llm_options options;
};
void lni_draft_clear(struct lni_draft *d);

/* chat_input.c: check what the caller said; question and images. */
enum ln_status lni_chat_input(struct ln_chat *c, struct lni_draft *d,
    struct ln_error *err) LN_USE;

/* chat_ask.c: the provider's request, from the conversation as it is now. */
enum ln_status lni_chat_ask(struct ln_store *st, struct ln_chat *c,
    struct lni_draft *d, struct ln_error *err) LN_USE;

/* chat_budget.c: how many bytes of earlier turns fit beside what must go. */
enum ln_status lni_chat_budget(struct ln_store *st, struct ln_chat *c,
    const struct lni_draft *d, size_t *out_bytes, struct ln_error *err) LN_USE;

/* chat_budget.c: how many bytes the prompt may still grow by; SIZE_MAX when
 * nobody knows. */
size_t lni_chat_room(const struct ln_chat *c);

/* chat_results.c: put what the calls of this round gave into the prompt. */
enum ln_status lni_chat_add_results(struct ln_chat *c, struct ln_error *err)
    LN_USE;

/* chat_budget.c: how many tokens the model keeps in sight, as the nearest
 * place says that says it; 0: none does. */
enum ln_status lni_chat_context(struct ln_store *st, const char *user_id,
    int64_t *out, struct ln_error *err) LN_USE;

/* chat_ask.c: connect and stall times as configured (NULL: leave them). */
enum ln_status lni_chat_timeouts(const struct ln_config *cfg,
    struct ln_http_request *http, struct ln_error *err) LN_USE;

/* chat_ask.c: a setting, the person's before the instance's; NULL when neither
 * has one.  Yours. */
enum ln_status lni_chat_setting(struct ln_store *st, const char *user_id,
    const char *name, char **out, struct ln_error *err) LN_USE;

/* chat_ask.c: what was found goes before the question, and it is asked. */
enum ln_status lni_chat_ask_with(struct ln_chat *c, const char *passages,
    struct ln_error *err) LN_USE;

/* chat_ask.c: make the request (again) from the prompt as it is. */
enum ln_status lni_chat_request(struct ln_chat *c, struct ln_error *err)
    LN_USE;

/* chat_turn.c: begin to expect an answer, once everything is saved. */
void lni_chat_start(struct ln_chat *c);

/* chat_turn.c: what ln_llm_stream_new wants. */
void lni_chat_on_llm(void *arg, const struct ln_llm_event *ev);

/* chat_turn.c: the answer grows / tell what of it was not told yet. */
void lni_chat_append(struct ln_chat *c, const char *text, size_t n);
void lni_chat_show(struct ln_chat *c);

/* chat_turn.c: add the tokens of this request to the turn's, once. */
void lni_chat_count(struct ln_chat *c, bool is_whole);

/* chat_turn.c: ask again without tools, when that is due. */
void lni_chat_retry(struct ln_chat *c);

/* chat_local.c: whoever runs it goes on without us. */
void lni_chat_drop_job(struct ln_chat *c);

/*
 * chat_title.c: whether the model is to be asked for a title; ask it, after
 * DONE; write what it said inside the caller's transaction; go on after that.
 */
enum ln_status lni_chat_title_plan(struct ln_store *st, struct ln_chat *c,
    const struct lni_draft *d, struct ln_error *err) LN_USE;
void lni_chat_title_begin(struct ln_chat *c);
void lni_chat_title_ask(struct ln_chat *c);
enum ln_status lni_chat_title_write(struct ln_chat *c, struct ln_error *err)
    LN_USE;
void lni_chat_title_written(struct ln_chat *c, enum ln_status s);

/*
 * chat_title.c, for chat_name.c, too: whether titles by the model are wanted;
 * the request for one; what the model says, cleaned (NULL: no words), yours.
 */
enum ln_status lni_title_is_on(struct ln_store *st,
    const struct ln_config *cfg, const char *user_id, bool *out,
    struct ln_error *err) LN_USE;
enum ln_status lni_title_request(const struct ln_provider_conf *conf,
    const char *question, const char *answer, struct ln_llm_request **out,
    struct ln_error *err) LN_USE;
enum ln_status lni_title_clean(const char *text, char **out,
    struct ln_error *err) LN_USE;

/*
 * chat_tools.c, in order of a round: collect calls, begin to work on them,
 * write what is new inside the caller's transaction, go on once that is
 * committed; look for decisions inside a read transaction, obey them; run;
 * go on to the next request when all are over.
 */
void lni_chat_call_add(struct ln_chat *c, const struct ln_llm_event *ev);
void lni_chat_calls_begin(struct ln_chat *c);
bool lni_chat_calls_pending(const struct ln_chat *c);
enum ln_status lni_chat_calls_write(struct ln_chat *c, struct ln_error *err)
    LN_USE;
void lni_chat_calls_written(struct ln_chat *c);
bool lni_chat_calls_asking(const struct ln_chat *c);
void lni_chat_calls_look(struct ln_chat *c);
void lni_chat_calls_decide(struct ln_chat *c);
size_t lni_chat_call_ready(const struct ln_chat *c);
void lni_chat_call_started(struct ln_chat *c, size_t i);
void lni_chat_call_ran(struct ln_chat *c, size_t i, enum ln_status s,
    const struct ln_error *why, struct ln_buf *result);
void lni_chat_calls_proceed(struct ln_chat *c);

/* What model and person are told of a call: its result, or why there is none,
 * with what is known besides. */
const char *lni_chat_call_told(const struct lni_call *call);

/* chat_audit.c: who asks through the handle / log the end of a call. */
void lni_chat_actor_of(const struct ln_store *st, const char *user_id,
    struct lni_chat_actor *out);
enum ln_status lni_chat_audit_call(struct ln_chat *c,
    const struct lni_call *call, struct ln_error *err) LN_USE;

/* The turn ends: say so of calls that are open / in the database, too. */
void lni_chat_calls_end(struct ln_chat *c);
enum ln_status lni_chat_calls_abandon(struct ln_chat *c, struct ln_error *err)
    LN_USE;
void lni_chat_calls_clear(struct ln_chat *c);

/* chat_save.c: journal what came / write the end of the answer, inside the
 * caller's transaction.  LN_NOT_FOUND when the answer is lost. */
enum ln_status lni_chat_journal(struct ln_chat *c, struct ln_error *err)
    LN_USE;
enum ln_status lni_chat_save(struct ln_chat *c, struct ln_error *err) LN_USE;

/* chat_save.c, chat_end.c: go on once that is committed, or is not. */
void lni_chat_journalled(struct ln_chat *c, enum ln_status s);
void lni_chat_saved(struct ln_chat *c, enum ln_status s,
    const struct ln_error *why);

/* chat_end.c: events.  A chunk reaches to where the last one ended. */
void lni_chat_emit(const struct ln_chat *c, struct ln_chat_event *ev);
void lni_chat_fill_chunk(const struct ln_chat *c, size_t from,
    struct ln_chat_event *ev);
void lni_chat_fill_done(const struct ln_chat *c, struct ln_chat_event *ev);
void lni_chat_emit_over(struct ln_chat *c);

/* chat_end.c: the end.  Saved at once, or by the next tick of a batch. */
void lni_chat_set_error(struct ln_chat *c, enum ln_status status,
    const char *sentence, const char *detail);
void lni_chat_lose(struct ln_chat *c);	/* nothing may be written any more */
void lni_chat_try_save(struct ln_chat *c);
void lni_chat_end(struct ln_chat *c, enum ln_message_state state,
    enum ln_status outcome, const char *finish_reason);
void lni_chat_fail(struct ln_chat *c, enum ln_status status,
    const char *sentence, const char *detail);

/* About four bytes of text are a token. */
int64_t lni_chat_estimate(size_t bytes);

#endif

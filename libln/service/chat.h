#ifndef LNI_CHAT_H
#define LNI_CHAT_H

#include <ln/chat.h>
#include <ln/conversation.h>
#include <ln/message.h>
#include <ln/user.h>

/* The inside of a turn, for service/chat*.c only. */

#define LNI_CHAT_BLOCKED "Your account has been blocked."

enum lni_chat_phase {
	LNI_CHAT_SENDING,	/* the provider answers */
	LNI_CHAT_SEARCHING,	/* ln_chat_local is due */
	LNI_CHAT_PUMPING,	/* its answer is handed out piece by piece */
	LNI_CHAT_SAVING,	/* over, but the database has not taken it yet */
	LNI_CHAT_OVER,		/* DONE went out */
};

struct ln_chat {
	struct ln_store *store;
	const struct ln_config *cfg;
	ln_chat_event_fn *fn;
	void *arg;

	char *user_id;
	char *conversation_id;	/* NULL for an unsaved turn without one */
	char *title;		/* new or given now, else NULL */
	char *temp_id;
	char *owner;
	char *question;		/* as stored */
	int64_t question_id;	/* 0: unsaved */
	int64_t message_id;	/* 0: unsaved */
	bool is_new;		/* the conversation is */
	bool is_titled;		/* it was there, and got its title now */
	bool is_unsaved;

	struct ln_provider_conf *conf;
	struct ln_llm_request *request;
	struct ln_llm_stream *stream;
	struct ln_buf local;	/* the offline answer */
	size_t local_pos;	/* what of it is out */

	enum lni_chat_phase phase;
	struct ln_buf answer;
	size_t journalled;	/* bytes of it */
	int64_t now_ms;		/* the last tick's */
	int64_t journal_ms;	/* last journal, or try */
	int64_t beat_ms;	/* last sign of life in the database */
	int64_t check_ms;	/* last look for a stop or a block */
	int64_t begin_mono_ms;
	int64_t first_mono_ms;	/* of the answer's first byte; 0: none yet */
	int64_t tokens;		/* the provider's count, see has_usage */
	int64_t prompt_tokens;
	int64_t max_tokens;
	bool has_usage;

	/* How it ended, from LNI_CHAT_SAVING on. */
	enum ln_message_state state;
	const char *finish_reason;
	enum ln_status outcome;
	struct ln_error error;	/* when has_error */
	bool has_error;
	int save_tries;
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

/* chat_turn.c: begin to expect an answer, once everything is saved. */
void lni_chat_start(struct ln_chat *c);

/* chat_turn.c: what ln_llm_stream_new wants. */
void lni_chat_on_llm(void *arg, const struct ln_llm_event *ev);

/* chat_save.c: journal what came; LN_NOT_FOUND when the answer is lost. */
enum ln_status lni_chat_journal(struct ln_chat *c, struct ln_error *err)
    LN_USE;

/* chat_save.c: write the end of the answer, in one transaction. */
enum ln_status lni_chat_save(struct ln_chat *c, struct ln_error *err) LN_USE;

/* About four bytes of text are a token. */
int64_t lni_chat_estimate(size_t bytes);

#endif

#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <ln/buf.h>
#include <ln/chat.h>
#include <ln/config.h>

#include "place.h"

/* A place with the user "ann", a configuration, and a record of events. */
struct talk {
	struct place *place;
	struct ln_store *st;		/* the place's */
	struct ln_config *cfg;
	struct ln_buf log;		/* "saved 1;chunk 0-5;done stop;" */
	struct ln_buf text;		/* the chunks, joined */
	uint64_t seq;			/* where the last chunk ended */
	char conversation[64];
	int64_t question_id, message_id, tokens, prompt_tokens, call_id;
	bool is_estimated;
	void (*on_saved)(struct talk *t);
	void (*on_asking)(struct talk *t);
};

int talk_setup(void **state);
int talk_teardown(void **state);

/* Answer by Ollama with ${model} at ${url}. */
void talk_use_ollama(struct talk *t, const char *url, const char *model);

/* ln_chat_event_fn; the argument is a struct talk. */
void talk_note(void *arg, const struct ln_chat_event *ev);

/* Begin a turn that must begin.  Empties the log first. */
struct ln_chat *talk_begin(struct talk *t, const struct ln_chat_opts *opts);

/* What the provider sends: a piece of text / the call of a tool / the end. */
void talk_feed(struct ln_chat *c, const char *text);
void talk_feed_call(struct ln_chat *c, const char *name,
    const char *arguments);
void talk_feed_done(struct ln_chat *c, int tokens, int prompt_tokens);

/* Where ${word} is in the body of the request at hand, or NULL. */
const char *talk_in_body(const struct ln_chat *c, const char *word);

/* The state and text of a message, as another process sees them. */
void talk_expect(struct talk *t, int64_t message_id, const char *state,
    const char *content);

#endif

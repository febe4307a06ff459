#ifndef TURN_INPUT_H
#define TURN_INPUT_H

#include <ln/chat.h>
#include <ln/json.h>

#include "turn.h"

/**
 * struct turn_input:
 * A "user_message", "regenerate" or "continue" object as options of ln_chat_begin; the
 * strings are borrowed from the object.
 */
struct turn_input {
	struct ln_chat_opts opts;
	struct ln_llm_options options;
	const char **images;
};

/**
 * turn_input_parse(body, kind, out, err) / turn_input_clear(in):
 * LN_INVALID with the field of the wrong type; LN_NOMEM.  Clear it in every
 * case.
 */
enum ln_status turn_input_parse(const struct ln_json *body,
    enum turn_kind kind, struct turn_input *out, struct ln_error *err);
void turn_input_clear(struct turn_input *in);

#endif

#include "service/chat_prompt.h"

#include <stdlib.h>
#include <string.h>

#include <ln/json.h>

#include "model/message.h"

#include "base/banned.h"

static const char GO_ON[] =
    "Your answer was cut off. Go on with it exactly where it ended, even in "
    "the middle of a word. Repeat nothing, and do not comment on this.";

struct lni_prompt_part {
	char *content;
	struct ln_json *images;	/* what ${list} points into */
	const char **list;
	char *calls;		/* of an assistant turn */
	char *call_id;		/* of a tool turn */
	char *tool_name;
	int64_t message_id;	/* 0: not from the database */
};

static void
clear_part(struct lni_prompt_part *part)
{
	free(part->content);
	ln_json_free(part->images);
	free(part->list);
	free(part->calls);
	free(part->call_id);
	free(part->tool_name);
}

void
lni_prompt_clear(struct lni_prompt *p)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		clear_part(&p->parts[i]);
	free(p->messages);
	free(p->parts);
	memset(p, 0, sizeof(*p));
}

static bool
grow(struct lni_prompt *p)
{
	size_t n = p->capacity == 0 ? 32 : p->capacity * 2;
	struct ln_llm_message *messages;
	struct lni_prompt_part *parts;

	messages = realloc(p->messages, n * sizeof(*messages));
	if (messages == NULL)
		return false;
	p->messages = messages;
	if ((parts = realloc(p->parts, n * sizeof(*parts))) == NULL)
		return false;
	p->parts = parts;
	p->capacity = n;
	return true;
}

/* ${role} is static. */
static enum ln_status
add(struct lni_prompt *p, const char *role, const char *content,
    int64_t message_id, struct ln_error *err)
{
	struct lni_prompt_part *part;
	char *copy;

	if ((p->count == p->capacity && !grow(p)) ||
	    (copy = strdup(content)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "prompt");
	part = &p->parts[p->count];
	memset(part, 0, sizeof(*part));
	part->content = copy;
	part->message_id = message_id;
	p->messages[p->count++] = (struct ln_llm_message){
		.role = role, .content = copy,
	};
	return LN_OK;
}

static enum ln_status
set_images(struct lni_prompt *p, size_t i, const char *json,
    struct ln_error *err)
{
	struct lni_prompt_part *part = &p->parts[i];
	const struct ln_json *n;
	enum ln_status s;
	size_t count = 0;

	if ((s = ln_json_parse(json, strlen(json), NULL, &part->images,
	    err)) != LN_OK)
		return s;
	part->list = calloc(ln_json_count(part->images) + 1,
	    sizeof(*part->list));
	if (part->list == NULL)
		return ln_fail(err, LN_NOMEM, "", "images");
	for (n = ln_json_first(part->images); n != NULL; n = ln_json_next(n)) {
		if (ln_json_string(n) != NULL)
			part->list[count++] = ln_json_string(n);
	}
	p->messages[i].images = part->list;
	return LN_OK;
}

struct collector {
	struct lni_prompt *prompt;
	size_t used, max;
	enum ln_status status;
	struct ln_error *err;
};

static bool
collect(void *arg, const struct ln_message *m)
{
	struct collector *c = arg;
	size_t n = strlen(m->content);

	/* Tool turns mean nothing without the calls they answer. */
	if (n == 0 || m->state == LN_MESSAGE_STREAMING ||
	    m->role == LN_MESSAGE_TOOL)
		return true;
	if (n + LNI_TURN_OVERHEAD > c->max - c->used)
		return false;
	c->used += n + LNI_TURN_OVERHEAD;
	c->status = add(c->prompt, ln_message_role_name(m->role), m->content,
	    m->id, c->err);
	return c->status == LN_OK;
}

static void
reverse(struct lni_prompt *p, size_t from)
{
	struct ln_llm_message m;
	struct lni_prompt_part part;
	size_t a = from, b = p->count;

	while (b > a + 1) {
		b--;
		m = p->messages[a];
		p->messages[a] = p->messages[b];
		p->messages[b] = m;
		part = p->parts[a];
		p->parts[a] = p->parts[b];
		p->parts[b] = part;
		a++;
	}
}

/* The newest first: when they are too many, old ones go. */
static enum ln_status
add_history_images(struct ln_store *st, struct lni_prompt *p, size_t from,
    struct ln_error *err)
{
	size_t i, n, used = 0;
	enum ln_status s;
	char *json;

	for (i = p->count; i > from; i--) {
		if (strcmp(p->messages[i - 1].role, "user") != 0)
			continue;
		if ((s = lni_message_images(st, p->parts[i - 1].message_id,
		    &json, err)) != LN_OK)
			return s;
		if (json == NULL)
			continue;
		n = strlen(json);
		if (n > LNI_HISTORY_IMAGES_MAX - used) {
			free(json);
			break;
		}
		used += n;
		s = set_images(p, i - 1, json, err);
		free(json);
		if (s != LN_OK)
			return s;
	}
	return LN_OK;
}

/* A history that begins with an answer puzzles models.  What was collected
 * ends with the oldest message: drop answers whose question is left out. */
static void
drop_leading_answers(struct lni_prompt *p, size_t from)
{
	while (p->count > from &&
	    strcmp(p->messages[p->count - 1].role, "assistant") == 0) {
		p->count--;
		free(p->parts[p->count].content);
	}
}

static enum ln_status
add_stored_history(struct ln_store *st, const struct lni_prompt_source *source,
    struct lni_prompt *p, struct ln_error *err)
{
	struct collector c = { .prompt = p, .max = source->history_max,
		.err = err };
	size_t from = p->count;
	enum ln_status s;

	if ((s = lni_message_history(st, source->conversation_id,
	    source->before_id, collect, &c, err)) != LN_OK)
		return s;
	if (c.status != LN_OK)
		return c.status;
	drop_leading_answers(p, from);
	reverse(p, from);
	return add_history_images(st, p, from, err);
}

static enum ln_status
add_given_history(const struct lni_prompt_source *source,
    struct lni_prompt *p, struct ln_error *err)
{
	const struct ln_llm_message *m;
	size_t first = source->history_count, used = 0, n;
	enum ln_message_role role;
	enum ln_status s;

	for (; first > 0; first--) {
		n = strlen(source->history[first - 1].content);
		if (n + LNI_TURN_OVERHEAD > source->history_max - used)
			break;
		used += n + LNI_TURN_OVERHEAD;
	}
	/* An answer whose question is left out goes, too. */
	while (first > 0 && first < source->history_count &&
	    strcmp(source->history[first].role, "assistant") == 0)
		first++;
	for (; first < source->history_count; first++) {
		m = &source->history[first];
		if (!ln_message_role_parse(m->role, &role))
			return ln_fail(err, LN_INVALID, "", "role of history");
		if ((s = add(p, ln_message_role_name(role), m->content, 0,
		    err)) != LN_OK)
			return s;
	}
	return LN_OK;
}

enum ln_status
lni_prompt_build(struct ln_store *st, const struct lni_prompt_source *source,
    struct lni_prompt *out, struct ln_error *err)
{
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (source->system_prompt != NULL && source->system_prompt[0] != '\0' &&
	    (s = add(out, "system", source->system_prompt, 0, err)) != LN_OK)
		return s;
	if (source->conversation_id != NULL &&
	    (s = add_stored_history(st, source, out, err)) != LN_OK)
		return s;
	if ((s = add_given_history(source, out, err)) != LN_OK)
		return s;
	if ((s = add(out, "user", source->question, 0, err)) != LN_OK)
		return s;
	out->question = out->count - 1;
	if (source->images != NULL && (s = set_images(out, out->count - 1,
	    source->images, err)) != LN_OK)
		return s;
	if (source->answer == NULL)
		return LN_OK;
	if ((s = add(out, "assistant", source->answer, 0, err)) != LN_OK)
		return s;
	return add(out, "user", GO_ON, 0, err);
}

enum ln_status
lni_prompt_precede(struct lni_prompt *p, const char *text,
    struct ln_error *err)
{
	struct lni_prompt_part *part = &p->parts[p->question];
	size_t n = strlen(text), m = strlen(part->content);
	char *both;

	if ((both = malloc(n + m + 1)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "prompt");
	memcpy(both, text, n);
	memcpy(both + n, part->content, m + 1);
	free(part->content);
	part->content = both;
	p->messages[p->question].content = both;
	return LN_OK;
}

bool
lni_prompt_drop_oldest(struct lni_prompt *p)
{
	size_t from = p->count > 0 &&
	    strcmp(p->messages[0].role, "system") == 0 ? 1 : 0;
	size_t to = from, i;

	if (from >= p->question)
		return false;
	do
		to++;
	while (to < p->question && strcmp(p->messages[to].role, "user") != 0);
	for (i = from; i < to; i++)
		clear_part(&p->parts[i]);
	memmove(&p->messages[from], &p->messages[to],
	    (p->count - to) * sizeof(*p->messages));
	memmove(&p->parts[from], &p->parts[to],
	    (p->count - to) * sizeof(*p->parts));
	p->count -= to - from;
	p->question -= to - from;
	return true;
}

enum ln_status
lni_prompt_add_calls(struct lni_prompt *p, const char *content,
    const char *calls, struct ln_error *err)
{
	struct lni_prompt_part *part;
	enum ln_status s;

	if ((s = add(p, "assistant", content, 0, err)) != LN_OK)
		return s;
	part = &p->parts[p->count - 1];
	if ((part->calls = strdup(calls)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "prompt");
	p->messages[p->count - 1].tool_calls = part->calls;
	return LN_OK;
}

enum ln_status
lni_prompt_add_result(struct lni_prompt *p, const char *content,
    const char *call_id, const char *name, struct ln_error *err)
{
	struct lni_prompt_part *part;
	enum ln_status s;

	if ((s = add(p, "tool", content, 0, err)) != LN_OK)
		return s;
	part = &p->parts[p->count - 1];
	if ((call_id != NULL && (part->call_id = strdup(call_id)) == NULL) ||
	    (part->tool_name = strdup(name)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "prompt");
	p->messages[p->count - 1].tool_call_id = part->call_id;
	p->messages[p->count - 1].tool_name = part->tool_name;
	return LN_OK;
}

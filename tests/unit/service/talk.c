#include "service/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/json.h>
#include <ln/message.h>

int
talk_setup(void **state)
{
	struct talk *t = calloc(1, sizeof(*t));
	char env[128];
	int fd;

	if (t == NULL || place_setup((void **)&t->place) != 0)
		return -1;
	snprintf(env, sizeof(env), "%s/env", t->place->folder);
	if ((fd = open(env, O_CREAT | O_WRONLY, 0600)) < 0)
		return -1;
	close(fd);
	if (ln_config_load(env, &t->cfg, NULL) != LN_OK)
		return -1;
	t->st = t->place->store;
	t->log = t->text = (struct ln_buf)LN_BUF_INIT(1024 * 1024);
	place_add_user(t->st, "ann");
	*state = t;
	return 0;
}

int
talk_teardown(void **state)
{
	struct talk *t = *state;
	int rc;

	ln_config_free(t->cfg);
	ln_buf_free(&t->log);
	ln_buf_free(&t->text);
	rc = place_teardown((void **)&t->place);
	free(t);
	return rc;
}

void
talk_use_ollama(struct talk *t, const char *url, const char *model)
{
	assert_int_equal(ln_config_set(t->cfg, "LOCALNEURAL_PROVIDER",
	    "ollama", NULL), LN_OK);
	assert_int_equal(ln_config_set(t->cfg, "LOCALNEURAL_MODEL", model,
	    NULL), LN_OK);
	assert_int_equal(ln_config_set(t->cfg, "OLLAMA_API_URL", url, NULL),
	    LN_OK);
}

void
talk_note(void *arg, const struct ln_chat_event *ev)
{
	struct talk *t = arg;

	switch (ev->type) {
	case LN_CHAT_CONVERSATION:
		ln_buf_printf(&t->log, "conversation %s;", ev->title);
		snprintf(t->conversation, sizeof(t->conversation), "%s",
		    ev->conversation_id);
		break;
	case LN_CHAT_SAVED:
		ln_buf_printf(&t->log, "saved %s;",
		    ev->temp_id != NULL ? ev->temp_id : "-");
		t->question_id = ev->message_id;
		if (t->on_saved != NULL)
			t->on_saved(t);
		break;
	case LN_CHAT_CHUNK:
		/* No gap, no overlap. */
		assert_int_equal(ev->from, t->seq);
		assert_int_equal(ev->seq - ev->from, ev->len);
		t->seq = ev->seq;
		ln_buf_put(&t->text, ev->text, ev->len);
		break;
	case LN_CHAT_THINKING:
		ln_buf_printf(&t->log, "thinking %.*s;", (int)ev->len,
		    ev->text);
		break;
	case LN_CHAT_TOOL:
		ln_buf_printf(&t->log, "tool %s %s;", ev->text,
		    ev->call_state);
		t->call_id = ev->call_id;
		if (t->on_asking != NULL &&
		    strcmp(ev->call_state, "asking") == 0)
			t->on_asking(t);
		break;
	case LN_CHAT_DONE:
		ln_buf_printf(&t->log, "done %s;", ev->finish_reason);
		t->message_id = ev->message_id;
		t->tokens = ev->tokens;
		t->prompt_tokens = ev->prompt_tokens;
		t->is_estimated = ev->is_estimated;
		break;
	case LN_CHAT_TITLE:
		ln_buf_printf(&t->log, "title %s;", ev->title);
		break;
	case LN_CHAT_ERROR:
		ln_buf_printf(&t->log, "error %s %s;",
		    ln_status_token(ev->status), ev->sentence);
		break;
	}
}

struct ln_chat *
talk_begin(struct talk *t, const struct ln_chat_opts *opts)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_chat *c = NULL;

	ln_buf_clear(&t->log);
	ln_buf_clear(&t->text);
	t->seq = 0;
	if (ln_chat_begin(t->st, t->cfg, opts, talk_note, t, &c, &err) !=
	    LN_OK)
		fail_msg("begin: %s (%s)", err.text, err.detail);
	return c;
}

void
talk_feed(struct ln_chat *c, const char *text)
{
	struct ln_buf b = LN_BUF_INIT(1024 * 1024);
	struct ln_jw *w = ln_jw_new();

	ln_jw_object(w, NULL);
	ln_jw_object(w, "message");
	ln_jw_string(w, "content", text);
	assert_int_equal(ln_jw_print(w, false, &b), LN_OK);
	ln_jw_free(w);
	ln_buf_putc(&b, '\n');
	ln_chat_feed(c, 200, ln_buf_str(&b), b.len);
	ln_buf_free(&b);
}

void
talk_feed_done(struct ln_chat *c, int tokens, int prompt_tokens)
{
	char line[200];

	if (tokens > 0)
		snprintf(line, sizeof(line), "{\"done\":true,\"done_reason\":"
		    "\"stop\",\"eval_count\":%d,\"prompt_eval_count\":%d}\n",
		    tokens, prompt_tokens);
	else
		snprintf(line, sizeof(line), "{\"done\":true}\n");
	ln_chat_feed(c, 200, line, strlen(line));
}

void
talk_feed_call(struct ln_chat *c, const char *name, const char *arguments)
{
	char line[512];

	snprintf(line, sizeof(line), "{\"message\":{\"content\":\"\","
	    "\"tool_calls\":[{\"function\":{\"name\":\"%s\","
	    "\"arguments\":%s}}]}}\n", name, arguments);
	ln_chat_feed(c, 200, line, strlen(line));
}

/* The body of a request is no string. */
const char *
talk_in_body(const struct ln_chat *c, const char *word)
{
	const struct ln_http_request *r = ln_chat_request(c);
	const char *p = r->body, *end = p + r->body_len;
	size_t n = strlen(word);

	for (; p + n <= end; p++) {
		if (memcmp(p, word, n) == 0)
			return p;
	}
	return NULL;
}

void
talk_expect(struct talk *t, int64_t message_id, const char *state,
    const char *content)
{
	struct ln_store *other = place_open(t->place, 1000);
	struct ln_message *m = NULL;

	assert_int_equal(ln_message_get(other, "ann", message_id, &m, NULL),
	    LN_OK);
	assert_string_equal(ln_message_state_name(m->state), state);
	assert_string_equal(m->content, content);
	ln_message_free(m);
	ln_store_close(other);
}

#include "talk.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "markdown.h"

#define DIM "\033[2m"
#define PLAIN "\033[0m"

/* What happens while an answer comes: text, thinking, tools. */

/* Both streams are one screen: a note begins a line of its own. */
static void
begin_line(struct talk *t)
{
	if (t->markdown != NULL)
		markdown_settle(t->markdown);
	else if (t->is_mid_line && t->shows_thinking)
		(void)fputc('\n', stderr);
	t->is_mid_line = false;
}

static void
end_thinking(struct talk *t)
{
	if (!t->is_thinking)
		return;
	t->is_thinking = false;
	(void)fputs(t->c->has_color ? PLAIN "\n\n" : "\n\n", stderr);
	(void)fflush(stderr);
	t->is_mid_line = false;
}

/* For a person who watches, never in the data. */
static void
on_thinking(struct talk *t, const struct ln_chat_event *ev)
{
	if (!t->shows_thinking)
		return;
	if (!t->is_thinking) {
		(void)fflush(stdout);
		begin_line(t);
		(void)fputs(t->c->has_color ? DIM : "[thinking]\n", stderr);
	}
	t->is_thinking = true;
	out_text(stderr, ev->text, ev->len);
	(void)fflush(stderr);
}

static void
on_chunk(struct talk *t, const struct ln_chat_event *ev)
{
	end_thinking(t);
	ln_buf_put(&t->answer, ev->text, ev->len);
	if (!t->is_printing || ev->len == 0)
		return;
	if (t->markdown != NULL) {
		markdown_put(t->markdown, ev->text, ev->len);
		return;
	}
	out_text(stdout, ev->text, ev->len);
	(void)fflush(stdout);
	t->is_mid_line = ev->text[ev->len - 1] != '\n';
}

/* --- tools that ask first ------------------------------------------------- */

static void
forget_call(struct talk *t, int64_t id)
{
	struct talk_call **at = &t->asking, *gone;

	while ((gone = *at) != NULL && gone->id != id)
		at = &gone->next;
	if (gone == NULL)
		return;
	/* Decided elsewhere while the question stood here. */
	if (gone == t->asking && t->is_question_shown) {
		(void)fputc('\n', stderr);
		t->is_question_shown = false;
	}
	*at = gone->next;
	free(gone->name);
	free(gone->arguments);
	free(gone);
}

void
talk_stop_asking(struct talk *t)
{
	while (t->asking != NULL)
		forget_call(t, t->asking->id);
}

static void
remember_call(struct talk *t, const struct ln_chat_event *ev)
{
	struct talk_call **at = &t->asking, *call;

	if ((call = calloc(1, sizeof(*call))) == NULL ||
	    (call->name = strdup(ev->text)) == NULL ||
	    (call->arguments = strdup(ev->arguments != NULL ?
	    ev->arguments : "{}")) == NULL) {
		/* It stays undecided until the browser or time ends it. */
		ctx_note(t->c, "out of memory: the call waits in the browser");
		if (call != NULL)
			free(call->name);
		free(call);
		return;
	}
	call->id = ev->call_id;
	while (*at != NULL)
		at = &(*at)->next;
	*at = call;
}

static void
decide(struct talk *t, bool is_allowed)
{
	struct ln_error err = LN_ERROR_INIT;
	int64_t id = t->asking->id;
	enum ln_status s;

	t->is_question_shown = false;
	s = ln_chat_decide(t->c->st, t->user->id, t->conversation_id, id,
	    is_allowed, &err);
	forget_call(t, id);
	/* Somebody may have decided in the browser. */
	if (s != LN_OK && s != LN_NOT_FOUND)
		(void)ctx_fail(t->c, s, &err, NULL, "tool");
}

static void
show_question(struct talk *t)
{
	const struct talk_call *call = t->asking;

	/* What was typed before the question is no answer to it. */
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	(void)fputs("The model wants to use ", stderr);
	out_text(stderr, call->name, strlen(call->name));
	(void)fputs(" with ", stderr);
	out_text(stderr, call->arguments, strlen(call->arguments));
	(void)fputs(".  Allow it? [y/N] ", stderr);
	(void)fflush(stderr);
	t->is_question_shown = true;
	t->reply_length = 0;
}

/* One line of the terminal, as far as it has come; true when it is whole. */
static bool
read_reply(struct talk *t)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char ch;

	while (poll(&p, 1, 0) > 0) {
		if (read(STDIN_FILENO, &ch, 1) <= 0)
			return true;	/* Ctrl-D is no */
		if (ch == '\n')
			return true;
		if (t->reply_length < sizeof(t->reply) - 1)
			t->reply[t->reply_length++] = ch;
	}
	return false;
}

/* The turn goes on while the person thinks about it. */
static void
poll_decision(struct talk *t)
{
	if (!t->c->is_interactive) {
		ctx_note(t->c, "The model asked for a tool that asks first;"
		    " nobody can be asked here, so it is not allowed");
		decide(t, false);
		return;
	}
	if (!t->is_question_shown)
		show_question(t);
	if (!read_reply(t))
		return;
	t->reply[t->reply_length] = '\0';
	decide(t, strcmp(t->reply, "y") == 0 || strcmp(t->reply, "Y") == 0 ||
	    strcmp(t->reply, "yes") == 0);
}

static void
on_tool(struct talk *t, const struct ln_chat_event *ev)
{
	end_thinking(t);
	(void)fflush(stdout);
	begin_line(t);
	if (strcmp(ev->call_state, "asking") == 0) {
		remember_call(t, ev);
		return;
	}
	forget_call(t, ev->call_id);
	if (strcmp(ev->call_state, "running") != 0)
		ctx_note(t->c, "[tool %s: %s%s%s]", ev->text, ev->call_state,
		    ev->sentence != NULL ? ": " : "",
		    ev->sentence != NULL ? ev->sentence : "");
}

bool
talk_is_cancelled(void *arg)
{
	struct talk *t = arg;

	if (t->asking != NULL && !sig_interrupted())
		poll_decision(t);
	return sig_interrupted();
}

void
talk_on_event(void *arg, const struct ln_chat_event *ev)
{
	struct talk *t = arg;

	switch (ev->type) {
	case LN_CHAT_CONVERSATION:
		(void)talk_assign(t, &t->conversation_id, ev->conversation_id);
		t->is_new = true;
		if (ev->title != NULL)
			(void)talk_assign(t, &t->title, ev->title);
		return;
	case LN_CHAT_CHUNK:
		on_chunk(t, ev);
		return;
	case LN_CHAT_THINKING:
		on_thinking(t, ev);
		return;
	case LN_CHAT_TOOL:
		on_tool(t, ev);
		return;
	case LN_CHAT_DONE:
		end_thinking(t);
		talk_on_done(t, ev);
		return;
	case LN_CHAT_TITLE:
		(void)talk_assign(t, &t->title, ev->title);
		return;
	case LN_CHAT_SAVED:
		return;
	case LN_CHAT_ERROR:
		/* What it was comes back from ln_chat_run as well. */
		end_thinking(t);
		t->has_error = true;
		return;
	}
}

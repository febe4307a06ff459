/* What tools gave goes into the next request, as far as the model keeps it in
 * sight. */
#include "service/chat.h"

#include <string.h>

#include <ln/text.h>

#include "service/toolbox.h"

#include "base/banned.h"

#define NOTE_MAX ((size_t)256)	/* bytes that may follow a result */

/* At most ${max} bytes of it, whole characters, and then a word about it. */
static void
put_result(struct ln_buf *b, const char *text, size_t max)
{
	size_t n = strlen(text), fits;

	if (n <= max) {
		ln_buf_put(b, text, n);
		return;
	}
	fits = ln_utf8_prefix(text, n, max > NOTE_MAX ? max - NOTE_MAX : 0);
	ln_buf_put(b, text, fits);
	ln_buf_printf(b, "\n[Cut: %zu of %zu bytes fit into what the model "
	    "keeps in sight.]", fits, n);
}

static enum ln_status
add(struct ln_chat *c, const struct lni_call *call, bool is_last, size_t max,
    struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(LNI_TOOL_RESULT_MAX + 2 * NOTE_MAX);
	enum ln_status s;

	put_result(&b, lni_chat_call_told(call), max);
	if (is_last && c->calls_left_out > 0)
		ln_buf_printf(&b, "\n[%zu more calls were not run: at most %d "
		    "at a time.]", c->calls_left_out, LNI_CHAT_CALLS_MAX);
	if ((s = ln_buf_status(&b)) != LN_OK)
		(void)ln_fail(err, s, "", "tool result");
	else
		s = lni_prompt_add_result(&c->prompt, ln_buf_str(&b), call->id,
		    call->name, err);
	ln_buf_free(&b);
	return s;
}

static size_t
wanted(const struct ln_chat *c)
{
	size_t sum = 0, i;

	for (i = 0; i < c->call_count; i++)
		sum += strlen(lni_chat_call_told(&c->calls[i])) +
		    LNI_TURN_OVERHEAD;
	return sum;
}

/* A round gets half of what is left, so that there may be another. */
static size_t
share(const struct ln_chat *c)
{
	size_t room = lni_chat_room(c);

	return room == SIZE_MAX ? room : room / 2;
}

/* What was said long ago makes room for what is needed now, but not for more
 * than a quarter of the context. */
static void
make_room(struct ln_chat *c)
{
	size_t need = wanted(c);

	if (need > (size_t)c->context)	/* bytes: a quarter of its tokens */
		need = (size_t)c->context;
	while (share(c) < need && lni_prompt_drop_oldest(&c->prompt))
		continue;
}

enum ln_status
lni_chat_add_results(struct ln_chat *c, struct ln_error *err)
{
	size_t left, max, n, i;
	enum ln_status s = LN_OK;

	if (c->context > 0)
		make_room(c);
	left = share(c);
	for (i = 0; i < c->call_count && s == LN_OK; i++) {
		max = left / (c->call_count - i);
		n = strlen(lni_chat_call_told(&c->calls[i])) +
		    LNI_TURN_OVERHEAD;
		left -= n < max ? n : max;
		s = add(c, &c->calls[i], i + 1 == c->call_count,
		    max > LNI_TURN_OVERHEAD ? max - LNI_TURN_OVERHEAD : 0,
		    err);
	}
	return s;
}

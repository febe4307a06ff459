#include "llm/think.h"

#include <string.h>

#include "base/banned.h"

static const char OPENING[] = "<think>", CLOSING[] = "</think>";

#define OPENING_LEN (sizeof(OPENING) - 1)
#define CLOSING_LEN (sizeof(CLOSING) - 1)

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
give(lni_think_fn *fn, void *arg, bool is_thought, const char *p, size_t n)
{
	if (n > 0)
		fn(arg, is_thought, p, n);
}

/* How many bytes were used; the rest is for the next state. */
static size_t
at_start(struct lni_think *t, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (t->matched == 0 && is_blank(p[i]) &&
		    t->held_len < LNI_THINK_SPACE_MAX) {
			t->held[t->held_len++] = p[i];
			continue;
		}
		if (p[i] != OPENING[t->matched]) {
			t->state = LNI_THINK_PLAIN;
			return i;
		}
		t->held[t->held_len++] = p[i];
		if (++t->matched == OPENING_LEN) {
			t->held_len = t->matched = 0;
			t->state = LNI_THINK_INSIDE;
			return i + 1;
		}
	}
	return n;
}

static size_t
inside(struct lni_think *t, const char *p, size_t n, lni_think_fn *fn,
    void *arg)
{
	size_t from = 0, i;

	for (i = 0; i < n; i++) {
		if (!t->has_thought && t->matched == 0 && is_blank(p[i])) {
			from = i + 1;
			continue;
		}
		if (p[i] != CLOSING[t->matched]) {
			/* Of a tag that began in an earlier piece. */
			if (t->matched > i - from)
				give(fn, arg, true, CLOSING,
				    t->matched - (i - from));
			t->has_thought = true;
			t->matched = 0;
			if (p[i] != CLOSING[0])
				continue;
		}
		if (++t->matched == CLOSING_LEN) {
			if (i + 1 > from + CLOSING_LEN)
				give(fn, arg, true, p + from,
				    i + 1 - from - CLOSING_LEN);
			t->matched = 0;
			t->state = LNI_THINK_AFTER;
			return i + 1;
		}
	}
	if (n - from > t->matched)
		give(fn, arg, true, p + from, n - from - t->matched);
	return n;
}

static size_t
behind(struct lni_think *t, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_blank(p[i]))
		i++;
	if (i < n)
		t->state = LNI_THINK_PLAIN;
	return i;
}

void
lni_think_feed(struct lni_think *t, const char *p, size_t n,
    lni_think_fn *fn, void *arg)
{
	size_t used = 0;

	if (t->state == LNI_THINK_START)
		used += at_start(t, p, n);
	if (t->state == LNI_THINK_INSIDE)
		used += inside(t, p + used, n - used, fn, arg);
	if (t->state == LNI_THINK_AFTER)
		used += behind(t, p + used, n - used);
	if (t->state == LNI_THINK_PLAIN) {
		give(fn, arg, false, t->held, t->held_len);
		t->held_len = 0;
		give(fn, arg, false, p + used, n - used);
	}
}

void
lni_think_end(struct lni_think *t, lni_think_fn *fn, void *arg)
{
	if (t->state == LNI_THINK_START)
		give(fn, arg, false, t->held, t->held_len);
	else if (t->state == LNI_THINK_INSIDE)
		give(fn, arg, true, CLOSING, t->matched);
	t->held_len = t->matched = 0;
	t->state = LNI_THINK_PLAIN;
}

/* What time brings to turns: journal, sign of life, stop, block.  One write
 * transaction and one read transaction for all turns of a caller. */
#include "service/chat.h"

#include <string.h>

#include <ln/time.h>

#include "model/generation.h"
#include "store/tx.h"

#include "base/banned.h"

#define CHECK_MS 500	/* contract: a block stops an answer within 1 s */
#define CROWD 16	/* turns; nobody reads so many as they are written */
#define ASKING_MS 100	/* somebody waits for their click to be felt */
#define BEAT_MS 5000	/* well below LN_CHAT_DEAD_MS */

/* A clock that was set back must not stop the journal. */
static bool
is_due(int64_t now_ms, int64_t last_ms, int64_t every_ms)
{
	return now_ms - last_ms >= every_ms || now_ms < last_ms;
}

/* --- writing ------------------------------------------------------------- */

/*
 * What a turn has to write, and whether that may not wait.  What may wait
 * goes along when somebody's may not: the commit is what costs.
 */
static bool
plan(struct ln_chat *c)
{
	size_t pending = c->answer.len - c->journalled;
	bool is_urgent;

	c->work = LNI_CHAT_NOTHING;
	if (c->phase == LNI_CHAT_NAMING) {
		c->work = LNI_CHAT_NAME;
		return true;
	}
	if (c->is_unsaved || c->phase > LNI_CHAT_SAVING)
		return false;
	if (c->phase == LNI_CHAT_SAVING) {
		c->work = LNI_CHAT_SAVE;
		return true;
	}
	is_urgent = lni_chat_calls_pending(c) ||
	    pending >= LN_CHAT_JOURNAL_BYTES;
	if (pending == 0 && !is_urgent &&
	    !is_due(c->now_ms, c->beat_ms, BEAT_MS))
		return false;
	c->work = LNI_CHAT_JOURNAL;
	/* A database that is busy is not asked at every tick. */
	return is_due(c->now_ms, c->journal_ms, LN_CHAT_JOURNAL_MS) ||
	    (is_urgent && c->work_status == LN_OK);
}

/* In a savepoint of its own: it must not take the others with it. */
static enum ln_status
write_one(struct ln_chat *c)
{
	enum ln_status s;

	if ((s = lni_tx_begin(c->store, &c->work_error)) != LN_OK)
		return s;
	if (c->work == LNI_CHAT_SAVE)
		s = lni_chat_save(c, &c->work_error);
	else if (c->work == LNI_CHAT_NAME)
		s = lni_chat_title_write(c, &c->work_error);
	else
		s = lni_chat_journal(c, &c->work_error);
	return lni_tx_end(c->store, s, &c->work_error);
}

static enum ln_status
write_rows(struct ln_chat *const *chats, size_t n, struct ln_error *err)
{
	struct ln_chat *c;
	size_t i;

	for (i = 0; i < n; i++) {
		c = chats[i];
		if (c->work == LNI_CHAT_NOTHING)
			continue;
		c->work_status = write_one(c);
		/* A full disk rolls back everything by itself. */
		if (!lni_tx_is_alive(c->store)) {
			if (err != NULL)
				*err = c->work_error;
			return c->work_status;
		}
	}
	return LN_OK;
}

static void
write_all(struct ln_chat *const *chats, size_t n)
{
	struct ln_store *st = chats[0]->store;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	struct ln_chat *c;
	size_t i;

	if ((s = lni_tx_begin(st, &err)) == LN_OK)
		s = lni_tx_end(st, write_rows(chats, n, &err), &err);
	for (i = 0; i < n; i++) {
		c = chats[i];
		if (c->work == LNI_CHAT_NOTHING)
			continue;
		if (s != LN_OK) {
			c->work_status = s;
			c->work_error = err;
		}
		c->journal_ms = c->now_ms;
		if (c->work == LNI_CHAT_SAVE)
			lni_chat_saved(c, c->work_status, &c->work_error);
		else if (c->work == LNI_CHAT_NAME)
			lni_chat_title_written(c, c->work_status);
		else
			lni_chat_journalled(c, c->work_status);
	}
}

/* --- looking ------------------------------------------------------------- */

/* The account of a turn; several turns of one person ask once. */
static bool
is_blocked(struct ln_chat *const *chats, size_t i)
{
	const struct ln_chat *c = chats[i];
	struct ln_user *u = NULL;
	enum ln_status s;
	bool is_gone;
	size_t k;

	for (k = i; k > 0; k--) {
		if (chats[k - 1]->finding != LNI_CHAT_UNSEEN &&
		    strcmp(chats[k - 1]->user_id, c->user_id) == 0)
			return chats[k - 1]->is_user_blocked;
	}
	s = ln_user_get(c->store, c->user_id, &u, NULL);
	is_gone = s == LN_NOT_FOUND || (s == LN_OK && u->is_blocked);
	ln_user_free(u);
	return is_gone;
}

static void
look(struct ln_chat *const *chats, size_t i)
{
	struct ln_chat *c = chats[i];
	bool is_stop_asked = false;
	enum ln_status s = LN_OK;

	c->is_user_blocked = is_blocked(chats, i);
	if (!c->is_unsaved)
		s = lni_generation_check(c->store, c->message_id, c->owner,
		    &is_stop_asked, NULL);
	if (s == LN_NOT_FOUND)
		c->finding = LNI_CHAT_LOST;
	else if (is_stop_asked)
		c->finding = LNI_CHAT_STOP;
	else if (c->is_user_blocked)
		c->finding = LNI_CHAT_BLOCK;
	else
		c->finding = LNI_CHAT_FINE;
	lni_chat_calls_look(c);
}

static void
act(struct ln_chat *c)
{
	switch (c->finding) {
	case LNI_CHAT_UNSEEN:
		break;
	case LNI_CHAT_FINE:
		lni_chat_calls_decide(c);
		break;
	case LNI_CHAT_LOST:
		lni_chat_lose(c);
		break;
	case LNI_CHAT_STOP:
		ln_chat_stop(c);
		break;
	case LNI_CHAT_BLOCK:
		lni_chat_set_error(c, LN_FORBIDDEN, LNI_CHAT_BLOCKED,
		    "blocked while an answer was written");
		lni_chat_end(c, LN_MESSAGE_STOPPED, LN_FORBIDDEN, "stopped");
		break;
	}
}

static void
look_at_all(struct ln_chat *const *chats, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		chats[i]->finding = LNI_CHAT_UNSEEN;
	/* A database that is busy is asked again the next time. */
	if (lni_read_begin(chats[0]->store, NULL) != LN_OK)
		return;
	for (i = 0; i < n; i++) {
		if (chats[i]->phase >= LNI_CHAT_SAVING)
			continue;
		chats[i]->check_ms = chats[i]->now_ms;
		look(chats, i);
	}
	lni_read_end(chats[0]->store);
	for (i = 0; i < n; i++)
		act(chats[i]);
}

/* --- together ------------------------------------------------------------ */

void
ln_chat_tick_all(struct ln_chat *const *chats, size_t count, int64_t now_ms)
{
	bool must_write = false, must_look = false;
	size_t i;

	for (i = 0; i < count; i++) {
		chats[i]->now_ms = now_ms;
		chats[i]->is_crowded = count > CROWD;
		lni_chat_show(chats[i]);
		lni_chat_retry(chats[i]);
		lni_chat_title_ask(chats[i]);
		if (chats[i]->is_unsaved)
			lni_chat_calls_written(chats[i]);
		must_write |= plan(chats[i]);
	}
	if (must_write)
		write_all(chats, count);
	for (i = 0; i < count; i++)
		must_look |= chats[i]->phase < LNI_CHAT_SAVING &&
		    is_due(now_ms, chats[i]->check_ms,
		    lni_chat_calls_asking(chats[i]) ? ASKING_MS : CHECK_MS);
	if (must_look)
		look_at_all(chats, count);
}

enum ln_status
ln_chat_tick(struct ln_chat *c, int64_t now_ms)
{
	bool was_going = c->phase < LNI_CHAT_SAVING;

	ln_chat_tick_all(&c, 1, now_ms);
	return was_going && c->phase >= LNI_CHAT_SAVING ? LN_CANCELLED :
	    LN_OK;
}

/* Work that needs no provider: searches of the offline one, tools. */
#include "service/chat_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "service/passages.h"
#include "service/retrieve.h"
#include "service/toolbox.h"

#include "base/banned.h"

#define PIECE_MAX ((size_t)240)	/* bytes of a local answer at a time */

/* --- jobs ---------------------------------------------------------------- */

static void
job_free(struct ln_chat_job *j)
{
	if (j->chat == NULL)
		lni_toolbox_free(j->box);
	free(j->name);
	free(j->arguments);
	free(j->user_id);
	free(j->conversation_id);
	free(j->question);
	free(j->project_id);
	free(j->sources);
	ln_buf_free(&j->out);
	free(j);
}

static bool
copy(const char *s, char **out)
{
	return s == NULL || (*out = strdup(s)) != NULL;
}

static bool
fill_search(struct ln_chat_job *j, const struct ln_chat *c)
{
	j->out = (struct ln_buf)LN_BUF_INIT(LN_LLM_ANSWER_MAX);
	j->question_id = c->question_id > 0 ? c->question_id : INT64_MAX;
	j->is_for_model = c->conf->base_url != NULL;
	j->passages_max = c->passages_max;
	j->cfg = c->cfg;
	return copy(c->user_id, &j->user_id) &&
	    copy(c->conversation_id, &j->conversation_id) &&
	    copy(c->question, &j->question) &&
	    copy(c->project_id, &j->project_id);
}

static bool
fill_call(struct ln_chat_job *j, const struct ln_chat *c)
{
	j->out = (struct ln_buf)LN_BUF_INIT(LNI_TOOL_RESULT_MAX);
	j->box = c->box;
	j->call = lni_chat_call_ready(c);
	return copy(c->calls[j->call].name, &j->name) &&
	    copy(c->calls[j->call].arguments, &j->arguments);
}

enum ln_status
ln_chat_job_take(struct ln_chat *c, struct ln_chat_job **out,
    struct ln_error *err)
{
	struct ln_chat_job *j;
	bool is_filled;

	*out = NULL;
	if (ln_chat_next(c) != LN_CHAT_LOCAL)
		return ln_fail(err, LN_INTERNAL, "", "no local work is due");
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "chat job");
	j->chat = c;
	atomic_init(&j->is_cancelled, false);
	is_filled = c->phase == LNI_CHAT_SEARCHING ? fill_search(j, c) :
	    fill_call(j, c);
	if (!is_filled) {
		job_free(j);
		return ln_fail(err, LN_NOMEM, "", "chat job");
	}
	c->job = j;
	if (j->box != NULL)
		lni_chat_call_started(c, j->call);
	*out = j;
	return LN_OK;
}

static bool
is_cancelled(void *arg)
{
	struct ln_chat_job *j = arg;

	return atomic_load(&j->is_cancelled);
}

/* What a model is given to read; nothing when the project has just gone. */
static enum ln_status
find_passages(struct ln_chat_job *j, struct ln_store *st)
{
	const struct ln_project_query q = { .size = sizeof(q), .cfg = j->cfg,
		.user_id = j->user_id, .project_id = j->project_id,
		.question = j->question, .max = LNI_PASSAGES_OFFERED,
		.is_stopped = is_cancelled, .arg = j };
	struct ln_passage_list list;
	enum ln_status s;
	size_t count;

	s = ln_project_search(st, &q, &list, &j->err);
	if (s != LN_OK)
		return s == LN_NOT_FOUND ? LN_OK : s;
	lni_passages_frame(&list, j->passages_max, &j->out, &count);
	if ((s = ln_buf_status(&j->out)) != LN_OK)
		s = ln_fail(&j->err, s, "", "passages");
	else if (count > 0)
		s = lni_passages_json(&list, count, &j->sources, &j->err);
	ln_passage_list_free(&list);
	return s;
}

void
ln_chat_job_run(struct ln_chat_job *j, struct ln_store *st)
{
	const struct lni_retrieve r = {
		.cfg = j->cfg,
		.is_stopped = is_cancelled,
		.arg = j,
		.user_id = j->user_id,
		.question = j->question,
		.conversation_id = j->conversation_id,
		.question_id = j->question_id,
		.project_id = j->project_id,
		.out_sources = &j->sources,
	};

	if (atomic_load(&j->is_cancelled))
		j->status = ln_fail(&j->err, LN_CANCELLED, "", "not begun");
	else if (j->box != NULL)
		j->status = lni_toolbox_run(j->box, st, j->name, j->arguments,
		    &j->is_cancelled, &j->out, &j->err);
	else if (j->is_for_model)
		j->status = find_passages(j, st);
	else
		j->status = lni_retrieve_answer(st, &r, &j->out, &j->err);
}

void
ln_chat_job_fail(struct ln_chat_job *j, enum ln_status s,
    const struct ln_error *why)
{
	j->status = s;
	if (why != NULL)
		j->err = *why;
}

void
ln_chat_job_cancel(struct ln_chat_job *j)
{
	atomic_store(&j->is_cancelled, true);
}

/* A search is over: a model is asked, or its answer is told. */
static void
take_found(struct ln_chat *c, struct ln_chat_job *j)
{
	free(c->sources);
	c->sources = j->sources;
	j->sources = NULL;
	if (j->status == LN_OK && j->is_for_model) {
		j->status = lni_chat_ask_with(c, ln_buf_str(&j->out),
		    &j->err);
		if (j->status == LN_OK) {
			c->phase = LNI_CHAT_SENDING;
			return;
		}
	}
	ln_buf_free(&c->local);
	c->local = j->out;
	j->out = (struct ln_buf)LN_BUF_INIT(0);
	c->phase = LNI_CHAT_PUMPING;
	/* A failure is told by ln_chat_pump. */
	if (j->status != LN_OK)
		lni_chat_set_error(c, j->status,
		    ln_error_text(&j->err, j->status),
		    lni_error_detail(&j->err));
}

void
ln_chat_job_finish(struct ln_chat_job *j)
{
	struct ln_chat *c = j->chat;

	if (c == NULL) {
		job_free(j);
		return;
	}
	c->job = NULL;
	if (j->box != NULL) {
		lni_chat_call_ran(c, j->call, j->status, &j->err, &j->out);
	} else {
		take_found(c, j);
	}
	job_free(j);
}

void
lni_chat_drop_job(struct ln_chat *c)
{
	if (c->job == NULL)
		return;
	ln_chat_job_cancel(c->job);
	/* What it works with is its own now. */
	c->job->chat = NULL;
	if (c->job->box != NULL)
		c->box = NULL;
	c->job = NULL;
}

enum ln_status
ln_chat_local(struct ln_store *st, struct ln_chat *c, struct ln_error *err)
{
	struct ln_chat_job *j;
	enum ln_status s;

	if ((s = ln_chat_job_take(c, &j, err)) != LN_OK)
		return s;
	ln_chat_job_run(j, st);
	if (j->box == NULL && (s = j->status) != LN_OK && err != NULL)
		*err = j->err;
	ln_chat_job_finish(j);
	return s;
}

/* --- the answer of a search ----------------------------------------------- */

/* The end of a sentence or line, or of as many bytes as are enough. */
static size_t
piece_length(const char *p, size_t n)
{
	size_t i, max = n < PIECE_MAX ? n : PIECE_MAX;

	for (i = 0; i < max; i++) {
		if (p[i] == '\n' || (p[i] == '.' && i + 1 < n &&
		    p[i + 1] == ' '))
			return i + 1;
	}
	while (max < n && max > 1 && ((unsigned char)p[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void
ln_chat_pump(struct ln_chat *c)
{
	const char *p = ln_buf_str(&c->local) + c->local_pos;
	size_t n;

	if (c->phase == LNI_CHAT_SAVING) {
		if (!c->is_batched)
			lni_chat_try_save(c);
		return;
	}
	if (c->phase != LNI_CHAT_PUMPING)
		return;
	if (c->has_error) {
		lni_chat_end(c, LN_MESSAGE_FAILED, c->error.status, "error");
		return;
	}
	n = piece_length(p, c->local.len - c->local_pos);
	c->local_pos += n;
	if (n > 0)
		lni_chat_append(c, p, n);
	if (c->phase == LNI_CHAT_PUMPING && c->local_pos == c->local.len)
		lni_chat_end(c, LN_MESSAGE_COMPLETE, LN_OK, "stop");
}

/* Documents that were read get vectors, where a model embeds. */
#include <ln/project.h>

#include <stdlib.h>
#include <string.h>

#include <ln/embedding.h>
#include <ln/secret.h>
#include <ln/time.h>

#include "model/document.h"
#include "model/vector.h"
#include "service/provider.h"
#include "store/tx.h"
#include "text/vector.h"

#include "base/banned.h"

/* Long enough for a request that takes all its time, and saving after it. */
#define LEASE_MS (2 * (int64_t)LN_EMBEDDING_TOTAL_MS)
#define RETRY_MAX_MS ((int64_t)60 * 60 * 1000)
#define DOUBLINGS_MAX 6
/* Of one request: so many that it ends in time on a slow machine, too. */
#define BATCH ((size_t)16)

_Static_assert(BATCH <= LN_EMBEDDING_TEXTS_MAX &&
    BATCH * LN_CHUNK_MAX <= LN_EMBEDDING_BYTES_MAX, "a batch is one request");

struct maker {
	struct ln_store *st;
	const struct ln_document_embed *e;
	struct lni_vector_task task;
	struct ln_provider_conf *conf;
	char holder[LNI_HOLDER_SIZE];
};

static bool
must_stop(const struct maker *m)
{
	return m->e->is_stopped != NULL && m->e->is_stopped(m->e->arg);
}

static bool
is_stopped(void *arg)
{
	return must_stop(arg);
}

static void
tell(const struct maker *m)
{
	struct ln_document *d = NULL;

	if (m->e->on_change == NULL)
		return;
	if (ln_document_get(m->st, m->task.user_id, m->task.project_id,
	    m->task.document_id, &d, NULL) == LN_OK)
		m->e->on_change(m->e->arg, m->task.user_id, d);
	ln_document_free(d);
}

/* The setting may have changed since the document was taken. */
static enum ln_status
choose(struct maker *m, struct ln_error *err)
{
	char *model = NULL;
	enum ln_status s;

	s = lni_provider_embedding(m->st, m->e->cfg, m->task.user_id, &model,
	    &m->conf, err);
	if (s == LN_OK && (model == NULL || strcmp(model, m->task.model) != 0))
		s = ln_fail(err, LN_CANCELLED, "", "another embedding model");
	ln_free(model);
	return s;
}

static enum ln_status
put_all(struct maker *m, const struct lni_vector_chunk *chunks,
    const struct ln_embeddings *e, unsigned char *packed,
    struct ln_error *err)
{
	enum ln_status s;
	size_t i;

	s = lni_vector_hold(m->st, m->task.document_id, m->holder,
	    ln_time_now_ms() + LEASE_MS, err);
	for (i = 0; s == LN_OK && i < e->count; i++) {
		lni_vector_pack(e->values + i * e->dimension, e->dimension,
		    packed);
		s = lni_vector_put(m->st, chunks[i].id, m->task.model, packed,
		    e->dimension, err);
	}
	return s;
}

static enum ln_status
save(struct maker *m, const struct lni_vector_chunk *chunks,
    const struct ln_embeddings *e, struct ln_error *err)
{
	unsigned char *packed;
	enum ln_status s;

	packed = malloc(e->dimension * LNI_VECTOR_NUMBER_BYTES);
	if (packed == NULL)
		return ln_fail(err, LN_NOMEM, "", "vector");
	if ((s = lni_tx_begin(m->st, err)) == LN_OK) {
		s = put_all(m, chunks, e, packed, err);
		s = lni_tx_end(m->st, s, err);
	}
	free(packed);
	return s;
}

static enum ln_status
make_batch(struct maker *m, const struct lni_vector_chunk *chunks,
    size_t count, struct ln_error *err)
{
	const struct ln_embed_opts opts = { .size = sizeof(opts),
		.is_stopped = is_stopped, .arg = m };
	struct ln_embeddings e = { 0, 0, NULL };
	const char *texts[BATCH];
	enum ln_status s;
	size_t i;

	for (i = 0; i < count; i++)
		texts[i] = chunks[i].text;
	s = ln_embed(m->conf, m->task.model, texts, count, &opts, &e, err);
	if (s == LN_OK)
		s = save(m, chunks, &e, err);
	ln_embeddings_free(&e);
	return s;
}

static enum ln_status
make_all(struct maker *m, struct ln_error *err)
{
	struct lni_vector_chunk chunks[BATCH];
	enum ln_status s = LN_OK;
	size_t i, count;

	do {
		if (must_stop(m))
			return ln_fail(err, LN_CANCELLED, "", "stopped");
		s = lni_vector_missing(m->st, m->task.document_id,
		    m->task.model, chunks, BATCH, &count, err);
		if (s == LN_OK && count > 0)
			s = make_batch(m, chunks, count, err);
		for (i = 0; i < count; i++)
			ln_free(chunks[i].text);
	} while (s == LN_OK && count > 0);
	return s;
}

/* A search looks at each vector of the project: their number has a bound. */
static enum ln_status
check_size(struct maker *m, const char **out_reason, struct ln_error *err)
{
	enum ln_status s;
	int64_t count = 0;

	*out_reason = NULL;
	if (m->task.chunk_count > LN_VECTORS_DOCUMENT_MAX) {
		*out_reason = "It is too long for a search by meaning. Its "
		    "words are found";
		return LN_OK;
	}
	s = lni_vector_count(m->st, m->task.project_id, m->task.model, &count,
	    err);
	if (s == LN_OK && count + m->task.chunk_count > LN_VECTORS_PROJECT_MAX)
		*out_reason = "The project has too much text for a search by "
		    "meaning. Words are found in all of it";
	return s;
}

static int64_t
retry_ms(int64_t tries)
{
	int64_t ms = LN_VECTORS_RETRY_MS;
	int64_t i;

	for (i = 0; i < tries && i < DOUBLINGS_MAX; i++)
		ms *= 2;
	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static enum ln_status
settle(struct maker *m, enum ln_vectors state, const char *reason,
    int64_t due_ms, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(m->st, err)) != LN_OK)
		return s;
	s = lni_vector_end(m->st, m->task.document_id, m->holder, state,
	    reason, due_ms, err);
	return lni_tx_end(m->st, s, err);
}

/* What the provider, or its choice, is to blame for is kept with the document;
 * a fault of this machine is not: it is tried again when the lease is over. */
static enum ln_status
finish(struct maker *m, enum ln_status s, const char *skipped,
    struct ln_error *err)
{
	int64_t now_ms = ln_time_now_ms();

	if (s == LN_OK && skipped != NULL)
		return settle(m, LN_VECTORS_SKIPPED, skipped, 0, err);
	if (s == LN_OK)
		return settle(m, LN_VECTORS_READY, NULL, 0, err);
	if (s == LN_NOMEM || s == LN_IO || s == LN_BUSY || s == LN_CORRUPT ||
	    s == LN_INTERNAL || (s == LN_CANCELLED && !must_stop(m)))
		return s;
	if (s == LN_CANCELLED) {
		s = settle(m, LN_VECTORS_WORKING, NULL, now_ms, err);
		return s == LN_OK ? LN_CANCELLED : s;
	}
	return settle(m, LN_VECTORS_FAILED, ln_error_text(err, s),
	    now_ms + retry_ms(m->task.tries), err);
}

enum ln_status
ln_document_embed_next(struct ln_store *st,
    const struct ln_document_embed *e, struct ln_error *err)
{
	struct maker m = { .st = st, .e = e };
	struct ln_error why = LN_ERROR_INIT;
	const char *skipped = NULL;
	enum ln_status s;

	ln_uuid(m.holder);
	if ((s = lni_vector_take(st, e->project_id, m.holder,
	    ln_time_now_ms() + LEASE_MS, &m.task, err)) != LN_OK)
		return s;
	tell(&m);
	if ((s = check_size(&m, &skipped, &why)) == LN_OK && skipped == NULL &&
	    (s = choose(&m, &why)) == LN_OK)
		s = make_all(&m, &why);
	s = finish(&m, s, skipped, &why);
	tell(&m);
	/* In other hands, deleted, or meant for another model: no failure. */
	if (s == LN_CANCELLED && !must_stop(&m))
		s = LN_OK;
	if (s != LN_OK && err != NULL)
		*err = why;
	ln_provider_conf_free(m.conf);
	lni_vector_task_clear(&m.task);
	return s;
}

enum ln_status
ln_project_reindex(struct ln_store *st, const char *user_id,
    const char *project_id, struct ln_error *err)
{
	struct ln_project *p = NULL;
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = ln_project_get(st, user_id, project_id, &p, err)) == LN_OK)
		s = lni_vector_forget(st, project_id, err);
	ln_project_free(p);
	return lni_tx_end(st, s, err);
}

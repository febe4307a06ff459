/* Passages for a question: by its words, and by its meaning. */
#include "service/find_passages.h"

#include <stdlib.h>
#include <string.h>

#include <ln/embedding.h>
#include <ln/log.h>
#include <ln/secret.h>

#include "model/chunk.h"
#include "model/vector.h"
#include "service/provider.h"
#include "service/retrieve.h"
#include "text/vector.h"

#include "base/banned.h"

/* How far down both lists are looked at before they are joined. */
#define DEPTH ((size_t)LN_PASSAGE_COUNT_MAX)
/* Vectors that stand about at right angles have nothing to do with each
 * other; without a bound every question would find something. */
#define COSINE_MIN 0.25
#define QUESTION_MAX ((size_t)8 * 1024)	/* bytes that are embedded of it */

/* What words found, best first, with the ids of the chunks. */
struct hits {
	struct ln_passage items[DEPTH];
	int64_t ids[DEPTH];
	size_t count;
};

static void
passage_clear(struct ln_passage *p)
{
	free(p->filename);
	free(p->text);
	*p = (struct ln_passage){ 0 };
}

static void
hits_free(struct hits *h)
{
	size_t i;

	for (i = 0; h != NULL && i < h->count; i++)
		passage_clear(&h->items[i]);
	free(h);
}

static enum ln_status
copy_hit(const struct lni_chunk_hit *hit, struct ln_passage *out,
    struct ln_error *err)
{
	*out = (struct ln_passage){ .document_id = hit->document_id,
		.page = hit->page, .line = hit->line, .score = hit->score,
		.filename = strdup(hit->filename),
		.text = strdup(hit->text) };
	if (out->filename != NULL && out->text != NULL)
		return LN_OK;
	passage_clear(out);
	return ln_fail(err, LN_NOMEM, "", "passage");
}

static enum ln_status
collect(void *arg, const struct lni_chunk_hit *hit, struct ln_error *err)
{
	struct hits *h = arg;
	enum ln_status s;

	if (h->count == DEPTH)
		return LN_OK;
	s = copy_hit(hit, &h->items[h->count], err);
	if (s == LN_OK)
		h->ids[h->count++] = hit->id;
	return s;
}

static enum ln_status
copy_one(void *arg, const struct lni_chunk_hit *hit, struct ln_error *err)
{
	return copy_hit(hit, arg, err);
}

struct scan {
	const struct lni_meaning *meaning;
	struct lni_near near[DEPTH];
	size_t count;
};

static void
compare(void *arg, int64_t chunk_id, const unsigned char *packed)
{
	struct scan *scan = arg;
	double cosine = lni_vector_cosine(scan->meaning->packed, packed,
	    scan->meaning->dimension);

	if (cosine >= COSINE_MIN)
		lni_nearest_add(scan->near, DEPTH, &scan->count, chunk_id,
		    cosine);
}

/* The passage of chunk ${id}: from what words found, or from the database. */
static enum ln_status
materialise(struct ln_store *st, const struct ln_project_query *q,
    struct hits *h, int64_t id, struct ln_passage *out, struct ln_error *err)
{
	size_t i;

	for (i = 0; i < h->count; i++) {
		if (h->ids[i] == id) {
			*out = h->items[i];
			h->items[i] = (struct ln_passage){ 0 };
			return LN_OK;
		}
	}
	return lni_chunk_get(st, q->user_id, q->project_id, id, copy_one, out,
	    err);
}

static enum ln_status
fill(struct ln_store *st, const struct ln_project_query *q, struct hits *h,
    const struct lni_near *best, size_t count, struct ln_passage_list *out,
    struct ln_error *err)
{
	enum ln_status s;
	size_t i;

	if (count == 0)
		return LN_OK;
	if ((out->items = calloc(count, sizeof(*out->items))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "passages");
	for (i = 0; i < count; i++) {
		s = materialise(st, q, h, best[i].id, &out->items[out->count],
		    err);
		if (s == LN_NOT_FOUND)	/* it has just gone */
			continue;
		if (s != LN_OK)
			return s;
		out->items[out->count++].score = best[i].score;
	}
	return LN_OK;
}

static enum ln_status
join(struct ln_store *st, const struct ln_project_query *q,
    const struct lni_meaning *meaning, struct hits *h, size_t max,
    struct ln_passage_list *out, struct ln_error *err)
{
	struct scan scan = { .meaning = meaning };
	struct lni_near best[DEPTH];
	int64_t ids[DEPTH] = { 0 };
	enum ln_status s;
	size_t i, count;

	if (meaning != NULL) {
		s = lni_vector_each(st, q->user_id, q->project_id,
		    meaning->model, meaning->dimension,
		    LN_VECTORS_PROJECT_MAX, compare, &scan, err);
		if (s != LN_OK)
			return s;
	}
	for (i = 0; i < scan.count; i++)
		ids[i] = scan.near[i].id;
	count = lni_rank_fuse(h->ids, h->count, ids, scan.count, best, max);
	if (meaning == NULL) {	/* its own score says more than its place */
		for (i = 0; i < count; i++)
			best[i].score = h->items[i].score;
	}
	return fill(st, q, h, best, count, out, err);
}

enum ln_status
lni_passages_find(struct ln_store *st, const struct ln_project_query *q,
    const struct lni_meaning *meaning, struct ln_passage_list *out,
    struct ln_error *err)
{
	size_t max = q->max < DEPTH ? q->max : DEPTH;
	struct hits *h;
	char *words = NULL;
	enum ln_status s;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "passages");
	s = lni_retrieve_query(q->question, &words, err);
	if (s == LN_OK && words[0] != '\0')
		s = lni_chunk_search(st, q->user_id, q->project_id, words,
		    (int64_t)DEPTH, collect, h, err);
	if (s == LN_OK)
		s = join(st, q, meaning, h, max, out, err);
	ln_free(words);
	hits_free(h);
	return s;
}

/* --- the question as a vector --------------------------------------------- */

/* The beginning of it, not cut inside a character. */
static char *
question_text(const char *question)
{
	size_t n = strlen(question);

	if (n > QUESTION_MAX) {
		for (n = QUESTION_MAX; n > 0 &&
		    ((unsigned char)question[n] & 0xc0) == 0x80; n--)
			continue;
	}
	return strndup(question, n);
}

static enum ln_status
embed_question(const struct ln_project_query *q,
    const struct ln_provider_conf *conf, struct lni_meaning *m,
    unsigned char **out_packed, struct ln_error *err)
{
	const struct ln_embed_opts opts = { .size = sizeof(opts),
		.total_ms = LN_PASSAGE_EMBED_MS,
		.is_stopped = q->is_stopped, .arg = q->arg };
	struct ln_embeddings e = { 0, 0, NULL };
	const char *texts[1];
	char *text;
	enum ln_status s;

	if ((text = question_text(q->question)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "question");
	texts[0] = text;
	if ((s = ln_embed(conf, m->model, texts, 1, &opts, &e, err)) == LN_OK) {
		*out_packed = malloc(e.dimension * LNI_VECTOR_NUMBER_BYTES);
		if (*out_packed == NULL)
			s = ln_fail(err, LN_NOMEM, "", "question");
		else
			lni_vector_pack(e.values, e.dimension, *out_packed);
	}
	m->packed = *out_packed;
	m->dimension = e.dimension;
	ln_embeddings_free(&e);
	free(text);
	return s;
}

/* LN_NOT_FOUND: there is nothing that it could be compared with. */
static enum ln_status
understand(struct ln_store *st, const struct ln_project_query *q,
    struct lni_meaning *m, char **out_model, unsigned char **out_packed,
    struct ln_error *err)
{
	struct ln_provider_conf *conf = NULL;
	enum ln_status s;
	int64_t count = 0;

	s = lni_provider_embedding(st, q->cfg, q->user_id, out_model, &conf,
	    err);
	if (s != LN_OK)
		return s;
	if (*out_model == NULL)
		return LN_NOT_FOUND;
	m->model = *out_model;
	s = lni_vector_count(st, q->project_id, m->model, &count, err);
	if (s == LN_OK)
		s = count == 0 ? LN_NOT_FOUND :
		    embed_question(q, conf, m, out_packed, err);
	ln_provider_conf_free(conf);
	return s;
}

enum ln_status
ln_project_search(struct ln_store *st, const struct ln_project_query *q,
    struct ln_passage_list *out, struct ln_error *err)
{
	struct lni_meaning m = { NULL, NULL, 0 };
	struct ln_error why = LN_ERROR_INIT;
	struct ln_project *p = NULL;
	unsigned char *packed = NULL;
	char *model = NULL;
	enum ln_status s;

	*out = (struct ln_passage_list){ NULL, 0, LN_NOT_FOUND };
	if ((s = ln_project_get(st, q->user_id, q->project_id, &p, err)) !=
	    LN_OK)
		return s;
	ln_project_free(p);
	if (q->question[0] != '\0')
		out->meaning = understand(st, q, &m, &model, &packed, &why);
	if (out->meaning != LN_OK && out->meaning != LN_NOT_FOUND)
		ln_log(LN_LOG_WARN, "passages.embed", "user=%s why=%s",
		    q->user_id, ln_status_token(out->meaning));
	s = lni_passages_find(st, q, out->meaning == LN_OK ? &m : NULL, out,
	    err);
	if (s != LN_OK)
		ln_passage_list_free(out);
	free(packed);
	ln_free(model);
	return s;
}

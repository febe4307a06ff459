#include "store/fts.h"

#include <limits.h>
#include <string.h>

#include "store/store.h"
#include "store/stmt.h"
#include "store/token.h"

#include "base/banned.h"

/* As in Robertson and Zaragoza, "The Probabilistic Relevance Framework". */
#define BM25_K1 1.2
#define BM25_B 0.75
/* Words of a usual message.  The average of all messages would be other
 * people's business. */
#define USUAL_WORDS 120.0
#define PHRASES_MAX 64
#define HITS_MAX 500		/* counted of one row: more change nothing */

static double
weight(sqlite3_value *v, int phrase)
{
	const unsigned char *p = sqlite3_value_blob(v);
	size_t n = (size_t)sqlite3_value_bytes(v);
	size_t at = (size_t)phrase * sizeof(double);
	double w;

	if (p == NULL || at + sizeof(w) > n)
		return 1.0;
	memcpy(&w, p + at, sizeof(w));
	return w;
}

static void
bm25(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx,
    int argc, sqlite3_value **argv)
{
	int hits[PHRASES_MAX] = { 0 };
	int i, n = 0, words = 0, phrase, column, offset, rc;
	double norm, score = 0;

	if (argc != 1) {
		sqlite3_result_error(ctx, "ln_bm25: one argument", -1);
		return;
	}
	rc = api->xInstCount(fts, &n);
	if (rc == SQLITE_OK)
		rc = api->xColumnSize(fts, 0, &words);
	for (i = 0; rc == SQLITE_OK && i < n && i < HITS_MAX; i++) {
		rc = api->xInst(fts, i, &phrase, &column, &offset);
		if (rc == SQLITE_OK && phrase >= 0 && phrase < PHRASES_MAX)
			hits[phrase]++;
	}
	if (rc != SQLITE_OK) {
		sqlite3_result_error_code(ctx, rc);
		return;
	}
	norm = BM25_K1 * (1 - BM25_B + BM25_B * words / USUAL_WORDS);
	for (i = 0; i < PHRASES_MAX; i++) {
		if (hits[i] > 0)
			score += weight(argv[0], i) * hits[i] *
			    (BM25_K1 + 1) / (hits[i] + norm);
	}
	sqlite3_result_double(ctx, score);
}

static int
find_api(sqlite3 *db, fts5_api **out)
{
	sqlite3_stmt *q = NULL;
	int rc;

	*out = NULL;
	rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_pointer(q, 1, out, "fts5_api_ptr", NULL);
	if (rc == SQLITE_OK)
		(void)sqlite3_step(q);
	if (rc == SQLITE_OK)
		rc = sqlite3_finalize(q);
	else
		(void)sqlite3_finalize(q);
	if (rc == SQLITE_OK && *out == NULL)
		rc = SQLITE_ERROR;
	return rc;
}

int
lni_fts_open(sqlite3 *db, struct lni_fts *out)
{
	static const char *const names[] = {
		[LNI_TOKEN_WORDS] = "unicode61", [LNI_TOKEN_PARTS] = "trigram",
	};
	/* As the migration that made the index says. */
	const char *words_args[] = { "remove_diacritics", "2" };
	fts5_api *api;
	void *context;
	size_t i;
	int rc;

	memset(out, 0, sizeof(*out));
	if ((rc = find_api(db, &api)) == SQLITE_OK)
		rc = api->xCreateFunction(api, "ln_bm25", NULL, bm25, NULL);
	for (i = 0; rc == SQLITE_OK && i < 2; i++) {
		rc = api->xFindTokenizer(api, names[i], &context,
		    &out->calls[i]);
		if (rc == SQLITE_OK)
			rc = out->calls[i].xCreate(context,
			    i == LNI_TOKEN_WORDS ? words_args : NULL,
			    i == LNI_TOKEN_WORDS ? 2 : 0, &out->tokenizer[i]);
	}
	return rc;
}

void
lni_fts_close(struct lni_fts *f)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		if (f->tokenizer[i] != NULL)
			f->calls[i].xDelete(f->tokenizer[i]);
		f->tokenizer[i] = NULL;
	}
}

struct walk {
	lni_token_fn *fn;
	void *arg;
	bool is_over;
};

static int
on_token(void *arg, int flags, const char *token, int n, int from, int to)
{
	struct walk *w = arg;

	(void)flags;
	if (w->fn(w->arg, token, (size_t)n, (size_t)from, (size_t)to) == 0)
		return SQLITE_OK;
	w->is_over = true;
	return SQLITE_DONE;
}

enum ln_status
lni_tokenize(struct ln_store *st, enum lni_token_kind kind, const char *text,
    size_t n, lni_token_fn *fn, void *arg, struct ln_error *err)
{
	struct walk w = { fn, arg, false };
	int rc;

	if (n > INT_MAX)
		return ln_fail(err, LN_TOO_LARGE, "", "%zu bytes of text", n);
	rc = st->fts.calls[kind].xTokenize(st->fts.tokenizer[kind], &w,
	    FTS5_TOKENIZE_AUX, text, (int)n, on_token);
	if (rc == SQLITE_OK || w.is_over)
		return LN_OK;
	return ln_fail(err, rc == SQLITE_NOMEM ? LN_NOMEM : LN_INTERNAL, "",
	    "tokenizer: %d", rc);
}

#ifndef LNI_FTS_H
#define LNI_FTS_H

#include <sqlite3.h>

/* What a handle adds to FTS5 and takes from it; for store/ only. */

struct lni_fts {
	fts5_tokenizer calls[2];	/* by enum lni_token_kind */
	Fts5Tokenizer *tokenizer[2];
};

/**
 * lni_fts_open(db, out):
 * Give the connection the function ln_bm25(TABLE, WEIGHTS) and make the
 * tokenizers.  ${WEIGHTS} is a blob of doubles, one for each phrase of the
 * query (those that are missing are 1).  It ranks like bm25(), higher is
 * better, but looks at the row alone: bm25() would read every row that
 * anybody has of each word, which is slow and lets one person's text weigh
 * in another's results.  SQLite result code.
 */
int lni_fts_open(sqlite3 *db, struct lni_fts *out);
void lni_fts_close(struct lni_fts *f);

#endif

#ifndef LNI_TOKEN_H
#define LNI_TOKEN_H

#include <stddef.h>

#include <ln/error.h>
#include <ln/store.h>

/*
 * Text cut up exactly as the search index cuts it up, so that what is found
 * and what is shown as found are the same.
 */
enum lni_token_kind {
	LNI_TOKEN_WORDS,	/* case folded, without diacritics */
	LNI_TOKEN_PARTS,	/* every three characters, case folded */
};

/* ${token} is borrowed; ${from} and ${to} are bytes of the text.  Not 0 ends
 * the walk early. */
typedef int lni_token_fn(void *arg, const char *token, size_t n, size_t from,
    size_t to);

/**
 * lni_tokenize(st, kind, text, n, fn, arg, err):
 * Call ${fn} for each token in order.  LN_NOMEM, LN_TOO_LARGE for 2 GiB.
 */
enum ln_status lni_tokenize(struct ln_store *st, enum lni_token_kind kind,
    const char *text, size_t n, lni_token_fn *fn, void *arg,
    struct ln_error *err) LN_USE;

#endif

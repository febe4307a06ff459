#ifndef LNI_RETRIEVE_H
#define LNI_RETRIEVE_H

#include <ln/buf.h>
#include <ln/config.h>
#include <ln/store.h>

/**
 * lni_retrieve_query(text, out, err):
 * A safe full-text query for what a person typed: its words, without the
 * commonest ones, each quoted, joined by OR.  Yours; "" when no word is left.
 */
enum ln_status lni_retrieve_query(const char *text, char **out,
    struct ln_error *err) LN_USE;

/* Whether a word is in every text; of how many bytes the word at ${p} is. */
bool lni_word_is_common(const char *word, size_t n);
size_t lni_word_length(const char *p);

struct lni_retrieve {
	const struct ln_config *cfg;	/* as for ln_provider_resolve */
	const char *user_id;
	const char *question;
	const char *conversation_id;	/* may be NULL */
	int64_t question_id;		/* it and all after it are not quoted */
	const char *project_id;		/* its documents come first; or NULL */
	char **out_sources;		/* yours: those, as a message keeps
					 * them; NULL when there are none */
	bool (*is_stopped)(void *arg);	/* as in struct ln_project_query */
	void *arg;
};

/**
 * lni_retrieve_answer(st, r, out, err):
 * The offline provider's answer as Markdown, appended to ${out}: the best
 * passages of the project's documents, of the user's own messages and of the
 * handbook, quoted and cited,
 * and the plain word that no language model wrote it.
 */
enum ln_status lni_retrieve_answer(struct ln_store *st,
    const struct lni_retrieve *r, struct ln_buf *out, struct ln_error *err)
    LN_USE;

#endif

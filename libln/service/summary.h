#ifndef LNI_SUMMARY_H
#define LNI_SUMMARY_H

#include <ln/buf.h>
#include <ln/summary.h>

/* One turn of what is to be summarized, as it is kept. */
struct lni_summary_turn {
	bool is_question;
	bool is_offline;	/* an answer that quotes, see retrieve.h */
	char *text;
};

/**
 * lni_summary_extract(turns, count, out, err):
 * Append a list of the sentences that hold most of the frequent words of the
 * turns (oldest first), in their order, under a line that says what it is.
 */
enum ln_status lni_summary_extract(const struct lni_summary_turn *turns,
    size_t count, struct ln_buf *out, struct ln_error *err) LN_USE;

#endif

#ifndef LN_STATS_H
#define LN_STATS_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>
#include <ln/user.h>

/* What a person has asked and got.  Copies that a fork began with count with
 * the conversation they come from. */

#define LN_STATS_DAYS 30
#define LN_STATS_MODEL_MAX 100

struct ln_stats_model {
	char *model;		/* NULL: unknown */
	int64_t answer_count;
	int64_t tokens;
};

struct ln_stats_day {
	int64_t start_ms;	/* midnight, UTC */
	int64_t message_count;
	int64_t tokens;
};

struct ln_stats {
	struct ln_user_stats totals;
	struct ln_stats_model models[LN_STATS_MODEL_MAX];
	size_t model_count;	/* most tokens first */
	struct ln_stats_day days[LN_STATS_DAYS];	/* today last */
};

/**
 * ln_stats_get(st, user_id, now_ms, out, err) / ln_stats_clear(s):
 * Read from indexes, no texts.  Slow for a hundred thousand messages: call it
 * in a worker thread.  LN_NOT_FOUND.  Clear also after a failure.
 */
LN_API enum ln_status ln_stats_get(struct ln_store *st, const char *user_id,
    int64_t now_ms, struct ln_stats *out, struct ln_error *err) LN_USE;
LN_API void ln_stats_clear(struct ln_stats *s);

#endif

#include <ln/branch.h>

#include <ln/time.h>

#include "model/branch.h"
#include "store/tx.h"

#include "base/banned.h"

static enum ln_status
fork_in(struct ln_store *st, struct lni_fork *f, struct ln_conversation **out,
    struct ln_error *err)
{
	enum ln_status s;
	int64_t last_ms;

	if ((s = lni_branch_check(st, f, &last_ms, err)) != LN_OK)
		return s;
	/* Later than all it begins with: that tells copies from what is
	 * written here. */
	f->now_ms = ln_time_now_ms();
	if (f->now_ms <= last_ms)
		f->now_ms = last_ms + 1;
	if ((s = lni_branch_copy(st, f, err)) != LN_OK)
		return s;
	return ln_conversation_get(st, f->user_id, f->id, out, err);
}

enum ln_status
ln_conversation_fork(struct ln_store *st, const char *user_id, const char *id,
    int64_t message_id, struct ln_conversation **out, struct ln_error *err)
{
	struct lni_fork f = { .user_id = user_id, .parent_id = id,
		.message_id = message_id };
	char fork_id[LN_UUID_SIZE];
	enum ln_status s;

	*out = NULL;
	ln_uuid(fork_id);
	f.id = fork_id;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = fork_in(st, &f, out, err);
	if ((s = lni_tx_end(st, s, err)) != LN_OK) {
		ln_conversation_free(*out);
		*out = NULL;
	}
	return s;
}

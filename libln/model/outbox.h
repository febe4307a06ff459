#ifndef LNI_OUTBOX_H
#define LNI_OUTBOX_H

#include <ln/error.h>
#include <ln/secret.h>
#include <ln/store.h>

/* Mails that wait, and how many an address got lately.  Rows only: how often
 * and how long is decided in service/mail.c. */

enum lni_mail_kind {
	LNI_MAIL_RESET,		/* a link for a new password */
	LNI_MAIL_DUPLICATE,	/* somebody registered with this address */
};

/* "reset", "duplicate". */
const char *lni_mail_kind_name(enum lni_mail_kind kind);

struct lni_outbox_row {
	int64_t id;
	enum lni_mail_kind kind;
	char user_id[LN_UUID_SIZE + 28];	/* imported ids: up to 64 */
	unsigned char address_hash[LN_KEY_BYTES];
	int64_t created_ms;
	int64_t tries;
};

/* LN_CONFLICT when one of the kind waits for the user already. */
enum ln_status lni_outbox_add(struct ln_store *st, enum lni_mail_kind kind,
    const char *user_id, const unsigned char address_hash[LN_KEY_BYTES],
    int64_t now_ms, struct ln_error *err) LN_USE;

/* The one that waits longest for its next try.  LN_NOT_FOUND. */
enum ln_status lni_outbox_due(struct ln_store *st, int64_t now_ms,
    struct lni_outbox_row *out, struct ln_error *err) LN_USE;

/* Take it until ${until_ms}; counts a try, also in ${row}. */
enum ln_status lni_outbox_lease(struct ln_store *st,
    struct lni_outbox_row *row, int64_t until_ms, struct ln_error *err) LN_USE;

/**
 * lni_outbox_sent / _failed / _later(st, row, ..., err):
 * How the try of ${row} ended.  LN_NOT_FOUND when somebody else has taken it
 * meanwhile, or it is gone.  ${why} is a word.
 */
enum ln_status lni_outbox_sent(struct ln_store *st,
    const struct lni_outbox_row *row, int64_t now_ms, struct ln_error *err)
    LN_USE;
enum ln_status lni_outbox_failed(struct ln_store *st,
    const struct lni_outbox_row *row, int64_t now_ms, const char *why,
    struct ln_error *err) LN_USE;
enum ln_status lni_outbox_later(struct ln_store *st,
    const struct lni_outbox_row *row, int64_t next_try_ms, const char *why,
    struct ln_error *err) LN_USE;

/* Forget what was settled, and what an address got, before ${before_ms}. */
enum ln_status lni_outbox_purge(struct ln_store *st, int64_t before_ms,
    struct ln_error *err) LN_USE;

/* Drop what waits, and what is known of addresses: their hashes are under a
 * key that is over. */
enum ln_status lni_outbox_end_all(struct ln_store *st, int64_t *out_count,
    struct ln_error *err) LN_USE;

/* How many the address got after ${since_ms}, and when the first of them
 * (0: none). */
enum ln_status lni_mail_limit_count(struct ln_store *st,
    enum lni_mail_kind kind, const unsigned char address_hash[LN_KEY_BYTES],
    int64_t since_ms, int64_t *out_count, int64_t *out_first_ms,
    struct ln_error *err) LN_USE;
/* One more; its id, to take it back. */
enum ln_status lni_mail_limit_add(struct ln_store *st,
    enum lni_mail_kind kind, const unsigned char address_hash[LN_KEY_BYTES],
    int64_t now_ms, int64_t *out_id, struct ln_error *err) LN_USE;
enum ln_status lni_mail_limit_remove(struct ln_store *st, int64_t id,
    struct ln_error *err) LN_USE;

extern const char *const lni_outbox_sql[];
extern const size_t lni_outbox_sql_count;

#endif

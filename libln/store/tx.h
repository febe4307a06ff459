#ifndef LNI_TX_H
#define LNI_TX_H

#include <ln/error.h>
#include <ln/store.h>

/* What service/ may use of a handle besides the public calls: transactions
 * and the actor.  No SQLite type. */

/**
 * lni_tx_begin(st, err) / lni_tx_end(st, s, err):
 * IMMEDIATE at the top, a savepoint when nested.  lni_tx_end commits only when
 * ${s} is LN_OK, else rolls back, and returns ${s} or why the commit failed.
 */
enum ln_status lni_tx_begin(struct ln_store *st, struct ln_error *err) LN_USE;
enum ln_status lni_tx_end(struct ln_store *st, enum ln_status s,
    struct ln_error *err) LN_USE;

/* Whether a transaction is open.  SQLite ends one by itself when it cannot
 * even undo a statement (disk full, I/O error, no memory). */
bool lni_tx_is_alive(const struct ln_store *st);

/* A read transaction: one snapshot for several selects. */
enum ln_status lni_read_begin(struct ln_store *st, struct ln_error *err) LN_USE;
void lni_read_end(struct ln_store *st);

/* Who acts.  Borrowed from the handle until the next ln_store_actor_set. */
const struct ln_actor *lni_store_actor(const struct ln_store *st);

/* Work on with other ${keys}, borrowed as those of ln_store_open. */
void lni_store_keys_set(struct ln_store *st, const struct ln_keys *keys);

/**
 * lni_store_scrub_begin(st, err) / lni_store_scrub_end(st):
 * Around a transaction whose old values must not stay in the file: what it
 * overwrites is zeroed / the log, which holds them too, is emptied.  The second
 * is best effort: a reader can be in the way, the next checkpoint does it then.
 */
enum ln_status lni_store_scrub_begin(struct ln_store *st,
    struct ln_error *err) LN_USE;
void lni_store_scrub_end(struct ln_store *st);

#endif

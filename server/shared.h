#ifndef SHARED_H
#define SHARED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Memory that all workers share: mapped by the parent, kept when a worker is
 * replaced, gone at restart.  Nothing here may be left locked by a process
 * that dies.
 */

#define SHARED_HASH_SLOTS 2	/* security contract: hashes at once */
#define SHARED_HASH_QUEUE 32	/* the same line */
#define SHARED_HASH_WAIT_MS 5000 /* the same line */

#define SHARED_RATE_BUCKETS 8192
#define SHARED_RATE_WAYS 8

#define SHARED_WORKERS 256	/* Kore's own bound, and its ids begin at 1 */
#define SHARED_EARS 512

struct shared {
	_Atomic unsigned ready_count;
	_Atomic bool is_announced;
	pthread_mutex_t hash_slot[SHARED_HASH_SLOTS];	/* robust */
	_Atomic int hash_queue;
	pthread_mutex_t closing;	/* robust */
	/* Monotonic ms: when to look for mail next; until when somebody sends
	 * (0: nobody does). */
	_Atomic int64_t mail_look_ms;
	_Atomic int64_t mail_sender_ms;
	_Atomic uint64_t rate[SHARED_RATE_BUCKETS][SHARED_RATE_WAYS];
	/* How many sockets each worker has of the users that fall into one
	 * bucket: no message goes to a worker where nobody listens. */
	_Atomic uint32_t ears[SHARED_WORKERS][SHARED_EARS];
};

/**
 * shared_open(out, err):
 * Map and initialise it.  Parent, once.
 */
enum ln_status shared_open(struct shared **out, struct ln_error *err);

/**
 * shared_hash_enter(sh, deadline_ms) / shared_hash_leave(sh, slot):
 * Wait for one of the slots until the monotonic time ${deadline_ms}; returns
 * its number or -1 / give it back.  Worker threads only: it sleeps.
 */
int shared_hash_enter(struct shared *sh, int64_t deadline_ms);
void shared_hash_leave(struct shared *sh, int slot);

/**
 * shared_store_close(sh, st):
 * ln_store_close, one at a time over all workers: only a handle that is alone
 * takes the write-ahead log away, and of two that close at the same moment
 * neither is.
 */
void shared_store_close(struct shared *sh, struct ln_store *st);

#endif

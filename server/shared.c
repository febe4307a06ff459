#include "shared.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <ln/time.h>

enum ln_status
shared_open(struct shared **out, struct ln_error *err)
{
	pthread_mutexattr_t attr;
	struct shared *sh;
	size_t i;

	*out = NULL;
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		return ln_fail(err, LN_NOMEM, "", "mmap: errno %d", errno);
	if (pthread_mutexattr_init(&attr) != 0)
		return ln_fail(err, LN_NOMEM, "", "mutexattr");
	if (pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) != 0 ||
	    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) != 0)
		return ln_fail(err, LN_INTERNAL, "", "mutexattr");
	for (i = 0; i < SHARED_HASH_SLOTS; i++)
		if (pthread_mutex_init(&sh->hash_slot[i], &attr) != 0)
			return ln_fail(err, LN_INTERNAL, "", "mutex");
	if (pthread_mutex_init(&sh->closing, &attr) != 0)
		return ln_fail(err, LN_INTERNAL, "", "mutex");
	(void)pthread_mutexattr_destroy(&attr);
	*out = sh;
	return LN_OK;
}

int
shared_hash_enter(struct shared *sh, int64_t deadline_ms)
{
	const struct timespec nap = { 0, 5000000 };
	int i, rc;

	for (;;) {
		for (i = 0; i < SHARED_HASH_SLOTS; i++) {
			rc = pthread_mutex_trylock(&sh->hash_slot[i]);
			/* Its owner was killed; it guards no state. */
			if (rc == EOWNERDEAD)
				rc = pthread_mutex_consistent(
				    &sh->hash_slot[i]);
			if (rc == 0)
				return i;
		}
		if (ln_time_mono_ms() >= deadline_ms)
			return -1;
		(void)nanosleep(&nap, NULL);
	}
}

void
shared_hash_leave(struct shared *sh, int slot)
{
	(void)pthread_mutex_unlock(&sh->hash_slot[slot]);
}

void
shared_store_close(struct shared *sh, struct ln_store *st)
{
	int rc;

	if (st == NULL)
		return;
	/* Its owner was killed; it guards no state. */
	if ((rc = pthread_mutex_lock(&sh->closing)) == EOWNERDEAD)
		rc = pthread_mutex_consistent(&sh->closing);
	ln_store_close(st);
	if (rc == 0)
		(void)pthread_mutex_unlock(&sh->closing);
}

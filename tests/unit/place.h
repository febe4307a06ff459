#ifndef TEST_PLACE_H
#define TEST_PLACE_H

#include <ln/store.h>

/*
 * A private folder with a fresh database, for tests that need one.  Every
 * function fails the running test by itself.
 */
struct place {
	char folder[64];
	char path[128];
	struct ln_keys *keys;
	struct ln_store *store;
};

/* cmocka fixtures: the state is a struct place. */
int place_setup(void **state);
int place_teardown(void **state);

/* One more handle on the same file; close it with ln_store_close. */
struct ln_store *place_open(const struct place *p, int busy_ms);

/* A database file ${path} of the earlier ${schema}, with the rows of ${sql}. */
void place_old(const char *path, int schema, const char *sql);

/* An account named like its id. */
void place_add_user(struct ln_store *st, const char *id);

/* Run one statement that is a static string. */
void place_exec(struct ln_store *st, const char *sql);

/* The first column of the first row of a static statement. */
int64_t place_int(struct ln_store *st, const char *sql);

#endif

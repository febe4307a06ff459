#ifndef TEST_KIT_H
#define TEST_KIT_H

#include <ln/transfer.h>

#include "place.h"

/*
 * Files to validate and import.  Paths are inside the place's folder and
 * static until the next call; every function fails the running test by itself.
 */

#define SCRYPT "legacy_scrypt.db"
#define PBKDF2 "legacy_pbkdf2.db"

/* A copy of a fixture, changed by ${sql} (NULL: as it is). */
const char *kit_legacy(struct place *p, const char *fixture, const char *sql);

/* Run ${sql} on the database ${path}, without any of our safeguards. */
void kit_sql(const char *path, const char *sql);

/* A file of these bytes. */
const char *kit_file(struct place *p, const void *bytes, size_t n);

/* Read a whole file: yours, free it. */
char *kit_read(const char *path, size_t *n);

/* All rows of all tables that an import takes over, as text: yours. */
char *kit_dump(const char *path);

/* Import ${path} and expect ${status}; the report (may be NULL) is yours. */
struct ln_report *kit_import(struct place *p, const char *path,
    const struct ln_transfer_opts *opts, enum ln_status status);
struct ln_report *kit_validate(const char *path,
    const struct ln_transfer_opts *opts);

/* The finding of that code, or NULL; its count over all subjects. */
const struct ln_finding *kit_find(const struct ln_report *r,
    const char *code);
int64_t kit_count(const struct ln_report *r, const char *code);

/* An administrator "boss" with the password "boss-Pass-01" in the live
 * database. */
#define KIT_BOSS_PASSWORD "boss-Pass-01"
const char *kit_boss(struct place *p);

/* How many entries of the place's folder begin with ${prefix}. */
size_t kit_entries(const struct place *p, const char *prefix);

/* One integer of the database file ${path}. */
int64_t kit_int(const char *path, const char *sql);

#endif

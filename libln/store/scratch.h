#ifndef LNI_SCRATCH_H
#define LNI_SCRATCH_H

#include <ln/error.h>

#define LNI_PATH_MAX 4096	/* PATH_MAX on Linux */

/*
 * A folder (0700) for working files that nobody else may see.  Files are
 * unlinked as soon as they are open, so that after that even kill -9 leaves
 * nothing; what an earlier kill left is swept when the next one is made.
 */
struct lni_scratch {
	char path[LNI_PATH_MAX];
	int fd;			/* of the folder, locked; -1: none */
};

/* The names that files in it may have. */
#define LNI_SCRATCH_COPY "copy.db"
#define LNI_SCRATCH_FRESH "fresh.db"

/**
 * lni_scratch_make(beside, purpose, sc, err):
 * Make it beside the file ${beside}, or in $TMPDIR (/tmp) when that is NULL.
 * ${purpose} is a word for its name.  LN_IO, LN_INVALID for a path that is too
 * long.
 */
enum ln_status lni_scratch_make(const char *beside, const char *purpose,
    struct lni_scratch *sc, struct ln_error *err) LN_USE;

/* Remove what killed runs of whatever purpose left beside the file ${beside},
 * or in $TMPDIR when that is NULL.  Whoever still works there holds a lock. */
void lni_scratch_sweep(const char *beside);

/* Create ${name} in it, 0600: its path in ${out} and, when ${out_fd} is not
 * NULL, a descriptor open for reading and writing. */
enum ln_status lni_scratch_file(struct lni_scratch *sc, const char *name,
    char out[LNI_PATH_MAX], int *out_fd, struct ln_error *err) LN_USE;

/* Unlink all files and the folder.  Safe on a zeroed or removed one when fd is
 * -1. */
void lni_scratch_remove(struct lni_scratch *sc);

/**
 * lni_publish(from, path, err):
 * Give the finished file ${from} the name ${path} for good, unless somebody
 * else has taken that: LN_CONFLICT.  LN_IO.
 */
enum ln_status lni_publish(const char *from, const char *path,
    struct ln_error *err) LN_USE;

/* fsync the folder that holds ${path}. */
enum ln_status lni_sync_folder(const char *path, struct ln_error *err) LN_USE;

#endif

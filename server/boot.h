#ifndef BOOT_H
#define BOOT_H

#include <ln/error.h>

/*
 * The steps between the command line and the first fork, in the order main.c
 * takes them.  All of them run in the parent.
 */

/**
 * boot_paths(err):
 * Make server.db_path absolute, create its folder (0700) and the folder for
 * temporary files, and empty the latter.  LN_IO.
 */
enum ln_status boot_paths(struct ln_error *err);

/**
 * boot_lock(err):
 * Hold the lock of this database for as long as any of our processes lives.
 * LN_CONFLICT when another server has it.
 */
enum ln_status boot_lock(struct ln_error *err);

/**
 * boot_store(err):
 * Open (migrating) the database once, mark answers of dead servers as
 * interrupted, seed the super admin when the configuration names one, close.
 */
enum ln_status boot_store(struct ln_error *err);

/**
 * boot_settle():
 * Open and close the database once more, when all workers are gone: two that
 * close at the same moment leave the write-ahead log to each other.
 */
void boot_settle(void);

/**
 * boot_tls(err):
 * Fill server.tls_cert and server.tls_key, making a certificate when none is
 * configured.
 */
enum ln_status boot_tls(struct ln_error *err);

/**
 * boot_public_url(err):
 * Take LOCALNEURAL_PUBLIC_URL apart.  LN_INVALID.
 */
enum ln_status boot_public_url(struct ln_error *err);

#endif

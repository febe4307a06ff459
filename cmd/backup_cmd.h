#ifndef LNCTL_BACKUP_CMD_H
#define LNCTL_BACKUP_CMD_H

#include <ln/backup.h>

#include "cmd.h"

/* What the backup commands share. */

/* --dir, or "backups" beside the database. */
int backup_dir(struct ctx *c, char *dst, size_t size);

/* As ctx_fail, in the words of backups. */
int backup_fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *what);
void backup_fields(struct out *o, const struct ln_backup *b);

/**
 * backup_secret_read(c, out) / backup_secret_clear(s):
 * What --secret-key-file and --passphrase-file hold; NULL for one not given.
 */
struct backup_secret {
	char *key, *passphrase;
};
int backup_secret_read(struct ctx *c, struct backup_secret *out);
void backup_secret_clear(struct backup_secret *s);

/**
 * backup_place(c, file, database, out):
 * Put the database of a backup where none is, its folder made when missing.
 */
int backup_place(struct ctx *c, const char *file, const char *database,
    struct ln_backup *out);

int backup_restore(struct ctx *c);
int backup_keygen(struct ctx *c);

#endif

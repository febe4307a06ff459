#ifndef LNI_BACKUP_MODEL_H
#define LNI_BACKUP_MODEL_H

#include <ln/backup.h>

/* Receipts of backups.  ${folder} is an absolute path. */

struct lni_receipt {
	int64_t created_ms;
	int64_t bytes;
	unsigned char hash[32];		/* BLAKE2b-256 of the file */
	bool is_encrypted;
	int64_t verified_ms;		/* 0: never */
	enum ln_backup_check verified_how;
};

enum ln_status lni_receipt_add(struct ln_store *st, const char *folder,
    const char *name, const struct lni_receipt *r, struct ln_error *err)
    LN_USE;
/* LN_NOT_FOUND. */
enum ln_status lni_receipt_get(struct ln_store *st, const char *folder,
    const char *name, struct lni_receipt *out, struct ln_error *err) LN_USE;
/* LN_BACKUP_UNCHECKED: found damaged.  No such receipt is no error. */
enum ln_status lni_receipt_verified(struct ln_store *st, const char *folder,
    const char *name, int64_t at_ms, enum ln_backup_check how,
    struct ln_error *err) LN_USE;
enum ln_status lni_receipt_remove(struct ln_store *st, const char *folder,
    const char *name, struct ln_error *err) LN_USE;
/* The newest verified; ${out_path} is yours.  LN_NOT_FOUND. */
enum ln_status lni_receipt_last(struct ln_store *st, struct lni_receipt *out,
    char **out_path, struct ln_error *err) LN_USE;

extern const char *const lni_backup_sql[];
extern const size_t lni_backup_sql_count;

#endif

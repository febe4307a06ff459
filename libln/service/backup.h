#ifndef LNI_BACKUP_H
#define LNI_BACKUP_H

#include <ln/backup.h>

#include "store/pack.h"

/* The inside of backups, for service/backup*.c only. */

/* --- backup_key.c: who can open it --------------------------------------- */

/**
 * lni_envelope_make(opts, key, out, err):
 * A fresh ${key} and the envelope's JSON that gives it to whoever holds the
 * secret.  ${out} is yours, NULL when ${opts} asks for no encryption.
 * LN_INVALID with field.
 */
enum ln_status lni_envelope_make(const struct ln_backup_opts *opts,
    unsigned char key[LNI_PACK_KEY_BYTES], char **out, struct ln_error *err)
    LN_USE;

/**
 * lni_envelope_open(envelope, unlock, key, err):
 * LN_BAD_KEY: not the secret it wants, or none given; LN_CORRUPT.
 */
enum ln_status lni_envelope_open(const char *envelope,
    const struct ln_backup_unlock *unlock,
    unsigned char key[LNI_PACK_KEY_BYTES], struct ln_error *err) LN_USE;

/* --- backup_header.c: what it says of itself ------------------------------ */

struct lni_backup_header {
	int64_t created_ms;
	int schema;
	int64_t database_bytes;
	unsigned char hash[LNI_PACK_HASH_BYTES];	/* of the database */
	int64_t user_count, conversation_count, message_count;
};
/* JSON, yours. */
enum ln_status lni_backup_header_print(const struct lni_backup_header *h,
    char **out, struct ln_error *err) LN_USE;
/* LN_CORRUPT; LN_TOO_NEW for a format or schema of a later program. */
enum ln_status lni_backup_header_parse(const char *json,
    struct lni_backup_header *out, struct ln_error *err) LN_USE;

#define LNI_BACKUP_NAME_SIZE 64
/* "localneural-20261124T030000Z.db.zst[.enc]"; ${n} above 1 adds "-n". */
void lni_backup_name(int64_t created_ms, int n, bool is_encrypted,
    char out[LNI_BACKUP_NAME_SIZE]);
/* False for any other name. */
bool lni_backup_name_parse(const char *name, int64_t *out_created_ms,
    bool *out_is_encrypted);

/* --- backup_read.c -------------------------------------------------------- */

/* An open backup; what is not there is NULL or -1. */
struct lni_backup_file {
	int fd;
	struct lni_pack_in *in;
	struct lni_backup_header header;
	bool has_header;
};
#define LNI_BACKUP_FILE_INIT { .fd = -1 }

/**
 * lni_backup_open(path, unlock, f, err):
 * Read as far as the header.  Without what opens an encrypted one, LN_OK with
 * has_header false when ${unlock} is NULL.  Close it with lni_backup_close.
 */
enum ln_status lni_backup_open(const char *path,
    const struct ln_backup_unlock *unlock, struct lni_backup_file *f,
    struct ln_error *err) LN_USE;
void lni_backup_close(struct lni_backup_file *f);

/**
 * lni_backup_unpack(f, to_fd, progress, arg, err):
 * The database of an open one to ${to_fd} (-1: only look), held against the
 * header's hash.
 */
enum ln_status lni_backup_unpack(struct lni_backup_file *f, int to_fd,
    bool (*progress)(void *arg, int percent), void *arg, struct ln_error *err)
    LN_USE;

/**
 * lni_backup_sound(path, how, err):
 * Whether the unpacked database ${path} is sound; for a drill, whether libln
 * reads a conversation from it.
 */
enum ln_status lni_backup_sound(const char *path, enum ln_backup_check how,
    struct ln_error *err) LN_USE;

/* Fill ${out} from name, size and header. */
enum ln_status lni_backup_describe(const char *path,
    const struct lni_backup_file *f, struct ln_backup *out,
    struct ln_error *err) LN_USE;

/* Folder (absolute) and name of a path, as receipts have them.  ${out_folder}
 * is yours. */
enum ln_status lni_backup_place(const char *path, char **out_folder,
    const char **out_name, struct ln_error *err) LN_USE;

/* One maker at a time a folder: LN_CONFLICT.  Give it back with close(2). */
enum ln_status lni_backup_lock(const char *folder, int *out_fd,
    struct ln_error *err) LN_USE;

#endif

#ifndef LNI_PACK_STREAM_H
#define LNI_PACK_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include <ln/error.h>

/*
 * The outer layer of a backup file: bytes as they are, or inside an envelope
 * that encrypts and authenticates them (docs/backup-format.md).  Streams: no
 * more than one chunk is in memory.
 */

#define LNI_PACK_KEY_BYTES 32		/* of crypto_secretstream */
#define LNI_PACK_ENVELOPE_MAX ((size_t)4096)	/* bytes of its JSON */

struct lni_pack_out;

/**
 * lni_pack_out_open(fd, envelope, key, out, err):
 * Write to ${fd}, which stays the caller's.  ${envelope} is JSON that says how
 * to come by ${key}; both NULL: no encryption.
 */
enum ln_status lni_pack_out_open(int fd, const char *envelope,
    const unsigned char *key, struct lni_pack_out **out, struct ln_error *err)
    LN_USE;
enum ln_status lni_pack_out_put(struct lni_pack_out *o, const void *p,
    size_t n, struct ln_error *err) LN_USE;
/* The last chunk; nothing may be put after it.  ${out_hash} is the BLAKE2b-256
 * of everything that went to the file. */
enum ln_status lni_pack_out_end(struct lni_pack_out *o,
    unsigned char *out_hash, struct ln_error *err) LN_USE;
void lni_pack_out_free(struct lni_pack_out *o);

struct lni_pack_in;

/**
 * lni_pack_in_open(fd, out, err):
 * Read from the start of ${fd}, which stays the caller's.  LN_CORRUPT for an
 * envelope that is not one.
 */
enum ln_status lni_pack_in_open(int fd, struct lni_pack_in **out,
    struct ln_error *err) LN_USE;
/* The envelope's JSON, or NULL: not encrypted.  Borrowed. */
const char *lni_pack_in_envelope(const struct lni_pack_in *in);
/* Before the first byte of an encrypted one. */
enum ln_status lni_pack_in_unlock(struct lni_pack_in *in,
    const unsigned char *key, struct ln_error *err) LN_USE;
/**
 * lni_pack_in_get(in, p, n, out_got, err):
 * Up to ${n} bytes; fewer only at the end.  LN_BAD_KEY when the first chunk
 * does not open; LN_CORRUPT for any other, a file that is cut short, or bytes
 * behind its end.
 */
enum ln_status lni_pack_in_get(struct lni_pack_in *in, void *p, size_t n,
    size_t *out_got, struct ln_error *err) LN_USE;
void lni_pack_in_free(struct lni_pack_in *in);

/* Write all of it, or say why not (a full disk by its name). */
enum ln_status lni_write_all(int fd, const void *p, size_t n,
    struct ln_error *err) LN_USE;
/* Read ${n} bytes, fewer only at the end of the file. */
enum ln_status lni_read_all(int fd, void *p, size_t n, size_t *out_got,
    struct ln_error *err) LN_USE;

#endif

#ifndef LNI_PACK_H
#define LNI_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include <ln/error.h>

#include "store/pack_stream.h"

/*
 * A database in a backup file: a header in JSON and the file compressed with
 * zstd, such that `zstd -d` alone opens what is not encrypted.  See
 * docs/backup-format.md.
 */

#define LNI_PACK_HEADER_MAX ((size_t)16 * 1024)	/* bytes of its JSON */
#define LNI_PACK_HASH_BYTES 32			/* BLAKE2b-256 */

/* What is copied, and who is told. */
struct lni_pack_job {
	int from_fd, to_fd;	/* read from, written to, where they stand */
	bool (*progress)(void *arg, int percent);	/* NULL: nobody */
	void *progress_arg;
};

/**
 * lni_hash_file(fd, out, out_bytes, err):
 * BLAKE2b-256 and length of the file, from its start.
 */
enum ln_status lni_hash_file(int fd, unsigned char out[LNI_PACK_HASH_BYTES],
    int64_t *out_bytes, struct ln_error *err) LN_USE;

/**
 * lni_pack(job, header, envelope, key, out_hash, err):
 * Write the whole backup.  ${envelope} and ${key} as lni_pack_out_open;
 * ${out_hash} is that of the file as it was written.  LN_CANCELLED when
 * progress said so; LN_IO.
 */
enum ln_status lni_pack(const struct lni_pack_job *job, const char *header,
    const char *envelope, const unsigned char *key,
    unsigned char out_hash[LNI_PACK_HASH_BYTES], struct ln_error *err) LN_USE;

/**
 * lni_pack_read_header(in, out, err):
 * The JSON at the start.  Yours.  LN_CORRUPT when it is no backup; LN_BAD_KEY
 * as lni_pack_in_get.
 */
enum ln_status lni_pack_read_header(struct lni_pack_in *in, char **out,
    struct ln_error *err) LN_USE;

/**
 * lni_unpack(in, job, bytes, out_hash, err):
 * After the header: write the database, which has to be of ${bytes} bytes, to
 * job->to_fd (-1: only look).  Whatever the file claims, no more is written.
 * LN_CORRUPT, LN_CANCELLED, LN_IO.
 */
enum ln_status lni_unpack(struct lni_pack_in *in,
    const struct lni_pack_job *job, int64_t bytes,
    unsigned char out_hash[LNI_PACK_HASH_BYTES], struct ln_error *err) LN_USE;

#endif

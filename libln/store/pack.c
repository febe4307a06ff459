#include "store/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zstd.h>

#include "base/lazy.h"

#include "base/banned.h"

#define SONAME "libzstd.so.1"
#define LEVEL 3			/* zstd's own default: as fast as a disk */
#define WINDOW_LOG_MAX 27	/* 128 MiB, what zstd -d accepts unasked */
/* A frame that decoders skip, see the zstd format; the D is ours. */
#define SKIPPABLE 0x184D2A5DUL
#define PIECE_BYTES ((size_t)128 * 1024)

static struct {
	ZSTD_CCtx *(*create_cctx)(void);
	size_t (*free_cctx)(ZSTD_CCtx *);
	size_t (*set_c)(ZSTD_CCtx *, ZSTD_cParameter, int);
	size_t (*compress)(ZSTD_CCtx *, ZSTD_outBuffer *, ZSTD_inBuffer *,
	    ZSTD_EndDirective);
	ZSTD_DCtx *(*create_dctx)(void);
	size_t (*free_dctx)(ZSTD_DCtx *);
	size_t (*set_d)(ZSTD_DCtx *, ZSTD_dParameter, int);
	size_t (*decompress)(ZSTD_DCtx *, ZSTD_outBuffer *, ZSTD_inBuffer *);
	unsigned (*is_error)(size_t);
	const char *(*error_name)(size_t);
} z;

static const struct lni_lazy_symbol symbols[] = {
	{ "ZSTD_createCCtx", &z.create_cctx },
	{ "ZSTD_freeCCtx", &z.free_cctx },
	{ "ZSTD_CCtx_setParameter", &z.set_c },
	{ "ZSTD_compressStream2", &z.compress },
	{ "ZSTD_createDCtx", &z.create_dctx },
	{ "ZSTD_freeDCtx", &z.free_dctx },
	{ "ZSTD_DCtx_setParameter", &z.set_d },
	{ "ZSTD_decompressStream", &z.decompress },
	{ "ZSTD_isError", &z.is_error },
	{ "ZSTD_getErrorName", &z.error_name },
};

struct pieces {
	unsigned char in[PIECE_BYTES], out[PIECE_BYTES];
};

static enum ln_status
load(struct ln_error *err)
{
	return lni_lazy_load(SONAME, symbols,
	    sizeof(symbols) / sizeof(symbols[0]), err);
}

static enum ln_status
damaged(struct ln_error *err, const char *why)
{
	return ln_fail(err, LN_CORRUPT, "The backup is damaged", "%s", why);
}

static enum ln_status
tell(const struct lni_pack_job *job, int64_t done, int64_t all,
    int *last, struct ln_error *err)
{
	int percent = all > 0 ? (int)(done * 100 / all) : 100;

	if (job->progress == NULL || percent == *last)
		return LN_OK;
	*last = percent;
	if (job->progress(job->progress_arg, percent))
		return LN_OK;
	return ln_fail(err, LN_CANCELLED, "", "backup at %d%%", percent);
}

enum ln_status
lni_hash_file(int fd, unsigned char out[LNI_PACK_HASH_BYTES],
    int64_t *out_bytes, struct ln_error *err)
{
	crypto_generichash_state hash;
	unsigned char *piece;
	enum ln_status s = LN_OK;
	size_t got;

	*out_bytes = 0;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return ln_fail(err, LN_IO, "", "lseek: %s", strerror(errno));
	if ((piece = malloc(PIECE_BYTES)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "hash of a file");
	crypto_generichash_init(&hash, NULL, 0, LNI_PACK_HASH_BYTES);
	do {
		if ((s = lni_read_all(fd, piece, PIECE_BYTES, &got, err)) !=
		    LN_OK)
			break;
		crypto_generichash_update(&hash, piece, got);
		*out_bytes += (int64_t)got;
	} while (got == PIECE_BYTES);
	crypto_generichash_final(&hash, out, LNI_PACK_HASH_BYTES);
	free(piece);
	return s;
}

/* --- packing ------------------------------------------------------------- */

static enum ln_status
put_header(struct lni_pack_out *o, const char *header, struct ln_error *err)
{
	unsigned char head[8];
	size_t i, n = strlen(header);
	enum ln_status s;

	if (n > LNI_PACK_HEADER_MAX)
		return ln_fail(err, LN_INTERNAL, "", "header of %zu bytes", n);
	for (i = 0; i < 4; i++) {
		head[i] = (unsigned char)(SKIPPABLE >> (8 * i) & 0xff);
		head[4 + i] = (unsigned char)(n >> (8 * i) & 0xff);
	}
	if ((s = lni_pack_out_put(o, head, sizeof(head), err)) != LN_OK)
		return s;
	return lni_pack_out_put(o, header, n, err);
}

static enum ln_status
compress_piece(ZSTD_CCtx *c, struct lni_pack_out *o, struct pieces *p,
    size_t n, bool is_last, struct ln_error *err)
{
	ZSTD_inBuffer in = { p->in, n, 0 };
	ZSTD_outBuffer out;
	enum ln_status s;
	size_t left;

	do {
		out = (ZSTD_outBuffer){ p->out, sizeof(p->out), 0 };
		left = z.compress(c, &out, &in, is_last ? ZSTD_e_end :
		    ZSTD_e_continue);
		if (z.is_error(left))
			return ln_fail(err, LN_INTERNAL, "", "zstd: %s",
			    z.error_name(left));
		if ((s = lni_pack_out_put(o, p->out, out.pos, err)) != LN_OK)
			return s;
	} while (is_last ? left != 0 : in.pos < in.size);
	return LN_OK;
}

static enum ln_status
compress(ZSTD_CCtx *c, struct lni_pack_out *o, struct pieces *p,
    const struct lni_pack_job *job, struct ln_error *err)
{
	int64_t done = 0;
	struct stat sb;
	enum ln_status s;
	int last = -1;
	size_t got;

	if (fstat(job->from_fd, &sb) != 0)
		return ln_fail(err, LN_IO, "", "fstat: %s", strerror(errno));
	do {
		if ((s = lni_read_all(job->from_fd, p->in, sizeof(p->in),
		    &got, err)) != LN_OK ||
		    (s = compress_piece(c, o, p, got, got < sizeof(p->in),
		    err)) != LN_OK)
			return s;
		done += (int64_t)got;
		if ((s = tell(job, done, sb.st_size, &last, err)) != LN_OK)
			return s;
	} while (got == sizeof(p->in));
	return LN_OK;
}

enum ln_status
lni_pack(const struct lni_pack_job *job, const char *header,
    const char *envelope, const unsigned char *key,
    unsigned char out_hash[LNI_PACK_HASH_BYTES], struct ln_error *err)
{
	struct lni_pack_out *o = NULL;
	struct pieces *p = NULL;
	ZSTD_CCtx *c = NULL;
	enum ln_status s;

	if ((s = load(err)) != LN_OK)
		return s;
	if ((p = malloc(sizeof(*p))) == NULL || (c = z.create_cctx()) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "zstd");
		goto out;
	}
	if (z.is_error(z.set_c(c, ZSTD_c_compressionLevel, LEVEL)) ||
	    z.is_error(z.set_c(c, ZSTD_c_checksumFlag, 1))) {
		s = ln_fail(err, LN_INTERNAL, "", "zstd parameters");
		goto out;
	}
	if ((s = lni_pack_out_open(job->to_fd, envelope, key, &o, err)) ==
	    LN_OK &&
	    (s = put_header(o, header, err)) == LN_OK &&
	    (s = compress(c, o, p, job, err)) == LN_OK)
		s = lni_pack_out_end(o, out_hash, err);
out:
	lni_pack_out_free(o);
	if (c != NULL)
		(void)z.free_cctx(c);
	if (p != NULL)
		sodium_memzero(p, sizeof(*p));
	free(p);
	return s;
}

/* --- unpacking ----------------------------------------------------------- */

static unsigned long
get_u32(const unsigned char *p)
{
	return (unsigned long)p[0] | (unsigned long)p[1] << 8 |
	    (unsigned long)p[2] << 16 | (unsigned long)p[3] << 24;
}

enum ln_status
lni_pack_read_header(struct lni_pack_in *in, char **out, struct ln_error *err)
{
	unsigned char head[8];
	enum ln_status s;
	char *text;
	size_t n, got;

	*out = NULL;
	if ((s = lni_pack_in_get(in, head, sizeof(head), &got, err)) != LN_OK)
		return s;
	if (got != sizeof(head) || get_u32(head) != SKIPPABLE)
		return ln_fail(err, LN_CORRUPT, "This is not a backup",
		    "no header frame");
	n = get_u32(head + 4);
	if (n == 0 || n > LNI_PACK_HEADER_MAX)
		return damaged(err, "length of the header");
	if ((text = calloc(1, n + 1)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "header");
	s = lni_pack_in_get(in, text, n, &got, err);
	if (s == LN_OK && got != n)
		s = damaged(err, "it is cut short");
	if (s == LN_OK)
		*out = text;
	else
		free(text);
	return s;
}

struct unpack {
	const struct lni_pack_job *job;
	struct pieces *p;
	ZSTD_DCtx *d;
	crypto_generichash_state hash;
	int64_t done, bytes;
	int last;
};

static enum ln_status
take(struct unpack *u, size_t n, struct ln_error *err)
{
	enum ln_status s;

	if ((int64_t)n > u->bytes - u->done)
		return damaged(err, "it holds more than it says");
	u->done += (int64_t)n;
	crypto_generichash_update(&u->hash, u->p->out, n);
	if (u->job->to_fd >= 0 &&
	    (s = lni_write_all(u->job->to_fd, u->p->out, n, err)) != LN_OK)
		return s;
	return tell(u->job, u->done, u->bytes, &u->last, err);
}

/* ${out_left} is 0 when the frame is complete. */
static enum ln_status
decompress_piece(struct unpack *u, size_t n, size_t *out_left,
    struct ln_error *err)
{
	ZSTD_inBuffer in = { u->p->in, n, 0 };
	ZSTD_outBuffer out;
	enum ln_status s;

	do {
		if (*out_left == 0 && u->done > 0)
			return damaged(err, "bytes behind its end");
		out = (ZSTD_outBuffer){ u->p->out, sizeof(u->p->out), 0 };
		*out_left = z.decompress(u->d, &out, &in);
		if (z.is_error(*out_left))
			return damaged(err, z.error_name(*out_left));
		if ((s = take(u, out.pos, err)) != LN_OK)
			return s;
	} while (in.pos < in.size || (*out_left != 0 && out.pos == out.size));
	return LN_OK;
}

static enum ln_status
decompress(struct unpack *u, struct lni_pack_in *in, struct ln_error *err)
{
	size_t got, left = 1;
	enum ln_status s;

	do {
		if ((s = lni_pack_in_get(in, u->p->in, sizeof(u->p->in), &got,
		    err)) != LN_OK)
			return s;
		if (got > 0 && (s = decompress_piece(u, got, &left, err)) !=
		    LN_OK)
			return s;
	} while (got == sizeof(u->p->in));
	if (left != 0 || u->done != u->bytes)
		return damaged(err, "it is cut short");
	return LN_OK;
}

enum ln_status
lni_unpack(struct lni_pack_in *in, const struct lni_pack_job *job,
    int64_t bytes, unsigned char out_hash[LNI_PACK_HASH_BYTES],
    struct ln_error *err)
{
	struct unpack u = { .job = job, .bytes = bytes, .last = -1 };
	enum ln_status s;

	if ((s = load(err)) != LN_OK)
		return s;
	crypto_generichash_init(&u.hash, NULL, 0, LNI_PACK_HASH_BYTES);
	if ((u.p = malloc(sizeof(*u.p))) == NULL ||
	    (u.d = z.create_dctx()) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "zstd");
	else if (z.is_error(z.set_d(u.d, ZSTD_d_windowLogMax,
	    WINDOW_LOG_MAX)))
		s = ln_fail(err, LN_INTERNAL, "", "zstd parameters");
	else
		s = decompress(&u, in, err);
	crypto_generichash_final(&u.hash, out_hash, LNI_PACK_HASH_BYTES);
	if (u.d != NULL)
		(void)z.free_dctx(u.d);
	if (u.p != NULL)
		sodium_memzero(u.p, sizeof(*u.p));
	free(u.p);
	return s;
}

#include "store/pack_stream.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/banned.h"

#define MAGIC "LNBKENC1"
#define MAGIC_BYTES ((size_t)8)
#define CHUNK_BYTES ((size_t)65536)	/* of plain text, all but the last */
#define SEALED_BYTES \
	(CHUNK_BYTES + crypto_secretstream_xchacha20poly1305_ABYTES)
#define HASH_BYTES ((size_t)32)		/* BLAKE2b-256 of what comes before */

_Static_assert(LNI_PACK_KEY_BYTES ==
    crypto_secretstream_xchacha20poly1305_KEYBYTES, "key size");

struct lni_pack_out {
	int fd;
	crypto_generichash_state written;
	bool is_sealed;
	crypto_secretstream_xchacha20poly1305_state state;
	unsigned char start[HASH_BYTES];	/* bound to the first chunk */
	bool has_start;
	size_t used;
	unsigned char plain[CHUNK_BYTES];
	unsigned char sealed[SEALED_BYTES];
};

struct lni_pack_in {
	int fd;
	char *envelope;		/* NULL: plain */
	crypto_secretstream_xchacha20poly1305_state state;
	unsigned char start[HASH_BYTES];
	bool has_start;
	bool is_unlocked;
	bool is_over;		/* the last chunk was read */
	size_t pos, used;	/* of plain */
	unsigned char plain[CHUNK_BYTES];
	unsigned char sealed[SEALED_BYTES];
};

enum ln_status
lni_write_all(int fd, const void *p, size_t n, struct ln_error *err)
{
	const char *at = p;
	ssize_t done;

	while (n > 0) {
		done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && (errno == ENOSPC || errno == EDQUOT))
			return ln_fail(err, LN_IO, "The disk is full",
			    "write: %s", strerror(errno));
		if (done < 0)
			return ln_fail(err, LN_IO, "", "write: %s",
			    strerror(errno));
		at += done;
		n -= (size_t)done;
	}
	return LN_OK;
}

enum ln_status
lni_read_all(int fd, void *p, size_t n, size_t *out_got, struct ln_error *err)
{
	char *at = p;
	ssize_t got;

	*out_got = 0;
	while (*out_got < n) {
		got = read(fd, at + *out_got, n - *out_got);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ln_fail(err, LN_IO, "", "read: %s",
			    strerror(errno));
		if (got == 0)
			break;
		*out_got += (size_t)got;
	}
	return LN_OK;
}

static void
put_u32(unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> (8 * i) & 0xff);
}

static size_t
get_u32(const unsigned char *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
	    (size_t)p[3] << 24;
}

/* --- writing ------------------------------------------------------------- */

static enum ln_status
out_write(struct lni_pack_out *o, const void *p, size_t n,
    struct ln_error *err)
{
	crypto_generichash_update(&o->written, p, n);
	return lni_write_all(o->fd, p, n, err);
}

/* Magic, length, JSON; all of it is authenticated by the first chunk. */
static enum ln_status
write_start(struct lni_pack_out *o, const char *envelope, struct ln_error *err)
{
	unsigned char head[MAGIC_BYTES + 4];
	crypto_generichash_state hash;
	size_t n = strlen(envelope);
	enum ln_status s;

	if (n > LNI_PACK_ENVELOPE_MAX)
		return ln_fail(err, LN_INTERNAL, "", "envelope of %zu bytes",
		    n);
	memcpy(head, MAGIC, MAGIC_BYTES);
	put_u32(head + MAGIC_BYTES, n);
	crypto_generichash_init(&hash, NULL, 0, HASH_BYTES);
	crypto_generichash_update(&hash, head, sizeof(head));
	crypto_generichash_update(&hash, (const unsigned char *)envelope, n);
	crypto_generichash_final(&hash, o->start, HASH_BYTES);
	o->has_start = true;
	if ((s = out_write(o, head, sizeof(head), err)) != LN_OK)
		return s;
	return out_write(o, envelope, n, err);
}

enum ln_status
lni_pack_out_open(int fd, const char *envelope, const unsigned char *key,
    struct lni_pack_out **out, struct ln_error *err)
{
	unsigned char header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
	struct lni_pack_out *o;
	enum ln_status s = LN_OK;

	*out = NULL;
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "backup stream");
	o->fd = fd;
	crypto_generichash_init(&o->written, NULL, 0, HASH_BYTES);
	o->is_sealed = envelope != NULL;
	if (o->is_sealed) {
		crypto_secretstream_xchacha20poly1305_init_push(&o->state,
		    header, key);
		if ((s = write_start(o, envelope, err)) == LN_OK)
			s = out_write(o, header, sizeof(header), err);
	}
	if (s == LN_OK)
		*out = o;
	else
		lni_pack_out_free(o);
	return s;
}

static enum ln_status
push(struct lni_pack_out *o, unsigned char tag, struct ln_error *err)
{
	unsigned long long n;

	crypto_secretstream_xchacha20poly1305_push(&o->state, o->sealed, &n,
	    o->plain, o->used, o->has_start ? o->start : NULL,
	    o->has_start ? HASH_BYTES : 0, tag);
	o->has_start = false;
	o->used = 0;
	return out_write(o, o->sealed, (size_t)n, err);
}

enum ln_status
lni_pack_out_put(struct lni_pack_out *o, const void *p, size_t n,
    struct ln_error *err)
{
	const unsigned char *at = p;
	enum ln_status s;
	size_t part;

	if (!o->is_sealed)
		return out_write(o, p, n, err);
	while (n > 0) {
		/* Only when more follows: the last chunk says that it is. */
		if (o->used == CHUNK_BYTES && (s = push(o,
		    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
		    err)) != LN_OK)
			return s;
		part = CHUNK_BYTES - o->used;
		if (part > n)
			part = n;
		memcpy(o->plain + o->used, at, part);
		o->used += part;
		at += part;
		n -= part;
	}
	return LN_OK;
}

enum ln_status
lni_pack_out_end(struct lni_pack_out *o, unsigned char *out_hash,
    struct ln_error *err)
{
	enum ln_status s;

	if (o->is_sealed && (s = push(o,
	    crypto_secretstream_xchacha20poly1305_TAG_FINAL, err)) != LN_OK)
		return s;
	crypto_generichash_final(&o->written, out_hash, HASH_BYTES);
	return LN_OK;
}

void
lni_pack_out_free(struct lni_pack_out *o)
{
	if (o == NULL)
		return;
	sodium_memzero(o, sizeof(*o));
	free(o);
}

/* --- reading ------------------------------------------------------------- */

static enum ln_status
damaged(struct ln_error *err, const char *why)
{
	return ln_fail(err, LN_CORRUPT, "The backup is damaged", "%s", why);
}

static enum ln_status
read_envelope(struct lni_pack_in *in, const unsigned char *magic,
    struct ln_error *err)
{
	unsigned char length[4];
	crypto_generichash_state hash;
	enum ln_status s;
	size_t n, got;

	if ((s = lni_read_all(in->fd, length, sizeof(length), &got, err)) !=
	    LN_OK)
		return s;
	n = get_u32(length);
	if (got != sizeof(length) || n == 0 || n > LNI_PACK_ENVELOPE_MAX)
		return damaged(err, "length of the envelope");
	if ((in->envelope = calloc(1, n + 1)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "envelope");
	if ((s = lni_read_all(in->fd, in->envelope, n, &got, err)) != LN_OK)
		return s;
	if (got != n || strlen(in->envelope) != n)
		return damaged(err, "envelope");
	crypto_generichash_init(&hash, NULL, 0, HASH_BYTES);
	crypto_generichash_update(&hash, magic, MAGIC_BYTES);
	crypto_generichash_update(&hash, length, sizeof(length));
	crypto_generichash_update(&hash, (const unsigned char *)in->envelope,
	    n);
	crypto_generichash_final(&hash, in->start, HASH_BYTES);
	in->has_start = true;
	return LN_OK;
}

enum ln_status
lni_pack_in_open(int fd, struct lni_pack_in **out, struct ln_error *err)
{
	struct lni_pack_in *in;
	enum ln_status s;
	size_t got;

	*out = NULL;
	if ((in = calloc(1, sizeof(*in))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "backup stream");
	in->fd = fd;
	/* What is no envelope is data already. */
	s = lni_read_all(fd, in->plain, MAGIC_BYTES, &got, err);
	in->used = got;
	if (s == LN_OK && got == MAGIC_BYTES &&
	    memcmp(in->plain, MAGIC, MAGIC_BYTES) == 0) {
		s = read_envelope(in, in->plain, err);
		in->used = 0;
	}
	if (s == LN_OK)
		*out = in;
	else
		lni_pack_in_free(in);
	return s;
}

const char *
lni_pack_in_envelope(const struct lni_pack_in *in)
{
	return in->envelope;
}

enum ln_status
lni_pack_in_unlock(struct lni_pack_in *in, const unsigned char *key,
    struct ln_error *err)
{
	unsigned char header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
	enum ln_status s;
	size_t got;

	if ((s = lni_read_all(in->fd, header, sizeof(header), &got, err)) !=
	    LN_OK)
		return s;
	if (got != sizeof(header) ||
	    crypto_secretstream_xchacha20poly1305_init_pull(&in->state, header,
	    key) != 0)
		return damaged(err, "start of the encrypted stream");
	in->is_unlocked = true;
	return LN_OK;
}

static enum ln_status
pull(struct lni_pack_in *in, struct ln_error *err)
{
	bool is_first = in->has_start;
	unsigned long long n;
	unsigned char tag;
	enum ln_status s;
	size_t got;

	if ((s = lni_read_all(in->fd, in->sealed, SEALED_BYTES, &got, err)) !=
	    LN_OK)
		return s;
	if (got < crypto_secretstream_xchacha20poly1305_ABYTES)
		return damaged(err, "it is cut short");
	if (crypto_secretstream_xchacha20poly1305_pull(&in->state, in->plain,
	    &n, &tag, in->sealed, got, is_first ? in->start : NULL,
	    is_first ? HASH_BYTES : 0) != 0) {
		if (is_first)
			return ln_fail(err, LN_BAD_KEY, "This key or "
			    "passphrase does not open the backup, or the "
			    "backup is damaged", "first chunk");
		return damaged(err, "a chunk does not open");
	}
	in->has_start = false;
	in->pos = 0;
	in->used = (size_t)n;
	in->is_over = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	if (!in->is_over)
		return got == SEALED_BYTES ? LN_OK :
		    damaged(err, "it is cut short");
	if ((s = lni_read_all(in->fd, in->sealed, 1, &got, err)) != LN_OK)
		return s;
	return got == 0 ? LN_OK : damaged(err, "bytes behind its end");
}

/* Plain bytes come through the same buffer. */
static enum ln_status
fill(struct lni_pack_in *in, struct ln_error *err)
{
	enum ln_status s;

	if (in->envelope != NULL) {
		if (!in->is_unlocked)
			return ln_fail(err, LN_BAD_KEY,
			    "The backup is encrypted", "no key was given");
		return pull(in, err);
	}
	in->pos = 0;
	s = lni_read_all(in->fd, in->plain, CHUNK_BYTES, &in->used, err);
	in->is_over = in->used < CHUNK_BYTES;
	return s;
}

enum ln_status
lni_pack_in_get(struct lni_pack_in *in, void *p, size_t n, size_t *out_got,
    struct ln_error *err)
{
	char *at = p;
	enum ln_status s;
	size_t part;

	*out_got = 0;
	while (*out_got < n) {
		if (in->pos == in->used) {
			if (in->is_over)
				break;
			if ((s = fill(in, err)) != LN_OK)
				return s;
			continue;
		}
		part = in->used - in->pos;
		if (part > n - *out_got)
			part = n - *out_got;
		memcpy(at + *out_got, in->plain + in->pos, part);
		in->pos += part;
		*out_got += part;
	}
	return LN_OK;
}

void
lni_pack_in_free(struct lni_pack_in *in)
{
	if (in == NULL)
		return;
	free(in->envelope);
	sodium_memzero(in, sizeof(*in));
	free(in);
}

#include "service/backup.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/json.h>
#include <ln/secret.h>

#include "base/banned.h"

#define PUBLIC_PREFIX "lnpub1."
#define SECRET_PREFIX "lnsec1."
#define PREFIX_BYTES ((size_t)7)
#define KEY_TEXT_SIZE ((size_t)64)	/* prefix, 43 characters, NUL */

/* Argon2id as libsodium's "moderate" asks: a passphrase is guessed offline,
 * by somebody who has all the time in the world. */
#define KDF_OPS ((int64_t)crypto_pwhash_argon2id_OPSLIMIT_MODERATE)
#define KDF_MEM ((int64_t)crypto_pwhash_argon2id_MEMLIMIT_MODERATE)
/* What a file may ask of us. */
#define KDF_OPS_MAX 16
#define KDF_MEM_MAX ((int64_t)1024 * 1024 * 1024)
#define SALT_BYTES ((size_t)crypto_pwhash_argon2id_SALTBYTES)
#define SEALED_KEY_BYTES \
	((size_t)crypto_box_SEALBYTES + (size_t)LNI_PACK_KEY_BYTES)
#define PASSPHRASE_MIN 12		/* bytes, ours */
#define FORMAT "localneural-backup-envelope"

_Static_assert(crypto_box_PUBLICKEYBYTES == 32 &&
    crypto_box_SECRETKEYBYTES == 32, "keys are 43 characters of text");

/* --- keys as text -------------------------------------------------------- */

static enum ln_status
print_key(const char *prefix, const unsigned char key[32], char **out,
    struct ln_error *err)
{
	char *text;

	if ((text = malloc(KEY_TEXT_SIZE)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "key");
	memcpy(text, prefix, PREFIX_BYTES);
	(void)ln_b64url_encode(key, 32, text + PREFIX_BYTES,
	    KEY_TEXT_SIZE - PREFIX_BYTES);
	*out = text;
	return LN_OK;
}

static bool
parse_key(const char *prefix, const char *text, unsigned char key[32])
{
	size_t n;

	return strncmp(text, prefix, PREFIX_BYTES) == 0 &&
	    ln_b64url_decode(text + PREFIX_BYTES,
	    strlen(text) - PREFIX_BYTES, key, 32, &n) && n == 32;
}

enum ln_status
ln_backup_keygen(char **out_public, char **out_secret, struct ln_error *err)
{
	unsigned char public_key[crypto_box_PUBLICKEYBYTES];
	unsigned char secret_key[crypto_box_SECRETKEYBYTES];
	enum ln_status s;

	*out_public = *out_secret = NULL;
	if (crypto_box_keypair(public_key, secret_key) != 0)
		return ln_fail(err, LN_INTERNAL, "", "crypto_box_keypair");
	if ((s = print_key(PUBLIC_PREFIX, public_key, out_public, err)) ==
	    LN_OK)
		s = print_key(SECRET_PREFIX, secret_key, out_secret, err);
	sodium_memzero(secret_key, sizeof(secret_key));
	if (s != LN_OK) {
		free(*out_public);
		*out_public = NULL;
	}
	return s;
}

/* --- making an envelope -------------------------------------------------- */

static void
write_bytes(struct ln_jw *w, const char *name, const unsigned char *p,
    size_t n)
{
	char text[256];

	ln_jw_string(w, name, ln_b64url_encode(p, n, text, sizeof(text)));
}

static enum ln_status
seal_for(const char *public_text, const unsigned char *key, struct ln_jw *w,
    struct ln_error *err)
{
	unsigned char public_key[crypto_box_PUBLICKEYBYTES];
	unsigned char sealed[SEALED_KEY_BYTES];

	if (!parse_key(PUBLIC_PREFIX, public_text, public_key))
		return ln_fail_field(err, LN_INVALID, "public_key",
		    "This is not a public key of `lnctl backup keygen`",
		    "public key");
	if (crypto_box_seal(sealed, key, LNI_PACK_KEY_BYTES, public_key) != 0)
		return ln_fail_field(err, LN_INVALID, "public_key",
		    "This public key cannot be used", "crypto_box_seal");
	ln_jw_object(w, "recipient");
	write_bytes(w, "public_key", public_key, sizeof(public_key));
	write_bytes(w, "sealed_key", sealed, sizeof(sealed));
	ln_jw_end(w);
	return LN_OK;
}

static enum ln_status
stretch(const char *passphrase, const unsigned char salt[SALT_BYTES],
    int64_t ops, int64_t mem, unsigned char *key, struct ln_error *err)
{
	if (crypto_pwhash_argon2id(key, LNI_PACK_KEY_BYTES, passphrase,
	    strlen(passphrase), salt, (unsigned long long)ops, (size_t)mem,
	    crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return ln_fail(err, LN_NOMEM, "", "argon2id of %lld bytes",
		    (long long)mem);
	return LN_OK;
}

static enum ln_status
seal_with(const char *passphrase, unsigned char *key, struct ln_jw *w,
    struct ln_error *err)
{
	unsigned char salt[SALT_BYTES];
	enum ln_status s;

	if (strlen(passphrase) < PASSPHRASE_MIN)
		return ln_fail_field(err, LN_INVALID, "passphrase",
		    "A passphrase for backups has at least 12 characters",
		    "%zu bytes", strlen(passphrase));
	randombytes_buf(salt, sizeof(salt));
	if ((s = stretch(passphrase, salt, KDF_OPS, KDF_MEM, key, err)) !=
	    LN_OK)
		return s;
	ln_jw_object(w, "passphrase");
	ln_jw_string(w, "kdf", "argon2id13");
	ln_jw_int(w, "opslimit", KDF_OPS);
	ln_jw_int(w, "memlimit", KDF_MEM);
	write_bytes(w, "salt", salt, sizeof(salt));
	ln_jw_end(w);
	return LN_OK;
}

enum ln_status
lni_envelope_make(const struct ln_backup_opts *opts,
    unsigned char key[LNI_PACK_KEY_BYTES], char **out, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(LNI_PACK_ENVELOPE_MAX);
	struct ln_jw *w;
	enum ln_status s;

	*out = NULL;
	if (opts->public_key == NULL && opts->passphrase == NULL)
		return LN_OK;
	if (opts->public_key != NULL && opts->passphrase != NULL)
		return ln_fail_field(err, LN_INVALID, "passphrase",
		    "Encrypt to a public key or with a passphrase, not both",
		    "two ways to encrypt");
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "envelope");
	randombytes_buf(key, LNI_PACK_KEY_BYTES);
	ln_jw_object(w, NULL);
	ln_jw_string(w, "format", FORMAT);
	ln_jw_int(w, "version", 1);
	ln_jw_string(w, "cipher", "xchacha20poly1305-secretstream");
	s = opts->public_key != NULL ?
	    seal_for(opts->public_key, key, w, err) :
	    seal_with(opts->passphrase, key, w, err);
	if (s == LN_OK && (s = ln_jw_print(w, false, &b)) != LN_OK)
		s = ln_fail(err, s, "", "envelope");
	if (s == LN_OK && (*out = ln_buf_steal(&b)) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "envelope");
	ln_jw_free(w);
	ln_buf_free(&b);
	return s;
}

/* --- opening one --------------------------------------------------------- */

static bool
read_bytes(const struct ln_json *o, const char *name, unsigned char *p,
    size_t want)
{
	const char *text = ln_json_get_string(o, name);
	size_t n;

	return text != NULL && ln_b64url_decode(text, strlen(text), p, want,
	    &n) && n == want;
}

static enum ln_status
damaged(struct ln_error *err, const char *why)
{
	return ln_fail(err, LN_CORRUPT, "The backup is damaged", "%s", why);
}

static enum ln_status
open_sealed(const struct ln_json *o, const char *secret_text,
    unsigned char *key, struct ln_error *err)
{
	unsigned char public_key[crypto_box_PUBLICKEYBYTES];
	unsigned char secret_key[crypto_box_SECRETKEYBYTES];
	unsigned char sealed[SEALED_KEY_BYTES];
	int rc;

	if (secret_text == NULL)
		return ln_fail(err, LN_BAD_KEY, "The backup is encrypted to a "
		    "key. Give the file with the secret key", "no secret key");
	if (!read_bytes(o, "sealed_key", sealed, sizeof(sealed)))
		return damaged(err, "sealed key");
	if (!parse_key(SECRET_PREFIX, secret_text, secret_key))
		return ln_fail(err, LN_BAD_KEY, "This is not a secret key of "
		    "`lnctl backup keygen`", "secret key");
	rc = crypto_scalarmult_base(public_key, secret_key);
	if (rc == 0)
		rc = crypto_box_seal_open(key, sealed, sizeof(sealed),
		    public_key, secret_key);
	sodium_memzero(secret_key, sizeof(secret_key));
	if (rc != 0)
		return ln_fail(err, LN_BAD_KEY, "The backup was encrypted to "
		    "another key", "crypto_box_seal_open");
	return LN_OK;
}

static enum ln_status
open_stretched(const struct ln_json *o, const char *passphrase,
    unsigned char *key, struct ln_error *err)
{
	unsigned char salt[SALT_BYTES];
	const char *kdf = ln_json_get_string(o, "kdf");
	int64_t ops, mem;

	if (passphrase == NULL)
		return ln_fail(err, LN_BAD_KEY, "The backup is encrypted with "
		    "a passphrase. Give the file with it", "no passphrase");
	if (kdf == NULL || strcmp(kdf, "argon2id13") != 0 ||
	    !ln_json_int(ln_json_get(o, "opslimit"), &ops) ||
	    !ln_json_int(ln_json_get(o, "memlimit"), &mem) ||
	    ops < (int64_t)crypto_pwhash_argon2id_OPSLIMIT_MIN ||
	    ops > KDF_OPS_MAX ||
	    mem < (int64_t)crypto_pwhash_argon2id_MEMLIMIT_MIN ||
	    mem > KDF_MEM_MAX ||
	    !read_bytes(o, "salt", salt, sizeof(salt)))
		return damaged(err, "passphrase parameters");
	return stretch(passphrase, salt, ops, mem, key, err);
}

enum ln_status
lni_envelope_open(const char *envelope,
    const struct ln_backup_unlock *unlock,
    unsigned char key[LNI_PACK_KEY_BYTES], struct ln_error *err)
{
	const struct ln_json *recipient, *passphrase;
	struct ln_json *root = NULL;
	const char *format;
	int64_t version = 0;
	enum ln_status s;

	s = ln_json_parse(envelope, strlen(envelope), NULL, &root, NULL);
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "envelope");
	format = ln_json_get_string(root, "format");
	recipient = ln_json_get(root, "recipient");
	passphrase = ln_json_get(root, "passphrase");
	if (format == NULL || strcmp(format, FORMAT) != 0 ||
	    !ln_json_int(ln_json_get(root, "version"), &version))
		s = damaged(err, "not an envelope");
	else if (version != 1)
		s = ln_fail(err, LN_TOO_NEW,
		    "The backup was made by a newer program",
		    "envelope version %lld", (long long)version);
	else if (recipient != NULL)
		s = open_sealed(recipient, unlock->secret_key, key, err);
	else if (passphrase != NULL)
		s = open_stretched(passphrase, unlock->passphrase, key, err);
	else
		s = damaged(err, "an envelope for nobody");
	ln_json_free(root);
	return s;
}

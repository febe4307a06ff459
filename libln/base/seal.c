#include <ln/secret.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/banned.h"

#define PREFIX "s1."
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
_Static_assert(LN_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    "a derived key is a sealing key");

enum ln_status
ln_seal(const struct ln_keys *keys, const char *context, const char *plain,
    char **out, struct ln_error *err)
{
	const size_t plain_length = strlen(plain);
	const size_t box_length = NONCE_BYTES + plain_length + TAG_BYTES;
	size_t text_size;
	unsigned char *box = NULL;
	char *text = NULL;
	enum ln_status s = LN_OK;

	*out = NULL;
	text_size = sodium_base64_encoded_len(box_length,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	if ((box = malloc(box_length)) == NULL ||
	    (text = malloc(PREFIX_LENGTH + text_size)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "seal: %zu bytes", box_length);
		goto out;
	}
	randombytes_buf(box, NONCE_BYTES);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE_BYTES, NULL,
	    (const unsigned char *)plain, plain_length,
	    (const unsigned char *)context, strlen(context), NULL, box,
	    keys->seal) != 0) {
		s = ln_fail(err, LN_INTERNAL, "", "xchacha20poly1305");
		goto out;
	}
	memcpy(text, PREFIX, PREFIX_LENGTH);
	if (ln_b64url_encode(box, box_length, text + PREFIX_LENGTH,
	    text_size) == NULL) {
		s = ln_fail(err, LN_INTERNAL, "", "base64url");
		goto out;
	}
	*out = text;
	text = NULL;
out:
	free(box);
	free(text);
	return s;
}

enum ln_status
ln_unseal(const struct ln_keys *keys, const char *context, const char *sealed,
    char **out, struct ln_error *err)
{
	size_t text_length, box_length = 0, plain_size = 0;
	unsigned char *box = NULL, *plain = NULL;
	enum ln_status s = LN_OK;

	*out = NULL;
	if (strncmp(sealed, PREFIX, PREFIX_LENGTH) != 0)
		return ln_fail(err, LN_INVALID, "The sealed value is damaged",
		    "unknown format");
	text_length = strlen(sealed) - PREFIX_LENGTH;
	/* The text is longer than the bytes in it. */
	if ((box = malloc(text_length + 1)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "unseal: %zu bytes",
		    text_length);
		goto out;
	}
	if (!ln_b64url_decode(sealed + PREFIX_LENGTH, text_length, box,
	    text_length, &box_length) ||
	    box_length < NONCE_BYTES + TAG_BYTES) {
		s = ln_fail(err, LN_INVALID, "The sealed value is damaged",
		    "not base64url or too short");
		goto out;
	}
	plain_size = box_length - NONCE_BYTES - TAG_BYTES + 1;
	if ((plain = calloc(1, plain_size)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "unseal: %zu bytes",
		    plain_size);
		goto out;
	}
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL,
	    box + NONCE_BYTES, box_length - NONCE_BYTES,
	    (const unsigned char *)context, strlen(context), box,
	    keys->seal) != 0) {
		s = ln_fail(err, LN_BAD_KEY, "", "unseal");
		goto out;
	}
	*out = (char *)plain;
	plain = NULL;
out:
	if (plain != NULL)
		sodium_memzero(plain, plain_size);
	free(plain);
	free(box);
	return s;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/secret.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define RANDOM_A "9J3sTz7mQpLwXvKc2RdYhBnG5fUeAi8o"
#define RANDOM_B "9J3sTz7mQpLwXvKc2RdYhBnG5fUeAi8p"

static void
a_uuid_is_random_version_4(void **state)
{
	char a[LN_UUID_SIZE], b[LN_UUID_SIZE];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		ln_uuid(a);
		ln_uuid(b);
		assert_int_equal(strlen(a), 36);
		assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
		assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' &&
		    a[23] == '-');
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		assert_string_not_equal(a, b);
	}
}

static void
a_random_password_has_no_lookalikes(void **state)
{
	bool seen[256] = { false };
	char out[21];
	size_t i, distinct = 0;
	int round;

	(void)state;
	for (round = 0; round < 1000; round++) {
		ln_random_password(out, sizeof(out));
		assert_int_equal(strlen(out), 20);
		assert_null(strpbrk(out, "0Oo1Il"));
		for (i = 0; i < 20; i++)
			seen[(unsigned char)out[i]] = true;
	}
	for (i = 0; i < NITEMS(seen); i++)
		distinct += seen[i];
	assert_int_equal(distinct, 56);
	out[0] = 'x';
	ln_random_password(out, 0);
	assert_int_equal(out[0], 'x');
	ln_random_password(out, 1);
	assert_string_equal(out, "");
}

static void
base64url_decodes_only_what_it_would_write(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		bool is_good;
		const char *want;
	} rows[] = {
		{ "nothing", "", true, "" },
		{ "one byte", "Zg", true, "f" },
		{ "two bytes", "Zm8", true, "fo" },
		{ "three bytes", "Zm9v", true, "foo" },
		{ "the two letters of its own", "_-8", true, "\xFF\xEF" },
		{ "padding", "Zg==", false, "" },
		{ "the other alphabet", "/+8", false, "" },
		{ "spare bits set", "Zh", false, "" },
		{ "a length that cannot be", "Zm9vZ", false, "" },
		{ "white space", "Zm9v\n", false, "" },
		{ "a foreign byte", "Zm9*", false, "" },
		{ "longer than the room", "Zm9vZm9vZm9v", false, "" },
	};
	unsigned char out[8];
	char text[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		if (ln_b64url_decode(rows[i].in, strlen(rows[i].in), out,
		    sizeof(out), &n) != rows[i].is_good)
			fail_msg("%s", rows[i].name);
		if (!rows[i].is_good)
			continue;
		assert_int_equal(n, strlen(rows[i].want));
		assert_memory_equal(out, rows[i].want, n);
		assert_ptr_equal(ln_b64url_encode(out, n, text, sizeof(text)),
		    text);
		assert_string_equal(text, rows[i].in);
	}
	assert_null(ln_b64url_encode("foo", 3, text, 4));
	assert_non_null(ln_b64url_encode("foo", 3, text, 5));
	assert_null(ln_b64url_encode("", SIZE_MAX, text, sizeof(text)));
}

static void
compares_and_wipes(void **state)
{
	char text[8] = "secret";

	(void)state;
	assert_true(ln_secret_equal("abc", "abc", 3));
	assert_false(ln_secret_equal("abc", "abd", 3));
	assert_true(ln_secret_equal("", "", 0));
	ln_wipe(text, sizeof(text));
	assert_memory_equal(text, "\0\0\0\0\0\0\0\0", 8);
	ln_wipe(NULL, 0);
	ln_wipe_free(NULL);
}

static void
weak_secret_keys_are_refused(void **state)
{
	static const struct {
		const char *name;
		const char *secret;
		enum ln_status status;
	} rows[] = {
		{ "32 random characters", RANDOM_A, LN_OK },
		{ "64 hexadecimal digits", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
		    "00112233445566778899aabbccddeeff", LN_OK },
		{ "a long sentence", "correct horse battery staple, twice a "
		    "day", LN_OK },
		{ "missing", NULL, LN_INVALID },
		{ "empty", "", LN_INVALID },
		{ "31 characters", "9J3sTz7mQpLwXvKc2RdYhBnG5fUeAi8",
		    LN_INVALID },
		{ "31 characters in 62 bytes",
		    "\xC3\xA0\xC3\xA1\xC3\xA2\xC3\xA3\xC3\xA4\xC3\xA5\xC3\xA6"
		    "\xC3\xA7\xC3\xA8\xC3\xA9\xC3\xAA\xC3\xAB\xC3\xAC\xC3\xAD"
		    "\xC3\xAE\xC3\xAF\xC3\xB0\xC3\xB1\xC3\xB2\xC3\xB3\xC3\xB4"
		    "\xC3\xB5\xC3\xB6\xC3\xB7\xC3\xB8\xC3\xB9\xC3\xBA\xC3\xBB"
		    "\xC3\xBC\xC3\xBD\xC3\xBE", LN_INVALID },
		{ "one character over and over",
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", LN_INVALID },
		{ "a short pattern over and over",
		    "abcdabcdabcdabcdabcdabcdabcdabcd", LN_INVALID },
		{ "change-me", "change-me-change-me-change-me-12345",
		    LN_INVALID },
		{ "CHANGE_ME", "please_CHANGE_ME_before_you_deploy_this",
		    LN_INVALID },
		{ "your-secret-key-here",
		    "your-secret-key-here-0123456789abcdef", LN_INVALID },
		{ "replace this", "<replace this by 32 random characters>",
		    LN_INVALID },
		{ "super secret", "Super Secret Key For My Own Server!",
		    LN_INVALID },
	};
	struct ln_keys *keys;
	struct ln_error err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		if (ln_keys_derive(rows[i].secret, &keys, &err) !=
		    rows[i].status)
			fail_msg("%s", rows[i].name);
		assert_true((keys != NULL) == (rows[i].status == LN_OK));
		if (keys == NULL) {
			assert_string_equal(err.field, "SECRET_KEY");
			assert_non_null(strstr(err.text, "lnctl init"));
			/* The sentence tells what to do, never the key. */
			if (rows[i].secret != NULL && *rows[i].secret != '\0')
				assert_null(strstr(err.detail,
				    rows[i].secret));
		}
		ln_keys_free(keys);
	}
}

/* A changed derivation would lock every sealed value and session out. */
static void
keys_are_the_documented_derivation(void **state)
{
	/* Made with another program: BLAKE2b-256 of RANDOM_A, then BLAKE2b
	 * keyed by it with salt LE64(id) and personalisation "lnkeys01". */
	static const char *const want[] = {
		"f0f9f39a60db54e2ea1f64dcddd23b10"
		"3605607f277751ad9d750326854a9b72",
		"b20af024fffe507d4e01a3284fbf6abb"
		"d385a534d574bd8549a94c7a383a7735",
		"ba7105e1c8ed98b72ef67d5ee66100dc"
		"30a2037f5b8eeb20bdb5157875fbf7d3",
		"21c4d3c57dfe56fec6dfe43cc4bc7022"
		"01d8915122591273cf895c62d83ac4a6",
		"4c110269ada68cfa9f4616a8f8e50359"
		"ddb465ef19a6c2bc6d9256faf843f4e9",
		"7909118d02cc9ed8069bb72ba9b3e5ab"
		"fdbea978cf0e6eb376d78f98f2545df6",
	};
	const unsigned char *got[6];
	struct ln_keys *keys, *other;
	char hex[2 * LN_KEY_BYTES + 1];
	size_t i, k;

	(void)state;
	assert_int_equal(ln_keys_derive(RANDOM_A, &keys, NULL), LN_OK);
	assert_int_equal(ln_keys_derive(RANDOM_B, &other, NULL), LN_OK);
	got[0] = keys->cookie;
	got[1] = keys->session;
	got[2] = keys->seal;
	got[3] = keys->reset;
	got[4] = keys->limiter;
	got[5] = keys->audit;
	for (i = 0; i < NITEMS(got); i++) {
		for (k = 0; k < LN_KEY_BYTES; k++)
			(void)snprintf(hex + 2 * k, 3, "%02x", got[i][k]);
		assert_string_equal(hex, want[i]);
	}
	assert_memory_not_equal(keys, other, sizeof(*keys));
	ln_keys_free(keys);
	ln_keys_free(other);
	ln_keys_free(NULL);
}

static void
a_sealed_value_opens_only_with_its_key_and_context(void **state)
{
	static const char *const plains[] = { "", "k", "sk-0123456789",
		" exactly \n as given \xFF" };
	struct ln_keys *keys, *other;
	char *sealed, *again, *plain, kept;
	size_t i, k, n;

	(void)state;
	assert_int_equal(ln_keys_derive(RANDOM_A, &keys, NULL), LN_OK);
	assert_int_equal(ln_keys_derive(RANDOM_B, &other, NULL), LN_OK);
	for (i = 0; i < NITEMS(plains); i++) {
		assert_int_equal(ln_seal(keys, "user:1:api_key", plains[i],
		    &sealed, NULL), LN_OK);
		assert_memory_equal(sealed, "s1.", 3);
		if (strlen(plains[i]) > 4)
			assert_null(strstr(sealed, plains[i]));
		assert_int_equal(ln_seal(keys, "user:1:api_key", plains[i],
		    &again, NULL), LN_OK);
		assert_string_not_equal(sealed, again);
		assert_int_equal(ln_unseal(keys, "user:1:api_key", sealed,
		    &plain, NULL), LN_OK);
		assert_string_equal(plain, plains[i]);
		ln_wipe_free(plain);

		assert_int_equal(ln_unseal(keys, "user:2:api_key", sealed,
		    &plain, NULL), LN_BAD_KEY);
		assert_null(plain);
		assert_int_equal(ln_unseal(other, "user:1:api_key", sealed,
		    &plain, NULL), LN_BAD_KEY);
		assert_null(plain);

		/* No byte of it can be changed or cut off. */
		n = strlen(sealed);
		for (k = 0; k < n; k++) {
			kept = sealed[k];
			sealed[k] = kept == 'A' ? 'B' : 'A';
			assert_int_not_equal(ln_unseal(keys, "user:1:api_key",
			    sealed, &plain, NULL), LN_OK);
			assert_null(plain);
			sealed[k] = kept;
		}
		for (; n > 0; n--) {
			sealed[n - 1] = '\0';
			assert_int_not_equal(ln_unseal(keys, "user:1:api_key",
			    sealed, &plain, NULL), LN_OK);
		}
		ln_free(sealed);
		ln_free(again);
	}
	assert_int_equal(ln_unseal(keys, "c", "plain text", &plain, NULL),
	    LN_INVALID);
	assert_int_equal(ln_unseal(keys, "c", "s1.", &plain, NULL),
	    LN_INVALID);
	assert_int_equal(ln_unseal(keys, "c", "s1.!!!!", &plain, NULL),
	    LN_INVALID);
	ln_keys_free(keys);
	ln_keys_free(other);
}

static int
init(void **state)
{
	(void)state;
	return ln_init(NULL) == LN_OK ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uuid_is_random_version_4),
		cmocka_unit_test(a_random_password_has_no_lookalikes),
		cmocka_unit_test(base64url_decodes_only_what_it_would_write),
		cmocka_unit_test(compares_and_wipes),
		cmocka_unit_test(weak_secret_keys_are_refused),
		cmocka_unit_test(keys_are_the_documented_derivation),
		cmocka_unit_test(
		    a_sealed_value_opens_only_with_its_key_and_context),
	};

	return cmocka_run_group_tests_name("secret", tests, init, NULL);
}

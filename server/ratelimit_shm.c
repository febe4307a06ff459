#include "ratelimit_shm.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/evp.h>

#include <ln/log.h>
#include <ln/text.h>
#include <ln/time.h>

#include "server.h"
#include "shared.h"

/*
 * The generic cell rate algorithm: a key needs one number, the time at which
 * its allowance is whole again.  An entry is one word (24 bits of the key, 40
 * of that time), changed by compare-and-swap, so that no process can die with
 * it half-written.
 */
#define TIME_BITS 40
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

static const struct {
	unsigned count;
	int64_t window_ms;
} limits[] = {
	[LIMIT_NONE] = { 1, 1 },
	[LIMIT_DEFAULT] = { 120, 60000 },
	[LIMIT_LOGIN] = { 10, 60000 },
	[LIMIT_REGISTER] = { 5, 60000 },
	[LIMIT_FORGOT] = { 3, 60000 },
	[LIMIT_RESET] = { 5, 60000 },
	[LIMIT_PASSWORD] = { 5, 60000 },
	[LIMIT_ACCOUNT_DELETE] = { 2, 60000 },
	[LIMIT_FAILURE] = { 10, 15 * 60000 },
};

static uint64_t
hash_key(enum limit class, const char *who, const char *account)
{
	unsigned char data[512], mac[64];
	uint64_t h;
	size_t len, outlen = 0, n;

	data[0] = (unsigned char)class;
	len = 1;
	n = strlen(who);
	if (n > 250)
		n = 250;
	memcpy(data + len, who, n);
	len += n;
	data[len++] = 0;
	if (account != NULL) {
		n = strlen(account);
		if (n > 250)
			n = 250;
		memcpy(data + len, account, n);
		len += n;
	}
	if (EVP_Q_mac(NULL, "BLAKE2BMAC", NULL, NULL, NULL,
	    server.keys->limiter, LN_KEY_BYTES, data, len, mac, sizeof(mac),
	    &outlen) == NULL || outlen < sizeof(h))
		fatal("BLAKE2BMAC");
	memcpy(&h, mac, sizeof(h));
	return h;
}

/* The entry of ${h}, or the one to give up for it. */
static _Atomic uint64_t *
find_entry(uint64_t h, uint64_t tag, int64_t now)
{
	_Atomic uint64_t *ways, *oldest;
	uint64_t v, t, oldest_t;
	size_t i;

	ways = server.shm->rate[h & (SHARED_RATE_BUCKETS - 1)];
	oldest = &ways[0];
	oldest_t = UINT64_MAX;
	for (i = 0; i < SHARED_RATE_WAYS; i++) {
		v = atomic_load_explicit(&ways[i], memory_order_relaxed);
		if (v >> TIME_BITS == tag)
			return &ways[i];
		t = v & TIME_MASK;
		if (t <= (uint64_t)now)
			t = 0;
		if (t < oldest_t) {
			oldest_t = t;
			oldest = &ways[i];
		}
	}
	return oldest;
}

static uint64_t
tag_of(uint64_t h)
{
	uint64_t tag = h >> TIME_BITS;

	return tag == 0 ? 1 : tag;
}

/* Ask for one unit; ${reserve_ms} widens the window without refusing. */
static bool
take(enum limit class, uint64_t h, int64_t reserve_ms, int64_t *out_over_ms)
{
	_Atomic uint64_t *e;
	uint64_t old, tag;
	int64_t now, next, period, window;

	window = limits[class].window_ms;
	period = window / (int64_t)limits[class].count;
	now = ln_time_mono_ms();
	tag = tag_of(h);
	for (;;) {
		e = find_entry(h, tag, now);
		old = atomic_load(e);
		next = old >> TIME_BITS == tag ? (int64_t)(old & TIME_MASK) :
		    now;
		if (next < now)
			next = now;
		next += period;
		*out_over_ms = next - now - window;
		if (*out_over_ms > reserve_ms)
			return false;
		if (atomic_compare_exchange_weak(e, &old,
		    tag << TIME_BITS | ((uint64_t)next & TIME_MASK)))
			return true;
	}
}

bool
ratelimit_take(enum limit class, const char *who, const char *account,
    int *out_retry_s)
{
	int64_t over;

	*out_retry_s = 0;
	if (class == LIMIT_NONE ||
	    take(class, hash_key(class, who, account), 0, &over))
		return true;
	*out_retry_s = (int)((over + 999) / 1000);
	return false;
}

/* Names are told apart as the accounts are: folded, or as typed if broken. */
static uint64_t
hash_name(const char *name)
{
	char *key = NULL;
	uint64_t h;

	if (ln_text_key(name, &key, NULL) != LN_OK)
		key = NULL;
	h = hash_key(LIMIT_FAILURE, key != NULL ? key : name, NULL);
	ln_free(key);
	return h;
}

void
ratelimit_failed(const char *name)
{
	int64_t over;
	int64_t period = limits[LIMIT_FAILURE].window_ms /
	    (int64_t)limits[LIMIT_FAILURE].count;

	/* Remember a few beyond the limit: they make the delay grow. */
	(void)take(LIMIT_FAILURE, hash_name(name), 4 * period, &over);
}

int64_t
ratelimit_delay_ms(const char *name)
{
	_Atomic uint64_t *e;
	uint64_t h, v, tag;
	int64_t now, over, period;

	h = hash_name(name);
	tag = tag_of(h);
	now = ln_time_mono_ms();
	e = find_entry(h, tag, now);
	v = atomic_load(e);
	if (v >> TIME_BITS != tag)
		return 0;
	period = limits[LIMIT_FAILURE].window_ms /
	    (int64_t)limits[LIMIT_FAILURE].count;
	over = (int64_t)(v & TIME_MASK) + period - now -
	    limits[LIMIT_FAILURE].window_ms;
	if (over <= 0)
		return 0;
	over = 1000 * (1 + over / period);
	return over > 5000 ? 5000 : over;
}

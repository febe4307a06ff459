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
 * A window per key, opened by its first request: so many requests until it
 * ends.  An entry is one word (24 bits of the key, 28 of the opening time, 12
 * of the count), changed by compare-and-swap, so that no process can die with
 * it half-written.
 */
#define TICK_MS 64		/* unit of the time: 28 bits last 198 days */
#define TIME_MASK UINT64_C(0xfffffff)
#define COUNT_MASK UINT64_C(0xfff)

#define DELAY_MAX_S 5		/* security contract: 1 to 5 s */

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
	[LIMIT_FAILURE] = { 10, 900000 },
};

int
ratelimit_per_minute(enum limit class)
{
	return (int)((int64_t)limits[class].count * 60000 /
	    limits[class].window_ms);
}

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

static uint64_t
pack(uint64_t tag, int64_t opened_ms, uint64_t count)
{
	return tag << 40 | ((uint64_t)(opened_ms / TICK_MS) & TIME_MASK) << 12 |
	    count;
}

static uint64_t
tag_of(uint64_t h)
{
	uint64_t tag = h >> 40;

	return tag == 0 ? 1 : tag;
}

/* Milliseconds since the window of ${v} was opened. */
static int64_t
age_of(uint64_t v, int64_t now)
{
	uint64_t ticks = (uint64_t)(now / TICK_MS) - (v >> 12);

	return (int64_t)(ticks & TIME_MASK) * TICK_MS;
}

/*
 * The entry of the key, or the one to give up for it: the oldest.  ${out} is
 * what was in it: who changes the entry compares with that, so that a place
 * which somebody else has taken meanwhile is looked for again.
 */
static _Atomic uint64_t *
find_entry(uint64_t h, int64_t now, uint64_t *out)
{
	_Atomic uint64_t *ways, *oldest;
	uint64_t v;
	int64_t age, oldest_age;
	size_t i;

	ways = server.shm->rate[h & (SHARED_RATE_BUCKETS - 1)];
	oldest = &ways[0];
	oldest_age = -1;
	for (i = 0; i < SHARED_RATE_WAYS; i++) {
		v = atomic_load(&ways[i]);
		if (v >> 40 == tag_of(h)) {
			*out = v;
			return &ways[i];
		}
		age = v == 0 ? INT64_MAX : age_of(v, now);
		if (age > oldest_age) {
			oldest_age = age;
			oldest = &ways[i];
			*out = v;
		}
	}
	return oldest;
}

/*
 * Count one, up to ${most}.  Returns how many there were in the window before
 * it; ${most} and more mean that it is one too many.
 */
static uint64_t
take(enum limit class, uint64_t h, uint64_t most, int64_t *out_left_ms)
{
	_Atomic uint64_t *e;
	uint64_t old, count;
	int64_t now, opened;

	now = ln_time_mono_ms();
	for (;;) {
		e = find_entry(h, now, &old);
		opened = now;
		count = 0;
		if (old >> 40 == tag_of(h) &&
		    age_of(old, now) < limits[class].window_ms) {
			opened = now - age_of(old, now);
			count = old & COUNT_MASK;
		}
		*out_left_ms = opened + limits[class].window_ms - now;
		/* The first that is too many is counted, and no other. */
		if (count > most)
			return count;
		if (atomic_compare_exchange_weak(e, &old,
		    pack(tag_of(h), opened, count + 1)))
			return count;
	}
}

enum limit_verdict
ratelimit_take(enum limit class, const char *who, const char *account,
    int *out_retry_s)
{
	uint64_t before;
	int64_t left;

	*out_retry_s = 0;
	if (class == LIMIT_NONE)
		return LIMIT_PASS;
	before = take(class, hash_key(class, who, account),
	    limits[class].count, &left);
	if (before < limits[class].count)
		return LIMIT_PASS;
	*out_retry_s = (int)((left + 999) / 1000);
	return before == limits[class].count ? LIMIT_HIT : LIMIT_REFUSE;
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
	int64_t left;

	/* A few beyond the limit are remembered: they make the delay grow. */
	(void)take(LIMIT_FAILURE, hash_name(name),
	    limits[LIMIT_FAILURE].count + DELAY_MAX_S - 2, &left);
}

int64_t
ratelimit_delay_ms(const char *name)
{
	uint64_t h, v, count;
	int64_t now, s;

	h = hash_name(name);
	now = ln_time_mono_ms();
	(void)find_entry(h, now, &v);
	if (v >> 40 != tag_of(h) ||
	    age_of(v, now) >= limits[LIMIT_FAILURE].window_ms)
		return 0;
	count = v & COUNT_MASK;
	if (count < limits[LIMIT_FAILURE].count)
		return 0;
	s = 1 + (int64_t)(count - limits[LIMIT_FAILURE].count);
	return 1000 * (s > DELAY_MAX_S ? DELAY_MAX_S : s);
}

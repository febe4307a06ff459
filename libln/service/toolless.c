#include "service/toolless.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <ln/time.h>

#include "base/banned.h"

#define MODELS_MAX 32		/* the oldest goes */
#define REMEMBER_MS (10 * 60 * 1000)	/* a model may be replaced */
#define KEY_SIZE 512

static struct {
	char key[KEY_SIZE];	/* "": free */
	int64_t until_ms;	/* monotonic */
} models[MODELS_MAX];
static size_t next_slot;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* False: too long to be remembered. */
static bool
key_of(const struct ln_provider_conf *conf, char key[KEY_SIZE])
{
	int n;

	n = snprintf(key, KEY_SIZE, "%s\n%s\n%s", conf->info->name,
	    conf->base_url != NULL ? conf->base_url : "",
	    conf->model != NULL ? conf->model : "");
	return n > 0 && n < KEY_SIZE;
}

void
lni_toolless_add(const struct ln_provider_conf *conf)
{
	char key[KEY_SIZE];

	if (!key_of(conf, key))
		return;
	(void)pthread_mutex_lock(&lock);
	memcpy(models[next_slot].key, key, sizeof(key));
	models[next_slot].until_ms = ln_time_mono_ms() + REMEMBER_MS;
	next_slot = (next_slot + 1) % MODELS_MAX;
	(void)pthread_mutex_unlock(&lock);
}

bool
lni_toolless_has(const struct ln_provider_conf *conf)
{
	int64_t now_ms = ln_time_mono_ms();
	char key[KEY_SIZE];
	bool is_there = false;
	size_t i;

	if (!key_of(conf, key))
		return false;
	(void)pthread_mutex_lock(&lock);
	for (i = 0; i < MODELS_MAX && !is_there; i++)
		is_there = models[i].until_ms > now_ms &&
		    strcmp(models[i].key, key) == 0;
	(void)pthread_mutex_unlock(&lock);
	return is_there;
}

#include "models.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 64
#define LIST_MAX ((size_t)256 * 1024)	/* bytes of names */
#define FRESH_MS 30000
#define RETRY_MS 5000			/* after a failure */
#define KEEP_MS 600000			/* older ones are of no use */

static struct models_entry entries[ENTRIES_MAX];

static void
drop(struct models_entry *e)
{
	free(e->user_id);
	free(e->provider);
	free(e->base_url);
	ln_model_list_free(&e->list);
	memset(e, 0, sizeof(*e));
}

static const char *
url_of(const struct ln_provider_conf *conf)
{
	return conf->base_url != NULL ? conf->base_url : "";
}

static bool
is_of(const struct models_entry *e, const char *user_id,
    const struct ln_provider_conf *conf)
{
	return e->user_id != NULL && strcmp(e->user_id, user_id) == 0 &&
	    strcmp(e->provider, conf->info->name) == 0 &&
	    strcmp(e->base_url, url_of(conf)) == 0;
}

static struct models_entry *
find(const char *user_id, const struct ln_provider_conf *conf)
{
	size_t i;

	for (i = 0; i < ENTRIES_MAX; i++) {
		if (is_of(&entries[i], user_id, conf))
			return &entries[i];
	}
	return NULL;
}

struct models_entry *
models_find(const char *user_id, const struct ln_provider_conf *conf,
    int64_t now_ms)
{
	struct models_entry *e = find(user_id, conf);

	if (e == NULL)
		return NULL;
	if (now_ms - e->asked_ms > KEEP_MS) {
		drop(e);
		return NULL;
	}
	e->used_ms = now_ms;
	return e;
}

bool
models_is_due(const struct models_entry *e, int64_t now_ms)
{
	return !e->is_asking && now_ms - e->asked_ms >
	    (e->is_stale ? RETRY_MS : FRESH_MS);
}

/* A free place, or the one that was of no use for longest. */
static struct models_entry *
place(void)
{
	struct models_entry *e = &entries[0];
	size_t i;

	for (i = 0; i < ENTRIES_MAX; i++) {
		if (entries[i].user_id == NULL)
			return &entries[i];
		if (entries[i].used_ms < e->used_ms)
			e = &entries[i];
	}
	drop(e);
	return e;
}

static bool
copy_list(const struct ln_model_list *from, struct ln_model_list *to)
{
	size_t i;

	to->count = 0;
	if ((to->names = calloc(from->count + 1, sizeof(*to->names))) == NULL)
		return false;
	for (i = 0; i < from->count; i++) {
		if ((to->names[i] = strdup(from->names[i])) == NULL)
			return false;
		to->count++;
	}
	return true;
}

static bool
is_small(const struct ln_model_list *list)
{
	size_t i, size = 0;

	for (i = 0; i < list->count && size <= LIST_MAX; i++)
		size += strlen(list->names[i]) + sizeof(*list->names);
	return size <= LIST_MAX;
}

void
models_keep(const char *user_id, const struct ln_provider_conf *conf,
    const struct ln_model_list *list, bool is_stale, int64_t now_ms)
{
	struct models_entry *e = find(user_id, conf);

	if (e != NULL)
		drop(e);
	if (!is_small(list))
		return;
	e = place();
	e->user_id = strdup(user_id);
	e->provider = strdup(conf->info->name);
	e->base_url = strdup(url_of(conf));
	e->is_stale = is_stale;
	e->asked_ms = e->used_ms = now_ms;
	if (!copy_list(list, &e->list) || e->user_id == NULL ||
	    e->provider == NULL || e->base_url == NULL)
		drop(e);
}

void
models_forget(const char *user_id)
{
	size_t i;

	for (i = 0; i < ENTRIES_MAX; i++) {
		if (entries[i].user_id != NULL && (user_id == NULL ||
		    strcmp(entries[i].user_id, user_id) == 0))
			drop(&entries[i]);
	}
}

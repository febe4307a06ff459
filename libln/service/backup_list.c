#define _XOPEN_SOURCE 700	/* realpath */

#include "service/backup.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/audit.h>
#include <ln/time.h>

#include "model/backup.h"
#include "store/scratch.h"
#include "store/tx.h"

#include "base/banned.h"

void
ln_backup_list_free(struct ln_backup_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		ln_backup_clear(&l->items[i]);
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

/* The entry is the list's afterwards, or is cleared. */
static enum ln_status
add(struct ln_backup_list *l, struct ln_backup *b, struct ln_error *err)
{
	struct ln_backup *grown;

	grown = realloc(l->items, (l->count + 1) * sizeof(*grown));
	if (grown == NULL) {
		ln_backup_clear(b);
		return ln_fail(err, LN_NOMEM, "", "list of backups");
	}
	l->items = grown;
	grown[l->count++] = *b;
	return LN_OK;
}

/* What does not open is listed all the same: by its name and size. */
static enum ln_status
look(struct ln_store *st, const char *folder, const char *name,
    struct ln_backup *out, struct ln_error *err)
{
	struct lni_backup_file f = LNI_BACKUP_FILE_INIT;
	struct lni_receipt r;
	char path[PATH_MAX];
	struct stat sb;
	enum ln_status s;
	bool is_encrypted = false;

	memset(out, 0, sizeof(*out));
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >=
	    (int)sizeof(path) || lstat(path, &sb) != 0 || !S_ISREG(sb.st_mode))
		return LN_NOT_FOUND;
	s = lni_backup_open(path, NULL, &f, err);
	if (s == LN_NOMEM)
		return s;
	if (s == LN_OK) {
		s = lni_backup_describe(path, &f, out, err);
		lni_backup_close(&f);
		if (s != LN_OK)
			return s;
	} else {
		if ((out->path = strdup(path)) == NULL)
			return ln_fail(err, LN_NOMEM, "", "backup");
		out->name = strrchr(out->path, '/') + 1;
		out->bytes = sb.st_size;
	}
	/* Order and retention go by the name, which no damage changes. */
	(void)lni_backup_name_parse(out->name, &out->created_ms,
	    &is_encrypted);
	out->is_encrypted = is_encrypted;
	if (st == NULL)
		return LN_OK;
	s = lni_receipt_get(st, folder, name, &r, err);
	if (s == LN_OK && r.bytes == out->bytes) {
		out->verified_ms = r.verified_ms;
		out->verified_how = r.verified_how;
	}
	if (s == LN_NOT_FOUND)
		s = LN_OK;
	if (s != LN_OK)
		ln_backup_clear(out);
	return s;
}

static int
newest_first(const void *a, const void *b)
{
	const struct ln_backup *x = a, *y = b;

	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? 1 : -1;
	/* "-10" was made after "-2". */
	if (strlen(x->name) != strlen(y->name))
		return strlen(x->name) < strlen(y->name) ? 1 : -1;
	return strcmp(y->name, x->name);
}

static enum ln_status
scan(struct ln_store *st, const char *folder, DIR *d,
    struct ln_backup_list *out, struct ln_error *err)
{
	struct ln_backup b;
	enum ln_status s = LN_OK;
	struct dirent *e;
	int64_t created_ms;
	bool is_encrypted;

	while (s == LN_OK && (e = readdir(d)) != NULL) {
		if (!lni_backup_name_parse(e->d_name, &created_ms,
		    &is_encrypted))
			continue;
		s = look(st, folder, e->d_name, &b, err);
		if (s == LN_OK)
			s = add(out, &b, err);
		else if (s == LN_NOT_FOUND)
			s = LN_OK;	/* gone meanwhile, or no file */
	}
	if (s == LN_OK && out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items),
		    newest_first);
	return s;
}

enum ln_status
ln_backup_list(struct ln_store *st, const char *folder,
    struct ln_backup_list *out, struct ln_error *err)
{
	enum ln_status s;
	char *real;
	DIR *d;

	out->items = NULL;
	out->count = 0;
	if ((real = realpath(folder, NULL)) == NULL ||
	    (d = opendir(real)) == NULL) {
		free(real);
		return ln_fail(err, errno == ENOENT || errno == ENOTDIR ?
		    LN_NOT_FOUND : LN_IO, "There is no such folder",
		    "%s: %s", folder, strerror(errno));
	}
	s = scan(st, real, d, out, err);
	closedir(d);
	free(real);
	if (s != LN_OK)
		ln_backup_list_free(out);
	return s;
}

enum ln_status
ln_backup_last(struct ln_store *st, struct ln_backup *out,
    struct ln_error *err)
{
	struct lni_receipt r;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if ((s = lni_receipt_last(st, &r, &out->path, err)) != LN_OK)
		return s;
	out->name = strrchr(out->path, '/') + 1;
	out->created_ms = r.created_ms;
	out->bytes = r.bytes;
	out->is_encrypted = r.is_encrypted;
	out->verified_ms = r.verified_ms;
	out->verified_how = r.verified_how;
	return LN_OK;
}

enum ln_status
ln_backup_max_age(const struct ln_config *cfg, int64_t *out_ms,
    struct ln_error *err)
{
	const char *age = ln_config_get(cfg, "LOCALNEURAL_BACKUP_MAX_AGE");

	*out_ms = 0;
	if (age == NULL || ln_time_parse_duration(age, out_ms, NULL) != LN_OK)
		return ln_fail(err, LN_INVALID,
		    "LOCALNEURAL_BACKUP_MAX_AGE is a time such as 26h", "%s",
		    age != NULL ? age : "");
	return LN_OK;
}

enum ln_backup_age
ln_backup_age(const struct ln_backup *b, int64_t now_ms, int64_t max_ms)
{
	if (b->created_ms > now_ms)
		return LN_BACKUP_FUTURE;
	return now_ms - b->created_ms > max_ms ? LN_BACKUP_OLD :
	    LN_BACKUP_FRESH;
}

/* --- retention ----------------------------------------------------------- */

/* The first characters of an ISO time that name its day and month. */
#define DAY_CHARS 10
#define MONTH_CHARS 7
#define DAY_MS ((int64_t)86400000)
#define WEEK_OFFSET_DAYS 3	/* 1970-01-01 was a Thursday; weeks begin on
				 * Monday, as ISO 8601 has it */

static void
period_of(int64_t ms, char kind, char out[LN_TIME_ISO_SIZE])
{
	if (kind == 'w') {
		(void)snprintf(out, LN_TIME_ISO_SIZE, "%lld",
		    (long long)((ms / DAY_MS + WEEK_OFFSET_DAYS) / 7));
		return;
	}
	ln_time_iso(ms, out);
	out[kind == 'd' ? DAY_CHARS : MONTH_CHARS] = '\0';
}

/* Keep the newest of each of the last ${count} periods that have one. */
static void
keep_periods(const struct ln_backup_list *l, char kind, int64_t count,
    bool *kept)
{
	char last[LN_TIME_ISO_SIZE] = "", period[LN_TIME_ISO_SIZE];
	size_t i;

	for (i = 0; i < l->count && count > 0; i++) {
		period_of(l->items[i].created_ms, kind, period);
		if (strcmp(period, last) == 0)
			continue;
		memcpy(last, period, sizeof(last));
		kept[i] = true;
		count--;
	}
}

static void
decide(const struct ln_backup_list *l, const struct ln_backup_keep *keep,
    bool *kept)
{
	size_t i;

	for (i = 0; i < l->count && (int64_t)i < keep->last; i++)
		kept[i] = true;
	keep_periods(l, 'd', keep->daily, kept);
	keep_periods(l, 'w', keep->weekly, kept);
	keep_periods(l, 'm', keep->monthly, kept);
	if (l->count > 0)
		kept[0] = true;
	for (i = 0; i < l->count; i++) {
		if (l->items[i].verified_ms != 0) {
			kept[i] = true;
			break;
		}
	}
}

static enum ln_status
forget(struct ln_store *st, const char *folder, const struct ln_backup *b,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_receipt_remove(st, folder, b->name, err)) == LN_OK &&
	    ln_store_keys(st) != NULL)
		s = ln_audit_add(st, "backup.prune", NULL, LN_OK, b->name,
		    err);
	return lni_tx_end(st, s, err);
}

static enum ln_status
drop(struct ln_store *st, const struct ln_backup *b, struct ln_error *err)
{
	const char *name;
	char *folder;
	enum ln_status s;

	if ((s = lni_backup_place(b->path, &folder, &name, err)) != LN_OK)
		return s;
	if (unlink(b->path) != 0 && errno != ENOENT)
		s = ln_fail(err, LN_IO, "An old backup could not be removed",
		    "unlink %s: %s", b->path, strerror(errno));
	if (s == LN_OK)
		s = lni_sync_folder(b->path, err);
	if (s == LN_OK)
		s = forget(st, folder, b, err);
	free(folder);
	return s;
}

/* Move what goes to ${out}; the rest stays in ${all}. */
static enum ln_status
prune(struct ln_store *st, struct ln_backup_list *all, const bool *kept,
    bool is_dry_run, struct ln_backup_list *out, struct ln_error *err)
{
	enum ln_status s = LN_OK;
	size_t i;

	for (i = 0; i < all->count && s == LN_OK; i++) {
		if (kept[i])
			continue;
		if (!is_dry_run &&
		    (s = drop(st, &all->items[i], err)) != LN_OK)
			break;
		s = add(out, &all->items[i], err);
		memset(&all->items[i], 0, sizeof(all->items[i]));
	}
	return s;
}

enum ln_status
ln_backup_prune(struct ln_store *st, const char *folder,
    const struct ln_backup_keep *keep, bool is_dry_run,
    struct ln_backup_list *out, struct ln_error *err)
{
	struct ln_backup_list all = { NULL, 0 };
	bool *kept = NULL;
	enum ln_status s;
	int lock = -1;

	out->items = NULL;
	out->count = 0;
	if (!is_dry_run && (s = lni_backup_lock(folder, &lock, err)) != LN_OK)
		return s;
	if ((s = ln_backup_list(st, folder, &all, err)) != LN_OK)
		goto out;
	if ((kept = calloc(all.count + 1, sizeof(*kept))) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "prune");
		goto out;
	}
	decide(&all, keep, kept);
	s = prune(st, &all, kept, is_dry_run, out, err);
out:
	free(kept);
	ln_backup_list_free(&all);
	if (lock >= 0)
		close(lock);
	return s;
}

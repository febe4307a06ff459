#include <ln/config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ln/log.h>
#include <ln/secret.h>

#include "base/envfile.h"
#include "base/file.h"
#include "base/banned.h"

#define TWIN_SUFFIX "_FILE"

static const char *const default_files[] = { ".env",
	"/etc/localneural/localneural.env" };

/* One name and what each place says about it; NULL where it says nothing. */
struct slot {
	char *by_origin[LN_CONFIG_FLAG + 1];
};

struct ln_config {
	struct slot *slots;	/* of the keys, in the order of the table */
	struct slot *twins;	/* of their ..._FILE forms */
	size_t count;
	char *path;
};

static _Thread_local int error_line;

/* The key named ${name}, of which ${out_is_twin} tells the ..._FILE form. */
static const struct ln_config_key *
find_key(const char *name, bool *out_is_twin)
{
	const struct ln_config_key *key;
	size_t n;

	for (key = ln_config_keys(); key->name != NULL; key++) {
		n = strlen(key->name);
		if (strncmp(name, key->name, n) != 0)
			continue;
		*out_is_twin = key->is_secret &&
		    strcmp(name + n, TWIN_SUFFIX) == 0;
		if (*out_is_twin || name[n] == '\0')
			return key;
	}
	return NULL;
}

static struct slot *
find_slot(const struct ln_config *cfg, const char *name)
{
	const struct ln_config_key *key;
	bool is_twin;

	if ((key = find_key(name, &is_twin)) == NULL)
		return NULL;
	return &(is_twin ? cfg->twins : cfg->slots)[key - ln_config_keys()];
}

/* The first place with a value: a flag beats the environment and so on. */
static enum ln_config_origin
slot_origin(const struct slot *slot)
{
	const char *value;
	int origin;

	for (origin = LN_CONFIG_FLAG; origin > LN_CONFIG_DEFAULT; origin--) {
		value = slot->by_origin[origin];
		if (value != NULL && value[0] != '\0')
			break;
	}
	return (enum ln_config_origin)origin;
}

static enum ln_status
slot_set(struct slot *slot, enum ln_config_origin origin, const char *value,
    struct ln_error *err)
{
	char *copy = NULL;

	if (value != NULL && (copy = strdup(value)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "config");
	ln_wipe_free(slot->by_origin[origin]);
	slot->by_origin[origin] = copy;
	return LN_OK;
}

static enum ln_status
config_new(struct ln_config **out, struct ln_error *err)
{
	const struct ln_config_key *key;
	struct ln_config *cfg;
	enum ln_status s = LN_OK;
	size_t i;

	*out = NULL;
	if ((cfg = calloc(1, sizeof(*cfg))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "config");
	for (key = ln_config_keys(); key->name != NULL; key++)
		cfg->count++;
	cfg->slots = calloc(cfg->count, sizeof(*cfg->slots));
	cfg->twins = calloc(cfg->count, sizeof(*cfg->twins));
	if (cfg->slots == NULL || cfg->twins == NULL)
		s = ln_fail(err, LN_NOMEM, "", "config");
	for (i = 0; s == LN_OK && i < cfg->count; i++)
		s = slot_set(&cfg->slots[i], LN_CONFIG_DEFAULT,
		    ln_config_keys()[i].fallback, err);
	if (s != LN_OK) {
		ln_config_free(cfg);
		return s;
	}
	*out = cfg;
	return LN_OK;
}

static void
slots_free(struct slot *slots, size_t count)
{
	size_t i;
	int origin;

	for (i = 0; slots != NULL && i < count; i++)
		for (origin = 0; origin <= LN_CONFIG_FLAG; origin++)
			ln_wipe_free(slots[i].by_origin[origin]);
	free(slots);
}

void
ln_config_free(struct ln_config *cfg)
{
	if (cfg == NULL)
		return;
	slots_free(cfg->slots, cfg->count);
	slots_free(cfg->twins, cfg->count);
	free(cfg->path);
	free(cfg);
}

/* What the env file's parser carries from line to line. */
struct reading {
	struct ln_config *cfg;
	struct ln_error *err;
	bool has_secret;
	int unknown_count;
	int unknown_line;	/* of the first */
	char unknown_name[64];
};

/* ${value} seen from the folder of the env file ${path}. */
static enum ln_status
resolve(const char *path, const char *value, char **out, struct ln_error *err)
{
	const char *slash = strrchr(path, '/');
	size_t folder, length = strlen(value);

	*out = NULL;
	if (slash == NULL || value[0] == '/' || value[0] == '\0')
		folder = 0;
	else
		folder = (size_t)(slash - path) + 1;
	/* "./.env" names the current folder: nothing to add. */
	if (folder == 2 && path[0] == '.')
		folder = 0;
	if ((*out = malloc(folder + length + 1)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "config: path");
	memcpy(*out, path, folder);
	memcpy(*out + folder, value, length + 1);
	return LN_OK;
}

static enum ln_status
take_assignment(void *arg, int line, const char *name, const char *value)
{
	struct reading *r = arg;
	const struct ln_config_key *key;
	struct slot *slot;
	enum ln_status s;
	char *path = NULL;
	bool is_twin = false;

	if ((key = find_key(name, &is_twin)) == NULL) {
		if (r->unknown_count++ == 0) {
			r->unknown_line = line;
			(void)ln_log_quote(name, r->unknown_name,
			    sizeof(r->unknown_name));
		}
		return LN_OK;
	}
	slot = find_slot(r->cfg, name);
	if (key->is_path || is_twin) {
		if ((s = resolve(r->cfg->path, value, &path, r->err)) != LN_OK)
			return s;
		value = path;
	} else if (key->is_secret && value[0] != '\0')
		r->has_secret = true;
	s = slot_set(slot, LN_CONFIG_FILE, value, r->err);
	free(path);
	return s;
}

static enum ln_status
read_env_file(struct ln_config *cfg, const char *path, struct ln_error *err)
{
	struct lni_file file = { NULL, 0, 0 };
	struct reading r = { .cfg = cfg, .err = err };
	enum ln_status s;
	char quoted[256];
	int line = 0;

	if ((s = lni_file_read(path, 0, LNI_ENVFILE_MAX, &file, err)) != LN_OK)
		return s;
	if ((cfg->path = strdup(path)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "config");
		goto out;
	}
	s = lni_envfile_parse(file.bytes, file.length, take_assignment, &r,
	    &line);
	if (line != 0) {
		error_line = line;
		s = ln_fail(err, LN_INVALID,
		    "The env file has a line that cannot be read",
		    "%s, line %d", path, line);
	}
	if (s != LN_OK)
		goto out;
	if (r.has_secret && (file.mode & LNI_MODE_OTHERS) != 0) {
		s = ln_fail(err, LN_FORBIDDEN, "The env file can be read by "
		    "others. Run chmod 600 on it", "%s: mode %o", path,
		    (unsigned)file.mode);
		goto out;
	}
	if (r.unknown_count > 0)
		ln_log(LN_LOG_WARN, "config.unknown",
		    "file=%s line=%d name=%s count=%d",
		    ln_log_quote(path, quoted, sizeof(quoted)),
		    r.unknown_line, r.unknown_name, r.unknown_count);
out:
	lni_file_wipe(&file);
	return s;
}

static enum ln_status
read_env_files(struct ln_config *cfg, const char *env_file,
    struct ln_error *err)
{
	enum ln_status s = LN_NOT_FOUND;
	size_t i;

	if (env_file != NULL) {
		s = read_env_file(cfg, env_file, err);
		if (s == LN_NOT_FOUND)
			return ln_fail(err, s, "There is no such env file",
			    "%s", env_file);
		return s;
	}
	for (i = 0; s == LN_NOT_FOUND && i < sizeof(default_files) /
	    sizeof(default_files[0]); i++)
		s = read_env_file(cfg, default_files[i], err);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
read_environment(struct ln_config *cfg, struct ln_error *err)
{
	const struct ln_config_key *keys = ln_config_keys();
	enum ln_status s = LN_OK;
	char twin[128];
	size_t i, n;

	for (i = 0; s == LN_OK && i < cfg->count; i++) {
		s = slot_set(&cfg->slots[i], LN_CONFIG_ENV,
		    getenv(keys[i].name), err);
		if (s != LN_OK || !keys[i].is_secret)
			continue;
		n = strlen(keys[i].name);
		if (n + sizeof(TWIN_SUFFIX) > sizeof(twin))
			return ln_fail(err, LN_INTERNAL, "", "%s",
			    keys[i].name);
		memcpy(twin, keys[i].name, n);
		memcpy(twin + n, TWIN_SUFFIX, sizeof(TWIN_SUFFIX));
		s = slot_set(&cfg->twins[i], LN_CONFIG_ENV, getenv(twin), err);
	}
	return s;
}

enum ln_status
ln_config_load(const char *env_file, struct ln_config **out,
    struct ln_error *err)
{
	struct ln_config *cfg = NULL;
	enum ln_status s;

	*out = NULL;
	error_line = 0;
	if ((s = config_new(&cfg, err)) != LN_OK)
		goto out;
	if ((s = read_env_files(cfg, env_file, err)) != LN_OK)
		goto out;
	if ((s = read_environment(cfg, err)) != LN_OK)
		goto out;
	*out = cfg;
	cfg = NULL;
out:
	ln_config_free(cfg);
	return s;
}

int
ln_config_error_line(void)
{
	return error_line;
}

enum ln_status
ln_config_set(struct ln_config *cfg, const char *name, const char *value,
    struct ln_error *err)
{
	struct slot *slot;

	if ((slot = find_slot(cfg, name)) == NULL)
		return ln_fail(err, LN_INVALID, "There is no such setting",
		    "%s", name);
	return slot_set(slot, LN_CONFIG_FLAG, value, err);
}

const char *
ln_config_get(const struct ln_config *cfg, const char *name)
{
	const struct slot *slot;

	if ((slot = find_slot(cfg, name)) == NULL)
		return NULL;
	return slot->by_origin[slot_origin(slot)];
}

enum ln_config_origin
ln_config_origin(const struct ln_config *cfg, const char *name)
{
	const struct slot *slot;

	if ((slot = find_slot(cfg, name)) == NULL)
		return LN_CONFIG_DEFAULT;
	return slot_origin(slot);
}

const char *
ln_config_path(const struct ln_config *cfg)
{
	return cfg->path;
}

enum ln_status
ln_config_secret(const struct ln_config *cfg, const char *name, char **out,
    struct ln_error *err)
{
	const struct ln_config_key *key;
	const struct slot *slot, *twin;
	enum ln_config_origin origin;
	enum ln_status s;
	bool is_twin = false;

	*out = NULL;
	key = find_key(name, &is_twin);
	if (key == NULL || !key->is_secret || is_twin)
		return ln_fail(err, LN_INVALID, "There is no such secret",
		    "%s", name);
	slot = &cfg->slots[key - ln_config_keys()];
	twin = &cfg->twins[key - ln_config_keys()];
	origin = slot_origin(slot);
	if (slot_origin(twin) > origin) {
		s = ln_secret_read_file(twin->by_origin[slot_origin(twin)],
		    LN_CONFIG_SECRET_MAX, out, err);
		if (s == LN_OK && (*out)[0] == '\0') {
			ln_free(*out);
			*out = NULL;
		}
		return s;
	}
	if (slot->by_origin[origin] != NULL &&
	    (*out = strdup(slot->by_origin[origin])) == NULL)
		return ln_fail(err, LN_NOMEM, "", "config: %s", name);
	return LN_OK;
}

enum ln_status
ln_config_int(const struct ln_config *cfg, const char *name, int64_t min,
    int64_t max, int64_t *out, struct ln_error *err)
{
	const char *value = ln_config_get(cfg, name), *digits;
	intmax_t number;
	char *end;

	*out = 0;
	if (value == NULL)
		return ln_fail(err, LN_NOT_FOUND, "A setting is missing",
		    "%s", name);
	/* strtoimax() also takes white space and "+". */
	digits = value[0] == '-' ? value + 1 : value;
	errno = 0;
	number = strtoimax(value, &end, 10);
	if (digits[0] < '0' || digits[0] > '9' || *end != '\0' || errno != 0 ||
	    number < min || number > max)
		return ln_fail(err, LN_INVALID,
		    "A setting is not a whole number in its range",
		    "%s: %" PRId64 " to %" PRId64, name, min, max);
	*out = number;
	return LN_OK;
}

enum ln_status
ln_config_bool(const struct ln_config *cfg, const char *name, bool *out,
    struct ln_error *err)
{
	static const char *const words[] = { "false", "true", "0", "1", "no",
		"yes", "off", "on" };
	const char *value = ln_config_get(cfg, name);
	size_t i;

	*out = false;
	if (value == NULL)
		return ln_fail(err, LN_NOT_FOUND, "A setting is missing",
		    "%s", name);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i]) == 0) {
			*out = i % 2 == 1;
			return LN_OK;
		}
	return ln_fail(err, LN_INVALID, "A setting is neither true nor false",
	    "%s", name);
}

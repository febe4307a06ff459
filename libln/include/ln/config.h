#ifndef LN_CONFIG_H
#define LN_CONFIG_H

#include <ln/base.h>
#include <ln/error.h>

/*
 * Settings of the process: flag, then environment, then the env file, then
 * default.  (Settings of the instance and of users live in the database, see
 * ln/setting.h.)  Read-only after loading, so shared between threads freely.
 */

enum ln_config_origin {
	LN_CONFIG_DEFAULT,
	LN_CONFIG_FILE,
	LN_CONFIG_ENV,
	LN_CONFIG_FLAG,
};

struct ln_config;

/**
 * struct ln_config_key:
 * One row of the table of known names.
 */
struct ln_config_key {
	const char *name;	/* "LOCALNEURAL_DB" */
	const char *fallback;	/* default value, or NULL */
	bool is_secret;		/* has a ..._FILE twin, never printed */
	bool is_path;		/* a file name (so is every ..._FILE twin) */
	const char *help;	/* one sentence */
};

/* The table, ended by a row with a NULL name.  Static. */
LN_API const struct ln_config_key *ln_config_keys(void);

/**
 * ln_config_load(env_file, out, err):
 * Read the env file (${env_file}, else ./.env, else
 * /etc/localneural/localneural.env; the last two may be missing) and the
 * environment.  The file has at most 64 KiB of lines "NAME=value", the value
 * bare, in single quotes, or in double quotes with \" \\ \n; "export " before
 * it and "#" comments are allowed, nothing is expanded.  Of a name given twice
 * the last counts; unknown names are left out, with one line in the log.  A
 * relative path in the file is relative to the file's folder.  Release with
 * ln_config_free, which wipes.  LN_INVALID for a line that cannot be read (file
 * and line are in the detail, the number also in ln_config_error_line);
 * LN_NOT_FOUND only for an ${env_file} that was given; LN_FORBIDDEN when the
 * file holds a secret and others may read it, or is not a regular file;
 * LN_TOO_LARGE; LN_IO; LN_NOMEM.
 */
LN_API enum ln_status ln_config_load(const char *env_file,
    struct ln_config **out, struct ln_error *err) LN_USE;
LN_API void ln_config_free(struct ln_config *cfg);

/**
 * ln_config_set(cfg, name, value, err):
 * What a flag said (copied); NULL takes it back.  Ends the life of what
 * ln_config_get lent for ${name}.  Before other threads use ${cfg}.
 * LN_INVALID for an unknown name, LN_NOMEM.
 */
LN_API enum ln_status ln_config_set(struct ln_config *cfg, const char *name,
    const char *value, struct ln_error *err) LN_USE;

/**
 * ln_config_get(cfg, name) / ln_config_origin(cfg, name) /
 * ln_config_path(cfg):
 * The value from the first place that has one, an empty one counting as none,
 * or NULL (also for an unknown name) / where it came from / the env file that
 * was read, or NULL.  ${name} may be a ..._FILE twin.  Borrowed.
 */
LN_API const char *ln_config_get(const struct ln_config *cfg,
    const char *name);
LN_API enum ln_config_origin ln_config_origin(const struct ln_config *cfg,
    const char *name);
LN_API const char *ln_config_path(const struct ln_config *cfg);

/**
 * ln_config_secret(cfg, name, out, err):
 * The value of a secret, from ${name} or from the file its ..._FILE twin
 * names, whichever stands in the earlier place; ${name} when both do.  Yours,
 * release with ln_wipe_free; NULL with LN_OK when there is none or it is
 * empty.  LN_INVALID when ${name} is not a secret; LN_FORBIDDEN, LN_NOT_FOUND,
 * LN_TOO_LARGE (past LN_CONFIG_SECRET_MAX bytes), LN_IO as
 * ln_secret_read_file.
 */
#define LN_CONFIG_SECRET_MAX ((size_t)8192)
LN_API enum ln_status ln_config_secret(const struct ln_config *cfg,
    const char *name, char **out, struct ln_error *err) LN_USE;

/**
 * ln_config_int(cfg, name, min, max, out, err) / ln_config_bool(...):
 * The value as a whole number in a range / as true|false|1|0|yes|no|on|off in
 * any case.  LN_INVALID (field is not set: the name is in the detail);
 * LN_NOT_FOUND when there is no value.
 */
LN_API enum ln_status ln_config_int(const struct ln_config *cfg,
    const char *name, int64_t min, int64_t max, int64_t *out,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_config_bool(const struct ln_config *cfg,
    const char *name, bool *out, struct ln_error *err) LN_USE;

/**
 * ln_config_error_line():
 * After ln_config_load gave LN_INVALID in this thread: the number of the bad
 * line, else 0.
 */
LN_API int ln_config_error_line(void);

#endif

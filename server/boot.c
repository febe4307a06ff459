#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/auth.h>
#include <ln/chat.h>
#include <ln/log.h>
#include <ln/store.h>

#include "reply.h"
#include "server.h"
#include "tlscert.h"

/* Large bodies and exports live here for the length of a request. */
static void
empty_folder(const char *path)
{
	DIR *d;
	const struct dirent *e;

	if ((d = opendir(path)) == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
}

static enum ln_status
make_folder(const char *path, struct ln_error *err)
{
	struct stat sb;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return ln_fail(err, LN_IO, "Cannot create the data folder",
		    "%s: errno %d", path, errno);
	if (stat(path, &sb) == -1 || !S_ISDIR(sb.st_mode))
		return ln_fail(err, LN_IO, "The data folder is no folder",
		    "%s", path);
	return LN_OK;
}

enum ln_status
boot_paths(struct ln_error *err)
{
	const char *given, *slash, *base;
	char dir[PATH_MAX], real[PATH_MAX];
	enum ln_status s;
	size_t n;

	given = ln_config_get(server.cfg, "LOCALNEURAL_DB");
	if (given == NULL)
		return ln_fail(err, LN_INVALID, "LOCALNEURAL_DB is not set",
		    "no default");
	if ((slash = strrchr(given, '/')) == NULL) {
		(void)snprintf(dir, sizeof(dir), ".");
		base = given;
	} else {
		n = slash == given ? 1 : (size_t)(slash - given);
		if (n >= sizeof(dir))
			return ln_fail(err, LN_INVALID,
			    "The path of the database is too long", "%zu", n);
		memcpy(dir, given, n);
		dir[n] = '\0';
		base = slash + 1;
	}
	if (*base == '\0')
		return ln_fail(err, LN_INVALID,
		    "The path of the database names a folder", "%s", given);
	if ((s = make_folder(dir, err)) != LN_OK)
		return s;
	if (realpath(dir, real) == NULL)
		return ln_fail(err, LN_IO, "Cannot find the data folder",
		    "%s: errno %d", dir, errno);
	if ((server.data_dir = strdup(real)) == NULL ||
	    asprintf(&server.db_path, "%s/%s",
	    strcmp(real, "/") == 0 ? "" : real, base) == -1 ||
	    asprintf(&server.tmp_dir, "%s/tmp", real) == -1)
		return ln_fail(err, LN_NOMEM, "", "asprintf");
	/* For what libln finds by the same setting. */
	if ((s = ln_config_set(server.cfg, "LOCALNEURAL_DB", server.db_path,
	    err)) != LN_OK)
		return s;
	return make_folder(server.tmp_dir, err);
}

enum ln_status
boot_lock(struct ln_error *err)
{
	enum ln_status s;
	int fd;

	/* Never closed: the workers inherit it and hold it with us. */
	if ((s = ln_store_lock(server.db_path, &fd, err)) != LN_OK)
		return s;
	empty_folder(server.tmp_dir);
	return LN_OK;
}

static enum ln_status
seed_admin(struct ln_store *st, struct ln_error *err)
{
	struct ln_user_new new_user = { .size = sizeof(new_user) };
	enum ln_auth_seed_result result;
	struct ln_user *u = NULL;
	char *pw = NULL;
	enum ln_status s;

	new_user.email = ln_config_get(server.cfg, "LOCALNEURAL_ADMIN_EMAIL");
	s = ln_config_secret(server.cfg, "LOCALNEURAL_ADMIN_PASSWORD", &pw,
	    err);
	if (s != LN_OK || new_user.email == NULL || pw == NULL)
		goto out;
	new_user.username = ln_config_get(server.cfg,
	    "LOCALNEURAL_ADMIN_USERNAME");
	if (new_user.username == NULL)
		new_user.username = "admin";
	new_user.password = pw;
	new_user.role = LN_USER_ROLE_ADMIN;
	s = ln_auth_seed(st, &new_user, false, &result, &u, err);
	if (s == LN_CONFLICT) {
		/* Nobody is promoted silently; the server still serves. */
		ln_log(LN_LOG_WARN, "admin.seed", "outcome=taken "
		    "hint=\"lnctl admin seed --promote\"");
		s = LN_OK;
	} else if (s == LN_OK && result == LN_AUTH_SEED_CREATED)
		ln_log(LN_LOG_INFO, "admin.seed", "outcome=created user=%s",
		    u->id);
out:
	ln_user_free(u);
	ln_wipe_free(pw);
	return s;
}

enum ln_status
boot_store(struct ln_error *err)
{
	struct ln_store_opts opts = { .size = sizeof(opts) };
	const struct ln_actor actor = { "system", NULL, NULL, NULL };
	struct ln_store *st = NULL;
	enum ln_status s;
	int64_t count;

	opts.path = server.db_path;
	opts.mode = LN_STORE_CREATE;
	opts.keys = server.keys;
	if ((s = ln_store_open(&opts, &st, err)) != LN_OK)
		return s;
	ln_store_actor_set(st, &actor);
	if ((s = seed_admin(st, err)) != LN_OK)
		goto out;
	/* We hold the lock, so every other server's answers are orphans. */
	s = ln_chat_recover(st, "server:", NULL, &count, err);
	if (s == LN_OK && count > 0)
		ln_log(LN_LOG_WARN, "chat.recover", "answers=%lld",
		    (long long)count);
out:
	ln_store_close(st);
	return s;
}

void
boot_settle(void)
{
	struct ln_store_opts opts = { .size = sizeof(opts) };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_store *st = NULL;

	opts.path = server.db_path;
	opts.mode = LN_STORE_RW;
	opts.keys = server.keys;
	/* Nothing is lost when it fails: the next opener reads the log. */
	if (ln_store_open(&opts, &st, &err) != LN_OK)
		server_log_detail("database", &err);
	ln_store_close(st);
}

enum ln_status
boot_tls(struct ln_error *err)
{
	const char *cert, *key;
	char real[PATH_MAX];

	if (!server.is_tls)
		return LN_OK;
	cert = ln_config_get(server.cfg, "LOCALNEURAL_TLS_CERT");
	key = ln_config_get(server.cfg, "LOCALNEURAL_TLS_KEY");
	if (cert == NULL && key == NULL)
		return tlscert_ensure(server.data_dir, &server.tls_cert,
		    &server.tls_key, err);
	if (cert == NULL || key == NULL)
		return ln_fail(err, LN_INVALID,
		    "The TLS certificate and key go together", "only one set");
	/* The key manager reads them again later, from another folder. */
	if (realpath(cert, real) == NULL)
		return ln_fail(err, LN_NOT_FOUND,
		    "Cannot read the TLS certificate", "%s", cert);
	server.tls_cert = strdup(real);
	if (realpath(key, real) == NULL)
		return ln_fail(err, LN_NOT_FOUND, "Cannot read the TLS key",
		    "%s", key);
	server.tls_key = strdup(real);
	if (server.tls_cert == NULL || server.tls_key == NULL)
		return ln_fail(err, LN_NOMEM, "", "strdup");
	return tlscert_check(server.tls_cert, server.tls_key, err);
}

enum ln_status
boot_public_url(struct ln_error *err)
{
	const char *url, *host, *end;
	char *name;
	size_t n;

	url = ln_config_get(server.cfg, "LOCALNEURAL_PUBLIC_URL");
	if (url == NULL)
		return LN_OK;
	if (strncmp(url, "https://", 8) == 0)
		host = url + 8;
	else if (strncmp(url, "http://", 7) == 0)
		host = url + 7;
	else
		return ln_fail(err, LN_INVALID,
		    "LOCALNEURAL_PUBLIC_URL must begin with https:// or "
		    "http://", "%s", url);
	end = host + strcspn(host, "/?#");
	if (end == host || memchr(host, '@', (size_t)(end - host)) != NULL)
		return ln_fail(err, LN_INVALID,
		    "LOCALNEURAL_PUBLIC_URL names no host", "%s", url);
	if ((server.public_origin = strndup(url, (size_t)(end - url))) ==
	    NULL || (name = strndup(host, (size_t)(end - host))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "strndup");
	if (name[0] == '[')
		n = strcspn(name, "]") + 1;
	else
		n = strcspn(name, ":");
	if (n < strlen(name))
		name[n] = '\0';
	server.public_host = name;
	return LN_OK;
}

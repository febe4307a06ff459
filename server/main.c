/*
 * localneural-server: the web application.  Kore's main() calls
 * kore_parent_configure() first; everything that can be wrong is found and
 * said there, before a socket is bound.
 */

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kore/kore.h>
#include <kore/hooks.h>
#include <kore/seccomp.h>

#include <ln/backup.h>
#include <ln/extract.h>
#include <ln/http.h>
#include <ln/log.h>
#include <ln/password.h>
#include <ln/rotate.h>

#include "assets.h"
#include "boot.h"
#include "guard.h"
#include "kconf.h"
#include "mail.h"
#include "reply.h"
#include "routes.h"
#include "server.h"
#include "shared.h"

#define DEFAULT_PORT 59869
#define WORKERS_MAX 32

struct server server;

static const char usage_text[] =
    "usage: localneural-server [options]\n"
    "  --listen HOST:PORT   address to serve on (localhost:59869); port 0\n"
    "                       takes a free one, host * every address\n"
    "  --db FILE            the database (.data/neural_memory.db)\n"
    "  --env-file FILE      settings, SECRET_KEY among them (.env)\n"
    "  --workers N          worker processes (one a processor, at most 4)\n"
    "  --tls-cert FILE      certificate chain, PEM; with --tls-key.  Without\n"
    "  --tls-key FILE       both a self-signed one is made in the data folder\n"
    "  --insecure-http      no TLS, for use behind a proxy that has it\n"
    "  --foreground         stay in the foreground (always so)\n"
    "  --seccomp-trace      log missing system calls instead of dying of them\n"
    "  --routes             print the table of routes as JSON\n"
    "  --version, --help\n";

enum {
	OPT_LISTEN = 256, OPT_DB, OPT_ENV, OPT_WORKERS, OPT_CERT, OPT_KEY,
	OPT_PLAIN, OPT_FOREGROUND, OPT_TRACE, OPT_ROUTES, OPT_VERSION, OPT_HELP,
};

static const struct option options[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "db", required_argument, NULL, OPT_DB },
	{ "env-file", required_argument, NULL, OPT_ENV },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "tls-cert", required_argument, NULL, OPT_CERT },
	{ "tls-key", required_argument, NULL, OPT_KEY },
	{ "insecure-http", no_argument, NULL, OPT_PLAIN },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "seccomp-trace", no_argument, NULL, OPT_TRACE },
	{ "routes", no_argument, NULL, OPT_ROUTES },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

struct flags {
	const char *listen, *db, *env_file, *workers, *cert, *key;
	bool is_plain, is_traced;
};

static _Noreturn void
refuse(const char *what, enum ln_status s, const struct ln_error *err)
{
	int code;

	code = s == LN_INVALID ? 2 : s == LN_BUSY ? 11 : s == LN_BAD_KEY ? 12 :
	    s == LN_TOO_NEW ? 13 : 1;
	(void)fprintf(stderr, "localneural-server: %s: %s\n", what,
	    ln_error_text(err, s));
	server_log_detail(what, err);
	exit(code);
}

static void
parse_flags(int argc, char **argv, struct flags *f)
{
	int ch;

	memset(f, 0, sizeof(*f));
	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (ch) {
		case OPT_LISTEN:
			f->listen = optarg;
			break;
		case OPT_DB:
			f->db = optarg;
			break;
		case OPT_ENV:
			f->env_file = optarg;
			break;
		case OPT_WORKERS:
			f->workers = optarg;
			break;
		case OPT_CERT:
			f->cert = optarg;
			break;
		case OPT_KEY:
			f->key = optarg;
			break;
		case OPT_PLAIN:
			f->is_plain = true;
			break;
		case OPT_FOREGROUND:
			break;
		case OPT_TRACE:
			f->is_traced = true;
			break;
		case OPT_ROUTES:
			exit(routes_print());
		case OPT_VERSION:
			(void)printf("localneural-server %s\n", ln_version());
			exit(0);
		case OPT_HELP:
			(void)fputs(usage_text, stdout);
			exit(0);
		default:
			(void)fputs(usage_text, stderr);
			exit(2);
		}
	if (optind < argc) {
		(void)fprintf(stderr, "localneural-server: unexpected "
		    "argument\n%s", usage_text);
		exit(2);
	}
}

static void
load_config(const struct flags *f)
{
	const struct {
		const char *name, *value;
	} said[] = {
		{ "LOCALNEURAL_DB", f->db },
		{ "LOCALNEURAL_LISTEN", f->listen },
		{ "LOCALNEURAL_WORKERS", f->workers },
		{ "LOCALNEURAL_TLS_CERT", f->cert },
		{ "LOCALNEURAL_TLS_KEY", f->key },
	};
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	size_t i;

	if ((s = ln_config_load(f->env_file, &server.cfg, &err)) != LN_OK) {
		if (s == LN_INVALID && ln_config_error_line() > 0)
			(void)fprintf(stderr, "localneural-server: line %d "
			    "of the settings cannot be read\n",
			    ln_config_error_line());
		refuse("settings", s, &err);
	}
	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (said[i].value != NULL && (s = ln_config_set(server.cfg,
		    said[i].name, said[i].value, &err)) != LN_OK)
			refuse("settings", s, &err);
}

/* A change of SECRET_KEY that was killed is finished before the key is used. */
static void
settle_secret(const struct flags *f)
{
	struct ln_error err = LN_ERROR_INIT;
	bool is_changed = false;
	enum ln_status s;

	if ((s = ln_rotate_settle(server.cfg, &is_changed, &err)) != LN_OK)
		refuse("SECRET_KEY", s, &err);
	if (!is_changed)
		return;
	ln_config_free(server.cfg);
	server.cfg = NULL;
	load_config(f);
}

static void
set_log_level(void)
{
	static const char *const names[] = { "debug", "info", "warn",
		"error" };
	const char *wanted;
	size_t i;

	wanted = ln_config_get(server.cfg, "LOCALNEURAL_LOG_LEVEL");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (wanted == NULL || strcmp(wanted, names[i]) == 0) {
			ln_log_level_set(wanted == NULL ? LN_LOG_INFO :
			    (enum ln_log_level)i);
			return;
		}
	(void)fprintf(stderr, "localneural-server: LOCALNEURAL_LOG_LEVEL is "
	    "debug, info, warn or error\n");
	exit(2);
}

static void
derive_keys(void)
{
	struct ln_error err = LN_ERROR_INIT;
	char *secret = NULL;
	const char *pwhash;
	enum ln_status s;

	s = ln_config_secret(server.cfg, "SECRET_KEY", &secret, &err);
	if (s != LN_OK)
		refuse("SECRET_KEY", s, &err);
	s = ln_keys_derive(secret, &server.keys, &err);
	ln_wipe_free(secret);
	if (s != LN_OK) {
		(void)fprintf(stderr, "localneural-server: SECRET_KEY is "
		    "missing or too weak (at least %d characters)\n"
		    "Make one with: lnctl init\n", LN_SECRET_KEY_MIN);
		exit(1);
	}
	pwhash = ln_config_get(server.cfg, "LOCALNEURAL_PWHASH");
	ln_password_small(pwhash != NULL && strcmp(pwhash, "small") == 0);
}

/* "HOST:PORT", "HOST", ":PORT", "[::1]:PORT". */
static void
parse_listen(const char *s, char *host, size_t size, int *port)
{
	const char *colon;
	char *end;
	long n;
	size_t len;

	*port = DEFAULT_PORT;
	colon = strrchr(s, ':');
	if (colon != NULL && colon > s && s[0] == '[' && colon[-1] != ']')
		colon = NULL;
	len = colon != NULL ? (size_t)(colon - s) : strlen(s);
	if (colon != NULL) {
		errno = 0;
		n = strtol(colon + 1, &end, 10);
		if (!isdigit((unsigned char)colon[1]) || *end != '\0' ||
		    errno != 0 || n > 65535) {
			(void)fprintf(stderr, "localneural-server: --listen "
			    "wants HOST:PORT\n");
			exit(2);
		}
		*port = (int)n;
	}
	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	if (len == 0) {
		s = "localhost";
		len = 9;
	}
	if (len >= size) {
		(void)fprintf(stderr, "localneural-server: --listen: the "
		    "host name is too long\n");
		exit(2);
	}
	memcpy(host, s, len);
	host[len] = '\0';
}

static unsigned
workers_wanted(void)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int64_t n;
	long cpus;

	if (ln_config_get(server.cfg, "LOCALNEURAL_WORKERS") != NULL) {
		s = ln_config_int(server.cfg, "LOCALNEURAL_WORKERS", 1,
		    WORKERS_MAX, &n, &err);
		if (s != LN_OK)
			refuse("--workers", s, &err);
		return (unsigned)n;
	}
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	return cpus < 1 ? 1 : cpus > 4 ? 4 : (unsigned)cpus;
}

/*
 * A sandboxed worker may not map code: whatever the C library and libcurl load
 * late has to be here before.
 */
static void
load_late_libraries(void)
{
	struct ln_error err = LN_ERROR_INIT;
	struct addrinfo *ai = NULL;

	if (ln_http_load(&err) != LN_OK)
		server_log_detail("libcurl", &err);
	/* Nor may it start a program. */
	if (ln_extract_start(NULL, &err) != LN_OK)
		server_log_detail("ln-extract", &err);
	if (getaddrinfo("localhost", NULL, NULL, &ai) == 0)
		freeaddrinfo(ai);
}

void
kore_parent_configure(int argc, char **argv)
{
	static const struct {
		const char *what;
		enum ln_status (*step)(struct ln_error *);
	} steps[] = {
		{ "settings", boot_public_url },
		{ "database", boot_paths },
		{ "database", boot_lock },
		{ "database", boot_store },
		{ "tls", boot_tls },
	};
	struct ln_error err = LN_ERROR_INIT;
	struct flags flags;
	enum ln_status s;
	const char *where;
	char host[256];
	size_t i;
	int port;

	(void)umask(077);
	if ((s = ln_init(&err)) != LN_OK)
		refuse("start", s, &err);
	parse_flags(argc, argv, &flags);
	load_config(&flags);
	set_log_level();
	settle_secret(&flags);
	derive_keys();
	ln_uuid(server.boot_id);
	server.is_tls = !flags.is_plain;
	server.worker_count = workers_wanted();
	where = ln_config_get(server.cfg, "LOCALNEURAL_LISTEN");
	parse_listen(where != NULL ? where : "localhost", host, sizeof(host),
	    &port);
	if ((server.host = strdup(host)) == NULL)
		refuse("start", LN_NOMEM, NULL);

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if ((s = steps[i].step(&err)) != LN_OK)
			refuse(steps[i].what, s, &err);
	if ((s = guard_configure(&err)) != LN_OK)
		refuse("settings", s, &err);
	if ((s = shared_open(&server.shm, &err)) != LN_OK)
		refuse("start", s, &err);
	load_late_libraries();
	s = ln_backup_max_age(server.cfg, &server.backup_max_age_ms, &err);
	if (s != LN_OK)
		refuse("settings", s, &err);
	if ((s = mail_configure(&err)) != LN_OK)
		refuse("settings", s, &err);
	assets_prepare();
	kore_seccomp_tracing = flags.is_traced ? 1 : 0;
	kconf_apply();
	if ((s = kconf_listen(host, port, &err)) != LN_OK)
		refuse(where != NULL ? where : "localhost", s, &err);
}

void
kore_parent_teardown(void)
{
	boot_settle();
	ln_log(LN_LOG_INFO, "server.stop", "pid=%d", (int)getpid());
	ln_keys_free(server.keys);
	ln_config_free(server.cfg);
}

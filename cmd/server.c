#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVER "localneural-server"
#define CONNECT_MS 2000
#define ARGUMENT_MAX 20

/* Starting the server and looking at it from outside. */

bool
listen_parse(const char *s, char host[LISTEN_HOST_SIZE], char port[8])
{
	const char *colon = strrchr(s, ':');
	size_t n = colon != NULL ? (size_t)(colon - s) : 0;
	char *end;
	long number;

	if (n == 0 || n >= LISTEN_HOST_SIZE || strlen(colon + 1) > 5)
		return false;
	number = strtol(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0' || number < 1 || number > 65535)
		return false;
	if (s[0] == '[') {
		if (n < 4 || s[n - 1] != ']')
			return false;
		s++;
		n -= 2;
	}
	(void)snprintf(host, LISTEN_HOST_SIZE, "%.*s", (int)n, s);
	(void)snprintf(port, 8, "%ld", number);
	return true;
}

/* An unspecified address listens everywhere; look for it on loopback. */
static const char *
reachable(const char *host)
{
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "*") == 0)
		return "127.0.0.1";
	if (strcmp(host, "::") == 0)
		return "::1";
	return host;
}

static bool
connects(const struct addrinfo *ai)
{
	struct pollfd p = { -1, POLLOUT, 0 };
	socklen_t len = sizeof(int);
	int e = -1;

	p.fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (p.fd < 0)
		return false;
	(void)fcntl(p.fd, F_SETFL, O_NONBLOCK);
	if (connect(p.fd, ai->ai_addr, ai->ai_addrlen) == 0)
		e = 0;
	else if (errno == EINPROGRESS && poll(&p, 1, CONNECT_MS) == 1 &&
	    getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &e, &len) != 0)
		e = -1;
	(void)close(p.fd);
	return e == 0;
}

/* 0, or an errno value that says why nobody can listen there. */
static int
try_bind(const struct addrinfo *ai)
{
	int fd, e = 0, on = 1;

	if ((fd = socket(ai->ai_family, SOCK_STREAM, 0)) < 0)
		return errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0)
		e = errno;
	(void)close(fd);
	return e;
}

enum listen_state
listen_probe(const char *listen, char *why, size_t size)
{
	char host[LISTEN_HOST_SIZE], port[8];
	struct addrinfo hints, *all = NULL, *ai;
	enum listen_state state = LISTEN_IMPOSSIBLE;
	int e;

	if (!listen_parse(listen, host, port)) {
		(void)snprintf(why, size, "it is not ADDRESS:PORT");
		return LISTEN_IMPOSSIBLE;
	}
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	if ((e = getaddrinfo(reachable(host), port, &hints, &all)) != 0) {
		(void)snprintf(why, size, "%s", gai_strerror(e));
		return LISTEN_IMPOSSIBLE;
	}
	/* A name may stand for several addresses: one that is taken counts,
	 * one that can be had is enough. */
	for (ai = all; ai != NULL && state != LISTEN_TAKEN; ai = ai->ai_next) {
		if (connects(ai))
			state = LISTEN_TAKEN;
		else if ((e = try_bind(ai)) == 0)
			state = LISTEN_FREE;
		else if (state == LISTEN_IMPOSSIBLE)
			(void)snprintf(why, size, "%s", strerror(e));
	}
	freeaddrinfo(all);
	if (state != LISTEN_IMPOSSIBLE)
		(void)snprintf(why, size, state == LISTEN_TAKEN ?
		    "something listens there" : "free");
	return state;
}

/* --- finding and starting it ---------------------------------------------*/

static bool
is_program(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 && S_ISREG(sb.st_mode) &&
	    access(path, X_OK) == 0;
}

/*
 * Beside lnctl as built, in the sbin next to it as installed, then along
 * PATH and where Debian keeps daemons.
 */
static bool
find_server(char *dst, size_t size)
{
	char self[3072], folder[3072];
	const char *path = getenv("PATH"), *dir;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t len;

	if (n > 0) {
		self[n] = '\0';
		file_dir(self, folder, sizeof(folder));
		(void)snprintf(dst, size, "%s/" SERVER, folder);
		if (is_program(dst))
			return true;
		(void)snprintf(dst, size, "%s/../sbin/" SERVER, folder);
		if (is_program(dst))
			return true;
	}
	for (dir = path; dir != NULL && *dir != '\0'; dir += len) {
		dir += strspn(dir, ":");
		len = strcspn(dir, ":");
		(void)snprintf(dst, size, "%.*s/" SERVER, (int)len, dir);
		if (len > 0 && is_program(dst))
			return true;
	}
	(void)snprintf(dst, size, "/usr/local/sbin/" SERVER);
	if (is_program(dst))
		return true;
	(void)snprintf(dst, size, "/usr/sbin/" SERVER);
	return is_program(dst);
}

/* The words for the server: everything that was decided here. */
static size_t
server_words(const struct ctx *c, const char *program,
    const char *words[ARGUMENT_MAX])
{
	static const struct {
		const char *option, *name;
	} passed[] = {
		{ "--db", "LOCALNEURAL_DB" },
		{ "--listen", "LOCALNEURAL_LISTEN" },
		{ "--workers", "LOCALNEURAL_WORKERS" },
		{ "--tls-cert", "LOCALNEURAL_TLS_CERT" },
		{ "--tls-key", "LOCALNEURAL_TLS_KEY" },
	};
	const char *value;
	size_t i, n = 0;

	words[n++] = program;
	if ((value = ln_config_path(c->cfg)) != NULL) {
		words[n++] = "--env-file";
		words[n++] = value;
	}
	for (i = 0; i < nitems(passed); i++) {
		value = ln_config_get(c->cfg, passed[i].name);
		if (value == NULL)
			continue;
		words[n++] = passed[i].option;
		words[n++] = value;
	}
	if (opt_has(&c->args, O_INSECURE_HTTP))
		words[n++] = "--insecure-http";
	words[n] = NULL;
	return n;
}

static int
no_server(struct ctx *c)
{
	return ctx_refuse(c, EX_FAILED, "not_found", "it is not installed",
	    "It belongs beside lnctl, in ../sbin or on the PATH", SERVER);
}

static int
server_run(struct ctx *c)
{
	const char *words[ARGUMENT_MAX];
	char program[4096], *argv[ARGUMENT_MAX];
	size_t i, n;
	int rc;

	if (out_format(c->out) != OUT_TABLE)
		return ctx_usage(c, "Its log is lines of key=value",
		    "%s: a running server is not an object", c->path);
	if (!find_server(program, sizeof(program)))
		return no_server(c);
	if (opt_has(&c->args, O_INIT))
		rc = init_instance(c, true);
	else if ((rc = ctx_keys(c, true)) == EX_OK)
		rc = ctx_store(c, LN_STORE_RW);
	if (rc != EX_OK)
		return rc;
	/* What was opened to look and to migrate is the server's now. */
	ln_store_close(c->st);
	c->st = NULL;
	n = server_words(c, program, words);
	for (i = 0; i <= n; i++) {
		/* execv takes char * for history's sake and writes nothing. */
		memcpy(&argv[i], &words[i], sizeof(argv[i]));
	}
	(void)execv(program, argv);
	return ctx_refuse(c, EX_FAILED, "io", strerror(errno), "", "%s",
	    program);
}

static int
server_check(struct ctx *c)
{
	const char *listen = ln_config_get(c->cfg, "LOCALNEURAL_LISTEN");
	enum listen_state state;
	char program[4096], why[256];

	if (!find_server(program, sizeof(program)))
		return no_server(c);
	state = listen_probe(listen, why, sizeof(why));
	if (state == LISTEN_IMPOSSIBLE)
		return ctx_refuse(c, EX_INVALID, "invalid", why,
		    "Choose another one: --listen ADDRESS:PORT", "%s", listen);
	out_str(c->out, "program", program);
	out_str(c->out, "database", ln_store_path(c->st));
	out_str(c->out, "listen", listen);
	out_bool(c->out, "is_listening", state == LISTEN_TAKEN);
	out_str(c->out, "result", "valid");
	out_say(c->out, "valid: %s would serve %s on %s%s", program,
	    ln_store_path(c->st), listen, state == LISTEN_TAKEN ?
	    ", where something listens already" : "");
	return ctx_finish(c);
}

static int
server_status(struct ctx *c)
{
	const char *listen = ln_config_get(c->cfg, "LOCALNEURAL_LISTEN");
	enum listen_state state;
	char why[256];
	int rc;

	state = listen_probe(listen, why, sizeof(why));
	out_str(c->out, "listen", listen);
	out_bool(c->out, "is_listening", state == LISTEN_TAKEN);
	out_say(c->out, "%s: %s", listen, state == LISTEN_TAKEN ?
	    "listening" : "nobody listens");
	rc = ctx_finish(c);
	return rc != EX_OK ? rc : state == LISTEN_TAKEN ? EX_OK : EX_FAILED;
}

static const enum opt_id run_opts[] = { O_INIT, O_LISTEN, O_WORKERS,
	O_TLS_CERT, O_TLS_KEY, O_INSECURE_HTTP, O_END };
static const enum opt_id listen_opts[] = { O_LISTEN, O_END };
static const struct verb verbs[] = {
	{ "run", server_run, run_opts, "", CMD_CONFIG | CMD_MAKE_ENV,
	    "serve until interrupted" },
	{ "check", server_check, listen_opts, "", CMD_STORE_RO | CMD_KEYS,
	    "say whether it could be started" },
	{ "status", server_status, listen_opts, "", CMD_CONFIG,
	    "say whether somebody listens" },
};
const struct noun noun_server = { "server", "the web server", verbs,
	nitems(verbs) };

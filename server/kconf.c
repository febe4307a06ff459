#include "kconf.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/dh.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ln/log.h>

#include "api.h"
#include "reply.h"
#include "server.h"

/*
 * A single-binary Kore parses an embedded configuration after our hook; all is
 * set from C, so it stays empty.
 */
const u_int8_t asset_builtin_kore_conf[] = "# configured in C\n";
const u_int32_t asset_len_builtin_kore_conf =
    sizeof(asset_builtin_kore_conf) - 1;

static void
log_kore(int prio, const char *msg)
{
	enum ln_log_level level;
	char quoted[1024];

	level = prio <= LOG_ERR ? LN_LOG_ERROR :
	    prio == LOG_WARNING ? LN_LOG_WARN : LN_LOG_INFO;
	ln_log(level, "kore", "msg=%s",
	    ln_log_quote(msg, quoted, sizeof(quoted)));
}

void
kconf_apply(void)
{
	struct rlimit rl;
	char *pidfile;

	kore_log_hook = log_kore;
	kore_foreground = 1;
	kore_quiet = 1;

	/*
	 * No chroot and no other user: libcurl needs resolv.conf and the CA
	 * bundle, the database its folder.  The service manager runs us as an
	 * account of our own; the system call filter is on in any case.
	 */
	skip_chroot = 1;
	skip_runas = 1;
	kore_root_path = kore_strdup("/");
	keymgr_root_path = kore_strdup("/");
	if (asprintf(&pidfile, "%s.pid", server.db_path) == -1)
		fatal("out of memory");
	kore_pidfile = kore_strdup(pidfile);
	free(pidfile);

	worker_count = (u_int8_t)server.worker_count;
	worker_max_connections = SERVER_CONNECTIONS;
	worker_rlimit_nofiles = SERVER_CONNECTIONS * 2 + 256;
	worker_set_affinity = 0;	/* cpusets and neighbours know better */
	/* Else the first worker takes all connections that trickle in. */
	worker_accept_threshold = 1;
	/* A worker that dies is replaced; one that cannot start ends us. */
	worker_policy = KORE_WORKER_POLICY_RESTART;

	/* Kore looks at every descriptor below the limit, in every process. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
	    rl.rlim_cur > worker_rlimit_nofiles) {
		rl.rlim_cur = worker_rlimit_nofiles;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}

	http_request_limit = SERVER_CONNECTIONS;
	http_header_max = 8192;
	http_header_timeout = 10;
	http_body_max = SERVER_IMPORT_MAX;
	http_body_allow = api_body_allow;
	http_body_disk_offload = SERVER_MESSAGE_MAX;
	http_body_disk_path = kore_strdup(server.tmp_dir);
	http_keepalive_time = 20;
	http_hsts_enable = 0;	/* ours is sent by reply.c, on TLS only */
	http_pretty_error = 1;
	http_error_headers = reply_static_headers();
	http_server_version("localneural");

	kore_websocket_maxframe = SERVER_FRAME_MAX;
	kore_websocket_timeout = UINT64_C(90000);	/* the tick pings every 30 s */

	tls_version = KORE_TLS_VERSION_BOTH;
	kore_tls_cipher_list = kore_strdup("ECDHE+AESGCM:ECDHE+CHACHA20");
	if ((tls_dhparam = DH_new_by_nid(NID_ffdhe2048)) == NULL)
		fatal("DH_new_by_nid");
}

static struct kore_server *
server_new(void)
{
	struct kore_domain *dom;
	struct kore_module_handle *h;
	struct kore_server *s;

	s = kore_server_create(server.is_tls ? "tls" : "plain");
	s->tls = server.is_tls ? 1 : 0;
	dom = kore_domain_new("*");
	if (server.is_tls) {
		dom->certfile = kore_strdup(server.tls_cert);
		dom->certkey = kore_strdup(server.tls_key);
	}
	if (!kore_domain_attach(dom, s))
		fatal("kore_domain_attach");
	/* One route: ours decides, so that a 404 is JSON and keeps the line. */
	if (!kore_module_handler_new(dom, "^.*$", "server_handle", NULL,
	    HANDLER_TYPE_DYNAMIC))
		fatal("kore_module_handler_new");
	TAILQ_FOREACH(h, &dom->handlers, list)
		h->methods = HTTP_METHOD_ALL;
	return s;
}

static int
port_of(int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
	socklen_t len = sizeof(u);

	memset(&u, 0, sizeof(u));
	if (getsockname(fd, &u.sa, &len) == -1)
		return 0;
	return ntohs(u.sa.sa_family == AF_INET6 ?
	    u.v6.sin6_port : u.v4.sin_port);
}

static enum ln_status
listen_one(struct kore_server *s, const struct addrinfo *ai,
    struct ln_error *err)
{
	struct listener *l;
	int on = 1;

	l = kore_listener_create(s);
	if (!kore_listener_init(l, ai->ai_family, NULL))
		return ln_fail(err, LN_IO, "Cannot open a socket",
		    "errno %d", errno);
	/* "::" must not take the IPv4 port along: that one is bound apart. */
	if (ai->ai_family == AF_INET6 &&
	    setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
	    sizeof(on)) == -1)
		return ln_fail(err, LN_IO, "Cannot set up a socket",
		    "errno %d", errno);
	if (bind(l->fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(l->fd, (int)kore_socket_backlog) == -1) {
		int saved = errno;

		kore_listener_free(l);
		if (saved == EADDRINUSE)
			return ln_fail(err, LN_CONFLICT,
			    "The port is already in use. "
			    "Choose another one with --listen HOST:PORT",
			    "errno %d", saved);
		if (saved == EACCES)
			return ln_fail(err, LN_FORBIDDEN,
			    "Not allowed to use this port. "
			    "Choose one above 1023 with --listen HOST:PORT",
			    "errno %d", saved);
		return ln_fail(err, LN_INVALID,
		    "Cannot listen on this address", "errno %d", saved);
	}
	server.port = port_of(l->fd);
	return LN_OK;
}

/* Port 0 may give one family a port that the other cannot have: try again. */
#define LISTEN_TRIES 16

enum ln_status
kconf_listen(const char *host, int port, struct ln_error *err)
{
	struct addrinfo hints, *found = NULL, *ai;
	struct kore_server *s;
	struct listener *l;
	const char *names[2];
	char service[8];
	enum ln_status st;
	size_t i, n;
	int try, want, opened;

	n = 0;
	if (strcmp(host, "localhost") == 0) {
		names[n++] = "127.0.0.1";
		names[n++] = "::1";
	} else if (strcmp(host, "*") == 0) {
		names[n++] = "0.0.0.0";
		names[n++] = "::";
	} else
		names[n++] = host;

	s = server_new();
	st = LN_OK;
	for (try = 0; try < LISTEN_TRIES; try++) {
		want = port;
		opened = 0;
		st = LN_OK;
		for (i = 0; i < n; i++) {
			memset(&hints, 0, sizeof(hints));
			hints.ai_socktype = SOCK_STREAM;
			hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
			(void)snprintf(service, sizeof(service), "%d", want);
			if (getaddrinfo(names[i], service, &hints,
			    &found) != 0) {
				st = ln_fail(err, LN_INVALID,
				    "There is no such address to listen on. "
				    "Name one with --listen HOST:PORT",
				    "%s", names[i]);
				break;
			}
			ai = found;
			st = listen_one(s, ai, err);
			freeaddrinfo(found);
			/* A machine without IPv6 still has localhost. */
			if (st == LN_INVALID && opened > 0) {
				st = LN_OK;
				continue;
			}
			if (st != LN_OK)
				break;
			opened++;
			want = server.port;
		}
		if (st != LN_CONFLICT || port != 0)
			break;
		while ((l = LIST_FIRST(&s->listeners)) != NULL)
			kore_listener_free(l);
	}
	if (st == LN_OK)
		kore_server_finalize(s);
	return st;
}

#if defined(__SANITIZE_ADDRESS__)
/*
 * The leak checker traces its own process, which a sandboxed worker may not,
 * and Kore gives little back at the end.  The library's own tests look for
 * leaks.
 */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return 1;
}
#endif

#ifndef SERVER_H
#define SERVER_H

#include <sys/types.h>

#include <kore/kore.h>
#include <kore/http.h>

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/secret.h>
#include <ln/store.h>

/*
 * What every part of the server shares.  Memory that Kore hands out or takes
 * over is kore_malloc'ed, everything else is the C library's: the two must
 * never meet.
 */

#define SERVER_BODY_MAX ((size_t)64 * 1024)	/* security contract */
/* A picture, and the form around it. */
#define SERVER_PICTURE_MAX ((size_t)(2 * 1024 + 8) * 1024)
/* Around a file stand the marks of the form. */
#define SERVER_UPLOAD_MAX ((size_t)(5 * 1024 + 8) * 1024)
#define SERVER_AUDIO_MAX ((size_t)(10 * 1024 + 8) * 1024)
#define SERVER_MESSAGE_MAX ((size_t)12 * 1024 * 1024) /* the same line */
/* Documents of one request, and the form around them. */
#define SERVER_DOCUMENTS_MAX ((size_t)(50 * 1024 + 64) * 1024)
#define SERVER_DATA_MAX ((size_t)256 * 1024 * 1024)
#define SERVER_IMPORT_MAX ((size_t)1024 * 1024 * 1024)
#define SERVER_FRAME_MAX ((size_t)64 * 1024)	/* http-api: WebSocket frames */
#define SERVER_CONNECTIONS 1024			/* a worker */
#define SERVER_TICK_MS 500
#define SERVER_DRAIN_MS 5000

struct shared;

/**
 * struct server:
 * Filled by the parent before the first fork, read-only afterwards.
 */
struct server {
	struct ln_config *cfg;
	struct ln_keys *keys;
	char *db_path;		/* absolute */
	char *data_dir;		/* folder of the database, absolute */
	char *tmp_dir;		/* large request bodies, exports */
	char *tls_cert;
	char *tls_key;
	char *host;		/* what --listen said */
	char *public_host;	/* host of LOCALNEURAL_PUBLIC_URL, or NULL */
	char *public_origin;	/* scheme://host[:port] of the same, or NULL */
	char boot_id[LN_UUID_SIZE];
	bool is_tls;
	int port;
	unsigned worker_count;
	int64_t backup_max_age_ms;
	struct shared *shm;
};
extern struct server server;

/**
 * worker_store:
 * This worker's own handle, for short work on the event loop.
 */
extern struct ln_store *worker_store;

/* Kore looks these up by name. */
int	server_handle(struct http_request *);
void	ws_connected(struct connection *);
void	ws_message(struct connection *, u_int8_t, void *, size_t);
void	ws_disconnected(struct connection *);

#endif

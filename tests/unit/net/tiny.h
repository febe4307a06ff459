#ifndef TEST_TINY_H
#define TEST_TINY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * An HTTP server for one test: a thread a connection, on 127.0.0.1.  For every
 * request it calls the handler, which writes what it likes and says whether
 * the connection stays open.
 */
struct tiny;
typedef bool tiny_handler(struct tiny *t, int fd, const char *request);

struct tiny {
	int port;
	atomic_int connections;
	atomic_int requests;
	char url[64];		/* http://127.0.0.1:PORT */
	char last[65536];	/* the last request, head and body */
	/* inside */
	int fd;
	pthread_t thread;
	tiny_handler *handler;
	pthread_mutex_t lock;
	pthread_t workers[256];
	size_t worker_count;
	atomic_bool is_stopping;
};

/* Fails the test when it cannot. */
struct tiny *tiny_start(tiny_handler *handler);
/* Waits for all its threads. */
void tiny_stop(struct tiny *t);

void tiny_say(int fd, const char *s);
void tiny_sleep(int ms);
/* Until the client closes or the server stops. */
void tiny_wait_for_close(struct tiny *t, int fd);

#endif

#include "tiny.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct worker {
	struct tiny *tiny;
	int fd;
};

void
tiny_say(int fd, const char *s)
{
	size_t n = strlen(s);
	ssize_t sent;

	while (n > 0 && (sent = send(fd, s, n, MSG_NOSIGNAL)) > 0) {
		s += sent;
		n -= (size_t)sent;
	}
}

void
tiny_sleep(int ms)
{
	const struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

void
tiny_wait_for_close(struct tiny *t, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	while (!t->is_stopping) {
		if (poll(&p, 1, 20) > 0 && recv(fd, &c, 1, 0) <= 0)
			return;
	}
}

/* The length of a whole request in ${buf}, or 0. */
static size_t
whole_request(const char *buf, size_t n)
{
	const char *end = strstr(buf, "\r\n\r\n"), *length;
	size_t head, body = 0;

	if (end == NULL)
		return 0;
	head = (size_t)(end - buf) + 4;
	if ((length = strstr(buf, "Content-Length: ")) != NULL && length < end)
		body = (size_t)strtoul(length + 16, NULL, 10);
	return head + body <= n ? head + body : 0;
}

static bool
read_request(struct tiny *t, int fd, char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t got;

	buf[0] = '\0';
	while (whole_request(buf, n) == 0) {
		if (t->is_stopping || n + 1 >= size)
			return false;
		if (poll(&p, 1, 20) <= 0)
			continue;
		if ((got = recv(fd, buf + n, size - 1 - n, 0)) <= 0)
			return false;
		n += (size_t)got;
		buf[n] = '\0';
	}
	return true;
}

static void *
serve(void *arg)
{
	struct worker *w = arg;
	struct tiny *t = w->tiny;
	char *buf = malloc(sizeof(t->last));

	while (buf != NULL && read_request(t, w->fd, buf, sizeof(t->last))) {
		pthread_mutex_lock(&t->lock);
		memcpy(t->last, buf, strlen(buf) + 1);
		pthread_mutex_unlock(&t->lock);
		t->requests++;
		if (!t->handler(t, w->fd, buf))
			break;
	}
	free(buf);
	close(w->fd);
	free(w);
	return NULL;
}

static void *
accept_all(void *arg)
{
	struct tiny *t = arg;
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	struct worker *w;
	int fd;

	while (!t->is_stopping && t->worker_count < 256) {
		if (poll(&p, 1, 20) <= 0)
			continue;
		if ((fd = accept(t->fd, NULL, NULL)) < 0)
			continue;
		t->connections++;
		if ((w = malloc(sizeof(*w))) == NULL)
			abort();
		w->tiny = t;
		w->fd = fd;
		if (pthread_create(&t->workers[t->worker_count++], NULL,
		    serve, w) != 0)
			abort();
	}
	return NULL;
}

struct tiny *
tiny_start(tiny_handler *handler)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr sa;
	socklen_t n = sizeof(in);
	struct tiny *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->handler = handler;
	assert_int_equal(pthread_mutex_init(&t->lock, NULL), 0);
	t->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(t->fd >= 0);
	memcpy(&sa, &in, sizeof(sa));
	assert_int_equal(bind(t->fd, &sa, sizeof(in)), 0);
	assert_int_equal(listen(t->fd, 64), 0);
	assert_int_equal(getsockname(t->fd, &sa, &n), 0);
	memcpy(&in, &sa, sizeof(in));
	t->port = ntohs(in.sin_port);
	snprintf(t->url, sizeof(t->url), "http://127.0.0.1:%d", t->port);
	assert_int_equal(pthread_create(&t->thread, NULL, accept_all, t), 0);
	return t;
}

void
tiny_stop(struct tiny *t)
{
	size_t i;

	t->is_stopping = true;
	pthread_join(t->thread, NULL);
	for (i = 0; i < t->worker_count; i++)
		pthread_join(t->workers[i], NULL);
	close(t->fd);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

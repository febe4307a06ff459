#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/multi.h>
#include <ln/time.h>

#include "net/tiny.h"

/* The smallest event loop there is. */
struct loop {
	struct ln_multi *multi;
	int64_t due_ms;		/* -1: no timer */
	int open;		/* transfers that have not ended */
};

struct transfer {
	struct loop *loop;
	struct ln_transfer *handle;
	size_t bytes;
	int done;
	enum ln_status status;
	int http_status;
	bool cancels;		/* itself, at the first byte */
	struct ln_transfer *victim;	/* to cancel at the first byte */
	struct transfer *next;	/* to start when done */
	const struct ln_http_request *next_req;
};

static void
set_timer(void *arg, long ms)
{
	struct loop *l = arg;

	l->due_ms = ms < 0 ? -1 : ln_time_mono_ms() + ms;
}

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct transfer *t = arg;

	(void)http_status;
	(void)p;
	t->bytes += n;
	if (t->victim != NULL) {
		ln_transfer_cancel(t->victim);
		t->victim = NULL;
		t->loop->open--;
	}
	if (t->cancels) {
		ln_transfer_cancel(t->handle);
		t->loop->open--;
		return false;
	}
	return true;
}

static void begin(struct loop *l, struct transfer *t,
    const struct ln_http_request *req);

static void
on_done(void *arg, enum ln_status s, int http_status,
    const struct ln_error *err)
{
	struct transfer *t = arg;

	(void)err;
	t->done++;
	t->status = s;
	t->http_status = http_status;
	t->loop->open--;
	/* Harmless, by contract or by habit. */
	ln_transfer_cancel(t->handle);
	if (t->next != NULL)
		begin(t->loop, t->next, t->next_req);
}

static void
begin(struct loop *l, struct transfer *t, const struct ln_http_request *req)
{
	static const struct ln_transfer_ops ops = { on_data, on_done };
	struct ln_error err = LN_ERROR_INIT;

	t->loop = l;
	if (ln_multi_add(l->multi, req, &ops, t, &t->handle, &err) != LN_OK)
		fail_msg("add: %s", err.detail);
	assert_int_equal(t->done, 0);
	l->open++;
}

static void
run(struct loop *l, int64_t at_most_ms)
{
	int64_t end = ln_time_mono_ms() + at_most_ms, now, wait;
	struct pollfd p = { .fd = ln_multi_fd(l->multi), .events = POLLIN };

	while (l->open > 0 && (now = ln_time_mono_ms()) < end) {
		wait = end - now;
		if (l->due_ms >= 0 && l->due_ms - now < wait)
			wait = l->due_ms > now ? l->due_ms - now : 0;
		if (poll(&p, 1, (int)wait) > 0)
			ln_multi_ready(l->multi);
		if (l->due_ms >= 0 && ln_time_mono_ms() >= l->due_ms) {
			l->due_ms = -1;
			ln_multi_timeout(l->multi);
		}
	}
}

static int
setup(void **state)
{
	static struct loop l;
	const struct ln_multi_loop ops = { &l, set_timer };

	l = (struct loop){ .due_ms = -1 };
	*state = &l;
	return ln_multi_new(&ops, &l.multi, NULL) == LN_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	struct loop *l = *state;

	ln_multi_free(l->multi);
	return 0;
}

static bool
hello(struct tiny *t, int fd, const char *request)
{
	(void)t;
	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	return true;
}

static bool
drip(struct tiny *t, int fd, const char *request)
{
	int i;

	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < 10 && !t->is_stopping; i++) {
		tiny_say(fd, "1\r\nx\r\n");
		tiny_sleep(20);
	}
	tiny_say(fd, "0\r\n\r\n");
	return true;
}

static bool
silence(struct tiny *t, int fd, const char *request)
{
	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1\r\nx\r\n");
	tiny_wait_for_close(t, fd);
	return false;
}

static void
many_transfers_end_once_each(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(drip);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct transfer transfers[20];
	size_t i;

	memset(transfers, 0, sizeof(transfers));
	for (i = 0; i < 20; i++)
		begin(l, &transfers[i], &req);
	run(l, 5000);
	for (i = 0; i < 20; i++) {
		assert_int_equal(transfers[i].done, 1);
		assert_int_equal(transfers[i].status, LN_OK);
		assert_int_equal(transfers[i].http_status, 200);
		assert_int_equal(transfers[i].bytes, 10);
	}
	tiny_stop(t);
}

static void
the_request_is_copied(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(hello);
	char url[64], body[] = "{\"a\":1}", header[] = "X-One: 1";
	const char *headers[] = { header, NULL };
	const struct ln_http_request req = {
		.size = sizeof(req), .url = url, .headers = headers,
		.body = body, .body_len = 7, .may_be_local = true,
	};
	struct transfer one = { 0 };

	snprintf(url, sizeof(url), "%s", t->url);
	begin(l, &one, &req);
	memset(url, '#', sizeof(url) - 1);
	memset(body, '#', sizeof(body) - 1);
	memset(header, '#', sizeof(header) - 1);
	run(l, 2000);
	assert_int_equal(one.status, LN_OK);
	assert_non_null(strstr(t->last, "X-One: 1\r\n"));
	assert_non_null(strstr(t->last, "{\"a\":1}"));
	tiny_stop(t);
}

static void
a_cancelled_transfer_says_nothing_more(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(drip);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct transfer inside = { .cancels = true }, other = { 0 },
	    before = { 0 }, killer = { 0 };

	begin(l, &inside, &req);
	begin(l, &other, &req);
	begin(l, &before, &req);
	ln_transfer_cancel(before.handle);
	l->open--;
	begin(l, &killer, &req);
	killer.victim = other.handle;
	run(l, 3000);
	assert_int_equal(inside.done, 0);
	assert_int_equal(inside.bytes, 1);
	assert_int_equal(other.done, 0);
	assert_int_equal(before.done, 0);
	assert_int_equal(killer.done, 1);
	assert_int_equal(killer.status, LN_OK);
	ln_transfer_cancel(NULL);
	tiny_stop(t);
}

static void
another_may_begin_when_one_ends(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(hello);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct transfer second = { 0 };
	struct transfer first = { .next = &second, .next_req = &req };

	begin(l, &first, &req);
	run(l, 2000);
	assert_int_equal(first.done, 1);
	assert_int_equal(second.done, 1);
	assert_int_equal(second.status, LN_OK);
	/* The idle connection served both. */
	assert_int_equal(t->connections, 1);
	tiny_stop(t);
}

static void
an_idle_local_connection_serves_no_request_that_may_not_be_local(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(hello);
	struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct transfer allowed = { 0 }, not_allowed = { 0 };

	begin(l, &allowed, &req);
	run(l, 2000);
	assert_int_equal(allowed.status, LN_OK);
	req.may_be_local = false;
	begin(l, &not_allowed, &req);
	run(l, 2000);
	assert_int_equal(not_allowed.done, 1);
	assert_int_equal(not_allowed.status, LN_FORBIDDEN);
	assert_int_equal(not_allowed.bytes, 0);
	assert_int_equal(t->requests, 1);
	tiny_stop(t);
}

static void
a_stall_ends_a_transfer(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(silence);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
		.stall_ms = 200,
	};
	struct transfer one = { 0 };

	begin(l, &one, &req);
	run(l, 5000);
	assert_int_equal(one.done, 1);
	assert_int_equal(one.status, LN_TIMEOUT);
	assert_int_equal(one.bytes, 1);
	tiny_stop(t);
}

static void
a_dead_port_is_a_failure_of_the_provider(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(hello);
	char url[64];
	const struct ln_http_request req = {
		.size = sizeof(req), .url = url, .may_be_local = true,
	};
	struct transfer one = { 0 };

	snprintf(url, sizeof(url), "%s", t->url);
	tiny_stop(t);
	begin(l, &one, &req);
	run(l, 2000);
	assert_int_equal(one.done, 1);
	assert_int_equal(one.status, LN_UPSTREAM);
}

static void
freeing_the_multi_cancels_what_runs(void **state)
{
	struct loop *l = *state;
	struct tiny *t = tiny_start(silence);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct transfer one = { 0 };

	begin(l, &one, &req);
	run(l, 200);
	ln_multi_free(l->multi);
	l->multi = NULL;
	assert_int_equal(one.done, 0);
	tiny_stop(t);
}

int
main(void)
{
#define row(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		row(many_transfers_end_once_each),
		row(the_request_is_copied),
		row(a_cancelled_transfer_says_nothing_more),
		row(another_may_begin_when_one_ends),
		row(an_idle_local_connection_serves_no_request_that_may_not_be_local),
		row(a_stall_ends_a_transfer),
		row(a_dead_port_is_a_failure_of_the_provider),
		row(freeing_the_multi_cancels_what_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

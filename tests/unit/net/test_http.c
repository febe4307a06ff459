#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/http.h>
#include <ln/time.h>

#include "net/tiny.h"

struct answer {
	struct ln_buf body;
	int http_status;
	int stop_after;		/* pieces; 0: never */
	int pieces;
	int ticks;
	int stop_at_tick;	/* 0: never */
};

static bool
keep(void *arg, int http_status, const char *p, size_t n)
{
	struct answer *a = arg;

	a->http_status = http_status;
	ln_buf_put(&a->body, p, n);
	return a->stop_after == 0 || ++a->pieces < a->stop_after;
}

static bool
tick(void *arg)
{
	struct answer *a = arg;

	return ++a->ticks != a->stop_at_tick;
}

static enum ln_status
ask(const struct ln_http_request *req, struct answer *a, int *http_status,
    struct ln_error *err)
{
	a->body = (struct ln_buf)LN_BUF_INIT(1024 * 1024);
	return ln_http_perform(req, keep, tick, a, http_status, err);
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
refusal(struct tiny *t, int fd, const char *request)
{
	(void)t;
	(void)request;
	tiny_say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope");
	return true;
}

static bool
elsewhere(struct tiny *t, int fd, const char *request)
{
	(void)t;
	(void)request;
	tiny_say(fd, "HTTP/1.1 302 Found\r\nLocation: /other\r\n"
	    "Content-Length: 2\r\n\r\ngo");
	return true;
}

static bool
half(struct tiny *t, int fd, const char *request)
{
	(void)t;
	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel");
	return false;
}

static bool
nothing(struct tiny *t, int fd, const char *request)
{
	(void)t;
	(void)fd;
	(void)request;
	return false;
}

static bool
silence(struct tiny *t, int fd, const char *request)
{
	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nhel\r\n");
	tiny_wait_for_close(t, fd);
	return false;
}

/* Thinks for a while, says a word, and falls silent. */
static bool
slow_start(struct tiny *t, int fd, const char *request)
{
	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	tiny_sleep(600);
	tiny_say(fd, "3\r\nhel\r\n");
	tiny_wait_for_close(t, fd);
	return false;
}

static bool
drip(struct tiny *t, int fd, const char *request)
{
	int i;

	(void)request;
	tiny_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < 20 && !t->is_stopping; i++) {
		tiny_say(fd, "1\r\nx\r\n");
		tiny_sleep(50);
	}
	tiny_say(fd, "0\r\n\r\n");
	return false;
}

static void
an_answer_comes_whole_whatever_its_status(void **state)
{
	struct tiny *t = tiny_start(refusal);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct answer a = { 0 };
	int http_status = 0;

	(void)state;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_OK);
	assert_int_equal(http_status, 404);
	assert_int_equal(a.http_status, 404);
	assert_string_equal(ln_buf_str(&a.body), "nope");
	ln_buf_free(&a.body);
	tiny_stop(t);
}

static void
method_headers_and_body_arrive_as_given(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json",
		"Authorization: Bearer k", NULL };
	struct tiny *t = tiny_start(hello);
	struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .headers = headers,
		.body = "{\"a\":1}", .body_len = 7, .may_be_local = true,
	};
	struct answer a = { 0 };
	int http_status;

	(void)state;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_OK);
	ln_buf_free(&a.body);
	assert_true(strncmp(t->last, "POST / HTTP/1.1\r\n", 17) == 0);
	assert_non_null(strstr(t->last, "\r\nContent-Type: application/json"));
	assert_non_null(strstr(t->last, "\r\nAuthorization: Bearer k\r\n"));
	assert_non_null(strstr(t->last, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(t->last, "Expect:"));

	req.method = "DELETE";
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_OK);
	ln_buf_free(&a.body);
	assert_true(strncmp(t->last, "DELETE / ", 9) == 0);
	assert_non_null(strstr(t->last, "\r\n\r\n{\"a\":1}"));

	req.method = NULL;
	req.body = NULL;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_OK);
	ln_buf_free(&a.body);
	assert_true(strncmp(t->last, "GET / ", 6) == 0);
	tiny_stop(t);
}

static void
an_address_that_may_not_be_local_is_never_dialled(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "127.1",
		"0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]",
		"0.0.0.0", "[::]" };
	struct tiny *t = tiny_start(hello);
	struct answer a = { 0 };
	char url[128];
	struct ln_http_request req = { .size = sizeof(req), .url = url };
	struct ln_error err = LN_ERROR_INIT;
	int http_status;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], t->port);
		if (ask(&req, &a, &http_status, &err) != LN_FORBIDDEN)
			fail_msg("%s: %s", hosts[i], err.detail);
		assert_int_equal(a.body.len, 0);
		ln_buf_free(&a.body);
	}
	assert_int_equal(t->connections, 0);
	tiny_stop(t);
}

static void
every_failure_has_its_sentence(void **state)
{
	static const struct {
		const char *name;
		tiny_handler *handler;	/* NULL: a port nobody listens on */
		const char *url;	/* NULL: the server's */
		enum ln_status want;
		const char *words;
	} rows[] = {
		{ "refused", NULL, NULL, LN_UPSTREAM, "refused the conn" },
		{ "cut", half, NULL, LN_UPSTREAM, "cut the connection" },
		{ "no answer", nothing, NULL, LN_UPSTREAM, "cut the conn" },
		{ "silence", silence, NULL, LN_TIMEOUT, "in time" },
		/* Too long for a name, so no name server is asked. */
		{ "no such name", hello,
		    "http://0123456789012345678901234567890123456789012345678901"
		    "2345678901234567890.invalid/", LN_UPSTREAM,
		    "name of the model provider was not found" },
		{ "scheme", hello, "ftp://127.0.0.1/", LN_INVALID, "http" },
		{ "user", hello, "http://u:p@127.0.0.1/", LN_INVALID,
		    "user name" },
	};
	struct answer a = { 0 };
	struct ln_error err;
	char tls[64];
	int http_status;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tiny *t = tiny_start(rows[i].handler != NULL ?
		    rows[i].handler : hello);
		char url[128];
		struct ln_http_request req = {
			.size = sizeof(req), .url = url, .stall_ms = 150,
			.may_be_local = true,
		};
		enum ln_status s;

		snprintf(url, sizeof(url), "%s",
		    rows[i].url != NULL ? rows[i].url : t->url);
		if (rows[i].handler == NULL)
			tiny_stop(t);
		memset(&err, 0, sizeof(err));
		s = ask(&req, &a, &http_status, &err);
		if (s != rows[i].want || strstr(err.text == NULL ||
		    err.text[0] == '\0' ? ln_status_text(s) : err.text,
		    rows[i].words) == NULL)
			fail_msg("%s: %d %s (%s)", rows[i].name, (int)s,
			    err.text, err.detail);
		ln_buf_free(&a.body);
		if (rows[i].handler != NULL)
			tiny_stop(t);
	}
	{
		struct tiny *t = tiny_start(hello);
		struct ln_http_request req = {
			.size = sizeof(req), .url = tls, .stall_ms = 500,
			.connect_ms = 500, .may_be_local = true,
		};

		snprintf(tls, sizeof(tls), "https://127.0.0.1:%d/", t->port);
		assert_int_not_equal(ask(&req, &a, &http_status, &err), LN_OK);
		ln_buf_free(&a.body);
		tiny_stop(t);
	}
}

static void
bounds_hold(void **state)
{
	struct tiny *t = tiny_start(drip);
	struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
		.response_max = 3,
	};
	struct answer a = { 0 };
	int http_status;
	int64_t start;

	(void)state;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_TOO_LARGE);
	assert_string_equal(ln_buf_str(&a.body), "xxx");
	ln_buf_free(&a.body);

	req.response_max = 0;
	req.total_ms = 200;
	start = ln_time_mono_ms();
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_TIMEOUT);
	assert_true(ln_time_mono_ms() - start < 900);
	ln_buf_free(&a.body);

	/* Bytes that keep coming are no stall, however long it takes. */
	req.total_ms = 0;
	req.stall_ms = 500;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_OK);
	assert_int_equal(a.body.len, 20);
	assert_true(a.ticks >= 8);
	ln_buf_free(&a.body);
	tiny_stop(t);
}

static void
the_first_byte_may_take_longer_than_the_next_one(void **state)
{
	struct tiny *t = tiny_start(slow_start);
	struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
		.stall_ms = 200, .first_byte_ms = 10000,
	};
	struct answer a = { 0 };
	int http_status;
	int64_t start = ln_time_mono_ms();

	(void)state;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_TIMEOUT);
	assert_string_equal(ln_buf_str(&a.body), "hel");
	assert_true(ln_time_mono_ms() - start < 5000);
	ln_buf_free(&a.body);

	req.stall_ms = 10000;
	req.first_byte_ms = 200;
	a = (struct answer){ 0 };
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_TIMEOUT);
	assert_int_equal(a.body.len, 0);
	ln_buf_free(&a.body);
	tiny_stop(t);
}

static void
the_caller_can_stop(void **state)
{
	struct tiny *t = tiny_start(drip);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct answer a = { .stop_after = 2 };
	int http_status;

	(void)state;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_CANCELLED);
	assert_string_equal(ln_buf_str(&a.body), "xx");
	ln_buf_free(&a.body);
	a = (struct answer){ .stop_at_tick = 2 };
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_CANCELLED);
	assert_true(a.body.len < 20);
	ln_buf_free(&a.body);
	tiny_stop(t);
}

static void
redirects_and_proxies_are_not_followed(void **state)
{
	struct tiny *t = tiny_start(elsewhere), *proxy = tiny_start(hello);
	const struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .may_be_local = true,
	};
	struct answer a = { 0 };
	int http_status;

	(void)state;
	assert_int_equal(setenv("http_proxy", proxy->url, 1), 0);
	assert_int_equal(setenv("all_proxy", proxy->url, 1), 0);
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_OK);
	assert_int_equal(http_status, 302);
	assert_int_equal(t->requests, 1);
	assert_int_equal(proxy->connections, 0);
	ln_buf_free(&a.body);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("all_proxy"), 0);
	tiny_stop(t);
	tiny_stop(proxy);
}

static void
a_header_cannot_smuggle_another(void **state)
{
	static const char *const headers[] = { "Authorization: Bearer k\r\nX: y",
		NULL };
	struct tiny *t = tiny_start(hello);
	struct ln_http_request req = {
		.size = sizeof(req), .url = t->url, .headers = headers,
		.may_be_local = true,
	};
	struct answer a = { 0 };
	int http_status;

	(void)state;
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_INVALID);
	req.headers = NULL;
	req.method = "GET / HTTP/1.1\r\nX: y\r\n";
	assert_int_equal(ask(&req, &a, &http_status, NULL), LN_INVALID);
	assert_int_equal(t->connections, 0);
	tiny_stop(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_comes_whole_whatever_its_status),
		cmocka_unit_test(method_headers_and_body_arrive_as_given),
		cmocka_unit_test(
		    an_address_that_may_not_be_local_is_never_dialled),
		cmocka_unit_test(every_failure_has_its_sentence),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(
		    the_first_byte_may_take_longer_than_the_next_one),
		cmocka_unit_test(the_caller_can_stop),
		cmocka_unit_test(redirects_and_proxies_are_not_followed),
		cmocka_unit_test(a_header_cannot_smuggle_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

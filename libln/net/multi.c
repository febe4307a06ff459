#include <ln/multi.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/epoll.h>
#include <unistd.h>

#include <ln/time.h>

#include "net/exchange.h"

#include "base/banned.h"

#define EVENTS_MAX 64		/* taken from the kernel at a time */
#define IDLE_MAX 64L		/* connections kept open for reuse */
#define STALL_CHECK_MS 1000	/* how exactly a stall is noticed */
#define NEVER INT64_MAX

struct ln_transfer {
	struct ln_multi *multi;
	struct ln_transfer *next;
	struct ln_transfer *prev;
	struct lni_exchange exchange;
	struct ln_transfer_ops ops;
	void *arg;
	bool is_added;		/* libcurl knows it */
	bool is_cancelled;	/* to be dropped without a word */
	bool is_over;		/* its on_done runs */
};

struct ln_multi {
	struct ln_multi_loop loop;
	CURLM *curl;
	int epoll_fd;
	bool is_inside;		/* libcurl is on the stack */
	bool has_chores;	/* transfers to add or drop when it is not */
	struct ln_transfer *head;
	int64_t curl_due_ms;	/* monotonic, NEVER when none */
	int64_t stall_due_ms;
	int64_t armed_ms;	/* what the loop's timer is set to */
};

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct ln_multi *m = arg;
	struct epoll_event ev;
	int op = known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	(void)easy;
	memset(&ev, 0, sizeof(ev));
	ev.data.fd = fd;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, fd, &ev);
		return 0;
	}
	if (what & CURL_POLL_IN)
		ev.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		ev.events |= EPOLLOUT;
	/* The kernel forgets a closed descriptor before libcurl tells us, and
	 * its number comes back: what we know may be out of date. */
	if (epoll_ctl(m->epoll_fd, op, fd, &ev) != 0 &&
	    (errno == EEXIST || errno == ENOENT)) {
		op = errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
		if (epoll_ctl(m->epoll_fd, op, fd, &ev) != 0)
			return -1;
	}
	if (known == NULL)
		(void)lni_curl.multi_assign(m->curl, fd, m);
	return 0;
}

static int
on_timer(CURLM *curl, long ms, void *arg)
{
	struct ln_multi *m = arg;

	(void)curl;
	m->curl_due_ms = ms < 0 ? NEVER : ln_time_mono_ms() + ms;
	return 0;
}

static void
rearm(struct ln_multi *m)
{
	int64_t due = m->curl_due_ms, now = ln_time_mono_ms();

	if (m->head != NULL && m->stall_due_ms < due)
		due = m->stall_due_ms;
	if (due == m->armed_ms)
		return;
	m->armed_ms = due;
	if (due == NEVER)
		m->loop.set_timer(m->loop.arg, -1);
	else
		m->loop.set_timer(m->loop.arg,
		    due > now ? (long)(due - now) : 0);
}

static void
destroy(struct ln_transfer *t)
{
	struct ln_multi *m = t->multi;

	if (t->is_added)
		(void)lni_curl.multi_remove_handle(m->curl, t->exchange.easy);
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		m->head = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	lni_exchange_close(&t->exchange);
	free(t);
}

/* Tell the owner how it went, once, and forget it. */
static void
finish(struct ln_transfer *t, CURLcode rc)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int http_status;

	if (!t->is_cancelled) {
		s = lni_exchange_outcome(&t->exchange, rc, &http_status, &err);
		t->is_over = true;
		t->ops.on_done(t->arg, s, http_status, &err);
	}
	destroy(t);
}

static void
reap(struct ln_multi *m)
{
	struct ln_transfer *t;
	CURLMsg *msg;
	CURLcode rc;
	int left;

	while ((msg = lni_curl.multi_info_read(m->curl, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		rc = msg->data.result;
		t = NULL;
		if (lni_curl.easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
		    &t) == CURLE_OK && t != NULL)
			finish(t, rc);
	}
}

static struct ln_transfer *
next_chore(struct ln_multi *m)
{
	struct ln_transfer *t;

	for (t = m->head; t != NULL; t = t->next) {
		if (!t->is_over && (t->is_cancelled || !t->is_added))
			return t;
	}
	return NULL;
}

/* What callbacks asked for while libcurl was on the stack. */
static void
do_chores(struct ln_multi *m)
{
	struct ln_transfer *t;

	while (m->has_chores) {
		m->has_chores = false;
		while ((t = next_chore(m)) != NULL) {
			if (t->is_cancelled)
				destroy(t);
			else if (lni_curl.multi_add_handle(m->curl,
			    t->exchange.easy) == CURLM_OK)
				t->is_added = true;
			else
				finish(t, CURLE_OUT_OF_MEMORY);
		}
	}
}

static struct ln_transfer *
next_stalled(struct ln_multi *m, int64_t now)
{
	struct ln_transfer *t;

	for (t = m->head; t != NULL; t = t->next) {
		if (t->is_added && !t->is_over &&
		    lni_exchange_is_stalled(&t->exchange, now))
			return t;
	}
	return NULL;
}

static void
check_stalls(struct ln_multi *m)
{
	int64_t now = ln_time_mono_ms();
	struct ln_transfer *t;

	if (now < m->stall_due_ms)
		return;
	/* An owner may cancel others from on_done: look anew each time. */
	while ((t = next_stalled(m, now)) != NULL)
		finish(t, CURLE_OPERATION_TIMEDOUT);
	m->stall_due_ms = now + STALL_CHECK_MS;
}

static void
act(struct ln_multi *m, curl_socket_t fd, int flags)
{
	int running;

	m->is_inside = true;
	(void)lni_curl.multi_socket_action(m->curl, fd, flags, &running);
	m->is_inside = false;
}

static void
settle(struct ln_multi *m)
{
	reap(m);
	check_stalls(m);
	do_chores(m);
	rearm(m);
}

enum ln_status
ln_multi_new(const struct ln_multi_loop *loop, struct ln_multi **out,
    struct ln_error *err)
{
	struct ln_multi *m;
	enum ln_status s;

	*out = NULL;
	if ((s = ln_http_load(err)) != LN_OK)
		return s;
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "ln_multi_new");
	m->loop = *loop;
	m->curl_due_ms = m->stall_due_ms = m->armed_ms = NEVER;
	if ((m->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0) {
		s = ln_fail(err, LN_INTERNAL, "", "epoll_create1: %s",
		    strerror(errno));
		goto out;
	}
	if ((m->curl = lni_curl.multi_init()) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "curl_multi_init");
		goto out;
	}
	if (lni_curl.multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION,
	    on_socket) != CURLM_OK ||
	    lni_curl.multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m) !=
	    CURLM_OK ||
	    lni_curl.multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION,
	    on_timer) != CURLM_OK ||
	    lni_curl.multi_setopt(m->curl, CURLMOPT_TIMERDATA, m) !=
	    CURLM_OK ||
	    lni_curl.multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, IDLE_MAX) !=
	    CURLM_OK)
		s = ln_fail(err, LN_INTERNAL, "", "curl_multi_setopt");
out:
	if (s == LN_OK)
		*out = m;
	else
		ln_multi_free(m);
	return s;
}

void
ln_multi_free(struct ln_multi *m)
{
	struct lni_sigpipe held;

	if (m == NULL)
		return;
	lni_sigpipe_hold(&held);
	while (m->head != NULL)
		destroy(m->head);
	if (m->curl != NULL)
		(void)lni_curl.multi_cleanup(m->curl);
	lni_sigpipe_release(&held);
	if (m->epoll_fd >= 0)
		close(m->epoll_fd);
	free(m);
}

int
ln_multi_fd(const struct ln_multi *m)
{
	return m->epoll_fd;
}

void
ln_multi_ready(struct ln_multi *m)
{
	struct epoll_event events[EVENTS_MAX];
	struct lni_sigpipe held;
	int i, n, flags;

	n = epoll_wait(m->epoll_fd, events, EVENTS_MAX, 0);
	lni_sigpipe_hold(&held);
	for (i = 0; i < n; i++) {
		flags = 0;
		if (events[i].events & EPOLLIN)
			flags |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			flags |= CURL_CSELECT_OUT;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			flags |= CURL_CSELECT_ERR;
		act(m, events[i].data.fd, flags);
	}
	settle(m);
	lni_sigpipe_release(&held);
}

void
ln_multi_timeout(struct ln_multi *m)
{
	struct lni_sigpipe held;

	m->armed_ms = NEVER;
	lni_sigpipe_hold(&held);
	if (ln_time_mono_ms() >= m->curl_due_ms) {
		m->curl_due_ms = NEVER;
		act(m, CURL_SOCKET_TIMEOUT, 0);
	}
	settle(m);
	lni_sigpipe_release(&held);
}

enum ln_status
ln_multi_add(struct ln_multi *m, const struct ln_http_request *req,
    const struct ln_transfer_ops *ops, void *arg, struct ln_transfer **out,
    struct ln_error *err)
{
	struct ln_transfer *t;
	enum ln_status s;

	*out = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "transfer");
	if ((s = lni_exchange_open(&t->exchange, req, true, ops->on_data, arg,
	    err)) != LN_OK) {
		free(t);
		return s;
	}
	t->multi = m;
	t->ops = *ops;
	t->arg = arg;
	if (m->head == NULL)
		m->stall_due_ms = ln_time_mono_ms() + STALL_CHECK_MS;
	t->next = m->head;
	if (t->next != NULL)
		t->next->prev = t;
	m->head = t;
	if (lni_curl.easy_setopt(t->exchange.easy, CURLOPT_PRIVATE, t) !=
	    CURLE_OK) {
		destroy(t);
		return ln_fail(err, LN_INTERNAL, "", "CURLOPT_PRIVATE");
	}
	if (m->is_inside) {
		m->has_chores = true;
	} else {
		if (lni_curl.multi_add_handle(m->curl, t->exchange.easy) !=
		    CURLM_OK) {
			destroy(t);
			return ln_fail(err, LN_NOMEM, "",
			    "curl_multi_add_handle");
		}
		t->is_added = true;
		rearm(m);
	}
	*out = t;
	return LN_OK;
}

void
ln_transfer_cancel(struct ln_transfer *t)
{
	struct ln_multi *m;
	struct lni_sigpipe held;

	if (t == NULL || t->is_over)
		return;
	m = t->multi;
	t->is_cancelled = true;
	if (m->is_inside) {
		m->has_chores = true;
		return;
	}
	lni_sigpipe_hold(&held);
	destroy(t);
	lni_sigpipe_release(&held);
	rearm(m);
}

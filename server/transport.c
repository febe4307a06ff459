#include "transport.h"

#include <stdio.h>

#include "server.h"

/* Kore calls back by the kore_event at the front. */
static struct {
	struct kore_event evt;
} multi_event;

static struct ln_multi *multi;
static struct kore_timer *timer;
static char owner[96];

static void
on_ready(void *arg, int error)
{
	(void)arg;
	(void)error;
	ln_multi_ready(multi);
}

static void
on_timer(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	timer = NULL;	/* one-shot: Kore frees it */
	ln_multi_timeout(multi);
}

static void
set_timer(void *arg, long ms)
{
	(void)arg;
	if (timer != NULL) {
		kore_timer_remove(timer);
		timer = NULL;
	}
	if (ms >= 0)
		timer = kore_timer_add(on_timer, (u_int64_t)ms, NULL,
		    KORE_TIMER_ONESHOT);
}

void
transport_open(void)
{
	const struct ln_multi_loop loop = { NULL, set_timer };
	struct ln_error err = LN_ERROR_INIT;

	(void)snprintf(owner, sizeof(owner), "server:%s:%u", server.boot_id,
	    (unsigned)worker->id);
	/* Without libcurl the offline provider still answers. */
	if (ln_multi_new(&loop, &multi, &err) != LN_OK) {
		multi = NULL;
		return;
	}
	multi_event.evt.type = KORE_TYPE_CURL_HANDLE;
	multi_event.evt.handle = on_ready;
	kore_platform_event_level_read(ln_multi_fd(multi), &multi_event);
}

void
transport_close(void)
{
	ln_multi_free(multi);
	multi = NULL;
}

enum ln_status
transport_add(const struct ln_http_request *req,
    const struct ln_transfer_ops *ops, void *arg, struct ln_transfer **out,
    struct ln_error *err)
{
	*out = NULL;
	if (multi == NULL)
		return ln_fail(err, LN_UNSUPPORTED,
		    "This server cannot reach a model provider", "no libcurl");
	return ln_multi_add(multi, req, ops, arg, out, err);
}

const char *
transport_owner(void)
{
	return owner;
}

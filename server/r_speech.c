/* POST /api/audio/transcribe: what is said in a recording, by the caller's
 * provider.  The recording is kept nowhere. */

#include <stdlib.h>

#include <ln/llm.h>
#include <ln/speech.h>

#include "multipart.h"
#include "reply.h"
#include "routes.h"
#include "upstream.h"

#define ANSWER_MAX ((size_t)4 * 1024 * 1024)

struct speech {
	struct ln_provider_conf *conf;
	struct ln_buf body;		/* of the provider's answer */
};

static bool
on_data(void *arg, int http_status, const char *p, size_t n)
{
	struct speech *sp = arg;

	(void)http_status;
	ln_buf_put(&sp->body, p, n);
	return ln_buf_status(&sp->body) == LN_OK;
}

static int
on_done(struct rq *q, void *arg, enum ln_status s, int http_status,
    const struct ln_error *why)
{
	struct ln_buf text = LN_BUF_SECRET_INIT(LN_SPEECH_TEXT_MAX);
	struct ln_error err = *why;
	struct speech *sp = arg;
	struct ln_jw *w;
	int rc;

	if (s == LN_OK)
		s = ln_speech_parse(sp->conf, http_status,
		    ln_buf_str(&sp->body), sp->body.len, &text, &err);
	if (s != LN_OK) {
		ln_buf_free(&text);
		return upstream_fail(q, s, &err);
	}
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_stringn(w, "text", ln_buf_str(&text), text.len);
		ln_jw_end(w);
	}
	rc = reply_json(q, 200, w);
	ln_buf_free(&text);
	return rc;
}

static void
on_free(void *arg)
{
	struct speech *sp = arg;

	ln_provider_conf_free(sp->conf);
	ln_buf_free(&sp->body);
	free(sp);
}

static const struct upstream_ops ops = { on_data, on_done, on_free };

static int
ask(struct rq *q, const void *audio, size_t n)
{
	const struct ln_provider_wish wish = { .size = sizeof(wish) };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_llm_request *r = NULL;
	struct speech *sp;
	enum ln_status s;
	int rc;

	if ((sp = calloc(1, sizeof(*sp))) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	sp->body = (struct ln_buf)LN_BUF_SECRET_INIT(ANSWER_MAX);
	s = ln_provider_resolve(worker_store, server.cfg, q->user->id, &wish,
	    &sp->conf, &err);
	if (s == LN_OK)
		s = ln_speech_request(server.cfg, sp->conf, audio, n, &r,
		    &err);
	if (s != LN_OK) {
		on_free(sp);
		return reply_fail(q, s, &err);
	}
	rc = upstream_start(q, &r->http, &ops, sp);
	ln_llm_request_free(r);
	return rc;
}

int
audio_transcribe(struct rq *q)
{
	struct http_request *req = q->req;
	char boundary[80];
	const void *audio;
	size_t n;

	if (!multipart_boundary(rq_header(q, "content-type"), boundary,
	    sizeof(boundary)))
		return reply_error(q, 415, "Send the recording as a form");
	if (req->http_body == NULL || !multipart_part(req->http_body->data,
	    req->http_body_length, boundary, "audio", &audio, &n) || n == 0)
		return reply_field(q, 400, "audio", "The recording is missing");
	return ask(q, audio, n);
}

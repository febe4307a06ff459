/* The picture of one's own account; nobody else is shown it. */

#include <stdio.h>
#include <string.h>

#include <ln/picture.h>

#include "guard.h"
#include "multipart.h"
#include "profile.h"
#include "reply.h"
#include "routes.h"

const char *
profile_pic_path(const struct ln_user *u, char out[PROFILE_PIC_SIZE])
{
	char version[LN_PICTURE_VERSION_SIZE];
	struct ln_error err = LN_ERROR_INIT;

	if (!u->has_picture)
		return NULL;
	if (ln_picture_version(worker_store, u->id, version, &err) != LN_OK) {
		/* An account can be shown without. */
		server_log_detail("picture", &err);
		return NULL;
	}
	if (version[0] == '\0')
		return NULL;
	(void)snprintf(out, PROFILE_PIC_SIZE, "/api/profile/pic?v=%s",
	    version);
	return out;
}

int
profile_pic_show(struct rq *q)
{
	char version[LN_PICTURE_VERSION_SIZE];
	struct ln_error err = LN_ERROR_INIT;
	struct ln_picture *p;
	enum ln_status s;
	int rc;

	s = ln_picture_get(worker_store, q->user->id, &p, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	rc = reply_picture(q, p->type, p->bytes, p->length,
	    rq_query(q, "v", version, sizeof(version)) &&
	    strcmp(version, p->version) == 0);
	ln_picture_free(p);
	return rc;
}

/* One change in the transaction that looks whether he still may. */
struct change {
	const struct rq *q;
	const void *bytes;	/* NULL: remove it */
	size_t length;
};

static enum ln_status
apply(struct ln_store *st, void *arg, struct ln_error *err)
{
	const struct change *c = arg;
	enum ln_status s;

	if ((s = guard_again(st, c->q->session, false, err)) != LN_OK)
		return s;
	if (c->bytes == NULL)
		return ln_picture_remove(st, c->q->user->id, err);
	return ln_picture_set(st, c->q->user->id, c->bytes, c->length, err);
}

int
profile_pic_set(struct rq *q)
{
	struct change c = { .q = q };
	struct ln_error err = LN_ERROR_INIT;
	char path[PROFILE_PIC_SIZE], boundary[80];
	struct ln_user *u = NULL;
	struct ln_jw *w;
	enum ln_status s;

	if (!multipart_boundary(rq_header(q, "content-type"), boundary,
	    sizeof(boundary)))
		return reply_error(q, 415, "Send the picture as a form");
	if (q->req->http_body == NULL || !multipart_part(
	    q->req->http_body->data, q->req->http_body_length, boundary,
	    "pic", &c.bytes, &c.length))
		return reply_field(q, 400, "pic", "The picture is missing");
	s = ln_store_transaction(worker_store, apply, &c, &err);
	if (s == LN_OK)
		s = ln_user_get(worker_store, q->user->id, &u, &err);
	if (s != LN_OK)
		return reply_fail(q, s, &err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "profile_pic", profile_pic_path(u, path));
	}
	ln_user_free(u);
	return reply_json(q, 200, w);
}

int
profile_pic_delete(struct rq *q)
{
	struct change c = { .q = q };
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_store_transaction(worker_store, apply, &c, &err);
	return s == LN_OK ? reply_success(q) : reply_fail(q, s, &err);
}

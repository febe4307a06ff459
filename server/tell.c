#include "tell.h"

#include <ln/buf.h>

#include "hub.h"

#define EVENT_MAX 4096

static void
tell(const struct rq *q, const char *type, const char *conversation_id,
    const char *title)
{
	struct ln_buf b = LN_BUF_INIT(EVENT_MAX);
	struct ln_jw *w;

	if ((w = ln_jw_new()) == NULL)
		return;
	ln_jw_object(w, NULL);
	ln_jw_string(w, "type", type);
	if (conversation_id != NULL)
		ln_jw_string(w, "session_id", conversation_id);
	if (title != NULL)
		ln_jw_string(w, "title", title);
	if (ln_jw_print(w, false, &b) == LN_OK)
		hub_publish(q->user->id, ln_buf_str(&b), b.len);
	ln_jw_free(w);
	ln_buf_free(&b);
}

void
tell_history(const struct rq *q, const char *conversation_id)
{
	tell(q, "history_changed", conversation_id, NULL);
}

void
tell_title(const struct rq *q, const char *conversation_id,
    const char *title)
{
	tell(q, "title_updated", conversation_id, title);
}

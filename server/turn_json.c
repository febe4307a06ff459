#include <ln/buf.h>
#include <ln/json.h>

#include "turn.h"

/* The words of the wire ("session" is a conversation) are used here only. */

static void
write_event(struct ln_jw *w, const struct ln_chat_event *ev)
{
	switch (ev->type) {
	case LN_CHAT_CONVERSATION:
		ln_jw_string(w, "type", "session_created");
		ln_jw_string(w, "title", ev->title);
		break;
	case LN_CHAT_SAVED:
		ln_jw_string(w, "type", "message_saved");
		ln_jw_string(w, "temp_id", ev->temp_id);
		ln_jw_int(w, "db_id", ev->message_id);
		if (ev->question != NULL)
			ln_jw_string(w, "prompt", ev->question);
		break;
	case LN_CHAT_CHUNK:
		ln_jw_string(w, "type", "stream_chunk");
		ln_jw_stringn(w, "chunk", ev->text, ev->len);
		ln_jw_int(w, "from", (int64_t)ev->from);
		ln_jw_int(w, "seq", (int64_t)ev->seq);
		ln_jw_int(w, "tokens", ev->tokens);
		ln_jw_number(w, "tps", ev->tps);
		ln_jw_int(w, "max_tokens", ev->max_tokens);
		break;
	case LN_CHAT_THINKING:
		ln_jw_string(w, "type", "thinking");
		ln_jw_stringn(w, "chunk", ev->text, ev->len);
		break;
	case LN_CHAT_TOOL:
		ln_jw_string(w, "type", "tool_call");
		ln_jw_int(w, "db_id", ev->message_id);
		ln_jw_int(w, "call_id", ev->call_id);
		ln_jw_string(w, "name", ev->text);
		ln_jw_string(w, "status", ev->call_state);
		ln_jw_string(w, "arguments", ev->arguments);
		ln_jw_string(w, "result", ev->result);
		ln_jw_string(w, "error", ev->sentence);
		break;
	case LN_CHAT_DONE:
		ln_jw_string(w, "type", "stream_done");
		ln_jw_int(w, "db_id", ev->message_id);
		ln_jw_int(w, "tokens", ev->tokens);
		ln_jw_int(w, "prompt_tokens", ev->prompt_tokens);
		ln_jw_int(w, "duration_ms", ev->duration_ms);
		ln_jw_string(w, "finish_reason", ev->finish_reason);
		ln_jw_bool(w, "is_estimated", ev->is_estimated);
		turn_sources_json(w, ev->sources);
		break;
	case LN_CHAT_TITLE:
		ln_jw_string(w, "type", "title_updated");
		ln_jw_string(w, "title", ev->title);
		break;
	case LN_CHAT_ERROR:
		ln_jw_string(w, "type", "error");
		ln_jw_string(w, "error", ev->sentence);
		ln_jw_string(w, "code", ln_status_token(ev->status));
		break;
	}
	if (ev->conversation_id != NULL)
		ln_jw_string(w, "session_id", ev->conversation_id);
}

void
turn_sources_json(struct ln_jw *w, const char *sources)
{
	struct ln_json *root = NULL;

	if (sources == NULL || ln_json_parse(sources, strlen(sources), NULL,
	    &root, NULL) != LN_OK || ln_json_type(root) != LN_JSON_ARRAY) {
		ln_jw_array(w, "sources");
		ln_jw_end(w);
	} else
		ln_jw_node(w, "sources", root);
	ln_json_free(root);
}

bool
turn_event_json(const struct ln_chat_event *ev, struct ln_buf *out)
{
	struct ln_jw *w;
	bool is_ok;

	if ((w = ln_jw_new()) == NULL)
		return false;
	ln_jw_object(w, NULL);
	write_event(w, ev);
	is_ok = ln_jw_print(w, false, out) == LN_OK;
	ln_jw_free(w);
	return is_ok;
}

#include <ln/transfer.h>

#include <string.h>

#include <ln/conversation.h>
#include <ln/json.h>
#include <ln/message.h>
#include <ln/time.h>

#include "base/banned.h"

struct source {
	const struct ln_conversation *c;
	const struct ln_message_list *messages;
};

static const char *
speaker(const struct ln_message *m)
{
	switch (m->role) {
	case LN_MESSAGE_SYSTEM:
		return "System";
	case LN_MESSAGE_USER:
		return "User";
	case LN_MESSAGE_ASSISTANT:
		return "Assistant";
	case LN_MESSAGE_TOOL:
		break;
	}
	return "Tool";
}

static size_t
count_images(const struct ln_message *m)
{
	struct ln_json *root = NULL;
	size_t n;

	if (m->images == NULL || ln_json_parse(m->images, strlen(m->images),
	    NULL, &root, NULL) != LN_OK)
		return 0;
	n = ln_json_count(root);
	ln_json_free(root);
	return n;
}

/* Words about an answer that did not end by itself. */
static const char *
ending(const struct ln_message *m)
{
	switch (m->state) {
	case LN_MESSAGE_COMPLETE:
		break;
	case LN_MESSAGE_STREAMING:
		return "still being written";
	case LN_MESSAGE_STOPPED:
		return "stopped";
	case LN_MESSAGE_FAILED:
		return "failed";
	case LN_MESSAGE_INTERRUPTED:
		return "interrupted";
	}
	return NULL;
}

/* --- Markdown ------------------------------------------------------------- */

/* A title is one line of plain text: nothing in it may act as Markdown. */
static void
put_md_text(struct ln_buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("\\`*_{}[]<>()#+-.!|~&", *s) != NULL)
			ln_buf_putc(out, '\\');
		ln_buf_putc(out, *s);
	}
}

/* What people and models write is Markdown already. */
static void
put_md_message(struct ln_buf *out, const struct ln_message *m)
{
	size_t images = count_images(m);

	if (images > 0)
		ln_buf_printf(out, "\\[%zu picture%s\\]\n\n", images,
		    images == 1 ? "" : "s");
	ln_buf_puts(out, m->content);
	ln_buf_puts(out, "\n");
	if (ending(m) != NULL)
		ln_buf_printf(out, "\n*(%s)*\n", ending(m));
	if (m->error != NULL) {
		ln_buf_putc(out, '\n');
		put_md_text(out, m->error);
		ln_buf_putc(out, '\n');
	}
}

static void
write_md(const struct source *src, struct ln_buf *out)
{
	char when[LN_TIME_ISO_SIZE];
	const struct ln_message *m;
	size_t i;

	ln_buf_puts(out, "# ");
	put_md_text(out, src->c->title);
	ln_buf_printf(out, "\n\nCreated: %s  \n",
	    ln_time_iso(src->c->created_ms, when));
	if (src->c->model != NULL) {
		ln_buf_puts(out, "Model: ");
		put_md_text(out, src->c->model);
		ln_buf_puts(out, "  \n");
	}
	for (i = 0; i < src->messages->count; i++) {
		m = src->messages->items[i];
		ln_buf_printf(out, "\n## %s (%s)\n\n", speaker(m),
		    ln_time_iso(m->created_ms, when));
		put_md_message(out, m);
	}
}

/* --- HTML ----------------------------------------------------------------- */

static void
put_html(struct ln_buf *out, const char *s)
{
	size_t n;

	while (*s != '\0') {
		n = strcspn(s, "&<>\"'");
		ln_buf_put(out, s, n);
		s += n;
		switch (*s) {
		case '&':
			ln_buf_puts(out, "&amp;");
			break;
		case '<':
			ln_buf_puts(out, "&lt;");
			break;
		case '>':
			ln_buf_puts(out, "&gt;");
			break;
		case '"':
			ln_buf_puts(out, "&quot;");
			break;
		case '\'':
			ln_buf_puts(out, "&#39;");
			break;
		default:
			return;
		}
		s++;
	}
}

/* The kind of a picture by the first characters of its base64; NULL: not one
 * that a page may show. */
static const char *
picture_type(const char *base64)
{
	static const struct {
		const char *start;
		const char *type;
	} kinds[] = {
		{ "iVBORw0KGgo", "image/png" },
		{ "/9j/", "image/jpeg" },
		{ "R0lGOD", "image/gif" },
		{ "UklGR", "image/webp" },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncmp(base64, kinds[i].start,
		    strlen(kinds[i].start)) == 0)
			return kinds[i].type;
	}
	return NULL;
}

static void
put_html_images(struct ln_buf *out, const struct ln_message *m)
{
	const struct ln_json *n;
	struct ln_json *root = NULL;
	const char *text, *type;

	if (m->images == NULL || ln_json_parse(m->images, strlen(m->images),
	    NULL, &root, NULL) != LN_OK)
		return;
	for (n = ln_json_first(root); n != NULL; n = ln_json_next(n)) {
		text = ln_json_string(n);
		if (text == NULL)
			continue;
		if ((type = picture_type(text)) == NULL) {
			ln_buf_puts(out, "<p><em>[picture]</em></p>\n");
			continue;
		}
		ln_buf_printf(out, "<p><img alt=\"\" src=\"data:%s;base64,",
		    type);
		put_html(out, text);
		ln_buf_puts(out, "\"></p>\n");
	}
	ln_json_free(root);
}

static void
write_html(const struct source *src, struct ln_buf *out)
{
	char when[LN_TIME_ISO_SIZE];
	const struct ln_message *m;
	size_t i;

	ln_buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    /* Whatever a viewer does with it: it runs and fetches nothing. */
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<title>");
	put_html(out, src->c->title);
	ln_buf_puts(out, "</title>\n<style>\n"
	    "body{max-width:48rem;margin:2rem auto;padding:0 1rem;"
	    "font:1rem/1.5 system-ui,sans-serif}\n"
	    "h2{font-size:1rem;margin:2rem 0 .5rem}\n"
	    "time{font-weight:400;opacity:.7}\n"
	    "pre{white-space:pre-wrap;overflow-wrap:anywhere;"
	    "font:inherit;margin:0}\n"
	    "img{max-width:100%}\n"
	    "</style>\n</head>\n<body>\n<h1>");
	put_html(out, src->c->title);
	ln_buf_puts(out, "</h1>\n");
	if (src->c->model != NULL) {
		ln_buf_puts(out, "<p>Model: ");
		put_html(out, src->c->model);
		ln_buf_puts(out, "</p>\n");
	}
	for (i = 0; i < src->messages->count; i++) {
		m = src->messages->items[i];
		ln_time_iso(m->created_ms, when);
		ln_buf_printf(out, "<section>\n<h2>%s <time>%s</time></h2>\n",
		    speaker(m), when);
		put_html_images(out, m);
		/* A line feed right behind <pre> is dropped: give it one. */
		ln_buf_puts(out, "<pre>\n");
		put_html(out, m->content);
		ln_buf_puts(out, "</pre>\n");
		if (ending(m) != NULL)
			ln_buf_printf(out, "<p><em>(%s)</em></p>\n",
			    ending(m));
		if (m->error != NULL) {
			ln_buf_puts(out, "<p>");
			put_html(out, m->error);
			ln_buf_puts(out, "</p>\n");
		}
		ln_buf_puts(out, "</section>\n");
	}
	ln_buf_puts(out, "</body>\n</html>\n");
}

/* --- JSON ----------------------------------------------------------------- */

static void
put_json_images(struct ln_jw *w, const struct ln_message *m)
{
	struct ln_json *root = NULL;

	if (m->images != NULL && ln_json_parse(m->images, strlen(m->images),
	    NULL, &root, NULL) == LN_OK) {
		ln_jw_node(w, "images", root);
	} else {
		ln_jw_array(w, "images");
		ln_jw_end(w);
	}
	ln_json_free(root);
}

static void
put_json_tags(struct ln_jw *w, const char *tags)
{
	size_t n;

	ln_jw_array(w, "tags");
	while (tags != NULL && *tags != '\0') {
		n = strcspn(tags, "\x1f");
		ln_jw_stringn(w, NULL, tags, n);
		tags += n + (tags[n] != '\0');
	}
	ln_jw_end(w);
}

static void
put_json_message(struct ln_jw *w, const struct ln_message *m)
{
	ln_jw_int(w, "id", m->id);
	ln_jw_string(w, "role", ln_message_role_name(m->role));
	ln_jw_string(w, "state", ln_message_state_name(m->state));
	ln_jw_string(w, "error", m->error);
	ln_jw_string(w, "content", m->content);
	put_json_images(w, m);
	ln_jw_string(w, "model", m->model);
	ln_jw_int(w, "tokens", m->tokens);
	ln_jw_bool(w, "pinned", m->pinned_ms != 0);
	ln_jw_time(w, "created", m->created_ms);
}

static enum ln_status
write_json(const struct source *src, struct ln_buf *out)
{
	const struct ln_conversation *c = src->c;
	struct ln_jw *w = ln_jw_new();
	enum ln_status s;
	size_t i;

	ln_jw_object(w, NULL);
	ln_jw_string(w, "format", "localneural-conversation");
	ln_jw_int(w, "version", 1);
	ln_jw_string(w, "id", c->id);
	ln_jw_string(w, "title", c->title);
	ln_jw_string(w, "provider", c->provider);
	ln_jw_string(w, "model", c->model);
	ln_jw_string(w, "system_prompt", c->system_prompt);
	if (c->has_temperature)
		ln_jw_number(w, "temperature", c->temperature);
	ln_jw_string(w, "project", c->project_title);
	ln_jw_string(w, "forked_from", c->forked_from);
	put_json_tags(w, c->tags);
	ln_jw_bool(w, "archived", c->archived_ms != 0);
	ln_jw_bool(w, "pinned", c->pinned_ms != 0);
	ln_jw_int(w, "total_tokens", c->total_tokens);
	ln_jw_time(w, "created", c->created_ms);
	ln_jw_time(w, "updated", c->updated_ms);
	ln_jw_array(w, "messages");
	for (i = 0; i < src->messages->count; i++) {
		ln_jw_object(w, NULL);
		put_json_message(w, src->messages->items[i]);
		ln_jw_end(w);
	}
	s = ln_jw_print(w, true, out);
	ln_jw_free(w);
	return s;
}

enum ln_status
ln_export_conversation(struct ln_store *st, const char *user_id,
    const char *conversation_id, const char *format, struct ln_buf *out,
    struct ln_error *err)
{
	struct ln_conversation *c = NULL;
	struct ln_message_list messages = { NULL, 0 };
	struct source src;
	enum ln_status s;

	if (strcmp(format, "md") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "html") != 0)
		return ln_fail_field(err, LN_INVALID, "format",
		    "The format is md, json or html", "format");
	if ((s = ln_conversation_get(st, user_id, conversation_id, &c, err)) !=
	    LN_OK ||
	    (s = ln_message_list(st, user_id, conversation_id, &messages,
	    err)) != LN_OK)
		goto out;
	src.c = c;
	src.messages = &messages;
	if (strcmp(format, "json") == 0)
		s = write_json(&src, out);
	else if (strcmp(format, "html") == 0)
		write_html(&src, out);
	else
		write_md(&src, out);
	if (s == LN_OK)
		s = ln_buf_status(out);
	if (s != LN_OK)
		ln_fail(err, s, "", "export of a conversation");
out:
	ln_message_list_free(&messages);
	ln_conversation_free(c);
	return s;
}

enum ln_status
ln_export_message(struct ln_store *st, const char *user_id, int64_t id,
    const char *format, struct ln_buf *out, struct ln_error *err)
{
	bool is_json = strcmp(format, "json") == 0;
	struct ln_message *m = NULL;
	struct ln_jw *w;
	enum ln_status s;

	if (!is_json && strcmp(format, "md") != 0)
		return ln_fail_field(err, LN_INVALID, "format",
		    "The format is md or json", "format");
	if ((s = ln_message_get(st, user_id, id, &m, err)) != LN_OK)
		return s;
	if (is_json) {
		w = ln_jw_new();
		ln_jw_object(w, NULL);
		ln_jw_string(w, "format", "localneural-message");
		ln_jw_int(w, "version", 1);
		ln_jw_string(w, "conversation_id", m->conversation_id);
		put_json_message(w, m);
		s = ln_jw_print(w, true, out);
		ln_jw_free(w);
	} else
		put_md_message(out, m);
	if (s == LN_OK)
		s = ln_buf_status(out);
	if (s != LN_OK)
		ln_fail(err, s, "", "export of a message");
	ln_message_free(m);
	return s;
}

#include <ln/prompt.h>

#include <string.h>

#include <ln/audit.h>
#include <ln/buf.h>
#include <ln/text.h>
#include <ln/time.h>

#include "model/prompt.h"
#include "service/account.h"
#include "store/tx.h"

#include "base/banned.h"

#define NOTE_MAX ((size_t)80)

enum ln_status
ln_prompt_list(struct ln_store *st, const char *user_id,
    struct ln_prompt_list *out, struct ln_error *err)
{
	return lni_prompt_rows(st, user_id, out, err);
}

enum ln_status
ln_prompt_get(struct ln_store *st, const char *user_id, int64_t id,
    struct ln_prompt **out, struct ln_error *err)
{
	return lni_prompt_row(st, user_id, id, out, err);
}

enum ln_status
ln_prompt_find(struct ln_store *st, const char *user_id, const char *title,
    struct ln_prompt **out, struct ln_error *err)
{
	return lni_prompt_named(st, user_id, title, out, err);
}

static enum ln_status
check_title(const char *title, struct ln_error *err)
{
	if (title == NULL || title[strspn(title, " ")] == '\0')
		return ln_fail_field(err, LN_INVALID, "title",
		    "A prompt needs a title", "empty title");
	if (!ln_utf8_valid(title, strlen(title)) ||
	    ln_text_has_control(title))
		return ln_fail_field(err, LN_INVALID, "title",
		    "The title holds characters that are not allowed",
		    "not UTF-8 or a control character");
	if (ln_utf8_count(title) > LN_PROMPT_TITLE_MAX)
		return ln_fail_field(err, LN_INVALID, "title",
		    "The title is too long", "%zu code points",
		    ln_utf8_count(title));
	return LN_OK;
}

static enum ln_status
check_content(const char *content, struct ln_error *err)
{
	if (content == NULL || content[strspn(content, " \t\r\n")] == '\0')
		return ln_fail_field(err, LN_INVALID, "content",
		    "A prompt needs a text", "empty content");
	if (strlen(content) > LN_PROMPT_CONTENT_MAX)
		return ln_fail_field(err, LN_INVALID, "content",
		    "The text of the prompt is too long", "%zu bytes",
		    strlen(content));
	if (!ln_utf8_valid(content, strlen(content)))
		return ln_fail_field(err, LN_INVALID, "content",
		    "The text of the prompt is not valid text", "not UTF-8");
	return LN_OK;
}

static enum ln_status
check_free(struct ln_store *st, const char *user_id, const char *title,
    int64_t but_id, struct ln_error *err)
{
	enum ln_status s;
	bool is_taken;

	s = lni_prompt_is_taken(st, user_id, title, but_id, &is_taken, err);
	if (s == LN_OK && is_taken)
		s = ln_fail_field(err, LN_CONFLICT, "title",
		    "There is a prompt of this title", "title of a prompt");
	return s;
}

static enum ln_status
check_room(struct ln_store *st, const char *user_id, struct ln_error *err)
{
	enum ln_status s;
	int64_t n;

	s = lni_prompt_row_count(st, user_id, &n, err);
	if (s == LN_OK && n >= LN_PROMPT_COUNT_MAX)
		s = ln_fail(err, LN_TOO_LARGE, "There are 1,000 prompts "
		    "already. Delete one first", "%lld prompts", (long long)n);
	return s;
}

/* What everybody is offered is put on record; what a person keeps is not. */
static enum ln_status
note(struct ln_store *st, const char *action, const char *user_id,
    int64_t id, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(NOTE_MAX);
	enum ln_status s;

	if (user_id != NULL)
		return LN_OK;
	ln_buf_printf(&b, "prompt=%lld", (long long)id);
	s = ln_audit_add(st, action, NULL, LN_OK, ln_buf_str(&b), err);
	ln_buf_free(&b);
	return s;
}

static enum ln_status
create(struct ln_store *st, const char *user_id, const char *title,
    const char *content, struct ln_prompt **out, struct ln_error *err)
{
	enum ln_status s;
	int64_t id;

	if ((s = lni_account_may_act(st, user_id, user_id == NULL, err)) !=
	    LN_OK ||
	    (s = check_room(st, user_id, err)) != LN_OK ||
	    (s = check_free(st, user_id, title, 0, err)) != LN_OK ||
	    (s = lni_prompt_row_add(st, user_id, title, content,
	    ln_time_now_ms(), &id, err)) != LN_OK ||
	    (s = note(st, "prompt.add", user_id, id, err)) != LN_OK)
		return s;
	return out == NULL ? LN_OK : lni_prompt_row(st, user_id, id, out, err);
}

/* The end of an act; a record of what did not come about is not given away. */
static enum ln_status
end(struct ln_store *st, enum ln_status s, const char *action,
    const char *user_id, struct ln_prompt **out, struct ln_error *err)
{
	s = user_id == NULL || s == LN_FORBIDDEN ?
	    lni_account_end(st, s, action, user_id, err) :
	    lni_tx_end(st, s, err);
	if (s != LN_OK && out != NULL) {
		ln_prompt_free(*out);
		*out = NULL;
	}
	return s;
}

enum ln_status
ln_prompt_create(struct ln_store *st, const char *user_id, const char *title,
    const char *content, struct ln_prompt **out, struct ln_error *err)
{
	enum ln_status s;

	if (out != NULL)
		*out = NULL;
	if ((s = check_title(title, err)) != LN_OK ||
	    (s = check_content(content, err)) != LN_OK ||
	    (s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = create(st, user_id, title, content, out, err);
	return end(st, s, "prompt.add", user_id, out, err);
}

/* The row that the actor may write for ${user_id} under that id. */
static enum ln_status
get_writable(struct ln_store *st, const char *user_id, int64_t id,
    struct ln_prompt **out, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_prompt_row(st, user_id, id, out, err)) != LN_OK)
		return s;
	s = lni_account_may_act(st, (*out)->user_id, (*out)->user_id == NULL,
	    err);
	if (s == LN_FORBIDDEN && (*out)->user_id == NULL)
		s = ln_fail(err, s, "Only an administrator can change a "
		    "prompt of everybody", "prompt %lld", (long long)id);
	return s;
}

static enum ln_status
update(struct ln_store *st, const char *user_id, int64_t id,
    const char *title, const char *content, struct ln_prompt **out,
    struct ln_error *err)
{
	struct ln_prompt *p = NULL;
	enum ln_status s;

	if ((s = get_writable(st, user_id, id, &p, err)) != LN_OK)
		goto out;
	if (title != NULL && (s = check_free(st, p->user_id, title, id,
	    err)) != LN_OK)
		goto out;
	if ((s = lni_prompt_row_set(st, id, title != NULL ? title : p->title,
	    content != NULL ? content : p->content, err)) != LN_OK ||
	    (s = note(st, "prompt.set", p->user_id, id, err)) != LN_OK)
		goto out;
	if (out != NULL)
		s = lni_prompt_row(st, user_id, id, out, err);
out:
	ln_prompt_free(p);
	return s;
}

enum ln_status
ln_prompt_update(struct ln_store *st, const char *user_id, int64_t id,
    const char *title, const char *content, struct ln_prompt **out,
    struct ln_error *err)
{
	enum ln_status s;

	if (out != NULL)
		*out = NULL;
	if ((title != NULL && (s = check_title(title, err)) != LN_OK) ||
	    (content != NULL && (s = check_content(content, err)) != LN_OK) ||
	    (s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = update(st, user_id, id, title, content, out, err);
	return end(st, s, "prompt.set", user_id, out, err);
}

enum ln_status
ln_prompt_delete(struct ln_store *st, const char *user_id, int64_t id,
    struct ln_error *err)
{
	struct ln_prompt *p = NULL;
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = get_writable(st, user_id, id, &p, err)) == LN_OK &&
	    (s = lni_prompt_row_remove(st, id, err)) == LN_OK)
		s = note(st, "prompt.delete", p->user_id, id, err);
	ln_prompt_free(p);
	return end(st, s, "prompt.delete", user_id, NULL, err);
}

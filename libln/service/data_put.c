#include "service/data.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/message.h>
#include <ln/prompt.h>
#include <ln/text.h>
#include <ln/time.h>

#include "llm/image.h"

#include "base/banned.h"

#define NAME_MAX_CHARS 200
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define IMAGES_MAX ((size_t)16 * 1024 * 1024)
#define VECTOR_MAX ((size_t)16 * 1024 * 1024)	/* elements */

/* --- the report ----------------------------------------------------------- */

static void
note(struct lni_data *d, enum lni_data_kind kind, const char *reason,
    bool is_kept)
{
	struct ln_data_report *r = d->report;
	size_t i;

	for (i = 0; i < r->note_count; i++) {
		if (r->notes[i].what == r->counts[kind].what &&
		    strcmp(r->notes[i].reason, reason) == 0) {
			r->notes[i].count++;
			return;
		}
	}
	if (r->note_count < LN_DATA_NOTES_MAX)
		r->notes[r->note_count++] = (struct ln_data_note){
		    r->counts[kind].what, reason, is_kept, 1 };
}

void
lni_data_skip(struct lni_data *d, enum lni_data_kind kind, const char *reason)
{
	d->report->counts[kind].skipped++;
	note(d, kind, reason, false);
}

void
lni_data_change(struct lni_data *d, enum lni_data_kind kind,
    const char *reason)
{
	note(d, kind, reason, true);
}

void
lni_data_added(struct lni_data *d, enum lni_data_kind kind)
{
	d->report->counts[kind].added++;
}

void
lni_data_present(struct lni_data *d, enum lni_data_kind kind)
{
	d->report->counts[kind].present++;
}

/* --- identity ------------------------------------------------------------- */

/* A UUID of version 8 (RFC 9562: of our own making) out of person and id. */
static void
derive(const struct lni_data *d, const char *id, char out[LN_UUID_SIZE])
{
	static const unsigned char label[] = "localneural import v1";
	crypto_generichash_state h;
	unsigned char b[16];

	(void)crypto_generichash_init(&h, NULL, 0, sizeof(b));
	(void)crypto_generichash_update(&h, label, sizeof(label));
	(void)crypto_generichash_update(&h, (const unsigned char *)d->user_id,
	    strlen(d->user_id) + 1);
	(void)crypto_generichash_update(&h, (const unsigned char *)id,
	    strlen(id));
	(void)crypto_generichash_final(&h, b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x80);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	(void)snprintf(out, LN_UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
	    b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15]);
}

enum ln_status
lni_data_find(struct lni_data *d, enum lni_put_kind kind, const char *id,
    char out_id[LN_UUID_SIZE], bool *out_is_there, struct ln_error *err)
{
	enum ln_status s;

	derive(d, id, out_id);
	s = lni_put_has(d->st, kind, d->user_id, out_id, out_is_there, err);
	/* Ids of the legacy program may be longer than ours; no row of this
	 * person that we made is. */
	if (s != LN_OK || *out_is_there || strlen(id) >= LN_UUID_SIZE)
		return s;
	s = lni_put_has(d->st, kind, d->user_id, id, out_is_there, err);
	if (s == LN_OK && *out_is_there)
		(void)snprintf(out_id, LN_UUID_SIZE, "%s", id);
	return s;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, LN_UUID_SIZE);
}

bool
lni_data_is_fresh(const struct lni_data *d, const char *id)
{
	return d->fresh_count > 0 && bsearch(id, d->fresh, d->fresh_count,
	    LN_UUID_SIZE, compare_ids) != NULL;
}

enum ln_status
lni_data_fresh_add(struct lni_data *d, const char *id, struct ln_error *err)
{
	size_t cap = d->fresh_cap == 0 ? 64 : d->fresh_cap * 2;
	void *grown;

	if (d->fresh_count == d->fresh_cap) {
		if (cap > VECTOR_MAX ||
		    (grown = realloc(d->fresh, cap * LN_UUID_SIZE)) == NULL)
			return ln_fail(err, LN_NOMEM, "", "%zu ids", cap);
		d->fresh = grown;
		d->fresh_cap = cap;
	}
	memset(d->fresh[d->fresh_count], 0, LN_UUID_SIZE);
	(void)snprintf(d->fresh[d->fresh_count++], LN_UUID_SIZE, "%s", id);
	return LN_OK;
}

/* --- values --------------------------------------------------------------- */

const char *
lni_data_title(const char *s, const char *fallback,
    char out[LNI_DATA_TITLE_SIZE])
{
	size_t i, n, count = 0;

	if (s == NULL)
		s = "";
	s += strspn(s, " \t\r\n");
	n = ln_utf8_prefix(s, strlen(s), LNI_DATA_TITLE_SIZE - 1);
	for (i = 0; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80 &&
		    ++count > LN_TITLE_MAX)
			break;
		out[i] = (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? ' ' :
		    s[i];
	}
	while (i > 0 && out[i - 1] == ' ')
		i--;
	out[i] = '\0';
	if (i == 0 || ln_text_has_control(out))
		(void)snprintf(out, LNI_DATA_TITLE_SIZE, "%s", fallback);
	return out;
}

const char *
lni_data_name(const struct ln_json *object, const char *member)
{
	const char *s = ln_json_get_string(object, member);

	if (s == NULL || *s == '\0' || ln_text_has_control(s) ||
	    ln_utf8_count(s) > NAME_MAX_CHARS)
		return NULL;
	return s;
}

int64_t
lni_data_time(const struct lni_data *d, const struct ln_json *node)
{
	const char *s = ln_json_string(node);
	int64_t ms = 0;
	double n;

	if (ln_json_number(node, &n)) {
		/* Seconds, unless that would be far in the future. */
		if (n > 0 && n < 1e11)
			ms = (int64_t)(n * 1000);
		else if (n >= 1e11 && n < 1e15)
			ms = (int64_t)n;
	} else if (s != NULL && strlen(s) >= 10 &&
	    ln_time_parse(s, 0, &ms, NULL) != LN_OK &&
	    !ln_time_parse_local(s, &ms))
		ms = 0;
	return ms > 0 && ms < d->now_ms + DAY_MS ? ms : 0;
}

bool
lni_data_bool(const struct ln_json *node)
{
	const char *s = ln_json_string(node);
	bool is_true;
	double n;

	if (ln_json_bool(node, &is_true))
		return is_true;
	if (ln_json_number(node, &n))
		return n > 0;
	return s != NULL && (strcmp(s, "1") == 0 || strcmp(s, "True") == 0 ||
	    strcmp(s, "true") == 0);
}

/* The base64 of a string or a data: URL of a picture, or NULL. */
static const char *
picture_of(const struct ln_json *node)
{
	const char *s = ln_json_string(node), *comma;

	if (s != NULL && strncmp(s, "data:", 5) == 0) {
		comma = strstr(s, ";base64,");
		s = comma != NULL ? comma + 8 : NULL;
	}
	return s != NULL && lni_image_type(s) != NULL ? s : NULL;
}

static enum ln_status
print_images(const struct ln_json *list, char **out, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(IMAGES_MAX);
	struct ln_jw *w = ln_jw_new();
	const struct ln_json *n;
	size_t count = 0;
	enum ln_status s = LN_OK;

	ln_jw_array(w, NULL);
	for (n = ln_json_first(list); n != NULL; n = ln_json_next(n)) {
		if (picture_of(n) == NULL)
			continue;
		ln_jw_string(w, NULL, picture_of(n));
		count++;
	}
	if (count > 0) {
		s = ln_jw_print(w, false, &b);
		/* Too many of them are none. */
		if (s == LN_TOO_LARGE)
			s = LN_OK;
		else if (s != LN_OK)
			s = ln_fail(err, s, "", "images of an import");
		else if ((*out = ln_buf_steal(&b)) == NULL)
			s = ln_fail(err, LN_NOMEM, "", "images of an import");
	}
	ln_jw_free(w);
	ln_buf_free(&b);
	return s;
}

enum ln_status
lni_data_images(const struct ln_json *node, char **out, struct ln_error *err)
{
	const char *text = ln_json_string(node);
	struct ln_json *list = NULL;
	enum ln_status s;

	*out = NULL;
	if (ln_json_type(node) == LN_JSON_ARRAY)
		return print_images(node, out, err);
	if (text == NULL || text[0] != '[' ||
	    ln_json_parse(text, strlen(text), NULL, &list, NULL) != LN_OK)
		return LN_OK;
	s = print_images(list, out, err);
	ln_json_free(list);
	return s;
}

/* --- rows ----------------------------------------------------------------- */

static enum ln_status
put_tags(struct lni_data *d, const char *id, const struct ln_json *tags,
    struct ln_error *err)
{
	const struct ln_json *n;
	enum ln_status s = LN_OK;
	char *tag;

	if (ln_json_type(tags) != LN_JSON_ARRAY)
		return LN_OK;
	for (n = ln_json_first(tags); n != NULL && s == LN_OK;
	    n = ln_json_next(n)) {
		if (ln_json_string(n) == NULL ||
		    (s = ln_text_tag(ln_json_string(n), &tag, NULL)) ==
		    LN_INVALID) {
			lni_data_change(d, LNI_DATA_CONVERSATION,
			    "A tag that is none was left out");
			s = LN_OK;
			continue;
		}
		if (s == LN_OK)
			s = lni_put_tag(d->st, id, tag, err);
		else
			s = ln_fail(err, s, "", "tag of an import");
		ln_free(tag);
	}
	return s;
}

/* Where the file's other ids point to here. */
static enum ln_status
map(struct lni_data *d, enum lni_put_kind kind, const char **id,
    char room[LN_UUID_SIZE], struct ln_error *err)
{
	enum ln_status s;
	bool is_there;

	if (*id == NULL)
		return LN_OK;
	s = lni_data_find(d, kind, *id, room, &is_there, err);
	*id = room;
	return s;
}

enum ln_status
lni_data_conversation(struct lni_data *d,
    const struct lni_put_conversation *c, const struct ln_json *tags,
    char out_id[LN_UUID_SIZE], bool *out_is_new, struct ln_error *err)
{
	char project[LN_UUID_SIZE], group[LN_UUID_SIZE], parent[LN_UUID_SIZE];
	struct lni_put_conversation v = *c;
	char title[LNI_DATA_TITLE_SIZE];
	bool is_there;
	enum ln_status s;

	*out_is_new = false;
	if (v.system_prompt != NULL &&
	    strlen(v.system_prompt) > LN_SYSTEM_PROMPT_MAX) {
		v.system_prompt = NULL;
		lni_data_change(d, LNI_DATA_CONVERSATION,
		    "A system prompt that is too long was left out");
	}
	if ((s = lni_data_find(d, LNI_PUT_CONVERSATION, c->id, out_id,
	    &is_there, err)) != LN_OK)
		return s;
	if (is_there) {
		lni_data_present(d, LNI_DATA_CONVERSATION);
		return LN_OK;
	}
	v.id = out_id;
	v.title = lni_data_title(c->title, "Imported chat", title);
	if (v.created_ms == 0 && v.updated_ms == 0)
		lni_data_change(d, LNI_DATA_CONVERSATION,
		    "A date that cannot be read became the present one");
	if (v.created_ms == 0)
		v.created_ms = v.updated_ms != 0 ? v.updated_ms : d->now_ms;
	if (v.updated_ms < v.created_ms)
		v.updated_ms = v.created_ms;
	if ((s = map(d, LNI_PUT_PROJECT, &v.project_id, project, err)) !=
	    LN_OK ||
	    (s = map(d, LNI_PUT_GROUP, &v.group_id, group, err)) != LN_OK ||
	    (s = map(d, LNI_PUT_CONVERSATION, &v.forked_from, parent, err)) !=
	    LN_OK ||
	    (s = lni_put_conversation(d->st, d->user_id, &v, err)) != LN_OK ||
	    (s = put_tags(d, out_id, tags, err)) != LN_OK ||
	    (s = lni_data_fresh_add(d, out_id, err)) != LN_OK)
		return s;
	lni_data_added(d, LNI_DATA_CONVERSATION);
	*out_is_new = true;
	return LN_OK;
}

enum ln_status
lni_data_message(struct lni_data *d, const struct lni_put_message *m,
    int64_t *out_id, struct ln_error *err)
{
	struct lni_put_message v = *m;
	enum ln_status s;

	*out_id = 0;
	if (v.content == NULL) {
		lni_data_skip(d, LNI_DATA_MESSAGE, "It has no text");
		return LN_OK;
	}
	if (strlen(v.content) > LN_MESSAGE_MAX) {
		lni_data_skip(d, LNI_DATA_MESSAGE, "It is too long");
		return LN_OK;
	}
	if (v.thinking != NULL && strlen(v.thinking) > LN_MESSAGE_MAX)
		v.thinking = NULL;
	if (v.created_ms == 0) {
		v.created_ms = d->now_ms;
		lni_data_change(d, LNI_DATA_MESSAGE,
		    "A date that cannot be read became the present one");
	}
	if ((s = lni_put_message(d->st, &v, out_id, err)) == LN_OK)
		lni_data_added(d, LNI_DATA_MESSAGE);
	return s;
}

enum ln_status
lni_data_prompt(struct lni_data *d, const char *title, const char *content,
    struct ln_error *err)
{
	char name[LNI_DATA_TITLE_SIZE];
	struct ln_error why = LN_ERROR_INIT;
	struct ln_prompt *there;
	enum ln_status s;
	bool is_same, is_own;

	if (content == NULL) {
		lni_data_skip(d, LNI_DATA_PROMPT, "It has no text");
		return LN_OK;
	}
	(void)lni_data_title(title, "Imported prompt", name);
	s = ln_prompt_find(d->st, d->user_id, name, &there, err);
	if (s == LN_OK) {
		is_same = strcmp(there->content, content) == 0;
		is_own = there->user_id != NULL;
		ln_prompt_free(there);
		if (is_same)
			lni_data_present(d, LNI_DATA_PROMPT);
		else if (is_own)
			lni_data_skip(d, LNI_DATA_PROMPT,
			    "There is another prompt of its title");
		if (is_same || is_own)
			return LN_OK;
	} else if (s != LN_NOT_FOUND)
		return s;
	s = ln_prompt_create(d->st, d->user_id, name, content, NULL, &why);
	if (s == LN_OK)
		lni_data_added(d, LNI_DATA_PROMPT);
	else if (s == LN_INVALID)
		lni_data_skip(d, LNI_DATA_PROMPT,
		    "Its text is empty or too long");
	else if (s == LN_TOO_LARGE)
		lni_data_skip(d, LNI_DATA_PROMPT,
		    "There are as many prompts as one can keep");
	else
		return ln_error_set(err, s, why.field, why.text,
		    "a prompt of an import");
	return LN_OK;
}

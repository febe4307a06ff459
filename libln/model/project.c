#include "model/project.h"

#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>
#include <ln/text.h>
#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define COLUMNS								\
	"SELECT p.id, p.user_id, p.title, p.description, p.created_ms,"	\
	" (SELECT count(*) FROM document d WHERE d.project_id = p.id)"	\
	" FROM project p"

static const char SQL_LIST[] =
    COLUMNS " WHERE p.user_id = ?1 ORDER BY lower(p.title), p.id";
static const char SQL_GET[] =
    COLUMNS " WHERE p.user_id = ?1 AND p.id = ?2";
static const char SQL_COUNT[] =
    "SELECT count(*) FROM project WHERE user_id = ?1";
static const char SQL_ADD[] =
    "INSERT INTO project(id, user_id, title, description, created_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";
/* ?5: whether the description is given. */
static const char SQL_SET[] =
    "UPDATE project SET title = coalesce(?3, title),"
    " description = iif(?5, ?4, description) WHERE user_id = ?1 AND id = ?2";
static const char SQL_DELETE[] =
    "DELETE FROM project WHERE user_id = ?1 AND id = ?2";

const char *const lni_project_sql[] = { SQL_LIST, SQL_GET, SQL_COUNT, SQL_ADD,
	SQL_SET, SQL_DELETE };
const size_t lni_project_sql_count =
    sizeof(lni_project_sql) / sizeof(lni_project_sql[0]);

void
ln_project_free(struct ln_project *p)
{
	if (p == NULL)
		return;
	free(p->id);
	free(p->user_id);
	free(p->title);
	free(p->description);
	free(p);
}

void
ln_project_list_free(struct ln_project_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		ln_project_free(l->items[i]);
	free(l->items);
	*l = (struct ln_project_list){ NULL, 0 };
}

/* --- reading -------------------------------------------------------------- */

static enum ln_status
from_row(struct lni_stmt *q, struct ln_project **out, struct ln_error *err)
{
	struct ln_project *p;
	enum ln_status s = LN_OK;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "project row");
	p->id = lni_col_dup(q, 0, &s);
	p->user_id = lni_col_dup(q, 1, &s);
	p->title = lni_col_dup(q, 2, &s);
	p->description = lni_col_dup(q, 3, &s);
	p->created_ms = lni_col_int(q, 4);
	p->document_count = lni_col_int(q, 5);
	if (s != LN_OK) {
		ln_project_free(p);
		return ln_fail(err, s, "", "project row");
	}
	*out = p;
	return LN_OK;
}

static enum ln_status
append(struct ln_project_list *l, struct ln_project *p, struct ln_error *err)
{
	struct ln_project **items;

	items = realloc(l->items, (l->count + 1) * sizeof(*items));
	if (items == NULL) {
		ln_project_free(p);
		return ln_fail(err, LN_NOMEM, "", "%zu projects", l->count);
	}
	l->items = items;
	l->items[l->count++] = p;
	return LN_OK;
}

enum ln_status
ln_project_list(struct ln_store *st, const char *user_id,
    struct ln_project_list *out, struct ln_error *err)
{
	struct ln_project *p;
	struct lni_stmt q;
	enum ln_status s;

	*out = (struct ln_project_list){ NULL, 0 };
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = from_row(&q, &p, err)) != LN_OK ||
		    (s = append(out, p, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
	ln_project_list_free(out);
	return s;
}

enum ln_status
ln_project_get(struct ln_store *st, const char *user_id, const char *id,
    struct ln_project **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = from_row(&q, out, err);
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		s = ln_fail(err, s, "There is no such project",
		    "project %.64s", id);
	return s;
}

static enum ln_status
same_title(const char *title, const char *key, bool *out,
    struct ln_error *err)
{
	char *other = NULL;
	enum ln_status s;

	if ((s = ln_text_key(title, &other, err)) == LN_OK)
		*out = strcmp(other, key) == 0;
	ln_free(other);
	return s;
}

enum ln_status
ln_project_find(struct ln_store *st, const char *user_id, const char *text,
    struct ln_project **out, struct ln_error *err)
{
	struct ln_project_list list = { NULL, 0 };
	char *key = NULL;
	bool is_same = false;
	enum ln_status s;
	size_t i;

	if ((s = ln_project_get(st, user_id, text, out, err)) != LN_NOT_FOUND)
		return s;
	if (ln_text_key(text, &key, err) != LN_OK)
		return LN_NOT_FOUND;
	if ((s = ln_project_list(st, user_id, &list, err)) != LN_OK)
		goto out;
	for (i = 0; i < list.count; i++) {
		if ((s = same_title(list.items[i]->title, key, &is_same,
		    err)) != LN_OK)
			goto out;
		if (!is_same)
			continue;
		if (*out != NULL) {
			ln_project_free(*out);
			*out = NULL;
			s = ln_fail(err, LN_CONFLICT,
			    "Several projects have this title. Use the id",
			    "%.64s", text);
			goto out;
		}
		*out = list.items[i];
		list.items[i] = NULL;
	}
	if (*out == NULL)
		s = ln_fail(err, LN_NOT_FOUND, "There is no such project",
		    "project %.64s", text);
out:
	ln_free(key);
	ln_project_list_free(&list);
	return s;
}

/* --- writing -------------------------------------------------------------- */

static enum ln_status
clean_title(const char *title, char **out, struct ln_error *err)
{
	enum ln_status s;

	*out = NULL;
	if (!ln_utf8_valid(title, strlen(title)) || ln_text_has_control(title))
		return ln_fail_field(err, LN_INVALID, "title",
		    "The title holds characters that are not allowed",
		    "not UTF-8 or a control character");
	if ((s = ln_text_trim(title, out, err)) != LN_OK)
		return s;
	if (**out == '\0')
		s = ln_fail_field(err, LN_INVALID, "title",
		    "The title is empty", "empty title");
	else if (ln_utf8_count(*out) > LN_PROJECT_TITLE_MAX)
		s = ln_fail_field(err, LN_INVALID, "title",
		    "The title is too long", "%zu bytes", strlen(*out));
	if (s != LN_OK) {
		ln_free(*out);
		*out = NULL;
	}
	return s;
}

static enum ln_status
check_description(const char *text, struct ln_error *err)
{
	if (text == NULL)
		return LN_OK;
	if (!ln_utf8_valid(text, strlen(text)))
		return ln_fail_field(err, LN_INVALID, "description",
		    "The description is not valid text", "not UTF-8");
	if (ln_utf8_count(text) > LN_PROJECT_DESCRIPTION_MAX)
		return ln_fail_field(err, LN_INVALID, "description",
		    "The description is too long", "%zu bytes", strlen(text));
	return LN_OK;
}

/* "" is no description. */
static const char *
filled(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static enum ln_status
check_count(struct ln_store *st, const char *user_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	int64_t n = 0;

	if ((s = lni_stmt_get(&q, st, SQL_COUNT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		n = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	if (s == LN_OK && n >= LN_PROJECT_COUNT_MAX)
		s = ln_fail(err, LN_TOO_LARGE,
		    "There are too many projects. Delete one first", "%lld",
		    (long long)n);
	return s;
}

static enum ln_status
insert(struct ln_store *st, const char *id, const char *user_id,
    const char *title, const char *description, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, title);
	lni_bind_text(&q, 4, filled(description));
	lni_bind_int(&q, 5, ln_time_now_ms());
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_project_create(struct ln_store *st, const char *user_id,
    const char *title, const char *description, struct ln_project **out,
    struct ln_error *err)
{
	char id[LN_UUID_SIZE], *clean = NULL;
	enum ln_status s;

	if (out != NULL)
		*out = NULL;
	if ((s = clean_title(title != NULL ? title : "", &clean, err)) !=
	    LN_OK || (s = check_description(description, err)) != LN_OK)
		goto out;
	ln_uuid(id);
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = check_count(st, user_id, err)) == LN_OK)
		s = insert(st, id, user_id, clean, description, err);
	if (s == LN_OK && out != NULL)
		s = ln_project_get(st, user_id, id, out, err);
	s = lni_tx_end(st, s, err);
out:
	ln_free(clean);
	if (s != LN_OK && out != NULL) {
		ln_project_free(*out);
		*out = NULL;
	}
	return s;
}

static enum ln_status
update(struct ln_store *st, const char *user_id, const char *id,
    const char *title, const char *description, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_SET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, id);
	lni_bind_text(&q, 3, title);
	lni_bind_text(&q, 4, filled(description));
	lni_bind_int(&q, 5, description != NULL ? 1 : 0);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_project_update(struct ln_store *st, const char *user_id, const char *id,
    const char *title, const char *description, struct ln_project **out,
    struct ln_error *err)
{
	struct ln_project *p = NULL;
	char *clean = NULL;
	enum ln_status s;

	if (out != NULL)
		*out = NULL;
	if ((title != NULL && (s = clean_title(title, &clean, err)) !=
	    LN_OK) || (s = check_description(description, err)) != LN_OK)
		goto out;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = update(st, user_id, id, clean, description, err)) == LN_OK)
		s = ln_project_get(st, user_id, id, &p, err);
	s = lni_tx_end(st, s, err);
out:
	ln_free(clean);
	if (s == LN_OK && out != NULL)
		*out = p;
	else
		ln_project_free(p);
	return s;
}

enum ln_status
ln_project_delete(struct ln_store *st, const char *user_id, const char *id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_DELETE, err)) == LN_OK) {
		lni_bind_text(&q, 1, user_id);
		lni_bind_text(&q, 2, id);
		s = lni_stmt_done(&q, err);
		if (s == LN_OK && lni_changes(st) == 0)
			s = ln_fail(err, LN_NOT_FOUND,
			    "There is no such project", "project %.64s", id);
		lni_stmt_put(&q);
	}
	return lni_tx_end(st, s, err);
}

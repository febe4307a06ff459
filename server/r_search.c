/* Search in the caller's own messages and titles. */

#include <stdlib.h>
#include <string.h>

#include <ln/search.h>
#include <ln/time.h>

#include "input.h"
#include "jobs.h"
#include "reply.h"
#include "routes.h"

#define DAY_MS INT64_C(86400000)
#define DATE_LENGTH 10		/* YYYY-MM-DD */
#define FILTERS 4
#define FILTER_SIZE 512

/* A million messages take longer than the event loop may stand still. */
struct search_job {
	struct job j;
	char user_id[RQ_PARAM_SIZE];
	char query[LN_SEARCH_BYTES_MAX + 1];
	char filters[FILTERS][FILTER_SIZE];
	struct ln_search_opts opts;
	struct ln_hit_list list;
};

static void
search_free(struct job *j)
{
	struct search_job *s = (struct search_job *)j;

	ln_hit_list_free(&s->list);
	free(s);
}

static void
search_run(struct job *j, struct ln_store *st)
{
	struct search_job *s = (struct search_job *)j;

	j->status = ln_search(st, s->user_id, s->query, &s->opts, &s->list,
	    &j->err);
}

/* JavaScript counts UTF-16 units: two for what UTF-8 takes four bytes for. */
static int64_t
units(const char *s, size_t n)
{
	int64_t count = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			count += (unsigned char)s[i] >= 0xf0 ? 2 : 1;
	}
	return count;
}

static void
hit_json(struct ln_jw *w, const struct ln_hit *h)
{
	size_t i;

	ln_jw_object(w, NULL);
	if (h->message_id != 0)
		ln_jw_int(w, "id", h->message_id);
	else
		ln_jw_null(w, "id");
	ln_jw_string(w, "session_id", h->conversation_id);
	ln_jw_string(w, "session_title", h->conversation_title);
	ln_jw_string(w, "role", h->role);
	ln_jw_string(w, "snippet", h->snippet);
	ln_jw_array(w, "marks");
	for (i = 0; i < h->mark_count; i++) {
		ln_jw_array(w, NULL);
		ln_jw_int(w, NULL, units(h->snippet, h->marks[i].from));
		ln_jw_int(w, NULL, units(h->snippet, h->marks[i].to));
		ln_jw_end(w);
	}
	ln_jw_end(w);
	ln_jw_time(w, "timestamp", h->created_ms);
	ln_jw_string(w, "model", h->model);
	ln_jw_bool(w, "archived", h->is_archived);
	ln_jw_end(w);
}

static int
search_done(struct rq *q, struct job *j)
{
	const struct search_job *s = (const struct search_job *)j;
	struct ln_jw *w;
	size_t i;

	if (j->status != LN_OK)
		return reply_fail(q, j->status, &j->err);
	if ((w = ln_jw_new()) != NULL) {
		ln_jw_array(w, NULL);
		for (i = 0; i < s->list.count; i++)
			hit_json(w, &s->list.items[i]);
	}
	if (s->list.is_partial)
		http_response_header(q->req, "x-search-partial", "1");
	return reply_json(q, 200, w);
}

/* An optional parameter, NULL when it is missing or empty.  One that cannot be
 * read must not widen the search: false after a 400. */
static bool
read_filter(struct rq *q, const char *name, char out[FILTER_SIZE],
    const char **value)
{
	const char *p = q->req->query_string;
	size_t len = strlen(name);

	*value = NULL;
	if (rq_query(q, name, out, FILTER_SIZE)) {
		*value = out[0] != '\0' ? out : NULL;
		return true;
	}
	for (; p != NULL && *p != '\0'; p += strspn(p, "&")) {
		if (strncmp(p, name, len) == 0 && p[len] == '=') {
			(void)reply_error(q, 400,
			    "A search filter is not valid");
			return false;
		}
		p += strcspn(p, "&");
	}
	return true;
}

/* A day is meant whole, at both ends. */
static bool
read_date(struct rq *q, const char *name, bool is_end, int64_t *out)
{
	char text[FILTER_SIZE];
	const char *value;

	if (!read_filter(q, name, text, &value))
		return false;
	if (value == NULL)
		return true;
	if (value[0] < '0' || value[0] > '9' || strlen(value) < DATE_LENGTH ||
	    ln_time_parse(value, 0, out, NULL) != LN_OK) {
		(void)reply_error(q, 400, "A date is YYYY-MM-DD or RFC 3339");
		return false;
	}
	if (is_end)
		*out += strlen(value) == DATE_LENGTH ? DAY_MS : 1;
	return true;
}

static bool
read_search(struct rq *q, struct search_job *s)
{
	struct ln_search_opts *o = &s->opts;

	o->size = sizeof(*o);
	(void)snprintf(s->user_id, sizeof(s->user_id), "%s", q->user->id);
	if (!rq_query(q, "q", s->query, sizeof(s->query))) {
		(void)reply_field(q, 400, "q",
		    "A search text of at most 4096 bytes is required");
		return false;
	}
	return read_filter(q, "model", s->filters[0], &o->model) &&
	    read_filter(q, "project_id", s->filters[1], &o->project_id) &&
	    read_filter(q, "tag", s->filters[2], &o->tag) &&
	    read_filter(q, "role", s->filters[3], &o->role) &&
	    read_date(q, "date_from", false, &o->from_ms) &&
	    read_date(q, "date_to", true, &o->to_ms) &&
	    input_query_int(q, "limit", 1, LN_SEARCH_LIMIT_MAX, &o->limit) &&
	    input_query_int(q, "offset", 0, LN_SEARCH_OFFSET_MAX, &o->offset);
}

int
search_list(struct rq *q)
{
	struct search_job *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	if (!read_search(q, s)) {
		free(s);
		return KORE_RESULT_OK;
	}
	s->j.run = search_run;
	s->j.done = search_done;
	s->j.free = search_free;
	return job_start(q, &s->j, JOB_WORK);
}

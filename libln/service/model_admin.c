#include <ln/model_admin.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <ln/audit.h>
#include <ln/http.h>
#include <ln/llm.h>

#include "base/error.h"
#include "llm/manage.h"
#include "text/ndjson.h"

#include "base/banned.h"

#define LIST_TOTAL_MS 10000
#define LIST_RESPONSE_MAX ((size_t)4 * 1024 * 1024)
#define DELETE_TOTAL_MS 60000	/* many files, perhaps on a slow disk */
#define DELETE_RESPONSE_MAX ((size_t)64 * 1024)
/* While a large file is verified nothing is said, for minutes. */
#define PULL_STALL_MS (15 * 60 * 1000)
#define PULL_RESPONSE_MAX ((size_t)1024 * 1024 * 1024)
#define PULL_LINE_MAX ((size_t)64 * 1024)
#define PULL_PARTS_MAX 256
#define PULL_PART_SIZE 80	/* "sha256:", 64 digits */
#define REFUSAL_MAX ((size_t)16 * 1024)

bool
ln_model_is_managed(const struct ln_provider_conf *conf)
{
	return lni_manager_of(conf->info) != NULL;
}

static enum ln_status
find_manager(const struct ln_provider_conf *conf,
    const struct lni_manager **out, struct ln_error *err)
{
	if ((*out = lni_manager_of(conf->info)) == NULL)
		return ln_fail(err, LN_UNSUPPORTED,
		    "The models of this provider cannot be managed here. Only "
		    "those of Ollama can", "%s", conf->info->name);
	return LN_OK;
}

/* "hf.co/someone/a-model:Q4_K_M": no way out of a path, and no address. */
static enum ln_status
check_name(const char *name, struct ln_error *err)
{
	size_t i, n = strlen(name);
	bool is_good = n > 0 && n <= LN_MODEL_NAME_MAX &&
	    isalnum((unsigned char)name[0]) && name[n - 1] != '/' &&
	    name[n - 1] != ':' && strstr(name, "//") == NULL &&
	    strstr(name, "..") == NULL;

	for (i = 0; is_good && i < n; i++)
		is_good = isalnum((unsigned char)name[i]) ||
		    strchr("._-:/@", name[i]) != NULL;
	if (!is_good)
		return ln_fail_field(err, LN_INVALID, "name",
		    "This is not the name of a model", "%zu bytes", n);
	return LN_OK;
}

/* What an answer means that is not 200. */
static enum ln_status
refuse(const struct ln_provider_conf *conf, int http_status, const char *body,
    size_t n, struct ln_error *err)
{
	const struct lni_manager *manager = lni_manager_of(conf->info);
	const char *sentence;
	enum ln_status s = LN_UPSTREAM;
	char *failure;

	if ((failure = manager->failure(body, n)) != NULL &&
	    http_status != 401 && http_status != 403)
		sentence = manager->meaning(failure, &s);
	else
		sentence = lni_refusal(lni_codec_of(conf->info), http_status,
		    body, n, &s);
	(void)ln_error_set(err, s, NULL, sentence, "HTTP status %d: %.*s",
	    http_status, (int)(n < 200 ? n : 200), body);
	free(failure);
	return s;
}

static bool
keep_body(void *arg, int http_status, const char *p, size_t n)
{
	struct ln_buf *b = arg;

	(void)http_status;
	ln_buf_put(b, p, n);
	return ln_buf_status(b) == LN_OK;
}

/* Send ${r}, which is freed; LN_OK and the body of an answer with 200. */
static enum ln_status
ask(const struct ln_provider_conf *conf, struct ln_llm_request *r,
    int64_t total_ms, size_t response_max, struct ln_buf *body,
    struct ln_error *err)
{
	enum ln_status s;
	int http_status;

	lni_request_seal(r);
	r->http.total_ms = total_ms;
	r->http.response_max = response_max;
	*body = (struct ln_buf)LN_BUF_INIT(response_max);
	s = ln_http_perform(&r->http, keep_body, NULL, body, &http_status,
	    err);
	ln_llm_request_free(r);
	if (ln_buf_status(body) == LN_NOMEM)
		return ln_fail(err, LN_NOMEM, "", "answer");
	if (s == LN_OK && http_status != 200)
		s = refuse(conf, http_status, ln_buf_str(body), body->len,
		    err);
	return s;
}

/* --- what there is --------------------------------------------------------- */

void
ln_model_inventory_free(struct ln_model_inventory *l)
{
	struct ln_model_entry *e;
	size_t i;

	for (i = 0; i < l->count; i++) {
		e = &l->items[i];
		free(e->name);
		free(e->digest);
		free(e->family);
		free(e->parameters);
		free(e->quantization);
	}
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

enum ln_status
ln_model_inventory(const struct ln_provider_conf *conf,
    struct ln_model_inventory *out, struct ln_error *err)
{
	const struct lni_manager *manager;
	struct ln_llm_request *r = NULL;
	struct ln_buf body = LN_BUF_INIT(LIST_RESPONSE_MAX);
	enum ln_status s;

	out->items = NULL;
	out->count = 0;
	if ((s = find_manager(conf, &manager, err)) != LN_OK ||
	    (s = lni_request_new(conf, &r, err)) != LN_OK)
		return s;
	if ((s = manager->list_request(conf, r, err)) != LN_OK) {
		ln_llm_request_free(r);
		return s;
	}
	s = ask(conf, r, LIST_TOTAL_MS, LIST_RESPONSE_MAX, &body, err);
	if (s == LN_OK)
		s = manager->list_parse(ln_buf_str(&body), body.len, out, err);
	if (s != LN_OK)
		ln_model_inventory_free(out);
	ln_buf_free(&body);
	return s;
}

/* --- one less -------------------------------------------------------------- */

static enum ln_status
audit(struct ln_store *st, const char *action,
    const struct ln_provider_conf *conf, const char *name,
    enum ln_status outcome, struct ln_error *err)
{
	struct ln_buf detail = LN_BUF_INIT(128);
	enum ln_status s;

	ln_buf_printf(&detail, "provider=%s", conf->info->name);
	s = ln_audit_add(st, action, name, outcome, ln_buf_str(&detail), err);
	ln_buf_free(&detail);
	return s;
}

static enum ln_status
remove_model(const struct ln_provider_conf *conf, const char *name,
    const struct lni_manager *manager, struct ln_error *err)
{
	struct ln_buf body = LN_BUF_INIT(DELETE_RESPONSE_MAX);
	struct ln_llm_request *r = NULL;
	enum ln_status s;

	if ((s = lni_request_new(conf, &r, err)) != LN_OK)
		return s;
	if ((s = manager->delete_request(conf, name, r, err)) != LN_OK) {
		ln_llm_request_free(r);
		return s;
	}
	s = ask(conf, r, DELETE_TOTAL_MS, DELETE_RESPONSE_MAX, &body, err);
	ln_buf_free(&body);
	return s;
}

enum ln_status
ln_model_delete(struct ln_store *st, const struct ln_provider_conf *conf,
    const char *name, struct ln_error *err)
{
	const struct lni_manager *manager;
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s, audited;

	if ((s = check_name(name, err)) != LN_OK ||
	    (s = find_manager(conf, &manager, err)) != LN_OK)
		return s;
	s = remove_model(conf, name, manager, err);
	audited = audit(st, "model.delete", conf, name, s, &why);
	if (s == LN_OK && audited != LN_OK) {
		s = audited;
		if (err != NULL)
			*err = why;
	}
	return s;
}

/* --- one more -------------------------------------------------------------- */

struct part {
	char name[PULL_PART_SIZE];
	int64_t completed, total;
};

struct ln_model_pull {
	const struct lni_manager *manager;
	const struct ln_provider_conf *conf;
	char *name;
	struct ln_llm_request *request;
	struct lni_ndjson lines;
	struct ln_buf refusal;
	struct part *parts;
	size_t part_count;
	struct ln_pull_progress told;
	bool was_told;
	ln_pull_progress_fn *fn;
	void *arg;
	enum ln_status status;		/* of what the server said */
	struct ln_error error;
};

const char *
ln_pull_step_name(enum ln_pull_step step)
{
	static const char *const names[] = {
		[LN_PULL_WORKING] = "working",
		[LN_PULL_MANIFEST] = "manifest",
		[LN_PULL_DOWNLOADING] = "downloading",
		[LN_PULL_VERIFYING] = "verifying",
		[LN_PULL_WRITING] = "writing",
		[LN_PULL_DONE] = "success",
	};

	return names[step];
}

/* A part that there is no room for goes uncounted; the pull does not mind. */
static void
count_part(struct ln_model_pull *p, const struct lni_pull_line *line)
{
	struct part *part;
	size_t i;

	if (line->total <= 0 || line->completed < 0 ||
	    strlen(line->part) >= PULL_PART_SIZE)
		return;
	for (i = 0; i < p->part_count; i++) {
		if (strcmp(p->parts[i].name, line->part) == 0)
			break;
	}
	if (i == PULL_PARTS_MAX)
		return;
	part = &p->parts[i];
	if (i == p->part_count) {
		p->part_count++;
		memcpy(part->name, line->part, strlen(line->part) + 1);
	}
	part->total = line->total;
	part->completed = line->completed < line->total ? line->completed :
	    line->total;
}

static int64_t
thousandths(const struct ln_pull_progress *g)
{
	return g->total > 0 ? (int64_t)((double)g->completed * 1000 /
	    (double)g->total) : 0;
}

static void
tell(struct ln_model_pull *p, enum ln_pull_step step)
{
	struct ln_pull_progress now = { step, 0, 0 };
	size_t i;

	for (i = 0; i < p->part_count; i++) {
		now.completed += p->parts[i].completed;
		now.total += p->parts[i].total;
	}
	if (p->was_told && now.step == p->told.step &&
	    now.total == p->told.total &&
	    thousandths(&now) == thousandths(&p->told))
		return;
	p->told = now;
	p->was_told = true;
	p->fn(p->arg, &now);
}

static bool
on_line(void *arg, const char *s, size_t n)
{
	struct ln_model_pull *p = arg;
	struct lni_pull_line line;
	const char *sentence;

	p->status = p->manager->pull_line(s, n, &line, &p->error);
	if (p->status == LN_OK && line.failure != NULL) {
		p->status = LN_UPSTREAM;
		sentence = p->manager->meaning(line.failure, &p->status);
		(void)ln_error_set(&p->error, p->status, NULL, sentence,
		    "%.200s", line.failure);
	} else if (p->status == LN_OK) {
		if (line.part != NULL)
			count_part(p, &line);
		tell(p, line.step);
	}
	ln_json_free(line.root);
	return p->status == LN_OK && p->told.step != LN_PULL_DONE;
}

void
ln_model_pull_free(struct ln_model_pull *p)
{
	if (p == NULL)
		return;
	ln_llm_request_free(p->request);
	lni_ndjson_free(&p->lines);
	ln_buf_free(&p->refusal);
	free(p->parts);
	free(p->name);
	free(p);
}

static enum ln_status
make_request(struct ln_model_pull *p, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_request_new(p->conf, &p->request, err)) != LN_OK ||
	    (s = p->manager->pull_request(p->conf, p->name, p->request,
	    err)) != LN_OK)
		return s;
	lni_request_seal(p->request);
	p->request->http.stall_ms = PULL_STALL_MS;
	p->request->http.response_max = PULL_RESPONSE_MAX;
	return LN_OK;
}

enum ln_status
ln_model_pull_new(const struct ln_provider_conf *conf, const char *name,
    ln_pull_progress_fn *fn, void *arg, struct ln_model_pull **out,
    struct ln_error *err)
{
	const struct lni_manager *manager;
	struct ln_model_pull *p;
	enum ln_status s;

	*out = NULL;
	if ((s = check_name(name, err)) != LN_OK ||
	    (s = find_manager(conf, &manager, err)) != LN_OK)
		return s;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "pull");
	p->manager = manager;
	p->conf = conf;
	p->fn = fn;
	p->arg = arg;
	p->error = (struct ln_error)LN_ERROR_INIT;
	p->refusal = (struct ln_buf)LN_BUF_INIT(REFUSAL_MAX);
	lni_ndjson_init(&p->lines, PULL_LINE_MAX, on_line, p);
	if ((p->name = strdup(name)) == NULL ||
	    (p->parts = calloc(PULL_PARTS_MAX, sizeof(*p->parts))) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "pull");
	else
		s = make_request(p, err);
	if (s == LN_OK)
		*out = p;
	else
		ln_model_pull_free(p);
	return s;
}

const struct ln_http_request *
ln_model_pull_request(const struct ln_model_pull *p)
{
	return &p->request->http;
}

static void
judge_framing(struct ln_model_pull *p, enum ln_status framing)
{
	if (framing != LN_OK && p->status == LN_OK)
		p->status = ln_fail(&p->error, framing == LN_NOMEM ? LN_NOMEM :
		    LN_UPSTREAM, LNI_SAY_NOT_UNDERSTOOD, "a line of a pull");
}

bool
ln_model_pull_feed(struct ln_model_pull *p, int http_status, const char *s,
    size_t n)
{
	if (http_status != 200) {
		/* The start of it says enough. */
		ln_buf_put(&p->refusal, s, n < REFUSAL_MAX - p->refusal.len ?
		    n : REFUSAL_MAX - p->refusal.len);
		return true;
	}
	judge_framing(p, lni_ndjson_feed(&p->lines, s, n));
	return p->status == LN_OK;
}

enum ln_status
ln_model_pull_end(struct ln_model_pull *p, int http_status,
    enum ln_status status, const struct ln_error *why, struct ln_error *err)
{
	if (status == LN_OK && http_status == 200)
		judge_framing(p, lni_ndjson_end(&p->lines));
	if (p->status != LN_OK) {
		if (err != NULL)
			*err = p->error;
		return p->status;
	}
	if (p->told.step == LN_PULL_DONE)
		return LN_OK;
	if (status != LN_OK)
		return ln_error_set(err, status, NULL,
		    ln_error_text(why, status), "%s", lni_error_detail(why));
	if (http_status != 200)
		return refuse(p->conf, http_status, ln_buf_str(&p->refusal),
		    p->refusal.len, err);
	return ln_fail(err, LN_UPSTREAM,
	    "The model server ended the pull too early. Pull again to go on",
	    "no success at the end");
}

struct run {
	struct ln_model_pull *pull;
	bool (*is_cancelled)(void *arg);
	void *arg;
};

static bool
on_data(void *arg, int http_status, const char *s, size_t n)
{
	const struct run *r = arg;

	return ln_model_pull_feed(r->pull, http_status, s, n);
}

static bool
on_tick(void *arg)
{
	const struct run *r = arg;

	return r->is_cancelled == NULL || !r->is_cancelled(r->arg);
}

enum ln_status
ln_model_pull_run(struct ln_model_pull *p, bool (*is_cancelled)(void *arg),
    void *arg, struct ln_error *err)
{
	struct run r = { p, is_cancelled, arg };
	struct ln_error why = LN_ERROR_INIT;
	int http_status = 0;
	enum ln_status s;

	s = ln_http_perform(&p->request->http, on_data, on_tick, &r,
	    &http_status, &why);
	return ln_model_pull_end(p, http_status, s, &why, err);
}

enum ln_status
ln_model_pull_audit(struct ln_store *st, const struct ln_model_pull *p,
    enum ln_status outcome, struct ln_error *err)
{
	return audit(st, "model.pull", p->conf, p->name, outcome, err);
}

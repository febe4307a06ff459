/* Documents are read: out of a file or a text come chunks. */
#include <ln/project.h>

#include <stdlib.h>
#include <string.h>

#include <ln/log.h>
#include <ln/secret.h>
#include <ln/time.h>

#include "model/chunk.h"
#include "model/document.h"
#include "store/tx.h"

#include "base/banned.h"

#define BATCH 128		/* chunks of one transaction: others write, too */
#define REMOVE_AT_ONCE 500
#define BEAT_MS 5000

struct reader {
	struct ln_store *st;
	const struct ln_document_read *r;
	struct ln_document *doc;
	char *user_id;
	char holder[LNI_HOLDER_SIZE];
	struct lni_chunker chunker;
	struct lni_document_end end;
	bool is_writing;	/* a transaction is open */
	bool is_stopped;
	int64_t beat_ms;	/* monotonic */
};

static bool
must_stop(struct reader *rd)
{
	if (rd->r->is_stopped != NULL && rd->r->is_stopped(rd->r->arg))
		rd->is_stopped = true;
	return rd->is_stopped;
}

/* Asked often, also while nothing comes: the time to give a sign of life. */
static bool
is_over(void *arg)
{
	struct reader *rd = arg;
	int64_t now_ms = ln_time_mono_ms();

	if (must_stop(rd))
		return true;
	if (now_ms - rd->beat_ms < BEAT_MS)
		return false;
	rd->beat_ms = now_ms;
	return lni_document_beat(rd->st, rd->doc->id, rd->holder, NULL) ==
	    LN_CANCELLED;
}

static enum ln_status
commit(struct reader *rd, enum ln_status s, struct ln_error *err)
{
	if (!rd->is_writing)
		return s;
	rd->is_writing = false;
	return lni_tx_end(rd->st, s, err);
}

static enum ln_status
on_chunk(void *arg, const struct lni_chunk *c, struct ln_error *err)
{
	struct reader *rd = arg;
	enum ln_status s;

	if (!rd->is_writing) {
		if ((s = lni_tx_begin(rd->st, err)) != LN_OK)
			return s;
		rd->is_writing = true;
		rd->beat_ms = ln_time_mono_ms();
		if ((s = lni_document_beat(rd->st, rd->doc->id, rd->holder,
		    err)) != LN_OK)
			return s;
	}
	if ((s = lni_chunk_add(rd->st, rd->doc->id, rd->end.chunk_count, c,
	    err)) != LN_OK)
		return s;
	if (++rd->end.chunk_count % BATCH == 0)
		s = commit(rd, s, err);
	return s;
}

static enum ln_status
on_segment(void *arg, const struct ln_extract_segment *seg,
    struct ln_error *err)
{
	struct reader *rd = arg;

	rd->end.bytes += (int64_t)seg->length;
	return lni_chunker_feed(&rd->chunker, seg->text, seg->length,
	    seg->page, seg->line, err);
}

static enum ln_status
remove_chunks(struct reader *rd, struct ln_error *err)
{
	int64_t n = 0;
	enum ln_status s;

	do {
		if ((s = lni_tx_begin(rd->st, err)) != LN_OK)
			return s;
		s = lni_chunk_remove(rd->st, rd->doc->id, REMOVE_AT_ONCE, &n,
		    err);
		s = lni_tx_end(rd->st, s, err);
	} while (s == LN_OK && n > 0);
	return s;
}

/* What an import brought is text already. */
static enum ln_status
read_content(struct reader *rd, const char *text, struct ln_error *err)
{
	size_t n = strlen(text), i, k;
	uint32_t line = 1;
	enum ln_status s = LN_OK;

	for (i = 0; i < n && s == LN_OK; i += k) {
		k = n - i < LN_EXTRACT_SEGMENT_MAX ? n - i :
		    LN_EXTRACT_SEGMENT_MAX;
		if (is_over(rd))
			return ln_fail(err, LN_CANCELLED, "", "stopped");
		s = on_segment(rd, &(struct ln_extract_segment){
		    .text = text + i, .length = k, .line = line }, err);
		for (const char *p = text + i; p < text + i + k; p++)
			line += *p == '\n';
	}
	if (s == LN_OK)
		s = lni_chunker_end(&rd->chunker, err);
	if (s == LN_OK && rd->end.chunk_count == 0)
		s = ln_fail(err, LN_INVALID, "There is no text in it",
		    "blank");
	return s;
}

static enum ln_status
read_file(struct reader *rd, const struct ln_buf *file, struct ln_error *err)
{
	const struct ln_extract_opts opts = { .size = sizeof(opts),
		.bytes = file->data, .bytes_count = file->len, .fd = -1,
		.name = rd->doc->filename, .on_segment = on_segment,
		.is_stopped = is_over, .arg = rd };
	struct ln_extract_result result = { 0 };
	enum ln_status s;

	s = ln_extract(&opts, &result, err);
	if (result.type != LN_EXTRACT_UNKNOWN)
		rd->end.type = ln_extract_type_name(result.type);
	rd->end.page_count = result.pages;
	return s == LN_OK ? lni_chunker_end(&rd->chunker, err) : s;
}

static enum ln_status
read_it(struct reader *rd, struct ln_error *err)
{
	struct ln_buf file = LN_BUF_INIT((size_t)LN_DOCUMENT_FILE_MAX);
	char *text = NULL;
	enum ln_status s;

	if ((s = remove_chunks(rd, err)) != LN_OK)
		return s;
	lni_chunker_init(&rd->chunker, on_chunk, rd);
	if ((s = lni_document_file(rd->st, rd->doc->id, &file, err)) != LN_OK)
		goto out;
	if (file.len > 0)
		s = read_file(rd, &file, err);
	else if ((s = lni_document_content(rd->st, rd->doc->id, &text,
	    err)) == LN_OK)
		s = read_content(rd, text, err);
	s = commit(rd, s, err);
out:
	ln_free(text);
	ln_buf_free(&file);
	return s;
}

static void
tell(struct reader *rd)
{
	struct ln_document *d = NULL;

	if (rd->r->on_change == NULL)
		return;
	if (ln_document_get(rd->st, rd->user_id, rd->doc->project_id,
	    rd->doc->id, &d, NULL) == LN_OK)
		rd->r->on_change(rd->r->arg, rd->user_id, d);
	ln_document_free(d);
}

/* The document's fault is kept with it; a fault of this machine is not: the
 * sweep lets somebody try again. */
static enum ln_status
finish(struct reader *rd, enum ln_status s, struct ln_error *err)
{
	if (s == LN_INVALID || s == LN_TOO_LARGE || s == LN_UNSUPPORTED) {
		rd->end.reason = ln_error_text(err, s);
		rd->end.chunk_count = 0;
		if ((s = remove_chunks(rd, err)) != LN_OK)
			return s;
	} else if (s != LN_OK) {
		return s;
	}
	s = lni_document_end(rd->st, rd->doc->id, rd->holder, &rd->end, err);
	if (s == LN_OK)
		tell(rd);
	return s;
}

enum ln_status
ln_document_read_next(struct ln_store *st, const struct ln_document_read *r,
    struct ln_error *err)
{
	struct reader *rd;
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s;

	if ((rd = calloc(1, sizeof(*rd))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "reader");
	rd->st = st;
	rd->r = r;
	rd->beat_ms = ln_time_mono_ms();
	ln_uuid(rd->holder);
	if ((s = lni_document_take(st, r->project_id, rd->holder, &rd->doc,
	    &rd->user_id, err)) != LN_OK)
		goto out;
	tell(rd);
	s = finish(rd, read_it(rd, &why), &why);
	if (s == LN_CANCELLED && rd->is_stopped)
		s = lni_document_put_back(st, rd->doc->id, rd->holder, &why) ==
		    LN_OK ? LN_CANCELLED : LN_OK;
	else if (s == LN_CANCELLED)
		s = LN_OK;	/* it was deleted */
	if (s != LN_OK && err != NULL)
		*err = why;
out:
	ln_document_free(rd->doc);
	ln_free(rd->user_id);
	free(rd);
	return s;
}

#include <ln/extract.h>

#include <ln/buf.h>
#include <ln/text.h>

#include "base/banned.h"

/* A document as one string. */
struct joining {
	const struct ln_extract_opts *opts;
	struct ln_buf *out;
	size_t start;		/* where the text begins in it */
	size_t max;
	uint32_t page;
	bool is_cut;		/* not all of it found room */
};

static enum ln_status
join(void *arg, const struct ln_extract_segment *seg, struct ln_error *err)
{
	struct joining *j = arg;
	size_t n = seg->length, room;
	enum ln_status s;

	if (j->out->len - j->start >= j->max) {
		j->is_cut = true;
		return LN_OK;
	}
	if (seg->page != j->page) {
		j->page = seg->page;
		ln_buf_printf(j->out, "%s[Page %u]\n", j->out->len >
		    j->start ? "\n" : "", seg->page);
	}
	room = j->out->len - j->start < j->max ?
	    j->max - (j->out->len - j->start) : 0;
	if (n > room) {
		n = ln_utf8_prefix(seg->text, n, room);
		j->is_cut = true;
	}
	ln_buf_put(j->out, seg->text, n);
	if ((s = ln_buf_status(j->out)) != LN_OK)
		return ln_fail(err, s, "", "text");
	return LN_OK;
}

static bool
is_stopped(void *arg)
{
	const struct joining *j = arg;

	return j->opts->is_stopped != NULL &&
	    j->opts->is_stopped(j->opts->arg);
}

enum ln_status
ln_extract_text(const struct ln_extract_opts *opts, size_t max,
    struct ln_buf *out, struct ln_extract_result *result,
    struct ln_error *err)
{
	struct ln_extract_opts mine = *opts;
	struct joining j = { opts, out, out->len, max, 0, false };
	enum ln_status s;

	mine.text_max = (int64_t)max;
	mine.on_segment = join;
	mine.is_stopped = is_stopped;
	mine.arg = &j;
	if ((s = ln_extract(&mine, result, err)) != LN_OK)
		return s;
	result->is_cut = result->is_cut || j.is_cut;
	if (result->is_cut)
		ln_buf_puts(out, "\n[The text goes on here, but it is too "
		    "long: this is only its beginning]\n");
	if ((s = ln_buf_status(out)) != LN_OK)
		return ln_fail(err, s, "", "text");
	return LN_OK;
}

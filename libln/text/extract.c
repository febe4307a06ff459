/* memfd_create(2) is in no standard. */
#define _GNU_SOURCE

#include <ln/extract.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/buf.h>
#include <ln/text.h>

#include "base/utf8.h"
#include "text/extract_reader.h"

#include "base/banned.h"

#define TICK_MS 200
#define READ_BYTES ((size_t)64 * 1024)

static const char *const type_names[LN_EXTRACT_TYPES] = {
	[LN_EXTRACT_UNKNOWN] = "unknown",
	[LN_EXTRACT_TEXT] = "text",
	[LN_EXTRACT_MARKDOWN] = "markdown",
	[LN_EXTRACT_CODE] = "code",
	[LN_EXTRACT_CSV] = "csv",
	[LN_EXTRACT_JSON] = "json",
	[LN_EXTRACT_HTML] = "html",
	[LN_EXTRACT_PDF] = "pdf",
	[LN_EXTRACT_DOCX] = "docx",
	[LN_EXTRACT_ODT] = "odt",
	[LN_EXTRACT_EPUB] = "epub",
};

/* One sentence a reason, for people; ln_fail() below wants literals. */
#define REASONS(X)							\
	X(EMPTY, INVALID, "The file has no text in it")			\
	X(SCANNED, INVALID, "This PDF has no text in it: its pages are"	\
	    " pictures. Have them recognised (OCR) first")		\
	X(LOCKED, INVALID, "The file is protected by a password. Save"	\
	    " it without one first")					\
	X(FOREIGN, INVALID, "Files of this kind cannot be read. PDF,"	\
	    " DOCX, ODT, EPUB, HTML, CSV, JSON, Markdown, source code"	\
	    " and plain text can")					\
	X(DAMAGED, INVALID, "The file is damaged, or not what it claims"\
	    " to be")							\
	X(FILE_TOO_LARGE, TOO_LARGE, "The file is larger than 50 MiB")	\
	X(TEXT_TOO_LARGE, TOO_LARGE, "The file unpacks to more text"	\
	    " than can be taken")					\
	X(TOO_SLOW, INVALID, "Reading the file took too long")		\
	X(TOO_HUNGRY, INVALID, "Reading the file takes too much memory")\
	X(STOPPED, INVALID, "Reading the file was stopped: it made its"	\
	    " reader do something that is not allowed")

const char *
ln_extract_type_name(enum ln_extract_type t)
{
	return type_names[t < LN_EXTRACT_TYPES ? t : LN_EXTRACT_UNKNOWN];
}

const char *
ln_extract_reason_text(enum ln_extract_reason r)
{
#define TEXT(name, status, text) [LN_EXTRACT_##name] = text,
	static const char *const texts[LN_EXTRACT_REASONS] = {
		[LN_EXTRACT_READ] = "The file was read",
		REASONS(TEXT)
	};
#undef TEXT
	return texts[r < LN_EXTRACT_REASONS ? r : LN_EXTRACT_DAMAGED];
}

/* Work in progress. */
struct extraction {
	const struct ln_extract_opts *opts;
	struct ln_extract_result *out;
	struct ln_error *err;
	struct ln_extract_wire_head head;
	size_t head_count;
	int64_t text_max;
	struct ln_buf pending;		/* clean text, not yet given */
	char partial[4];		/* a code point cut in two */
	size_t partial_count;
	uint32_t line, page;
	bool has_ink;
	bool is_after_cr;
	bool is_over;			/* no more text is wanted */
};

static enum ln_status
fail_for(struct extraction *x, enum ln_extract_reason r, const char *what,
    int value)
{
	x->out->reason = r;
#define CASE(name, status, text) case LN_EXTRACT_##name:		\
	return ln_fail(x->err, LN_##status, text, "%s %d", what, value);
	switch (r) {
	REASONS(CASE)
	case LN_EXTRACT_READ:
	case LN_EXTRACT_REASONS:
		break;
	}
#undef CASE
	return ln_fail(x->err, LN_INTERNAL, "", "reason %d: %s %d", (int)r,
	    what, value);
}

static bool
has_pages(enum ln_extract_type t)
{
	return t == LN_EXTRACT_PDF;
}

static bool
has_lines(enum ln_extract_type t)
{
	return t == LN_EXTRACT_TEXT || t == LN_EXTRACT_MARKDOWN ||
	    t == LN_EXTRACT_CODE || t == LN_EXTRACT_CSV ||
	    t == LN_EXTRACT_JSON;
}

/* --- giving -------------------------------------------------------------- */

static uint32_t
count_lines(const char *s, size_t n)
{
	const char *end = s + n;
	uint32_t count = 0;

	while ((s = memchr(s, '\n', (size_t)(end - s))) != NULL) {
		count++;
		s++;
	}
	return count;
}

/* Hand over the first ${n} bytes that wait. */
static enum ln_status
give(struct extraction *x, size_t n)
{
	struct ln_extract_segment seg = { NULL, 0, 0, 0 };
	enum ln_status s;

	if (n == 0)
		return LN_OK;
	seg.text = ln_buf_str(&x->pending);
	seg.length = n;
	if (has_pages(x->out->type))
		seg.page = x->page;
	if (has_lines(x->out->type))
		seg.line = x->line;
	if ((s = x->opts->on_segment(x->opts->arg, &seg, x->err)) != LN_OK)
		return s;
	x->line += count_lines(seg.text, n);
	x->out->text_bytes += (int64_t)n;
	ln_buf_consume(&x->pending, n);
	return LN_OK;
}

/* Give what fills segments; the rest too when ${is_all}. */
static enum ln_status
flush(struct extraction *x, bool is_all)
{
	enum ln_status s = LN_OK;
	const char *p;
	size_t n;

	while (s == LN_OK && x->pending.len >= LN_EXTRACT_SEGMENT_MAX) {
		p = ln_buf_str(&x->pending);
		n = LN_EXTRACT_SEGMENT_MAX;
		while (n > 0 && p[n - 1] != '\n')
			n--;
		if (n == 0)
			n = ln_utf8_prefix(p, x->pending.len,
			    LN_EXTRACT_SEGMENT_MAX);
		s = give(x, n);
	}
	if (s == LN_OK && is_all)
		s = give(x, x->pending.len);
	return s;
}

/* --- cleaning ------------------------------------------------------------ */

static enum ln_status
end_page(struct extraction *x)
{
	enum ln_status s;

	if ((s = flush(x, true)) != LN_OK)
		return s;
	x->out->pages = x->page;
	x->page++;
	x->line = 1;
	return LN_OK;
}

/* CR and CRLF are line ends; other controls say nothing. */
static enum ln_status
put_code_point(struct extraction *x, const char *p, size_t n, uint32_t c)
{
	bool is_after_cr = x->is_after_cr;

	x->is_after_cr = c == '\r';
	if (c == '\r' || c == '\n') {
		if (c == '\r' || !is_after_cr)
			ln_buf_putc(&x->pending, '\n');
	} else if (c == '\f') {
		if (has_pages(x->out->type))
			return end_page(x);
		ln_buf_putc(&x->pending, ' ');
	} else if ((c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0) ||
	    c == 0xfeff)
		return LN_OK;
	else {
		if (c > 0x20 && c != 0xa0 && c != 0x3000)
			x->has_ink = true;
		ln_buf_put(&x->pending, p, n);
	}
	return ln_buf_status(&x->pending);
}

/* Most text is printable ASCII: a run of it needs no thought. */
static size_t
put_run(struct extraction *x, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && ((p[i] >= 0x20 && p[i] < 0x7f) || p[i] == '\n')) {
		if (p[i] > 0x20)
			x->has_ink = true;
		i++;
	}
	/* The end of a CRLF is not a line end of its own. */
	if (i > 0 && x->is_after_cr && p[0] == '\n')
		return 0;
	if (i > 0) {
		ln_buf_put(&x->pending, p, i);
		x->is_after_cr = false;
	}
	return i;
}

/*
 * The child may be under a document's spell: what it says is made clean here.
 * Returns in ${out} how much of the ${n} bytes was used: all but a code point
 * of which the end is still to come.
 */
static enum ln_status
take(struct extraction *x, const char *p, size_t n, bool is_last, size_t *out)
{
	enum ln_status s = LN_OK;
	size_t i = 0, run;
	uint32_t c;
	int used;

	while (s == LN_OK && i < n) {
		if ((run = put_run(x, p + i, n - i)) > 0) {
			i += run;
			s = ln_buf_status(&x->pending);
		} else if ((used = lni_utf8_decode(p + i, n - i, &c)) > 0) {
			s = put_code_point(x, p + i, (size_t)used, c);
			i += (size_t)used;
		} else if (!is_last && n - i < sizeof(x->partial))
			break;
		else {
			ln_buf_puts(&x->pending, "\xef\xbf\xbd");
			i += (size_t)-used;
			s = ln_buf_status(&x->pending);
		}
	}
	*out = i;
	return s == LN_OK ? flush(x, false) : s;
}

static enum ln_status
feed(struct extraction *x, const char *p, size_t n, bool is_last)
{
	char joined[8];
	enum ln_status s;
	size_t fill, total, used;

	while (x->partial_count > 0 && (n > 0 || is_last)) {
		fill = sizeof(joined) - x->partial_count;
		if (fill > n)
			fill = n;
		memcpy(joined, x->partial, x->partial_count);
		memcpy(joined + x->partial_count, p, fill);
		total = x->partial_count + fill;
		s = take(x, joined, total, is_last && fill == n, &used);
		if (s != LN_OK)
			return s;
		if (used < x->partial_count) {
			/* Still too few bytes to tell: fewer than four. */
			memcpy(x->partial, joined + used, total - used);
			x->partial_count = total - used;
			return LN_OK;
		}
		p += used - x->partial_count;
		n -= used - x->partial_count;
		x->partial_count = 0;
	}
	if ((s = take(x, p, n, is_last, &used)) != LN_OK)
		return s;
	memcpy(x->partial, p + used, n - used);
	x->partial_count = n - used;
	return LN_OK;
}

/* --- reading ------------------------------------------------------------- */

static enum ln_status
begin(struct extraction *x)
{
	if (x->head.magic != LN_EXTRACT_WIRE_MAGIC ||
	    x->head.type >= LN_EXTRACT_TYPES)
		return fail_for(x, LN_EXTRACT_STOPPED, "head", 0);
	x->out->type = (enum ln_extract_type)x->head.type;
	x->line = x->page = 1;
	return LN_OK;
}

static enum ln_status
on_bytes(struct extraction *x, const char *p, size_t n)
{
	enum ln_status s = LN_OK;
	size_t need = sizeof(x->head) - x->head_count;

	if (need > 0) {
		if (need > n)
			need = n;
		memcpy((char *)&x->head + x->head_count, p, need);
		x->head_count += need;
		if (x->head_count == sizeof(x->head))
			s = begin(x);
		p += need;
		n -= need;
	}
	if (s == LN_OK && n > 0)
		s = feed(x, p, n, false);
	if (s != LN_OK)
		return s;
	if (x->out->text_bytes + (int64_t)x->pending.len > x->text_max) {
		if (x->opts->text_max == 0)
			return fail_for(x, LN_EXTRACT_TEXT_TOO_LARGE, "text",
			    0);
		x->is_over = x->out->is_cut = true;
	}
	return LN_OK;
}

/* Wait for ${fd}; LN_CANCELLED when the caller has had enough. */
static enum ln_status
await(struct extraction *x, int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n;

	for (;;) {
		if (x->opts->is_stopped != NULL &&
		    x->opts->is_stopped(x->opts->arg))
			return ln_fail(x->err, LN_CANCELLED, "", "stopped");
		if ((n = poll(&p, 1, TICK_MS)) > 0)
			return LN_OK;
		if (n == -1 && errno != EINTR)
			return ln_fail(x->err, LN_IO, "", "poll: errno %d",
			    errno);
	}
}

static enum ln_status
read_text(struct extraction *x, int fd)
{
	enum ln_status s = LN_OK;
	char *bytes;
	ssize_t n;

	if ((bytes = malloc(READ_BYTES)) == NULL)
		return ln_fail(x->err, LN_NOMEM, "", "text");
	while (!x->is_over && (s = await(x, fd)) == LN_OK) {
		if ((n = read(fd, bytes, READ_BYTES)) == 0)
			break;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			s = ln_fail(x->err, LN_IO, "", "read: errno %d",
			    errno);
			break;
		}
		if ((s = on_bytes(x, bytes, (size_t)n)) != LN_OK)
			break;
	}
	free(bytes);
	return s;
}

static enum ln_status
read_status(struct extraction *x, int fd, struct ln_extract_wire_status *out)
{
	enum ln_status s;
	ssize_t n;

	do {
		if ((s = await(x, fd)) != LN_OK)
			return s;
		n = read(fd, out, sizeof(*out));
	} while (n == -1 && errno == EINTR);
	/* Written at once by a process that parses nothing. */
	if (n != (ssize_t)sizeof(*out) || out->magic != LN_EXTRACT_WIRE_MAGIC)
		return ln_fail(x->err, LN_IO, "The reader of documents has "
		    "ended", "no status");
	return LN_OK;
}

static enum ln_status
judge_exit(struct extraction *x, int code, uint32_t notes)
{
	int reason = code - LN_EXTRACT_WIRE_REASON;

	if (code == LN_EXTRACT_WIRE_NO_PARSER)
		return ln_fail(x->err, LN_UNSUPPORTED, "What reads files of "
		    "this kind is not installed", "no parser");
	if (code == LN_EXTRACT_WIRE_UNCONFINED)
		return ln_fail(x->err, LN_INTERNAL, "", "no sandbox");
	if (code == 0)
		return LN_OK;
	if (reason > LN_EXTRACT_READ && reason < LN_EXTRACT_REASONS)
		return fail_for(x, (enum ln_extract_reason)reason, "exit",
		    code);
	return fail_for(x, (notes & LN_EXTRACT_WIRE_LOCKED) != 0 ?
	    LN_EXTRACT_LOCKED : (notes & LN_EXTRACT_WIRE_HUNGRY) != 0 ?
	    LN_EXTRACT_TOO_HUNGRY : LN_EXTRACT_DAMAGED, "exit", code);
}

static enum ln_status
judge(struct extraction *x, const struct ln_extract_wire_status *st)
{
	enum ln_extract_reason r;

	switch (st->end) {
	case LN_EXTRACT_WIRE_EXITED:
		return judge_exit(x, st->value, st->notes);
	case LN_EXTRACT_WIRE_TIMED_OUT:
		return fail_for(x, LN_EXTRACT_TOO_SLOW, "deadline", 0);
	case LN_EXTRACT_WIRE_KILLED:
		r = LN_EXTRACT_DAMAGED;
		if (st->value == SIGSYS)
			r = LN_EXTRACT_STOPPED;
		else if (st->value == SIGXCPU)
			r = LN_EXTRACT_TOO_SLOW;
		else if (st->value == SIGKILL ||
		    (st->notes & LN_EXTRACT_WIRE_HUNGRY) != 0)
			r = LN_EXTRACT_TOO_HUNGRY;
		return fail_for(x, r, "signal", st->value);
	default:
		return ln_fail(x->err, LN_IO, "The reader of documents is "
		    "overloaded. Try again", "end %u: %d", st->end, st->value);
	}
}

/* The last page has no form feed of its own when the text was cut. */
static enum ln_status
finish(struct extraction *x)
{
	enum ln_status s;

	if (!x->is_over && x->head_count < sizeof(x->head))
		return fail_for(x, LN_EXTRACT_DAMAGED, "head", 0);
	if (x->is_over)
		x->partial_count = 0;
	if ((s = feed(x, "", 0, true)) != LN_OK)
		return s;
	if (x->pending.len > 0 && has_pages(x->out->type))
		x->out->pages = x->page;
	if ((s = flush(x, true)) != LN_OK)
		return s;
	if (has_lines(x->out->type))
		x->out->lines = x->line;
	if (!x->has_ink)
		return fail_for(x, x->out->type == LN_EXTRACT_PDF ?
		    LN_EXTRACT_SCANNED : LN_EXTRACT_EMPTY, "no text", 0);
	x->out->reason = LN_EXTRACT_READ;
	return LN_OK;
}

/* --- asking -------------------------------------------------------------- */

/* "report.tar.GZ" is "gz", "Makefile" is "makefile". */
static void
set_ending(const char *name, char *out, size_t size)
{
	const char *p = name != NULL ? name : "", *mark;
	size_t i;

	if ((mark = strrchr(p, '/')) != NULL)
		p = mark + 1;
	if ((mark = strrchr(p, '.')) != NULL)
		p = mark + 1;
	if (strlen(p) >= size)
		p = "";
	for (i = 0; p[i] != '\0'; i++)
		out[i] = p[i] >= 'A' && p[i] <= 'Z' ?
		    (char)(p[i] - 'A' + 'a') : p[i];
	out[i] = '\0';
}

static void
make_request(const struct ln_extract_opts *opts,
    struct ln_extract_wire_request *req)
{
	int64_t ms = opts->timeout_ms;

	memset(req, 0, sizeof(*req));
	req->magic = LN_EXTRACT_WIRE_MAGIC;
	if (ms <= 0 || ms > UINT32_MAX)
		ms = LN_EXTRACT_TIMEOUT_MS;
	req->timeout_ms = (uint32_t)ms;
	set_ending(opts->name, req->ending, sizeof(req->ending));
	if (opts->charset != NULL &&
	    strlen(opts->charset) < sizeof(req->charset))
		memcpy(req->charset, opts->charset, strlen(opts->charset) + 1);
}

/* Parsers want to move about in a document, so bytes become a nameless file. */
static enum ln_status
bytes_to_file(const struct ln_extract_opts *opts, int *out,
    struct ln_error *err)
{
	const char *p = opts->bytes;
	size_t left = opts->bytes_count;
	ssize_t n;
	int fd;

	if ((fd = memfd_create("document", MFD_CLOEXEC)) == -1)
		return ln_fail(err, LN_IO, "", "memfd: errno %d", errno);
	while (left > 0) {
		if ((n = write(fd, p, left)) == -1) {
			if (errno == EINTR)
				continue;
			(void)close(fd);
			return ln_fail(err, LN_IO, "", "memfd: errno %d",
			    errno);
		}
		p += n;
		left -= (size_t)n;
	}
	*out = fd;
	return LN_OK;
}

/* The bounds that can be told without a child. */
static enum ln_status
check_file(struct extraction *x, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return ln_fail(x->err, LN_IO, "", "fstat: errno %d", errno);
	if (!S_ISREG(st.st_mode))
		return ln_fail(x->err, LN_INVALID, "That is no regular file",
		    "mode %o", (unsigned)st.st_mode);
	if (st.st_size > LN_EXTRACT_FILE_MAX)
		return fail_for(x, LN_EXTRACT_FILE_TOO_LARGE, "size", 0);
	if (st.st_size == 0)
		return fail_for(x, LN_EXTRACT_EMPTY, "size", 0);
	return LN_OK;
}

static enum ln_status
run(struct extraction *x, int fd)
{
	struct ln_extract_wire_request req;
	struct ln_extract_wire_status end;
	struct lni_extract_pipes p;
	enum ln_status s;

	make_request(x->opts, &req);
	if ((s = lni_extract_send(&req, fd, &p, x->err)) != LN_OK)
		return s;
	if ((s = read_text(x, p.text_fd)) == LN_OK && !x->is_over &&
	    (s = read_status(x, p.status_fd, &end)) == LN_OK)
		s = judge(x, &end);
	(void)close(p.text_fd);
	(void)close(p.status_fd);
	return s == LN_OK ? finish(x) : s;
}

enum ln_status
ln_extract(const struct ln_extract_opts *opts, struct ln_extract_result *out,
    struct ln_error *err)
{
	struct extraction x;
	enum ln_status s;
	int fd = opts->fd;

	memset(out, 0, sizeof(*out));
	memset(&x, 0, sizeof(x));
	x.opts = opts;
	x.out = out;
	x.err = err;
	x.text_max = opts->text_max > 0 && opts->text_max <
	    LN_EXTRACT_TEXT_MAX ? opts->text_max : LN_EXTRACT_TEXT_MAX;
	/* One read on top of what is not yet a segment, repaired at worst. */
	x.pending = (struct ln_buf)LN_BUF_INIT(LN_EXTRACT_SEGMENT_MAX +
	    READ_BYTES * 3 + 64);
	if (opts->bytes != NULL) {
		if (opts->bytes_count > (size_t)LN_EXTRACT_FILE_MAX)
			return fail_for(&x, LN_EXTRACT_FILE_TOO_LARGE, "size",
			    0);
		if ((s = bytes_to_file(opts, &fd, err)) != LN_OK)
			return s;
	}
	if ((s = check_file(&x, fd)) == LN_OK)
		s = run(&x, fd);
	if (opts->bytes != NULL)
		(void)close(fd);
	ln_buf_free(&x.pending);
	return s;
}

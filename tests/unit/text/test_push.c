#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>

#include "text/ndjson.h"
#include "text/sse.h"

#define EVENT_MAX ((size_t)64)

/* What a parser said, written down: "name|data|id;" or "line;". */
static bool
note_event(void *arg, const struct lni_sse_event *ev)
{
	struct ln_buf *b = arg;

	assert_int_equal(strlen(ev->data), ev->len);
	ln_buf_printf(b, "%s|%s|%s;", ev->name, ev->data, ev->id);
	return strcmp(ev->data, "stop") != 0;
}

static bool
note_line(void *arg, const char *line, size_t n)
{
	struct ln_buf *b = arg;

	ln_buf_put(b, line, n);
	ln_buf_putc(b, ';');
	return n != 4 || memcmp(line, "stop", 4) != 0;
}

/* Feed ${n} bytes, cut before ${first} and then every ${step}. */
static enum ln_status
sse_in_pieces(const char *s, size_t n, size_t first, size_t step,
    struct ln_buf *notes)
{
	enum ln_status st;
	struct lni_sse p;
	size_t i = 0, piece = first;

	lni_sse_init(&p, EVENT_MAX, note_event, notes);
	do {
		if (piece > n - i)
			piece = n - i;
		st = lni_sse_feed(&p, s + i, piece);
		i += piece;
		piece = step;
	} while (i < n);
	lni_sse_free(&p);
	return st;
}

static enum ln_status
ndjson_in_pieces(const char *s, size_t n, size_t first, size_t step,
    struct ln_buf *notes)
{
	enum ln_status st;
	struct lni_ndjson p;
	size_t i = 0, piece = first;

	lni_ndjson_init(&p, EVENT_MAX, note_line, notes);
	do {
		if (piece > n - i)
			piece = n - i;
		st = lni_ndjson_feed(&p, s + i, piece);
		i += piece;
		piece = step;
	} while (i < n);
	if (st == LN_OK)
		st = lni_ndjson_end(&p);
	lni_ndjson_free(&p);
	return st;
}

static const struct row {
	const char *name;
	const char *in;
	const char *out;
	enum ln_status status;
} sse_rows[] = {
	{ "one event", "data: a\n\n", "message|a|;", LN_OK },
	{ "CR", "data: a\r\rdata: b\r\r", "message|a|;message|b|;", LN_OK },
	{ "CRLF", "data: a\r\n\r\n", "message|a|;", LN_OK },
	{ "mixed ends", "data: a\r\ndata: b\n\r\n", "message|a\nb|;", LN_OK },
	{ "name and id", "event: x\nid: 7\ndata: a\n\ndata: b\n\n",
	    "x|a|7;message|b|7;", LN_OK },
	{ "comment", ": hi\ndata: a\n:\n\n", "message|a|;", LN_OK },
	{ "one space goes", "data:  a\n\ndata:b\n\n",
	    "message| a|;message|b|;", LN_OK },
	{ "no colon", "data\n\n", "message||;", LN_OK },
	{ "no data, no event", "event: x\n\ndata: a\n\n", "message|a|;",
	    LN_OK },
	{ "unknown field", "retry: 1\nfoo: b\ndata: a\n\n", "message|a|;",
	    LN_OK },
	{ "byte order mark", "\xef\xbb\xbf" "data: a\n\n", "message|a|;",
	    LN_OK },
	{ "colon in data", "data: {\"a\":1}\n\n", "message|{\"a\":1}|;",
	    LN_OK },
	{ "unfinished", "data: a\n\ndata: b\n", "message|a|;", LN_OK },
	{ "UTF-8", "data: gr\xc3\xbc\xc3\x9f\n\n", "message|gr\xc3\xbc\xc3\x9f|;",
	    LN_OK },
	{ "stopped", "data: stop\n\ndata: b\n\n", "message|stop|;", LN_OK },
	{ "line too long", "data: 0123456789012345678901234567890123456789"
	    "012345678901234567890\n\n", "", LN_TOO_LARGE },
	{ "event too long", "data: 01234567890123456789012345678901\n"
	    "data: 01234567890123456789012345678901\n\ndata: a\n\n", "",
	    LN_TOO_LARGE },
	{ "nothing", "", "", LN_OK },
};

static const struct row ndjson_rows[] = {
	{ "lines", "{}\n[1]\n", "{};[1];", LN_OK },
	{ "no last end", "{}\n[1]", "{};[1];", LN_OK },
	{ "CRLF", "{}\r\n[1]\r\n", "{};[1];", LN_OK },
	{ "blank lines", "\n\n{}\n  \n\t\r\n[1]\n\n", "{};[1];", LN_OK },
	{ "stopped", "stop\n{}\n", "stop;", LN_OK },
	{ "fits exactly", "01234567890123456789012345678901"
	    "01234567890123456789012345678901\n1\n",
	    "01234567890123456789012345678901"
	    "01234567890123456789012345678901;1;", LN_OK },
	{ "one byte over", "1\n01234567890123456789012345678901"
	    "012345678901234567890123456789012\n2\n", "1;", LN_TOO_LARGE },
	{ "nothing", "", "", LN_OK },
};

static void
check(const struct row *r, enum ln_status (*parse)(const char *, size_t,
    size_t, size_t, struct ln_buf *))
{
	size_t n = strlen(r->in), first, step;
	struct ln_buf notes = LN_BUF_INIT(4096);
	enum ln_status s;

	for (step = 1; step <= 7; step += 3) {
		for (first = 0; first <= n; first++) {
			s = parse(r->in, n, first, step, &notes);
			if (s != r->status ||
			    strcmp(ln_buf_str(&notes), r->out) != 0)
				fail_msg("%s, cut at %zu then every %zu: %d %s",
				    r->name, first, step, (int)s,
				    ln_buf_str(&notes));
			ln_buf_clear(&notes);
		}
		/* Two pieces: one cut only. */
		for (first = 0; first <= n; first++) {
			s = parse(r->in, n, first, n + 1, &notes);
			assert_int_equal(s, r->status);
			assert_string_equal(ln_buf_str(&notes), r->out);
			ln_buf_clear(&notes);
		}
	}
	ln_buf_free(&notes);
}

static void
sse_events_do_not_depend_on_how_bytes_are_cut(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sse_rows) / sizeof(sse_rows[0]); i++)
		check(&sse_rows[i], sse_in_pieces);
}

static void
ndjson_lines_do_not_depend_on_how_bytes_are_cut(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ndjson_rows) / sizeof(ndjson_rows[0]); i++)
		check(&ndjson_rows[i], ndjson_in_pieces);
}

static bool
note_stray(void *arg, const char *line, size_t n)
{
	ln_buf_put(arg, line, n);
	ln_buf_putc(arg, '|');
	return true;
}

static void
lines_beside_the_events_are_told_apart(void **state)
{
	static const char text[] = ": comment\nretry: 5\nid\ndata: 1\n"
	    "event: e\n\n{\"error\": {\n  \"code\": 500 }\n}\n\ndata\n\n"
	    "no end";
	struct ln_buf notes = LN_BUF_INIT(1024);
	struct lni_sse p;
	size_t i;

	(void)state;
	lni_sse_init(&p, EVENT_MAX, note_event, &notes);
	p.stray = note_stray;
	for (i = 0; i < strlen(text); i++)
		assert_int_equal(lni_sse_feed(&p, text + i, 1), LN_OK);
	assert_int_equal(lni_sse_end(&p), LN_OK);
	lni_sse_free(&p);
	assert_non_null(strstr(ln_buf_str(&notes),
	    "{\"error\": {|  \"code\": 500 }|}|"));
	assert_non_null(strstr(ln_buf_str(&notes), "no end|"));
	assert_null(strstr(ln_buf_str(&notes), "comment"));
	assert_null(strstr(ln_buf_str(&notes), "retry"));
	ln_buf_free(&notes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sse_events_do_not_depend_on_how_bytes_are_cut),
		cmocka_unit_test(lines_beside_the_events_are_told_apart),
		cmocka_unit_test(
		    ndjson_lines_do_not_depend_on_how_bytes_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

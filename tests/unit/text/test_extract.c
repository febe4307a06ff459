/* memfd_create(2) is in no standard. */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/extract.h>
#include <ln/text.h>

#define TEXT_MAX ((size_t)8 * 1024 * 1024)
#define CSV_BYTES ((size_t)40 * 1024 * 1024)
#define PDF_PAGES 300

/* What came: the text and, before each segment, "<page:line>". */
struct heard {
	struct ln_buf text;
	bool shows_places;
	bool keeps_text;
	size_t segments;
	uint32_t last_page, last_line;
	enum ln_status answer;
	bool is_stopped;
};

static enum ln_status
hear(void *arg, const struct ln_extract_segment *seg, struct ln_error *err)
{
	struct heard *h = arg;

	assert_true(seg->length > 0 && seg->length <=
	    LN_EXTRACT_SEGMENT_MAX);
	assert_true(ln_utf8_valid(seg->text, seg->length));
	assert_null(memchr(seg->text, '\0', seg->length));
	if (h->shows_places)
		ln_buf_printf(&h->text, "<%u:%u>", seg->page, seg->line);
	if (h->keeps_text)
		ln_buf_put(&h->text, seg->text, seg->length);
	h->segments++;
	h->last_page = seg->page;
	h->last_line = seg->line;
	if (h->answer != LN_OK)
		return ln_fail(err, h->answer, "", "told to");
	return LN_OK;
}

static bool
is_stopped(void *arg)
{
	const struct heard *h = arg;

	return h->is_stopped;
}

static void
heard_init(struct heard *h, struct ln_extract_opts *o, const void *p, size_t n)
{
	memset(h, 0, sizeof(*h));
	h->text = (struct ln_buf)LN_BUF_INIT(TEXT_MAX);
	h->keeps_text = true;
	memset(o, 0, sizeof(*o));
	o->size = sizeof(*o);
	o->bytes = p;
	o->bytes_count = n;
	o->on_segment = hear;
	o->is_stopped = is_stopped;
	o->arg = h;
}

/* The document gives this text. */
static void
expect_text(const void *p, size_t n, const char *name,
    enum ln_extract_type type, const char *want)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_extract_result r;
	struct ln_extract_opts o;
	struct heard h;
	enum ln_status s;

	heard_init(&h, &o, p, n);
	o.name = name;
	s = ln_extract(&o, &r, &err);
	if (s != LN_OK)
		print_message("%s\n", ln_error_text(&err, s));
	assert_int_equal(s, LN_OK);
	assert_string_equal(ln_buf_str(&h.text), want);
	assert_string_equal(ln_extract_type_name(r.type),
	    ln_extract_type_name(type));
	assert_int_equal(r.reason, LN_EXTRACT_READ);
	assert_int_equal(r.text_bytes, strlen(want));
	assert_false(r.is_cut);
	ln_buf_free(&h.text);
}

/* It gives none, and says why. */
static void
expect_reason(const void *p, size_t n, const char *name, int64_t timeout_ms,
    enum ln_extract_reason want)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_extract_result r;
	struct ln_extract_opts o;
	struct heard h;
	enum ln_status s;

	heard_init(&h, &o, p, n);
	h.keeps_text = false;
	o.name = name;
	o.timeout_ms = timeout_ms;
	s = ln_extract(&o, &r, &err);
	if (r.reason != want)
		print_message("%s\n", ln_error_text(&err, s));
	assert_int_equal(r.reason, want);
	assert_true(s == LN_INVALID || s == LN_TOO_LARGE);
	assert_string_equal(err.text, ln_extract_reason_text(want));
	ln_buf_free(&h.text);
}

#define TEXT(s) (s), sizeof(s) - 1

/* --- texts --------------------------------------------------------------- */

static void
test_plain_text_comes_as_it_is(void **state)
{
	(void)state;
	expect_text(TEXT("one\ntwo\n"), "notes.txt", LN_EXTRACT_TEXT,
	    "one\ntwo\n");
	expect_text(TEXT("one\r\ntwo\rthree"), NULL, LN_EXTRACT_TEXT,
	    "one\ntwo\nthree");
	expect_text(TEXT("# Head\n\ntext\n"), "read.MD", LN_EXTRACT_MARKDOWN,
	    "# Head\n\ntext\n");
	expect_text(TEXT("int main(void);\n"), "/a.b/main.c",
	    LN_EXTRACT_CODE, "int main(void);\n");
	expect_text(TEXT("{\"a\": 1}\n"), "a.json", LN_EXTRACT_JSON,
	    "{\"a\": 1}\n");
	expect_text(TEXT("a;b\n1;2\n"), "t.csv", LN_EXTRACT_CSV,
	    "a;b\n1;2\n");
	expect_text(TEXT("static char m[] = \"x\"; /* %PDF-1.4 */\n"), "x.c",
	    LN_EXTRACT_CODE, "static char m[] = \"x\"; /* %PDF-1.4 */\n");
}

static void
test_other_encodings_become_utf8(void **state)
{
	(void)state;
	expect_text(TEXT("\xef\xbb\xbfgr\xc3\xbc\xc3\x9f"), "a.txt",
	    LN_EXTRACT_TEXT, "gr\xc3\xbc\xc3\x9f");
	expect_text(TEXT("\xff\xfeg\0r\0\xfc\0\xdf\0\n\0"), "a.txt",
	    LN_EXTRACT_TEXT, "gr\xc3\xbc\xc3\x9f\n");
	expect_text(TEXT("\xfe\xff\0g\0r\0\xfc\0\xdf"), "a.txt",
	    LN_EXTRACT_TEXT, "gr\xc3\xbc\xc3\x9f");
	/* 0x80 is the euro sign there, 0x81 is nothing. */
	expect_text(TEXT("gr\xfc\xdf 5 \x80 \x81."), "a.txt",
	    LN_EXTRACT_TEXT, "gr\xc3\xbc\xc3\x9f 5 \xe2\x82\xac "
	    "\xef\xbf\xbd.");
}

static void
test_lines_are_counted(void **state)
{
	struct ln_buf b = LN_BUF_INIT(TEXT_MAX);
	struct ln_error err = LN_ERROR_INIT;
	struct ln_extract_result r;
	struct ln_extract_opts o;
	struct heard h;
	size_t line = LN_EXTRACT_SEGMENT_MAX / 10;
	int i;

	(void)state;
	for (i = 0; i < 25; i++)
		ln_buf_printf(&b, "%-*d\n", (int)line, i);
	heard_init(&h, &o, b.data, b.len);
	h.shows_places = true;
	assert_int_equal(ln_extract(&o, &r, &err), LN_OK);
	assert_int_equal(r.lines, 26);
	assert_int_equal(r.pages, 0);
	assert_int_equal(h.segments, 3);
	/* Whole lines: nine of them fit. */
	assert_int_equal(h.last_line, 19);
	assert_non_null(strstr(ln_buf_str(&h.text), "<0:10>9 "));
	ln_buf_free(&h.text);
	ln_buf_free(&b);
}

static void
test_html_loses_its_marks_and_keeps_its_headings(void **state)
{
	(void)state;
	expect_text(TEXT("<!DOCTYPE html><html><head><title>T</title>"
	    "<style>p{}</style><script>evil()</script></head><body>"
	    "<h1>Big <b>one</b></h1><p>first\n line<br>second &amp; last</p>"
	    "<ul><li>a<li>b</ul><h2>Two</h2><table><tr><td>x</td><td>y</td>"
	    "</tr><tr><td>1</td><td>2</td></tr></table>"
	    "<pre>a\n  b</pre><noscript>no</noscript></body></html>"), "a.html",
	    LN_EXTRACT_HTML, "T\n\n# Big one\n\nfirst line\nsecond & last\n\n"
	    "- a\n- b\n\n## Two\n\nx\ty\n1\t2\n\na\n  b");
	expect_text(TEXT("<html><head><meta charset=\"iso-8859-1\"></head>"
	    "<body><p>gr\xfc\xdf</p></body></html>"), NULL, LN_EXTRACT_HTML,
	    "gr\xc3\xbc\xc3\x9f");
	expect_text(TEXT("<html><head><meta http-equiv=content-type "
	    "content='text/html; charset=koi8-r'></head><body>\xf0\xf2"
	    "</body></html>"), "a.htm", LN_EXTRACT_HTML, "\xd0\x9f\xd0\xa0");
}

static void
test_a_large_table_is_streamed(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_extract_result r;
	struct ln_extract_opts o;
	struct heard h;
	const char row[] = "1042,Anna,2024-01-01,19.99,\"a, b\"\n";
	size_t n = sizeof(row) - 1, i;
	char *csv;

	(void)state;
	csv = malloc(CSV_BYTES);
	assert_non_null(csv);
	for (i = 0; i + n <= CSV_BYTES; i += n)
		memcpy(csv + i, row, n);
	heard_init(&h, &o, csv, i);
	h.keeps_text = false;
	o.name = "big.csv";
	assert_int_equal(ln_extract(&o, &r, &err), LN_OK);
	assert_int_equal(r.type, LN_EXTRACT_CSV);
	assert_int_equal(r.text_bytes, i);
	assert_int_equal(r.lines, i / n + 1);

	/* Cut where that was asked for. */
	h.segments = 0;
	o.text_max = 100000;
	assert_int_equal(ln_extract(&o, &r, &err), LN_OK);
	assert_true(r.is_cut);
	assert_true(r.text_bytes >= 100000 && r.text_bytes < 400000);
	free(csv);
}

/* --- PDF ----------------------------------------------------------------- */

struct pdf {
	struct ln_buf b;
	size_t offsets[2 * PDF_PAGES + 8];
	size_t count;
};

static void
pdf_object(struct pdf *p, const char *body)
{
	p->offsets[p->count++] = p->b.len;
	ln_buf_printf(&p->b, "%zu 0 obj\n%s\nendobj\n", p->count, body);
}

static void
pdf_stream(struct pdf *p, const char *s)
{
	p->offsets[p->count++] = p->b.len;
	ln_buf_printf(&p->b, "%zu 0 obj\n<</Length %zu>>stream\n%s\n"
	    "endstream\nendobj\n", p->count, strlen(s), s);
}

static void
pdf_end(struct pdf *p, const char *more)
{
	size_t i, at = p->b.len;

	ln_buf_printf(&p->b, "xref\n0 %zu\n0000000000 65535 f \n",
	    p->count + 1);
	for (i = 0; i < p->count; i++)
		ln_buf_printf(&p->b, "%010zu 00000 n \n", p->offsets[i]);
	ln_buf_printf(&p->b, "trailer\n<</Size %zu/Root 1 0 R%s>>\nstartxref\n"
	    "%zu\n%%%%EOF\n", p->count + 1, more, at);
	assert_int_equal(ln_buf_status(&p->b), LN_OK);
}

/* ${pages} pages; ${text} with one %d, or the same stream for each. */
static void
pdf_build(struct pdf *p, int pages, const char *stream)
{
	struct ln_buf kids = LN_BUF_INIT(TEXT_MAX);
	char s[256];
	int i;

	memset(p, 0, sizeof(*p));
	p->b = (struct ln_buf)LN_BUF_INIT(CSV_BYTES);
	ln_buf_puts(&p->b, "%PDF-1.4\n");
	pdf_object(p, "<</Type/Catalog/Pages 2 0 R>>");
	ln_buf_printf(&kids, "<</Type/Pages/Count %d/Kids[", pages);
	for (i = 0; i < pages; i++)
		ln_buf_printf(&kids, "%d 0 R ", 4 + 2 * i);
	ln_buf_puts(&kids, "]>>");
	pdf_object(p, ln_buf_str(&kids));
	pdf_object(p, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>");
	for (i = 0; i < pages; i++) {
		(void)snprintf(s, sizeof(s), "<</Type/Page/Parent 2 0 R"
		    "/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
		    "/Contents %d 0 R>>", 5 + 2 * i);
		pdf_object(p, s);
		(void)snprintf(s, sizeof(s), "BT /F1 12 Tf 72 700 Td "
		    "(This is page %d.) Tj ET", i + 1);
		pdf_stream(p, stream != NULL ? stream : s);
	}
	ln_buf_free(&kids);
}

static void
test_a_pdf_comes_page_by_page(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_extract_result r;
	struct ln_extract_opts o;
	struct heard h;
	struct pdf p;

	(void)state;
	pdf_build(&p, PDF_PAGES, NULL);
	pdf_end(&p, "");
	heard_init(&h, &o, p.b.data, p.b.len);
	h.shows_places = true;
	o.name = "book.txt";	/* what it is called does not matter */
	assert_int_equal(ln_extract(&o, &r, &err), LN_OK);
	assert_int_equal(r.type, LN_EXTRACT_PDF);
	assert_int_equal(r.pages, PDF_PAGES);
	assert_int_equal(h.last_page, PDF_PAGES);
	assert_int_equal(h.last_line, 0);
	assert_non_null(strstr(ln_buf_str(&h.text),
	    "<7:0>This is page 7."));
	assert_non_null(strstr(ln_buf_str(&h.text),
	    "<300:0>This is page 300."));
	ln_buf_free(&h.text);
	ln_buf_free(&p.b);
}

static void
test_a_pdf_of_pictures_says_so(void **state)
{
	struct pdf p;

	(void)state;
	pdf_build(&p, 2, "0 0 100 100 re f");
	pdf_end(&p, "");
	expect_reason(p.b.data, p.b.len, "scan.pdf", 0, LN_EXTRACT_SCANNED);
	ln_buf_free(&p.b);
}

static void
test_a_pdf_with_a_password_says_so(void **state)
{
	struct pdf p;

	(void)state;
	/* No password fits a key that is none. */
	pdf_build(&p, 1, NULL);
	pdf_object(&p, "<</Filter/Standard/V 1/R 2/P -44"
	    "/O<0000000000000000000000000000000000000000000000000000000000000"
	    "000>/U<00000000000000000000000000000000000000000000000000000000000"
	    "00000>>>");
	pdf_end(&p, "/Encrypt 6 0 R/ID[<00><00>]");
	expect_reason(p.b.data, p.b.len, "a.pdf", 0, LN_EXTRACT_LOCKED);
	ln_buf_free(&p.b);
}

static void
test_a_pdf_that_hangs_its_parser_is_given_up(void **state)
{
	struct ln_buf work = LN_BUF_INIT(CSV_BYTES);
	struct pdf p;
	int i;

	(void)state;
	/* A page that draws itself by forms that draw forms, 8 to the 12th. */
	memset(&p, 0, sizeof(p));
	p.b = (struct ln_buf)LN_BUF_INIT(CSV_BYTES);
	ln_buf_puts(&p.b, "%PDF-1.4\n");
	pdf_object(&p, "<</Type/Catalog/Pages 2 0 R>>");
	pdf_object(&p, "<</Type/Pages/Count 1/Kids[3 0 R]>>");
	pdf_object(&p, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]"
	    "/Resources<</XObject<</X 5 0 R>>>>/Contents 4 0 R>>");
	pdf_stream(&p, "/X Do");
	for (i = 0; i < 12; i++) {
		ln_buf_clear(&work);
		ln_buf_printf(&work, "%d 0 obj\n<</Type/XObject/Subtype/Form"
		    "/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>"
		    "/Length 48>>stream\n/X Do /X Do /X Do /X Do /X Do /X Do "
		    "/X Do /X Do \nendstream\nendobj\n", 5 + i, 6 + i);
		p.offsets[p.count++] = p.b.len;
		ln_buf_puts(&p.b, ln_buf_str(&work));
	}
	pdf_stream(&p, "q Q");
	pdf_end(&p, "");
	expect_reason(p.b.data, p.b.len, "slow.pdf", 500, LN_EXTRACT_TOO_SLOW);
	ln_buf_free(&p.b);
	ln_buf_free(&work);
}

static void
test_a_damaged_pdf_says_so(void **state)
{
	(void)state;
	expect_reason(TEXT("%PDF-1.4\nnothing of the kind"), "a.pdf", 0,
	    LN_EXTRACT_DAMAGED);
}

/* --- what is not read ---------------------------------------------------- */

static void
test_other_files_are_refused_by_name_of_the_reason(void **state)
{
	char *large;

	(void)state;
	expect_reason(TEXT("\x7f" "ELF\2\1\1\0\0\0\0\0"), "notes.txt", 0,
	    LN_EXTRACT_FOREIGN);
	expect_reason(TEXT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "a.md", 0,
	    LN_EXTRACT_FOREIGN);
	expect_reason(TEXT("PK\3\4 and then nonsense"), "a.docx", 0,
	    LN_EXTRACT_DAMAGED);
	expect_reason(TEXT(""), "a.txt", 0, LN_EXTRACT_EMPTY);
	expect_reason(TEXT(" \n\t\n"), "a.txt", 0, LN_EXTRACT_EMPTY);
	expect_reason(TEXT("<html><script>x</script></html>"), "a.html", 0,
	    LN_EXTRACT_EMPTY);
	large = calloc(1, (size_t)LN_EXTRACT_FILE_MAX + 1);
	assert_non_null(large);
	expect_reason(large, (size_t)LN_EXTRACT_FILE_MAX + 1, "a.txt", 0,
	    LN_EXTRACT_FILE_TOO_LARGE);
	free(large);
}

static void
test_a_descriptor_must_be_a_file(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_extract_result r;
	struct ln_extract_opts o;
	struct heard h;
	int fds[2];

	(void)state;
	heard_init(&h, &o, NULL, 0);
	assert_int_equal(pipe(fds), 0);
	o.fd = fds[0];
	assert_int_equal(ln_extract(&o, &r, &err), LN_INVALID);
	(void)close(fds[0]);
	(void)close(fds[1]);

	fds[0] = memfd_create("text", MFD_CLOEXEC);
	assert_int_equal(write(fds[0], "hello", 5), 5);
	o.fd = fds[0];
	assert_int_equal(ln_extract(&o, &r, &err), LN_OK);
	assert_string_equal(ln_buf_str(&h.text), "hello");
	/* And again, wherever its offset is now. */
	assert_int_equal(ln_extract(&o, &r, &err), LN_OK);
	assert_string_equal(ln_buf_str(&h.text), "hellohello");
	(void)close(fds[0]);
	ln_buf_free(&h.text);
}

/* --- the sandbox --------------------------------------------------------- */

static void
test_a_parser_that_was_taken_over_can_do_nothing(void **state)
{
	static const char *const orders[] = { "!socket", "!file", "!program",
		"!fork", "!kill", "!code" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		expect_reason(orders[i], strlen(orders[i]), "a.txt", 0,
		    LN_EXTRACT_STOPPED);
}

static void
test_time_memory_and_output_are_bounded(void **state)
{
	(void)state;
	expect_reason(TEXT("!hang"), "a.txt", 300, LN_EXTRACT_TOO_SLOW);
	expect_reason(TEXT("!memory"), "a.txt", 0, LN_EXTRACT_TOO_HUNGRY);
	expect_reason(TEXT("!flood"), "a.txt", 0, LN_EXTRACT_TEXT_TOO_LARGE);
	expect_reason(TEXT("!crash"), "a.txt", 0, LN_EXTRACT_DAMAGED);
	expect_reason(TEXT("!pretend"), "a.txt", 0, LN_EXTRACT_STOPPED);
}

static void
test_what_a_child_says_is_made_clean(void **state)
{
	(void)state;
	expect_text(TEXT("!lie"), "a.txt", LN_EXTRACT_TEXT,
	    "ab[31mc\xef\xbf\xbd\xef\xbf\xbd(\n\xe2\x82\xac");
}

static void
test_a_child_has_three_descriptors(void **state)
{
	int extra;

	(void)state;
	extra = open("/dev/null", O_RDWR);
	assert_true(extra >= 0);
	expect_text(TEXT("!fds"), "a.txt", LN_EXTRACT_TEXT, "012");
	(void)close(extra);
}

static size_t
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static void
test_nothing_is_left_open(void **state)
{
	size_t before = count_fds();

	(void)state;
	expect_text(TEXT("hello"), "a.txt", LN_EXTRACT_TEXT, "hello");
	expect_reason(TEXT("!crash"), "a.txt", 0, LN_EXTRACT_DAMAGED);
	expect_reason(TEXT("!flood"), "a.txt", 0, LN_EXTRACT_TEXT_TOO_LARGE);
	assert_int_equal(count_fds(), before);
}

static void
test_the_caller_can_end_it(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_extract_result r;
	struct ln_extract_opts o;
	struct heard h;

	(void)state;
	heard_init(&h, &o, "!hang", 5);
	h.is_stopped = true;
	assert_int_equal(ln_extract(&o, &r, &err), LN_CANCELLED);
	heard_init(&h, &o, "hello", 5);
	h.answer = LN_CONFLICT;
	assert_int_equal(ln_extract(&o, &r, &err), LN_CONFLICT);
	assert_int_equal(h.segments, 1);
	ln_buf_free(&h.text);
}

static void *
read_many(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 4; i++)
		expect_text(TEXT("hello"), "a.txt", LN_EXTRACT_TEXT, "hello");
	return NULL;
}

static void
test_threads_read_at_the_same_time(void **state)
{
	pthread_t threads[6];
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_many,
		    NULL), 0);
	for (i = 0; i < 6; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static int
start_reader(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *bin = getenv("LN_BIN");
	char path[4096];

	(void)state;
	if (ln_init(&err) != LN_OK)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/tests/ln-extract",
	    bin != NULL ? bin : "build");
	if (ln_extract_start("/nonexistent/ln-extract", &err) !=
	    LN_UNSUPPORTED)
		return -1;
	return ln_extract_start(path, &err) == LN_OK ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_comes_as_it_is),
		cmocka_unit_test(test_other_encodings_become_utf8),
		cmocka_unit_test(test_lines_are_counted),
		cmocka_unit_test(
		    test_html_loses_its_marks_and_keeps_its_headings),
		cmocka_unit_test(test_a_large_table_is_streamed),
		cmocka_unit_test(test_a_pdf_comes_page_by_page),
		cmocka_unit_test(test_a_pdf_of_pictures_says_so),
		cmocka_unit_test(test_a_pdf_with_a_password_says_so),
		cmocka_unit_test(test_a_pdf_that_hangs_its_parser_is_given_up),
		cmocka_unit_test(test_a_damaged_pdf_says_so),
		cmocka_unit_test(
		    test_other_files_are_refused_by_name_of_the_reason),
		cmocka_unit_test(test_a_descriptor_must_be_a_file),
		cmocka_unit_test(
		    test_a_parser_that_was_taken_over_can_do_nothing),
		cmocka_unit_test(test_time_memory_and_output_are_bounded),
		cmocka_unit_test(test_what_a_child_says_is_made_clean),
		cmocka_unit_test(test_a_child_has_three_descriptors),
		cmocka_unit_test(test_nothing_is_left_open),
		cmocka_unit_test(test_the_caller_can_end_it),
		cmocka_unit_test(test_threads_read_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, start_reader, NULL);
}

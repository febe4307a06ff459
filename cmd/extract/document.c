#include "extract.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "flow.h"
#ifdef LN_EXTRACT_MISBEHAVE
#include "misbehave.h"
#endif

#ifndef LN_PDFTOTEXT
#define LN_PDFTOTEXT "/usr/bin/pdftotext"
#endif
#define PDF_MARK_WITHIN 1024	/* blanks may go before it */

void
document_end(enum ln_extract_reason r)
{
	emit_flush();
	_exit(r == LN_EXTRACT_READ ? 0 : LN_EXTRACT_WIRE_REASON + (int)r);
}

static void
read_request(struct ln_extract_wire_request *req)
{
	ssize_t n;

	do
		n = read(EXTRACT_REQUEST_FD, req, sizeof(*req));
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(*req) || req->magic != LN_EXTRACT_WIRE_MAGIC)
		_exit(LN_EXTRACT_WIRE_UNCONFINED);
	(void)close(EXTRACT_REQUEST_FD);
	req->ending[sizeof(req->ending) - 1] = '\0';
	req->charset[sizeof(req->charset) - 1] = '\0';
}

static size_t
document_size(void)
{
	struct stat st;

	if (fstat(0, &st) == -1 || !S_ISREG(st.st_mode))
		_exit(LN_EXTRACT_WIRE_UNCONFINED);
	if (st.st_size > LN_EXTRACT_FILE_MAX)
		document_end(LN_EXTRACT_FILE_TOO_LARGE);
	if (st.st_size == 0)
		document_end(LN_EXTRACT_EMPTY);
	return (size_t)st.st_size;
}

/* The only look at a document before the sandbox stands. */
static bool
is_pdf(void)
{
	static const char mark[] = "%PDF-";
	char start[PDF_MARK_WITHIN];
	ssize_t i = 0, n;

	if ((n = pread(0, start, sizeof(start), 0)) <= 0)
		return false;
	if (n >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	while (i < n && strchr(" \t\r\n", start[i]) != NULL &&
	    start[i] != '\0')
		i++;
	return n - i >= (ssize_t)sizeof(mark) - 1 &&
	    memcmp(start + i, mark, sizeof(mark) - 1) == 0;
}

/* What pdftotext prints is what ln/extract_wire.h wants, form feeds and all. */
static _Noreturn void
pdf_document(const struct ln_extract_wire_request *req)
{
	static char name[] = "pdftotext", encoding[] = "-enc",
	    utf8[] = "UTF-8", eol[] = "-eol", unix_eol[] = "unix", in[] = "-",
	    out[] = "-", locale[] = "LC_ALL=C";
	char *const argv[] = { name, encoding, utf8, eol, unix_eol, in, out,
		NULL };
	char *const envp[] = { locale, NULL };

	if (access(LN_PDFTOTEXT, X_OK) == -1)
		_exit(LN_EXTRACT_WIRE_NO_PARSER);
	emit_head(LN_EXTRACT_PDF);
	emit_flush();
	if (lseek(0, 0, SEEK_SET) == -1)
		_exit(LN_EXTRACT_WIRE_UNCONFINED);
	confine_user();
	confine_files(LN_PDFTOTEXT);
	confine_limits(req->timeout_ms, true);
	confine_calls(true);
	(void)execve(LN_PDFTOTEXT, argv, envp);
	_exit(LN_EXTRACT_WIRE_NO_PARSER);
}

static void
put_plain(void *arg, const char *p, size_t n)
{
	(void)arg;
	emit(p, n);
}

static _Noreturn void
text_document(const struct ln_extract_wire_request *req, const char *p,
    size_t n)
{
	enum ln_extract_type type;
	struct flow f = FLOW_INIT;
	size_t skip = 0;
	int charset, said;

	if (!kind_of(p, n, req->ending, &type))
		document_end(LN_EXTRACT_FOREIGN);
	emit_head(type);
	charset = charset_of(p, n, &skip);
	said = charset_find(req->charset, strlen(req->charset));
	if (type == LN_EXTRACT_HTML) {
		if (skip == 0)
			charset = said;
		html_text(&f, p + skip, n - skip, charset);
	} else {
		/* Bytes that are UTF-8 are UTF-8, whatever is said. */
		if (charset == CHARSET_WINDOWS_1252 && said > CHARSET_UTF8)
			charset = said;
		charset_convert(charset, p + skip, n - skip, put_plain, NULL);
	}
	document_end(LN_EXTRACT_READ);
}

/* Libraries open files when they start; afterwards nothing can. */
static void
load_libraries(void)
{
	if (setlocale(LC_ALL, "C.UTF-8") == NULL)
		(void)setlocale(LC_ALL, "C");
	/* Dates in archives are local time, which is looked up each time unless
	 * it is this one. */
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	xmlInitParser();
	charset_load();
	kind_load();
}

void
document_main(void)
{
	struct ln_extract_wire_request req;
	const char *p;
	size_t n;

	read_request(&req);
	n = document_size();
	if (is_pdf())
		pdf_document(&req);
	load_libraries();
	p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, 0, 0);
	if (p == MAP_FAILED)
		document_end(LN_EXTRACT_TOO_HUNGRY);
	confine_user();
	confine_files(NULL);
	confine_limits(req.timeout_ms, false);
	confine_calls(false);
#ifdef LN_EXTRACT_MISBEHAVE
	misbehave(p, n);
#endif
	if (n >= 4 && memcmp(p, "PK\3\4", 4) == 0)
		zip_document(p, n);
	text_document(&req, p, n);
}

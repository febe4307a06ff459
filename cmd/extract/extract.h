#ifndef EXTRACT_H
#define EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ln/extract.h>
#include <ln/extract_wire.h>

/*
 * ln-extract, the reader of documents (see ln/extract_wire.h).  One program,
 * three lives: the reader waits for requests and forks a keeper for each; the
 * keeper starts this program again as the child that parses, minds the clock
 * and says how it ended.
 */

#define EXTRACT_SOCKET_FD 3	/* of the reader */
#define EXTRACT_REQUEST_FD 3	/* of the child: a pipe with the request */
#define EXTRACT_CHILD_ARG "--document"

/* keeper.c: see to one request.  Does not return. */
_Noreturn void keeper_main(const struct ln_extract_wire_request *req,
    int document_fd, int text_fd, int status_fd);
void keeper_status(int fd, enum ln_extract_wire_end end, int value,
    uint32_t notes);

/* document.c: the child.  Does not return. */
_Noreturn void document_main(void);

/**
 * document_end(r):
 * Write what is left and end the child with ${r}.
 */
_Noreturn void document_end(enum ln_extract_reason r);

/*
 * confine.c: what a child gives up, in this order.  Each ends the child when
 * the system refuses.  Afterwards a child that ${is_program} may run pdftotext
 * and nothing else; another can open nothing at all.
 */
void confine_user(void);
void confine_limits(uint32_t timeout_ms, bool is_program);
void confine_files(const char *program);
void confine_calls(bool is_program);

/* emit.c: the text, to file descriptor 1. */
void emit_head(enum ln_extract_type t);
void emit(const char *p, size_t n);
void emit_flush(void);

/* charset.c */

/* Load the converters, while files can be opened. */
void charset_load(void);

/* The number of the charset called ${name} (a label of the web), or -1. */
int charset_find(const char *name, size_t n);
#define CHARSET_UTF8 0
#define CHARSET_WINDOWS_1252 1

/**
 * charset_of(p, n, skip):
 * What the ${n} bytes are by themselves: a byte order mark, of which ${skip}
 * is the length; else UTF-8 when they are; else Windows-1252.
 */
int charset_of(const char *p, size_t n, size_t *skip);

/* Hand ${n} bytes to ${put} as UTF-8; what is no character is U+FFFD. */
void charset_convert(int charset, const char *p, size_t n,
    void (*put)(void *arg, const char *p, size_t n), void *arg);

/* kind.c */

/* Load the descriptions of file types, while files can be opened. */
void kind_load(void);

/**
 * kind_of(p, n, ending, out):
 * What kind of text the bytes are; false when they are no text.
 */
bool kind_of(const char *p, size_t n, const char *ending,
    enum ln_extract_type *out);

/* html.c: the text of a page in the given charset (-1: it says so itself). */
struct flow;
void html_text(struct flow *f, const char *p, size_t n, int charset);

/* zip.c, docx.c, odt.c, epub.c: each ends the child when it is done. */
struct zip;
_Noreturn void zip_document(const char *p, size_t n);
_Noreturn void docx_document(struct zip *z);
_Noreturn void odt_document(struct zip *z);
_Noreturn void epub_document(struct zip *z);

#endif

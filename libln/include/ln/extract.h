#ifndef LN_EXTRACT_H
#define LN_EXTRACT_H

#include <ln/base.h>
#include <ln/error.h>

/*
 * Text out of documents that somebody else made.  No document is parsed in the
 * calling process: a reader process of its own (ln-extract) starts a
 * short-lived child for each document, which has no network, next to no system
 * calls, and bounds on memory, time and output.  What comes back is checked
 * again here.
 */

#define LN_EXTRACT_FILE_MAX ((int64_t)50 * 1024 * 1024)
#define LN_EXTRACT_TEXT_MAX ((int64_t)64 * 1024 * 1024)
#define LN_EXTRACT_TIMEOUT_MS 60000
#define LN_EXTRACT_SEGMENT_MAX ((size_t)64 * 1024)

/* What a document is, by its content; the name only tells texts apart. */
enum ln_extract_type {
	LN_EXTRACT_UNKNOWN,
	LN_EXTRACT_TEXT,
	LN_EXTRACT_MARKDOWN,
	LN_EXTRACT_CODE,
	LN_EXTRACT_CSV,
	LN_EXTRACT_JSON,
	LN_EXTRACT_HTML,
	LN_EXTRACT_PDF,
	LN_EXTRACT_DOCX,
	LN_EXTRACT_ODT,
	LN_EXTRACT_EPUB,
	LN_EXTRACT_TYPES,
};

/* Why a document gave no text. */
enum ln_extract_reason {
	LN_EXTRACT_READ,		/* it gave some */
	LN_EXTRACT_EMPTY,		/* there is none in it */
	LN_EXTRACT_SCANNED,		/* a PDF of pictures */
	LN_EXTRACT_LOCKED,		/* it wants a password */
	LN_EXTRACT_FOREIGN,		/* a kind of file we do not read */
	LN_EXTRACT_DAMAGED,
	LN_EXTRACT_FILE_TOO_LARGE,
	LN_EXTRACT_TEXT_TOO_LARGE,	/* more text than allowed; bombs */
	LN_EXTRACT_TOO_SLOW,
	LN_EXTRACT_TOO_HUNGRY,		/* of memory */
	LN_EXTRACT_STOPPED,		/* its parser did what it must not */
	LN_EXTRACT_REASONS,
};

/**
 * struct ln_extract_segment:
 * A piece of text: UTF-8 without control characters but tab and newline, not
 * NUL-terminated, 1 to LN_EXTRACT_SEGMENT_MAX bytes, borrowed for the call.
 * Headings of HTML, DOCX, ODT and EPUB are lines that begin with "# " to
 * "###### "; paragraphs are separated by an empty line.  ${page} counts from 1
 * and is 0 for types without pages; a page may come in several segments.
 * ${line} is the number of the first line of the segment in the file, from 1,
 * and 0 for types without lines; such a segment ends with a line where lines
 * are not longer than a segment.
 */
struct ln_extract_segment {
	const char *text;
	size_t length;
	uint32_t page;
	uint32_t line;
};

/**
 * ln_extract_fn:
 * Gets the segments in order.  What is not LN_OK ends the work and is what
 * ln_extract returns, with the ${err} that was filled.
 */
typedef enum ln_status ln_extract_fn(void *arg,
    const struct ln_extract_segment *seg, struct ln_error *err);

/**
 * struct ln_extract_opts:
 * The document is the ${bytes_count} bytes at ${bytes} or, when that is NULL,
 * the regular file ${fd} from its beginning (borrowed; best opened read-only;
 * its offset moves).  ${name} is what the file is called (only its ending
 * counts; may be NULL), ${charset} what a web server said (may be NULL).
 * With ${text_max} the text is cut after about so many bytes and that is no
 * failure; with 0 text beyond LN_EXTRACT_TEXT_MAX is one.  ${timeout_ms} 0
 * means LN_EXTRACT_TIMEOUT_MS.  ${is_stopped} (may be NULL) is called with
 * ${arg} at least every 200 ms: true ends the work with LN_CANCELLED.
 */
struct ln_extract_opts {
	size_t size;
	const void *bytes;
	size_t bytes_count;
	int fd;
	const char *name;
	const char *charset;
	int64_t text_max;
	int64_t timeout_ms;
	ln_extract_fn *on_segment;
	bool (*is_stopped)(void *arg);
	void *arg;
};

/* ${lines} and ${pages} are 0 for types without them. */
struct ln_extract_result {
	enum ln_extract_type type;
	enum ln_extract_reason reason;
	uint32_t pages;
	uint32_t lines;
	int64_t text_bytes;
	bool is_cut;
};

/**
 * ln_extract(opts, out, err):
 * Hand the text of a document to ${opts}->on_segment.  Blocking: for worker
 * threads; thread-safe.  ${out} (not NULL) is filled as far as known in every
 * case.  LN_OK: at least one segment with more than white space was given.
 * LN_INVALID or LN_TOO_LARGE: the document's own fault, ${out}->reason says
 * which and ${err}->text says it in a sentence that is safe to show and to
 * keep; segments that were given already do not count.  LN_UNSUPPORTED when
 * ln-extract or a parser is not installed; LN_CANCELLED; LN_IO, LN_NOMEM,
 * LN_INTERNAL: the machine's fault, ${out}->reason is LN_EXTRACT_READ.
 */
LN_API enum ln_status ln_extract(const struct ln_extract_opts *opts,
    struct ln_extract_result *out, struct ln_error *err) LN_USE;

/**
 * ln_extract_text(opts, max, out, result, err):
 * The same with all of the text appended to ${out}, for a model to read:
 * each page after a line "[Page 3]", and after about ${max} bytes the text ends
 * with a line that says that there is more (${result}->is_cut).  The fields
 * text_max and on_segment of ${opts} are not looked at.
 */
struct ln_buf;
LN_API enum ln_status ln_extract_text(const struct ln_extract_opts *opts,
    size_t max, struct ln_buf *out, struct ln_extract_result *result,
    struct ln_error *err) LN_USE;

/* What ln_extract_text adds to ${max} bytes at most. */
#define LN_EXTRACT_TEXT_SPARE ((size_t)1024)

/**
 * ln_extract_start(program, err):
 * Start the reader process of this process and those it will fork.  A process
 * that will be sandboxed must, before it seals itself; for others ln_extract
 * does it when it is first needed.  It ends when all of them have.  ${program}
 * is its path; NULL: beside the running program, or where it was installed.
 * Idempotent, thread-safe.  LN_UNSUPPORTED when it is not there; LN_IO.
 */
LN_API enum ln_status ln_extract_start(const char *program,
    struct ln_error *err) LN_USE;

/**
 * ln_extract_type_name(t) / ln_extract_reason_text(r):
 * A short stable word ("pdf", "code"; "unknown") / the sentence for people.
 * Static.
 */
LN_API const char *ln_extract_type_name(enum ln_extract_type t);
LN_API const char *ln_extract_reason_text(enum ln_extract_reason r);

#endif

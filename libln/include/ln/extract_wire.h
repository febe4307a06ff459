#ifndef LN_EXTRACT_WIRE_H
#define LN_EXTRACT_WIRE_H

#include <stdint.h>

/*
 * What libln and ln-extract say to each other, on one machine and in one
 * release: plain structs of the machine's own byte order.
 *
 * The reader process has a SOCK_SEQPACKET socket.  Each message is a struct
 * ln_extract_wire_request with three descriptors (SCM_RIGHTS): the document, a
 * regular file; a pipe for the text; a pipe for the outcome.  The first gets a
 * struct ln_extract_wire_head and then UTF-8, a form feed after each page of
 * types that have pages.  The second gets one struct ln_extract_wire_status
 * when all is over.  Whoever closes the reading end of the second stops the
 * work.
 */

#define LN_EXTRACT_WIRE_MAGIC 0x4c4e5801u

struct ln_extract_wire_request {
	uint32_t magic;
	uint32_t timeout_ms;
	char ending[24];	/* of the name, lower case; "" */
	char charset[40];	/* as a web server said it; "" */
};

struct ln_extract_wire_head {
	uint32_t magic;
	uint32_t type;		/* enum ln_extract_type */
};

enum ln_extract_wire_end {
	LN_EXTRACT_WIRE_EXITED,		/* value: the exit code */
	LN_EXTRACT_WIRE_KILLED,		/* value: the signal */
	LN_EXTRACT_WIRE_TIMED_OUT,
	LN_EXTRACT_WIRE_FAILED,		/* no child could be made */
};

/* What a parser wrote to its standard error. */
#define LN_EXTRACT_WIRE_LOCKED 1u
#define LN_EXTRACT_WIRE_HUNGRY 2u

struct ln_extract_wire_status {
	uint32_t magic;
	uint32_t end;
	int32_t value;
	uint32_t notes;
};

/* Exit codes of the child.  Others are those of pdftotext. */
#define LN_EXTRACT_WIRE_REASON 64	/* plus enum ln_extract_reason */
#define LN_EXTRACT_WIRE_UNCONFINED 120	/* the sandbox could not be made */
#define LN_EXTRACT_WIRE_NO_PARSER 121	/* a program or library is missing */

#endif

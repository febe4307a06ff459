#ifndef LNI_EXTRACT_READER_H
#define LNI_EXTRACT_READER_H

#include <ln/error.h>
#include <ln/extract_wire.h>

/* The way to the reader process, see ln/extract_wire.h. */

/* What one request is answered on: both are read and closed by the caller. */
struct lni_extract_pipes {
	int text_fd;
	int status_fd;
};

/**
 * lni_extract_send(req, fd, out, err):
 * Have the document ${fd} read.  Starts the reader process when nobody has.
 * LN_UNSUPPORTED, LN_IO.
 */
enum ln_status lni_extract_send(const struct ln_extract_wire_request *req,
    int fd, struct lni_extract_pipes *out, struct ln_error *err) LN_USE;

#endif

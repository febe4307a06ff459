#ifndef MULTIPART_H
#define MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

/**
 * multipart_boundary(type, out, outsize):
 * The boundary of a "multipart/form-data" content type; false when ${type}
 * (may be NULL) is another one or has no usable boundary.
 */
bool multipart_boundary(const char *type, char *out, size_t outsize);

/**
 * multipart_part(p, n, boundary, name, out, out_len):
 * The content of the first part that is called ${name}, borrowed from the
 * ${n} bytes at ${p}.  Reads the bytes once, so that large bodies are cheap.
 */
bool multipart_part(const void *p, size_t n, const char *boundary,
    const char *name, const void **out, size_t *out_len);

/**
 * multipart_file(p, n, boundary, name, filename, filename_size, out, out_len):
 * The same, and what the sender calls the file, without folders; "" when he
 * says nothing, too much, or no text.
 */
bool multipart_file(const void *p, size_t n, const char *boundary,
    const char *name, char *filename, size_t filename_size,
    const void **out, size_t *out_len);

/**
 * multipart_nth(p, n, boundary, name, index, filename, filename_size, out,
 * out_len):
 * The same for the part of that name that ${index} others of it precede.
 */
bool multipart_nth(const void *p, size_t n, const char *boundary,
    const char *name, size_t index, char *filename, size_t filename_size,
    const void **out, size_t *out_len);

#endif

#include "multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <ln/text.h>

/*
 * Kore's own form reader walks a body byte by byte on the event loop and wants
 * the boundary as the second and last parameter.  A database export has
 * hundreds of megabytes and is looked at in a worker thread, so this finds the
 * delimiters (RFC 2046, 5.1.1) with memmem() and copies nothing.
 */

#define BOUNDARY_MAX 70		/* RFC 2046 */
#define PART_HEADERS_MAX 4096

bool
multipart_boundary(const char *type, char *out, size_t outsize)
{
	static const char media[] = "multipart/form-data";
	const char *p;
	size_t n;
	bool is_quoted;

	if (type == NULL || strncasecmp(type, media, sizeof(media) - 1) != 0)
		return false;
	p = type + sizeof(media) - 1;
	while ((p = strchr(p, ';')) != NULL) {
		p++;
		p += strspn(p, " \t");
		if (strncasecmp(p, "boundary=", 9) != 0)
			continue;
		p += 9;
		is_quoted = *p == '"';
		p += is_quoted ? 1 : 0;
		n = strcspn(p, is_quoted ? "\"" : "; \t");
		if (n == 0 || n > BOUNDARY_MAX || n >= outsize)
			return false;
		memcpy(out, p, n);
		out[n] = '\0';
		return true;
	}
	return false;
}

/* Whether the part's headers carry Content-Disposition with that name. */
static bool
is_named(const char *headers, size_t n, const char *name)
{
	static const char disposition[] = "content-disposition:";
	char want[80];
	const char *line, *end;
	size_t len;
	int w;

	w = snprintf(want, sizeof(want), "; name=\"%s\"", name);
	if (w < 0 || (size_t)w >= sizeof(want))
		return false;
	for (line = headers; line < headers + n; line = end + 2) {
		len = n - (size_t)(line - headers);
		if ((end = memmem(line, len, "\r\n", 2)) == NULL)
			end = line + len;
		len = (size_t)(end - line);
		if (len > sizeof(disposition) && strncasecmp(line,
		    disposition, sizeof(disposition) - 1) == 0 &&
		    memmem(line, len, want, (size_t)w) != NULL)
			return true;
	}
	return false;
}

/* The same, and the part's headers. */
static bool
find_part(const void *bytes, size_t n, const char *boundary, const char *name,
    size_t index, const char **out_head, size_t *out_head_len, const void **out,
    size_t *out_len)
{
	char delimiter[BOUNDARY_MAX + 8];
	const char *p = bytes, *end, *head, *next, *limit;
	size_t dlen, max;

	*out = NULL;
	*out_len = 0;
	dlen = (size_t)snprintf(delimiter, sizeof(delimiter), "\r\n--%s",
	    boundary);
	if (dlen >= sizeof(delimiter))
		return false;
	limit = p + n;
	/* The first delimiter has no line before it. */
	if (n < dlen || memcmp(p, delimiter + 2, dlen - 2) != 0)
		return false;
	p += dlen - 2;
	for (;;) {
		if (limit - p < 2 || memcmp(p, "\r\n", 2) != 0)
			return false;	/* "--": the last one */
		/* The part may have no header at all: keep this line end. */
		max = (size_t)(limit - p);
		if (max > PART_HEADERS_MAX)
			max = PART_HEADERS_MAX;
		if ((end = memmem(p, max, "\r\n\r\n", 4)) == NULL)
			return false;
		head = p + 2;
		p = end + 4;
		next = memmem(p, (size_t)(limit - p), delimiter, dlen);
		if (next == NULL)
			return false;
		if (head < end && is_named(head, (size_t)(end - head), name) &&
		    index-- == 0) {
			*out_head = head;
			*out_head_len = (size_t)(end - head);
			*out = p;
			*out_len = (size_t)(next - p);
			return true;
		}
		p = next + dlen;
	}
}

bool
multipart_part(const void *bytes, size_t n, const char *boundary,
    const char *name, const void **out, size_t *out_len)
{
	const char *head;
	size_t head_len;

	return find_part(bytes, n, boundary, name, 0, &head, &head_len,
	    out, out_len);
}

/* Browsers write a quote as %22; what is before a slash is their folder. */
static void
copy_filename(const char *p, size_t n, char *out, size_t outsize)
{
	size_t i, start = 0;

	for (i = 0; i < n && p[i] != '"'; i++)
		if (p[i] == '/' || p[i] == '\\')
			start = i + 1;
	p += start;
	n = i - start;
	if (n >= outsize || !ln_utf8_valid(p, n))
		n = 0;
	memcpy(out, p, n);
	out[n] = '\0';
	if (ln_text_has_control(out))
		out[0] = '\0';
}

bool
multipart_nth(const void *bytes, size_t n, const char *boundary,
    const char *name, size_t index, char *filename, size_t filename_size,
    const void **out, size_t *out_len)
{
	static const char key[] = "; filename=\"";
	const char *at, *head;
	size_t head_len;

	filename[0] = '\0';
	if (!find_part(bytes, n, boundary, name, index, &head, &head_len,
	    out, out_len))
		return false;
	if ((at = memmem(head, head_len, key, sizeof(key) - 1)) != NULL) {
		at += sizeof(key) - 1;
		copy_filename(at, head_len - (size_t)(at - head), filename,
		    filename_size);
	}
	return true;
}

bool
multipart_file(const void *p, size_t n, const char *boundary,
    const char *name, char *filename, size_t filename_size,
    const void **out, size_t *out_len)
{
	return multipart_nth(p, n, boundary, name, 0, filename, filename_size,
	    out, out_len);
}

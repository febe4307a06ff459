#ifndef ZIP_H
#define ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <expat.h>

/* A zip archive in memory, and XML inside. */

struct archive;

struct zip {
	const char *bytes;
	size_t count;
	struct archive *archive;
	const char *name;	/* of the entry at hand */
	bool is_locked;		/* it is encrypted */
	int64_t unpacked;	/* bytes so far */
};

/*
 * Go to the beginning / to the next entry (false at the end).  What is damaged
 * or too large ends the child, here and below.
 */
void zip_rewind(struct zip *z);
bool zip_next(struct zip *z);

/* The next bytes of the entry, borrowed; 0 at its end. */
size_t zip_read(struct zip *z, const char **out);

/* All of the entry, NUL-terminated, in memory that is never released. */
char *zip_read_all(struct zip *z, size_t *out_count);

/* The name behind a namespace's prefix. */
const char *xml_local(const char *name);

/* The value of the attribute of that local name, or NULL. */
const char *xml_attribute(const char **atts, const char *local);

/**
 * xml_entry(z, start, end, text, arg) / xml_bytes(p, n, ...):
 * Parse the entry at hand / bytes.  Documents that declare entities, nest too
 * deep or are not well-formed end the child.
 */
void xml_entry(struct zip *z, XML_StartElementHandler start,
    XML_EndElementHandler end, XML_CharacterDataHandler text, void *arg);
void xml_bytes(const char *p, size_t n, XML_StartElementHandler start,
    XML_EndElementHandler end, XML_CharacterDataHandler text, void *arg);

#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract.h"
#include "flow.h"
#include "zip.h"

#define PARTS_MAX 4096
#define NAME_BYTES 1024

/* A book is read in the order that it says, so its pages are kept. */
struct part {
	char *name;
	char *bytes;
	size_t count;
	bool is_page;
	bool is_given;
};

struct book {
	struct part parts[PARTS_MAX];
	size_t count;
	char package[NAME_BYTES];	/* the entry with the order */
	struct {
		char *id, *name;
	} items[PARTS_MAX];
	size_t item_count;
	struct flow flow;
};

static char *
copy(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		document_end(LN_EXTRACT_TOO_HUNGRY);
	return p;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
is_name(const XML_Char *name, const char *local)
{
	return strcmp(xml_local(name), local) == 0;
}

static struct part *
find_part(struct book *b, const char *name)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (strcmp(b->parts[i].name, name) == 0)
			return &b->parts[i];
	return NULL;
}

static void
read_parts(struct book *b, struct zip *z)
{
	struct part *p;
	bool is_page;

	while (zip_next(z)) {
		/* Shops lock a book by a licence of their own. */
		if (strcmp(z->name, "META-INF/rights.xml") == 0 ||
		    strcmp(z->name, "META-INF/license.lcpl") == 0)
			document_end(LN_EXTRACT_LOCKED);
		is_page = ends_with(z->name, ".xhtml") ||
		    ends_with(z->name, ".html") || ends_with(z->name, ".htm");
		if (!is_page && !ends_with(z->name, ".opf") &&
		    !ends_with(z->name, "/container.xml"))
			continue;
		if (b->count == PARTS_MAX)
			document_end(LN_EXTRACT_TEXT_TOO_LARGE);
		p = &b->parts[b->count++];
		p->name = copy(z->name);
		p->is_page = is_page;
		p->bytes = zip_read_all(z, &p->count);
	}
}

static void
on_container(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct book *b = arg;
	const char *path;

	if (!is_name(name, "rootfile") || b->package[0] != '\0')
		return;
	path = xml_attribute(atts, "full-path");
	if (path != NULL && strlen(path) < sizeof(b->package))
		memcpy(b->package, path, strlen(path) + 1);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void
decode_percent(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		}
	}
	*to = '\0';
}

/* Addresses in the package are relative to it. */
static char *
resolve(const struct book *b, const char *href)
{
	char path[NAME_BYTES * 2];
	const char *slash = strrchr(b->package, '/');
	int folder = slash != NULL ? (int)(slash + 1 - b->package) : 0, n;

	n = snprintf(path, sizeof(path), "%.*s%s", folder, b->package, href);
	if (n < 0 || (size_t)n >= sizeof(path))
		return copy("");
	decode_percent(path);
	return copy(path);
}

static void
give_page(struct book *b, struct part *p)
{
	if (!p->is_page || p->is_given)
		return;
	p->is_given = true;
	html_text(&b->flow, p->bytes, p->count, -1);
}

static void
on_package(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct book *b = arg;
	const char *href = xml_attribute(atts, "href"),
	    *id = xml_attribute(atts, "id"),
	    *idref = xml_attribute(atts, "idref");
	struct part *p;
	size_t i;

	if (is_name(name, "item") && href != NULL && id != NULL &&
	    b->item_count < PARTS_MAX) {
		b->items[b->item_count].id = copy(id);
		b->items[b->item_count++].name = resolve(b, href);
	} else if (is_name(name, "itemref") && idref != NULL) {
		for (i = 0; i < b->item_count; i++)
			if (strcmp(b->items[i].id, idref) == 0 &&
			    (p = find_part(b, b->items[i].name)) != NULL) {
				give_page(b, p);
				break;
			}
	}
}

void
epub_document(struct zip *z)
{
	struct book *b;
	struct part *p;
	size_t i;
	bool has_page = false;

	emit_head(LN_EXTRACT_EPUB);
	if ((b = calloc(1, sizeof(*b))) == NULL)
		document_end(LN_EXTRACT_TOO_HUNGRY);
	read_parts(b, z);
	if ((p = find_part(b, "META-INF/container.xml")) != NULL)
		xml_bytes(p->bytes, p->count, on_container, NULL, NULL, b);
	if ((p = find_part(b, b->package)) != NULL)
		xml_bytes(p->bytes, p->count, on_package, NULL, NULL, b);
	/* A book that names no order is read as it was packed. */
	for (i = 0; i < b->count; i++)
		has_page = has_page || b->parts[i].is_given;
	for (i = 0; !has_page && i < b->count; i++)
		give_page(b, &b->parts[i]);
	free(b);
	document_end(LN_EXTRACT_READ);
}

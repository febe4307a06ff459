#include <stdlib.h>
#include <string.h>

#include "extract.h"
#include "flow.h"
#include "zip.h"

struct body {
	struct flow flow;
	int paragraphs;		/* depth of text:p and text:h */
	int cells;
	int hidden;
};

static bool
is_name(const XML_Char *name, const char *local)
{
	return strcmp(xml_local(name), local) == 0;
}

static bool
is_hidden(const XML_Char *name)
{
	return is_name(name, "tracked-changes") || is_name(name, "annotation");
}

static void
paragraph(struct body *b, int level)
{
	b->paragraphs++;
	if (b->cells > 0)
		flow_space(&b->flow);
	else if (level > 0)
		flow_heading(&b->flow, level);
	else if (b->flow.is_item)
		flow_line(&b->flow);
	else
		flow_block(&b->flow);
}

static void
on_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct body *b = arg;
	const char *level;

	if (is_hidden(name))
		b->hidden++;
	if (b->hidden > 0)
		return;
	if (strcmp(name, "text:h") == 0) {
		level = xml_attribute(atts, "outline-level");
		paragraph(b, level != NULL && level[0] >= '1' &&
		    level[0] <= '9' ? level[0] - '0' : 1);
	} else if (strcmp(name, "text:p") == 0)
		paragraph(b, 0);
	else if (is_name(name, "s") || is_name(name, "tab"))
		flow_space(&b->flow);
	else if (is_name(name, "line-break") || is_name(name, "table-row"))
		flow_line(&b->flow);
	else if (is_name(name, "list-item"))
		flow_item(&b->flow);
	else if (is_name(name, "table-cell")) {
		flow_cell(&b->flow);
		b->cells++;
	}
}

static void
on_end(void *arg, const XML_Char *name)
{
	struct body *b = arg;

	if (is_hidden(name) && b->hidden > 0)
		b->hidden--;
	else if (b->hidden > 0)
		return;
	else if (strcmp(name, "text:p") == 0 || strcmp(name, "text:h") == 0) {
		b->paragraphs--;
		if (b->cells == 0)
			flow_block(&b->flow);
	} else if (is_name(name, "table-cell") && b->cells > 0)
		b->cells--;
	else if (is_name(name, "list-item"))
		b->flow.is_item = false;
}

static void
on_text(void *arg, const XML_Char *s, int n)
{
	struct body *b = arg;

	if (b->paragraphs > 0 && b->hidden == 0)
		flow_text(&b->flow, s, (size_t)n);
}

/* Each encrypted part has its entry in the manifest. */
static void
on_manifest(void *arg, const XML_Char *name, const XML_Char **atts)
{
	(void)arg;
	(void)atts;
	if (is_name(name, "encryption-data"))
		document_end(LN_EXTRACT_LOCKED);
}

void
odt_document(struct zip *z)
{
	struct body b;

	emit_head(LN_EXTRACT_ODT);
	while (zip_next(z))
		if (strcmp(z->name, "META-INF/manifest.xml") == 0)
			xml_entry(z, on_manifest, NULL, NULL, NULL);
	memset(&b, 0, sizeof(b));
	zip_rewind(z);
	while (zip_next(z))
		if (strcmp(z->name, "content.xml") == 0) {
			xml_entry(z, on_start, on_end, on_text, &b);
			document_end(LN_EXTRACT_READ);
		}
	document_end(LN_EXTRACT_DAMAGED);
}

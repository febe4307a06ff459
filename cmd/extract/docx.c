#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "extract.h"
#include "flow.h"
#include "zip.h"

#define STYLES_MAX 512
#define STYLE_BYTES 64

/* Which paragraph styles are headings. */
struct styles {
	struct {
		char id[STYLE_BYTES];
		int level;
	} items[STYLES_MAX];
	size_t count;
	bool is_in_style;
};

/* A part of the document in work. */
struct part {
	struct flow flow;
	const struct styles *styles;
	int texts;		/* depth of w:t */
	int properties;		/* of w:pPr */
	int cells;		/* of w:tc */
	int hidden;		/* of what is shown elsewhere or not at all */
};

static bool
is_name(const XML_Char *name, const char *local)
{
	return strcmp(xml_local(name), local) == 0;
}

/* --- styles -------------------------------------------------------------- */

static void
on_style_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct styles *st = arg;
	const char *value;

	if (is_name(name, "style")) {
		st->is_in_style = false;
		value = xml_attribute(atts, "styleId");
		if (value == NULL || strlen(value) >= STYLE_BYTES ||
		    st->count == STYLES_MAX)
			return;
		memcpy(st->items[st->count].id, value, strlen(value) + 1);
		st->items[st->count].level = 0;
		st->count++;
		st->is_in_style = true;
		return;
	}
	value = xml_attribute(atts, "val");
	if (!st->is_in_style || value == NULL)
		return;
	/* The name is the same in every language, the id is not. */
	if (is_name(name, "name") && strncasecmp(value, "heading ", 8) == 0 &&
	    value[8] >= '1' && value[8] <= '9')
		st->items[st->count - 1].level = value[8] - '0';
	else if (is_name(name, "name") && strcasecmp(value, "title") == 0)
		st->items[st->count - 1].level = 1;
	else if (is_name(name, "outlineLvl") && value[0] >= '0' &&
	    value[0] <= '8' && st->items[st->count - 1].level == 0)
		st->items[st->count - 1].level = value[0] - '0' + 1;
}

static int
level_of(const struct styles *st, const char *id)
{
	size_t i;

	for (i = 0; id != NULL && i < st->count; i++)
		if (strcmp(st->items[i].id, id) == 0)
			return st->items[i].level;
	return 0;
}

/* --- text ---------------------------------------------------------------- */

static bool
is_hidden(const XML_Char *name)
{
	/* A second form of the same, and what was moved away. */
	return is_name(name, "Fallback") || is_name(name, "moveFrom");
}

static void
on_property(struct part *p, const XML_Char *name, const XML_Char **atts)
{
	int level;

	if (p->cells > 0)
		return;
	if (is_name(name, "pStyle") && (level = level_of(p->styles,
	    xml_attribute(atts, "val"))) > 0)
		flow_heading(&p->flow, level);
	else if (is_name(name, "numPr") && p->flow.level == 0)
		p->flow.is_item = true;
}

static void
on_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct part *p = arg;

	if (is_hidden(name))
		p->hidden++;
	if (p->hidden > 0)
		return;
	if (p->properties > 0)
		on_property(p, name, atts);
	if (is_name(name, "pPr"))
		p->properties++;
	else if (p->properties > 0)
		return;
	else if (is_name(name, "t"))
		p->texts++;
	else if (is_name(name, "p")) {
		if (p->cells > 0)
			flow_space(&p->flow);
		else
			flow_block(&p->flow);
	} else if (is_name(name, "tab"))
		flow_space(&p->flow);
	else if (is_name(name, "br") || is_name(name, "cr"))
		flow_line(&p->flow);
	else if (is_name(name, "tr"))
		flow_line(&p->flow);
	else if (is_name(name, "tc")) {
		flow_cell(&p->flow);
		p->cells++;
	} else if (is_name(name, "tbl") && p->cells == 0)
		flow_block(&p->flow);
}

static void
on_end(void *arg, const XML_Char *name)
{
	struct part *p = arg;

	if (is_hidden(name) && p->hidden > 0)
		p->hidden--;
	else if (p->hidden > 0)
		return;
	else if (is_name(name, "pPr") && p->properties > 0)
		p->properties--;
	else if (is_name(name, "t") && p->texts > 0)
		p->texts--;
	else if (is_name(name, "tc") && p->cells > 0)
		p->cells--;
	else if (is_name(name, "p") && p->cells == 0)
		flow_block(&p->flow);
}

static void
on_text(void *arg, const XML_Char *s, int n)
{
	struct part *p = arg;

	if (p->texts > 0 && p->hidden == 0)
		flow_text(&p->flow, s, (size_t)n);
}

void
docx_document(struct zip *z)
{
	/* Too large for a stack that is bounded. */
	static struct styles styles;
	static const char *const parts[] = { "word/document.xml",
		"word/footnotes.xml", "word/endnotes.xml", NULL };
	struct part p;
	size_t i;

	emit_head(LN_EXTRACT_DOCX);
	while (zip_next(z))
		if (strcmp(z->name, "word/styles.xml") == 0)
			xml_entry(z, on_style_start, NULL, NULL, &styles);
	memset(&p, 0, sizeof(p));
	p.styles = &styles;
	for (i = 0; parts[i] != NULL; i++) {
		zip_rewind(z);
		while (zip_next(z)) {
			if (strcmp(z->name, parts[i]) != 0)
				continue;
			xml_entry(z, on_start, on_end, on_text, &p);
			break;
		}
	}
	document_end(LN_EXTRACT_READ);
}

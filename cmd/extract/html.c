#define _GNU_SOURCE		/* memmem */

#include "extract.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <libxml/HTMLparser.h>
#include <libxml/xmlerror.h>

#include "flow.h"

#define SAYS_WITHIN ((size_t)4096)	/* where a page says its charset */
#define STEP_BYTES ((size_t)32 * 1024)

/* One page in work. */
struct page {
	struct flow *flow;
	htmlParserCtxtPtr parser;
	int hidden;		/* depth of elements that are not shown */
	int cells;		/* depth of table cells */
};

static bool
is_one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

static const char *const hidden[] = { "script", "style", "template",
	"noscript", "svg", "iframe", "object", "select", NULL };
static const char *const blocks[] = { "address", "article", "aside",
	"blockquote", "body", "dd", "details", "dialog", "div", "dl", "dt",
	"fieldset", "figcaption", "figure", "footer", "form", "header", "hr",
	"main", "nav", "ol", "p", "pre", "section", "summary", "table",
	"title", "ul", NULL };
static const char *const kept[] = { "pre", "textarea", NULL };

static int
heading_level(const char *name)
{
	return name[0] == 'h' && name[1] >= '1' && name[1] <= '6' &&
	    name[2] == '\0' ? name[1] - '0' : 0;
}

/* A block inside a table cell does not end the row. */
static void
block(struct page *g)
{
	if (g->cells > 0)
		flow_space(g->flow);
	else
		flow_block(g->flow);
}

static void
on_start(void *arg, const xmlChar *xml_name, const xmlChar **atts)
{
	const char *name = (const char *)xml_name;
	struct page *g = arg;
	int level;

	(void)atts;
	if (is_one_of(name, hidden))
		g->hidden++;
	if (g->hidden > 0)
		return;
	if ((level = heading_level(name)) > 0)
		flow_heading(g->flow, level);
	else if (is_one_of(name, blocks))
		block(g);
	else if (strcmp(name, "li") == 0)
		flow_item(g->flow);
	else if (strcmp(name, "br") == 0 || strcmp(name, "tr") == 0)
		flow_line(g->flow);
	else if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0) {
		flow_cell(g->flow);
		g->cells++;
	}
	if (is_one_of(name, kept))
		g->flow->kept++;
}

static void
on_end(void *arg, const xmlChar *xml_name)
{
	const char *name = (const char *)xml_name;
	struct page *g = arg;

	if (is_one_of(name, hidden) && g->hidden > 0) {
		g->hidden--;
		return;
	}
	if (g->hidden > 0)
		return;
	if (is_one_of(name, kept) && g->flow->kept > 0)
		g->flow->kept--;
	if ((strcmp(name, "td") == 0 || strcmp(name, "th") == 0) &&
	    g->cells > 0)
		g->cells--;
	if (heading_level(name) > 0 || is_one_of(name, blocks))
		block(g);
	else if (strcmp(name, "li") == 0 || strcmp(name, "tr") == 0)
		flow_line(g->flow);
}

static void
on_text(void *arg, const xmlChar *p, int n)
{
	struct page *g = arg;

	if (g->hidden == 0 && n > 0)
		flow_text(g->flow, (const char *)p, (size_t)n);
}

static void __attribute__((format(printf, 2, 3)))
on_error(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

static void
put_utf8(void *arg, const char *p, size_t n)
{
	struct page *g = arg;
	size_t step;

	for (; n > 0; p += step, n -= step) {
		step = n < STEP_BYTES ? n : STEP_BYTES;
		if (htmlParseChunk(g->parser, p, (int)step, 0) ==
		    XML_ERR_NO_MEMORY)
			document_end(LN_EXTRACT_TOO_HUNGRY);
	}
}

/* "<meta charset=x>", "...; charset=x" or an XML declaration's encoding. */
static int
said_charset(const char *p, size_t n)
{
	static const char *const words[] = { "charset=", "encoding=" };
	const char *at, *end;
	size_t i, length;

	if (n > SAYS_WITHIN)
		n = SAYS_WITHIN;
	for (i = 0; i < 2; i++) {
		if ((at = memmem(p, n, words[i], strlen(words[i]))) == NULL)
			continue;
		at += strlen(words[i]);
		end = p + n;
		while (at < end && (*at == '"' || *at == '\''))
			at++;
		for (length = 0; at + length < end &&
		    strchr("\"'>;/? \t\r\n", at[length]) == NULL; length++)
			;
		return charset_find(at, length);
	}
	return -1;
}

void
html_text(struct flow *f, const char *p, size_t n, int charset)
{
	struct page g = { f, NULL, 0, 0 };
	htmlSAXHandler sax;
	size_t skip;

	if (charset < 0)
		charset = said_charset(p, n);
	if (charset < 0)
		charset = charset_of(p, n, &skip);
	memset(&sax, 0, sizeof(sax));
	sax.startElement = on_start;
	sax.endElement = on_end;
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.error = sax.fatalError = sax.warning = on_error;
	xmlSetGenericErrorFunc(NULL, on_error);
	g.parser = htmlCreatePushParserCtxt(&sax, &g, NULL, 0, NULL,
	    XML_CHAR_ENCODING_UTF8);
	if (g.parser == NULL)
		document_end(LN_EXTRACT_TOO_HUNGRY);
	(void)htmlCtxtUseOptions(g.parser, HTML_PARSE_RECOVER |
	    HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
	    HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT);
	charset_convert(charset, p, n, put_utf8, &g);
	(void)htmlParseChunk(g.parser, "", 0, 1);
	if (g.parser->errNo == XML_ERR_NO_MEMORY)
		document_end(LN_EXTRACT_TOO_HUNGRY);
	xmlFreeDoc(g.parser->myDoc);
	g.parser->myDoc = NULL;
	htmlFreeParserCtxt(g.parser);
	f->kept = 0;
	flow_block(f);
}

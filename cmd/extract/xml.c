#include "zip.h"

#include <string.h>

#include "extract.h"

#define DEPTH_MAX 512
#define STEP_BYTES ((size_t)64 * 1024)

/* Around the handlers of one format. */
struct reading {
	XML_Parser parser;
	XML_StartElementHandler start;
	XML_EndElementHandler end;
	XML_CharacterDataHandler text;
	void *arg;
	int depth;
};

const char *
xml_local(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon != NULL ? colon + 1 : name;
}

const char *
xml_attribute(const char **atts, const char *local)
{
	for (; atts[0] != NULL; atts += 2)
		if (strcmp(xml_local(atts[0]), local) == 0)
			return atts[1];
	return NULL;
}

/* Entities are how a small file becomes an endless one. */
static void
on_entity(void *arg, const XML_Char *name, int is_parameter,
    const XML_Char *value, int length, const XML_Char *base,
    const XML_Char *system_id, const XML_Char *public_id,
    const XML_Char *notation)
{
	(void)arg;
	(void)name;
	(void)is_parameter;
	(void)value;
	(void)length;
	(void)base;
	(void)system_id;
	(void)public_id;
	(void)notation;
	document_end(LN_EXTRACT_DAMAGED);
}

static void
on_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct reading *r = arg;

	if (++r->depth > DEPTH_MAX)
		document_end(LN_EXTRACT_DAMAGED);
	if (r->start != NULL)
		r->start(r->arg, name, atts);
}

static void
on_end(void *arg, const XML_Char *name)
{
	struct reading *r = arg;

	r->depth--;
	if (r->end != NULL)
		r->end(r->arg, name);
}

static void
on_text(void *arg, const XML_Char *p, int n)
{
	struct reading *r = arg;

	if (r->text != NULL)
		r->text(r->arg, p, n);
}

static void
begin(struct reading *r)
{
	if ((r->parser = XML_ParserCreate(NULL)) == NULL)
		document_end(LN_EXTRACT_TOO_HUNGRY);
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetEntityDeclHandler(r->parser, on_entity);
	(void)XML_SetParamEntityParsing(r->parser,
	    XML_PARAM_ENTITY_PARSING_NEVER);
}

static void
parse(struct reading *r, const char *p, size_t n, bool is_last)
{
	if (XML_Parse(r->parser, p, (int)n, is_last) == XML_STATUS_OK)
		return;
	document_end(XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY ?
	    LN_EXTRACT_TOO_HUNGRY : LN_EXTRACT_DAMAGED);
}

void
xml_entry(struct zip *z, XML_StartElementHandler start,
    XML_EndElementHandler end, XML_CharacterDataHandler text, void *arg)
{
	struct reading r = { NULL, start, end, text, arg, 0 };
	const char *p;
	size_t n;

	begin(&r);
	while ((n = zip_read(z, &p)) > 0)
		parse(&r, p, n, false);
	parse(&r, "", 0, true);
	XML_ParserFree(r.parser);
}

void
xml_bytes(const char *p, size_t n, XML_StartElementHandler start,
    XML_EndElementHandler end, XML_CharacterDataHandler text, void *arg)
{
	struct reading r = { NULL, start, end, text, arg, 0 };
	size_t step;

	begin(&r);
	for (; n > 0; p += step, n -= step) {
		step = n < STEP_BYTES ? n : STEP_BYTES;
		parse(&r, p, step, false);
	}
	parse(&r, "", 0, true);
	XML_ParserFree(r.parser);
}

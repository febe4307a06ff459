#ifndef LNI_TOOL_DEF_H
#define LNI_TOOL_DEF_H

#include <ln/buf.h>
#include <ln/json.h>
#include <ln/tool.h>

/* A tool's definition, and how its endpoint is called. */

#define LNI_TOOL_URL_MAX ((size_t)2048)	/* of a template; ours */
#define LNI_TOOL_HEADERS_MAX 16
#define LNI_TOOL_HEADER_NAME_MAX 64
#define LNI_TOOL_HEADER_VALUE_MAX ((size_t)4096)

enum lni_tool_body {
	LNI_TOOL_BODY_NONE,
	LNI_TOOL_BODY_JSON,	/* the arguments that are not in the URL */
};

/* What a definition says; everything borrowed from ${root}. */
struct lni_tool_def {
	struct ln_json *root;
	const char *name;
	const char *description;		/* may be NULL */
	const struct ln_json *parameters;	/* may be NULL */
	const struct ln_json *endpoint;		/* NULL: it has none */
	const char *url;			/* of the endpoint, like the */
	const char *method;			/* rest; "GET" by default */
	const struct ln_json *headers;		/* may be NULL */
	enum lni_tool_body body;
};

/**
 * lni_tool_def_read(text, def, err):
 * What a model can be given, whoever wrote it: a name that it can call and
 * parameters that are an object.  The endpoint is not judged.  Release with
 * lni_tool_def_free, also after a failure.  LN_INVALID with field
 * "definition".
 */
enum ln_status lni_tool_def_read(const char *text, struct lni_tool_def *def,
    struct ln_error *err) LN_USE;
void lni_tool_def_free(struct lni_tool_def *def);

/* Whether ${name} is one that providers allow. */
bool lni_tool_name_is_sane(const char *name);

/**
 * lni_tool_def_check(def, problem, err):
 * Whether it is one that we would run: a schema that we check whole and an
 * endpoint of known members, whose template cannot lead elsewhere.  Whether
 * that address may be called is not judged.  ${problem} may be NULL.
 * LN_INVALID with field "definition".
 */
enum ln_status lni_tool_def_check(const struct lni_tool_def *def,
    struct ln_buf *problem, struct ln_error *err) LN_USE;

/**
 * lni_tool_def_parameters(def, out, err):
 * The schema's text; one of an object without members when there is none.
 */
enum ln_status lni_tool_def_parameters(const struct lni_tool_def *def,
    struct ln_buf *out, struct ln_error *err) LN_USE;

/**
 * lni_tool_def_write(def, name, description, out, err):
 * The one form in which definitions are stored: of this name and description,
 * without the values of headers.  ${description} may be NULL.
 */
enum ln_status lni_tool_def_write(const struct lni_tool_def *def,
    const char *name, const char *description, struct ln_buf *out,
    struct ln_error *err) LN_USE;

/**
 * lni_tool_def_headers(def, old, out, err):
 * The values of its headers as a JSON object of texts: what the definition
 * gives, else what ${old} (such an object or NULL) has.  ${out} is a secret
 * buffer and stays empty when there are none.
 */
enum ln_status lni_tool_def_headers(const struct lni_tool_def *def,
    const char *old, struct ln_buf *out, struct ln_error *err) LN_USE;

/**
 * lni_tool_def_url(def, arguments, used, problem, out, err):
 * The address of one call.  With ${arguments} NULL each placeholder becomes
 * "x", to judge the template.  ${used} (may be NULL) gets the names that stood
 * in the template, each ended by a NUL.  An argument fills one segment of the
 * path or one value of the query and nothing more; a segment cannot become
 * empty, "." or "..".  LN_INVALID, with ${problem}.
 */
enum ln_status lni_tool_def_url(const struct lni_tool_def *def,
    const struct ln_json *arguments, struct ln_buf *used,
    struct ln_buf *problem, struct ln_buf *out, struct ln_error *err) LN_USE;

#endif

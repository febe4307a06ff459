#ifndef LNI_WEB_SEARCH_H
#define LNI_WEB_SEARCH_H

#include <ln/tool.h>

#include "service/tools/builtin.h"

/* One service that can be asked for results in JSON. */
struct lni_search_provider {
	const char *name;	/* value of LOCALNEURAL_SEARCH */
	const char *base_url;	/* NULL: the operator has to say */
	const char *path;	/* behind it, ends where the query goes */
	const char *refused;	/* sentence for a 403, or NULL */
	enum ln_status (*read)(const struct ln_json *answer,
	    struct ln_search_list *out, struct ln_error *err);
};

extern const struct lni_search_provider lni_search_duckduckgo;
extern const struct lni_search_provider lni_search_searxng;

/* Append one, cut to size; what is no web address or one too many is left
 * out.  ${title} and ${snippet} may be NULL. */
enum ln_status lni_search_add(struct ln_search_list *l, const char *title,
    const char *url, const char *snippet, struct ln_error *err) LN_USE;

#endif

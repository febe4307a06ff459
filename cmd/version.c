#include "cmd.h"

int
cmd_version(struct ctx *c)
{
	out_str(c->out, "version", ln_version());
	out_int(c->out, "schema", ln_store_schema_latest());
	out_say(c->out, "lnctl %s (database schema %d)", ln_version(),
	    ln_store_schema_latest());
	return ctx_finish(c);
}

static const struct verb verbs[] = {
	{ NULL, cmd_version, NULL, "", 0, "print the version" },
};
const struct noun noun_version = { "version", "print the version", verbs,
	nitems(verbs) };

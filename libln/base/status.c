#include <ln/base.h>

static const struct {
	const char *token;
	const char *text;
} outcomes[] = {
#define LN_STATUS(name, token, text) { token, text },
#include <ln/status.def>
#undef LN_STATUS
};

#define OUTCOME_COUNT (sizeof(outcomes) / sizeof(outcomes[0]))

const char *
ln_status_token(enum ln_status s)
{
	return (size_t)s < OUTCOME_COUNT ? outcomes[s].token : "internal";
}

const char *
ln_status_text(enum ln_status s)
{
	return (size_t)s < OUTCOME_COUNT ? outcomes[s].text :
	    outcomes[LN_INTERNAL].text;
}

#include "llm/codec.h"

#include <string.h>

#include "base/banned.h"

/* Rows of both tables belong together; the last one ends the list. */
static const struct ln_provider_info infos[] = {
	{
		.name = "offline",
		.title = "Offline search",
		.is_local = true,
		.help = "Built in: searches your messages and the handbook, "
		    "without a language model",
	},
	{
		.name = "ollama",
		.title = "Ollama",
		.base_url = "http://localhost:11434",
		.is_local = true,
		.context_tokens = 8192,
		.help = "Models on your own machine, served by Ollama",
	},
	{ .name = NULL },
};

static const struct lni_codec *const codecs[] = {
	NULL,
	&lni_codec_ollama,
	NULL,
};

_Static_assert(sizeof(infos) / sizeof(infos[0]) ==
    sizeof(codecs) / sizeof(codecs[0]), "a provider lacks its codec row");

const struct ln_provider_info *
ln_provider_list(void)
{
	return infos;
}

const struct ln_provider_info *
ln_provider_find(const char *name)
{
	const struct ln_provider_info *p;

	for (p = infos; p->name != NULL; p++) {
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

const struct lni_codec *
lni_codec_of(const struct ln_provider_info *info)
{
	return codecs[info - infos];
}

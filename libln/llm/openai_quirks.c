#include "llm/openai.h"

#include <string.h>

#include "base/banned.h"

/* Reasoning models of OpenAI answer 400 to a temperature. */
static const char *const openai_fixed[] = { "o1", "o3", "o4", "gpt-5", NULL };
static const char *const openai_free[] = { "gpt-5-chat", NULL };

static const struct lni_openai_quirks quirks[] = {
	{
		.provider = "openai",
		.max_tokens = "max_completion_tokens",
		.stop_max = 4,
		.fixed_models = openai_fixed,
		.free_models = openai_free,
	},
	{
		.provider = "openrouter",
		.max_tokens = "max_tokens",
		.top_k = "top_k",
		.repeat_penalty = "repetition_penalty",
		.stop_max = 4,
	},
	{
		.provider = "groq",
		.max_tokens = "max_completion_tokens",
		.stop_max = 4,
	},
	{
		.provider = "llamacpp",
		.max_tokens = "max_tokens",
		.top_k = "top_k",
		.repeat_penalty = "repeat_penalty",
		.has_one_model = true,
	},
	{
		.provider = "vllm",
		.max_tokens = "max_tokens",
		.top_k = "top_k",
		.repeat_penalty = "repetition_penalty",
	},
	{
		.provider = "lmstudio",
		.max_tokens = "max_tokens",
		.top_k = "top_k",
		.repeat_penalty = "repeat_penalty",
	},
	/* Only what every server of the dialect knows. */
	{
		.provider = "openai-compatible",
		.max_tokens = "max_tokens",
		.stop_max = 4,
	},
};

#define QUIRKS_COUNT (sizeof(quirks) / sizeof(quirks[0]))

const struct lni_openai_quirks *
lni_openai_quirks(const char *provider)
{
	size_t i;

	for (i = 0; i < QUIRKS_COUNT - 1; i++) {
		if (strcmp(quirks[i].provider, provider) == 0)
			break;
	}
	return &quirks[i];
}

static bool
begins_with_one_of(const char *model, const char *const *prefixes)
{
	size_t i;

	for (i = 0; prefixes != NULL && prefixes[i] != NULL; i++) {
		if (strncmp(model, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

bool
lni_openai_is_sampled(const struct lni_openai_quirks *q, const char *model)
{
	return model == NULL || !begins_with_one_of(model, q->fixed_models) ||
	    begins_with_one_of(model, q->free_models);
}

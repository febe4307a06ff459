#include "llm/codec.h"

#include <string.h>

#include "base/banned.h"

/*
 * Models to offer when a provider cannot be asked for its own: few, and those
 * that most people want.
 */
static const char *const openai_models[] = {
	"gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1", "gpt-4.1-mini",
	"gpt-4o", "gpt-4o-mini", NULL,
};
static const char *const openrouter_models[] = {
	"openrouter/auto", "openai/gpt-5-mini", "anthropic/claude-sonnet-4.5",
	"google/gemini-2.5-flash", "meta-llama/llama-3.3-70b-instruct",
	"deepseek/deepseek-chat-v3.1", "qwen/qwen3-235b-a22b", NULL,
};
static const char *const groq_models[] = {
	"llama-3.3-70b-versatile", "llama-3.1-8b-instant",
	"openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3-32b", NULL,
};
static const char *const anthropic_models[] = {
	"claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", NULL,
};
static const char *const gemini_models[] = {
	"gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.5-flash-lite", NULL,
};

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
	{
		.name = "openai",
		.title = "OpenAI",
		.base_url = "https://api.openai.com/v1",
		.wants_key = true,
		.key_variable = "OPENAI_API_KEY",
		.context_tokens = 128000,
		.models = openai_models,
		.help = "GPT models of OpenAI, with a key of your account",
	},
	{
		.name = "anthropic",
		.title = "Anthropic",
		.base_url = "https://api.anthropic.com",
		.wants_key = true,
		.key_variable = "ANTHROPIC_API_KEY",
		.context_tokens = 200000,
		.models = anthropic_models,
		.help = "Claude models, with a key of your account at Anthropic",
	},
	{
		.name = "gemini",
		.title = "Google Gemini",
		.base_url = "https://generativelanguage.googleapis.com",
		.wants_key = true,
		.key_variable = "GEMINI_API_KEY",
		.context_tokens = 1000000,
		.models = gemini_models,
		.help = "Gemini models, with a key of Google AI Studio",
	},
	{
		.name = "openrouter",
		.title = "OpenRouter",
		.base_url = "https://openrouter.ai/api/v1",
		.wants_key = true,
		.key_variable = "OPENROUTER_API_KEY",
		.context_tokens = 128000,
		.models = openrouter_models,
		.help = "Models of many makers through one account at "
		    "OpenRouter",
	},
	{
		.name = "groq",
		.title = "Groq",
		.base_url = "https://api.groq.com/openai/v1",
		.wants_key = true,
		.key_variable = "GROQ_API_KEY",
		.context_tokens = 131072,
		.models = groq_models,
		.help = "Open models on the fast machines of Groq",
	},
	{
		.name = "llamacpp",
		.title = "llama.cpp",
		.base_url = "http://localhost:8080/v1",
		.is_local = true,
		.context_tokens = 8192,
		.help = "A model on your own machine, served by llama-server",
	},
	{
		.name = "vllm",
		.title = "vLLM",
		.base_url = "http://localhost:8000/v1",
		.is_local = true,
		.context_tokens = 32768,
		.help = "Models on your own machine, served by vLLM",
	},
	{
		.name = "lmstudio",
		.title = "LM Studio",
		.base_url = "http://localhost:1234/v1",
		.is_local = true,
		.context_tokens = 8192,
		.help = "Models on your own machine, served by LM Studio",
	},
	{
		.name = "openai-compatible",
		.title = "OpenAI-compatible",
		.context_tokens = 32768,
		.help = "Any other server that speaks OpenAI's chat "
		    "completions; give its base URL, usually ending in /v1",
	},
	{ .name = NULL },
};

static const struct lni_codec *const codecs[] = {
	NULL,
	&lni_codec_ollama,
	&lni_codec_openai,	/* openai */
	&lni_codec_anthropic,
	&lni_codec_gemini,
	&lni_codec_openai,	/* openrouter */
	&lni_codec_openai,	/* groq */
	&lni_codec_openai,	/* llamacpp */
	&lni_codec_openai,	/* vllm */
	&lni_codec_openai,	/* lmstudio */
	&lni_codec_openai,	/* openai-compatible */
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

/*
 * What failures mean.  Servers agree on {"error": {"message", "type",
 * "code"}} and on little else: where no code tells, words of the message do.
 * None of theirs is ever shown.
 */
#include "llm/openai.h"

#include <ctype.h>
#include <string.h>

#include "base/banned.h"

struct failure {
	const char *message, *type, *code;	/* never NULL */
};

static void
read_failure(const struct ln_json *root, struct failure *f)
{
	const struct ln_json *error = ln_json_get(root, "error");

	if (ln_json_type(error) == LN_JSON_NULL)
		error = root;
	f->message = ln_json_get_string(error, "message");
	if (f->message == NULL)
		f->message = ln_json_string(error);
	f->type = ln_json_get_string(error, "type");
	f->code = ln_json_get_string(error, "code");
	if (f->message == NULL)
		f->message = "";
	if (f->type == NULL)
		f->type = "";
	if (f->code == NULL)
		f->code = "";
}

/* ${word} is in lower case. */
static bool
has(const char *text, const char *word)
{
	size_t i, n = strlen(word);

	for (; *text != '\0'; text++) {
		for (i = 0; i < n && tolower((unsigned char)text[i]) ==
		    word[i]; i++)
			continue;
		if (i == n)
			return true;
	}
	return false;
}

static bool
is_either(const struct failure *f, const char *word)
{
	return strcmp(f->code, word) == 0 || strcmp(f->type, word) == 0;
}

static bool
is_about_tools(const struct failure *f)
{
	return has(f->message, "tool") && (has(f->message, "support") ||
	    has(f->message, "require") || has(f->message, "enable"));
}

static bool
is_about_images(const struct failure *f)
{
	return (has(f->message, "image") || has(f->message, "vision") ||
	    has(f->message, "multimodal") || has(f->message, "mmproj")) &&
	    (has(f->message, "support") || has(f->message, "not a "));
}

static bool
is_about_length(const struct failure *f)
{
	return is_either(f, "context_length_exceeded") ||
	    is_either(f, "exceed_context_size_error") ||
	    has(f->message, "context length") ||
	    has(f->message, "context size") ||
	    has(f->message, "context window") ||
	    has(f->message, "prompt is too long");
}

static bool
is_about_credit(const struct failure *f, int http_status)
{
	return http_status == 402 || is_either(f, "insufficient_quota") ||
	    is_either(f, "billing_hard_limit_reached");
}

static bool
is_about_model(const struct failure *f, int http_status)
{
	return is_either(f, "model_not_found") ||
	    has(f->message, "not a valid model") ||
	    (http_status == 404 && (has(f->message, "model") ||
	    has(f->message, "no endpoints found")));
}

const char *
lni_openai_judge(const struct ln_json *root, int http_status,
    enum ln_status *status)
{
	struct failure f;

	read_failure(root, &f);
	if (is_about_credit(&f, http_status)) {
		*status = LN_UPSTREAM;
		return "The account at the model provider has no credit left. "
		    "Add credit there, or use another key";
	}
	if (is_about_length(&f)) {
		*status = LN_TOO_LARGE;
		return "The conversation is too long for this model. Begin a "
		    "new one, or choose a model that keeps more in sight";
	}
	if (is_about_tools(&f)) {
		*status = LN_UNSUPPORTED;
		return "The model cannot use tools";
	}
	if (is_about_images(&f)) {
		*status = LN_INVALID;
		return "The model cannot see images. Choose another one, or "
		    "ask without them";
	}
	if (is_about_model(&f, http_status)) {
		*status = LN_NOT_FOUND;
		return "The model provider does not have this model. Choose "
		    "another one";
	}
	/* With 413, one request alone was beyond what a minute may bring. */
	if (is_either(&f, "rate_limit_exceeded") && http_status != 413) {
		*status = LN_RATE_LIMITED;
		return "The model provider has too many requests. Try again "
		    "later";
	}
	if (is_either(&f, "invalid_api_key")) {
		*status = LN_UNAUTHENTICATED;
		return "The model provider refused the API key";
	}
	return NULL;
}

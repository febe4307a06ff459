#ifndef TEST_LLM_KIT_H
#define TEST_LLM_KIT_H

#include <ln/buf.h>
#include <ln/llm.h>

/* What every codec's test does: read streams, cut anywhere, and write down
 * the events that come. */

/* A resolved choice; the texts are borrowed and may be NULL. */
struct ln_provider_conf kit_conf(const char *provider, char *model,
    char *base_url, char *api_key);

/* Texts are joined, as their cuts do not matter; the other events read
 * "call NAME ARGUMENTS;", "call NAME#ID ARGUMENTS;" (with
 * " signed SIGNATURE" before the end), "usage counted;" (or
 * "usage empty;"), "done REASON;", "error TOKEN: SENTENCE;". */
struct kit_notes {
	struct ln_buf text, thinking, rest;
	int64_t tokens, prompt_tokens;	/* of the last usage */
	int after_end;		/* events behind DONE or ERROR */
	bool is_over;
};
void kit_notes_init(struct kit_notes *n);
void kit_notes_free(struct kit_notes *n);
/* ln_llm_event_fn; the argument is a struct kit_notes. */
void kit_note(void *arg, const struct ln_llm_event *ev);

/* Parse ${n} bytes in pieces: one of ${first} bytes, then of ${step}.
 * Initialises ${out}; free it with kit_notes_free. */
void kit_parse(const struct ln_provider_conf *conf, bool is_stream,
    int http_status, const char *s, size_t n, size_t first, size_t step,
    struct kit_notes *out);

/* A file of tests/fixtures/streams, yours. */
char *kit_fixture(const char *name, size_t *n);

/* A recorded stream and what it must give, wherever it is cut. */
struct kit_stream {
	const char *file;
	const char *text;
	const char *thinking;
	const char *rest;
};
void kit_cut_everywhere(const struct ln_provider_conf *conf,
    const struct kit_stream *rows, size_t count);

/* A refusal and the event that tells of it, in words of ours only. */
struct kit_refusal {
	int http_status;
	const char *body;
	const char *want;
};
void kit_refusals(const struct ln_provider_conf *conf,
    const struct kit_refusal *rows, size_t count);

/* A line that never ends is given up, once, with little memory. */
void kit_endless_line(const struct ln_provider_conf *conf);

/* The request for ${prompt}; free it with ln_llm_request_free. */
struct ln_llm_request *kit_request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt);

#endif

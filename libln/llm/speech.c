/* Speech as text: POST /audio/transcriptions, a form with the recording. */
#include <ln/speech.h>

#include <stdio.h>
#include <string.h>

#include <ln/secret.h>

#include "base/error.h"
#include "llm/codec.h"

#include "base/banned.h"

#define SPEECH_FIRST_BYTE_MS (5 * 60 * 1000)
#define SPEECH_TOTAL_MS (10 * 60 * 1000)
#define SPEECH_RESPONSE_MAX ((size_t)4 * 1024 * 1024)
#define EDGE_RANDOM 18
#define EDGE_SIZE (EDGE_RANDOM * 2 + 1)

/* Who has the endpoint, and the model that it usually goes by. */
static const char *
usual_model(const struct ln_provider_conf *conf)
{
	static const struct {
		const char *provider, *model;
	} rows[] = {
		{ "openai", "whisper-1" },
		{ "groq", "whisper-large-v3-turbo" },
		{ "vllm", "openai/whisper-large-v3" },
		{ "openai-compatible", "whisper-1" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].provider, conf->info->name) == 0)
			return rows[i].model;
	}
	return NULL;
}

/* Endpoints tell the kind by the ending of the file's name; NULL: no audio. */
static const char *
ending_of(const unsigned char *p, size_t n)
{
	static const struct {
		size_t at;
		const char *magic;
		const char *ending;
	} rows[] = {
		{ 0, "\x1a\x45\xdf\xa3", "webm" },
		{ 0, "OggS", "ogg" },
		{ 0, "fLaC", "flac" },
		{ 0, "ID3", "mp3" },
		{ 4, "ftyp", "mp4" },
		{ 8, "WAVE", "wav" },
	};
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = strlen(rows[i].magic);
		if (n >= rows[i].at + len &&
		    memcmp(p + rows[i].at, rows[i].magic, len) == 0)
			return rows[i].ending;
	}
	/* MPEG audio without a tag begins with a frame of layer III. */
	if (n >= 2 && p[0] == 0xff && (p[1] & 0xe6) == 0xe2)
		return "mp3";
	return NULL;
}

/* A line that the recording does not hold but by a chance of one in 2^144. */
static void
make_edge(char out[EDGE_SIZE])
{
	unsigned char r[EDGE_RANDOM];
	size_t i;

	ln_random(r, sizeof(r));
	for (i = 0; i < sizeof(r); i++)
		(void)snprintf(out + i * 2, 3, "%02x", r[i]);
}

static bool
is_plain(const char *model)
{
	size_t i;

	for (i = 0; model[i] != '\0'; i++) {
		if ((unsigned char)model[i] < ' ' || model[i] == 0x7f)
			return false;
	}
	return i > 0;
}

static enum ln_status
fill(const struct ln_provider_conf *conf, const char *model,
    const char *ending, const void *audio, size_t n, struct ln_llm_request *r,
    struct ln_error *err)
{
	char edge[EDGE_SIZE];
	enum ln_status s;

	make_edge(edge);
	if ((s = lni_request_url(r, conf->base_url, "/audio/transcriptions",
	    err)) != LN_OK ||
	    (conf->api_key != NULL && (s = lni_request_header(r,
	    "Authorization: Bearer ", conf->api_key, err)) != LN_OK) ||
	    (s = lni_request_header(r,
	    "Content-Type: multipart/form-data; boundary=", edge, err)) !=
	    LN_OK)
		return s;
	ln_buf_printf(&r->body, "--%s\r\nContent-Disposition: form-data; "
	    "name=\"model\"\r\n\r\n%s\r\n", edge, model);
	ln_buf_printf(&r->body, "--%s\r\nContent-Disposition: form-data; "
	    "name=\"response_format\"\r\n\r\njson\r\n", edge);
	ln_buf_printf(&r->body, "--%s\r\nContent-Disposition: form-data; "
	    "name=\"file\"; filename=\"audio.%s\"\r\n"
	    "Content-Type: audio/%s\r\n\r\n", edge, ending, ending);
	ln_buf_put(&r->body, audio, n);
	ln_buf_printf(&r->body, "\r\n--%s--\r\n", edge);
	if ((s = ln_buf_status(&r->body)) != LN_OK)
		return ln_fail(err, s, "", "recording");
	return LN_OK;
}

enum ln_status
ln_speech_request(const struct ln_config *cfg,
    const struct ln_provider_conf *conf, const void *audio, size_t n,
    struct ln_llm_request **out, struct ln_error *err)
{
	const char *model, *ending, *set;
	struct ln_llm_request *r;
	enum ln_status s;

	*out = NULL;
	if ((model = usual_model(conf)) == NULL)
		return ln_fail(err, LN_UNSUPPORTED,
		    "The model provider does not write down speech. OpenAI, "
		    "Groq, vLLM and OpenAI-compatible servers do", "%s",
		    conf->info->name);
	set = cfg != NULL ? ln_config_get(cfg, "LOCALNEURAL_SPEECH_MODEL") :
	    NULL;
	if (set != NULL && is_plain(set))
		model = set;
	if (n > LN_SPEECH_BYTES_MAX)
		return ln_fail_field(err, LN_TOO_LARGE, "audio",
		    "A recording may have 10 MiB", "%zu bytes", n);
	if ((ending = ending_of(audio, n)) == NULL)
		return ln_fail_field(err, LN_INVALID, "audio",
		    "This is no recording that can be read. WebM, Ogg, MP3, "
		    "MP4, WAV and FLAC can", "%zu bytes", n);
	if ((s = lni_request_new(conf, &r, err)) != LN_OK)
		return s;
	if ((s = fill(conf, model, ending, audio, n, r, err)) != LN_OK) {
		ln_llm_request_free(r);
		return s;
	}
	lni_request_seal(r);
	r->http.first_byte_ms = SPEECH_FIRST_BYTE_MS;
	r->http.total_ms = SPEECH_TOTAL_MS;
	r->http.response_max = SPEECH_RESPONSE_MAX;
	*out = r;
	return LN_OK;
}

enum ln_status
ln_speech_parse(const struct ln_provider_conf *conf, int http_status,
    const char *body, size_t n, struct ln_buf *out, struct ln_error *err)
{
	const struct ln_json_opts opts = { .size = sizeof(opts),
		.allow_duplicates = true };
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	const char *text, *sentence;
	enum ln_status s = LN_UPSTREAM;

	if (http_status != 200) {
		sentence = lni_refusal(lni_codec_of(conf->info), http_status,
		    body, n, &s);
		return ln_error_set(err, s, NULL, sentence,
		    "HTTP status %d: %.*s", http_status,
		    (int)(n < 200 ? n : 200), body);
	}
	s = ln_json_parse(body, n, &opts, &root, &why);
	text = ln_json_get_string(root, "text");
	if (s == LN_NOMEM)
		(void)ln_fail(err, s, "", "transcription");
	else if (text == NULL)
		s = ln_fail(err, LN_UPSTREAM, LNI_SAY_NOT_UNDERSTOOD,
		    "no text: %s", lni_error_detail(&why));
	else {
		ln_buf_puts(out, text);
		if ((s = ln_buf_status(out)) != LN_OK)
			(void)ln_fail(err, s, "", "transcription");
	}
	ln_json_free(root);
	return s;
}

#define _GNU_SOURCE		/* memmem */

#include "extract.h"

#include <string.h>

#include <magic.h>

#define LOOK_BYTES ((size_t)256 * 1024)
#define CONTROLS_PER_1000 10

static magic_t magic;

void
kind_load(void)
{
	/* Without its file it knows nothing, and endings have to do. */
	magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
	    MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF);
	if (magic != NULL && magic_load(magic, NULL) == -1) {
		magic_close(magic);
		magic = NULL;
	}
}

/* Office files of a password are no zip but an old container of streams. */
static bool
is_locked_office(const char *p, size_t n)
{
	static const char mark[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
	static const char stream[] =
	    "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";

	return n > 512 && memcmp(p, mark, sizeof(mark) - 1) == 0 &&
	    memmem(p, n, stream, sizeof(stream)) != NULL;
}

/* No NUL, and hardly a control character that text does not have. */
static bool
is_text(const char *p, size_t n)
{
	size_t controls = 0, i, look = n < LOOK_BYTES ? n : LOOK_BYTES;

	if (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 ||
	    memcmp(p, "\xfe\xff", 2) == 0))
		return true;
	if (memchr(p, '\0', n) != NULL)
		return false;
	for (i = 0; i < look; i++)
		if ((unsigned char)p[i] < 0x20 &&
		    strchr("\t\n\r\f\v\033", p[i]) == NULL)
			controls++;
	return controls * 1000 <= look * CONTROLS_PER_1000;
}

static bool
is_among(const char *word, const char *list)
{
	size_t n = strlen(word);
	const char *p = list;

	if (n == 0 || strchr(word, ' ') != NULL)
		return false;
	while ((p = strstr(p, word)) != NULL) {
		if ((p == list || p[-1] == ' ') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return true;
		p += n;
	}
	return false;
}

static enum ln_extract_type
type_of_ending(const char *ending)
{
	if (is_among(ending, "md markdown mkd mdown"))
		return LN_EXTRACT_MARKDOWN;
	if (is_among(ending, "csv tsv"))
		return LN_EXTRACT_CSV;
	if (is_among(ending, "json jsonl ndjson geojson ipynb"))
		return LN_EXTRACT_JSON;
	if (is_among(ending, "html htm xhtml"))
		return LN_EXTRACT_HTML;
	if (is_among(ending, "c h cc cpp cxx hh hpp hxx m mm rs go py pyi rb "
	    "pl pm php js mjs cjs jsx ts tsx java kt kts scala swift cs fs vb "
	    "lua r jl sh bash zsh fish ps1 bat cmd sql css scss less vue "
	    "svelte xml xsl xsd yaml yml toml ini cfg conf proto graphql zig "
	    "nim hs ml mli ex exs erl clj lisp el scm d dart groovy gradle "
	    "cmake makefile mk dockerfile tf nix asm s v vhd tex bib diff "
	    "patch awk sed"))
		return LN_EXTRACT_CODE;
	return LN_EXTRACT_TEXT;
}

static enum ln_extract_type
type_of_mime(const char *mime)
{
	if (strcmp(mime, "text/html") == 0 ||
	    strcmp(mime, "application/xhtml+xml") == 0)
		return LN_EXTRACT_HTML;
	if (strcmp(mime, "application/json") == 0 ||
	    strcmp(mime, "application/x-ndjson") == 0)
		return LN_EXTRACT_JSON;
	if (strcmp(mime, "text/csv") == 0)
		return LN_EXTRACT_CSV;
	if (strncmp(mime, "text/x-", 7) == 0 ||
	    strcmp(mime, "text/xml") == 0 ||
	    strcmp(mime, "application/javascript") == 0)
		return LN_EXTRACT_CODE;
	return LN_EXTRACT_TEXT;
}

bool
kind_of(const char *p, size_t n, const char *ending,
    enum ln_extract_type *out)
{
	const char *mime = NULL;

	if (is_locked_office(p, n))
		document_end(LN_EXTRACT_LOCKED);
	if (!is_text(p, n))
		return false;
	if (magic != NULL)
		mime = magic_buffer(magic, p, n < LOOK_BYTES ? n :
		    LOOK_BYTES);
	if (mime == NULL)
		mime = "text/plain";
	/* Pictures and sounds may be without a NUL. */
	if (strncmp(mime, "image/", 6) == 0 &&
	    strcmp(mime, "image/svg+xml") != 0)
		return false;
	if (strncmp(mime, "audio/", 6) == 0 || strncmp(mime, "video/", 6) == 0)
		return false;
	*out = type_of_ending(ending);
	if (*out == LN_EXTRACT_TEXT)
		*out = type_of_mime(mime);
	return true;
}

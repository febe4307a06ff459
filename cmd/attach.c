#include "talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ln/extract.h>
#include <ln/image.h>
#include <ln/text.h>

#define FILE_MAX ((size_t)LN_EXTRACT_FILE_MAX)
#define IMAGE_MAX ((size_t)9 * 1024 * 1024)	/* a file with a picture */
#define NAMES_MAX ((size_t)16 * 1024)
#define HEADINGS_MAX ((size_t)64 * 1024)	/* between several files */

/* Files that go with the next question: pictures, and text that is quoted. */

static int
add_image(struct talk *t, const char *path, const struct ln_buf *b)
{
	struct ln_error err = LN_ERROR_INIT;
	char **grown, *text = NULL;
	enum ln_status s;

	/* One more for the NULL that ends the list. */
	grown = realloc(t->images, (t->image_count + 2) * sizeof(*grown));
	if (grown == NULL)
		return ctx_fail(t->c, LN_NOMEM, NULL, NULL, "%s", path);
	t->images = grown;
	t->images[t->image_count] = NULL;
	if ((s = ln_image_base64(b->data, b->len, &text, &err)) != LN_OK)
		return ctx_fail(t->c, s, &err, NULL, "%s", path);
	t->images[t->image_count++] = text;
	t->images[t->image_count] = NULL;
	return EX_OK;
}

static void
put_part(struct ln_buf *text, const char *heading, const char *content)
{
	size_t n = strlen(content);

	if (heading != NULL)
		ln_buf_printf(text, "--- %s ---\n", heading);
	ln_buf_put(text, content, n);
	if (n > 0 && content[n - 1] != '\n')
		ln_buf_putc(text, '\n');
}

/* A question carries one file: several become one, each with its name. */
static int
add_more_text(struct talk *t, const char *name, const char *content)
{
	struct ln_buf names = LN_BUF_INIT(NAMES_MAX);
	struct ln_buf text = LN_BUF_INIT(LN_CHAT_FILE_MAX + HEADINGS_MAX);
	enum ln_status s;
	int rc;

	ln_buf_printf(&names, "%s, %s", t->file_name, name);
	put_part(&text, t->file_count == 1 ? t->file_name : NULL,
	    t->file_content);
	ln_buf_putc(&text, '\n');
	put_part(&text, name, content);
	if ((s = ln_buf_status(&names)) != LN_OK ||
	    (s = ln_buf_status(&text)) != LN_OK)
		rc = ctx_fail(t->c, s, NULL, NULL, "%s", name);
	else if ((rc = talk_assign(t, &t->file_name, ln_buf_str(&names))) ==
	    EX_OK)
		rc = talk_assign(t, &t->file_content, ln_buf_str(&text));
	ln_buf_free(&names);
	ln_buf_free(&text);
	return rc;
}

static int
add_text(struct talk *t, const char *path, const char *content)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t before = t->file_content != NULL ? strlen(t->file_content) : 0;
	int rc;

	if (before + strlen(content) > LN_CHAT_FILE_MAX)
		return ctx_refuse(t->c, EX_USAGE, "too_large",
		    "text files may have 5 MiB together", "", "%s", path);
	if (t->file_count == 0) {
		if ((rc = talk_assign(t, &t->file_name, name)) == EX_OK)
			rc = talk_assign(t, &t->file_content, content);
	} else
		rc = add_more_text(t, name, content);
	if (rc == EX_OK)
		t->file_count++;
	return rc;
}

/* What is not text yet is read in a child that can do nothing else. */
static int
add_document(struct talk *t, const char *path, const struct ln_buf *b)
{
	struct ln_extract_opts opts = { .size = sizeof(opts),
		.bytes = ln_buf_str(b), .bytes_count = b->len, .name = path };
	struct ln_buf text = LN_BUF_INIT(LN_CHAT_FILE_MAX +
	    LN_EXTRACT_TEXT_SPARE);
	struct ln_extract_result result;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	int rc;

	s = ln_extract_text(&opts, LN_CHAT_FILE_MAX, &text, &result, &err);
	if (s != LN_OK)
		rc = ctx_fail(t->c, s, &err, NULL, "%s", path);
	else if (result.is_cut)
		rc = ctx_refuse(t->c, EX_USAGE, "too_large",
		    "text files may have 5 MiB together", "", "%s", path);
	else
		rc = add_text(t, path, ln_buf_str(&text));
	ln_buf_free(&text);
	return rc;
}

static bool
is_plain(const struct ln_buf *b)
{
	const char *s = ln_buf_str(b);

	return strlen(s) == b->len && ln_utf8_valid(s, b->len) &&
	    strncmp(s, "%PDF-", 5) != 0;
}

int
talk_attach(struct talk *t, const char *path)
{
	struct ln_buf b = LN_BUF_INIT(FILE_MAX);
	int e, rc;

	if ((e = file_read(path, FILE_MAX, &b)) != 0)
		rc = ctx_refuse(t->c, e == ENOENT ? EX_NOT_FOUND : EX_USAGE,
		    e == ENOENT ? "not_found" : "invalid", strerror(e), "",
		    "%s", path);
	else if (!ln_image_is_known(ln_buf_str(&b), b.len))
		rc = is_plain(&b) ? add_text(t, path, ln_buf_str(&b)) :
		    add_document(t, path, &b);
	else if (b.len > IMAGE_MAX)
		rc = ctx_refuse(t->c, EX_USAGE, "too_large",
		    "a picture may have 9 MiB", "", "%s", path);
	else
		rc = add_image(t, path, &b);
	ln_buf_free(&b);
	return rc;
}

void
talk_detach(struct talk *t)
{
	size_t i;

	for (i = 0; i < t->image_count; i++)
		ln_free(t->images[i]);
	free(t->images);
	t->images = NULL;
	t->image_count = t->file_count = 0;
	(void)talk_assign(t, &t->file_name, NULL);
	(void)talk_assign(t, &t->file_content, NULL);
}

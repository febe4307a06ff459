#include "zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "extract.h"

#define UNPACKED_MAX ((int64_t)128 * 1024 * 1024)
#define ENTRIES_MAX 20000
#define MIMETYPE_BYTES 64

/* Out of memory is told apart from a bad file. */
static _Noreturn void
fail(const struct zip *z)
{
	document_end(archive_errno(z->archive) == ENOMEM ?
	    LN_EXTRACT_TOO_HUNGRY : LN_EXTRACT_DAMAGED);
}

void
zip_rewind(struct zip *z)
{
	if (z->archive != NULL)
		(void)archive_read_free(z->archive);
	if ((z->archive = archive_read_new()) == NULL)
		document_end(LN_EXTRACT_TOO_HUNGRY);
	if (archive_read_support_format_zip_seekable(z->archive) !=
	    ARCHIVE_OK ||
	    archive_read_open_memory(z->archive, z->bytes, z->count) !=
	    ARCHIVE_OK)
		fail(z);
}

bool
zip_next(struct zip *z)
{
	struct archive_entry *e;
	int rc;

	rc = archive_read_next_header(z->archive, &e);
	if (rc == ARCHIVE_EOF)
		return false;
	if (rc < ARCHIVE_WARN || archive_file_count(z->archive) > ENTRIES_MAX)
		fail(z);
	z->name = archive_entry_pathname_utf8(e);
	if (z->name == NULL)
		z->name = archive_entry_pathname(e);
	if (z->name == NULL)
		z->name = "";
	z->is_locked = archive_entry_is_encrypted(e) != 0;
	return true;
}

size_t
zip_read(struct zip *z, const char **out)
{
	const void *p;
	la_int64_t offset;
	size_t n;
	int rc;

	if (z->is_locked)
		document_end(LN_EXTRACT_LOCKED);
	rc = archive_read_data_block(z->archive, &p, &n, &offset);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc < ARCHIVE_WARN)
		fail(z);
	z->unpacked += (int64_t)n;
	if (z->unpacked > UNPACKED_MAX)
		document_end(LN_EXTRACT_TEXT_TOO_LARGE);
	*out = p;
	return n;
}

char *
zip_read_all(struct zip *z, size_t *out_count)
{
	char *all = NULL, *grown;
	const char *p;
	size_t count = 0, n, room = 0;

	do {
		n = zip_read(z, &p);
		if (count + n + 1 > room) {
			room = (count + n + 1) * 2;
			if ((grown = realloc(all, room)) == NULL)
				document_end(LN_EXTRACT_TOO_HUNGRY);
			all = grown;
		}
		if (n > 0)
			memcpy(all + count, p, n);
		count += n;
	} while (n > 0);
	all[count] = '\0';
	*out_count = count;
	return all;
}

/* What the archive is, by what is in it. */
void
zip_document(const char *p, size_t n)
{
	struct zip z = { p, n, NULL, NULL, false, 0 };
	char mimetype[MIMETYPE_BYTES] = "";
	const char *bytes;
	bool is_docx = false, is_locked = false;
	size_t count;

	zip_rewind(&z);
	while (zip_next(&z)) {
		is_locked = is_locked || z.is_locked;
		if (strcmp(z.name, "word/document.xml") == 0)
			is_docx = true;
		else if (strcmp(z.name, "mimetype") == 0 && !z.is_locked &&
		    (count = zip_read(&z, &bytes)) > 0 &&
		    count < sizeof(mimetype)) {
			memcpy(mimetype, bytes, count);
			mimetype[count] = '\0';
		}
	}
	zip_rewind(&z);
	if (is_docx)
		docx_document(&z);
	if (strncmp(mimetype, "application/vnd.oasis.opendocument.text",
	    39) == 0)
		odt_document(&z);
	if (strncmp(mimetype, "application/epub+zip", 20) == 0)
		epub_document(&z);
	document_end(is_locked ? LN_EXTRACT_LOCKED : LN_EXTRACT_FOREIGN);
}

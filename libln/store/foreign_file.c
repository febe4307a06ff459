#include "store/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/store.h>

#include "base/banned.h"

/* The file format's own numbers: sqlite.org/fileformat2.html, section 1.3. */
#define HEADER_BYTES 100
#define PAGE_MIN 512
#define PAGE_MAX 65536
#define USABLE_MIN 480

#define COPY_BYTES (64 * 1024)
#define SAMPLE_BYTES 4096
/*
 * The sum of the squared byte counts of a sample is n + n(n-1)/256 = 69,616 on
 * average when its bytes are random, more than twice that for text or tables.
 */
#define RANDOM_SQUARES_MAX 80000

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static bool
looks_random(const unsigned char *p, size_t n)
{
	uint32_t counts[256] = { 0 };
	uint64_t squares = 0;
	size_t i;

	for (i = 0; i < n; i++)
		counts[p[i]]++;
	for (i = 0; i < 256; i++)
		squares += (uint64_t)counts[i] * counts[i];
	return n == SAMPLE_BYTES && squares < RANDOM_SQUARES_MAX;
}

/* Not SQLite: say what it is instead, when that is easy to tell. */
static void
name_stranger(struct lni_foreign *f, const unsigned char *p, size_t n)
{
	static const struct {
		enum lni_finding finding;
		size_t len;
		const char *magic;
	} magics[] = {
		{ LNI_F_COMPRESSED, 2, "\x1f\x8b" },		/* gzip */
		{ LNI_F_COMPRESSED, 4, "PK\x03\x04" },		/* zip */
		{ LNI_F_COMPRESSED, 4, "\x28\xb5\x2f\xfd" },	/* zstd */
		{ LNI_F_COMPRESSED, 6, "\xfd" "7zXZ" },		/* xz */
		{ LNI_F_COMPRESSED, 3, "BZh" },			/* bzip2 */
		{ LNI_F_COMPRESSED, 6, "7z\xbc\xaf\x27\x1c" },	/* 7-Zip */
		{ LNI_F_ENCRYPTED, 18, "age-encryption.org" },
		{ LNI_F_ENCRYPTED, 8, "Salted__" },		/* openssl enc */
	};
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (n >= magics[i].len &&
		    memcmp(p, magics[i].magic, magics[i].len) == 0) {
			lni_find(f->report, magics[i].finding, NULL, 1);
			return;
		}
	}
	if (looks_random(p, n))
		lni_find(f->report, LNI_F_ENCRYPTED, NULL, 1);
	else
		lni_find(f->report, LNI_F_NOT_SQLITE, NULL, 1);
}

static void
read_size(struct lni_foreign *f, const unsigned char *p, int64_t page)
{
	int64_t pages = be32(p + 28);

	/* The page count is valid only when both counters agree. */
	if (pages == 0 || be32(p + 24) != be32(p + 92)) {
		if (f->bytes % page != 0)
			lni_find(f->report, LNI_F_TRUNCATED, NULL, 1);
		return;
	}
	if (f->bytes < pages * page)
		lni_find(f->report, LNI_F_TRUNCATED, NULL, 1);
	else if (f->bytes > pages * page)
		lni_find(f->report, LNI_F_SIZE_MISMATCH, NULL, 1);
}

static void
read_owner(struct lni_foreign *f, const unsigned char *p)
{
	uint32_t version = be32(p + 60), application = be32(p + 68);

	f->report->kind = LN_REPORT_UNKNOWN;
	if (application == LN_STORE_APPLICATION_ID) {
		f->report->kind = LN_REPORT_OURS;
		f->report->schema = version <= INT32_MAX ? (int)version : 0;
		if (version > (uint32_t)ln_store_schema_latest())
			lni_find(f->report, LNI_F_NEWER_SCHEMA, NULL, 1);
		else if (version == 0)
			lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, NULL, 1);
	} else if (application != 0) {
		lni_find(f->report, LNI_F_UNKNOWN_APPLICATION, NULL, 1);
	} else if (version != 0) {
		lni_find(f->report, LNI_F_UNKNOWN_SCHEMA, NULL, 1);
	} else {
		f->report->kind = LN_REPORT_LEGACY;
	}
}

static void
read_header(struct lni_foreign *f, const unsigned char *p, size_t n)
{
	static const char magic[16] = "SQLite format 3";
	uint32_t page, encoding, format;

	if (n < sizeof(magic) || memcmp(p, magic, sizeof(magic)) != 0) {
		name_stranger(f, p, n);
		return;
	}
	if (n < HEADER_BYTES) {
		lni_find(f->report, LNI_F_TRUNCATED, NULL, 1);
		return;
	}
	page = (uint32_t)p[16] << 8 | p[17];
	if (page == 1)
		page = PAGE_MAX;
	encoding = be32(p + 56);
	format = be32(p + 44);
	if (page < PAGE_MIN || page > PAGE_MAX || (page & (page - 1)) != 0 ||
	    page < USABLE_MIN + (uint32_t)p[20] || p[18] < 1 || p[18] > 2 ||
	    p[19] < 1 || p[19] > 2 || p[21] != 64 || p[22] != 32 ||
	    p[23] != 32 || encoding > 3 || format > 4) {
		lni_find(f->report, LNI_F_BAD_HEADER, NULL, 1);
		return;
	}
	if (encoding > 1)
		lni_find(f->report, LNI_F_UTF16, NULL, 1);
	read_size(f, p, page);
	read_owner(f, p);
}

static bool
has_side_file(const char *path, const char *suffix)
{
	char name[LNI_PATH_MAX + 16];
	struct stat sb;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return lstat(name, &sb) == 0;
}

/* Open without following, blocking or adopting; see what it is. */
static enum ln_status
look(const char *path, int *out_fd, struct lni_foreign *f,
    struct ln_error *err)
{
	struct stat sb;
	int fd;

	*out_fd = -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);
	if (fd < 0) {
		if (errno == ELOOP) {
			lni_find(f->report, LNI_F_SYMLINK, NULL, 1);
			return LN_OK;
		}
		if (errno == ENXIO || errno == ENODEV) {
			lni_find(f->report, LNI_F_SPECIAL_FILE, NULL, 1);
			return LN_OK;
		}
		if (errno == ENOENT || errno == ENOTDIR)
			return ln_fail(err, LN_NOT_FOUND,
			    "There is no such file", "%s", path);
		return ln_fail(err, LN_IO,
		    "The file cannot be opened. Check its permissions",
		    "open %s: %s", path, strerror(errno));
	}
	if (fstat(fd, &sb) != 0) {
		close(fd);
		return ln_fail(err, LN_IO, "", "fstat %s: %s", path,
		    strerror(errno));
	}
	f->bytes = sb.st_size;
	f->changed_ms = (int64_t)sb.st_mtim.tv_sec * 1000;
	if (!S_ISREG(sb.st_mode)) {
		lni_find(f->report, LNI_F_SPECIAL_FILE, NULL, 1);
	} else {
		if (sb.st_nlink > 1)
			lni_find(f->report, LNI_F_HARD_LINK, NULL, 1);
		if (sb.st_size == 0)
			lni_find(f->report, LNI_F_EMPTY, NULL, 1);
		if (sb.st_size > LNI_FOREIGN_BYTES_MAX)
			lni_find(f->report, LNI_F_TOO_LARGE, NULL, 1);
		if (has_side_file(path, "-wal") ||
		    has_side_file(path, "-journal"))
			lni_find(f->report, LNI_F_SIDE_FILES, NULL, 1);
	}
	if (lni_report_has_error(f->report))
		close(fd);
	else
		*out_fd = fd;
	return LN_OK;
}

static enum ln_status
write_all(int fd, const unsigned char *p, size_t n, struct ln_error *err)
{
	ssize_t w;

	while (n > 0) {
		if ((w = write(fd, p, n)) < 0) {
			if (errno == EINTR)
				continue;
			return ln_fail(err, LN_IO, "The working copy cannot "
			    "be written. Check the free space", "write: %s",
			    strerror(errno));
		}
		p += w;
		n -= (size_t)w;
	}
	return LN_OK;
}

static enum ln_status
read_some(int fd, unsigned char *p, size_t n, size_t *out,
    struct ln_error *err)
{
	ssize_t r;

	*out = 0;
	while (*out < n) {
		if ((r = read(fd, p + *out, n - *out)) < 0) {
			if (errno == EINTR)
				continue;
			return ln_fail(err, LN_IO, "The file cannot be read",
			    "read: %s", strerror(errno));
		}
		if (r == 0)
			break;
		*out += (size_t)r;
	}
	return LN_OK;
}

static enum ln_status
copy_all(int from, int to, struct lni_foreign *f, struct ln_error *err)
{
	unsigned char chunk[COPY_BYTES];
	int64_t done = 0;
	enum ln_status s;
	size_t n;

	for (;;) {
		if ((s = read_some(from, chunk, sizeof(chunk), &n, err)) !=
		    LN_OK)
			return s;
		if (n == 0)
			break;
		if (done == 0)
			read_header(f, chunk, n > SAMPLE_BYTES ?
			    SAMPLE_BYTES : n);
		done += (int64_t)n;
		/* Stop at the first sight of trouble or growth. */
		if (lni_report_has_error(f->report) || done > f->bytes)
			break;
		if ((s = write_all(to, chunk, n, err)) != LN_OK)
			return s;
		if (!lni_foreign_progress(f, (int)(done * 100 / f->bytes)))
			return ln_fail(err, LN_CANCELLED, "", "copying");
	}
	if (!lni_report_has_error(f->report) && done != f->bytes)
		lni_find(f->report, LNI_F_CHANGED, NULL, 1);
	return LN_OK;
}

enum ln_status
lni_foreign_copy(const char *path, struct lni_scratch *sc,
    char out_copy[LNI_PATH_MAX], struct lni_foreign *f, struct ln_error *err)
{
	enum ln_status s;
	int from, to = -1;

	if (strlen(path) >= LNI_PATH_MAX)
		return ln_fail(err, LN_NOT_FOUND, "The path is too long",
		    "%zu bytes", strlen(path));
	if ((s = look(path, &from, f, err)) != LN_OK || from < 0)
		return s;
	s = lni_scratch_file(sc, LNI_SCRATCH_COPY, out_copy, &to, err);
	if (s == LN_OK) {
		s = copy_all(from, to, f, err);
		close(to);
	}
	close(from);
	return s;
}

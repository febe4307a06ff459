/* syscall(2) is in no standard. */
#define _DEFAULT_SOURCE 1

#include "service/tools/builtin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include <ln/tool.h>

#include "base/file.h"
#include "service/tools/http_tool.h"

#include "base/banned.h"

#define PATH_BYTES_MAX LNI_FILE_PATH_MAX
/* A rename beside a ".." makes the kernel start over. */
#define OPEN_TRIES 8

/* One folder of the list; not NUL-terminated. */
struct folder {
	const char *path;
	size_t length;
};

static const char *
folders(const struct ln_config *cfg)
{
	return cfg != NULL ? ln_config_get(cfg, "LOCALNEURAL_READ_FOLDERS") :
	    NULL;
}

/* The next absolute one, without slashes at its end; the root is "". */
static bool
next_folder(const char **list, struct folder *out)
{
	while (*list != NULL && **list != '\0') {
		out->path = *list;
		out->length = strcspn(*list, ":");
		*list += out->length + ((*list)[out->length] == ':');
		if (out->length == 0 || out->path[0] != '/')
			continue;
		while (out->length > 0 && out->path[out->length - 1] == '/')
			out->length--;
		return true;
	}
	return false;
}

/* ${path} as the folder sees it, or NULL when it is absolute and elsewhere. */
static const char *
inside(const struct folder *f, const char *path)
{
	if (path[0] != '/')
		return path;
	if (strncmp(path, f->path, f->length) != 0 || path[f->length] != '/')
		return NULL;
	path += f->length;
	return path + strspn(path, "/");
}

static enum ln_status
open_failed(int error, struct ln_error *err)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return ln_fail(err, LN_NOT_FOUND, "There is no such file in "
		    "the folders that may be read", "openat2: %s",
		    strerror(error));
	case EXDEV:
	case ELOOP:
	case EAGAIN:
		return ln_fail(err, LN_FORBIDDEN, "This path leads out of the "
		    "folders that may be read", "openat2: %s",
		    strerror(error));
	case EACCES:
	case EPERM:
		return ln_fail(err, LN_FORBIDDEN, "The server may not read "
		    "this file", "openat2: %s", strerror(error));
	case ENAMETOOLONG:
		return ln_fail(err, LN_INVALID, "The path is too long",
		    "openat2: %s", strerror(error));
	case ENOSYS:
		return ln_fail(err, LN_UNSUPPORTED, "This system cannot keep "
		    "a path inside a folder: it needs Linux 5.6", "openat2");
	case ENXIO:
	case ENODEV:
		return ln_fail(err, LN_INVALID, "This is not a regular file",
		    "openat2: %s", strerror(error));
	default:
		return ln_fail(err, LN_IO, "", "openat2: %s", strerror(error));
	}
}

/* The kernel itself keeps the walk below the folder, so that exchanging a
 * part of the path meanwhile gains nothing. */
static enum ln_status
open_beneath(const struct folder *f, const char *relative, int *out_fd,
    struct ln_error *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	char path[PATH_BYTES_MAX];
	int root, fd = -1, tries;

	*out_fd = -1;
	if (f->length + 2 > sizeof(path))
		return open_failed(ENAMETOOLONG, err);
	memcpy(path, f->path, f->length);
	memcpy(path + f->length, "/", 2);
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return open_failed(errno, err);
	for (tries = 0; tries < OPEN_TRIES && fd < 0; tries++) {
		fd = (int)syscall(SYS_openat2, root, relative, &how,
		    sizeof(how));
		if (fd < 0 && errno != EAGAIN && errno != EINTR)
			break;
	}
	if (fd < 0) {
		tries = errno;
		close(root);
		return open_failed(tries, err);
	}
	close(root);
	*out_fd = fd;
	return LN_OK;
}

/* --- what no folder opens ------------------------------------------------- */

/* Where an open file is now, as the kernel says. */
static bool
path_of(int fd, char out[PATH_BYTES_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_BYTES_MAX - 1);
	if (n <= 0 || n >= PATH_BYTES_MAX - 1)
		return false;
	out[n] = '\0';
	return true;
}

/* The folder of the database, as the kernel says. */
static bool
data_folder(const struct ln_config *cfg, char out[PATH_BYTES_MAX])
{
	const char *db = ln_config_get(cfg, "LOCALNEURAL_DB");
	const char *slash;
	char path[PATH_BYTES_MAX];
	bool is_known;
	size_t n;
	int fd;

	if (db == NULL)
		return false;
	slash = strrchr(db, '/');
	n = slash == NULL ? 0 : (size_t)(slash - db) + 1;
	if (n + 2 > sizeof(path))
		return false;
	memcpy(path, db, n);
	memcpy(path + n, ".", 2);
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	is_known = path_of(fd, out);
	close(fd);
	return is_known;
}

static bool
is_env_file(const struct ln_config *cfg, const struct stat *sb)
{
	const char *path = ln_config_path(cfg);
	struct stat env;

	return path != NULL && stat(path, &env) == 0 &&
	    env.st_dev == sb->st_dev && env.st_ino == sb->st_ino;
}

/* Not knowing where it is counts as being where it must not be. */
static bool
is_ours(const struct ln_config *cfg, const char *path, const struct stat *sb)
{
	char data[PATH_BYTES_MAX];
	size_t n;

	if (is_env_file(cfg, sb) || !data_folder(cfg, data))
		return true;
	n = strlen(data);
	return strncmp(path, data, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0');
}

/* --- reading -------------------------------------------------------------- */

static enum ln_status
read_text(int fd, struct ln_tool_file *out, struct ln_error *err)
{
	char *content;
	size_t n = 0, whole, tail;
	ssize_t got;

	if ((content = malloc(LN_TOOL_FILE_MAX + 1)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "read_file");
	while (n < LN_TOOL_FILE_MAX) {
		got = read(fd, content + n, LN_TOOL_FILE_MAX - n);
		if (got == 0)
			break;
		if (got > 0) {
			n += (size_t)got;
		} else if (errno != EINTR) {
			free(content);
			return ln_fail(err, LN_IO, "", "read: %s",
			    strerror(errno));
		}
	}
	/* The end of a beginning may cut a character in two. */
	whole = n;
	for (tail = 0; tail < 3 && n == LN_TOOL_FILE_MAX &&
	    !lni_tool_is_text(content, whole); tail++)
		whole--;
	if (!lni_tool_is_text(content, whole)) {
		free(content);
		return ln_fail(err, LN_INVALID, "This file is not text in "
		    "UTF-8", "%zu bytes", n);
	}
	content[whole] = '\0';
	out->content = content;
	out->length = whole;
	return LN_OK;
}

static enum ln_status
take(const struct ln_config *cfg, int fd, struct ln_tool_file *out,
    struct ln_error *err)
{
	char path[PATH_BYTES_MAX];
	struct stat sb;

	if (fstat(fd, &sb) != 0)
		return ln_fail(err, LN_IO, "", "fstat: %s", strerror(errno));
	if (!S_ISREG(sb.st_mode))
		return ln_fail(err, LN_INVALID, "This is not a regular file",
		    "mode %o", (unsigned int)sb.st_mode);
	if (!path_of(fd, path) || is_ours(cfg, path, &sb))
		return ln_fail(err, LN_FORBIDDEN, "This file belongs to the "
		    "server and is not read", "data folder or env file");
	if ((out->path = strdup(path)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "read_file");
	out->bytes = (int64_t)sb.st_size;
	return read_text(fd, out, err);
}

enum ln_status
ln_tool_read_file(const struct ln_config *cfg, const char *path,
    struct ln_tool_file *out, struct ln_error *err)
{
	const char *list = folders(cfg), *relative;
	struct folder f;
	enum ln_status s;
	int fd = -1;

	*out = (struct ln_tool_file){ 0 };
	if (!next_folder(&list, &f))
		return ln_fail(err, LN_UNSUPPORTED, "No folder may be read. "
		    "Set LOCALNEURAL_READ_FOLDERS", "no folders");
	list = folders(cfg);
	s = ln_fail(err, LN_FORBIDDEN, "This path is outside of the folders "
	    "that may be read", "no folder fits");
	while (next_folder(&list, &f)) {
		if ((relative = inside(&f, path)) == NULL)
			continue;
		s = open_beneath(&f, relative[0] != '\0' ? relative : ".", &fd,
		    err);
		if (s != LN_NOT_FOUND)
			break;
	}
	if (s != LN_OK)
		return s;
	s = take(cfg, fd, out, err);
	close(fd);
	if (s != LN_OK)
		ln_tool_file_free(out);
	return s;
}

void
ln_tool_file_free(struct ln_tool_file *f)
{
	ln_free(f->path);
	ln_free(f->content);
	*f = (struct ln_tool_file){ 0 };
}

/* --- the tool ------------------------------------------------------------- */

static bool
is_offered(const struct ln_config *cfg)
{
	const char *list = folders(cfg);
	struct folder f;

	return next_folder(&list, &f);
}

static enum ln_status
run(const struct lni_tool_run *r, struct ln_error *err)
{
	struct ln_tool_file f;
	enum ln_status s;

	if ((s = ln_tool_read_file(r->cfg, ln_json_get_string(r->arguments,
	    "path"), &f, err)) != LN_OK)
		return s;
	/* What does not fit is cut by the toolbox, so the size goes first. */
	ln_buf_printf(r->result, "[%lld bytes", (long long)f.bytes);
	if ((int64_t)f.length < f.bytes)
		ln_buf_printf(r->result, ", of which these are the first %zu",
		    f.length);
	ln_buf_puts(r->result, "]\n");
	ln_buf_put(r->result, f.content, f.length);
	if ((s = ln_buf_status(r->result)) != LN_OK)
		s = ln_fail(err, s, "", "read_file");
	ln_tool_file_free(&f);
	return s;
}

const struct lni_builtin lni_tool_read_file = {
	.name = "read_file",
	.description = "Read a text file of the server, inside the folders "
	    "that its administrator allowed.",
	.parameters = "{\"type\":\"object\",\"properties\":{\"path\":"
	    "{\"type\":\"string\",\"minLength\":1,\"maxLength\":4096,"
	    "\"description\":\"Path of the file: absolute, or relative to an "
	    "allowed folder\"}},\"required\":[\"path\"],"
	    "\"additionalProperties\":false}",
	.asks_first = true,
	.is_offered = is_offered,
	.run = run,
};

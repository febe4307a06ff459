#include "service/data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/audit.h>
#include <ln/time.h>
#include <ln/user.h>

#include "service/account.h"
#include "store/forks.h"
#include "store/tx.h"

#include "base/banned.h"

#define PIECE ((size_t)256 * 1024)
#define ELEMENT_MAX ((size_t)32 * 1024 * 1024)
#define DEPTH_MAX 100
#define VALUES_MAX ((size_t)500000)
#define SENTENCE "The file is not an export that can be imported"

static const char *const kinds[LN_DATA_KINDS] = {
	[LNI_DATA_CONVERSATION] = "conversations",
	[LNI_DATA_MESSAGE] = "messages",
	[LNI_DATA_TOOL_RUN] = "tool_runs",
	[LNI_DATA_GROUP] = "groups",
	[LNI_DATA_PROJECT] = "projects",
	[LNI_DATA_DOCUMENT] = "documents",
	[LNI_DATA_PROMPT] = "prompts",
	[LNI_DATA_TOOL] = "tools",
	[LNI_DATA_SETTING] = "settings",
	[LNI_DATA_PICTURE] = "picture",
};

int
lni_data_kind_of(const char *member)
{
	int i;

	if (member == NULL || strcmp(member, "sessions") == 0)
		return LNI_DATA_CONVERSATION;
	for (i = 0; i < LN_DATA_KINDS; i++)
		if (strcmp(member, kinds[i]) == 0)
			return i;
	return -1;
}

/* One reading of the file. */
struct reading {
	struct lni_data *d;
	lni_data_reader *read;	/* NULL: find out what it is */
	bool is_ours;
	int64_t version;
	struct ln_error *err;
};

/* --- what it is ----------------------------------------------------------- */

static void
found(struct reading *r, const char *format, lni_data_reader *read)
{
	r->d->report->format = format;
	r->read = read;
}

/* An element of an array at the top: a conversation of whom? */
static void
look_at_element(struct reading *r, const struct ln_json *n)
{
	if (ln_json_type(ln_json_get(n, "mapping")) == LN_JSON_OBJECT)
		found(r, "chatgpt", lni_data_chatgpt);
	else if (ln_json_type(ln_json_get(n, "chat")) == LN_JSON_OBJECT)
		found(r, "open_webui", lni_data_webui);
	else if (ln_json_type(ln_json_get(n, "messages")) == LN_JSON_ARRAY)
		found(r, "legacy", lni_data_legacy);
}

static void
look_at_member(struct reading *r, const char *name, bool is_listed,
    const struct ln_json *n)
{
	const char *s = ln_json_string(n);

	if (!is_listed && strcmp(name, "format") == 0 && s != NULL)
		r->is_ours = strcmp(s, "localneural-user") == 0;
	else if (!is_listed && strcmp(name, "version") == 0)
		(void)ln_json_int(n, &r->version);
	else if (is_listed && strcmp(name, "sessions") == 0)
		found(r, "legacy", lni_data_legacy);
	if (r->is_ours && r->version > 0)
		found(r, "localneural", lni_data_ours);
}

static enum ln_status
look(void *arg, const struct lni_json_part *part)
{
	const struct ln_json_opts opts = { .size = sizeof(opts),
		.depth_max = DEPTH_MAX, .values_max = VALUES_MAX,
		.allow_duplicates = true };
	struct reading *r = arg;
	struct ln_json *n = NULL;
	enum ln_status s;

	if (part->text == NULL)
		return LN_OK;
	s = ln_json_parse(part->text, part->n, &opts, &n, r->err);
	if (s == LN_NOMEM)
		return s;
	if (part->member == NULL)
		look_at_element(r, n);
	else
		look_at_member(r, part->member, part->is_listed, n);
	ln_json_free(n);
	return r->read != NULL ? LN_CANCELLED : LN_OK;
}

/* --- reading -------------------------------------------------------------- */

/* When a list is read: after those that it refers to. */
static int
pass_of(const char *member)
{
	static const struct {
		const char *list;
		int pass;
	} lists[] = { { "conversations", 1 }, { "sessions", 1 },
		{ "documents", 1 }, { "project_documents", 1 },
		{ "messages", LNI_DATA_PASS_MESSAGES },
		{ "session_tags", LNI_DATA_PASS_MESSAGES },
		{ "tool_runs", 3 } };
	size_t i;

	for (i = 0; member != NULL && i < sizeof(lists) / sizeof(lists[0]);
	    i++)
		if (strcmp(member, lists[i].list) == 0)
			return lists[i].pass;
	return 0;
}

static void
unreadable(struct lni_data *d, const struct lni_json_part *part,
    enum ln_status s)
{
	int kind = lni_data_kind_of(part->member);

	if (kind < 0)
		return;
	lni_data_skip(d, (enum lni_data_kind)kind, part->text == NULL ?
	    "It is larger than 32 MiB" : s == LN_TOO_LARGE ?
	    "It is nested too deep or has too many values" :
	    "It is not valid JSON in UTF-8");
}

static enum ln_status
take(void *arg, const struct lni_json_part *part)
{
	const struct ln_json_opts opts = { .size = sizeof(opts),
		.depth_max = DEPTH_MAX, .values_max = VALUES_MAX,
		.allow_duplicates = true };
	struct reading *r = arg;
	struct ln_json *n = NULL;
	enum ln_status s;

	if ((part->member != NULL && !part->is_listed) ||
	    pass_of(part->member) != r->d->pass)
		return LN_OK;
	s = part->text == NULL ? LN_TOO_LARGE :
	    ln_json_parse(part->text, part->n, &opts, &n, NULL);
	if (s == LN_NOMEM)
		return ln_fail(r->err, s, "", "element of an import");
	if (s != LN_OK) {
		unreadable(r->d, part, s);
		return LN_OK;
	}
	s = r->read(r->d, part->member, n, r->err);
	ln_json_free(n);
	return s;
}

struct file {
	int fd;
	int64_t bytes;
	const struct ln_data_opts *opts;
};

/* Some readers of text begin with a mark of its encoding. */
static size_t
skip_mark(const char *piece, size_t n)
{
	return n >= 3 && memcmp(piece, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static enum ln_status
read_pass(const struct file *f, struct reading *r, lni_json_part_fn *fn,
    int percent, char *piece)
{
	struct lni_json_split split;
	enum ln_status s = LN_OK;
	int64_t at = 0;
	size_t skip;
	ssize_t n;

	lni_json_split_init(&split, ELEMENT_MAX, fn, r);
	while (s == LN_OK) {
		n = pread(f->fd, piece, PIECE, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			s = ln_fail(r->err, LN_IO, "", "read: errno %d",
			    errno);
		if (n <= 0)
			break;
		skip = at == 0 ? skip_mark(piece, (size_t)n) : 0;
		at += n;
		s = lni_json_split_feed(&split, piece + skip,
		    (size_t)n - skip);
		if (s == LN_INVALID)
			s = ln_fail(r->err, s, SENTENCE, "near byte %lld",
			    (long long)at);
		else if (s == LN_OK && f->opts->progress != NULL &&
		    !f->opts->progress(f->opts->progress_arg, percent +
		    (int)(at * 25 / (f->bytes + 1))))
			s = ln_fail(r->err, LN_CANCELLED, "", "import");
	}
	if (s == LN_OK && (s = lni_json_split_end(&split)) != LN_OK)
		s = ln_fail(r->err, s, SENTENCE, "it ends early");
	lni_json_split_free(&split);
	return s;
}

/* The format, by its content: into r->read. */
static enum ln_status
recognise(const struct file *f, struct reading *r, char *piece)
{
	const struct file quiet = { f->fd, f->bytes, &(struct ln_data_opts){
	    .size = sizeof(struct ln_data_opts) } };
	enum ln_status s;

	s = read_pass(&quiet, r, look, 0, piece);
	if (s == LN_CANCELLED && r->read != NULL)
		s = LN_OK;
	if (s != LN_OK)
		return s;
	if (r->read == NULL)
		return ln_fail(r->err, LN_INVALID, SENTENCE,
		    "no format of ours or theirs");
	if (r->is_ours && r->version != 1)
		return ln_fail(r->err, LN_TOO_NEW, "The export is of a later "
		    "version than this program", "version %lld",
		    (long long)r->version);
	return LN_OK;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, LN_UUID_SIZE);
}

static enum ln_status
put_on_record(struct lni_data *d, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(400);
	enum ln_status s;

	ln_buf_printf(&b, "format=%s conversations=%lld messages=%lld",
	    d->report->format,
	    (long long)d->report->counts[LNI_DATA_CONVERSATION].added,
	    (long long)d->report->counts[LNI_DATA_MESSAGE].added);
	s = ln_audit_add(d->st, "user.import", d->user_id, LN_OK,
	    ln_buf_str(&b), err);
	ln_buf_free(&b);
	return s;
}

static enum ln_status
run(struct lni_data *d, const struct file *f, struct reading *r, char *piece)
{
	enum ln_status s;

	if ((s = lni_account_may_act(d->st, d->user_id, false, r->err)) !=
	    LN_OK)
		return s;
	for (d->pass = 0; d->pass < LNI_DATA_PASSES; d->pass++) {
		if (d->fresh_count > 1)
			qsort(d->fresh, d->fresh_count, LN_UUID_SIZE,
			    compare_ids);
		if ((s = read_pass(f, r, take, d->pass * 25, piece)) !=
		    LN_OK ||
		    (s = r->read(d, NULL, NULL, r->err)) != LN_OK)
			return s;
		if (r->read != lni_data_ours && r->read != lni_data_legacy)
			break;
	}
	if ((s = lni_forks_settle(d->st, r->err)) != LN_OK)
		return s;
	return f->opts->is_dry_run ? LN_OK : put_on_record(d, r->err);
}

static enum ln_status
open_file(const char *path, struct file *f, struct ln_error *err)
{
	struct stat sb;

	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd == -1)
		return ln_fail(err, errno == ENOENT ? LN_NOT_FOUND : LN_IO,
		    "The file cannot be opened", "open: errno %d", errno);
	if (fstat(f->fd, &sb) == -1 || !S_ISREG(sb.st_mode))
		return ln_fail(err, LN_INVALID, SENTENCE, "no regular file");
	if (sb.st_size > LN_DATA_FILE_MAX)
		return ln_fail(err, LN_TOO_LARGE, "A file to import has at "
		    "most 1 GiB", "%lld bytes", (long long)sb.st_size);
	f->bytes = sb.st_size;
	return LN_OK;
}

/* All or nothing; of a rehearsal nothing. */
static enum ln_status
import(struct lni_data *d, const struct file *f, struct reading *r,
    char *piece)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	if ((s = ln_user_get(d->st, d->user_id, &u, r->err)) != LN_OK ||
	    (s = recognise(f, r, piece)) != LN_OK)
		goto out;
	if ((s = lni_tx_begin(d->st, r->err)) != LN_OK)
		goto out;
	s = run(d, f, r, piece);
	if (s == LN_OK && f->opts->is_dry_run)
		(void)!lni_tx_end(d->st, LN_CANCELLED, NULL);
	else
		s = lni_account_end(d->st, s, "user.import", d->user_id,
		    r->err);
out:
	ln_user_free(u);
	return s;
}

enum ln_status
ln_data_import(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const char *path, const struct ln_data_opts *opts,
    struct ln_data_report **out, struct ln_error *err)
{
	struct file f = { .fd = -1, .opts = opts };
	struct lni_data d = { .st = st, .cfg = cfg, .user_id = user_id,
		.now_ms = ln_time_now_ms() };
	struct reading r = { .d = &d, .err = err };
	char *piece = NULL;
	enum ln_status s;
	size_t i;

	*out = NULL;
	if ((d.report = calloc(1, sizeof(*d.report))) == NULL ||
	    (piece = malloc(PIECE)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "import");
		goto out;
	}
	for (i = 0; i < LN_DATA_KINDS; i++)
		d.report->counts[i].what = kinds[i];
	if ((s = open_file(path, &f, err)) == LN_OK)
		s = import(&d, &f, &r, piece);
out:
	if (f.fd != -1)
		(void)close(f.fd);
	free(piece);
	free(d.fresh);
	free(d.messages);
	free(d.forks);
	if (s == LN_OK)
		*out = d.report;
	else
		ln_free(d.report);
	return s;
}

void
ln_data_report_json(const struct ln_data_report *r, struct ln_jw *w)
{
	size_t i;

	ln_jw_string(w, "format", r->format);
	ln_jw_object(w, "counts");
	for (i = 0; i < LN_DATA_KINDS; i++) {
		ln_jw_object(w, r->counts[i].what);
		ln_jw_int(w, "added", r->counts[i].added);
		ln_jw_int(w, "present", r->counts[i].present);
		ln_jw_int(w, "skipped", r->counts[i].skipped);
		ln_jw_end(w);
	}
	ln_jw_end(w);
	ln_jw_array(w, "notes");
	for (i = 0; i < r->note_count; i++) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "what", r->notes[i].what);
		ln_jw_string(w, "reason", r->notes[i].reason);
		ln_jw_bool(w, "is_kept", r->notes[i].is_kept);
		ln_jw_int(w, "count", r->notes[i].count);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

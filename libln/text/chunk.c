#include "text/chunk.h"

#include <string.h>

#include <ln/text.h>

#include "base/banned.h"

void
lni_chunker_init(struct lni_chunker *c, lni_chunk_fn *fn, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->fn = fn;
	c->arg = arg;
}

static bool
is_space(char ch)
{
	return ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r';
}

static bool
is_blank(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!is_space(p[i]))
			return false;
	}
	return true;
}

/* How good a place ${i} is to end at: 0 for none at all. */
static int
rank(const char *p, size_t i)
{
	if (p[i - 1] == '\n')
		return i >= 2 && p[i - 2] == '\n' ? 4 : 3;
	if (p[i - 1] != ' ')
		return 0;
	return i >= 2 && strchr(".!?:;", p[i - 2]) != NULL ? 2 : 1;
}

/* The best end, and of equal ones the last.  A paragraph may end early, a word
 * must fill the chunk well. */
static size_t
find_end(const struct lni_chunker *c)
{
	static const size_t from[] = {
		[1] = LNI_CHUNK_MAX - LNI_CHUNK_OVERLAP,
		[2] = LNI_CHUNK_MIN, [3] = LNI_CHUNK_MIN, [4] = LNI_CHUNK_MIN,
	};
	size_t i, best = 0;
	int r, best_rank = 0;

	for (i = LNI_CHUNK_MAX; i >= LNI_CHUNK_MIN; i--) {
		r = rank(c->text, i);
		if (r > best_rank && i >= from[r]) {
			best_rank = r;
			best = i;
		}
	}
	return best != 0 ? best :
	    ln_utf8_prefix(c->text, c->length, LNI_CHUNK_MAX);
}

/* Where the next chunk begins: at a line or a word of the last bytes. */
static size_t
find_overlap(const struct lni_chunker *c, size_t end)
{
	size_t i, from = end - LNI_CHUNK_OVERLAP, word = end;

	for (i = from; i < end; i++) {
		if (c->text[i - 1] == '\n')
			return i;
		if (word == end && c->text[i - 1] == ' ')
			word = i;
	}
	return word;
}

static enum ln_status
emit(struct lni_chunker *c, size_t n, struct ln_error *err)
{
	const struct lni_chunk chunk = {
		.text = c->text, .length = n, .overlap = c->overlap,
		.page = c->page, .line = c->line,
	};

	if (is_blank(c->text + c->overlap, n - c->overlap))
		return LN_OK;
	return c->fn(c->arg, &chunk, err);
}

static void
drop(struct lni_chunker *c, size_t n)
{
	size_t i;

	for (i = 0; c->line > 0 && i < n; i++)
		c->line += c->text[i] == '\n';
	memmove(c->text, c->text + n, c->length - n);
	c->length -= n;
}

/* Blank lines before a text say nothing. */
static void
drop_blank(struct lni_chunker *c)
{
	size_t n = 0, i;

	if (c->overlap > 0)
		return;
	for (i = 0; i < c->length && is_space(c->text[i]); i++) {
		if (c->text[i] == '\n')
			n = i + 1;
	}
	drop(c, n);
}

static enum ln_status
cut(struct lni_chunker *c, struct ln_error *err)
{
	size_t end, next;
	enum ln_status s;

	drop_blank(c);
	if (c->length <= LNI_CHUNK_MAX)
		return LN_OK;
	end = find_end(c);
	if ((s = emit(c, end, err)) != LN_OK)
		return s;
	next = find_overlap(c, end);
	drop(c, next);
	c->overlap = end - next;
	return LN_OK;
}

enum ln_status
lni_chunker_end(struct lni_chunker *c, struct ln_error *err)
{
	enum ln_status s = LN_OK;

	drop_blank(c);
	if (c->length > c->overlap)
		s = emit(c, c->length, err);
	c->length = c->overlap = 0;
	return s;
}

enum ln_status
lni_chunker_feed(struct lni_chunker *c, const char *p, size_t n,
    uint32_t page, uint32_t line, struct ln_error *err)
{
	enum ln_status s;
	size_t k;

	if (page != c->page && (s = lni_chunker_end(c, err)) != LN_OK)
		return s;
	c->page = page;
	if (c->length == 0)
		c->line = line;
	while (n > 0) {
		k = sizeof(c->text) - c->length;
		if (k > n)
			k = n;
		memcpy(c->text + c->length, p, k);
		c->length += k;
		p += k;
		n -= k;
		while (c->length > LNI_CHUNK_MAX) {
			if ((s = cut(c, err)) != LN_OK)
				return s;
		}
	}
	return LN_OK;
}

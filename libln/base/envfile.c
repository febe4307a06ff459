#include "base/envfile.h"

#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>
#include <ln/text.h>

#include "base/banned.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static bool
is_name_byte(char c, bool is_first)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_')
		return true;
	return !is_first && c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *
skip_blank(char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* Behind a closing quote: nothing, or a comment. */
static bool
is_rest_empty(char *s)
{
	char *next = skip_blank(s);

	return *next == '\0' || (*next == '#' && next > s);
}

/* One line, taken apart in place.  ${name} is NULL when it assigns nothing;
 * the value as it was written, with its quotes, is from ${raw} to ${raw_end}. */
struct assignment {
	char *name;
	char *value;
	char *raw;
	char *raw_end;
};

static bool
read_single_quoted(char *s, struct assignment *out)
{
	char *end = strchr(s, '\'');

	if (end == NULL)
		return false;
	*end = '\0';
	out->value = s;
	out->raw_end = end + 1;
	return is_rest_empty(end + 1);
}

static bool
read_double_quoted(char *s, struct assignment *out)
{
	char *to = s;

	out->value = s;
	for (; *s != '"'; s++) {
		if (*s == '\\') {
			s++;
			if (*s == 'n')
				*s = '\n';
			else if (*s != '"' && *s != '\\')
				return false;
		}
		if (*s == '\0')
			return false;
		*to++ = *s;
	}
	if (!is_rest_empty(s + 1))
		return false;
	out->raw_end = s + 1;
	*to = '\0';
	return true;
}

/* To the end of the line or to a "#" behind white space, trimmed.  The byte
 * before ${s} belongs to the line: the "=" or white space. */
static bool
read_bare(char *s, struct assignment *out)
{
	char *end;

	for (end = s; *end != '\0'; end++)
		if (*end == '#' && is_blank(end[-1]))
			break;
	while (end > s && is_blank(end[-1]))
		end--;
	*end = '\0';
	out->value = s;
	out->raw_end = end;
	return true;
}

static bool
read_line(char *s, struct assignment *out)
{
	char *end;

	memset(out, 0, sizeof(*out));
	s = skip_blank(s);
	if (*s == '\0' || *s == '#')
		return true;
	if (strncmp(s, "export", 6) == 0 && skip_blank(s + 6) > s + 6 &&
	    *skip_blank(s + 6) != '=')
		s = skip_blank(s + 6);
	for (end = s; is_name_byte(*end, end == s); end++)
		continue;
	if (end == s || *skip_blank(end) != '=')
		return false;
	out->name = s;
	s = skip_blank(skip_blank(end) + 1);
	*end = '\0';
	out->raw = s;
	if (*s == '\'')
		return read_single_quoted(s + 1, out);
	if (*s == '"')
		return read_double_quoted(s + 1, out);
	return read_bare(s, out);
}

static enum ln_status
each(char *text, size_t n, enum ln_status (*fn)(void *arg, int line,
    const struct assignment *a), void *arg, int *out_line)
{
	char *end = text + n, *next;
	struct assignment a;
	enum ln_status s;
	size_t length;
	int line;

	*out_line = 0;
	if (strncmp(text, BYTE_ORDER_MARK, 3) == 0)
		text += 3;
	for (line = 1; text < end; line++, text = next) {
		next = memchr(text, '\n', (size_t)(end - text));
		if (next == NULL)
			next = end;
		length = (size_t)(next - text);
		if (next < end)
			*next++ = '\0';
		if (length > 0 && text[length - 1] == '\r')
			text[--length] = '\0';
		if (memchr(text, '\0', length) != NULL ||
		    !ln_utf8_valid(text, length) || !read_line(text, &a)) {
			*out_line = line;
			return LN_INVALID;
		}
		if (a.name != NULL && (s = fn(arg, line, &a)) != LN_OK)
			return s;
	}
	return LN_OK;
}

struct reader {
	lni_envfile_fn *fn;
	void *arg;
};

static enum ln_status
pass_on(void *arg, int line, const struct assignment *a)
{
	const struct reader *r = arg;

	return r->fn(r->arg, line, a->name, a->value);
}

enum ln_status
lni_envfile_parse(char *text, size_t n, lni_envfile_fn *fn, void *arg,
    int *out_line)
{
	struct reader r = { fn, arg };

	return each(text, n, pass_on, &r, out_line);
}

struct finder {
	const char *name;
	const char *text;
	size_t from;
	size_t to;
	bool is_found;
};

static enum ln_status
note_place(void *arg, int line, const struct assignment *a)
{
	struct finder *f = arg;

	(void)line;
	if (strcmp(a->name, f->name) != 0)
		return LN_OK;
	f->is_found = true;
	f->from = (size_t)(a->raw - f->text);
	f->to = (size_t)(a->raw_end - f->text);
	return LN_OK;
}

enum ln_status
lni_envfile_find(const char *text, size_t n, const char *name,
    size_t *out_from, size_t *out_to)
{
	struct finder f = { .name = name };
	enum ln_status s;
	char *copy;
	int line;

	*out_from = *out_to = 0;
	if ((copy = malloc(n + 1)) == NULL)
		return LN_NOMEM;
	memcpy(copy, text, n);
	copy[n] = '\0';
	f.text = copy;
	s = each(copy, n, note_place, &f, &line);
	ln_wipe(copy, n);
	free(copy);
	if (s == LN_OK && !f.is_found)
		s = LN_NOT_FOUND;
	if (s != LN_OK)
		return s;
	*out_from = f.from;
	*out_to = f.to;
	return LN_OK;
}

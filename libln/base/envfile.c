#include "base/envfile.h"

#include <string.h>

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

static bool
read_single_quoted(char *s, char **value)
{
	char *end = strchr(s, '\'');

	if (end == NULL)
		return false;
	*end = '\0';
	*value = s;
	return is_rest_empty(end + 1);
}

static bool
read_double_quoted(char *s, char **value)
{
	char *to = s;

	*value = s;
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
	*to = '\0';
	return true;
}

/* To the end of the line or to a "#" behind white space, trimmed.  The byte
 * before ${s} belongs to the line: the "=" or white space. */
static bool
read_bare(char *s, char **value)
{
	char *end;

	for (end = s; *end != '\0'; end++)
		if (*end == '#' && is_blank(end[-1]))
			break;
	while (end > s && is_blank(end[-1]))
		end--;
	*end = '\0';
	*value = s;
	return true;
}

/* ${name} stays NULL on a line without an assignment. */
static bool
read_line(char *s, char **name, char **value)
{
	char *end;

	*name = NULL;
	*value = NULL;
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
	*name = s;
	s = skip_blank(skip_blank(end) + 1);
	*end = '\0';
	if (*s == '\'')
		return read_single_quoted(s + 1, value);
	if (*s == '"')
		return read_double_quoted(s + 1, value);
	return read_bare(s, value);
}

enum ln_status
lni_envfile_parse(char *text, size_t n, lni_envfile_fn *fn, void *arg,
    int *out_line)
{
	char *end = text + n, *next, *name, *value;
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
		    !ln_utf8_valid(text, length) ||
		    !read_line(text, &name, &value)) {
			*out_line = line;
			return LN_INVALID;
		}
		if (name != NULL &&
		    (s = fn(arg, line, name, value)) != LN_OK)
			return s;
	}
	return LN_OK;
}

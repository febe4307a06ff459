#include "markdown.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <ln/text.h>

/*
 * Colours for code in a terminal: comments, strings, numbers and the words of
 * a language.  A line at a time, so nothing is ever coloured twice.
 */

#define COMMENT "\033[2m"
#define STRING "\033[32m"
#define NUMBER "\033[33m"
#define KEYWORD "\033[35m"
#define PLAIN "\033[0m"

struct language {
	const char *names;	/* in a fence; blank-separated, in blanks */
	const char *line, *line2;	/* comments up to the end of the line */
	const char *open, *close;	/* comments of several lines */
	const char *quotes;
	const char *words;	/* like names */
	bool ignores_case;
};

/* clang-format off */
static const struct language languages[] = {
	{ " c h cpp c++ cc hpp objc ", "//", NULL, "/*", "*/", "\"'",
	  " alignas alignof auto bool break case catch char class const"
	  " constexpr continue default delete do double else enum explicit"
	  " extern false final float for friend goto if inline int long"
	  " mutable namespace new noexcept nullptr NULL operator override"
	  " private protected public register restrict return short signed"
	  " sizeof static struct switch template this throw true try typedef"
	  " typename union unsigned using virtual void volatile while ", false },
	{ " js javascript jsx ts typescript tsx mjs ", "//", NULL, "/*", "*/",
	  "\"'`",
	  " abstract any as async await boolean break case catch class const"
	  " continue debugger default delete do else enum export extends false"
	  " finally for from function get if implements import in instanceof"
	  " interface let new null number of private protected public readonly"
	  " return set static string super switch this throw true try type"
	  " typeof undefined unknown var void while yield ", false },
	{ " java kotlin kt scala cs csharp c# swift dart php ", "//", NULL,
	  "/*", "*/", "\"'",
	  " abstract as async await base bool boolean break byte case catch"
	  " char class const continue data def default do double echo else enum"
	  " extends false final finally float for foreach fun func function guard"
	  " if implements import in int interface internal is let long namespace"
	  " new nil null object out override package private protected public"
	  " return sealed self short static string struct super switch this"
	  " throw throws true try using val var void when where while ", false },
	{ " go golang ", "//", NULL, "/*", "*/", "\"'`",
	  " any bool break byte case chan const continue default defer else"
	  " error fallthrough false float64 for func go goto if import int int64"
	  " interface iota map nil package range return rune select string"
	  " struct switch true type uint var ", false },
	{ " rust rs zig ", "//", NULL, "/*", "*/", "\"",
	  " as async await bool break const continue crate dyn else enum extern"
	  " false fn for i32 i64 if impl in let loop match mod move mut pub ref"
	  " return self Self static str struct super trait true try type u8 u32"
	  " u64 unsafe use usize where while ", false },
	{ " py python python3 ", "#", NULL, NULL, NULL, "\"'",
	  " and as assert async await break class continue def del elif else"
	  " except False finally for from global if import in is lambda None"
	  " nonlocal not or pass raise return self True try while with yield ",
	  false },
	{ " sh bash shell zsh fish console ", "#", NULL, NULL, NULL, "\"'",
	  " break case continue do done elif else esac exit export fi for"
	  " function if in local read return set shift then unset until while ",
	  false },
	{ " rb ruby perl pl ", "#", NULL, NULL, NULL, "\"'",
	  " and begin break case class def do each else elsif end ensure false"
	  " for foreach if in last local module my next nil not or our package"
	  " puts require rescue return self sub then true undef unless until use"
	  " when while yield ", false },
	{ " lua ", "--", NULL, "--[[", "]]", "\"'",
	  " and break do else elseif end false for function goto if in local"
	  " nil not or repeat return then true until while ", false },
	{ " sql sqlite postgres mysql ", "--", NULL, "/*", "*/", "\"'",
	  " add all alter and as asc begin between by case cascade check column"
	  " commit constraint create default delete desc distinct drop else end"
	  " exists foreign from full group having if in index inner insert into"
	  " is join key left like limit not null offset on or order outer primary"
	  " references right rollback select set table then trigger union unique"
	  " update using values view when where with ", true },
	{ " json jsonc ", "//", NULL, NULL, NULL, "\"", " false null true ",
	  false },
	{ " yaml yml toml ini conf env dockerfile docker make makefile ", "#",
	  ";", NULL, NULL, "\"'",
	  " cmd copy entrypoint env expose false from no null run true user"
	  " volume workdir yes ", true },
	{ " css scss ", NULL, NULL, "/*", "*/", "\"'", " @import @media ",
	  false },
};
/* clang-format on */

static bool
has_word(const char *list, const char *word, size_t n, bool ignores_case)
{
	const char *at = list + 1, *end;

	for (; (end = strchr(at, ' ')) != NULL; at = end + 1)
		if ((size_t)(end - at) == n && (ignores_case ?
		    strncasecmp(at, word, n) : strncmp(at, word, n)) == 0)
			return true;
	return false;
}

void
highlight_begin(struct highlight *h, const char *name, size_t n)
{
	size_t i;

	h->language = NULL;
	h->is_in_comment = false;
	for (i = 0; i < nitems(languages); i++)
		if (n > 0 && has_word(languages[i].names, name, n, true))
			h->language = &languages[i];
}

static void
put(struct ln_buf *out, const char *color, const char *s, size_t n)
{
	if (n == 0)
		return;
	if (color != NULL)
		ln_buf_puts(out, color);
	ln_text_terminal(s, n, out);
	if (color != NULL)
		ln_buf_puts(out, PLAIN);
}

static bool
starts(const char *s, size_t n, const char *prefix)
{
	return prefix != NULL && n >= strlen(prefix) &&
	    memcmp(s, prefix, strlen(prefix)) == 0;
}

/* Where in ${s} the comment ends, past its mark; ${n} when on a later line. */
static size_t
comment_end(struct highlight *h, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (starts(s + i, n - i, h->language->close)) {
			h->is_in_comment = false;
			return i + strlen(h->language->close);
		}
	h->is_in_comment = true;
	return n;
}

/* The length of the string that begins at ${s}. */
static size_t
string_length(const char *s, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == s[0])
			return i + 1;
	}
	return n;
}

/* A comment to the end of the line at ${s}[${i}]?  "#" wants a blank before:
 * it is also the middle of $# and of a colour. */
static bool
is_comment(const struct language *l, const char *s, size_t i, size_t n)
{
	if (!starts(s + i, n - i, l->line) && !starts(s + i, n - i, l->line2))
		return false;
	return s[i] != '#' || i == 0 || s[i - 1] == ' ' || s[i - 1] == '\t';
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) != 0 || c == '_' || c == '@' ||
	    (unsigned char)c >= 0x80;
}

static size_t
word_length(const char *s, size_t n)
{
	size_t i;

	for (i = 1; i < n && (is_word(s[i]) ||
	    (s[i] == '.' && isdigit((unsigned char)s[0]) != 0)); i++)
		;
	return i;
}

void
highlight_line(struct highlight *h, const char *s, size_t n,
    struct ln_buf *out)
{
	const struct language *l = h->language;
	size_t i = 0, plain = 0, length;
	const char *color;

	if (l == NULL) {
		put(out, NULL, s, n);
		return;
	}
	if (h->is_in_comment) {
		i = plain = comment_end(h, s, n);
		put(out, COMMENT, s, i);
	}
	while (i < n) {
		color = NULL;
		length = 1;
		if (starts(s + i, n - i, l->open)) {
			color = COMMENT;
			length = strlen(l->open);
			length += comment_end(h, s + i + length,
			    n - i - length);
		} else if (is_comment(l, s, i, n)) {
			color = COMMENT;
			length = n - i;
		} else if (strchr(l->quotes, s[i]) != NULL && s[i] != '\0') {
			color = STRING;
			length = string_length(s + i, n - i);
		} else if (is_word(s[i])) {
			length = word_length(s + i, n - i);
			if (isdigit((unsigned char)s[i]) != 0)
				color = NUMBER;
			else if (has_word(l->words, s + i, length,
			    l->ignores_case))
				color = KEYWORD;
		}
		if (color != NULL) {
			put(out, NULL, s + plain, i - plain);
			put(out, color, s + i, length);
			plain = i + length;
		}
		i += length;
	}
	put(out, NULL, s + plain, n - plain);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>

#include "base/envfile.h"

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT(s) s, sizeof(s) - 1

/* Writes "LINE NAME=[VALUE];" for each assignment. */
static enum ln_status
note(void *arg, int line, const char *name, const char *value)
{
	ln_buf_printf(arg, "%d %s=[%s];", line, name, value);
	return LN_OK;
}

static enum ln_status
stop(void *arg, int line, const char *name, const char *value)
{
	(void)note(arg, line, name, value);
	return LN_CONFLICT;
}

static enum ln_status
parse(const char *text, size_t n, lni_envfile_fn *fn, struct ln_buf *b,
    int *line)
{
	char *copy = malloc(n + 1);
	enum ln_status s;

	assert_non_null(copy);
	memcpy(copy, text, n);
	copy[n] = '\0';
	s = lni_envfile_parse(copy, n, fn, b, line);
	free(copy);
	return s;
}

static void
reads_assignments(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
		{ "nothing", TEXT(""), "" },
		{ "blank lines", TEXT("\n \n\t\n\r\n"), "" },
		{ "comments", TEXT("# a=b\n  # c=d"), "" },
		{ "plain", TEXT("A=b\n"), "1 A=[b];" },
		{ "no newline at the end", TEXT("A=b"), "1 A=[b];" },
		{ "CRLF", TEXT("A=b\r\nC=d\r\n"), "1 A=[b];2 C=[d];" },
		{ "byte order mark", TEXT("\xEF\xBB\xBF" "A=b"), "1 A=[b];" },
		{ "space around", TEXT(" \tA \t=\t b c \t\n"), "1 A=[b c];" },
		{ "empty", TEXT("A=\nB= \nC=''\nD=\"\""),
		    "1 A=[];2 B=[];3 C=[];4 D=[];" },
		{ "export", TEXT("export A=b\nexport\tB=c"),
		    "1 A=[b];2 B=[c];" },
		{ "a key called export", TEXT("export=b\nexport = c"),
		    "1 export=[b];2 export=[c];" },
		{ "a key that starts so", TEXT("exported=b"),
		    "1 exported=[b];" },
		{ "another equals sign", TEXT("A=b=c=="), "1 A=[b=c==];" },
		{ "digits and underscores", TEXT("_a9_=1"), "1 _a9_=[1];" },
		{ "the same key twice", TEXT("A=1\nA=2"),
		    "1 A=[1];2 A=[2];" },
		{ "comment behind", TEXT("A=b # c\nB=\"d\" # e\nC='f'\t#g"),
		    "1 A=[b];2 B=[d];3 C=[f];" },
		{ "only a comment behind", TEXT("A= # c"), "1 A=[];" },
		{ "a hash inside", TEXT("A=b#c\nB=#d\nC=\"e # f\""),
		    "1 A=[b#c];2 B=[#d];3 C=[e # f];" },
		{ "quotes inside", TEXT("A=it's \"so\""),
		    "1 A=[it's \"so\"];" },
		{ "spaces in quotes", TEXT("A=' b '\nB=\" c \""),
		    "1 A=[ b ];2 B=[ c ];" },
		{ "escapes", TEXT("A=\"a\\\"b\\\\c\\nd\""),
		    "1 A=[a\"b\\c\nd];" },
		{ "no escapes in single quotes", TEXT("A='a\\nb\"$C'"),
		    "1 A=[a\\nb\"$C];" },
		{ "nor in bare values", TEXT("A=a\\nb\\"),
		    "1 A=[a\\nb\\];" },
		{ "nothing is expanded", TEXT("A=$HOME ${B} `id` $(id) ~"),
		    "1 A=[$HOME ${B} `id` $(id) ~];" },
		{ "beyond ASCII", TEXT("A=\xC3\xA9"), "1 A=[\xC3\xA9];" },
	};
	struct ln_buf b = LN_BUF_INIT(1000);
	size_t i;
	int line;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		if (parse(rows[i].in, rows[i].n, note, &b, &line) != LN_OK)
			fail_msg("%s: line %d", rows[i].name, line);
		if (strcmp(ln_buf_str(&b), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, ln_buf_str(&b));
		assert_int_equal(line, 0);
		ln_buf_clear(&b);
	}
	ln_buf_free(&b);
}

static void
names_the_line_it_cannot_read(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		size_t n;
		int line;
	} rows[] = {
		{ "no equals sign", TEXT("A=b\n\nC\nD=e"), 3 },
		{ "export alone", TEXT("export"), 1 },
		{ "export without assignment", TEXT("export A"), 1 },
		{ "no name", TEXT("=b"), 1 },
		{ "a name that starts with a digit", TEXT("9A=b"), 1 },
		{ "a dash in a name", TEXT("A-B=c"), 1 },
		{ "two names", TEXT("A B=c"), 1 },
		{ "a single quote left open", TEXT("A=b\nC='d\n'"), 2 },
		{ "a double quote left open", TEXT("A=\"b\nC=\"d\""), 1 },
		{ "an escaped closing quote", TEXT("A=\"b\\\""), 1 },
		{ "a backslash at the end", TEXT("A=\"b\\"), 1 },
		{ "another escape", TEXT("A=\"b\\t\""), 1 },
		{ "text behind the quote", TEXT("A=\"b\"c"), 1 },
		{ "a hash right behind it", TEXT("A='b'#c"), 1 },
		{ "NUL", TEXT("A=b\0c"), 1 },
		{ "NUL in a comment", TEXT("A=b\n#\0"), 2 },
		{ "not UTF-8", TEXT("A=b\nB=\xFF"), 2 },
		{ "not UTF-8 in a comment", TEXT("# \xFF"), 1 },
		{ "a second byte order mark",
		    TEXT("\xEF\xBB\xBF\xEF\xBB\xBF" "A=b"), 1 },
		{ "UTF-16", TEXT("A\0=\0b\0"), 1 },
	};
	struct ln_buf b = LN_BUF_INIT(1000);
	size_t i;
	int line;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		if (parse(rows[i].in, rows[i].n, note, &b, &line) !=
		    LN_INVALID || line != rows[i].line)
			fail_msg("%s: line %d", rows[i].name, line);
		ln_buf_clear(&b);
	}
	ln_buf_free(&b);
}

static void
stops_when_it_is_told(void **state)
{
	struct ln_buf b = LN_BUF_INIT(1000);
	int line;

	(void)state;
	assert_int_equal(parse(TEXT("A=b\nC=d"), stop, &b, &line),
	    LN_CONFLICT);
	assert_int_equal(line, 0);
	assert_string_equal(ln_buf_str(&b), "1 A=[b];");
	ln_buf_free(&b);
}

/* The value that counts becomes X; every other byte stays. */
static void
finds_where_a_value_is_written(void **state)
{
	static const struct {
		const char *name;
		const char *in;
		const char *want;	/* NULL: not there */
	} rows[] = {
		{ "bare", "# a\nK=old\nB=c\n", "# a\nK=X\nB=c\n" },
		{ "no newline", "K=old", "K=X" },
		{ "blanks and a comment", "  K = old words  # why\r\n",
		    "  K = X  # why\r\n" },
		{ "single quotes", "export K='o # d' # why\n",
		    "export K=X # why\n" },
		{ "double quotes", "K=\"o\\\"\\n\\\\d\"\t# \"\n",
		    "K=X\t# \"\n" },
		{ "the last one counts", "K=one\nK=two\nK2=K=\n",
		    "K=one\nK=X\nK2=K=\n" },
		{ "not in a comment", "#K=old\nKK=old\n", NULL },
		{ "byte order mark", "\xEF\xBB\xBFK=old\n",
		    "\xEF\xBB\xBFK=X\n" },
	};
	struct ln_buf b = LN_BUF_INIT(1024);
	size_t i, from, to, n;
	enum ln_status s;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		n = strlen(rows[i].in);
		s = lni_envfile_find(rows[i].in, n, "K", &from, &to);
		if (rows[i].want == NULL) {
			assert_int_equal(s, LN_NOT_FOUND);
			continue;
		}
		if (s != LN_OK)
			fail_msg("%s: %s", rows[i].name, ln_status_token(s));
		ln_buf_clear(&b);
		ln_buf_put(&b, rows[i].in, from);
		ln_buf_putc(&b, 'X');
		ln_buf_put(&b, rows[i].in + to, n - to);
		if (strcmp(ln_buf_str(&b), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, ln_buf_str(&b));
	}
	assert_int_equal(lni_envfile_find(TEXT("K=old\nrubbish\n"), "K", &from,
	    &to), LN_INVALID);
	ln_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_where_a_value_is_written),
		cmocka_unit_test(reads_assignments),
		cmocka_unit_test(names_the_line_it_cannot_read),
		cmocka_unit_test(stops_when_it_is_told),
	};

	return cmocka_run_group_tests_name("env file", tests, NULL, NULL);
}

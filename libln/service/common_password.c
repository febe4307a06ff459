#include "service/common_password.h"

#include <string.h>

#include <ln/secret.h>

#include "store/embed.h"

#include "base/banned.h"

#define WORD_MAX 64		/* bytes: longer than any line of the list */

/* Order of the ${n} bytes at ${word} and the line that starts at ${line}. */
static int
compare(const char *word, size_t n, const char *line, size_t line_len)
{
	size_t common = n < line_len ? n : line_len;
	int order = memcmp(word, line, common);

	if (order != 0)
		return order;
	return (n > line_len) - (n < line_len);
}

/* The list is one lower-case word a line in the order of its bytes. */
static bool
find(const char *word, size_t n, const char *text, size_t len)
{
	size_t low = 0, high = len, start, end;
	const char *newline;
	int order;

	while (low < high) {
		start = low + (high - low) / 2;
		while (start > low && text[start - 1] != '\n')
			start--;
		newline = memchr(text + start, '\n', len - start);
		end = newline != NULL ? (size_t)(newline - text) : len;
		order = compare(word, n, text + start, end - start);
		if (order == 0)
			return true;
		if (order < 0)
			high = start;
		else
			low = end < len ? end + 1 : len;
	}
	return false;
}

bool
lni_common_password_is(const char *pw, size_t len)
{
	char word[WORD_MAX];
	bool is_there;
	size_t i;

	if (len == 0 || len > sizeof(word))
		return false;
	for (i = 0; i < len; i++) {
		word[i] = pw[i];
		if (word[i] >= 'A' && word[i] <= 'Z')
			word[i] = (char)(word[i] - 'A' + 'a');
	}
	is_there = find(word, len, (const char *)lni_common_passwords[0].data,
	    lni_common_passwords[0].len);
	ln_wipe(word, sizeof(word));
	return is_there;
}

#include "extract.h"

#include <iconv.h>
#include <string.h>
#include <strings.h>

#include <ln/text.h>

#define NONE ((iconv_t)-1)
#define STEP_BYTES ((size_t)16 * 1024)
#define REPLACEMENT "\xef\xbf\xbd"

/* clang-format off */
static struct {
	const char *name;	/* of iconv */
	const char *labels;	/* of the web, each with a blank around */
	iconv_t cd;
} charsets[] = {
	{ "UTF-8", " utf-8 utf8 unicode-1-1-utf-8 ", NONE },
	{ "WINDOWS-1252", " windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1"
	    " iso_8859-1 latin1 l1 us-ascii ascii ", NONE },
	{ "UTF-16LE", " utf-16 utf-16le ucs-2 unicode ", NONE },
	{ "UTF-16BE", " utf-16be ", NONE },
	{ "ISO-8859-2", " iso-8859-2 iso8859-2 latin2 ", NONE },
	{ "ISO-8859-5", " iso-8859-5 ", NONE },
	{ "ISO-8859-7", " iso-8859-7 greek ", NONE },
	{ "WINDOWS-1254", " windows-1254 iso-8859-9 latin5 ", NONE },
	{ "ISO-8859-15", " iso-8859-15 latin-9 ", NONE },
	{ "WINDOWS-1250", " windows-1250 cp1250 ", NONE },
	{ "WINDOWS-1251", " windows-1251 cp1251 ", NONE },
	{ "WINDOWS-1253", " windows-1253 ", NONE },
	{ "WINDOWS-1255", " windows-1255 iso-8859-8 iso-8859-8-i ", NONE },
	{ "WINDOWS-1256", " windows-1256 iso-8859-6 ", NONE },
	{ "WINDOWS-1257", " windows-1257 iso-8859-13 ", NONE },
	{ "KOI8-R", " koi8-r koi8 ", NONE },
	{ "KOI8-U", " koi8-u ", NONE },
	{ "SHIFT_JIS", " shift_jis sjis shift-jis x-sjis ms932 "
	    "windows-31j ", NONE },
	{ "EUC-JP", " euc-jp x-euc-jp ", NONE },
	{ "GB18030", " gb18030 gbk gb2312 x-gbk gb_2312-80 ", NONE },
	{ "BIG5", " big5 big5-hkscs x-x-big5 ", NONE },
	{ "CP949", " euc-kr korean ks_c_5601-1987 windows-949 ", NONE },
};
/* clang-format on */
#define CHARSETS (sizeof(charsets) / sizeof(charsets[0]))
#define UTF16LE 2
#define UTF16BE 3

void
charset_load(void)
{
	size_t i;

	/* One that the C library does not have stays without. */
	for (i = 0; i < CHARSETS; i++)
		charsets[i].cd = iconv_open("UTF-8", charsets[i].name);
}

int
charset_find(const char *name, size_t n)
{
	const char *p;
	size_t i;

	while (n > 0 && strchr("\"' \t", *name) != NULL) {
		name++;
		n--;
	}
	while (n > 0 && strchr("\"' \t", name[n - 1]) != NULL)
		n--;
	if (n == 0)
		return -1;
	for (i = 0; i < CHARSETS; i++) {
		for (p = charsets[i].labels; (p = strchr(p, ' ')) != NULL; ) {
			p++;
			if (strncasecmp(p, name, n) == 0 && p[n] == ' ' &&
			    charsets[i].cd != NONE)
				return (int)i;
		}
	}
	return -1;
}

int
charset_of(const char *p, size_t n, size_t *skip)
{
	*skip = 0;
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		*skip = 3;
		return CHARSET_UTF8;
	}
	if (n >= 2 && memcmp(p, "\xff\xfe", 2) == 0) {
		*skip = 2;
		return UTF16LE;
	}
	if (n >= 2 && memcmp(p, "\xfe\xff", 2) == 0) {
		*skip = 2;
		return UTF16BE;
	}
	return ln_utf8_valid(p, n) ? CHARSET_UTF8 : CHARSET_WINDOWS_1252;
}

void
charset_convert(int charset, const char *p, size_t n,
    void (*put)(void *arg, const char *p, size_t n), void *arg)
{
	char out[STEP_BYTES], *to, *from;
	size_t left = n, room, step;
	iconv_t cd;

	if (charset < 0 || (size_t)charset >= CHARSETS)
		charset = CHARSET_UTF8;
	cd = charsets[charset].cd;
	if (charset == CHARSET_UTF8 || cd == NONE) {
		/* Whoever gets it repairs it. */
		put(arg, p, n);
		return;
	}
	/* iconv takes char ** for history's sake and writes nothing there. */
	memcpy(&from, &p, sizeof(from));
	while (left > 0) {
		to = out;
		room = sizeof(out);
		step = left;
		if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 &&
		    room == sizeof(out) && left == step) {
			memcpy(out, REPLACEMENT, 3);
			to = out + 3;
			from++;
			left--;
		}
		put(arg, out, (size_t)(to - out));
	}
}

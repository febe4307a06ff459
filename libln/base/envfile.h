#ifndef LNI_ENVFILE_H
#define LNI_ENVFILE_H

#include <stddef.h>

#include <ln/base.h>

/* Longest env file that is read, bytes. */
#define LNI_ENVFILE_MAX ((size_t)64 * 1024)

/**
 * lni_envfile_fn(arg, line, name, value):
 * Gets one assignment in file order; both texts are borrowed for the call.
 * Anything but LN_OK stops the parser, which returns it.
 */
typedef enum ln_status lni_envfile_fn(void *arg, int line, const char *name,
    const char *value);

/**
 * lni_envfile_parse(text, n, fn, arg, out_line):
 * Read the ${n} bytes (and a NUL) at ${text}, which is cut up on the way, as
 * lines of KEY=VALUE:
 *
 *	# comment		also behind a value, after white space
 *	export KEY=VALUE	the word export changes nothing
 *	KEY=two words		up to the end of the line, trimmed
 *	KEY='as it stands'
 *	KEY="with \" \\ \n"	these three escapes and no other
 *
 * LF or CRLF, an UTF-8 byte order mark is skipped, nothing is expanded, a name
 * is [A-Za-z_][A-Za-z0-9_]*, a value ends on its line.  LN_INVALID for any
 * other line, a NUL or what is not UTF-8; ${out_line} is then its number,
 * else 0.
 */
enum ln_status lni_envfile_parse(char *text, size_t n, lni_envfile_fn *fn,
    void *arg, int *out_line) LN_USE;

/**
 * lni_envfile_find(text, n, name, out_from, out_to):
 * Where in the ${n} bytes at ${text} the value that counts for ${name} is
 * written, quotes included: the bytes from ${out_from} to before ${out_to}.
 * LN_NOT_FOUND; LN_INVALID when lni_envfile_parse would say so; LN_NOMEM.
 */
enum ln_status lni_envfile_find(const char *text, size_t n, const char *name,
    size_t *out_from, size_t *out_to) LN_USE;

#endif

#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ln/time.h>

/*
 * Words become a noun, a verb, options and arguments.  Driven by the tables
 * alone: what is not listed does not parse.
 */

#define WORD_MAX 32	/* longest word worth guessing at */

const struct opt opt_table[O_COUNT] = {
#define OPT(id, name, letter, arg, complete, help) \
	[O_##id] = { name, letter, arg, complete, help },
#include "opts.def"
#undef OPT
};

const enum opt_id opt_globals[] = { O_ENV_FILE, O_DB, O_JSON, O_JSONL,
	O_NO_INPUT, O_YES, O_COLOR, O_QUIET, O_VERBOSE, O_HELP, O_VERSION,
	O_END };

/* Levenshtein's distance; words beyond WORD_MAX are far from everything. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], i, j, diagonal, above, best;
	size_t na = strlen(a), nb = strlen(b);

	if (na > WORD_MAX || nb > WORD_MAX)
		return SIZE_MAX;
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[nb];
}

const char *
opt_nearest(const char *word, const char *(*next)(const void *, size_t),
    const void *arg)
{
	const char *candidate, *best = NULL;
	size_t i, d, best_distance, n = strlen(word);

	/* One slip in three letters; more is another word. */
	best_distance = n / 3 + 2;
	for (i = 0; (candidate = next(arg, i)) != NULL; i++) {
		d = distance(word, candidate);
		if (n >= 3 && strncmp(word, candidate, n) == 0)
			d = 1;
		if (d < best_distance) {
			best_distance = d;
			best = candidate;
		}
	}
	return best;
}

static const char *
next_noun(const void *arg, size_t i)
{
	(void)arg;
	return nouns[i] != NULL ? nouns[i]->name : NULL;
}

static const char *
next_verb(const void *arg, size_t i)
{
	const struct noun *n = arg;

	return i < n->count ? n->verbs[i].name : NULL;
}

static size_t
list_length(const enum opt_id *ids)
{
	size_t n = 0;

	while (ids != NULL && ids[n] != O_END)
		n++;
	return n;
}

/* The i-th option that may stand where we are. */
static const struct opt *
allowed(const struct verb *v, size_t i)
{
	size_t n = list_length(v != NULL ? v->opts : NULL);

	if (i < n)
		return &opt_table[v->opts[i]];
	i -= n;
	return opt_globals[i] != O_END ? &opt_table[opt_globals[i]] : NULL;
}

static const char *
next_option(const void *arg, size_t i)
{
	const struct opt *o = allowed(arg, i);

	return o != NULL ? o->name : NULL;
}

static const struct opt *
find_long(const struct verb *v, const char *name, size_t n)
{
	const struct opt *o;
	size_t i;

	for (i = 0; (o = allowed(v, i)) != NULL; i++)
		if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
			return o;
	return NULL;
}

static const struct opt *
find_letter(const struct verb *v, char letter)
{
	const struct opt *o;
	size_t i;

	for (i = 0; (o = allowed(v, i)) != NULL; i++)
		if (o->letter == letter)
			return o;
	return NULL;
}

/* Whether ${v} is one of the words that "a|b|c" lists. */
static bool
is_listed(const char *list, const char *v)
{
	size_t n;

	for (;;) {
		n = strcspn(list, "|");
		if (strlen(v) == n && memcmp(list, v, n) == 0)
			return true;
		if (list[n] == '\0')
			return false;
		list += n + 1;
	}
}

static int
take(struct ctx *c, const struct opt *o, const char *value)
{
	size_t id = (size_t)(o - opt_table);

	if (id == O_ATTACH) {
		if (c->args.attached_count == ATTACH_MAX)
			return ctx_usage(c, NULL, "%s: at most %d files can be"
			    " attached", c->path, ATTACH_MAX);
		c->args.attached[c->args.attached_count++] = value;
	} else if (c->args.value[id] != NULL && o->arg != NULL)
		return ctx_usage(c, NULL, "%s: --%s was given twice",
		    c->path, o->name);
	if (o->complete == C_WORDS && !is_listed(o->arg, value))
		return ctx_usage(c, NULL, "%s: --%s takes %s, not \"%s\"",
		    c->path, o->name, o->arg, value);
	c->args.value[id] = value;
	return EX_OK;
}

static int
unknown_option(struct ctx *c, const char *shown, const char *name)
{
	const char *near = opt_nearest(name, next_option, c->verb);
	char hint[320] = "";

	if (near != NULL)
		(void)snprintf(hint, sizeof(hint),
		    "Did you mean --%s?  See `lnctl help%s%s`", near,
		    c->noun != NULL ? " " : "",
		    c->noun != NULL ? c->path : "");
	else if (c->verb != NULL)
		(void)snprintf(hint, sizeof(hint), "See `lnctl help %s`",
		    c->path);
	else
		(void)snprintf(hint, sizeof(hint),
		    "Options of a command follow its name");
	return ctx_usage(c, hint, "%s: unknown option %s", c->path, shown);
}

static int
parse_long(struct ctx *c, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t n = value != NULL ? (size_t)(value - name) : strlen(name);
	const struct opt *o = find_long(c->verb, name, n);
	char bare[WORD_MAX + 1];

	if (o == NULL) {
		(void)snprintf(bare, sizeof(bare), "%.*s",
		    (int)(n < WORD_MAX ? n : WORD_MAX), name);
		return unknown_option(c, argv[*i], bare);
	}
	if (o->arg == NULL) {
		if (value != NULL)
			return ctx_usage(c, NULL, "%s: --%s takes no value",
			    c->path, o->name);
		return take(c, o, "");
	}
	if (value != NULL)
		return take(c, o, value + 1);
	if (*i + 1 >= argc)
		return ctx_usage(c, NULL, "%s: --%s needs a value (%s)",
		    c->path, o->name, o->arg);
	return take(c, o, argv[++*i]);
}

static int
parse_letters(struct ctx *c, int argc, char **argv, int *i)
{
	const struct opt *o;
	const char *p;
	char shown[3] = "-?";
	int rc;

	for (p = argv[*i] + 1; *p != '\0'; p++) {
		o = find_letter(c->verb, *p);
		if (o == NULL) {
			shown[1] = *p;
			return unknown_option(c, shown, shown);
		}
		if (o->arg == NULL) {
			if ((rc = take(c, o, "")) != EX_OK)
				return rc;
			continue;
		}
		if (p[1] != '\0')
			return take(c, o, p + 1);
		if (*i + 1 >= argc)
			return ctx_usage(c, NULL, "%s: -%c needs a value (%s)",
			    c->path, *p, o->arg);
		return take(c, o, argv[++*i]);
	}
	return EX_OK;
}

static int
take_noun(struct ctx *c, const char *word)
{
	const char *near;
	char hint[320];
	size_t i;

	for (i = 0; nouns[i] != NULL; i++) {
		if (strcmp(nouns[i]->name, word) != 0)
			continue;
		c->noun = nouns[i];
		(void)snprintf(c->path, sizeof(c->path), "%s", word);
		if (c->noun->verbs[0].name == NULL)
			c->verb = &c->noun->verbs[0];
		return EX_OK;
	}
	near = opt_nearest(word, next_noun, NULL);
	if (near != NULL)
		(void)snprintf(hint, sizeof(hint), "Did you mean \"%s\"?"
		    "  See `lnctl help`", near);
	else
		(void)snprintf(hint, sizeof(hint), "See `lnctl help`");
	return ctx_usage(c, hint, "unknown command \"%s\"", word);
}

static int
take_verb(struct ctx *c, const char *word)
{
	const char *near;
	char hint[320];
	size_t i;

	for (i = 0; i < c->noun->count; i++) {
		if (strcmp(c->noun->verbs[i].name, word) != 0)
			continue;
		c->verb = &c->noun->verbs[i];
		(void)snprintf(c->path, sizeof(c->path), "%s %s",
		    c->noun->name, word);
		return EX_OK;
	}
	near = opt_nearest(word, next_verb, c->noun);
	if (near != NULL)
		(void)snprintf(hint, sizeof(hint),
		    "Did you mean \"%s %s\"?  See `lnctl help %s`",
		    c->noun->name, near, c->noun->name);
	else
		(void)snprintf(hint, sizeof(hint), "See `lnctl help %s`",
		    c->noun->name);
	return ctx_usage(c, hint, "%s: unknown command \"%s\"", c->noun->name,
	    word);
}

void
opt_word_bounds(const char *args, size_t *out_min, size_t *out_max)
{
	const char *p = args;
	size_t n;

	*out_min = *out_max = 0;
	while (*p != '\0') {
		n = strcspn(p, " ");
		if (*p != '[')
			++*out_min;
		if (n >= 3 && (memcmp(p + n - 3, "...", 3) == 0 ||
		    (n >= 4 && memcmp(p + n - 4, "...]", 4) == 0)))
			*out_max = SIZE_MAX;
		if (*out_max != SIZE_MAX)
			++*out_max;
		p += n;
		p += strspn(p, " ");
	}
}

static int
check_words(struct ctx *c)
{
	struct ln_buf usage = LN_BUF_INIT(4096);
	size_t min, max;
	int rc = EX_OK;

	opt_word_bounds(c->verb->args, &min, &max);
	if (c->args.count >= min && c->args.count <= max)
		return EX_OK;
	ln_buf_puts(&usage, "Usage: `lnctl ");
	help_usage(&usage, c->noun, c->verb);
	ln_buf_putc(&usage, '`');
	if (c->args.count < min)
		rc = ctx_usage(c, ln_buf_str(&usage),
		    "%s: something is missing (%s)", c->path, c->verb->args);
	else
		rc = ctx_usage(c, ln_buf_str(&usage),
		    "%s: one word too many, \"%s\"", c->path,
		    c->args.words[max]);
	ln_buf_free(&usage);
	return rc;
}

int
opt_parse(struct ctx *c, int argc, char **argv)
{
	bool has_ended = false;
	int i, rc;

	/* The words are collected at the front of argv, which is ours. */
	c->args.words = argv;
	c->args.count = 0;
	for (i = 1; i < argc; i++) {
		if (!has_ended && strcmp(argv[i], "--") == 0) {
			has_ended = true;
			continue;
		}
		if (!has_ended && strncmp(argv[i], "--", 2) == 0)
			rc = parse_long(c, argc, argv, &i);
		else if (!has_ended && argv[i][0] == '-' && argv[i][1] != '\0')
			rc = parse_letters(c, argc, argv, &i);
		else if (c->noun == NULL)
			rc = take_noun(c, argv[i]);
		else if (c->verb == NULL)
			rc = take_verb(c, argv[i]);
		else {
			c->args.words[c->args.count++] = argv[i];
			rc = EX_OK;
		}
		if (rc != EX_OK)
			return rc;
	}
	if (opt_has(&c->args, O_HELP) || opt_has(&c->args, O_VERSION) ||
	    c->verb == NULL)
		return EX_OK;
	return check_words(c);
}

int
opt_int(struct ctx *c, enum opt_id id, int64_t min, int64_t max,
    int64_t fallback, int64_t *out)
{
	const char *v = ctx_opt(c, id);
	char *end;
	long long n;

	*out = fallback;
	if (v == NULL)
		return EX_OK;
	errno = 0;
	n = strtoll(v, &end, 10);
	if (errno != 0 || end == v || *end != '\0' || n < min || n > max)
		return ctx_usage(c, NULL,
		    "%s: --%s takes a number from %lld to %lld, not \"%s\"",
		    c->path, opt_table[id].name, (long long)min,
		    (long long)max, v);
	*out = n;
	return EX_OK;
}

int
opt_past(struct ctx *c, enum opt_id id, int64_t *out)
{
	const char *text = ctx_opt(c, id);
	int64_t now = ln_time_now_ms(), distance;

	*out = 0;
	if (text == NULL)
		return EX_OK;
	if (ln_time_parse_duration(text, &distance, NULL) == LN_OK) {
		*out = now - distance;
		return EX_OK;
	}
	if (ln_time_parse(text, now, out, NULL) == LN_OK && *out > 0)
		return EX_OK;
	return ctx_usage(c, "Write a time: 7d, 2026-12-01 or RFC 3339",
	    "%s: --%s cannot be \"%s\"", c->path, opt_table[id].name, text);
}

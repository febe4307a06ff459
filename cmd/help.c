#include "cmd.h"

#include <string.h>

#include <ln/json.h>

#define NAME_WIDTH 26	/* column where the explanation starts */

static const char about[] =
    "lnctl: administer LocalNeural and chat from the shell\n"
    "\n"
    "Usage: lnctl [options] COMMAND [arguments]\n"
    "\n"
    "Commands:\n";

static void
option_label(struct ln_buf *b, const struct opt *o)
{
	if (o->letter != '\0')
		ln_buf_printf(b, "-%c, --%s", o->letter, o->name);
	else
		ln_buf_printf(b, "--%s", o->name);
	if (o->arg != NULL)
		ln_buf_printf(b, " %s", o->arg);
}

static void
print_options(FILE *f, const enum opt_id *ids)
{
	struct ln_buf b = LN_BUF_INIT(256);
	size_t i;

	for (i = 0; ids[i] != O_END; i++) {
		ln_buf_clear(&b);
		option_label(&b, &opt_table[ids[i]]);
		if (b.len > NAME_WIDTH)
			(void)fprintf(f, "  %s\n  %*s %s\n", ln_buf_str(&b),
			    NAME_WIDTH, "", opt_table[ids[i]].help);
		else
			(void)fprintf(f, "  %-*s %s\n", NAME_WIDTH,
			    ln_buf_str(&b), opt_table[ids[i]].help);
	}
	ln_buf_free(&b);
}

static void
command_path(struct ln_buf *b, const struct noun *n, const struct verb *v)
{
	ln_buf_puts(b, n->name);
	if (v->name != NULL)
		ln_buf_printf(b, " %s", v->name);
}

void
help_usage(struct ln_buf *b, const struct noun *n, const struct verb *v)
{
	const struct opt *o;
	size_t i;

	command_path(b, n, v);
	for (i = 0; v->opts != NULL && v->opts[i] != O_END; i++) {
		o = &opt_table[v->opts[i]];
		if (o->letter != '\0')
			ln_buf_printf(b, " [-%c", o->letter);
		else
			ln_buf_printf(b, " [--%s", o->name);
		if (o->arg != NULL)
			ln_buf_printf(b, " %s", o->arg);
		ln_buf_putc(b, ']');
	}
	if (v->args[0] != '\0')
		ln_buf_printf(b, " %s", v->args);
}

void
help_top(FILE *f)
{
	size_t i;

	(void)fputs(about, f);
	for (i = 0; nouns[i] != NULL; i++)
		(void)fprintf(f, "  %-12s %s\n", nouns[i]->name,
		    nouns[i]->help);
	(void)fputs("\nOptions of every command:\n", f);
	print_options(f, opt_globals);
	(void)fputs("\nlnctl help COMMAND explains one.  "
	    "The manual: man lnctl\n", f);
}

void
help_noun(FILE *f, const struct noun *n)
{
	struct ln_buf b = LN_BUF_INIT(256);
	const struct verb *v;
	size_t i;

	if (n->verbs[0].name == NULL) {
		help_verb(f, n, &n->verbs[0]);
		return;
	}
	(void)fprintf(f, "lnctl %s: %s\n\nCommands:\n", n->name, n->help);
	for (i = 0; i < n->count; i++) {
		v = &n->verbs[i];
		ln_buf_clear(&b);
		ln_buf_puts(&b, v->name);
		if (v->args[0] != '\0')
			ln_buf_printf(&b, " %s", v->args);
		(void)fprintf(f, "  %-*s %s\n", NAME_WIDTH, ln_buf_str(&b),
		    v->help);
	}
	(void)fprintf(f, "\nlnctl help %s COMMAND explains one.\n", n->name);
	ln_buf_free(&b);
}

void
help_verb(FILE *f, const struct noun *n, const struct verb *v)
{
	struct ln_buf b = LN_BUF_INIT(4096);

	command_path(&b, n, v);
	(void)fprintf(f, "lnctl %s: %s\n\n", ln_buf_str(&b), v->help);
	(void)fprintf(f, "Usage: lnctl %s%s%s%s\n", ln_buf_str(&b),
	    v->opts != NULL ? " [options]" : "",
	    v->args[0] != '\0' ? " " : "", v->args);
	if (v->opts != NULL) {
		(void)fputs("\nOptions:\n", f);
		print_options(f, v->opts);
	}
	(void)fputs("\nOptions of every command:\n", f);
	print_options(f, opt_globals);
	ln_buf_free(&b);
}

/* The whole table, for tools that want to check or extend it. */
static void
table_document(struct out *o)
{
	static const struct out_col columns[] = { { "command", OUT_STR, false },
		{ "usage", OUT_STR, false }, { "help", OUT_STR, false },
		{ NULL, OUT_STR, false } };
	struct ln_buf path = LN_BUF_INIT(256), usage = LN_BUF_INIT(4096);
	size_t i, j;

	out_list(o, "commands", columns);
	for (i = 0; nouns[i] != NULL; i++) {
		for (j = 0; j < nouns[i]->count; j++) {
			ln_buf_clear(&path);
			ln_buf_clear(&usage);
			command_path(&path, nouns[i], &nouns[i]->verbs[j]);
			help_usage(&usage, nouns[i], &nouns[i]->verbs[j]);
			out_row(o, ln_buf_str(&path), ln_buf_str(&usage),
			    nouns[i]->verbs[j].help);
		}
	}
	out_list_end(o);
	ln_buf_free(&path);
	ln_buf_free(&usage);
}

static const char *
next_verb(const void *arg, size_t i)
{
	const struct noun *n = arg;

	return i < n->count ? n->verbs[i].name : NULL;
}

static const char *
next_noun(const void *arg, size_t i)
{
	(void)arg;
	return nouns[i] != NULL ? nouns[i]->name : NULL;
}

static int
no_topic(struct ctx *c, const char *word, const char *near)
{
	char hint[320];

	if (near != NULL)
		(void)snprintf(hint, sizeof(hint), "Did you mean \"%s\"?"
		    "  See `lnctl help`", near);
	return ctx_usage(c, near != NULL ? hint : "See `lnctl help`",
	    "help: there is no command \"%s\"", word);
}

int
cmd_help(struct ctx *c)
{
	const char *noun = ctx_word(c, 0), *verb = ctx_word(c, 1);
	const struct noun *n = NULL;
	size_t i;

	if (out_format(c->out) != OUT_TABLE) {
		table_document(c->out);
		return ctx_finish(c);
	}
	if (noun == NULL) {
		help_top(stdout);
		return ctx_finish(c);
	}
	for (i = 0; n == NULL && nouns[i] != NULL; i++)
		if (strcmp(nouns[i]->name, noun) == 0)
			n = nouns[i];
	if (n == NULL)
		return no_topic(c, noun, opt_nearest(noun, next_noun, NULL));
	if (verb == NULL) {
		help_noun(stdout, n);
		return ctx_finish(c);
	}
	for (i = 0; i < n->count; i++) {
		if (n->verbs[i].name == NULL ||
		    strcmp(n->verbs[i].name, verb) != 0)
			continue;
		help_verb(stdout, n, &n->verbs[i]);
		return ctx_finish(c);
	}
	return no_topic(c, verb, opt_nearest(verb, next_verb, n));
}

static const struct verb verbs[] = {
	{ NULL, cmd_help, NULL, "[COMMAND] [VERB]", 0, "explain a command" },
};
const struct noun noun_help = { "help", "explain a command", verbs,
	nitems(verbs) };

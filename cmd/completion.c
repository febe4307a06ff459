#include "cmd.h"

#include <string.h>

/*
 * Completion scripts from the command table.  They complete words and files
 * and never run lnctl: pressing TAB must not open a database.
 */

static const char head[] =
    "# Made by `lnctl completion`; do not edit.\n";

/* The words of "a|b|c", separated by blanks. */
static void
put_words(const char *list)
{
	for (; *list != '\0'; list++)
		(void)putchar(*list == '|' ? ' ' : *list);
}

static void
put_option_names(const enum opt_id *ids)
{
	const struct opt *o;

	for (; ids != NULL && *ids != O_END; ids++) {
		o = &opt_table[*ids];
		(void)printf(" --%s", o->name);
		if (o->letter != '\0')
			(void)printf(" -%c", o->letter);
	}
}

/* Arguments that are files are named so in the table. */
static bool
takes_file(const struct verb *v)
{
	return strstr(v->args, "FILE") != NULL;
}

/* --- bash ----------------------------------------------------------------*/

static void
bash_values(const enum opt_id *ids, const char *path)
{
	const struct opt *o;

	for (; ids != NULL && *ids != O_END; ids++) {
		o = &opt_table[*ids];
		if (o->arg == NULL)
			continue;
		(void)printf("\t\"%s--%s\"", path, o->name);
		if (o->letter != '\0')
			(void)printf(" | \"%s-%c\"", path, o->letter);
		(void)fputs(") ", stdout);
		if (o->complete == C_FILE)
			(void)fputs("files=1", stdout);
		else if (o->complete == C_WORDS) {
			(void)fputs("words=\"", stdout);
			put_words(o->arg);
			(void)putchar('"');
		} else
			(void)putchar(':');
		(void)fputs("; has_value=1 ;;\n", stdout);
	}
}

static void
verb_path(const struct noun *n, const struct verb *v, const char *separator,
    struct ln_buf *b)
{
	ln_buf_clear(b);
	ln_buf_puts(b, n->name);
	if (v->name != NULL)
		ln_buf_printf(b, "%s%s", separator, v->name);
}

static void
bash_tables(void)
{
	struct ln_buf path = LN_BUF_INIT(256), key = LN_BUF_INIT(256);
	const struct verb *v;
	size_t i, j;

	(void)fputs("\tcase \"$path $previous\" in\n", stdout);
	for (i = 0; nouns[i] != NULL; i++) {
		for (j = 0; j < nouns[i]->count; j++) {
			v = &nouns[i]->verbs[j];
			verb_path(nouns[i], v, " ", &path);
			ln_buf_clear(&key);
			ln_buf_printf(&key, "%s ", ln_buf_str(&path));
			bash_values(v->opts, ln_buf_str(&key));
		}
	}
	(void)fputs("\tesac\n\tcase \"$previous\" in\n", stdout);
	bash_values(opt_globals, "");
	(void)fputs("\tesac\n"
	    "\tif [ -z \"$has_value\" ]; then\n"
	    "\t\tcase \"$path\" in\n"
	    "\t\t\"\") words=\"", stdout);
	for (i = 0; nouns[i] != NULL; i++)
		(void)printf("%s ", nouns[i]->name);
	(void)fputs("\" ;;\n", stdout);
	for (i = 0; nouns[i] != NULL; i++) {
		if (nouns[i]->verbs[0].name != NULL) {
			(void)printf("\t\t\"%s\") words=\"", nouns[i]->name);
			for (j = 0; j < nouns[i]->count; j++)
				(void)printf("%s ", nouns[i]->verbs[j].name);
			(void)fputs("\" ;;\n", stdout);
		}
		for (j = 0; j < nouns[i]->count; j++) {
			v = &nouns[i]->verbs[j];
			verb_path(nouns[i], v, " ", &path);
			(void)printf("\t\t\"%s\") options=\"",
			    ln_buf_str(&path));
			put_option_names(v->opts);
			(void)fputs(takes_file(v) ? "\"; files=1 ;;\n" :
			    "\" ;;\n", stdout);
		}
	}
	(void)fputs("\t\tesac\n\t\tcase \"$current\" in\n"
	    "\t\t-*) files=\"\"; words=\"$options", stdout);
	put_option_names(opt_globals);
	(void)fputs("\" ;;\n\t\tesac\n\tfi\n", stdout);
	ln_buf_free(&path);
	ln_buf_free(&key);
}

static void
put_values_case(void)
{
	const enum opt_id *ids = opt_globals;
	bool is_first = true;

	for (; *ids != O_END; ids++) {
		if (opt_table[*ids].arg == NULL)
			continue;
		(void)printf("%s--%s", is_first ? "" : " | ",
		    opt_table[*ids].name);
		is_first = false;
	}
}

static void
bash(void)
{
	size_t i, j;

	(void)fputs(head, stdout);
	(void)fputs("_lnctl()\n{\n"
	    "\tlocal current=${COMP_WORDS[COMP_CWORD]}\n"
	    "\tlocal previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tlocal path=\"\" words=\"\" options=\"\" files=\"\" has_value=\"\"\n"
	    "\tlocal i=1\n"
	    "\tCOMPREPLY=()\n"
	    "\twhile [ \"$i\" -lt \"$COMP_CWORD\" ]; do\n"
	    "\t\tcase \"${COMP_WORDS[i]}\" in\n\t\t", stdout);
	put_values_case();
	(void)fputs(") i=$((i + 2)); continue ;;\n"
	    "\t\tesac\n"
	    "\t\tcase \"$path ${COMP_WORDS[i]}\" in\n", stdout);
	for (i = 0; nouns[i] != NULL; i++) {
		(void)printf("\t\t\" %s\") path=\"%s\" ;;\n", nouns[i]->name,
		    nouns[i]->name);
		for (j = 0; j < nouns[i]->count; j++)
			if (nouns[i]->verbs[j].name != NULL)
				(void)printf("\t\t\"%s %s\") path=\"%s %s\" ;;"
				    "\n", nouns[i]->name,
				    nouns[i]->verbs[j].name, nouns[i]->name,
				    nouns[i]->verbs[j].name);
	}
	(void)fputs("\t\tesac\n\t\ti=$((i + 1))\n\tdone\n", stdout);
	bash_tables();
	(void)fputs("\tif [ -n \"$words\" ]; then\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	    "\tfi\n"
	    "\tif [ -n \"$files\" ]; then\n"
	    "\t\tcompopt -o filenames 2>/dev/null\n"
	    "\t\tmapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$current\")\n"
	    "\tfi\n}\n"
	    "complete -F _lnctl lnctl\n", stdout);
}

/* --- zsh -----------------------------------------------------------------*/

/* Text inside '...[...]': quotes, brackets and colons would end it. */
static void
put_zsh(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			(void)fputs("'\\''", stdout);
		else if (strchr("[]:\\", *s) != NULL)
			(void)printf("\\%c", *s);
		else
			(void)putchar(*s);
	}
}

static void
zsh_value(const struct opt *o)
{
	if (o->arg == NULL)
		return;
	(void)putchar(':');
	put_zsh(o->complete == C_WORDS ? o->name : o->arg);
	(void)putchar(':');
	if (o->complete == C_FILE)
		(void)fputs("_files", stdout);
	else if (o->complete == C_WORDS) {
		(void)putchar('(');
		put_words(o->arg);
		(void)putchar(')');
	} else
		(void)putchar(' ');
}

static void
zsh_options(const enum opt_id *ids, const char *indent)
{
	const struct opt *o;

	for (; ids != NULL && *ids != O_END; ids++) {
		o = &opt_table[*ids];
		if (o->letter != '\0')
			(void)printf(" \\\n%s'(-%c --%s)'{-%c,--%s}'[", indent,
			    o->letter, o->name, o->letter, o->name);
		else
			(void)printf(" \\\n%s'--%s[", indent, o->name);
		put_zsh(o->help);
		(void)putchar(']');
		zsh_value(o);
		(void)putchar('\'');
	}
}

static void
zsh_verb(const struct verb *v, const char *indent)
{
	(void)printf("%s_arguments -s", indent);
	zsh_options(v->opts, "\t\t    ");
	(void)fputs(" \\\n\t\t    $global", stdout);
	if (takes_file(v))
		(void)fputs(" '*:file:_files'", stdout);
	(void)fputs(" ;;\n", stdout);
}

static void
zsh(void)
{
	const struct verb *v;
	size_t i, j;

	(void)fputs("#compdef lnctl\n", stdout);
	(void)fputs(head, stdout);
	(void)fputs("_lnctl()\n{\n\tlocal curcontext=$curcontext state line\n"
	    "\tlocal -a global\n\tglobal=(", stdout);
	zsh_options(opt_globals, "\t    ");
	(void)fputs(")\n\t_arguments -C -s $global '1: :->noun' '*:: :->rest'\n"
	    "\tcase $state in\n\tnoun)\n\t\tlocal -a nouns\n\t\tnouns=(",
	    stdout);
	for (i = 0; nouns[i] != NULL; i++) {
		(void)printf(" \\\n\t\t    '%s:", nouns[i]->name);
		put_zsh(nouns[i]->help);
		(void)putchar('\'');
	}
	(void)fputs(")\n\t\t_describe command nouns ;;\n"
	    "\trest)\n\t\tcase $line[1] in\n", stdout);
	for (i = 0; nouns[i] != NULL; i++) {
		(void)printf("\t\t%s)\n", nouns[i]->name);
		if (nouns[i]->verbs[0].name == NULL)
			zsh_verb(&nouns[i]->verbs[0], "\t\t\t");
		else
			(void)printf("\t\t\t_lnctl_%s ;;\n", nouns[i]->name);
	}
	(void)fputs("\t\tesac ;;\n\tesac\n}\n", stdout);
	for (i = 0; nouns[i] != NULL; i++) {
		if (nouns[i]->verbs[0].name == NULL)
			continue;
		(void)printf("\n_lnctl_%s()\n{\n"
		    "\tlocal curcontext=$curcontext state line\n"
		    "\t_arguments -C -s $global '1: :->verb' '*:: :->rest'\n"
		    "\tcase $state in\n\tverb)\n\t\tlocal -a verbs\n"
		    "\t\tverbs=(", nouns[i]->name);
		for (j = 0; j < nouns[i]->count; j++) {
			v = &nouns[i]->verbs[j];
			(void)printf(" \\\n\t\t    '%s:", v->name);
			put_zsh(v->help);
			(void)putchar('\'');
		}
		(void)fputs(")\n\t\t_describe command verbs ;;\n"
		    "\trest)\n\t\tcase $line[1] in\n", stdout);
		for (j = 0; j < nouns[i]->count; j++) {
			(void)printf("\t\t%s)\n", nouns[i]->verbs[j].name);
			zsh_verb(&nouns[i]->verbs[j], "\t\t\t");
		}
		(void)fputs("\t\tesac ;;\n\tesac\n}\n", stdout);
	}
	/* Loaded by compinit, or sourced by a person. */
	(void)fputs("\nif [ \"$funcstack[1]\" = _lnctl ]; then\n"
	    "\t_lnctl \"$@\"\nelse\n\tcompdef _lnctl lnctl\nfi\n", stdout);
}

/* --- fish ----------------------------------------------------------------*/

static void
put_fish(const char *s)
{
	(void)putchar('\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			(void)putchar('\\');
		(void)putchar(*s);
	}
	(void)putchar('\'');
}

static void
fish_options(const enum opt_id *ids, const char *condition)
{
	const struct opt *o;

	for (; ids != NULL && *ids != O_END; ids++) {
		o = &opt_table[*ids];
		(void)fputs("complete -c lnctl", stdout);
		if (condition != NULL)
			(void)printf(" -n '%s'", condition);
		(void)printf(" -l %s", o->name);
		if (o->letter != '\0')
			(void)printf(" -s %c", o->letter);
		if (o->arg != NULL)
			(void)fputs(o->complete == C_FILE ? " -r -F" : " -x",
			    stdout);
		if (o->complete == C_WORDS) {
			(void)fputs(" -a '", stdout);
			put_words(o->arg);
			(void)putchar('\'');
		}
		(void)fputs(" -d ", stdout);
		put_fish(o->help);
		(void)putchar('\n');
	}
}

static void
fish_word(const char *condition, const char *word, const char *help)
{
	(void)printf("complete -c lnctl -n '%s' -a %s -d ", condition, word);
	put_fish(help);
	(void)putchar('\n');
}

static void
fish(void)
{
	struct ln_buf b = LN_BUF_INIT(4096);
	const struct verb *v;
	size_t i, j;

	(void)fputs(head, stdout);
	(void)fputs("complete -c lnctl -f\n", stdout);
	fish_options(opt_globals, NULL);
	for (i = 0; nouns[i] != NULL; i++)
		fish_word("__fish_use_subcommand", nouns[i]->name,
		    nouns[i]->help);
	for (i = 0; nouns[i] != NULL; i++) {
		for (j = 0; j < nouns[i]->count; j++) {
			v = &nouns[i]->verbs[j];
			ln_buf_clear(&b);
			if (v->name != NULL) {
				ln_buf_printf(&b,
				    "__fish_seen_subcommand_from %s; "
				    "and not __fish_seen_subcommand_from",
				    nouns[i]->name);
				for (size_t k = 0; k < nouns[i]->count; k++)
					ln_buf_printf(&b, " %s",
					    nouns[i]->verbs[k].name);
				fish_word(ln_buf_str(&b), v->name, v->help);
				ln_buf_clear(&b);
			}
			ln_buf_printf(&b, "__fish_seen_subcommand_from %s",
			    nouns[i]->name);
			if (v->name != NULL)
				ln_buf_printf(&b, "; and "
				    "__fish_seen_subcommand_from %s", v->name);
			fish_options(v->opts, ln_buf_str(&b));
			if (takes_file(v))
				(void)printf("complete -c lnctl -n '%s' -F\n",
				    ln_buf_str(&b));
		}
	}
	ln_buf_free(&b);
}

int
cmd_completion(struct ctx *c)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	const char *shell = ctx_word(c, 0);
	size_t i;

	if (out_format(c->out) != OUT_TABLE)
		return ctx_usage(c, "It prints a shell script",
		    "completion: there is no JSON of it");
	for (i = 0; i < nitems(shells); i++) {
		if (strcmp(shells[i].name, shell) != 0)
			continue;
		shells[i].print();
		return ctx_finish(c);
	}
	return ctx_usage(c, "There are bash, zsh and fish",
	    "completion: unknown shell \"%s\"", shell);
}

static const struct verb verbs[] = {
	{ NULL, cmd_completion, NULL, "SHELL", 0,
	    "print a completion script for bash, zsh or fish" },
};
const struct noun noun_completion = { "completion",
	"print a completion script", verbs, nitems(verbs) };

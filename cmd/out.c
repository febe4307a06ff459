#define _XOPEN_SOURCE 700	/* wcwidth */

#include "cmd.h"

#include <ctype.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <ln/json.h>
#include <ln/text.h>
#include <ln/time.h>

#define CELL_MAX ((size_t)1024 * 1024)	/* bytes of one value on a screen */
#define DOCUMENT_MAX ((size_t)256 * 1024 * 1024)
#define COLUMN_MAX 16

struct field {
	char *name;
	char *value;
};

struct out {
	enum out_format format;
	bool has_color;
	bool is_terminal;
	bool has_content;
	bool has_fields;	/* JSON: the object is not empty */
	bool has_said;
	bool has_failed;
	struct ln_jw *doc;	/* the object, unless this is a table */
	struct field *fields;
	size_t field_count;
	const struct out_col *cols;
	const char *list_name;
	char **cells;
	size_t cell_count;
	size_t list_count;
};

struct out *
out_new(enum out_format format)
{
	struct out *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->format = format;
	o->is_terminal = isatty(STDOUT_FILENO) == 1;
	if (format == OUT_TABLE)
		return o;
	if ((o->doc = ln_jw_new()) == NULL) {
		free(o);
		return NULL;
	}
	ln_jw_object(o->doc, NULL);
	return o;
}

static void
drop_fields(struct out *o)
{
	size_t i;

	for (i = 0; i < o->field_count; i++) {
		free(o->fields[i].name);
		ln_free(o->fields[i].value);
	}
	free(o->fields);
	o->fields = NULL;
	o->field_count = 0;
}

static void
drop_cells(struct out *o)
{
	size_t i;

	for (i = 0; i < o->cell_count; i++)
		ln_free(o->cells[i]);
	free(o->cells);
	o->cells = NULL;
	o->cell_count = 0;
	o->cols = NULL;
}

void
out_free(struct out *o)
{
	if (o == NULL)
		return;
	drop_fields(o);
	drop_cells(o);
	ln_jw_free(o->doc);
	free(o);
}

void
out_color(struct out *o, bool has_color)
{
	o->has_color = has_color;
}

bool
out_has_color(const struct out *o)
{
	return o->has_color;
}

enum out_format
out_format(const struct out *o)
{
	return o->format;
}

bool
out_has_content(const struct out *o)
{
	return o->has_content;
}

void
out_text(FILE *f, const char *s, size_t n)
{
	/* Nothing grows by more than one byte becoming three (U+FFFD). */
	struct ln_buf b = LN_BUF_INIT(n * 3 + 1);

	ln_text_terminal(s, n, &b);
	if (b.len > 0)
		(void)fwrite(b.data, 1, b.len, f);
	ln_buf_free(&b);
}

char *
out_size(int64_t bytes, char dst[OUT_SIZE_SIZE])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	size_t i;

	if (bytes < 1024) {
		(void)snprintf(dst, OUT_SIZE_SIZE, "%lld B", (long long)bytes);
		return dst;
	}
	v /= 1024.0;
	for (i = 0; v >= 1024.0 && i + 1 < nitems(units); i++)
		v /= 1024.0;
	(void)snprintf(dst, OUT_SIZE_SIZE, "%.1f %s", v, units[i]);
	return dst;
}

/* One value as a screen shows it: safe, on one line, "-" for nothing. */
static char *
shown(const char *v)
{
	struct ln_buf b = LN_BUF_INIT(CELL_MAX);
	size_t i;

	if (v == NULL || v[0] == '\0')
		ln_buf_putc(&b, '-');
	else
		ln_text_terminal(v, strlen(v), &b);
	for (i = 0; i < b.len; i++)
		if (b.data[i] == '\n' || b.data[i] == '\t')
			b.data[i] = ' ';
	return ln_buf_steal(&b);
}

static char *
shown_time(int64_t ms)
{
	char iso[LN_TIME_ISO_SIZE];

	if (ms == 0)
		return shown(NULL);
	(void)ln_time_iso(ms, iso);
	/* Whole seconds are enough for a person. */
	(void)snprintf(iso + 19, 2, "Z");
	return shown(iso);
}

static char *
shown_int(int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	return shown(text);
}

/* Takes ${value}. */
static void
field_add(struct out *o, const char *name, char *value)
{
	struct field *grown;
	char *p;

	grown = realloc(o->fields, (o->field_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		ln_free(value);
		o->has_failed = true;
		return;
	}
	o->fields = grown;
	grown[o->field_count].name = strdup(name);
	grown[o->field_count].value = value;
	if (value == NULL || grown[o->field_count].name == NULL)
		o->has_failed = true;
	else
		for (p = grown[o->field_count].name; *p != '\0'; p++)
			if (*p == '_')
				*p = ' ';
	o->field_count++;
}

void
out_str(struct out *o, const char *name, const char *v)
{
	o->has_content = o->has_fields = true;
	if (o->format == OUT_TABLE)
		field_add(o, name, shown(v));
	else
		ln_jw_string(o->doc, name, v);
}

void
out_int(struct out *o, const char *name, int64_t v)
{
	o->has_content = o->has_fields = true;
	if (o->format == OUT_TABLE)
		field_add(o, name, shown_int(v));
	else
		ln_jw_int(o->doc, name, v);
}

void
out_bool(struct out *o, const char *name, bool v)
{
	o->has_content = o->has_fields = true;
	if (o->format == OUT_TABLE)
		field_add(o, name, shown(v ? "yes" : "no"));
	else
		ln_jw_bool(o->doc, name, v);
}

void
out_time(struct out *o, const char *name, int64_t ms)
{
	o->has_content = o->has_fields = true;
	if (o->format == OUT_TABLE)
		field_add(o, name, shown_time(ms));
	else
		ln_jw_time(o->doc, name, ms);
}

void
out_bytes(struct out *o, const char *name, int64_t n)
{
	char text[OUT_SIZE_SIZE];

	if (o->format != OUT_TABLE) {
		out_int(o, name, n);
		return;
	}
	o->has_content = true;
	field_add(o, name, shown(out_size(n, text)));
}

void
out_open(struct out *o, const char *name)
{
	o->has_content = o->has_fields = true;
	if (o->format != OUT_TABLE)
		ln_jw_object(o->doc, name);
}

void
out_close(struct out *o)
{
	if (o->format != OUT_TABLE)
		ln_jw_end(o->doc);
}

void
out_say(struct out *o, const char *fmt, ...)
{
	struct ln_buf b = LN_BUF_INIT(CELL_MAX);
	char line[2048];
	va_list ap;

	o->has_content = o->has_said = true;
	if (o->format != OUT_TABLE)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ln_text_terminal(line, strlen(line), &b);
	(void)fprintf(stdout, "%s\n", ln_buf_str(&b));
	ln_buf_free(&b);
}

/* --- tables --------------------------------------------------------------*/

/* Cells a string covers on a screen. */
static size_t
width(const char *s)
{
	static bool has_locale;
	mbstate_t state;
	wchar_t wc;
	size_t n, w = 0;
	int cells;
	const char *p;

	for (p = s; *p != '\0' && (unsigned char)*p < 0x80; p++)
		;
	if (*p == '\0')
		return (size_t)(p - s);
	/* Only names beyond ASCII pay for a locale. */
	if (!has_locale) {
		(void)setlocale(LC_CTYPE, "C.UTF-8");
		has_locale = true;
	}
	memset(&state, 0, sizeof(state));
	for (p = s; *p != '\0'; p += n) {
		n = mbrtowc(&wc, p, strlen(p), &state);
		if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
			memset(&state, 0, sizeof(state));
			n = 1;
			w++;
			continue;
		}
		cells = wcwidth(wc);
		w += cells > 0 ? (size_t)cells : 0;
	}
	return w;
}

static void
pad(size_t n)
{
	while (n-- > 0)
		(void)putchar(' ');
}

static void
print_fields(struct out *o)
{
	size_t i, w = 0;

	if (o->has_failed)
		return;
	for (i = 0; i < o->field_count; i++)
		if (width(o->fields[i].name) > w)
			w = width(o->fields[i].name);
	for (i = 0; i < o->field_count; i++) {
		(void)fputs(o->fields[i].name, stdout);
		pad(w - width(o->fields[i].name) + 2);
		(void)fprintf(stdout, "%s\n", o->fields[i].value);
	}
	drop_fields(o);
}

static size_t
column_count(const struct out_col *cols)
{
	size_t n = 0;

	while (cols[n].name != NULL)
		n++;
	return n;
}

static void
print_header(const struct out *o, const size_t *widths, size_t last)
{
	const char *p;
	size_t i;

	if (o->has_color)
		(void)fputs("\033[1m", stdout);
	for (i = 0; o->cols[i].name != NULL; i++) {
		if (o->cols[i].is_extra)
			continue;
		for (p = o->cols[i].name; *p != '\0'; p++)
			(void)putchar(*p == '_' ? ' ' :
			    toupper((unsigned char)*p));
		if (i != last)
			pad(widths[i] - strlen(o->cols[i].name) + 2);
	}
	if (o->has_color)
		(void)fputs("\033[0m", stdout);
	(void)putchar('\n');
}

static void
print_table(const struct out *o)
{
	size_t widths[COLUMN_MAX], n = column_count(o->cols), i, row, w;
	size_t last = 0;
	const char *cell;

	for (i = 0; i < n; i++) {
		widths[i] = strlen(o->cols[i].name);
		if (!o->cols[i].is_extra)
			last = i;
	}
	for (i = 0; i < o->cell_count; i++) {
		w = width(o->cells[i]);
		if (w > widths[i % n])
			widths[i % n] = w;
	}
	print_header(o, widths, last);
	for (row = 0; row < o->cell_count; row += n) {
		for (i = 0; i < n; i++) {
			if (o->cols[i].is_extra)
				continue;
			cell = o->cells[row + i];
			(void)fputs(cell, stdout);
			if (i != last)
				pad(widths[i] - width(cell) + 2);
		}
		(void)putchar('\n');
	}
}

/* --- lists ---------------------------------------------------------------*/

void
out_list(struct out *o, const char *name, const struct out_col *cols)
{
	o->has_content = true;
	drop_cells(o);
	o->cols = cols;
	o->list_name = name;
	if (column_count(cols) > COLUMN_MAX)
		o->has_failed = true;
	if (o->format == OUT_JSON) {
		o->has_fields = true;
		ln_jw_array(o->doc, name);
	}
	if (o->format == OUT_TABLE) {
		if (o->field_count > 0 && !o->has_said) {
			print_fields(o);
			o->list_count++;
		}
		drop_fields(o);
	}
}

static void
json_cell(struct ln_jw *w, const struct out_col *col, va_list *ap)
{
	switch (col->type) {
	case OUT_STR:
		ln_jw_string(w, col->name, va_arg(*ap, const char *));
		return;
	case OUT_INT:
	case OUT_BYTES:
		ln_jw_int(w, col->name, va_arg(*ap, int64_t));
		return;
	case OUT_BOOL:
		ln_jw_bool(w, col->name, va_arg(*ap, int) != 0);
		return;
	case OUT_TIME:
		ln_jw_time(w, col->name, va_arg(*ap, int64_t));
		return;
	}
}

static char *
table_cell(const struct out_col *col, va_list *ap)
{
	char text[OUT_SIZE_SIZE];

	switch (col->type) {
	case OUT_STR:
		return shown(va_arg(*ap, const char *));
	case OUT_INT:
		return shown_int(va_arg(*ap, int64_t));
	case OUT_BYTES:
		return shown(out_size(va_arg(*ap, int64_t), text));
	case OUT_BOOL:
		return shown(va_arg(*ap, int) != 0 ? "yes" : "no");
	case OUT_TIME:
		return shown_time(va_arg(*ap, int64_t));
	}
	return NULL;
}

/* One JSON document on one line.  A terminal is not driven by its text. */
static bool
print_document(struct out *o, struct ln_jw *w)
{
	struct ln_buf b = LN_BUF_INIT(DOCUMENT_MAX);
	bool is_whole = ln_jw_print(w, false, &b) == LN_OK;

	if (is_whole && o->is_terminal)
		out_text(stdout, b.data, b.len);
	else if (is_whole)
		(void)fwrite(b.data, 1, b.len, stdout);
	(void)putchar('\n');
	ln_buf_free(&b);
	return is_whole;
}

static void
table_row(struct out *o, va_list *ap)
{
	size_t n = column_count(o->cols), i;
	char **grown;

	grown = realloc(o->cells, (o->cell_count + n) * sizeof(*grown));
	if (grown == NULL) {
		o->has_failed = true;
		return;
	}
	o->cells = grown;
	for (i = 0; i < n; i++) {
		grown[o->cell_count] = table_cell(&o->cols[i], ap);
		if (grown[o->cell_count] == NULL)
			o->has_failed = true;
		else
			o->cell_count++;
	}
}

void
out_row(struct out *o, ...)
{
	struct ln_jw *w = o->doc;
	va_list ap;
	size_t i;

	if (o->has_failed)
		return;
	va_start(ap, o);
	if (o->format == OUT_TABLE) {
		table_row(o, &ap);
		va_end(ap);
		return;
	}
	if (o->format == OUT_JSONL)
		w = ln_jw_new();
	ln_jw_object(w, NULL);
	for (i = 0; o->cols[i].name != NULL; i++)
		json_cell(w, &o->cols[i], &ap);
	ln_jw_end(w);
	va_end(ap);
	if (o->format == OUT_JSONL) {
		if (w == NULL || !print_document(o, w))
			o->has_failed = true;
		ln_jw_free(w);
		/* Whoever reads lines wants them as they come. */
		(void)fflush(stdout);
	}
}

void
out_list_end(struct out *o)
{
	if (o->format == OUT_JSON)
		ln_jw_end(o->doc);
	if (o->format == OUT_TABLE && !o->has_failed && o->cell_count > 0) {
		if (o->list_count++ > 0)
			(void)putchar('\n');
		print_table(o);
	}
	drop_cells(o);
}

bool
out_end(struct out *o)
{
	if (o->format == OUT_TABLE && !o->has_said)
		print_fields(o);
	if (o->format == OUT_JSON ||
	    (o->format == OUT_JSONL && o->has_fields))
		if (!print_document(o, o->doc))
			o->has_failed = true;
	if (fflush(stdout) != 0 || ferror(stdout))
		o->has_failed = true;
	return !o->has_failed;
}

#include "store/finding.h"

#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>
#include <ln/text.h>

#include "base/banned.h"

#define FINDINGS_MAX 200	/* listed; the rest is one line */
#define SUBJECT_MAX 128		/* bytes of a table, column or id */
#define TEXT_MAX 512

struct report {
	struct ln_report public;	/* first: what callers hold */
	size_t cap;
	bool is_incomplete;
};

static const struct {
	const char *code;
	enum ln_finding_level level;
	bool is_drop;
	const char *text;
} kinds[] = {
#define LNI_FINDING(name, code, level, is_drop, text) \
	{ code, LN_FINDING_##level, is_drop, text },
#include "store/finding.def"
#undef LNI_FINDING
};

struct ln_report *
lni_report_new(void)
{
	struct report *r = calloc(1, sizeof(*r));

	return r != NULL ? &r->public : NULL;
}

void
ln_report_free(struct ln_report *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->finding_count; i++) {
		free(r->findings[i].subject);
		free(r->findings[i].text);
	}
	free(r->findings);
	free(r->snapshot_path);
	free(r);
}

/* Hostile names end up on terminals and in logs. */
static char *
clean(const char *s, size_t max)
{
	struct ln_buf b = LN_BUF_INIT(4 * max);
	size_t n = strlen(s);

	ln_text_terminal(s, n > max ? ln_utf8_prefix(s, n, max) : n, &b);
	ln_buf_puts(&b, "");
	return b.data == NULL ? strdup("") : ln_buf_steal(&b);
}

static bool
same_subject(const struct ln_finding *f, const char *subject)
{
	if (f->subject == NULL || subject == NULL)
		return f->subject == NULL && subject == NULL;
	return strcmp(f->subject, subject) == 0;
}

static void
add(struct report *r, enum lni_finding f, char *subject, int64_t count,
    const char *text)
{
	struct ln_report *p = &r->public;
	struct ln_finding *grown;
	size_t cap;

	if (p->finding_count == r->cap) {
		cap = r->cap == 0 ? 16 : r->cap * 2;
		grown = realloc(p->findings, cap * sizeof(*grown));
		if (grown == NULL) {
			r->is_incomplete = true;
			free(subject);
			return;
		}
		p->findings = grown;
		r->cap = cap;
	}
	grown = &p->findings[p->finding_count];
	grown->code = kinds[f].code;
	grown->level = kinds[f].level;
	grown->subject = subject;
	grown->count = count;
	if ((grown->text = clean(text, TEXT_MAX)) == NULL) {
		r->is_incomplete = true;
		free(subject);
		return;
	}
	p->finding_count++;
}

void
lni_find_text(struct ln_report *p, enum lni_finding f, const char *subject,
    int64_t count, const char *text)
{
	struct report *r = (struct report *)(void *)p;
	char *cleaned = NULL;
	size_t i;

	if (kinds[f].is_drop)
		p->dropped_count += count;
	else if (kinds[f].level == LN_FINDING_REPAIR)
		p->repaired_count += count;
	if (subject != NULL && (cleaned = clean(subject, SUBJECT_MAX)) ==
	    NULL) {
		r->is_incomplete = true;
		return;
	}
	for (i = 0; i < p->finding_count; i++) {
		if (p->findings[i].code == kinds[f].code &&
		    same_subject(&p->findings[i], cleaned)) {
			p->findings[i].count += count;
			free(cleaned);
			return;
		}
	}
	/* Room for one error always, or a flood of notes could hide it. */
	if (p->finding_count >= FINDINGS_MAX && f != LNI_F_MORE &&
	    (kinds[f].level != LN_FINDING_ERROR || lni_report_has_error(p))) {
		free(cleaned);
		lni_find(p, LNI_F_MORE, NULL, 1);
		return;
	}
	add(r, f, cleaned, count, text);
}

void
lni_find(struct ln_report *p, enum lni_finding f, const char *subject,
    int64_t count)
{
	lni_find_text(p, f, subject, count, kinds[f].text);
}

bool
lni_report_has(const struct ln_report *r, enum lni_finding f)
{
	size_t i;

	for (i = 0; i < r->finding_count; i++) {
		if (r->findings[i].code == kinds[f].code)
			return true;
	}
	return false;
}

bool
lni_report_has_error(const struct ln_report *r)
{
	size_t i;

	for (i = 0; i < r->finding_count; i++) {
		if (r->findings[i].level == LN_FINDING_ERROR)
			return true;
	}
	return false;
}

enum ln_status
lni_report_close(struct ln_report *p, struct ln_error *err)
{
	const struct report *r = (const struct report *)(const void *)p;

	p->is_importable = !r->is_incomplete && !lni_report_has_error(p);
	if (r->is_incomplete)
		return ln_fail(err, LN_NOMEM, "", "a finding was lost");
	return LN_OK;
}

#include "text/ndjson.h"

#include "base/banned.h"

static bool
on_line(void *arg, const char *line, size_t n)
{
	struct lni_ndjson *p = arg;
	size_t i;

	for (i = 0; i < n; i++) {
		if (line[i] != ' ' && line[i] != '\t')
			return p->fn(p->arg, line, n);
	}
	return true;
}

void
lni_ndjson_init(struct lni_ndjson *p, size_t line_max, lni_line_fn *fn,
    void *arg)
{
	p->fn = fn;
	p->arg = arg;
	lni_lines_init(&p->lines, line_max, on_line, p);
}

enum ln_status
lni_ndjson_feed(struct lni_ndjson *p, const char *s, size_t n)
{
	return lni_lines_feed(&p->lines, s, n);
}

enum ln_status
lni_ndjson_end(struct lni_ndjson *p)
{
	return lni_lines_end(&p->lines);
}

void
lni_ndjson_free(struct lni_ndjson *p)
{
	lni_lines_free(&p->lines);
}

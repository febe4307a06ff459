#include "cmd.h"

#include <unistd.h>

void
progress_init(struct progress *p, const struct ctx *c, const char *what)
{
	p->what = what;
	p->last = -1;
	p->is_shown = !c->is_quiet && isatty(STDERR_FILENO) == 1;
}

bool
progress_step(void *arg, int percent)
{
	struct progress *p = arg;

	if (p->is_shown && percent != p->last) {
		(void)fprintf(stderr, "\r%s %3d%%", p->what, percent);
		p->last = percent;
	}
	return !sig_interrupted();
}

void
progress_done(struct progress *p)
{
	if (p->last >= 0)
		(void)fputs("\r\033[K", stderr);
	p->last = -1;
}

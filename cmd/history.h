#ifndef LNCTL_HISTORY_H
#define LNCTL_HISTORY_H

#include <ln/branch.h>
#include <ln/search.h>

#include "cmd.h"

/* What history and chat share about conversations. */

/* history.c: tell why ${id} could not be had. */
int history_fail(struct ctx *c, enum ln_status s, const struct ln_error *err,
    const char *id);

/* history_branch.c */
int history_fork(struct ctx *c);
int history_tree(struct ctx *c);
/* A line for each branch, ${current} marked. */
void history_draw(FILE *f, const struct ln_branch_list *l,
    const char *current);

/* history_search.c */
int history_search(struct ctx *c);
/* Two lines for each: where, and what was found. */
void history_draw_hits(FILE *f, const struct ln_hit_list *l, bool has_color);

/* history_tag.c */
int history_tag(struct ctx *c);
int history_untag(struct ctx *c);
int history_tags(struct ctx *c);

#endif

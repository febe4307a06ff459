#ifndef LNCTL_DB_CMD_H
#define LNCTL_DB_CMD_H

#include "cmd.h"

/* The commands that keep the database in order: db_upkeep.c. */
int db_migrate(struct ctx *c);
int db_vacuum(struct ctx *c);
int db_stats(struct ctx *c);

#endif

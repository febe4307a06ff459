#include "store/forks.h"

#include "store/stmt.h"

#include "base/banned.h"

/* From each fork whose parent is none, down: a fork of itself, by however many
 * others, is never reached and stays alone. */
static const char SQL_SETTLE[] =
    "WITH RECURSIVE tree(id, root) AS ("
    " SELECT c.id, coalesce(c.fork_root, c.forked_from) FROM conversation c"
    " WHERE c.forked_from IS NOT NULL AND NOT EXISTS"
    "  (SELECT 1 FROM conversation p"
    "   WHERE p.id = c.forked_from AND p.forked_from IS NOT NULL)"
    " UNION ALL"
    " SELECT c.id, coalesce(c.fork_root, tree.root) FROM tree"
    " JOIN conversation c ON c.forked_from = tree.id)"
    " UPDATE conversation SET fork_root = tree.root FROM tree"
    " WHERE tree.id = conversation.id AND conversation.fork_root IS NULL";

enum ln_status
lni_forks_settle(struct ln_store *st, struct ln_error *err)
{
	return lni_exec(st, SQL_SETTLE, err);
}

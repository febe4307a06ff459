-- 0009: branches, and lists that do not read texts.
--
-- Which tree a fork belongs to: the id of the first conversation of it.  The
-- parent may be deleted, and its parent, too: those that are left still know
-- that they belong together.  NULL: not a fork.
ALTER TABLE conversation ADD COLUMN fork_root TEXT;
WITH RECURSIVE tree(id, root) AS (
	SELECT c.id, c.forked_from FROM conversation c
	WHERE c.forked_from IS NOT NULL AND NOT EXISTS
	    (SELECT 1 FROM conversation p
	    WHERE p.id = c.forked_from AND p.forked_from IS NOT NULL)
	UNION ALL
	SELECT c.id, tree.root FROM tree
	JOIN conversation c ON c.forked_from = tree.id
)
UPDATE conversation SET fork_root = tree.root
FROM tree WHERE tree.id = conversation.id;
CREATE INDEX conversation_fork_root ON conversation(fork_root)
	WHERE fork_root IS NOT NULL;

-- A page of the list: either half of it in its order.
CREATE INDEX conversation_page ON conversation(
	user_id, (pinned_ms IS NULL), updated_ms DESC, id);

-- Counting answers and tokens without reading what was said.
CREATE INDEX message_count ON message(
	conversation_id, created_ms, role, model, tokens, prompt_tokens);

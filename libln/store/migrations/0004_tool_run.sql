-- 0004: what a model did besides writing.
--
-- The calls of tools that an answer made, each with what the model was told:
-- a person can see later what happened in their name.
CREATE TABLE tool_run (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	message_id INTEGER NOT NULL REFERENCES message(id) ON DELETE CASCADE,
	-- The first request of an answer is round 1.
	round INTEGER NOT NULL CHECK (round > 0),
	-- As the model wrote them: there need be no such tool.
	name TEXT NOT NULL,
	arguments TEXT NOT NULL,
	-- 'allowed': a person said yes, the writer of the answer has not seen
	-- it yet or is running it.
	state TEXT NOT NULL CHECK (state IN
	    ('asking', 'allowed', 'running', 'done', 'failed', 'denied')),
	result TEXT,
	created_ms INTEGER NOT NULL,
	ended_ms INTEGER,
	CHECK ((ended_ms IS NULL) = (state IN ('asking', 'allowed', 'running')))
) STRICT;
CREATE INDEX tool_run_message ON tool_run(message_id, id);
CREATE INDEX tool_run_open ON tool_run(message_id)
	WHERE state IN ('asking', 'allowed', 'running');

-- What the model thought before it answered.  Never part of the answer, and
-- never sent back to a model.
ALTER TABLE message ADD COLUMN thinking TEXT;

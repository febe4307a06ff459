-- 0008: search for words, for parts of words, and in titles.
--
-- A person's entries lie side by side in the index: their row ids share the
-- upper bits.  A search is then a range of row ids, costs what that person's
-- own rows cost, and never visits anybody else's.

DROP TRIGGER message_search_insert;
DROP TRIGGER message_search_delete;
DROP TRIGGER message_search_update;
DROP TABLE message_fts;
DROP TABLE search_queue;

-- The number is never given twice.
CREATE TABLE search_owner (
	number INTEGER PRIMARY KEY AUTOINCREMENT
	    CHECK (number BETWEEN 1 AND 4194303),
	user_id TEXT NOT NULL UNIQUE REFERENCES user(id) ON DELETE CASCADE
) STRICT;

-- An entry of the index: a whole message of a person or a model, or a title.
-- Its id is the owner's number << 40, + 1 << 39 for a title, + a number that
-- grows.  Beside the text stands what a search filters and ranks by, so that
-- it need not read messages.  Not foreign keys: a deletion must find the entry
-- here to take it out of the index, and would come too late.
CREATE TABLE search_doc (
	id INTEGER PRIMARY KEY,
	message_id INTEGER UNIQUE,
	conversation_id TEXT UNIQUE,
	role TEXT CHECK (role IN ('user', 'assistant')),
	model TEXT,
	created_ms INTEGER NOT NULL,
	CHECK ((message_id IS NULL) <> (conversation_id IS NULL)),
	CHECK ((message_id IS NULL) = (role IS NULL))
) STRICT;

-- What is in the index, from where it is kept: it is stored once.
CREATE VIEW search_text(id, content) AS
	SELECT d.id, coalesce(m.content, c.title) FROM search_doc d
	LEFT JOIN message m ON m.id = d.message_id
	LEFT JOIN conversation c ON c.id = d.conversation_id;
-- Two more characters, so that every character begins a group of three.
CREATE VIEW search_text_padded(id, content) AS
	SELECT id, content || char(10, 10) FROM search_text;

CREATE VIRTUAL TABLE message_fts USING fts5(
	content, content='search_text', content_rowid='id',
	tokenize='unicode61 remove_diacritics 2');
-- Without positions it takes a third of the room; whoever searches looks into
-- the text.
CREATE VIRTUAL TABLE message_fts_tri USING fts5(
	content, content='search_text_padded', content_rowid='id',
	tokenize='trigram', detail='none');

-- With trusted_schema off no trigger may touch a virtual table.  So triggers,
-- which see deletions by cascade, too, only note what the index has to learn;
-- every transaction of ours settles the notes before it commits: by entry,
-- because the index likes rising row ids, and for each of them in order.
CREATE TABLE search_queue (
	seq INTEGER PRIMARY KEY,
	doc_id INTEGER NOT NULL,
	-- What the index is told: NULL adds, 'delete' takes away.
	command TEXT CHECK (command = 'delete'),
	content TEXT NOT NULL
) STRICT;
CREATE INDEX search_queue_doc ON search_queue(doc_id, seq);

-- An answer enters when it is whole: journalling rewrites its text several
-- times a second.
CREATE TRIGGER message_search_insert AFTER INSERT ON message
WHEN new.state <> 'streaming' AND new.role IN ('user', 'assistant')
BEGIN
	INSERT INTO search_doc(id, message_id, role, model, created_ms)
	SELECT 1 + max(o.number << 40, coalesce((SELECT max(d.id)
	    FROM search_doc d WHERE d.id BETWEEN o.number << 40
	    AND (o.number << 40) + 549755813887), 0)),
	    new.id, new.role, new.model, new.created_ms
	FROM conversation c JOIN search_owner o ON o.user_id = c.user_id
	WHERE c.id = new.conversation_id;
	INSERT INTO search_queue(doc_id, content)
	SELECT id, new.content FROM search_doc WHERE message_id = new.id;
END;
CREATE TRIGGER message_search_delete AFTER DELETE ON message
WHEN old.state <> 'streaming' AND old.role IN ('user', 'assistant')
BEGIN
	INSERT INTO search_queue(doc_id, command, content)
	SELECT id, 'delete', old.content FROM search_doc
	WHERE message_id = old.id;
	DELETE FROM search_doc WHERE message_id = old.id;
END;
-- One trigger, because the order of two is not defined.  An entry keeps its
-- place when its text changes.
CREATE TRIGGER message_search_update
AFTER UPDATE OF content, state, role, model, created_ms ON message
WHEN old.state <> 'streaming' OR new.state <> 'streaming'
BEGIN
	INSERT INTO search_queue(doc_id, command, content)
	SELECT id, 'delete', old.content FROM search_doc
	WHERE message_id = old.id;
	DELETE FROM search_doc WHERE message_id = old.id
	AND (new.state = 'streaming' OR new.role NOT IN ('user', 'assistant'));
	UPDATE search_doc SET role = new.role, model = new.model,
	    created_ms = new.created_ms WHERE message_id = new.id;
	INSERT INTO search_doc(id, message_id, role, model, created_ms)
	SELECT 1 + max(o.number << 40, coalesce((SELECT max(d.id)
	    FROM search_doc d WHERE d.id BETWEEN o.number << 40
	    AND (o.number << 40) + 549755813887), 0)),
	    new.id, new.role, new.model, new.created_ms
	FROM conversation c JOIN search_owner o ON o.user_id = c.user_id
	WHERE c.id = new.conversation_id AND new.state <> 'streaming'
	AND new.role IN ('user', 'assistant')
	AND NOT EXISTS (SELECT 1 FROM search_doc WHERE message_id = new.id);
	INSERT INTO search_queue(doc_id, content)
	SELECT id, new.content FROM search_doc WHERE message_id = new.id;
END;

CREATE TRIGGER conversation_search_insert AFTER INSERT ON conversation
BEGIN
	INSERT INTO search_owner(user_id) SELECT new.user_id
	WHERE NOT EXISTS (SELECT 1 FROM search_owner
	    WHERE user_id = new.user_id);
	INSERT INTO search_doc(id, conversation_id, created_ms)
	SELECT 1 + max((o.number << 40) + 549755813888, coalesce((SELECT
	    max(d.id) FROM search_doc d WHERE d.id < (o.number + 1) << 40),
	    0)), new.id, new.created_ms
	FROM search_owner o WHERE o.user_id = new.user_id;
	INSERT INTO search_queue(doc_id, content)
	SELECT id, new.title FROM search_doc WHERE conversation_id = new.id;
END;
CREATE TRIGGER conversation_search_delete AFTER DELETE ON conversation
BEGIN
	INSERT INTO search_queue(doc_id, command, content)
	SELECT id, 'delete', old.title FROM search_doc
	WHERE conversation_id = old.id;
	DELETE FROM search_doc WHERE conversation_id = old.id;
END;
CREATE TRIGGER conversation_search_update AFTER UPDATE OF title ON conversation
WHEN old.title <> new.title
BEGIN
	INSERT INTO search_queue(doc_id, command, content)
	SELECT id, 'delete', old.title FROM search_doc
	WHERE conversation_id = old.id;
	INSERT INTO search_queue(doc_id, content)
	SELECT id, new.title FROM search_doc WHERE conversation_id = new.id;
END;

-- What is there already.  One number for all: each owner's still grow.
INSERT INTO search_owner(user_id) SELECT id FROM user ORDER BY created_ms, id;
INSERT INTO search_doc(id, message_id, role, model, created_ms)
	SELECT (o.number << 40) + row_number() OVER (ORDER BY m.id),
	    m.id, m.role, m.model, m.created_ms
	FROM message m CROSS JOIN conversation c ON c.id = m.conversation_id
	CROSS JOIN search_owner o ON o.user_id = c.user_id
	WHERE m.state <> 'streaming' AND m.role IN ('user', 'assistant');
INSERT INTO search_doc(id, conversation_id, created_ms)
	SELECT (o.number << 40) + 549755813888 + row_number() OVER
	    (ORDER BY c.created_ms, c.id), c.id, c.created_ms
	FROM conversation c CROSS JOIN search_owner o ON o.user_id = c.user_id;
INSERT INTO message_fts(message_fts) VALUES ('rebuild');
INSERT INTO message_fts_tri(message_fts_tri) VALUES ('rebuild');

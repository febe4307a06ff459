-- 0001: the house as it opens.
--
-- Times are Unix milliseconds, UTC.  Absent is NULL, never 0: 0 is 1970.
-- Names a person may type in any case have a *_key column: NFKC, case folded.
-- Row ids that people see (messages, prompts, documents) are AUTOINCREMENT, so
-- that an id is never given twice.

CREATE TABLE user (
	id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
	username TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 128),
	username_key TEXT NOT NULL UNIQUE,
	email TEXT CHECK (length(email) BETWEEN 1 AND 254),
	email_key TEXT UNIQUE,
	full_name TEXT,
	role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
	-- NULL: no password works until it is reset.
	password_hash TEXT,
	blocked_ms INTEGER CHECK (blocked_ms > 0),
	-- NULL with blocked_ms set: for ever.
	blocked_until_ms INTEGER CHECK (blocked_until_ms > 0),
	blocked_reason TEXT,
	created_ms INTEGER NOT NULL,
	last_login_ms INTEGER,
	CHECK ((email IS NULL) = (email_key IS NULL)),
	CHECK (blocked_ms IS NOT NULL OR blocked_until_ms IS NULL)
) STRICT;
CREATE INDEX user_admin ON user(role) WHERE role = 'admin';

-- Beside the row, so that listing accounts does not read pictures.
CREATE TABLE user_picture (
	user_id TEXT NOT NULL PRIMARY KEY REFERENCES user(id) ON DELETE CASCADE,
	type TEXT NOT NULL,
	bytes BLOB NOT NULL
) STRICT;

-- A sign-in.  Only a keyed hash of its id is kept.
CREATE TABLE session (
	hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
	user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
	address TEXT,
	agent TEXT,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session(user_id, created_ms);
CREATE INDEX session_expires ON session(expires_ms);

CREATE TABLE reset_token (
	hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
	user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	used_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX reset_token_user ON reset_token(user_id);

-- Settings of the instance.
CREATE TABLE setting (
	name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
	value TEXT NOT NULL,
	is_sealed INTEGER NOT NULL DEFAULT 0 CHECK (is_sealed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE user_setting (
	user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	value TEXT NOT NULL,
	is_sealed INTEGER NOT NULL DEFAULT 0 CHECK (is_sealed IN (0, 1)),
	PRIMARY KEY (user_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE project (
	id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
	user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
	title TEXT NOT NULL,
	description TEXT,
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX project_user ON project(user_id, created_ms);

CREATE TABLE document (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
	filename TEXT NOT NULL,
	content TEXT NOT NULL,
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX document_project ON document(project_id);

CREATE TABLE conversation_group (
	id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
	user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
	title TEXT NOT NULL,
	position INTEGER NOT NULL DEFAULT 0,
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX conversation_group_user ON conversation_group(user_id, position);

CREATE TABLE conversation (
	id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
	user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
	title TEXT NOT NULL,
	provider TEXT,
	model TEXT,
	system_prompt TEXT,
	temperature REAL CHECK (temperature BETWEEN 0 AND 2),
	project_id TEXT REFERENCES project(id) ON DELETE SET NULL,
	group_id TEXT REFERENCES conversation_group(id) ON DELETE SET NULL,
	-- The parent of a fork.  Not a foreign key: the link outlives the parent.
	forked_from TEXT,
	forked_at_message INTEGER,
	archived_ms INTEGER,
	pinned_ms INTEGER,
	total_tokens INTEGER NOT NULL DEFAULT 0 CHECK (total_tokens >= 0),
	created_ms INTEGER NOT NULL,
	updated_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX conversation_user ON conversation(user_id, updated_ms);
CREATE INDEX conversation_project ON conversation(project_id)
	WHERE project_id IS NOT NULL;
CREATE INDEX conversation_group_id ON conversation(group_id)
	WHERE group_id IS NOT NULL;
CREATE INDEX conversation_fork ON conversation(forked_from)
	WHERE forked_from IS NOT NULL;

CREATE TABLE conversation_tag (
	conversation_id TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE,
	tag TEXT NOT NULL CHECK (length(tag) BETWEEN 1 AND 64),
	PRIMARY KEY (conversation_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_tag_tag ON conversation_tag(tag);

CREATE TABLE message (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	conversation_id TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE,
	role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
	state TEXT NOT NULL DEFAULT 'complete' CHECK (state IN
	    ('complete', 'streaming', 'stopped', 'failed', 'interrupted')),
	content TEXT NOT NULL,
	provider TEXT,
	model TEXT,
	finish_reason TEXT,
	tokens INTEGER NOT NULL DEFAULT 0 CHECK (tokens >= 0),
	prompt_tokens INTEGER NOT NULL DEFAULT 0 CHECK (prompt_tokens >= 0),
	duration_ms INTEGER NOT NULL DEFAULT 0 CHECK (duration_ms >= 0),
	is_estimated INTEGER NOT NULL DEFAULT 0 CHECK (is_estimated IN (0, 1)),
	pinned_ms INTEGER,
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX message_conversation ON message(conversation_id, id);

-- JSON array of base64 strings as the wire carries them; beside the row, so
-- that reading a conversation's text does not read pictures.
CREATE TABLE message_image (
	message_id INTEGER PRIMARY KEY REFERENCES message(id) ON DELETE CASCADE,
	images TEXT NOT NULL
) STRICT;

-- An answer that is being written, and by whom.  The row goes when it ends;
-- a row whose writer gives no sign of life means "interrupted".
CREATE TABLE generation (
	message_id INTEGER PRIMARY KEY REFERENCES message(id) ON DELETE CASCADE,
	conversation_id TEXT NOT NULL UNIQUE
	    REFERENCES conversation(id) ON DELETE CASCADE,
	owner TEXT NOT NULL,
	is_stop_asked INTEGER NOT NULL DEFAULT 0 CHECK (is_stop_asked IN (0, 1)),
	beat_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE prompt (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	-- NULL: everybody's.
	user_id TEXT REFERENCES user(id) ON DELETE CASCADE,
	title TEXT NOT NULL,
	content TEXT NOT NULL,
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX prompt_user ON prompt(user_id);

CREATE TABLE tool (
	id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
	-- NULL: everybody's.
	user_id TEXT REFERENCES user(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	description TEXT,
	definition TEXT NOT NULL,
	is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
	created_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tool_name ON tool(coalesce(user_id, ''), name);
CREATE INDEX tool_user ON tool(user_id);

-- Append-only; mac covers the row and the previous row's mac.
CREATE TABLE audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms INTEGER NOT NULL,
	actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'shell', 'system')),
	actor_id TEXT,
	address TEXT,
	action TEXT NOT NULL,
	target TEXT,
	outcome TEXT NOT NULL,
	request_id TEXT,
	detail TEXT,
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;

-- Where the audit log ends, so that a row cut off at the end is missed, too:
-- last_mac is the mac of row last_id; mac covers both.
CREATE TABLE audit_head (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	last_id INTEGER NOT NULL CHECK (last_id > 0),
	last_mac BLOB NOT NULL CHECK (length(last_mac) = 32),
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

-- Search.  An answer enters the index when it is whole: journalling rewrites
-- its text several times a second.
CREATE VIRTUAL TABLE message_fts USING fts5(
	content, content='message', content_rowid='id',
	tokenize='unicode61 remove_diacritics 2');
-- With trusted_schema off no trigger may touch a virtual table.  So triggers,
-- which see deletions by cascade, too, only note what the index has to learn;
-- every transaction of ours settles the notes, in order, before it commits.
CREATE TABLE search_queue (
	seq INTEGER PRIMARY KEY,
	message_id INTEGER NOT NULL,
	-- What the index is told: NULL adds, 'delete' takes away.
	command TEXT CHECK (command = 'delete'),
	content TEXT NOT NULL
) STRICT;
CREATE TRIGGER message_search_insert AFTER INSERT ON message
WHEN new.state <> 'streaming'
BEGIN
	INSERT INTO search_queue(message_id, content)
	VALUES (new.id, new.content);
END;
CREATE TRIGGER message_search_delete AFTER DELETE ON message
WHEN old.state <> 'streaming'
BEGIN
	INSERT INTO search_queue(message_id, command, content)
	VALUES (old.id, 'delete', old.content);
END;
-- One trigger, because the order of two is not defined.
CREATE TRIGGER message_search_update AFTER UPDATE OF content, state ON message
BEGIN
	INSERT INTO search_queue(message_id, command, content)
	SELECT old.id, 'delete', old.content WHERE old.state <> 'streaming';
	INSERT INTO search_queue(message_id, content)
	SELECT new.id, new.content WHERE new.state <> 'streaming';
END;

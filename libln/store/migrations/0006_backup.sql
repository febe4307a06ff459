-- 0006: what is known of backups that this instance made.
--
-- They lie elsewhere; a row says what a file was when it was written, and when
-- it was last seen to be whole.
CREATE TABLE backup (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	folder TEXT NOT NULL CHECK (length(folder) > 0),
	name TEXT NOT NULL CHECK (length(name) > 0),
	created_ms INTEGER NOT NULL CHECK (created_ms > 0),
	bytes INTEGER NOT NULL CHECK (bytes > 0),
	-- BLAKE2b-256 of the file.
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	is_encrypted INTEGER NOT NULL CHECK (is_encrypted IN (0, 1)),
	-- Both NULL: never, or the last look found it damaged.
	verified_ms INTEGER,
	verified_how TEXT CHECK (verified_how IN ('quick', 'full', 'drill')),
	UNIQUE (folder, name),
	CHECK ((verified_ms IS NULL) = (verified_how IS NULL))
) STRICT;
CREATE INDEX backup_created ON backup(created_ms);

-- 0003: keys that were replaced.
--
-- A program that still holds one must not write: what it signs and seals could
-- be read by nobody.  The hash is keyed with the key itself and tells only
-- whoever has it that it is over.
CREATE TABLE retired_key (
	hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
	retired_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- 0007: documents are read into passages that a search finds.
--
-- A document that has not been read is 'queued', one that a process has in
-- hand 'reading'.  Those that came with an import have their text in content
-- until it is cut into chunks, which then hold it alone.
ALTER TABLE document ADD COLUMN state TEXT NOT NULL DEFAULT 'queued'
	CHECK (state IN ('queued', 'reading', 'ready', 'failed'));
-- In words, when it failed.
ALTER TABLE document ADD COLUMN reason TEXT;
ALTER TABLE document ADD COLUMN type TEXT;
-- Of the file, or of the text that an import brought.
ALTER TABLE document ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0
	CHECK (bytes >= 0);
ALTER TABLE document ADD COLUMN chunk_count INTEGER NOT NULL DEFAULT 0
	CHECK (chunk_count >= 0);
ALTER TABLE document ADD COLUMN page_count INTEGER NOT NULL DEFAULT 0
	CHECK (page_count >= 0);
-- Where a page was fetched from.
ALTER TABLE document ADD COLUMN source_url TEXT;
-- Who receives or reads it now, the last sign of life, and how many began to.
ALTER TABLE document ADD COLUMN holder TEXT;
ALTER TABLE document ADD COLUMN beat_ms INTEGER;
ALTER TABLE document ADD COLUMN tries INTEGER NOT NULL DEFAULT 0
	CHECK (tries >= 0);
UPDATE document SET bytes = length(CAST(content AS BLOB));
CREATE INDEX document_open ON document(id)
	WHERE state IN ('queued', 'reading');

-- A file that waits to be read, in parts; gone once that is over.
CREATE TABLE document_file (
	document_id INTEGER NOT NULL REFERENCES document(id) ON DELETE CASCADE,
	part INTEGER NOT NULL CHECK (part >= 0),
	bytes BLOB NOT NULL,
	PRIMARY KEY (document_id, part)
) STRICT;

CREATE TABLE chunk (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	document_id INTEGER NOT NULL REFERENCES document(id) ON DELETE CASCADE,
	position INTEGER NOT NULL CHECK (position >= 0),
	-- Both from 1; NULL where there is no such thing.
	page INTEGER CHECK (page > 0),
	line INTEGER CHECK (line > 0),
	-- So many bytes at the beginning are the end of the one before.
	overlap INTEGER NOT NULL DEFAULT 0 CHECK (overlap >= 0),
	text TEXT NOT NULL,
	UNIQUE (document_id, position)
) STRICT;

-- Chunks are added to the index by whoever adds them and never change; the
-- trigger, which sees deletions by cascade, notes them as message's do.
CREATE VIRTUAL TABLE chunk_fts USING fts5(
	text, content='chunk', content_rowid='id',
	tokenize='unicode61 remove_diacritics 2');
CREATE TABLE chunk_queue (
	seq INTEGER PRIMARY KEY,
	chunk_id INTEGER NOT NULL,
	text TEXT NOT NULL
) STRICT;
CREATE TRIGGER chunk_search_delete AFTER DELETE ON chunk
BEGIN
	INSERT INTO chunk_queue(chunk_id, text) VALUES (old.id, old.text);
END;

-- What an answer was given to read: a JSON array of {"n", "document_id",
-- "filename", "page" or "line"}.  What it names may be gone.
ALTER TABLE message ADD COLUMN sources TEXT;

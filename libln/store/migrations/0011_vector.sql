-- 0011: passages as vectors, so that a search finds what means the same.
--
-- How far the vectors of a document are.  Who has it in hand promises to be
-- done, or to say more, before due_ms; one that failed is tried again then.
CREATE TABLE document_vector (
	document_id INTEGER PRIMARY KEY
		REFERENCES document(id) ON DELETE CASCADE,
	model TEXT NOT NULL CHECK (model <> ''),
	state TEXT NOT NULL
		CHECK (state IN ('working', 'ready', 'failed', 'skipped')),
	-- In words, when it failed or was skipped.
	reason TEXT,
	holder TEXT,
	due_ms INTEGER,
	tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0)
) STRICT;

-- A vector of length 1: numbers of 32 bits, the lowest byte first.
CREATE TABLE chunk_vector (
	chunk_id INTEGER PRIMARY KEY REFERENCES chunk(id) ON DELETE CASCADE,
	model TEXT NOT NULL CHECK (model <> ''),
	dimension INTEGER NOT NULL CHECK (dimension > 0),
	vector BLOB NOT NULL CHECK (length(vector) = 4 * dimension)
) STRICT;

-- 0005: a tool may ask before each call, and may be called over HTTP with
-- headers that hold secrets.
ALTER TABLE tool ADD COLUMN asks_first INTEGER NOT NULL DEFAULT 0
	CHECK (asks_first IN (0, 1));
-- The values of its endpoint's headers, an object of texts, sealed for this
-- row.  NULL: it has none.
ALTER TABLE tool ADD COLUMN sealed_headers TEXT;

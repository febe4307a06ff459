-- 0002: mails that are to be sent.
--
-- No text, no link, no token and no address: a mail is made when it is sent,
-- and goes to the address that the account has then, if that is still the one
-- it was asked for.
CREATE TABLE outbox (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	-- 'reset': a link for a new password; 'duplicate': somebody tried to
	-- register with this address.
	kind TEXT NOT NULL CHECK (kind IN ('reset', 'duplicate')),
	user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
	-- Keyed hash of the address it was asked for.
	address_hash BLOB NOT NULL CHECK (length(address_hash) = 32),
	created_ms INTEGER NOT NULL,
	-- While one is being sent, this is when others may take it for lost.
	next_try_ms INTEGER NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
	-- Both NULL: it waits.
	sent_ms INTEGER,
	failed_ms INTEGER,
	-- A word for what went wrong at the last try.
	error TEXT,
	CHECK (sent_ms IS NULL OR failed_ms IS NULL)
) STRICT;
CREATE INDEX outbox_due ON outbox(next_try_ms)
	WHERE sent_ms IS NULL AND failed_ms IS NULL;
-- Asking again while one waits adds nothing.
CREATE UNIQUE INDEX outbox_waiting ON outbox(user_id, kind)
	WHERE sent_ms IS NULL AND failed_ms IS NULL;
CREATE INDEX outbox_user ON outbox(user_id);

-- What may have reached an address lately.  Not bound to an account: deleting
-- and making one must not give a stranger more mail.
CREATE TABLE mail_limit (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('reset', 'duplicate')),
	address_hash BLOB NOT NULL CHECK (length(address_hash) = 32),
	at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_limit_address ON mail_limit(address_hash, kind, at_ms);
CREATE INDEX mail_limit_at ON mail_limit(at_ms);

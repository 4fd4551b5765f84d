-- +goose Up
-- Who may use the hub. Times are milliseconds since 1970, UTC; 0 is "not".
CREATE TABLE person (
	id         TEXT PRIMARY KEY,
	email      TEXT NOT NULL UNIQUE, -- in small letters
	name       TEXT NOT NULL,
	role       TEXT NOT NULL,
	created    BIGINT NOT NULL,
	disabled   BIGINT NOT NULL,
	seen       BIGINT NOT NULL, -- the last sign-in
	hash       TEXT NOT NULL,   -- argon2id, in its usual form; empty: no password
	secret     BYTEA NOT NULL,  -- of one-time codes, sealed; empty: no second factor
	step       BIGINT NOT NULL, -- of the last code taken: none is taken twice
	issuer     TEXT NOT NULL,   -- of single sign-on
	subject    TEXT NOT NULL
);
CREATE UNIQUE INDEX person_subject ON person (issuer, subject) WHERE subject <> '';

-- Codes for somebody who has lost the phone, each good for once.
CREATE TABLE recovery_code (
	person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	hash   BYTEA NOT NULL,
	PRIMARY KEY (person, hash)
);

-- Links that let somebody in once, to choose a password.
CREATE TABLE link (
	hash    BYTEA PRIMARY KEY,
	person  TEXT REFERENCES person (id) ON DELETE CASCADE, -- NULL: makes the first administrator
	expires BIGINT NOT NULL
);
CREATE INDEX link_person ON link (person);

CREATE TABLE session (
	hash    TEXT PRIMARY KEY, -- of the token in the cookie
	person  TEXT REFERENCES person (id) ON DELETE CASCADE, -- NULL: nobody has signed in yet
	data    BYTEA NOT NULL,
	begun   BIGINT NOT NULL,
	seen    BIGINT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person);
CREATE INDEX session_expires ON session (expires);

-- Failed tries to sign in, by what they are counted for.
CREATE TABLE attempt (
	name     TEXT PRIMARY KEY,
	failures BIGINT NOT NULL,
	last     BIGINT NOT NULL,
	until    BIGINT NOT NULL -- no further try before
);
CREATE INDEX attempt_last ON attempt (last);

-- Who did and saw what. Lines are only ever added, and dropped when old.
CREATE TABLE audit (
	id      TEXT PRIMARY KEY, -- UUIDv7: in order of time
	at      BIGINT NOT NULL,
	person  TEXT NOT NULL, -- no reference: the line outlives the account
	name    TEXT NOT NULL,
	action  TEXT NOT NULL,
	borne   TEXT NOT NULL,
	object  TEXT NOT NULL,
	detail  TEXT NOT NULL, -- JSON
	address TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_person ON audit (person, id);
CREATE INDEX audit_borne ON audit (borne, id);
CREATE INDEX audit_action ON audit (action, id);

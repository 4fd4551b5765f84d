-- What lets a program in that nobody signs in to: a calendar that reads a feed,
-- or one that reads the JSON API.

-- +goose Up
CREATE TABLE access_token (
    id      TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    digest  BYTEA  NOT NULL,             -- SHA-256 of the token, which nobody keeps
    kind    TEXT   NOT NULL,             -- person, site or program
    owner   TEXT   NOT NULL,             -- ID of the person or site; empty for a program
    name    TEXT   NOT NULL,             -- of a program, for people
    scope   TEXT   NOT NULL,             -- what a program may read
    created BIGINT NOT NULL,
    used    TEXT   NOT NULL              -- the last day, "2026-11-21"; empty: never
);
CREATE UNIQUE INDEX access_token_digest ON access_token (digest);
CREATE INDEX access_token_kind ON access_token (kind, owner);

-- The appointments of one person, whatever else they hold.
CREATE INDEX callback_appointment ON callback (state, holder, deadline, id, site, lang, topic) WHERE state = 'appointment';

-- +goose Down
DROP INDEX callback_appointment;
DROP TABLE access_token;

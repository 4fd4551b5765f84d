-- +goose Up
-- Requests to be called back that the hub has not taken yet. The data is
-- sealed to the hub's key: nothing on the borne can read it.
CREATE TABLE callback (
    id      TEXT    NOT NULL PRIMARY KEY, -- UUIDv7
    code    TEXT    NOT NULL UNIQUE,      -- what the resident's ticket says
    created INTEGER NOT NULL,             -- milliseconds since 1970, UTC
    data    BLOB    NOT NULL
) STRICT;

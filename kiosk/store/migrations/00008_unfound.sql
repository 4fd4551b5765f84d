-- +goose Up
-- Searches that found nothing and that the hub has not taken yet, sealed to its
-- key. Nothing says when in the month they were made, or in which order: the ID is
-- drawn at random, and rows lie in its order.
CREATE TABLE unfound (
    id    TEXT NOT NULL PRIMARY KEY, -- UUIDv4
    month TEXT NOT NULL,             -- "2026-11"
    data  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Programs from this schema on can use it; older ones are refused. Each
-- migration ends so.
INSERT INTO setting (key, value) VALUES ('schema.oldest', '6')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER);

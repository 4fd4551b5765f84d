-- +goose Up
-- The version of the hub's profile that the application goes by; empty for the
-- borne's own.
ALTER TABLE alive ADD COLUMN profile TEXT NOT NULL DEFAULT '';

-- Programs from this schema on can use it; older ones are refused. Each
-- migration ends so.
INSERT INTO setting (key, value) VALUES ('schema.oldest', '6')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER);

-- +goose Up
-- Anonymous counts. A key is a fixed word of the program, never what somebody
-- typed; the grammar is checked in count.go.
CREATE TABLE day_count (
    day TEXT    NOT NULL, -- 2026-11-21, the borne's own calendar day
    key TEXT    NOT NULL,
    n   INTEGER NOT NULL,
    PRIMARY KEY (day, key)
) STRICT, WITHOUT ROWID;

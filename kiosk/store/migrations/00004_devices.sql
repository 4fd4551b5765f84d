-- +goose Up
-- The devices of the borne as they were last seen, for the agent to report.
-- The words are those of package device; times are milliseconds since 1970, UTC.
CREATE TABLE device (
    name  TEXT    NOT NULL PRIMARY KEY, -- from the profile; the grammar is checked in device.go
    kind  TEXT    NOT NULL,
    state TEXT    NOT NULL,
    paper TEXT    NOT NULL,
    media TEXT    NOT NULL,
    fault TEXT    NOT NULL,
    cause TEXT    NOT NULL,
    since INTEGER NOT NULL, -- when state or fault last changed
    seen  INTEGER NOT NULL  -- when this was reported
) STRICT, WITHOUT ROWID;

-- The last faults; device.go bounds their number.
CREATE TABLE device_fault (
    id    INTEGER PRIMARY KEY,
    name  TEXT    NOT NULL,
    fault TEXT    NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER -- NULL while it lasts
) STRICT;

-- What devices did: pages, cuts, reads, faults.
CREATE TABLE device_count (
    day  TEXT    NOT NULL, -- 2026-11-21, the borne's own calendar day
    name TEXT    NOT NULL,
    key  TEXT    NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (day, name, key)
) STRICT, WITHOUT ROWID;

-- What the program has to know again after a restart.
CREATE TABLE setting (
    key   TEXT NOT NULL PRIMARY KEY, -- the grammar is checked in setting.go
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Up
-- What the hub asked of this borne; of those the hub knows the outcome of,
-- only id and state. Times are milliseconds since 1970, UTC, by the machine's clock.
CREATE TABLE errand (
    num       INTEGER PRIMARY KEY, -- in the order they were heard
    id        TEXT    NOT NULL UNIQUE, -- UUIDv7
    kind      TEXT    NOT NULL, -- the words are those of package link
    args      TEXT    NOT NULL, -- JSON
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL, -- 0: never
    for_app   INTEGER NOT NULL,
    began     INTEGER NOT NULL,
    state     TEXT    NOT NULL, -- empty while it is not ended
    why       TEXT    NOT NULL,
    file_type TEXT    NOT NULL,
    file      BLOB,
    forgotten INTEGER -- NULL until the hub knows the outcome
) STRICT;
-- Both programs look every second.
CREATE INDEX errand_waiting ON errand (for_app, num) WHERE began = 0 AND state = '' AND forgotten IS NULL;
CREATE INDEX errand_forgotten ON errand (forgotten) WHERE forgotten IS NOT NULL;

-- How the application says it is; one row at most.
CREATE TABLE alive (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    state   TEXT    NOT NULL,
    version TEXT    NOT NULL,
    content TEXT    NOT NULL,
    pid     INTEGER NOT NULL,
    started INTEGER NOT NULL,
    seen    INTEGER NOT NULL
) STRICT;

-- What agents say to residents on every page; one row at most.
CREATE TABLE message (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    text  TEXT    NOT NULL,
    until INTEGER NOT NULL -- 0: until it is taken away
) STRICT;

-- The total that the hub has taken last.
ALTER TABLE day_count ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device_count ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
CREATE INDEX day_count_unsent ON day_count (day, key) WHERE n > sent;
CREATE INDEX device_count_unsent ON device_count (day, name, key) WHERE n > sent;

-- One text for SQLite and PostgreSQL: TEXT, BYTEA, and BIGINT for numbers and
-- for times, which are milliseconds since 1970, UTC, and 0 for "never". Every
-- key is made by the program. A migration puts no row into a table.

-- +goose Up
CREATE TABLE site (
    id      TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE borne (
    id        TEXT   NOT NULL PRIMARY KEY,
    site      TEXT   NOT NULL REFERENCES site (id),
    enrolled  BIGINT NOT NULL,
    revoked   BIGINT NOT NULL,
    key_hash  BYTEA  NOT NULL, -- SHA-256 of its public key
    serial    TEXT   NOT NULL, -- of its newest certificate
    serials   TEXT   NOT NULL, -- of those of this enrolment that it may hold, with spaces between, the newest last
    cert_ends BIGINT NOT NULL, -- of the newest
    cloned    BIGINT NOT NULL
);

-- What changes with every report. The rest of a borne stands apart, so that a
-- report writes one small row and touches no index.
CREATE TABLE borne_state (
    borne   TEXT   NOT NULL PRIMARY KEY,
    seen    BIGINT NOT NULL,
    address TEXT   NOT NULL,
    used    TEXT   NOT NULL, -- serial of the certificate it last came with
    runs    BYTEA  NOT NULL, -- CBOR: its last runs, the current one last
    faults  BYTEA  NOT NULL, -- CBOR: the faults that last
    report  BYTEA  NOT NULL, -- CBOR of link.Report, without its counts
    -- The hour under way; it moves to hour_sample with the first report of the next.
    hour    BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    load    BIGINT NOT NULL,
    temp    BIGINT NOT NULL,
    disk    BIGINT NOT NULL
);

CREATE TABLE hour_sample (
    borne   TEXT   NOT NULL,
    hour    BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    load    BIGINT NOT NULL,
    temp    BIGINT NOT NULL,
    disk    BIGINT NOT NULL,
    PRIMARY KEY (borne, hour)
);

CREATE TABLE fault (
    borne  TEXT   NOT NULL,
    device TEXT   NOT NULL, -- empty for the borne itself
    fault  TEXT   NOT NULL,
    began  BIGINT NOT NULL,
    ended  BIGINT NOT NULL,
    PRIMARY KEY (borne, device, fault, began)
);
CREATE INDEX fault_open ON fault (borne) WHERE ended = 0;

CREATE TABLE day_count (
    borne TEXT   NOT NULL,
    day   TEXT   NOT NULL,
    key   TEXT   NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (borne, day, key)
);
CREATE INDEX day_count_hours ON day_count (day) WHERE substr(key, 1, 7) = 'visit.h';

CREATE TABLE token (
    id      TEXT   NOT NULL PRIMARY KEY,
    hash    BYTEA  NOT NULL UNIQUE,
    site    TEXT   NOT NULL REFERENCES site (id),
    borne   TEXT   NOT NULL,
    person  TEXT   NOT NULL, -- who made it
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    key_hash BYTEA NOT NULL  -- that used it; empty until then
);

CREATE TABLE command (
    id      TEXT   NOT NULL PRIMARY KEY,
    borne   TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    args    TEXT   NOT NULL, -- JSON of link.Args
    person  TEXT   NOT NULL, -- who gave it
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    sent    BIGINT NOT NULL,
    state   TEXT   NOT NULL,
    why     TEXT   NOT NULL,
    ended   BIGINT NOT NULL
);
CREATE INDEX command_borne ON command (borne, created);
CREATE INDEX command_open ON command (borne) WHERE ended = 0;

CREATE TABLE command_file (
    command   TEXT  NOT NULL PRIMARY KEY REFERENCES command (id),
    file_type TEXT  NOT NULL,
    data      BYTEA NOT NULL
);

CREATE TABLE callback (
    id       TEXT   NOT NULL PRIMARY KEY,
    borne    TEXT   NOT NULL,
    code     TEXT   NOT NULL,
    created  BIGINT NOT NULL,
    received BIGINT NOT NULL,
    data     BYTEA  NOT NULL -- sealed
);
CREATE INDEX callback_borne ON callback (borne);

CREATE TABLE secret (
    name TEXT  NOT NULL PRIMARY KEY,
    data BYTEA NOT NULL -- sealed
);

CREATE TABLE setting (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE lease (
    name   TEXT   NOT NULL PRIMARY KEY,
    holder TEXT   NOT NULL,
    ends   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE lease;
DROP TABLE setting;
DROP TABLE secret;
DROP TABLE callback;
DROP TABLE command_file;
DROP TABLE command;
DROP TABLE token;
DROP TABLE day_count;
DROP TABLE fault;
DROP TABLE hour_sample;
DROP TABLE borne_state;
DROP TABLE borne;
DROP TABLE site;

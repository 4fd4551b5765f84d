-- What bornes should have, groups of sites that get it together, and files that
-- the hub hands out, known by their SHA-256 and cut into pieces so that neither
-- a hub nor a database has to hold a whole one in memory for each download. The
-- archives of content that were kept so far are not taken over: they carry no
-- signature, and no borne takes them any longer.

-- +goose Up
CREATE TABLE site_group (
    id      TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL,
    created BIGINT NOT NULL
);
ALTER TABLE site ADD COLUMN site_group TEXT NOT NULL DEFAULT ''; -- empty: of none

CREATE TABLE wanted (
    borne          TEXT   NOT NULL PRIMARY KEY,
    tag            TEXT   NOT NULL,
    profile_sha256 TEXT   NOT NULL, -- empty: its own
    profile_size   BIGINT NOT NULL,
    pack           TEXT   NOT NULL, -- empty: what is there
    software       TEXT   NOT NULL  -- empty: what is installed
);

CREATE TABLE file (
    sha256 TEXT   NOT NULL PRIMARY KEY, -- in hexadecimal
    size   BIGINT NOT NULL,             -- bytes
    added  BIGINT NOT NULL
);

CREATE TABLE file_piece (
    sha256 TEXT   NOT NULL REFERENCES file (sha256),
    n      BIGINT NOT NULL, -- from 0 on
    data   BYTEA  NOT NULL,
    PRIMARY KEY (sha256, n)
);

DROP TABLE content_piece;
DROP TABLE content;

-- +goose Down
CREATE TABLE content (
    version TEXT   NOT NULL PRIMARY KEY,
    sha256  TEXT   NOT NULL UNIQUE,
    size    BIGINT NOT NULL,
    added   BIGINT NOT NULL
);
CREATE TABLE content_piece (
    sha256 TEXT   NOT NULL REFERENCES content (sha256),
    n      BIGINT NOT NULL,
    data   BYTEA  NOT NULL,
    PRIMARY KEY (sha256, n)
);
DROP TABLE file_piece;
DROP TABLE file;
DROP TABLE wanted;
ALTER TABLE site DROP COLUMN site_group;
DROP TABLE site_group;

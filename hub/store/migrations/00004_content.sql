-- Contents that bornes are told to take, cut into pieces so that neither a hub
-- nor a database has to hold a whole archive in memory for each download.

-- +goose Up
CREATE TABLE content (
    version TEXT   NOT NULL PRIMARY KEY,
    sha256  TEXT   NOT NULL UNIQUE, -- of the archive, in hexadecimal
    size    BIGINT NOT NULL,        -- bytes
    added   BIGINT NOT NULL
);

CREATE TABLE content_piece (
    sha256 TEXT   NOT NULL REFERENCES content (sha256),
    n      BIGINT NOT NULL, -- from 0 on
    data   BYTEA  NOT NULL,
    PRIMARY KEY (sha256, n)
);

-- +goose Down
DROP TABLE content_piece;
DROP TABLE content;

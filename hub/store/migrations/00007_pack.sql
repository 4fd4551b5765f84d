-- The signed metadata of packs, under the names by which bornes ask for them.

-- +goose Up
CREATE TABLE pack_file (
    name  TEXT   NOT NULL PRIMARY KEY, -- timestamp.json, 3.targets.json …
    data  BYTEA  NOT NULL,
    added BIGINT NOT NULL
);

-- +goose Down
DROP TABLE pack_file;

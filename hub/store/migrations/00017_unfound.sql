-- Searches that found nothing, as bornes sealed them, until their month is told.
-- No backup holds them.

-- +goose Up
CREATE TABLE unfound (
    id    TEXT  NOT NULL PRIMARY KEY, -- UUIDv4: says nothing of when it was made
    month TEXT  NOT NULL,             -- "2026-11"
    site  TEXT  NOT NULL,             -- ID, of the borne's site when it came
    data  BYTEA NOT NULL
);
CREATE INDEX unfound_month ON unfound (month, site);

-- +goose Down
DROP TABLE unfound;

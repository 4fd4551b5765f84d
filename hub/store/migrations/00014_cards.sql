-- +goose Up
CREATE TABLE card (
    mark BYTEA NOT NULL PRIMARY KEY, -- of its number, keyed
    data BYTEA NOT NULL              -- who holds it, sealed
);

-- +goose Down
DROP TABLE card;

-- What is left of a request to be called back when it is deleted: that it was
-- one of so many.

-- +goose Up
CREATE TABLE callback_count (
    site  TEXT   NOT NULL,
    month TEXT   NOT NULL, -- "2026-11"
    key   TEXT   NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (month, site, key)
);

-- +goose Down
DROP TABLE callback_count;

-- What each borne is made of, as it last told.

-- +goose Up
CREATE TABLE inventory (
    borne TEXT   NOT NULL PRIMARY KEY,
    at    BIGINT NOT NULL, -- when it came
    data  BYTEA  NOT NULL  -- CBOR of link.Inventory
);

-- +goose Down
DROP TABLE inventory;

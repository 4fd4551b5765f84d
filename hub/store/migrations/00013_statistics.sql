-- What may be told of residents: figures that have been made safe already, once
-- for each period, and never changed afterwards. Package statistics says why.

-- +goose Up
CREATE TABLE statistic (
    period TEXT   NOT NULL, -- a month, "2026-11", or a quarter, "2026-T4"
    site   TEXT   NOT NULL, -- empty for all
    key    TEXT   NOT NULL,
    n      BIGINT NOT NULL,
    PRIMARY KEY (period, site, key)
);

CREATE TABLE statistic_period (
    period TEXT   NOT NULL PRIMARY KEY,
    closed BIGINT NOT NULL
);

-- +goose Down
DROP TABLE statistic_period;
DROP TABLE statistic;

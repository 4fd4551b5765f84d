-- What people were told, and are to be told. Times are milliseconds since
-- 1970, UTC; 0 is "not".

-- +goose Up
CREATE TABLE alert (
    id       TEXT   NOT NULL PRIMARY KEY, -- UUIDv7: in order of time
    key      TEXT   NOT NULL, -- of what is wrong: one alert of it is open at a time
    fault    TEXT   NOT NULL,
    device   TEXT   NOT NULL, -- empty for the borne itself
    scope    TEXT   NOT NULL, -- what the bornes have in common
    address  TEXT   NOT NULL, -- of the network that fell; empty otherwise
    began    BIGINT NOT NULL, -- the fault
    opened   BIGINT NOT NULL, -- the alert
    mended   BIGINT NOT NULL, -- the fault is gone since; perhaps not for good
    ended    BIGINT NOT NULL,
    taken    BIGINT NOT NULL, -- somebody sees to it
    taken_by TEXT   NOT NULL  -- their name, as it was then
);
CREATE UNIQUE INDEX alert_open ON alert (key) WHERE ended = 0;
CREATE INDEX alert_over ON alert (ended) WHERE ended > 0;

CREATE TABLE alert_borne (
    alert TEXT   NOT NULL REFERENCES alert (id),
    borne TEXT   NOT NULL,
    site  TEXT   NOT NULL,
    fell  BIGINT NOT NULL,
    back  BIGINT NOT NULL,
    PRIMARY KEY (alert, borne)
);

-- A message to one channel, about one alert or several, from when it is
-- decided until it has arrived.
CREATE TABLE alert_message (
    id      TEXT   NOT NULL PRIMARY KEY, -- the same for the same contents: never made twice
    channel TEXT   NOT NULL,
    name    TEXT   NOT NULL, -- of the channel, as it was then
    data    TEXT   NOT NULL, -- JSON
    created BIGINT NOT NULL,
    due     BIGINT NOT NULL, -- not tried before
    tries   BIGINT NOT NULL,
    sent    BIGINT NOT NULL,
    failed  BIGINT NOT NULL, -- given up
    error   TEXT   NOT NULL  -- of the last try
);
CREATE INDEX alert_message_due ON alert_message (due) WHERE sent = 0 AND failed = 0;

-- What a channel was told of an alert. began and ended are messages; '-' says
-- that there is nothing to tell.
CREATE TABLE alert_told (
    alert   TEXT   NOT NULL REFERENCES alert (id),
    channel TEXT   NOT NULL,
    held    BIGINT NOT NULL, -- kept back since, in quiet hours
    began   TEXT   NOT NULL,
    ended   TEXT   NOT NULL,
    PRIMARY KEY (alert, channel)
);
CREATE INDEX alert_told_open ON alert_told (alert) WHERE began <> '' AND ended = '';

CREATE TABLE alert_rule (
    id      TEXT   NOT NULL PRIMARY KEY,
    created BIGINT NOT NULL,
    data    TEXT   NOT NULL -- JSON
);

CREATE TABLE alert_channel (
    id      TEXT   NOT NULL PRIMARY KEY,
    created BIGINT NOT NULL,
    data    TEXT   NOT NULL, -- JSON
    secret  BYTEA  NOT NULL  -- sealed; empty: none
);

-- +goose Down
DROP TABLE alert_channel;
DROP TABLE alert_rule;
DROP TABLE alert_told;
DROP TABLE alert_message;
DROP TABLE alert_borne;
DROP TABLE alert;

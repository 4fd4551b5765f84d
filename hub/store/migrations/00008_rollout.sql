-- Versions that are given to the fleet stage by stage, what became of it on
-- each borne, and who did what. Nothing but these rows says how far a rollout
-- has come: any hub can go on where another has stopped.

-- +goose Up
CREATE TABLE rollout (
    id        TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    kind      TEXT   NOT NULL, -- of link.Kind…
    version   TEXT   NOT NULL,
    stages    TEXT   NOT NULL, -- JSON
    quiet     BIGINT NOT NULL, -- milliseconds
    threshold BIGINT NOT NULL, -- percent
    state     TEXT   NOT NULL,
    stage     BIGINT NOT NULL, -- from 0 on
    settled   BIGINT NOT NULL, -- since when no borne of the stage is waited for
    created   BIGINT NOT NULL,
    person    TEXT   NOT NULL, -- who began it, as they were called then
    note      TEXT   NOT NULL,
    ended     BIGINT NOT NULL,
    why       TEXT   NOT NULL  -- it is in this state
);
CREATE UNIQUE INDEX rollout_running ON rollout (kind) WHERE state IN ('running', 'paused');

CREATE TABLE rollout_borne (
    rollout TEXT   NOT NULL REFERENCES rollout (id),
    borne   TEXT   NOT NULL,
    stage   BIGINT NOT NULL,
    before  TEXT   NOT NULL, -- version that it was wanted to have
    given   BIGINT NOT NULL,
    state   TEXT   NOT NULL,
    since   BIGINT NOT NULL, -- it is in this state
    why     TEXT   NOT NULL,
    known   TEXT   NOT NULL, -- what was wrong with it before, with spaces between
    back    BIGINT NOT NULL, -- when it was set back to what it had before
    PRIMARY KEY (rollout, borne)
);

CREATE TABLE rollout_event (
    id      TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    rollout TEXT   NOT NULL REFERENCES rollout (id),
    at      BIGINT NOT NULL,
    person  TEXT   NOT NULL, -- empty: the hub itself
    what    TEXT   NOT NULL,
    why     TEXT   NOT NULL
);
CREATE INDEX rollout_event_rollout ON rollout_event (rollout);

-- +goose Down
DROP TABLE rollout_event;
DROP TABLE rollout_borne;
DROP TABLE rollout;

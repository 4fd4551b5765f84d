-- The mediators' queue. A request is "raw", as its borne sealed it, until a hub
-- has read its label and encrypted it once more with a key of its own. That key
-- stands apart, and in no backup: without it nothing of a request can be read.

-- +goose Up
ALTER TABLE callback ADD COLUMN state       TEXT   NOT NULL DEFAULT 'raw'; -- raw, waiting, claimed, appointment or closed
ALTER TABLE callback ADD COLUMN revision    BIGINT NOT NULL DEFAULT 0;     -- one more with each change
ALTER TABLE callback ADD COLUMN labelled    BIGINT NOT NULL DEFAULT 0;     -- 1: its label could be read
ALTER TABLE callback ADD COLUMN topic       TEXT   NOT NULL DEFAULT '';
ALTER TABLE callback ADD COLUMN lang        TEXT   NOT NULL DEFAULT '';
ALTER TABLE callback ADD COLUMN site        TEXT   NOT NULL DEFAULT '';    -- ID, of the borne's site when it came
ALTER TABLE callback ADD COLUMN place       TEXT   NOT NULL DEFAULT '';    -- ID of the place that was asked to call
ALTER TABLE callback ADD COLUMN by_text     BIGINT NOT NULL DEFAULT 0;     -- 1: by text message
ALTER TABLE callback ADD COLUMN by_card     BIGINT NOT NULL DEFAULT 0;     -- 1: a card's number instead of a telephone's
ALTER TABLE callback ADD COLUMN slots       TEXT   NOT NULL DEFAULT '';    -- "from-to from-to", each in milliseconds; 0-0: any time
ALTER TABLE callback ADD COLUMN deadline    BIGINT NOT NULL DEFAULT 0;     -- of the next call
ALTER TABLE callback ADD COLUMN due         BIGINT NOT NULL DEFAULT 0;     -- the first deadline it had
ALTER TABLE callback ADD COLUMN holder      TEXT   NOT NULL DEFAULT '';    -- ID of the person; empty for none
ALTER TABLE callback ADD COLUMN claimed     BIGINT NOT NULL DEFAULT 0;
ALTER TABLE callback ADD COLUMN tries       BIGINT NOT NULL DEFAULT 0;
ALTER TABLE callback ADD COLUMN first_try   BIGINT NOT NULL DEFAULT 0;
ALTER TABLE callback ADD COLUMN next_try    BIGINT NOT NULL DEFAULT 0;
ALTER TABLE callback ADD COLUMN appointment BIGINT NOT NULL DEFAULT 0;
ALTER TABLE callback ADD COLUMN closed      BIGINT NOT NULL DEFAULT 0;     -- 0 unless the state is closed
ALTER TABLE callback ADD COLUMN outcome     TEXT   NOT NULL DEFAULT '';
ALTER TABLE callback ADD COLUMN helped_with TEXT   NOT NULL DEFAULT '';    -- topics in the Coop's words, with spaces between
ALTER TABLE callback ADD COLUMN autonomy    TEXT   NOT NULL DEFAULT '';
ALTER TABLE callback ADD COLUMN sent_to     TEXT   NOT NULL DEFAULT '';    -- kind of place, in the Coop's words
ALTER TABLE callback ADD COLUMN sent_place  TEXT   NOT NULL DEFAULT '';    -- its ID or name
CREATE INDEX callback_state ON callback (state, deadline, id, site, lang, topic);
CREATE INDEX callback_held ON callback (holder, deadline, id, site, lang, topic) WHERE state = 'claimed' OR state = 'appointment';
CREATE INDEX callback_closed ON callback (closed, id, site, lang, topic) WHERE closed > 0;
CREATE INDEX callback_received ON callback (borne, received);
CREATE INDEX callback_old ON callback (received);

-- What no backup holds: the key of each request that a hub has encrypted, and
-- what tells two requests of one resident. Who has the hub's key could find out
-- a number from either, so both must go for good with the request.
CREATE TABLE callback_key (
    id   TEXT  NOT NULL PRIMARY KEY,
    key  BYTEA NOT NULL,
    same BYTEA NOT NULL -- keyed hash; empty where the label could not be read
);
CREATE INDEX callback_key_same ON callback_key (same);

-- What was done with a request, in order. Texts are encrypted with its key.
CREATE TABLE callback_step (
    id       TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    callback TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    person   TEXT   NOT NULL,
    name     TEXT   NOT NULL, -- as it was then
    kind     TEXT   NOT NULL,
    note     BYTEA  NOT NULL  -- encrypted; empty for none
);
CREATE INDEX callback_step_callback ON callback_step (callback, id);

-- +goose Down
DROP TABLE callback_step;
DROP TABLE callback_key;
DROP INDEX callback_old;
DROP INDEX callback_received;
DROP INDEX callback_closed;
DROP INDEX callback_held;
DROP INDEX callback_state;
ALTER TABLE callback DROP COLUMN sent_place;
ALTER TABLE callback DROP COLUMN sent_to;
ALTER TABLE callback DROP COLUMN autonomy;
ALTER TABLE callback DROP COLUMN helped_with;
ALTER TABLE callback DROP COLUMN outcome;
ALTER TABLE callback DROP COLUMN closed;
ALTER TABLE callback DROP COLUMN appointment;
ALTER TABLE callback DROP COLUMN next_try;
ALTER TABLE callback DROP COLUMN first_try;
ALTER TABLE callback DROP COLUMN tries;
ALTER TABLE callback DROP COLUMN claimed;
ALTER TABLE callback DROP COLUMN holder;
ALTER TABLE callback DROP COLUMN due;
ALTER TABLE callback DROP COLUMN deadline;
ALTER TABLE callback DROP COLUMN slots;
ALTER TABLE callback DROP COLUMN by_card;
ALTER TABLE callback DROP COLUMN by_text;
ALTER TABLE callback DROP COLUMN place;
ALTER TABLE callback DROP COLUMN site;
ALTER TABLE callback DROP COLUMN lang;
ALTER TABLE callback DROP COLUMN topic;
ALTER TABLE callback DROP COLUMN labelled;
ALTER TABLE callback DROP COLUMN revision;
ALTER TABLE callback DROP COLUMN state;

-- The layers that bornes' profiles are made of, each with all its versions: a
-- version is never changed, and undoing one makes a new one with the older text.

-- +goose Up
CREATE TABLE profile_layer (
    n      BIGINT NOT NULL PRIMARY KEY, -- from 1 on, over all layers
    scope  TEXT   NOT NULL,             -- city, group, site or borne
    object TEXT   NOT NULL,             -- ID of the group, site or borne; empty for the city
    data   TEXT   NOT NULL,             -- TOML
    person TEXT   NOT NULL,             -- name of who made it, as it was then
    why    TEXT   NOT NULL,
    made   BIGINT NOT NULL
);
CREATE INDEX profile_layer_object ON profile_layer (scope, object, n);

-- +goose Down
DROP TABLE profile_layer;

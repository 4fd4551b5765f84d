-- +goose Up
-- The public key of the hub that alone can open the request; empty where
-- somebody else can too, or where it isn't known.
ALTER TABLE callback ADD COLUMN only_for TEXT NOT NULL DEFAULT '';

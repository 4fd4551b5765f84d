-- Deadlines of requests to be called back that somebody was told of, so that
-- each is told once: the deadline itself, as another may follow.

-- +goose Up
ALTER TABLE callback ADD COLUMN near_told BIGINT NOT NULL DEFAULT 0; -- that it comes near
ALTER TABLE callback ADD COLUMN late_told BIGINT NOT NULL DEFAULT 0; -- that it has passed

-- +goose Down
ALTER TABLE callback DROP COLUMN late_told;
ALTER TABLE callback DROP COLUMN near_told;

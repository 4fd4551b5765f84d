-- Who is wanted to have a profile is asked each time that a file is fetched.

-- +goose Up
CREATE INDEX wanted_profile ON wanted (profile_sha256);

-- +goose Down
DROP INDEX wanted_profile;

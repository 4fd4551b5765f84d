-- Debian packages that the hub offers in its apt repository. A row stays when a
-- package is taken away, so that its version never has two contents; the time
-- of either is that of a new state of the repository.

-- +goose Up
CREATE TABLE software (
    package      TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    architecture TEXT   NOT NULL,
    sha256       TEXT   NOT NULL, -- of the file, which is in file while the package is offered
    size         BIGINT NOT NULL, -- bytes
    control      TEXT   NOT NULL, -- its control file
    added        BIGINT NOT NULL,
    removed      BIGINT NOT NULL,
    PRIMARY KEY (package, version, architecture)
);

-- +goose Down
DROP TABLE software;

-- +goose Up
-- The directory of places, in the fields of the national schema v1.0.2; lists
-- keep its "|". origin, hash, mask and words are worked out by kiosk/place.
CREATE TABLE place (
    num                             INTEGER PRIMARY KEY,
    id                              TEXT NOT NULL UNIQUE,
    origin                          TEXT NOT NULL, -- the source, or the file where a row names none
    hash                            BLOB NOT NULL, -- of all fields: says whether a row has changed
    mask                            INTEGER NOT NULL, -- one bit for each value that is filtered by
    words                           TEXT NOT NULL, -- what a search by words looks at
    pivot                           TEXT NOT NULL,
    nom                             TEXT NOT NULL,
    commune                         TEXT NOT NULL,
    code_postal                     TEXT NOT NULL,
    code_insee                      TEXT NOT NULL,
    adresse                         TEXT NOT NULL,
    complement_adresse              TEXT NOT NULL,
    latitude                        REAL,
    longitude                       REAL,
    typologie                       TEXT NOT NULL,
    telephone                       TEXT NOT NULL,
    courriels                       TEXT NOT NULL,
    site_web                        TEXT NOT NULL,
    horaires                        TEXT NOT NULL,
    presentation_resume             TEXT NOT NULL,
    presentation_detail             TEXT NOT NULL,
    source                          TEXT NOT NULL,
    itinerance                      TEXT NOT NULL,
    structure_parente               TEXT NOT NULL,
    date_maj                        TEXT NOT NULL,
    services                        TEXT NOT NULL,
    publics_specifiquement_adresses TEXT NOT NULL,
    prise_en_charge_specifique      TEXT NOT NULL,
    frais_a_charge                  TEXT NOT NULL,
    dispositif_programmes_nationaux TEXT NOT NULL,
    formations_labels               TEXT NOT NULL,
    autres_formations_labels        TEXT NOT NULL,
    modalites_acces                 TEXT NOT NULL,
    modalites_accompagnement        TEXT NOT NULL,
    fiche_acces_libre               TEXT NOT NULL,
    prise_rdv                       TEXT NOT NULL
) STRICT;
CREATE INDEX place_in_order ON place (nom, id);
CREATE INDEX place_by_origin ON place (origin);

-- version changes with every import, so that another process sees it; layout
-- says which program worked out mask and words.
CREATE TABLE place_state (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    layout  INTEGER NOT NULL
) STRICT;
INSERT INTO place_state (one, version, layout) VALUES (1, 0, 0);

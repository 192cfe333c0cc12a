-- What protects the people of a case: from whom they are hidden, who must not be told. All of it is sealed; the row is
-- found by a keyed hash of the case, so that the ledger does not say which case is protected.
CREATE TABLE protection (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    place BYTEA,
    version BIGINT NOT NULL,
    data_key TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX protection_place ON protection (place) WHERE place IS NOT NULL;
CREATE INDEX protection_owner ON protection (owner, id);

CREATE TABLE protection_version (
    protection TEXT NOT NULL,
    version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (protection, version)
);

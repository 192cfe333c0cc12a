-- Requests of persons to see what is held about them (開示請求). Who asks about whom is sealed, version by version; state
-- and deadline stand in clear.
CREATE TABLE access_request (
    id TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    data_key TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX access_request_agency ON access_request (agency, state, id);

CREATE TABLE access_request_version (
    request TEXT NOT NULL,
    version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (request, version)
);

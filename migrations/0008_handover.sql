-- Hand-over addresses: one sender may send one 引継 to a recipient it does not get to know. One text for SQLite and
-- PostgreSQL, as in 0001. Nothing here says of whom a hand-over is.

CREATE TABLE handover (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    address TEXT NOT NULL UNIQUE,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    consent TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    front TEXT,
    back TEXT,
    look_at BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX handover_owner ON handover (owner, id);
CREATE INDEX handover_look ON handover (look_at) WHERE state = 'used';

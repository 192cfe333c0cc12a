-- What becomes of copies that are asked back, and of what was sent by mistake.

-- One request per leg: its copy had left the inbox when the consent was withdrawn or the leg recalled.
CREATE TABLE holding (
    leg TEXT PRIMARY KEY,
    delivery TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    consent TEXT,
    cause TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    answered_at BIGINT,
    staff TEXT
);
CREATE INDEX holding_consent ON holding (consent) WHERE consent IS NOT NULL;
CREATE INDEX holding_inbox ON holding (recipient, state, cause, leg);

-- Withdrawals that are on their way to every holder; few at any time.
CREATE INDEX consent_propagating ON consent (id) WHERE state = 'propagating';

-- A person has to decide anew whether a law allows what the consent no longer does.
CREATE TABLE statutory_decision (
    consent TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('due', 'none', 'basis')),
    basis TEXT,
    body BYTEA,
    staff TEXT,
    due_since BIGINT NOT NULL,
    decided_at BIGINT
);

-- What was sent by mistake. The record is sealed for the sending agency alone.
CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    leg TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    preliminary_due BIGINT,
    full_due BIGINT,
    data_key TEXT NOT NULL,
    body BYTEA NOT NULL,
    closing BYTEA,
    closed_by TEXT,
    changed_at BIGINT NOT NULL
);
CREATE INDEX incident_agency ON incident (agency, state, id);

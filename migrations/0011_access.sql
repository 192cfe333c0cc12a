-- Who looked at what and for what, who is related to whom, and the breaking of the glass. One text for SQLite and
-- PostgreSQL, as in 0001.

-- Of looks at content; absent of everything else.
ALTER TABLE audit ADD COLUMN purpose TEXT;
-- An agency's own audit, newest first: all of it, of one member of staff, of one day.
CREATE INDEX audit_agency ON audit (agency, id);
CREATE INDEX audit_staff ON audit (agency, staff, id);
CREATE INDEX audit_day ON audit (agency, at);

-- What an agency declares about its own staff and a case. All of it is sealed for that agency; rows are only added, and
-- found by a keyed hash of the agency and the case, so that the ledger does not say who is related to whom.
CREATE TABLE relation (
    place BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (place, seq)
);

-- 緊急閲覧: one person, one leg, at most an hour; reviewed by two agencies.
CREATE TABLE break_glass (
    id TEXT PRIMARY KEY,
    leg TEXT NOT NULL,
    delivery TEXT NOT NULL,
    agency TEXT NOT NULL,
    owner TEXT NOT NULL,
    staff TEXT NOT NULL,
    purpose TEXT NOT NULL,
    refusal TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'settled')),
    version BIGINT NOT NULL,
    broken_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    review_due BIGINT NOT NULL,
    own_outcome TEXT,
    owner_outcome TEXT,
    told_at BIGINT,
    body BYTEA NOT NULL,
    own_review BYTEA,
    owner_review BYTEA
);
CREATE INDEX break_glass_agency ON break_glass (agency, id);
CREATE INDEX break_glass_owner ON break_glass (owner, id);
CREATE INDEX break_glass_staff ON break_glass (staff, state);
CREATE INDEX break_glass_leg ON break_glass (leg, staff);
CREATE INDEX break_glass_review ON break_glass (review_due) WHERE state <> 'settled';

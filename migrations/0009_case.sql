-- Cases and consultation records. One text for SQLite and PostgreSQL, as in 0001. What is said of a household is sealed;
-- see docs/clear-columns.md.

-- A case's id may have been chosen by its owner before the case was opened here, so it is unique within an agency only.
CREATE TABLE case_record (
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    responsible TEXT NOT NULL,
    deputy TEXT,
    data_key TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE INDEX case_state ON case_record (owner, state, id);
CREATE INDEX case_responsible ON case_record (owner, responsible, state, id);
CREATE INDEX case_deputy ON case_record (owner, deputy, state, id) WHERE deputy IS NOT NULL;

CREATE TABLE case_version (
    owner TEXT NOT NULL,
    case_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (owner, case_id, version)
);

-- サポートプラン: each number stays as it was made.
CREATE TABLE case_plan (
    owner TEXT NOT NULL,
    case_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    staff TEXT NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (owner, case_id, number)
);

-- 経過記録: rows are only added; what was wrong is corrected by a later row.
CREATE TABLE case_entry (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    case_id TEXT NOT NULL,
    staff TEXT NOT NULL,
    corrects TEXT,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX case_entry_thread ON case_entry (owner, case_id, id);
CREATE INDEX case_entry_corrects ON case_entry (corrects, id) WHERE corrects IS NOT NULL;

-- The consents that name a case.
CREATE TABLE case_consent (
    owner TEXT NOT NULL,
    case_id TEXT NOT NULL,
    consent TEXT NOT NULL,
    PRIMARY KEY (owner, case_id, consent)
);

-- 相談記録: nameless notes. What was talked about is sealed all the same.
CREATE TABLE consultation (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    staff TEXT NOT NULL,
    at BIGINT NOT NULL,
    case_id TEXT,
    data_key TEXT NOT NULL,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX consultation_day ON consultation (owner, at, id);

-- The ledger, one text for SQLite and PostgreSQL.
-- Columns are TEXT, BIGINT and BYTEA only: ids and codes TEXT, times BIGINT (microseconds, UTC), documents and
-- digests BYTEA. What stands in clear, and why, is listed in docs/clear-columns.md; a test compares the two.

-- The fence: which hub this is, in which mode, sealed under which root key.
CREATE TABLE hub (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    hub_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('embedded', 'clustered')),
    root_fingerprint TEXT NOT NULL,
    min_reader BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The directory.
CREATE TABLE agency (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    municipality TEXT NOT NULL,
    corporate_number TEXT,
    body TEXT NOT NULL,
    contractor_of TEXT,
    active BIGINT NOT NULL,
    secret_mac BYTEA NOT NULL,
    data_key TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX agency_kind ON agency (kind, id);

CREATE TABLE staff (
    id TEXT PRIMARY KEY,
    agency TEXT NOT NULL REFERENCES agency (id),
    role TEXT NOT NULL,
    active BIGINT NOT NULL,
    name BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX staff_agency ON staff (agency, id);

CREATE TABLE subscription (
    agency TEXT NOT NULL REFERENCES agency (id),
    channel TEXT NOT NULL CHECK (channel IN ('amqp', 'mail')),
    mode TEXT NOT NULL,
    settings BYTEA NOT NULL,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (agency, channel)
);

CREATE TABLE service (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    number TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    municipality TEXT NOT NULL,
    ward TEXT,
    as_of TEXT,
    accepting TEXT NOT NULL,
    waiting TEXT NOT NULL,
    enrolled TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (source, number)
);
CREATE INDEX service_ward ON service (municipality, id);
CREATE INDEX service_kind ON service (kind, id);

-- Wraps of data keys, one per entitled agency. The keys that open them live in the vault's own store.
CREATE TABLE data_key (
    id TEXT NOT NULL,
    agency TEXT NOT NULL,
    kek TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (id, agency)
);

-- Consent records. What was agreed to never changes; how a consent stood, version by version, is in consent_event.
CREATE TABLE consent (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    purpose TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    data_key TEXT NOT NULL,
    body BYTEA NOT NULL,
    uses BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX consent_owner ON consent (owner, id);

CREATE TABLE consent_event (
    consent TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    method TEXT NOT NULL,
    staff TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (consent, version)
);

-- A referral, its sealed content, and its internal chain, which only its owner sees.
CREATE TABLE referral (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    urgency TEXT NOT NULL,
    source_mac BYTEA,
    case_id TEXT,
    written_by TEXT NOT NULL,
    data_key TEXT NOT NULL,
    compartment_key TEXT,
    head_seq BIGINT NOT NULL,
    head_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX referral_owner ON referral (owner, id);
CREATE INDEX referral_kind ON referral (owner, kind, id);
CREATE UNIQUE INDEX referral_source ON referral (owner, source_mac) WHERE source_mac IS NOT NULL;

CREATE TABLE content (
    referral TEXT NOT NULL,
    part TEXT NOT NULL,
    version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (referral, part, version)
);

CREATE TABLE referral_event (
    referral TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL,
    prev_hash BYTEA,
    hash BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (referral, seq)
);

-- A leg: the referral to one recipient, the unit that has a status.
CREATE TABLE leg (
    id TEXT PRIMARY KEY,
    referral TEXT NOT NULL,
    place BIGINT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    delivery TEXT NOT NULL,
    kind TEXT NOT NULL,
    urgency TEXT NOT NULL,
    basis TEXT,
    consent TEXT,
    consent_version BIGINT,
    state TEXT NOT NULL,
    head_seq BIGINT NOT NULL,
    head_hash BYTEA NOT NULL,
    last_receipt BYTEA NOT NULL,
    manifest_hash BYTEA NOT NULL,
    commitment BYTEA NOT NULL,
    clock_kind TEXT,
    clock_started BIGINT,
    clock_due BIGINT,
    reply_by BIGINT,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX leg_referral ON leg (referral, place);
CREATE INDEX leg_sender ON leg (sender, state, id);
CREATE INDEX leg_recipient ON leg (recipient, state, id);
CREATE INDEX leg_consent ON leg (consent) WHERE consent IS NOT NULL;

-- What sender and that recipient share, linked by hashes; no number here moves because another recipient acted.
CREATE TABLE leg_event (
    leg TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    agency TEXT,
    staff TEXT,
    body BYTEA,
    commitment BYTEA,
    prev_hash BYTEA,
    hash BYTEA NOT NULL,
    jws TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (leg, seq)
);

CREATE TABLE manifest (
    leg TEXT NOT NULL,
    version BIGINT NOT NULL,
    jws TEXT NOT NULL,
    PRIMARY KEY (leg, version)
);

-- The inbox row, written by the transaction that accepts the referral.
CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    leg TEXT NOT NULL,
    seq BIGINT NOT NULL,
    recipient TEXT NOT NULL,
    urgency TEXT NOT NULL,
    state TEXT NOT NULL,
    disclosed_at BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (leg, seq)
);
CREATE INDEX delivery_inbox ON delivery (recipient, state, leg);
CREATE INDEX delivery_waiting ON delivery (state, created_at);

CREATE TABLE receipt (
    subject TEXT NOT NULL,
    level TEXT NOT NULL,
    id TEXT NOT NULL,
    leg TEXT NOT NULL,
    ends BIGINT NOT NULL CHECK (ends IN (0, 1)),
    jws TEXT NOT NULL,
    sender_jws TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (subject, level)
);
CREATE INDEX receipt_leg ON receipt (leg);
CREATE UNIQUE INDEX receipt_ends_leg ON receipt (leg) WHERE ends = 1;

-- Work to do after a commit: doorbells, sealed pushes, mail.
CREATE TABLE job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    dedup TEXT NOT NULL UNIQUE,
    agency TEXT NOT NULL,
    subject TEXT NOT NULL,
    rank BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'leased', 'done', 'dead')),
    attempts BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    reason TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX job_due ON job (state, next_at);
CREATE INDEX job_subject ON job (subject);

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    staff TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    decision TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, id);

-- Kept for ever: a repeated key is answered with the first answer.
CREATE TABLE idempotency (
    agency TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    route TEXT NOT NULL,
    body_mac BYTEA NOT NULL,
    answer TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (agency, key_hash)
);

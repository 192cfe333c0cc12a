-- Keys that move and keys that are destroyed. Wraps move from the key-encryption keys of one month to those of the
-- next; what is past its retention is erased by destroying its data keys; holds say what may not be erased.

-- The oldest wraps first, whoever's they are; and whether a month's key is still needed.
CREATE INDEX data_key_kek ON data_key (kek, agency, id);

-- Key-encryption keys that are retired: no wrap needs them, and every process drops its copy.
CREATE TABLE retired_kek (
    agency TEXT NOT NULL,
    kek TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (agency, kek)
);
CREATE INDEX retired_kek_at ON retired_kek (at);

-- What each running process holds: a key is used, and another one destroyed, only when all of them say so.
CREATE TABLE node (
    id TEXT PRIMARY KEY,
    wraps_under TEXT NOT NULL,
    since BIGINT NOT NULL,
    kids TEXT NOT NULL,
    signs_with TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX node_seen ON node (seen_at);

-- Data keys that were destroyed. The key store holds the same list; whichever is older is brought up to date.
CREATE TABLE shred (
    data_key TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX shred_at ON shred (at);

-- Who had a referral erased, and who was the second person; why is sealed with the owner's own key.
CREATE TABLE erasure (
    referral TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    staff TEXT NOT NULL,
    second TEXT NOT NULL,
    reason BYTEA NOT NULL,
    at BIGINT NOT NULL
);

-- What one of its parties says must not be erased, until that party lifts it.
CREATE TABLE hold (
    id TEXT PRIMARY KEY,
    leg TEXT NOT NULL,
    agency TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('legal', 'disclosure_request')),
    reason BYTEA NOT NULL,
    placed_by TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    lifted_by TEXT,
    lifted_at BIGINT,
    lift_reason BYTEA
);
CREATE INDEX hold_leg ON hold (leg, id);

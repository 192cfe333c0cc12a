-- Arrangements: what agencies agreed on once, dated. Rows are added and never deleted; an end is a row of its own, so
-- that what was in force on a day, and what a receipt's version says, stay answerable.

-- An arrangement in its newest version.
CREATE TABLE arrangement (
    id TEXT PRIMARY KEY,
    keeper TEXT NOT NULL,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL,
    title TEXT NOT NULL,
    purpose TEXT NOT NULL,
    notice_version TEXT,
    sections TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX arrangement_keeper ON arrangement (keeper, id);

-- Each step, with the last day the arrangement had after it.
CREATE TABLE arrangement_event (
    arrangement TEXT NOT NULL,
    version BIGINT NOT NULL,
    step TEXT NOT NULL,
    about TEXT,
    last_day TEXT,
    staff TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (arrangement, version)
);

-- Who takes part, from when to when, as said in this version. Of the rows of one agency and first day the newest counts.
CREATE TABLE arrangement_member (
    arrangement TEXT NOT NULL,
    agency TEXT NOT NULL,
    version BIGINT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT,
    PRIMARY KEY (arrangement, agency, version)
);
CREATE INDEX arrangement_member_agency ON arrangement_member (agency, arrangement);

-- A council's register. Which case an entry is about, and its days, are sealed; a keyed MAC finds them.
CREATE TABLE arrangement_case (
    arrangement TEXT NOT NULL,
    entry TEXT NOT NULL,
    version BIGINT NOT NULL,
    case_mac BYTEA NOT NULL,
    data_key TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (arrangement, entry, version)
);
CREATE INDEX arrangement_case_mac ON arrangement_case (case_mac);

-- A second look before sending.

-- The folded name of each agency and what it becomes when one character is left out: two names that differ by one
-- character, or not at all, have one of these in common.
CREATE TABLE agency_name_key (
    agency TEXT NOT NULL,
    name_key TEXT NOT NULL,
    PRIMARY KEY (agency, name_key)
);
CREATE INDEX agency_name_key_key ON agency_name_key (name_key, agency);

-- Whether a sender has sent to a recipient before, and what it sent last about a case.
CREATE INDEX leg_pair ON leg (sender, recipient);
CREATE INDEX referral_case ON referral (owner, case_id, id) WHERE case_id IS NOT NULL;

-- What is not urgent is held back for a few minutes. release_at: when it is due; released_at: when it was done.
ALTER TABLE delivery ADD COLUMN release_at BIGINT;
ALTER TABLE delivery ADD COLUMN released_at BIGINT;
CREATE INDEX delivery_held ON delivery (release_at) WHERE state = 'held';

-- A second look before sending: the last sending of a case is found by it.
CREATE INDEX referral_case ON referral (owner, case_id, id) WHERE case_id IS NOT NULL;

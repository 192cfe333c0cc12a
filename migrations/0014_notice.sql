-- Whom the writer of a 通告 lets see it, besides the writer: of the sender's own staff, one by one. Everybody else there
-- is answered as if there were none.
CREATE TABLE notice_reader (
    referral TEXT NOT NULL,
    staff TEXT NOT NULL,
    named_at BIGINT NOT NULL,
    PRIMARY KEY (referral, staff)
);
CREATE INDEX notice_reader_staff ON notice_reader (staff, referral);

-- The notices a person wrote: lists of a sender's side ask by person, never by agency.
CREATE INDEX referral_notice ON referral (written_by, id) WHERE kind = 'TSUKOKU';

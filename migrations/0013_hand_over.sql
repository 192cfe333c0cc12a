-- The newest hand-over of a case, so that two at once cannot be made: each takes the row that it has read.
CREATE TABLE hand_over (
    owner TEXT NOT NULL,
    case_id TEXT NOT NULL,
    leg TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (owner, case_id)
);

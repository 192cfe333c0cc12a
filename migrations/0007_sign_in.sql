-- Signing in to the pages. One text for SQLite and PostgreSQL, as in 0001.
-- Neither a login nor a password can be read from here: see docs/clear-columns.md.

CREATE TABLE sign_in (
    staff TEXT PRIMARY KEY REFERENCES staff (id),
    agency TEXT NOT NULL,
    login BYTEA NOT NULL UNIQUE,
    password TEXT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE session (
    token BYTEA PRIMARY KEY,
    staff TEXT NOT NULL,
    agency TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_staff ON session (staff);
CREATE INDEX session_expires ON session (expires_at);

-- The board: what a sender has under way, newest first, and what of it has a deadline, nearest first. A reply date is
-- a deadline until there is an answer.
CREATE INDEX leg_under_way ON leg (sender, id)
    WHERE state NOT IN ('declined', 'forwarded', 'completed', 'discontinued', 'cancelled', 'withdrawn', 'expired', 'entered_in_error');
CREATE INDEX leg_due ON leg (sender, (CASE WHEN clock_due IS NOT NULL THEN clock_due WHEN state IN ('requested', 'received') THEN reply_by END), id)
    WHERE state NOT IN ('declined', 'forwarded', 'completed', 'discontinued', 'cancelled', 'withdrawn', 'expired', 'entered_in_error');

-- What the hub signed about each step of a consent. Steps recorded before have none.
ALTER TABLE consent_event ADD COLUMN jws TEXT;

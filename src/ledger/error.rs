//! What can go wrong in the ledger, cut by what the caller can do about it.

/// A read that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database did not answer. Nothing was changed; try again.
    #[error("the database did not answer")]
    Unavailable(#[source] sqlx::Error),
    /// A stored value is not what this version writes: the row is damaged or from a newer hub.
    #[error("column {column} of a stored row cannot be read: {why}")]
    Corrupt { column: usize, why: String },
    /// The database is not one this hub may use.
    #[error("{0}")]
    Refused(String),
    /// A migration failed.
    #[error("the database could not be brought to this version's schema")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}

/// A write that was not made, or whose fate is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The idempotency key is already used: answer from what it points to.
    #[error("the idempotency key is taken")]
    KeyTaken,
    /// A version guard found another version: read, decide and sign again.
    #[error("the record has moved on")]
    Stale,
    /// A natural key (a source reference, a receipt level, an ending receipt) is already taken.
    #[error("such a row exists already in {0}")]
    Duplicate(&'static str),
    /// The hub is full. Nothing was done; try again shortly.
    #[error("the hub is busy")]
    Busy,
    /// The database refused or did not answer before the commit. Nothing was done.
    #[error("the database did not take the write")]
    Unavailable,
    /// The connection was lost while committing. The idempotency key settles what happened.
    #[error("the outcome of the commit is not known")]
    Unknown,
}

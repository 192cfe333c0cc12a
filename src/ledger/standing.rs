//! How a database stands, for the operator who looks at it. Reads only.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;

use super::{Ledger, LedgerError, MIGRATIONS, text::statements, values::Column};
use crate::clock::Clock;

statements! {
    APPLIED = ["SELECT version FROM _sqlx_migrations WHERE version > 0"];
    COUNT_DEAD = ["SELECT COUNT(*) FROM job WHERE state = 'dead'"];
    OLDEST_DUE = ["SELECT next_at FROM job WHERE state = 'ready' AND next_at <= $1 ORDER BY next_at LIMIT 1"];
}

/// What an operator should know of a ledger beside that it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Migrations of this version that were not applied yet; every start of a hub applies them.
    pub to_apply: usize,
    /// Migrations that a newer version has applied.
    pub unknown: usize,
    /// By how much the database's clock is ahead of this machine's.
    pub ahead: SignedDuration,
    /// Doorbells and mails that were given up.
    pub dead_jobs: i64,
    /// Since when the oldest work that is due has been waiting.
    pub due_since: Option<Timestamp>,
}

impl Ledger {
    /// How the database stands.
    ///
    /// # Errors
    /// The database does not answer, or no hub has ever started on it.
    pub async fn standing(&self, clock: &Clock) -> Result<Standing, LedgerError> {
        let applied = sqlx::query(APPLIED).fetch_all(&self.reads).await?;
        let applied = applied.iter().map(|row| row.try_get::<i64, _>(0)).collect::<Result<Vec<_>, _>>()?;
        let known: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        let missing = |those: &[i64], from: &[i64]| from.iter().filter(|one| !those.contains(one)).count();
        let database = self.lease_time(clock).await?;
        let now = clock.now();
        let due = sqlx::query(OLDEST_DUE).bind(now.as_microsecond()).fetch_optional(&self.reads).await?;
        Ok(Standing {
            to_apply: missing(&applied, &known),
            unknown: missing(&known, &applied),
            ahead: database.duration_since(now),
            dead_jobs: sqlx::query_scalar(COUNT_DEAD).fetch_one(&self.reads).await?,
            due_since: due.as_ref().map(|row| Timestamp::read(row, 0)).transpose()?,
        })
    }
}

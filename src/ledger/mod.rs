//! The only speaker of SQL: one ledger, two engines, one text.
//!
//! Writes go through a [`Committer`]; reads are autocommit and, where they concern a referral, take a
//! [`Scope`]. Must never happen here: a transaction outside `committer.rs`, a statement that is not a
//! constant, a column that is not TEXT, BIGINT or BYTEA, a key, a clear name of a person.

pub mod access_request;
pub mod agency;
pub mod arrangement;
pub mod audit;
pub mod board;
pub mod break_glass;
pub mod case;
pub mod consent;
pub mod consultation;
pub mod content;
pub mod delivery;
pub mod erasure;
pub mod hand_over;
pub mod holding;
pub mod idempotency;
pub mod incident;
pub mod job;
pub mod keyring;
pub mod leg;
pub mod notice;
pub mod protection;
pub mod receipt;
pub mod referral;
pub mod relation;
pub mod service;
pub mod sign_in;
pub mod standing;
pub mod statutory;
pub mod subscription;
pub mod write;

mod committer;
mod connect;
mod error;
mod fence;
#[cfg(test)]
mod tests;
mod text;
mod values;

use jiff::Timestamp;
use sqlx::{AnyPool, Connection as _, Row as _};
use tokio::sync::{mpsc, oneshot};

pub use committer::{BATCH, Committer};
pub use error::{LedgerError, WriteError};
pub use fence::{Fence, Mode};
pub use write::{Done, Lane, Rows, Step, Write};

use crate::domain::ids::{AgencyId, StaffId};
use committer::Task;
use values::{Row, Statement};

/// What differs between the engines: how a transaction begins, and how claimed rows are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// SQLite takes the write lock at once: an upgrade later would fail instead of waiting.
    const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }
}

/// In whose name rows are read. Every list and every look at a referral takes one, so that nothing of
/// another agency can be asked for; nor, without the person, a 通告 that this agency gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    agency: AgencyId,
    person: Option<StaffId>,
}

impl Scope {
    /// The scope of an agency that has proved who it is, or for whom the hub acts.
    pub const fn of(agency: AgencyId) -> Self {
        Self { agency, person: None }
    }

    /// The same for a member of that agency's own staff, who also sees the notices that are this person's to see.
    pub const fn and(self, person: Option<StaffId>) -> Self {
        Self { person, ..self }
    }

    pub const fn agency(self) -> AgencyId {
        self.agency
    }

    pub const fn person(self) -> Option<StaffId> {
        self.person
    }

    /// The person as a parameter. Nobody's id is empty.
    fn person_text(self) -> String {
        self.person.map(|person| person.to_string()).unwrap_or_default()
    }
}

/// How a ledger is opened.
#[derive(Clone)]
pub struct Settings {
    /// `sqlite:` or `postgres:` URL. Holds a password: never print it.
    pub url: String,
    /// Committers of this process: one on SQLite, a few on PostgreSQL.
    pub committers: usize,
    /// Connections for reading.
    pub readers: u32,
    /// Writes that may wait per committer before the hub says it is busy; urgent ones have as many of their own.
    pub waiting: usize,
}

/// The ledger: the only truth of the hub. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    reads: AnyPool,
    dialect: Dialect,
    shards: std::sync::Arc<[Shard]>,
}

struct Shard {
    urgent: mpsc::Sender<Task>,
    ordinary: mpsc::Sender<Task>,
}

static MIGRATIONS: sqlx::migrate::Migrator = {
    let mut migrations = sqlx::migrate!("./migrations");
    // Two versions of the hub run side by side during an upgrade: the older one meets migrations it does not know.
    migrations.ignore_missing = true;
    migrations
};

impl Ledger {
    /// Opens a database that is already migrated. The committers must be run by the caller; a ledger
    /// without running committers can read only.
    ///
    /// # Errors
    /// The database does not answer, or is one that could lose what it confirmed.
    pub async fn open(settings: &Settings) -> Result<(Self, Vec<Committer>), LedgerError> {
        let dialect = dialect(&settings.url)?;
        let mut first = connect::writer(&settings.url, dialect).await?;
        connect::check_floors(&mut first, dialect).await?;
        first.close().await?;
        let reads = connect::readers(&settings.url, dialect, settings.readers).await?;
        let count = if dialect == Dialect::Sqlite { 1 } else { settings.committers.max(1) };
        let (mut shards, mut committers) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (urgent, urgent_tasks) = mpsc::channel(settings.waiting);
            let (ordinary, ordinary_tasks) = mpsc::channel(settings.waiting);
            shards.push(Shard { urgent, ordinary });
            committers.push(Committer {
                url: settings.url.clone(),
                dialect,
                urgent: urgent_tasks,
                ordinary: ordinary_tasks,
            });
        }
        Ok((Self { reads, dialect, shards: shards.into() }, committers))
    }

    /// Brings a database to this version's schema. Safe to repeat; forward only.
    ///
    /// # Errors
    /// The database does not answer, is below the floors, or a migration fails.
    pub async fn migrate(url: &str) -> Result<(), LedgerError> {
        let dialect = dialect(url)?;
        let mut connection = connect::writer(url, dialect).await?;
        connect::check_floors(&mut connection, dialect).await?;
        connect::take_time(&mut connection, dialect).await?;
        let mut done = MIGRATIONS.run(&mut connection).await;
        if dialect == Dialect::Sqlite {
            // SQLite has no lock around a run: what another process applies meanwhile fails here once, and is
            // found done at the next run.
            for _ in MIGRATIONS.iter() {
                if done.is_err() {
                    done = MIGRATIONS.run(&mut connection).await;
                }
            }
        }
        done.map_err(LedgerError::Migration)?;
        connection.close().await?;
        Ok(())
    }

    /// Hands a write to its committer and waits for the commit.
    ///
    /// # Errors
    /// See [`WriteError`]; only `Unknown` leaves open whether the write was made.
    pub async fn write(&self, write: Write) -> Result<Done, WriteError> {
        let shard = &self.shards[(write.shard % self.shards.len() as u64) as usize];
        let queue = match write.lane {
            Lane::Ordinary => &shard.ordinary,
            Lane::Urgent => &shard.urgent,
        };
        let (answer, done) = oneshot::channel();
        queue.try_send(Task { write, answer }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Unavailable,
        })?;
        done.await.unwrap_or(Err(WriteError::Unknown))
    }

    /// How many writes wait in the fullest ordinary queue, of how many that may.
    pub fn pressure(&self) -> (usize, usize) {
        let waiting = |shard: &Shard| shard.ordinary.max_capacity() - shard.ordinary.capacity();
        let most = self.shards.iter().map(waiting).max().unwrap_or(0);
        (most, self.shards.first().map_or(0, |s| s.ordinary.max_capacity()))
    }

    /// The time leases are measured by: the database's, which all nodes share, or the hub's own where
    /// there is only one process.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn lease_time(&self, clock: &crate::clock::Clock) -> Result<Timestamp, LedgerError> {
        match self.dialect {
            Dialect::Sqlite => Ok(clock.now()),
            Dialect::Postgres => {
                let row = sqlx::query(job::DATABASE_TIME).fetch_one(&self.reads).await?;
                database_time(row.try_get(0)?)
            }
        }
    }

    /// Answers whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        sqlx::query(fence::PING).execute(&self.reads).await?;
        Ok(())
    }

    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    async fn one<T: Row>(&self, statement: Statement) -> Result<Option<T>, LedgerError> {
        statement.fetch_optional(&self.reads).await?.as_ref().map(T::read).transpose()
    }

    async fn many<T: Row>(&self, statement: Statement) -> Result<Vec<T>, LedgerError> {
        statement.fetch_all(&self.reads).await?.iter().map(T::read).collect()
    }
}

/// PostgreSQL writes `2026-11-22 04:35:40.123456+00`; RFC 3339 wants minutes in the offset.
fn database_time(text: &str) -> Result<Timestamp, LedgerError> {
    let why = || LedgerError::Corrupt { column: 0, why: "not a time".to_owned() };
    format!("{text}:00").parse().map_err(|_| why())
}

fn dialect(url: &str) -> Result<Dialect, LedgerError> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Ok(Dialect::Postgres);
    }
    if url.strip_prefix("sqlite:").is_some_and(names_a_file) {
        return Ok(Dialect::Sqlite);
    }
    Err(LedgerError::Refused(
        "the database URL must begin with sqlite: (and name a file, not memory) or postgres:".to_owned(),
    ))
}

/// Each connection to a database in memory, or to one without a name, would see an empty one of its own
/// (transact-rs/sqlx #2510).
fn names_a_file(place: &str) -> bool {
    let name = place.split('?').next().unwrap_or_default().trim_matches('/');
    !name.is_empty() && !place.contains(":memory:") && !place.contains("mode=memory")
}

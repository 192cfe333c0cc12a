//! The fence: one row that says which hub this database belongs to, in which mode, under which root key.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError,
    text::statements,
    values::{Row as _, table},
};
use crate::code_list;

code_list! {
    /// The two modes a hub runs in. A database belongs to one of them.
    Mode, "mode" {
        Embedded = "embedded", "組込み（SQLite・単一プロセス）", "embedded: SQLite, one process";
        Clustered = "clustered", "クラスタ（PostgreSQL・RabbitMQ）", "clustered: PostgreSQL, RabbitMQ, several nodes";
    }
}

super::values::text_columns!(Mode);

/// The schema this version reads and writes; a hub older than the database's `min_reader` must not start.
const SCHEMA: i64 = 1;

table! {
    /// The fence's only row.
    FenceRow = "hub" {
        one: i64,
        hub_id: String,
        mode: Mode,
        root_fingerprint: String,
        min_reader: i64,
        created_at: Timestamp,
    }
}

statements! {
    LOAD = ["SELECT ", FenceRow::COLUMNS, " FROM hub WHERE one = 1"];
    PING_TEXT = ["SELECT 1"];
}

pub(super) const PING: &str = PING_TEXT;

/// What a starting hub claims about itself.
pub struct Fence<'a> {
    pub hub_id: &'a str,
    pub mode: Mode,
    pub root_fingerprint: &'a str,
}

impl Ledger {
    /// Refuses a database that another hub has claimed, before anything in it is changed. A database without a fence
    /// is nobody's yet.
    ///
    /// # Errors
    /// As [`Ledger::claim`].
    pub async fn inspect(url: &str, fence: &Fence<'_>) -> Result<(), LedgerError> {
        let mut connection = super::connect::writer(url, super::dialect(url)?).await?;
        let found = match sqlx::query(LOAD).fetch_optional(&mut connection).await {
            Ok(row) => row.as_ref().map(FenceRow::read).transpose()?,
            // The engine knows no such table: the database is new.
            Err(error) if error.as_database_error().is_some() => None,
            Err(error) => return Err(error.into()),
        };
        sqlx::Connection::close(connection).await?;
        found.map_or(Ok(()), |found| fence.check(&found))
    }

    /// Claims a fresh database for this hub, or checks that it is this hub's.
    ///
    /// # Errors
    /// The database belongs to another hub, another mode, another root key or a newer version.
    pub async fn claim(url: &str, fence: &Fence<'_>, at: Timestamp) -> Result<(), LedgerError> {
        let mut connection = super::connect::writer(url, super::dialect(url)?).await?;
        let row = FenceRow {
            one: 1,
            hub_id: fence.hub_id.to_owned(),
            mode: fence.mode,
            root_fingerprint: fence.root_fingerprint.to_owned(),
            min_reader: SCHEMA,
            created_at: at,
        };
        row.bind(sqlx::query(FenceRow::INSERT.one)).execute(&mut connection).await?;
        let found = FenceRow::read(&sqlx::query(LOAD).fetch_one(&mut connection).await?)?;
        sqlx::Connection::close(connection).await?;
        fence.check(&found)
    }
}

impl Fence<'_> {
    fn check(&self, found: &FenceRow) -> Result<(), LedgerError> {
        let refuse = |why: String| Err(LedgerError::Refused(why));
        if found.mode != self.mode {
            return refuse(format!(
                "this database belongs to a hub in {} mode, but the configuration says {}; \
                 correct `mode`, or point the hub at its own database",
                found.mode, self.mode
            ));
        }
        if found.root_fingerprint != self.root_fingerprint {
            return refuse(
                "the key folder does not hold the root key this database was sealed under; \
                 restore the right key folder before starting the hub"
                    .to_owned(),
            );
        }
        if found.hub_id != self.hub_id {
            return refuse("the key folder and the database belong to different hubs".to_owned());
        }
        if found.min_reader > SCHEMA {
            return refuse(format!(
                "this database needs a hub that knows schema {}; this one knows {SCHEMA}. Install the newer version",
                found.min_reader
            ));
        }
        Ok(())
    }
}

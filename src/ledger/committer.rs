//! The only owner of write transactions.
//!
//! A request hands its [`Write`] over a bounded channel and waits; it never owns a transaction, so a dropped
//! request cannot leave one open (transact-rs/sqlx #4385, #4393). The committer takes what is waiting, writes
//! it together and commits once. A batch that fails is rolled back and replayed with a savepoint per write,
//! so only the guilty write is refused.

use std::time::Duration;

use sqlx::{AnyConnection, Connection as _, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::{
    Dialect, connect,
    error::WriteError,
    values::{Row, Statement},
    write::{Done, Fault, Step, Write},
};

/// At most this many writes share a commit.
pub const BATCH: usize = 128;
/// How often a batch that met a deadlock or a lost connection is run again before it is given up.
const ATTEMPTS: u32 = 6;

/// A write and the place its answer goes to.
pub(super) struct Task {
    pub write: Write,
    pub answer: oneshot::Sender<Result<Done, WriteError>>,
}

/// One shard's committer. `run` ends when every sender is gone and what was waiting is written.
pub struct Committer {
    pub(super) url: String,
    pub(super) dialect: Dialect,
    pub(super) urgent: mpsc::Receiver<Task>,
    pub(super) ordinary: mpsc::Receiver<Task>,
}

/// Why a whole batch did not commit.
enum Failed {
    /// A write of the batch is to blame: replay one by one.
    Guilty(WriteError),
    /// A deadlock or a lost connection before the commit: nothing was written, run it again.
    Again(sqlx::Error),
    /// The connection was lost during the commit.
    Unknown,
}

impl Committer {
    /// Writes until every [`super::Ledger`] handle is gone.
    pub async fn run(mut self) {
        let mut connection = None;
        while let Some(batch) = self.next_batch().await {
            let (writes, answers): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|task| (task.write, task.answer)).unzip();
            let results = self.commit(&mut connection, &writes).await;
            for (answer, result) in answers.into_iter().zip(results) {
                // The asker may have gone: its key settles what became of the write.
                let _ = answer.send(result);
            }
        }
        if let Some(connection) = connection {
            let _ = AnyConnection::close(connection).await;
        }
    }

    /// Waits for one write, then takes what else is waiting, urgent ones first.
    async fn next_batch(&mut self) -> Option<Vec<Task>> {
        let first = tokio::select! {
            biased;
            Some(task) = self.urgent.recv() => task,
            Some(task) = self.ordinary.recv() => task,
            else => return None,
        };
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match self.urgent.try_recv().or_else(|_| self.ordinary.try_recv()) {
                Ok(task) => batch.push(task),
                Err(_) => break,
            }
        }
        Some(batch)
    }

    async fn commit(
        &self,
        connection: &mut Option<AnyConnection>,
        writes: &[Write],
    ) -> Vec<Result<Done, WriteError>> {
        let mut one_by_one = false;
        for attempt in 1..=ATTEMPTS {
            let outcome = if one_by_one {
                self.replay(connection, writes).await
            } else {
                self.together(connection, writes).await
            };
            match outcome {
                Ok(results) => return results,
                Err(Failed::Guilty(error)) if writes.len() == 1 => return vec![Err(error)],
                Err(Failed::Guilty(_)) => one_by_one = true,
                Err(Failed::Unknown) => {
                    *connection = None;
                    return writes.iter().map(|_| Err(WriteError::Unknown)).collect();
                }
                Err(Failed::Again(error)) => {
                    tracing::warn!(attempt, %error, "a batch was not taken and is run again");
                    if !is_conflict(&error) {
                        *connection = None;
                    }
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) * 10)).await;
                }
            }
        }
        writes.iter().map(|_| Err(WriteError::Unavailable)).collect()
    }

    /// The hopeful way: all writes, table by table, in one transaction without savepoints.
    async fn together(
        &self,
        connection: &mut Option<AnyConnection>,
        writes: &[Write],
    ) -> Result<Vec<Result<Done, WriteError>>, Failed> {
        let mut tx = self.begin(connection).await?;
        match apply(&mut tx, writes).await {
            Ok(done) => {
                finish(tx).await?;
                Ok(done.into_iter().map(Ok).collect())
            }
            Err(fault) => {
                let failed = judge(fault);
                // A failed rollback shows when the connection is used again.
                let _ = tx.rollback().await;
                Err(failed)
            }
        }
    }

    /// The careful way: a savepoint per write, so that one refused write does not spoil the others.
    async fn replay(
        &self,
        connection: &mut Option<AnyConnection>,
        writes: &[Write],
    ) -> Result<Vec<Result<Done, WriteError>>, Failed> {
        let mut tx = self.begin(connection).await?;
        let mut results = Vec::with_capacity(writes.len());
        for write in writes {
            let mut savepoint = tx.begin().await.map_err(Failed::Again)?;
            match apply(&mut savepoint, std::slice::from_ref(write)).await {
                Ok(mut done) => {
                    savepoint.commit().await.map_err(Failed::Again)?;
                    results.push(Ok(done.pop().unwrap_or_default()));
                }
                Err(fault) => match judge(fault) {
                    Failed::Guilty(error) => {
                        savepoint.rollback().await.map_err(Failed::Again)?;
                        results.push(Err(error));
                    }
                    failed => {
                        // At once, not when the connection is used again: others wait for its locks meanwhile.
                        let _ = savepoint.rollback().await;
                        let _ = tx.rollback().await;
                        return Err(failed);
                    }
                },
            }
        }
        finish(tx).await?;
        Ok(results)
    }

    async fn begin<'c>(
        &self,
        connection: &'c mut Option<AnyConnection>,
    ) -> Result<Transaction<'c, sqlx::Any>, Failed> {
        if connection.is_none() {
            *connection = Some(connect::writer(&self.url, self.dialect).await.map_err(Failed::Again)?);
        }
        let connection = connection.as_mut().expect("invariant: connected above");
        connection.begin_with(self.dialect.begin()).await.map_err(Failed::Again)
    }
}

/// Commits; an error here leaves the outcome unknown, unless the database itself refused.
async fn finish(tx: Transaction<'_, sqlx::Any>) -> Result<(), Failed> {
    tx.commit().await.map_err(|error| match error {
        error if is_conflict(&error) => Failed::Again(error),
        error => {
            tracing::error!(%error, "the outcome of a commit is not known");
            Failed::Unknown
        }
    })
}

/// Keys first, then guarded steps in a fixed order, then rows table by table.
async fn apply(on: &mut AnyConnection, writes: &[Write]) -> Result<Vec<Done>, Fault> {
    insert(on, writes.iter().filter_map(|w| w.key.as_ref()), WriteError::KeyTaken).await?;
    let done = Step::apply_all(on, writes).await?;
    macro_rules! insert_all {
        ($($table:ident),+) => {$(
            insert(on, writes.iter().flat_map(|w| &w.rows.$table), WriteError::Duplicate(stringify!($table))).await?;
        )+};
    }
    insert_all!(
        agencies,
        name_keys,
        staff,
        services,
        data_keys,
        consents,
        consent_events,
        referrals,
        contents
    );
    insert_all!(
        protection_versions,
        arrangements,
        arrangement_events,
        arrangement_members,
        arrangement_cases
    );
    insert_all!(cases, case_versions, case_plans, case_entries, case_consents, consultations);
    insert_all!(referral_events, notice_readers, legs, leg_events, manifests, deliveries, receipts);
    insert_all!(holdings, statutory, incidents, relations, break_glasses, audits, sign_ins, sessions);
    insert_all!(shreds, erasures, retired_keks);
    insert_all!(access_requests, access_request_versions);
    enqueue(on, writes).await?;
    Ok(done)
}

/// Inserts rows in statements of 32, 8 and 1; a row that was already there refuses the write.
async fn insert<'w, T: Row + 'w>(
    on: &mut AnyConnection,
    rows: impl Iterator<Item = &'w T>,
    taken: WriteError,
) -> Result<(), Fault> {
    let rows: Vec<&T> = rows.collect();
    if put(on, &rows).await? == rows.len() as u64 { Ok(()) } else { Err(Fault::Refused(taken)) }
}

/// Jobs are told apart by their dedup key: one that waits already is enough.
async fn enqueue(on: &mut AnyConnection, writes: &[Write]) -> Result<(), Fault> {
    let jobs: Vec<_> = writes.iter().flat_map(|w| &w.rows.jobs).collect();
    put(on, &jobs).await?;
    Ok(())
}

/// Returns how many rows are new.
async fn put<T: Row>(on: &mut AnyConnection, mut rows: &[&T]) -> Result<u64, sqlx::Error> {
    let mut new = 0;
    while !rows.is_empty() {
        let (text, count) = match rows.len() {
            32.. => (T::INSERT.thirty_two, 32),
            8.. => (T::INSERT.eight, 8),
            _ => (T::INSERT.one, 1),
        };
        let (now, later) = rows.split_at(count);
        let statement: Statement = now.iter().fold(sqlx::query(text), |statement, row| row.bind(statement));
        new += statement.execute(&mut *on).await?.rows_affected();
        rows = later;
    }
    Ok(new)
}

fn judge(fault: Fault) -> Failed {
    match fault {
        Fault::Refused(error) => Failed::Guilty(error),
        Fault::Database(error) if is_conflict(&error) || is_gone(&error) => Failed::Again(error),
        Fault::Database(error) => {
            tracing::error!(%error, "the database refused a write");
            Failed::Guilty(WriteError::Unavailable)
        }
    }
}

/// A deadlock or serialization failure (PostgreSQL 40P01, 40001) or a busy file (SQLITE_BUSY and its extended
/// codes): run it again.
fn is_conflict(error: &sqlx::Error) -> bool {
    has_code(error, &["40P01", "40001", "5", "261", "517", "773"])
}

/// A lost connection, or the last words of a server that ends the session (PostgreSQL 57P01 to 57P03).
fn is_gone(error: &sqlx::Error) -> bool {
    error.as_database_error().is_none() || has_code(error, &["57P01", "57P02", "57P03"])
}

fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| codes.contains(&&*code))
}

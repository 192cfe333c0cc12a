//! Work to do after a commit: doorbells to ring, documents to push, mail to send. Claimed by lease.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError,
    text::statements,
    values::{Row as _, table, text_columns},
};
use crate::{
    code_list,
    domain::ids::{AgencyId, JobId},
};

code_list! {
    /// What a job does.
    JobKind, "job kind" {
        /// Rings that a delivery waits.
        Waiting = "doorbell.waiting", "着信通知", "doorbell: something waits";
        /// Rings that a leg the agency sent has changed.
        Changed = "doorbell.changed", "状況通知", "doorbell: a leg has changed";
        /// Rings that a copy is no longer there.
        Recalled = "doorbell.recalled", "取消通知", "doorbell: a copy was recalled";
        /// Rings that a break-glass is to be reviewed.
        Glass = "doorbell.break_glass", "緊急閲覧通知", "doorbell: a break-glass is to be reviewed";
        /// Has the broker keep the queue an agency now asks for.
        Subscribed = "subscription.changed", "受信設定の反映", "a subscription has changed";
        Mail = "mail.gathered", "メール通知", "gathered mail";
        UrgentMail = "mail.urgent", "至急メール通知", "urgent mail";
    }
}

code_list! {
    /// Where a job stands.
    JobState, "job state" {
        Ready = "ready", "待機", "ready";
        Leased = "leased", "処理中", "leased";
        Done = "done", "済", "done";
        Dead = "dead", "配信不能", "dead";
    }
}

text_columns!(JobKind, JobState);

table! {
    /// One job. `epoch` grows with each claim: what an older claim reports is void.
    JobRow = "job" {
        id: JobId,
        kind: JobKind,
        dedup: String,
        agency: AgencyId,
        subject: String,
        rank: i64,
        state: JobState,
        attempts: i64,
        epoch: i64,
        next_at: Timestamp,
        lease_until: Timestamp,
        reason: Option<String>,
        created_at: Timestamp,
    }
}

/// What a worker takes. Mail has a worker of its own: a slow mail server must not hold up a doorbell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Everything but mail.
    Rings,
    Mail,
}

/// Takes up to `limit` jobs that are due.
pub struct ClaimJobs {
    pub work: Work,
    /// What was to be done by then is due.
    pub due: Timestamp,
    pub lease_until: Timestamp,
    pub limit: i64,
    pub dialect: super::Dialect,
}

/// Reports what became of a claimed job; void if it was claimed again meanwhile.
pub struct SettleJob {
    pub id: JobId,
    pub epoch: i64,
    pub state: JobState,
    pub next_at: Timestamp,
    pub reason: Option<String>,
}

/// Makes jobs ready again.
pub enum RingAgain {
    /// Jobs whose lease has lapsed; all leased ones when `Timestamp::MAX` is given.
    LapsedBefore(Timestamp),
    /// Doorbells rung before `before` whose delivery still waits.
    StillWaiting { before: Timestamp, now: Timestamp },
    /// Doorbells that failed and wait for another try: what stood in their way has gone.
    PutOff { now: Timestamp },
}

/// Deletes up to `limit` jobs that came to this end before `before`, but never the doorbell of a delivery that
/// still waits: it may have to be rung again. What ended long ago is looked through at every sweep, so little of
/// it should be there.
pub struct ForgetJobs {
    pub ended: JobState,
    pub before: Timestamp,
    pub limit: i64,
}

// Materialized: PostgreSQL may run a bare subquery anew for every row it updates, and then LIMIT limits nothing.
macro_rules! claim {
    ($kinds:literal, $lock:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT id FROM job WHERE state = 'ready' AND next_at <= $2 AND kind ",
            $kinds,
            " ('mail.gathered', 'mail.urgent') ORDER BY rank, next_at LIMIT $3",
            $lock,
            ") UPDATE job SET state = 'leased', epoch = epoch + 1, attempts = attempts + 1, lease_until = $1 ",
            "WHERE id IN (SELECT id FROM due) RETURNING "
        )
    };
}

statements! {
    CLAIM_RINGS_SQLITE = [claim!("NOT IN", ""), JobRow::COLUMNS];
    CLAIM_RINGS_POSTGRES = [claim!("NOT IN", " FOR UPDATE SKIP LOCKED"), JobRow::COLUMNS];
    CLAIM_MAIL_SQLITE = [claim!("IN", ""), JobRow::COLUMNS];
    CLAIM_MAIL_POSTGRES = [claim!("IN", " FOR UPDATE SKIP LOCKED"), JobRow::COLUMNS];
    SETTLE = ["UPDATE job SET state = $1, next_at = $2, reason = $3 WHERE epoch = $4 AND state = 'leased' AND id = $5"];
    SETTLE_SIXTEEN = ["UPDATE job SET state = $1, next_at = $2, reason = $3 WHERE epoch = $4 AND state = 'leased' AND ",
        "id IN ($5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"];
    LAPSE = ["UPDATE job SET state = 'ready' WHERE state = 'leased' AND lease_until < $1"];
    STILL_WAITING = ["UPDATE job SET state = 'ready', attempts = 0, next_at = $2 WHERE state IN ('done', 'dead') AND ",
        "kind = 'doorbell.waiting' AND next_at < $1 AND EXISTS ",
        "(SELECT 1 FROM delivery WHERE delivery.id = job.subject AND delivery.state = 'waiting')"];
    PUT_OFF = ["UPDATE job SET attempts = 0, next_at = $1 WHERE state = 'ready' AND next_at > $1 AND ",
        "kind IN ('doorbell.waiting', 'doorbell.changed', 'doorbell.recalled', 'doorbell.break_glass')"];
    FORGET = ["WITH due AS MATERIALIZED (SELECT id FROM job WHERE state = $3 AND next_at < $1 AND NOT EXISTS ",
        "(SELECT 1 FROM delivery WHERE delivery.id = job.subject AND delivery.state = 'waiting' AND ",
        "job.kind = 'doorbell.waiting') ORDER BY next_at LIMIT $2) DELETE FROM job WHERE id IN (SELECT id FROM due)"];
    COUNT_OPEN = ["SELECT COUNT(*) FROM job WHERE state IN ('ready', 'leased')"];
    OF_SUBJECT = ["SELECT ", JobRow::COLUMNS, " FROM job WHERE subject = $1 ORDER BY id"];
    DATABASE_TIME_TEXT = ["SELECT CAST(CURRENT_TIMESTAMP AS TEXT)"];
}

pub(super) const DATABASE_TIME: &str = DATABASE_TIME_TEXT;

impl Ledger {
    /// How many jobs are ready or leased.
    pub async fn open_jobs(&self) -> Result<i64, LedgerError> {
        Ok(sqlx::query_scalar(COUNT_OPEN).fetch_one(&self.reads).await?)
    }

    /// For the operator and for tests: the jobs about one delivery or leg.
    pub async fn jobs_about(&self, subject: &str) -> Result<Vec<JobRow>, LedgerError> {
        self.many(sqlx::query(OF_SUBJECT).bind(subject.to_owned())).await
    }
}

impl ClaimJobs {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<Vec<JobRow>, super::write::Fault> {
        let text = match (self.work, self.dialect) {
            (Work::Rings, super::Dialect::Sqlite) => CLAIM_RINGS_SQLITE,
            (Work::Rings, super::Dialect::Postgres) => CLAIM_RINGS_POSTGRES,
            (Work::Mail, super::Dialect::Sqlite) => CLAIM_MAIL_SQLITE,
            (Work::Mail, super::Dialect::Postgres) => CLAIM_MAIL_POSTGRES,
        };
        let rows = sqlx::query(text)
            .bind(self.lease_until.as_microsecond())
            .bind(self.due.as_microsecond())
            .bind(self.limit)
            .fetch_all(on)
            .await?;
        // A row this version cannot read stays leased until a newer one takes it.
        Ok(rows.iter().filter_map(|row| JobRow::read(row).ok()).collect())
    }
}

impl SettleJob {
    /// Settles many jobs, those with the same end together. A job of a later epoch belongs to another worker:
    /// nothing to do, nobody to blame.
    pub(super) async fn apply_all(
        on: &mut AnyConnection,
        settles: impl Iterator<Item = &Self>,
    ) -> Result<(), sqlx::Error> {
        let mut all: Vec<&Self> = settles.collect();
        all.sort_by(|a, b| a.end().cmp(&b.end()).then(a.id.cmp(&b.id)));
        for same in all.chunk_by(|a, b| a.end() == b.end()) {
            for some in same.chunks(16) {
                let (text, places) = if some.len() == 1 { (SETTLE, 1) } else { (SETTLE_SIXTEEN, 16) };
                let (state, next_at, reason, epoch) = some[0].end();
                let statement = sqlx::query(text)
                    .bind(state)
                    .bind(next_at.as_microsecond())
                    .bind(reason.map(str::to_owned))
                    .bind(epoch);
                let filled = some.iter().chain(std::iter::repeat(&some[0])).take(places);
                filled.fold(statement, |s, settle| s.bind(settle.id.to_string())).execute(&mut *on).await?;
            }
        }
        Ok(())
    }

    /// What jobs have in common that are settled by one statement.
    fn end(&self) -> (&'static str, Timestamp, Option<&str>, i64) {
        (self.state.code(), self.next_at, self.reason.as_deref(), self.epoch)
    }
}

impl RingAgain {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let statement = match self {
            Self::LapsedBefore(at) => sqlx::query(LAPSE).bind(at.as_microsecond()),
            Self::StillWaiting { before, now } => {
                sqlx::query(STILL_WAITING).bind(before.as_microsecond()).bind(now.as_microsecond())
            }
            Self::PutOff { now } => sqlx::query(PUT_OFF).bind(now.as_microsecond()),
        };
        Ok(statement.execute(on).await?.rows_affected())
    }
}

impl ForgetJobs {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let statement =
            sqlx::query(FORGET).bind(self.before.as_microsecond()).bind(self.limit).bind(self.ended.code());
        Ok(statement.execute(on).await?.rows_affected())
    }
}

//! Wraps on their way from one month's key-encryption keys to the next, and what each process holds of keys.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError,
    content::DataKeyRow,
    text::statements,
    values::{Row as _, table},
};
use crate::domain::ids::AgencyId;

table! {
    /// A key-encryption key that no wrap needs any more.
    RetiredKekRow = "retired_kek" {
        agency: AgencyId,
        kek: String,
        at: Timestamp,
    }
}

table! {
    /// What a running process holds: the oldest month it wraps under, when that last changed (never: 1970), and its
    /// signing keys.
    NodeRow = "node" {
        id: String,
        wraps_under: String,
        since: Timestamp,
        kids: String,
        signs_with: String,
        seen_at: Timestamp,
    }
}

/// One wrap and what takes its place.
pub struct NewWrap {
    pub from: DataKeyRow,
    pub kek: String,
    pub wrapped: Vec<u8>,
}

/// Moves wraps. A wrap that another process has moved, or that was destroyed meanwhile, is left as it is: an update
/// makes no row.
pub struct Rewrap(pub Vec<NewWrap>);

/// Says what a process holds, and forgets processes that have long said nothing.
pub struct SeeNode {
    pub node: NodeRow,
    pub forget_before: Timestamp,
}

/// Where a walk through the wraps goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    kek: String,
    agency: String,
    id: String,
}

impl Place {
    pub fn behind(row: &DataKeyRow) -> Self {
        Self { kek: row.kek.clone(), agency: row.agency.to_string(), id: row.id.to_string() }
    }
}

statements! {
    OLD_WRAPS = ["SELECT ", DataKeyRow::COLUMNS, " FROM data_key WHERE kek < $1 AND (kek, agency, id) > ($2, $3, $4) ",
        "ORDER BY kek, agency, id LIMIT $5"];
    WRAPS_UNDER = ["SELECT COUNT(*) FROM data_key WHERE kek = $1 AND agency = $2"];
    REWRAP = ["UPDATE data_key SET kek = $4, wrapped = $5 WHERE id = $1 AND agency = $2 AND kek = $3"];
    RETIRED_SINCE = ["SELECT ", RetiredKekRow::COLUMNS, " FROM retired_kek WHERE at >= $1 ORDER BY at"];
    NODES = ["SELECT ", NodeRow::COLUMNS, " FROM node WHERE seen_at >= $1 ORDER BY seen_at"];
    FORGET_NODES = ["DELETE FROM node WHERE seen_at < $1"];
    SEE_NODE = ["INSERT INTO node (", NodeRow::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET ",
        "since = CASE WHEN node.wraps_under = excluded.wraps_under THEN node.since ELSE excluded.seen_at END, ",
        "wraps_under = excluded.wraps_under, kids = excluded.kids, signs_with = excluded.signs_with, ",
        "seen_at = excluded.seen_at"];
}

impl Ledger {
    /// For the hub: wraps under keys of months before this one, oldest first, whoever's they are.
    pub async fn old_wraps(
        &self,
        before: &str,
        after: &Place,
        limit: i64,
    ) -> Result<Vec<DataKeyRow>, LedgerError> {
        let Place { kek, agency, id } = after.clone();
        let statement = sqlx::query(OLD_WRAPS).bind(before.to_owned()).bind(kek).bind(agency).bind(id);
        self.many(statement.bind(limit)).await
    }

    /// For the hub: how many wraps need an agency's key of a month.
    pub async fn wraps_under(&self, agency: AgencyId, kek: &str) -> Result<i64, LedgerError> {
        let statement = sqlx::query_scalar(WRAPS_UNDER).bind(kek.to_owned()).bind(agency.to_string());
        Ok(statement.fetch_one(&self.reads).await?)
    }

    /// Key-encryption keys retired since then.
    pub async fn retired_since(&self, at: Timestamp) -> Result<Vec<RetiredKekRow>, LedgerError> {
        self.many(sqlx::query(RETIRED_SINCE).bind(at.as_microsecond())).await
    }

    /// The processes that have said something since then.
    pub async fn nodes(&self, seen_since: Timestamp) -> Result<Vec<NodeRow>, LedgerError> {
        self.many(sqlx::query(NODES).bind(seen_since.as_microsecond())).await
    }
}

impl Rewrap {
    /// Gives how many wraps have moved.
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let mut moved = 0;
        for NewWrap { from, kek, wrapped } in &self.0 {
            let statement = sqlx::query(REWRAP)
                .bind(from.id.to_string())
                .bind(from.agency.to_string())
                .bind(from.kek.clone())
                .bind(kek.clone())
                .bind(wrapped.clone());
            moved += statement.execute(&mut *on).await?.rows_affected();
        }
        Ok(moved)
    }
}

impl SeeNode {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        sqlx::query(FORGET_NODES).bind(self.forget_before.as_microsecond()).execute(&mut *on).await?;
        Ok(self.node.bind(sqlx::query(SEE_NODE)).execute(on).await?.rows_affected())
    }
}

/// Whether a data key goes when a referral is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// It seals something of that referral alone, and goes with it.
    WithReferral,
    /// It seals what lives on by itself.
    Not,
}

/// Every column that names a data key. All wraps lie in `data_key`, so all of them are moved; this list says which go
/// when a referral is erased. A new table with a data key has to be put here, or a test fails.
pub const SEALED: &[(&str, &str, Goes)] = &[
    ("access_request", "data_key", Goes::Not),
    ("agency", "data_key", Goes::Not),
    ("arrangement_case", "data_key", Goes::Not),
    ("case_record", "data_key", Goes::Not),
    ("consent", "data_key", Goes::Not),
    ("consultation", "data_key", Goes::Not),
    ("incident", "data_key", Goes::WithReferral),
    // Where it protects one referral; that of a case stays with the case.
    ("protection", "data_key", Goes::WithReferral),
    ("referral", "data_key", Goes::WithReferral),
    ("referral", "compartment_key", Goes::WithReferral),
];

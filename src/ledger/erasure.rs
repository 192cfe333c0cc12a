//! What was erased, and what must not be: destroyed data keys, erasures, and holds.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Dialect, Ledger, LedgerError, Scope,
    text::statements,
    values::{Row as _, table, text_columns},
};
use crate::domain::{
    ids::{AgencyId, DataKeyId, HoldId, LegId, ReferralId, StaffId},
    retention::PlacedKind,
};

text_columns!(PlacedKind, HoldId);

table! {
    /// A data key that was destroyed: its wraps are gone, and the vault opens none.
    ShredRow = "shred" {
        data_key: DataKeyId,
        at: Timestamp,
    }
}

table! {
    /// Who had a referral erased, with whom.
    ErasureRow = "erasure" {
        referral: ReferralId,
        owner: AgencyId,
        staff: StaffId,
        second: StaffId,
        reason: Vec<u8>,
        at: Timestamp,
    }
}

table! {
    /// What a party of a leg wants kept, and why; sealed with that party's own key.
    HoldRow = "hold" {
        id: HoldId,
        leg: LegId,
        agency: AgencyId,
        kind: PlacedKind,
        reason: Vec<u8>,
        placed_by: StaffId,
        placed_at: Timestamp,
        lifted_by: Option<StaffId>,
        lifted_at: Option<Timestamp>,
        lift_reason: Option<Vec<u8>>,
    }
}

/// A new hold. A step and not a row, so that an erasure in the same batch finds it.
pub struct PutHold(pub HoldRow);

/// Lifts a hold that stands.
pub struct LiftHold {
    pub id: HoldId,
    pub by: StaffId,
    pub at: Timestamp,
    pub reason: Vec<u8>,
}

/// Asks that no hold stands on a leg. Behind the leg's own move: whoever places one takes the leg first.
pub struct Unheld(pub LegId);

/// Destroys every wrap of a data key, of whatever agency.
pub struct ShredKey(pub DataKeyId);

statements! {
    SHREDDED = ["SELECT ", ShredRow::COLUMNS, " FROM shred WHERE data_key = $1"];
    SINCE = ["SELECT ", ShredRow::COLUMNS, " FROM shred WHERE at >= $1 ORDER BY at"];
    LISTED = ["SELECT data_key FROM shred WHERE data_key > $1 ORDER BY data_key LIMIT $2"];
    DELETE_WRAPS = ["DELETE FROM data_key WHERE id = $1"];
    ERASED = ["SELECT ", ErasureRow::COLUMNS, " FROM erasure WHERE referral = $1"];
    HOLDS = ["SELECT ", HoldRow::COLUMNS, " FROM hold WHERE leg = $1 ORDER BY id"];
    OWN_HOLDS = ["SELECT ", HoldRow::COLUMNS, " FROM hold WHERE leg = $1 AND agency = $2 ORDER BY id LIMIT $3"];
    OWN_HOLD = ["SELECT ", HoldRow::COLUMNS, " FROM hold WHERE id = $1 AND agency = $2"];
    LIFT = ["UPDATE hold SET lifted_by = $2, lifted_at = $3, lift_reason = $4 WHERE id = $1 AND lifted_at IS NULL"];
    UNHELD = ["UPDATE leg SET head_seq = head_seq WHERE id = $1 AND NOT EXISTS ",
        "(SELECT 1 FROM hold WHERE hold.leg = leg.id AND hold.lifted_at IS NULL)"];
    TRUNCATE_WAL = ["PRAGMA wal_checkpoint(TRUNCATE)"];
}

/// How many ids are read at once.
const PAGE: i64 = 1000;

impl Ledger {
    /// When a data key was destroyed.
    pub async fn shredded(&self, id: DataKeyId) -> Result<Option<ShredRow>, LedgerError> {
        self.one(sqlx::query(SHREDDED).bind(id.to_string())).await
    }

    /// The data keys that were destroyed since then.
    pub async fn shredded_since(&self, at: Timestamp) -> Result<Vec<ShredRow>, LedgerError> {
        self.many(sqlx::query(SINCE).bind(at.as_microsecond())).await
    }

    /// The erasure of a referral that the caller has read under its scope.
    pub async fn erasure(&self, referral: ReferralId) -> Result<Option<ErasureRow>, LedgerError> {
        self.one(sqlx::query(ERASED).bind(referral.to_string())).await
    }

    /// Every hold ever placed on a leg, by whichever party. For the hub: an erasure asks for all.
    pub async fn holds_on(&self, leg: LegId) -> Result<Vec<HoldRow>, LedgerError> {
        self.many(sqlx::query(HOLDS).bind(leg.to_string())).await
    }

    /// The caller's own holds on a leg, oldest first.
    pub async fn holds(&self, scope: Scope, leg: LegId, limit: i64) -> Result<Vec<HoldRow>, LedgerError> {
        let statement = sqlx::query(OWN_HOLDS).bind(leg.to_string()).bind(scope.agency().to_string());
        self.many(statement.bind(limit)).await
    }

    /// A hold the caller's agency placed.
    pub async fn hold(&self, scope: Scope, id: HoldId) -> Result<Option<HoldRow>, LedgerError> {
        self.one(sqlx::query(OWN_HOLD).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// Lets an embedded ledger's write-ahead log go: `secure_delete` has overwritten what was deleted in the
    /// database's own file, and this leaves no older copy beside it. `false` if somebody was still reading.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn truncate_log(&self) -> Result<bool, LedgerError> {
        if self.dialect == Dialect::Postgres {
            // PostgreSQL's own log and its backups are the operator's: docs/operating.md.
            return Ok(true);
        }
        let row = sqlx::query(TRUNCATE_WAL).fetch_one(&self.reads).await?;
        Ok(sqlx::Row::try_get::<i64, _>(&row, 0)? == 0)
    }

    /// Destroys, before the hub opens, the wraps of every listed data key that this database does not know to be
    /// destroyed: it was restored from a backup that is older than their end. Can be repeated at any point.
    /// Gives how many they were, and all that the database itself knows of.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn shred_again(
        url: &str,
        listed_elsewhere: &[DataKeyId],
        at: Timestamp,
    ) -> Result<(usize, Vec<DataKeyId>), LedgerError> {
        let mut on = super::connect::writer(url, super::dialect(url)?).await?;
        let known = listed(&mut on).await?;
        let mut again = 0;
        for id in listed_elsewhere.iter().filter(|id| known.binary_search(id).is_err()) {
            sqlx::query(DELETE_WRAPS).bind(id.to_string()).execute(&mut on).await?;
            let row = ShredRow { data_key: *id, at };
            row.bind(sqlx::query(ShredRow::INSERT.one)).execute(&mut on).await?;
            again += 1;
        }
        if again > 0 && super::dialect(url)? == Dialect::Sqlite {
            sqlx::query(TRUNCATE_WAL).fetch_one(&mut on).await?;
        }
        sqlx::Connection::close(on).await?;
        Ok((again, known))
    }
}

/// Sorted, as the text of ids sorts like the ids.
async fn listed(on: &mut AnyConnection) -> Result<Vec<DataKeyId>, LedgerError> {
    let mut found = Vec::new();
    loop {
        let after = found.last().map_or_else(String::new, DataKeyId::to_string);
        let page = sqlx::query(LISTED).bind(after).bind(PAGE).fetch_all(&mut *on).await?;
        for row in &page {
            found.push(super::values::Column::read(row, 0)?);
        }
        if (page.len() as i64) < PAGE {
            return Ok(found);
        }
    }
}

impl PutHold {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(self.0.bind(sqlx::query(HoldRow::INSERT.one)).execute(on).await?.rows_affected())
    }
}

impl LiftHold {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(LIFT)
            .bind(self.id.to_string())
            .bind(self.by.to_string())
            .bind(self.at.as_microsecond())
            .bind(self.reason.clone())
            .execute(on)
            .await?
            .rows_affected())
    }
}

impl Unheld {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(UNHELD).bind(self.0.to_string()).execute(on).await?.rows_affected())
    }
}

impl ShredKey {
    /// One if there was anything to destroy.
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let gone = sqlx::query(DELETE_WRAPS).bind(self.0.to_string()).execute(on).await?.rows_affected();
        Ok(gone.min(1))
    }
}

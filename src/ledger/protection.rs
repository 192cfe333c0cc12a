//! Protections. Who is hidden from whom is the most sensitive there is: no column says it, nor which case it is about.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    content::DataKeyRow,
    leg::LegRow,
    text::statements,
    values::{Column as _, LAST, Row as _, table},
};
use crate::domain::{
    chain::Hash,
    ids::{AgencyId, CaseId, DataKeyId, LegId, ProtectionId},
};

table! {
    /// A protection in its newest version. `place` is a keyed hash of what it protects; none once it is released.
    ProtectionRow = "protection" {
        id: ProtectionId,
        owner: AgencyId,
        place: Option<Hash>,
        version: i64,
        data_key: DataKeyId,
        changed_at: Timestamp,
    }
}

table! {
    /// One version of a protection, sealed whole.
    ProtectionVersionRow = "protection_version" {
        protection: ProtectionId,
        version: i64,
        body: Vec<u8>,
        at: Timestamp,
    }
}

/// A protection as a decision finds it: without its body or its key it is there and cannot be read.
pub struct FoundProtection {
    pub row: ProtectionRow,
    pub body: Option<Vec<u8>>,
    pub key: Option<DataKeyRow>,
}

/// A new protection, if its place has none.
pub struct PutProtection(pub ProtectionRow);

/// Moves a protection on, if it has the version that was read.
pub struct MoveProtection {
    pub id: ProtectionId,
    pub from_version: i64,
    pub place: Option<Hash>,
    pub at: Timestamp,
}

/// What was decided on: this version of the protection of a place, or that there is none. Asked after the steps that
/// lock the leg, so that of a disclosure and a protection one comes first.
pub struct HoldProtection {
    pub place: Hash,
    pub version: Option<i64>,
}

/// Holds a leg still until the commit, if its chain is where it was read.
pub struct HoldLeg {
    pub id: LegId,
    pub seq: i64,
}

statements! {
    AT = ["SELECT p.*, v.body, k.kek, k.wrapped FROM (SELECT ", ProtectionRow::COLUMNS,
        " FROM protection WHERE place IN ($1, $2)) p ",
        "LEFT JOIN protection_version v ON v.protection = p.id AND v.version = p.version ",
        "LEFT JOIN data_key k ON k.id = p.data_key AND k.agency = p.owner"];
    OWNED = ["SELECT ", ProtectionRow::COLUMNS, " FROM protection WHERE id = $1 AND owner = $2"];
    LIST = ["SELECT ", ProtectionRow::COLUMNS, " FROM protection WHERE owner = $1 AND id < $2 ORDER BY id DESC LIMIT $3"];
    VERSION = ["SELECT ", ProtectionVersionRow::COLUMNS,
        " FROM protection_version WHERE protection = $1 AND version = $2"];
    LEGS_OF_CASE = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE leg.referral IN ",
        "(SELECT referral.id FROM referral WHERE owner = $1 AND case_id = $2) ORDER BY id"];
    STANDS = ["SELECT version FROM protection WHERE place = $1"];
    MOVE = ["UPDATE protection SET version = version + 1, place = $3, changed_at = $4 WHERE id = $1 AND version = $2"];
    HOLD_LEG = ["UPDATE leg SET head_seq = head_seq WHERE id = $1 AND head_seq = $2"];
}

impl Ledger {
    /// What protects these places, for a decision of the hub: at most two, a case and one of its referrals.
    pub async fn protections_at(
        &self,
        first: &Hash,
        second: &Hash,
    ) -> Result<Vec<FoundProtection>, LedgerError> {
        let places = [first, second].map(|place| place.bytes().to_vec());
        let statement = places.into_iter().fold(sqlx::query(AT), sqlx::query::Query::bind);
        let mut found = Vec::new();
        for row in statement.fetch_all(&self.reads).await? {
            let protection = ProtectionRow::read(&row)?;
            let at = ProtectionRow::WIDTH;
            let (kek, wrapped) =
                (Option::<String>::read(&row, at + 1)?, Option::<Vec<u8>>::read(&row, at + 2)?);
            let key = kek.zip(wrapped).map(|(kek, wrapped)| DataKeyRow {
                id: protection.data_key,
                agency: protection.owner,
                kek,
                wrapped,
            });
            found.push(FoundProtection { body: Option::read(&row, at)?, key, row: protection });
        }
        Ok(found)
    }

    /// A protection the caller's agency keeps.
    pub async fn protection(
        &self,
        scope: Scope,
        id: ProtectionId,
    ) -> Result<Option<ProtectionRow>, LedgerError> {
        self.one(sqlx::query(OWNED).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The caller's own protections, newest first, by keyset.
    pub async fn protections(
        &self,
        scope: Scope,
        before: Option<ProtectionId>,
        limit: i64,
    ) -> Result<Vec<ProtectionRow>, LedgerError> {
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        self.many(sqlx::query(LIST).bind(scope.agency().to_string()).bind(before).bind(limit)).await
    }

    /// One version of a protection that the caller has read under its scope.
    pub async fn protection_version(
        &self,
        of: &ProtectionRow,
        version: i64,
    ) -> Result<Option<ProtectionVersionRow>, LedgerError> {
        self.one(sqlx::query(VERSION).bind(of.id.to_string()).bind(version)).await
    }

    /// The legs of all of the caller's referrals about a case.
    pub async fn legs_of_case(&self, scope: Scope, case: CaseId) -> Result<Vec<LegRow>, LedgerError> {
        self.many(sqlx::query(LEGS_OF_CASE).bind(scope.agency().to_string()).bind(case.to_string())).await
    }
}

impl PutProtection {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(self.0.bind(sqlx::query(ProtectionRow::INSERT.one)).execute(on).await?.rows_affected())
    }
}

impl MoveProtection {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(MOVE)
            .bind(self.id.to_string())
            .bind(self.from_version)
            .bind(self.place.map(|place| place.bytes().to_vec()))
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

impl HoldProtection {
    /// One if it stands as it was read, none if not.
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let row = sqlx::query(STANDS).bind(self.place.bytes().to_vec()).fetch_optional(on).await?;
        let version = row.map(|row| sqlx::Row::try_get::<i64, _>(&row, 0)).transpose()?;
        Ok(u64::from(version == self.version))
    }
}

impl HoldLeg {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(HOLD_LEG).bind(self.id.to_string()).bind(self.seq).execute(on).await?.rows_affected())
    }
}

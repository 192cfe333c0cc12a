//! Directory rows: agencies and their staff.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{table, text_columns},
};
use crate::domain::{
    agency::{AgencyKind, Body},
    chain::Hash,
    ids::{AgencyId, DataKeyId, StaffId},
    municipality::MunicipalityCode,
    staff::StaffRole,
};

text_columns!(AgencyKind, Body, StaffRole, MunicipalityCode);

table! {
    /// An agency. Its name is that of an organisation, so it stands in clear.
    AgencyRow = "agency" {
        id: AgencyId,
        kind: AgencyKind,
        name: String,
        municipality: MunicipalityCode,
        corporate_number: Option<String>,
        body: Body,
        contractor_of: Option<MunicipalityCode>,
        active: i64,
        secret_mac: Hash,
        data_key: DataKeyId,
        version: i64,
        created_at: Timestamp,
    }
}

table! {
    /// A member of an agency's staff; the name is sealed under the agency's data key.
    StaffRow = "staff" {
        id: StaffId,
        agency: AgencyId,
        role: StaffRole,
        active: i64,
        name: Vec<u8>,
        created_at: Timestamp,
    }
}

/// A new client secret, if the agency still has the version that was read.
pub struct RotateSecret {
    pub agency: AgencyId,
    pub from_version: i64,
    pub secret_mac: Hash,
}

statements! {
    AGENCY = ["SELECT ", AgencyRow::COLUMNS, " FROM agency WHERE id = $1"];
    FOUR_AGENCIES = ["SELECT ", AgencyRow::COLUMNS, " FROM agency WHERE id IN ($1, $2, $3, $4)"];
    SIXTEEN_AGENCIES = ["SELECT ", AgencyRow::COLUMNS,
        " FROM agency WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"];
    AGENCIES = ["SELECT ", AgencyRow::COLUMNS, " FROM agency WHERE id > $1 ORDER BY id LIMIT $2"];
    AGENCIES_OF_KIND = ["SELECT ", AgencyRow::COLUMNS,
        " FROM agency WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3"];
    ROTATE = ["UPDATE agency SET secret_mac = $3, version = version + 1 WHERE id = $1 AND version = $2"];
    STAFF = ["SELECT ", StaffRow::COLUMNS, " FROM staff WHERE id = $1 AND agency = $2"];
    STAFF_LIST = ["SELECT ", StaffRow::COLUMNS, " FROM staff WHERE agency = $1 AND id > $2 ORDER BY id LIMIT $3"];
}

impl Ledger {
    /// One agency of the directory. The directory is common knowledge among agencies.
    pub async fn agency(&self, id: AgencyId) -> Result<Option<AgencyRow>, LedgerError> {
        self.one(sqlx::query(AGENCY).bind(id.to_string())).await
    }

    /// Up to sixteen agencies in one round trip, in no promised order; unknown ids are left out.
    pub async fn agencies_by_id(&self, ids: &[AgencyId]) -> Result<Vec<AgencyRow>, LedgerError> {
        let Some(last) = ids.last() else { return Ok(Vec::new()) };
        let (text, places) = if ids.len() <= 4 { (FOUR_AGENCIES, 4) } else { (SIXTEEN_AGENCIES, 16) };
        let filled = ids.iter().chain(std::iter::repeat(last)).take(places);
        let statement = filled.fold(sqlx::query(text), |s, id| s.bind(id.to_string()));
        self.many(statement).await
    }

    /// The directory by keyset.
    pub async fn agencies(
        &self,
        kind: Option<AgencyKind>,
        after: Option<AgencyId>,
        limit: i64,
    ) -> Result<Vec<AgencyRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.many(match kind {
            None => sqlx::query(AGENCIES).bind(after).bind(limit),
            Some(kind) => sqlx::query(AGENCIES_OF_KIND).bind(kind.code()).bind(after).bind(limit),
        })
        .await
    }

    /// A member of the caller's own staff.
    pub async fn staff(&self, scope: Scope, id: StaffId) -> Result<Option<StaffRow>, LedgerError> {
        self.one(sqlx::query(STAFF).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The caller's own staff by keyset.
    pub async fn staff_list(
        &self,
        scope: Scope,
        after: Option<StaffId>,
        limit: i64,
    ) -> Result<Vec<StaffRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.many(sqlx::query(STAFF_LIST).bind(scope.agency().to_string()).bind(after).bind(limit)).await
    }
}

impl RotateSecret {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(ROTATE)
            .bind(self.agency.to_string())
            .bind(self.from_version)
            .bind(self.secret_mac.bytes().to_vec())
            .execute(on)
            .await?
            .rows_affected())
    }
}

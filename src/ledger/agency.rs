//! Directory rows: agencies and their staff.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{Column, Statement, table, text_columns},
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

table! {
    /// One of the texts by which names that look alike find each other.
    NameKeyRow = "agency_name_key" {
        agency: AgencyId,
        name_key: String,
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
    WITHOUT_NAME_KEYS = ["SELECT ", AgencyRow::COLUMNS, " FROM agency WHERE id > $1 AND NOT EXISTS ",
        "(SELECT 1 FROM agency_name_key WHERE agency_name_key.agency = agency.id) ORDER BY id LIMIT $2"];
    // A subquery for one value: as a join, a planner may begin with all agencies.
    LOOK_ALIKES = ["SELECT DISTINCT mine.agency, other.agency FROM agency_name_key AS mine ",
        "JOIN agency_name_key AS other ON other.name_key = mine.name_key AND other.agency <> mine.agency ",
        "WHERE (SELECT active FROM agency WHERE agency.id = other.agency) = 1 AND mine.agency IN ",
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) LIMIT $17"];
    // A leg sent in error, or never visible, does not make its recipient a known one. Nor does a notice: whoever is not
    // asked any more would learn of it.
    SENT_BEFORE = ["SELECT agency.id FROM agency WHERE agency.id IN ",
        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AND EXISTS (SELECT 1 FROM leg ",
        "WHERE leg.sender = $1 AND leg.recipient = agency.id AND leg.state <> 'entered_in_error' AND ",
        "leg.kind <> 'TSUKOKU' AND ",
        "(SELECT state FROM delivery WHERE delivery.id = leg.delivery) <> 'stopped')"];
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

    /// Active agencies whose name is confusingly near to that of one of these: (one of these, the other), at most
    /// `limit` pairs.
    pub async fn look_alikes(
        &self,
        ids: &[AgencyId],
        limit: i64,
    ) -> Result<Vec<(AgencyId, AgencyId)>, LedgerError> {
        let Some(statement) = sixteen(sqlx::query(LOOK_ALIKES), ids) else { return Ok(Vec::new()) };
        let rows = statement.bind(limit).fetch_all(&self.reads).await?;
        rows.iter().map(|row| Ok((Column::read(row, 0)?, Column::read(row, 1)?))).collect()
    }

    /// Those of these agencies to whom the caller has sent before.
    pub async fn sent_before(&self, scope: Scope, ids: &[AgencyId]) -> Result<Vec<AgencyId>, LedgerError> {
        let statement = sqlx::query(SENT_BEFORE).bind(scope.agency().to_string());
        let Some(statement) = sixteen(statement, ids) else { return Ok(Vec::new()) };
        statement.fetch_all(&self.reads).await?.iter().map(|row| Column::read(row, 0)).collect()
    }

    /// For the hub itself: agencies that were registered before names were compared.
    pub async fn agencies_without_name_keys(
        &self,
        after: Option<AgencyId>,
        limit: i64,
    ) -> Result<Vec<AgencyRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.many(sqlx::query(WITHOUT_NAME_KEYS).bind(after).bind(limit)).await
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

/// Binds up to sixteen ids, the last one as often as there is room; `None` for no id.
fn sixteen(statement: Statement, ids: &[AgencyId]) -> Option<Statement> {
    let filled = ids.iter().chain(std::iter::repeat(ids.last()?)).take(16);
    Some(filled.fold(statement, |s, id| s.bind(id.to_string())))
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

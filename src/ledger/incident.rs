//! Incidents: what was sent by mistake. States, clocks and ids stand in clear; what happened is sealed.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{LAST, table, text_columns},
};
use crate::domain::{
    ids::{AgencyId, DataKeyId, IncidentId, LegId, StaffId},
    incident::IncidentState,
};

text_columns!(IncidentState);

table! {
    /// An incident of the agency that sent the leg. A near miss has no clocks.
    IncidentRow = "incident" {
        id: IncidentId,
        agency: AgencyId,
        leg: LegId,
        state: IncidentState,
        version: i64,
        known_at: Timestamp,
        preliminary_due: Option<Timestamp>,
        full_due: Option<Timestamp>,
        data_key: DataKeyId,
        body: Vec<u8>,
        closing: Option<Vec<u8>>,
        closed_by: Option<StaffId>,
        changed_at: Timestamp,
    }
}

/// Closes an incident, if it has the version that was read and is still open.
pub struct CloseIncident {
    pub id: IncidentId,
    pub from_version: i64,
    pub closing: Vec<u8>,
    pub closed_by: StaffId,
    pub at: Timestamp,
}

statements! {
    OWN = ["SELECT ", IncidentRow::COLUMNS, " FROM incident WHERE id = $1 AND agency = $2"];
    OF_LEG = ["SELECT ", IncidentRow::COLUMNS, " FROM incident WHERE leg = $1 AND agency = $2"];
    LIST = ["SELECT ", IncidentRow::COLUMNS,
        " FROM incident WHERE agency = $1 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4"];
    CLOSE = ["UPDATE incident SET state = 'closed', version = version + 1, closing = $3, closed_by = $4, changed_at = $5 ",
        "WHERE id = $1 AND version = $2 AND state = 'open'"];
}

impl Ledger {
    /// An incident of the caller's own agency.
    pub async fn incident(&self, scope: Scope, id: IncidentId) -> Result<Option<IncidentRow>, LedgerError> {
        self.one(sqlx::query(OWN).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The incident of a leg that the caller sent.
    pub async fn incident_of(&self, scope: Scope, leg: LegId) -> Result<Option<IncidentRow>, LedgerError> {
        self.one(sqlx::query(OF_LEG).bind(leg.to_string()).bind(scope.agency().to_string())).await
    }

    /// The caller's own incidents in one state, newest first, by keyset.
    pub async fn incidents(
        &self,
        scope: Scope,
        state: IncidentState,
        before: Option<IncidentId>,
        limit: i64,
    ) -> Result<Vec<IncidentRow>, LedgerError> {
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        let statement =
            sqlx::query(LIST).bind(scope.agency().to_string()).bind(state.code()).bind(before).bind(limit);
        self.many(statement).await
    }
}

impl CloseIncident {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(CLOSE)
            .bind(self.id.to_string())
            .bind(self.from_version)
            .bind(self.closing.clone())
            .bind(self.closed_by.to_string())
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

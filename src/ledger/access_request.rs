//! Disclosure requests: state and deadline stand in clear; who asks about whom is sealed, version by version.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{LAST, table, text_columns},
};
use crate::domain::{
    access_request::AccessState,
    ids::{AccessRequestId, AgencyId, DataKeyId},
};

text_columns!(AccessState);

table! {
    /// A request in its newest version.
    AccessRequestRow = "access_request" {
        id: AccessRequestId,
        agency: AgencyId,
        state: AccessState,
        version: i64,
        due_at: Timestamp,
        data_key: DataKeyId,
        changed_at: Timestamp,
    }
}

table! {
    /// One version of a request, sealed whole.
    AccessRequestVersionRow = "access_request_version" {
        request: AccessRequestId,
        version: i64,
        body: Vec<u8>,
        at: Timestamp,
    }
}

/// Moves a request on, if it has the version that was read.
pub struct MoveAccessRequest {
    pub id: AccessRequestId,
    pub from_version: i64,
    pub state: AccessState,
    pub due_at: Timestamp,
    pub at: Timestamp,
}

statements! {
    OWN = ["SELECT ", AccessRequestRow::COLUMNS, " FROM access_request WHERE id = $1 AND agency = $2"];
    LIST = ["SELECT ", AccessRequestRow::COLUMNS,
        " FROM access_request WHERE agency = $1 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4"];
    VERSION = ["SELECT ", AccessRequestVersionRow::COLUMNS,
        " FROM access_request_version WHERE request = $1 AND version = $2"];
    MOVE = ["UPDATE access_request SET version = version + 1, state = $3, due_at = $4, changed_at = $5 ",
        "WHERE id = $1 AND version = $2"];
}

impl Ledger {
    /// A request to the caller's own agency.
    pub async fn access_request(
        &self,
        scope: Scope,
        id: AccessRequestId,
    ) -> Result<Option<AccessRequestRow>, LedgerError> {
        self.one(sqlx::query(OWN).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The requests to the caller's own agency in one state, newest first, by keyset.
    pub async fn access_requests(
        &self,
        scope: Scope,
        state: AccessState,
        before: Option<AccessRequestId>,
        limit: i64,
    ) -> Result<Vec<AccessRequestRow>, LedgerError> {
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        let statement =
            sqlx::query(LIST).bind(scope.agency().to_string()).bind(state.code()).bind(before).bind(limit);
        self.many(statement).await
    }

    /// One version of a request that the caller has read under its scope.
    pub async fn access_request_version(
        &self,
        of: &AccessRequestRow,
        version: i64,
    ) -> Result<Option<AccessRequestVersionRow>, LedgerError> {
        self.one(sqlx::query(VERSION).bind(of.id.to_string()).bind(version)).await
    }
}

impl MoveAccessRequest {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(MOVE)
            .bind(self.id.to_string())
            .bind(self.from_version)
            .bind(self.state.code())
            .bind(self.due_at.as_microsecond())
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

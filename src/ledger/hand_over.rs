//! The newest hand-over of each case: a family is handed over to one agency at a time.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{Row as _, table},
};
use crate::domain::ids::{AgencyId, CaseId, LegId};

table! {
    /// The leg by which a case was last handed over. How that went is the leg's to say.
    HandOverRow = "hand_over" {
        owner: AgencyId,
        case_id: CaseId,
        leg: LegId,
        at: Timestamp,
    }
}

/// Makes a leg the newest hand-over of its case, if the newest one is the one that was read, or there was none.
pub struct ClaimHandOver {
    pub row: HandOverRow,
    pub after: Option<LegId>,
}

statements! {
    NEWEST = ["SELECT ", HandOverRow::COLUMNS, " FROM hand_over WHERE owner = $1 AND case_id = $2"];
    REPLACE = ["UPDATE hand_over SET leg = $3, at = $4 WHERE owner = $1 AND case_id = $2 AND leg = $5"];
}

impl Ledger {
    /// The newest hand-over of a case of the caller's own.
    pub async fn hand_over(&self, scope: Scope, case: CaseId) -> Result<Option<HandOverRow>, LedgerError> {
        self.one(sqlx::query(NEWEST).bind(scope.agency().to_string()).bind(case.to_string())).await
    }
}

impl ClaimHandOver {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let statement = match self.after {
            None => self.row.bind(sqlx::query(HandOverRow::INSERT.one)),
            Some(after) => self.row.bind(sqlx::query(REPLACE)).bind(after.to_string()),
        };
        Ok(statement.execute(on).await?.rows_affected())
    }
}

//! Requests to holders of a copy that is asked back. Ids, codes and times only; what a holder wrote is sealed in the
//! event of the leg.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{table, text_columns},
};
use crate::domain::{
    holding::{HoldingCause, HoldingState},
    ids::{AgencyId, ConsentId, DeliveryId, LegId, StaffId},
};

text_columns!(HoldingCause, HoldingState);

table! {
    /// One request: whose copy of which leg, since when, and the answer.
    HoldingRow = "holding" {
        leg: LegId,
        delivery: DeliveryId,
        sender: AgencyId,
        recipient: AgencyId,
        consent: Option<ConsentId>,
        cause: HoldingCause,
        state: HoldingState,
        asked_at: Timestamp,
        due_at: Timestamp,
        answered_at: Option<Timestamp>,
        staff: Option<StaffId>,
    }
}

/// Records a holder's answer, if it has not answered yet.
pub struct AnswerHolding {
    pub leg: LegId,
    pub state: HoldingState,
    pub staff: StaffId,
    pub at: Timestamp,
}

statements! {
    OF_LEG = ["SELECT ", HoldingRow::COLUMNS, " FROM holding WHERE leg = $1"];
    OF_CONSENT = ["SELECT ", HoldingRow::COLUMNS, " FROM holding WHERE consent = $1 ORDER BY leg"];
    INBOX = ["SELECT ", HoldingRow::COLUMNS, " FROM holding WHERE recipient = $1 AND state = 'asked' AND cause = $2 AND ",
        "leg > $3 ORDER BY leg LIMIT $4"];
    OPEN = ["SELECT COUNT(*) FROM holding WHERE recipient = $1 AND state = 'asked'"];
    ANSWER = ["UPDATE holding SET state = $2, staff = $3, answered_at = $4 WHERE leg = $1 AND state = 'asked'"];
}

impl Ledger {
    /// The request about a leg that the caller has read under its scope.
    pub async fn holding_of(&self, leg: LegId) -> Result<Option<HoldingRow>, LedgerError> {
        self.one(sqlx::query(OF_LEG).bind(leg.to_string())).await
    }

    /// The requests about legs of a consent. For its keeper, and for the hub.
    pub async fn holdings_under(&self, consent: ConsentId) -> Result<Vec<HoldingRow>, LedgerError> {
        self.many(sqlx::query(OF_CONSENT).bind(consent.to_string())).await
    }

    /// What the caller is asked about its copies and has not answered, by keyset.
    pub async fn requests(
        &self,
        scope: Scope,
        cause: HoldingCause,
        after: Option<LegId>,
        limit: i64,
    ) -> Result<Vec<HoldingRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let statement =
            sqlx::query(INBOX).bind(scope.agency().to_string()).bind(cause.code()).bind(after).bind(limit);
        self.many(statement).await
    }

    /// How many requests an agency has not answered.
    pub async fn open_requests(&self, scope: Scope) -> Result<i64, LedgerError> {
        let statement = sqlx::query_scalar(OPEN).bind(scope.agency().to_string());
        Ok(statement.fetch_one(&self.reads).await?)
    }
}

impl AnswerHolding {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(ANSWER)
            .bind(self.leg.to_string())
            .bind(self.state.code())
            .bind(self.staff.to_string())
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

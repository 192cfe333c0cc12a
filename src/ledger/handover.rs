//! Hand-over addresses: who may send to whom without knowing it. Of whom a hand-over is stands nowhere here.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{LAST, table, text_columns},
};
use crate::domain::{
    handover::HandoverState,
    ids::{AgencyId, ConsentId, HandoverId, LegId, StaffId},
};

text_columns!(HandoverState);

table! {
    /// A hand-over address. `address` stands for the recipient in everything its sender sees, and for the sender in
    /// the lists of its recipient. `front` is the leg the sender sees, `back` the one the recipient sees.
    HandoverRow = "handover" {
        id: HandoverId,
        owner: AgencyId,
        address: AgencyId,
        sender: AgencyId,
        recipient: AgencyId,
        consent: ConsentId,
        state: HandoverState,
        version: i64,
        valid_until: Timestamp,
        made_by: StaffId,
        front: Option<LegId>,
        back: Option<LegId>,
        look_at: Option<Timestamp>,
        created_at: Timestamp,
        changed_at: Timestamp,
    }
}

/// Moves an address on, if it has the version that was read. A use and a revocation exclude each other by it.
pub struct MoveHandover {
    pub id: HandoverId,
    pub from_version: i64,
    pub state: HandoverState,
    pub front: Option<LegId>,
    pub back: Option<LegId>,
    pub look_at: Option<Timestamp>,
    pub at: Timestamp,
}

statements! {
    OWNED = ["SELECT ", HandoverRow::COLUMNS, " FROM handover WHERE id = $1 AND owner = $2"];
    BY_ADDRESS = ["SELECT ", HandoverRow::COLUMNS, " FROM handover WHERE address = $1"];
    LIST = ["SELECT ", HandoverRow::COLUMNS, " FROM handover WHERE owner = $1 AND id < $2 ORDER BY id DESC LIMIT $3"];
    LOOK = ["SELECT ", HandoverRow::COLUMNS,
        " FROM handover WHERE state = 'used' AND look_at <= $1 ORDER BY look_at LIMIT $2"];
    MOVE = ["UPDATE handover SET state = $3, front = $4, back = $5, look_at = $6, changed_at = $7, ",
        "version = version + 1 WHERE id = $1 AND version = $2"];
}

impl Ledger {
    /// An address that the caller's agency gave.
    pub async fn handover(&self, scope: Scope, id: HandoverId) -> Result<Option<HandoverRow>, LedgerError> {
        self.one(sqlx::query(OWNED).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// For the hub itself: what an address stands for. Neither party may see it.
    pub async fn handover_at(&self, address: AgencyId) -> Result<Option<HandoverRow>, LedgerError> {
        self.one(sqlx::query(BY_ADDRESS).bind(address.to_string())).await
    }

    /// The addresses the caller's agency gave, newest first, by keyset.
    pub async fn handovers(
        &self,
        scope: Scope,
        before: Option<HandoverId>,
        limit: i64,
    ) -> Result<Vec<HandoverRow>, LedgerError> {
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        self.many(sqlx::query(LIST).bind(scope.agency().to_string()).bind(before).bind(limit)).await
    }

    /// For the hub itself: used addresses of which it is time to look whether the copy was taken.
    pub async fn handovers_to_look_at(
        &self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<HandoverRow>, LedgerError> {
        self.many(sqlx::query(LOOK).bind(now.as_microsecond()).bind(limit)).await
    }
}

impl MoveHandover {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(MOVE)
            .bind(self.id.to_string())
            .bind(self.from_version)
            .bind(self.state.code())
            .bind(self.front.map(|leg| leg.to_string()))
            .bind(self.back.map(|leg| leg.to_string()))
            .bind(self.look_at.map(Timestamp::as_microsecond))
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_in_the_statement_is_the_domains() {
        assert!(LOOK.contains(&format!("state = '{}'", HandoverState::Used)));
    }
}

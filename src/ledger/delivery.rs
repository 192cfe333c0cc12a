//! The inbox: one row per copy, written by the transaction that accepts the referral.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{table, text_columns},
};
use crate::domain::{
    delivery::DeliveryState,
    ids::{AgencyId, DeliveryId, LegId},
    referral::Urgency,
};

text_columns!(DeliveryState);

table! {
    /// The copy for one recipient. (leg, seq) is unique: nothing can be in an inbox twice.
    DeliveryRow = "delivery" {
        id: DeliveryId,
        leg: LegId,
        seq: i64,
        recipient: AgencyId,
        urgency: Urgency,
        state: DeliveryState,
        disclosed_at: Option<Timestamp>,
        created_at: Timestamp,
        changed_at: Timestamp,
        release_at: Option<Timestamp>,
        released_at: Option<Timestamp>,
    }
}

impl DeliveryRow {
    /// When it came into the inbox.
    pub fn arrived_at(&self) -> Timestamp {
        self.released_at.unwrap_or(self.created_at)
    }
}

/// Moves a copy on, if it is in the state it was read in and was not disclosed meanwhile.
pub struct MoveDelivery {
    pub id: DeliveryId,
    pub from: DeliveryState,
    /// `disclosed_at` as it was read.
    pub from_disclosed: Option<Timestamp>,
    pub to: DeliveryState,
    /// Set when a sealed document is about to be published: from then on nothing can stop that copy.
    pub disclosed_at: Option<Timestamp>,
    pub at: Timestamp,
}

statements! {
    OF_RECIPIENT = ["SELECT ", DeliveryRow::COLUMNS,
        " FROM delivery WHERE id = $1 AND recipient = $2 AND state NOT IN ('held', 'stopped')"];
    DUE = ["SELECT ", DeliveryRow::COLUMNS,
        " FROM delivery WHERE state = 'held' AND release_at <= $1 ORDER BY release_at LIMIT $2"];
    BY_ID = ["SELECT ", DeliveryRow::COLUMNS, " FROM delivery WHERE id = $1"];
    INBOX = ["SELECT ", DeliveryRow::COLUMNS,
        " FROM delivery WHERE recipient = $1 AND state = $2 AND leg > $3 ORDER BY leg LIMIT $4"];
    WAITING = ["SELECT COUNT(*) FROM delivery WHERE recipient = $1 AND state = 'waiting'"];
    WITHOUT_DOORBELL = ["SELECT ", DeliveryRow::COLUMNS, " FROM delivery WHERE state = 'waiting' AND created_at > $1 AND ",
        "created_at <= $2 AND NOT EXISTS (SELECT 1 FROM job WHERE job.subject = delivery.id AND ",
        "job.kind = 'doorbell.waiting') ORDER BY created_at LIMIT $3"];
    // No time is negative, so -1 stands for "not disclosed" on both sides of the guard.
    MOVE = ["UPDATE delivery SET state = $4, changed_at = $5 ",
        "WHERE id = $1 AND state = $2 AND COALESCE(disclosed_at, -1) = $3"];
    RELEASE = ["UPDATE delivery SET state = $4, changed_at = $5, released_at = $5 ",
        "WHERE id = $1 AND state = $2 AND COALESCE(disclosed_at, -1) = $3"];
    DISCLOSE = ["UPDATE delivery SET state = $4, changed_at = $5, disclosed_at = $6 ",
        "WHERE id = $1 AND state = $2 AND COALESCE(disclosed_at, -1) = $3"];
}

impl Ledger {
    /// A copy made for the caller, if it may know of it: what is held back, or was stopped while it was, is to its
    /// recipient as if it were not there.
    pub async fn delivery(&self, scope: Scope, id: DeliveryId) -> Result<Option<DeliveryRow>, LedgerError> {
        self.one(sqlx::query(OF_RECIPIENT).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The copy of a leg that the caller has read under its scope.
    pub async fn delivery_of(&self, leg: &super::leg::LegRow) -> Result<Option<DeliveryRow>, LedgerError> {
        self.one(sqlx::query(BY_ID).bind(leg.delivery.to_string())).await
    }

    /// For the hub itself: the copy a job is about.
    pub async fn delivery_by_id(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, LedgerError> {
        self.one(sqlx::query(BY_ID).bind(id.to_string())).await
    }

    /// For the hub itself: copies held back whose time has come, the longest due first.
    pub async fn due_for_release(&self, now: Timestamp, limit: i64) -> Result<Vec<DeliveryRow>, LedgerError> {
        self.many(sqlx::query(DUE).bind(now.as_microsecond()).bind(limit)).await
    }

    /// The caller's inbox in one state, oldest first, by keyset over the leg.
    pub async fn inbox(
        &self,
        scope: Scope,
        state: DeliveryState,
        after: Option<LegId>,
        limit: i64,
    ) -> Result<Vec<DeliveryRow>, LedgerError> {
        if !state.visible() {
            return Ok(Vec::new());
        }
        let after = after.map_or_else(String::new, |id| id.to_string());
        let statement =
            sqlx::query(INBOX).bind(scope.agency().to_string()).bind(state.code()).bind(after).bind(limit);
        self.many(statement).await
    }

    /// For the hub itself: copies made after `after`, up to and with `until`, that wait and of which nobody was ever
    /// to be told. There are none, unless something went wrong.
    pub async fn without_doorbell(
        &self,
        after: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<DeliveryRow>, LedgerError> {
        let statement = sqlx::query(WITHOUT_DOORBELL)
            .bind(after.as_microsecond())
            .bind(until.as_microsecond())
            .bind(limit);
        self.many(statement).await
    }

    /// How many copies wait unread for an agency.
    pub async fn waiting_count(&self, scope: Scope) -> Result<i64, LedgerError> {
        let statement = sqlx::query_scalar(WAITING).bind(scope.agency().to_string());
        Ok(statement.fetch_one(&self.reads).await?)
    }
}

impl MoveDelivery {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let text = match (self.disclosed_at, self.from) {
            (Some(_), _) => DISCLOSE,
            (None, DeliveryState::Held) if self.to.visible() => RELEASE,
            _ => MOVE,
        };
        let statement = sqlx::query(text)
            .bind(self.id.to_string())
            .bind(self.from.code())
            .bind(self.from_disclosed.map_or(-1, Timestamp::as_microsecond))
            .bind(self.to.code())
            .bind(self.at.as_microsecond());
        let statement = match self.disclosed_at {
            Some(at) => statement.bind(at.as_microsecond()),
            None => statement,
        };
        Ok(statement.execute(on).await?.rows_affected())
    }
}

//! Legs, the events sender and recipient share, and the manifest of what was sent.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    notice::{NO_NOTICE, Reading, seen_leg},
    text::statements,
    values::{LAST, table, text_columns},
};
use crate::code_list;
use crate::domain::{
    basis::BasisCode,
    chain::Hash,
    ids::{AgencyId, ConsentId, DeliveryId, LegId, ReferralId, StaffId},
    leg::LegState,
    referral::{ReferralType, Urgency},
};

text_columns!(LegState, BasisCode);

table! {
    /// A leg. `head_seq` is its version: every change is guarded by it.
    LegRow = "leg" {
        id: LegId,
        referral: ReferralId,
        place: i64,
        sender: AgencyId,
        recipient: AgencyId,
        delivery: DeliveryId,
        kind: ReferralType,
        urgency: Urgency,
        basis: Option<BasisCode>,
        consent: Option<ConsentId>,
        consent_version: Option<i64>,
        state: LegState,
        head_seq: i64,
        head_hash: Hash,
        last_receipt: Hash,
        manifest_hash: Hash,
        commitment: Hash,
        clock_kind: Option<String>,
        clock_started: Option<Timestamp>,
        clock_due: Option<Timestamp>,
        reply_by: Option<Timestamp>,
        body: Vec<u8>,
        created_at: Timestamp,
        changed_at: Timestamp,
    }
}

table! {
    /// One link of a leg's chain. `jws` is there where no receipt covers the event.
    LegEventRow = "leg_event" {
        leg: LegId,
        seq: i64,
        kind: String,
        from_state: LegState,
        to_state: LegState,
        agency: Option<AgencyId>,
        staff: Option<StaffId>,
        body: Option<Vec<u8>>,
        commitment: Option<Hash>,
        prev_hash: Option<Hash>,
        hash: Hash,
        jws: Option<String>,
        at: Timestamp,
    }
}

table! {
    /// The signed list of salted digests of every field sent.
    ManifestRow = "manifest" {
        leg: LegId,
        version: i64,
        jws: String,
    }
}

/// Moves a leg on by `steps` events, if its head is where it was read.
pub struct MoveLeg {
    pub id: LegId,
    pub from_seq: i64,
    pub to_seq: i64,
    pub state: LegState,
    pub head_hash: Hash,
    pub last_receipt: Hash,
    pub at: Timestamp,
}

code_list! {
    /// On which side of its legs an agency looks.
    Side, "side of a leg" {
        Sender = "sender", "差出側", "sender";
        Recipient = "recipient", "宛先側", "recipient";
    }
}

/// What is held back, or was stopped while it was, is to its recipient as if it were not there.
macro_rules! visible {
    () => {
        "EXISTS (SELECT 1 FROM delivery WHERE delivery.id = leg.delivery AND delivery.state NOT IN ('held', 'stopped'))"
    };
}

/// A time: its first moment, and the first one after it.
#[derive(Clone, Copy)]
pub struct Window {
    pub from: Timestamp,
    pub before: Timestamp,
}

statements! {
    OF_PARTY = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE id = $1 AND (sender = $2 AND ",
        seen_leg!("$3"), " OR recipient = $2 AND ", visible!(), ")"];
    BY_ID = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE id = $1"];
    OF_REFERRAL = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE referral = $1 ORDER BY place"];
    OF_CONSENT = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE consent = $1 AND ", NO_NOTICE, " ORDER BY id"];
    SENT = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND state = $2 AND id < $3 AND ", NO_NOTICE,
        " ORDER BY id DESC LIMIT $4"];
    GOT = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE recipient = $1 AND state = $2 AND id < $3 AND ", visible!(),
        " ORDER BY id DESC LIMIT $4"];
    SENT_UNDER_CONSENT = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND state = $2 AND id > $3 ",
        "AND consent IS NOT NULL AND created_at >= $4 AND created_at < $5 AND ", NO_NOTICE, " ORDER BY id LIMIT $6"];
    GOT_UNDER_CONSENT = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE recipient = $1 AND state = $2 AND id > $3 ",
        "AND consent IS NOT NULL AND created_at >= $4 AND created_at < $5 AND ", visible!(), " ORDER BY id LIMIT $6"];
    EVENTS = ["SELECT ", LegEventRow::COLUMNS, " FROM leg_event WHERE leg = $1 ORDER BY seq"];
    EVENT = ["SELECT ", LegEventRow::COLUMNS, " FROM leg_event WHERE leg = $1 AND seq = $2"];
    MANIFEST = ["SELECT ", ManifestRow::COLUMNS, " FROM manifest WHERE leg = $1 ORDER BY version DESC LIMIT 1"];
    MOVE = ["UPDATE leg SET head_seq = $3, state = $4, head_hash = $5, last_receipt = $6, changed_at = $7 ",
        "WHERE id = $1 AND head_seq = $2"];
}

impl Ledger {
    /// A leg of which the caller is sender, or recipient of a copy that it can see. The sender of a notice is those
    /// persons who may see it.
    pub async fn leg(&self, scope: Scope, id: LegId) -> Result<Option<LegRow>, LedgerError> {
        let statement = sqlx::query(OF_PARTY).bind(id.to_string()).bind(scope.agency().to_string());
        self.one(statement.bind(scope.person_text())).await
    }

    /// For the hub itself: the leg of a copy.
    pub async fn leg_of(
        &self,
        delivery: &super::delivery::DeliveryRow,
    ) -> Result<Option<LegRow>, LedgerError> {
        self.one(sqlx::query(BY_ID).bind(delivery.leg.to_string())).await
    }

    /// The legs of a referral that the caller has read under its scope.
    pub async fn legs_of(&self, referral: ReferralId) -> Result<Vec<LegRow>, LedgerError> {
        self.many(sqlx::query(OF_REFERRAL).bind(referral.to_string())).await
    }

    /// The legs that rest on a consent. For the hub: a withdrawal concerns them all. A notice rests on none, whatever
    /// was attached to it.
    pub async fn legs_under(&self, consent: ConsentId) -> Result<Vec<LegRow>, LedgerError> {
        self.many(sqlx::query(OF_CONSENT).bind(consent.to_string())).await
    }

    /// The caller's legs in one state, newest first, by keyset; on the sender's side with the notices of the person
    /// who asks, in the state in which they stand for their sender.
    pub async fn legs(
        &self,
        scope: Scope,
        side: Side,
        state: LegState,
        before: Option<LegId>,
        limit: i64,
    ) -> Result<Vec<LegRow>, LedgerError> {
        let text = match side {
            Side::Sender => SENT,
            Side::Recipient => GOT,
        };
        let from = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        let statement =
            sqlx::query(text).bind(scope.agency().to_string()).bind(state.code()).bind(from).bind(limit);
        let mut legs: Vec<LegRow> = self.many(statement).await?;
        if side == Side::Sender {
            legs.extend(self.notices(scope, &[state], Reading::Newest, before, limit).await?);
            legs.sort_unstable_by_key(|leg| std::cmp::Reverse(leg.id));
            legs.truncate(usize::try_from(limit).unwrap_or_default());
        }
        Ok(legs)
    }

    /// The caller's legs of a time that rest on a consent, in whatever state, oldest first, by keyset. Legs are
    /// indexed by state, so each state is asked for its part of the page.
    pub async fn legs_under_consent(
        &self,
        scope: Scope,
        side: Side,
        window: Window,
        after: Option<LegId>,
        limit: i64,
    ) -> Result<Vec<LegRow>, LedgerError> {
        let text = match side {
            Side::Sender => SENT_UNDER_CONSENT,
            Side::Recipient => GOT_UNDER_CONSENT,
        };
        let after = after.map_or_else(String::new, |id| id.to_string());
        let mut legs: Vec<LegRow> = Vec::new();
        for state in LegState::ALL {
            let statement = sqlx::query(text)
                .bind(scope.agency().to_string())
                .bind(state.code())
                .bind(after.clone())
                .bind(window.from.as_microsecond())
                .bind(window.before.as_microsecond())
                .bind(limit);
            legs.extend(self.many::<LegRow>(statement).await?);
        }
        legs.sort_unstable_by_key(|leg| leg.id.to_string());
        // A leg that moved on while its states were asked stands in two of them.
        legs.dedup_by_key(|leg| leg.id);
        legs.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(legs)
    }

    /// The shared chain of a leg, oldest first.
    pub async fn leg_events(&self, leg: &LegRow) -> Result<Vec<LegEventRow>, LedgerError> {
        self.many(sqlx::query(EVENTS).bind(leg.id.to_string())).await
    }

    /// One event of a leg.
    pub async fn leg_event(&self, leg: LegId, seq: i64) -> Result<Option<LegEventRow>, LedgerError> {
        self.one(sqlx::query(EVENT).bind(leg.to_string()).bind(seq)).await
    }

    /// The manifest of the version last sent.
    pub async fn manifest(&self, leg: &LegRow) -> Result<Option<ManifestRow>, LedgerError> {
        self.one(sqlx::query(MANIFEST).bind(leg.id.to_string())).await
    }
}

impl MoveLeg {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(MOVE)
            .bind(self.id.to_string())
            .bind(self.from_seq)
            .bind(self.to_seq)
            .bind(self.state.code())
            .bind(self.head_hash.bytes().to_vec())
            .bind(self.last_receipt.bytes().to_vec())
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

//! Break-glass (緊急閲覧): ids, codes, times and outcomes in clear; why it was broken, and what was found, sealed.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    leg::Side,
    text::statements,
    values::{LAST, table, text_columns},
};
use crate::domain::{
    break_glass::{Glass, GlassState, ReviewOutcome, Reviewer},
    ids::{AgencyId, BreakGlassId, DeliveryId, LegId, StaffId},
    purpose::AccessPurpose,
    refusal::RefusalCode,
};

text_columns!(GlassState, ReviewOutcome, RefusalCode);

table! {
    /// One break-glass: who, of which agency, on which leg, past which refusal.
    BreakGlassRow = "break_glass" {
        id: BreakGlassId,
        leg: LegId,
        delivery: DeliveryId,
        agency: AgencyId,
        owner: AgencyId,
        staff: StaffId,
        purpose: AccessPurpose,
        refusal: RefusalCode,
        state: GlassState,
        version: i64,
        broken_at: Timestamp,
        until: Timestamp,
        review_due: Timestamp,
        own_outcome: Option<ReviewOutcome>,
        owner_outcome: Option<ReviewOutcome>,
        told_at: Option<Timestamp>,
        body: Vec<u8>,
        own_review: Option<Vec<u8>>,
        owner_review: Option<Vec<u8>>,
    }
}

impl BreakGlassRow {
    /// As the rules see it.
    pub const fn glass(&self) -> Glass {
        Glass {
            state: self.state,
            until: self.until,
            review_due: self.review_due,
            own: self.own_outcome,
            owner: self.owner_outcome,
        }
    }
}

/// Holds a break-glass as it was read, for an opening under it.
pub struct HoldGlass {
    pub id: BreakGlassId,
    pub version: i64,
}

/// Adds one agency's review, if the break-glass has the version that was read.
pub struct ReviewGlass {
    pub id: BreakGlassId,
    pub from_version: i64,
    pub reviewer: Reviewer,
    pub state: GlassState,
    pub outcome: ReviewOutcome,
    pub review: Vec<u8>,
}

/// Notes that both agencies were told of a late review, once.
pub struct TellGlass {
    pub id: BreakGlassId,
    pub at: Timestamp,
}

statements! {
    PARTY = ["SELECT ", BreakGlassRow::COLUMNS, " FROM break_glass WHERE id = $1 AND (agency = $2 OR owner = $2)"];
    OF_READER = ["SELECT ", BreakGlassRow::COLUMNS,
        " FROM break_glass WHERE agency = $1 AND id < $2 ORDER BY id DESC LIMIT $3"];
    OF_OWNER = ["SELECT ", BreakGlassRow::COLUMNS,
        " FROM break_glass WHERE owner = $1 AND id < $2 ORDER BY id DESC LIMIT $3"];
    STANDING = ["SELECT ", BreakGlassRow::COLUMNS,
        " FROM break_glass WHERE leg = $1 AND staff = $2 AND state = 'open' AND until > $3 ORDER BY until DESC LIMIT 1"];
    LATE_OF = ["SELECT ", BreakGlassRow::COLUMNS,
        " FROM break_glass WHERE staff = $1 AND state IN ('open', 'closed') AND review_due <= $2 LIMIT 1"];
    LATE = ["SELECT ", BreakGlassRow::COLUMNS,
        " FROM break_glass WHERE state <> 'settled' AND review_due <= $1 AND told_at IS NULL ORDER BY review_due LIMIT $2"];
    DUE_OF_READER = ["SELECT COUNT(*) FROM break_glass WHERE agency = $1 AND own_outcome IS NULL"];
    DUE_OF_OWNER = ["SELECT COUNT(*) FROM break_glass WHERE owner = $1 AND owner_outcome IS NULL"];
    HOLD = ["UPDATE break_glass SET version = version WHERE id = $1 AND version = $2 AND state = 'open'"];
    REVIEW_OWN = ["UPDATE break_glass SET version = version + 1, state = $3, own_outcome = $4, own_review = $5 ",
        "WHERE id = $1 AND version = $2 AND own_outcome IS NULL"];
    REVIEW_OWNER = ["UPDATE break_glass SET version = version + 1, state = $3, owner_outcome = $4, owner_review = $5 ",
        "WHERE id = $1 AND version = $2 AND owner_outcome IS NULL"];
    TELL = ["UPDATE break_glass SET told_at = $2 WHERE id = $1 AND told_at IS NULL"];
}

impl Ledger {
    /// A break-glass for the agency that opened or the one that sent.
    pub async fn break_glass(
        &self,
        scope: Scope,
        id: BreakGlassId,
    ) -> Result<Option<BreakGlassRow>, LedgerError> {
        self.one(sqlx::query(PARTY).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// Those of one side, newest first, by keyset.
    pub async fn break_glasses(
        &self,
        scope: Scope,
        side: Side,
        before: Option<BreakGlassId>,
        limit: i64,
    ) -> Result<Vec<BreakGlassRow>, LedgerError> {
        let text = match side {
            Side::Sender => OF_OWNER,
            Side::Recipient => OF_READER,
        };
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        self.many(sqlx::query(text).bind(scope.agency().to_string()).bind(before).bind(limit)).await
    }

    /// What this person may open this leg under, now.
    pub async fn standing_glass(
        &self,
        leg: LegId,
        staff: StaffId,
        now: Timestamp,
    ) -> Result<Option<BreakGlassRow>, LedgerError> {
        let statement = sqlx::query(STANDING).bind(leg.to_string()).bind(staff.to_string());
        self.one(statement.bind(now.as_microsecond())).await
    }

    /// One of this person whose review is late.
    pub async fn late_glass_of(
        &self,
        staff: StaffId,
        now: Timestamp,
    ) -> Result<Option<BreakGlassRow>, LedgerError> {
        self.one(sqlx::query(LATE_OF).bind(staff.to_string()).bind(now.as_microsecond())).await
    }

    /// For the hub itself: those whose review is late and of which nobody was told yet.
    pub async fn late_glasses(&self, now: Timestamp, limit: i64) -> Result<Vec<BreakGlassRow>, LedgerError> {
        self.many(sqlx::query(LATE).bind(now.as_microsecond()).bind(limit)).await
    }

    /// How many an agency has still to review, on either side.
    pub async fn reviews_due(&self, scope: Scope) -> Result<i64, LedgerError> {
        let mut count = 0;
        for text in [DUE_OF_READER, DUE_OF_OWNER] {
            let statement = sqlx::query_scalar::<_, i64>(text).bind(scope.agency().to_string());
            count += statement.fetch_one(&self.reads).await?;
        }
        Ok(count)
    }
}

impl HoldGlass {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(HOLD).bind(self.id.to_string()).bind(self.version).execute(on).await?.rows_affected())
    }
}

impl ReviewGlass {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let text = match self.reviewer {
            Reviewer::Own => REVIEW_OWN,
            Reviewer::Owner => REVIEW_OWNER,
        };
        Ok(sqlx::query(text)
            .bind(self.id.to_string())
            .bind(self.from_version)
            .bind(self.state.code())
            .bind(self.outcome.code())
            .bind(self.review.clone())
            .execute(on)
            .await?
            .rows_affected())
    }
}

impl TellGlass {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(TELL)
            .bind(self.id.to_string())
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

//! Referral rows and their internal chain, which only the owner sees.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Scope,
    notice::{NO_NOTICE, seen_referral},
    text::statements,
    values::{LAST, table, text_columns},
};
use crate::domain::{
    chain::Hash,
    ids::{AgencyId, CaseId, DataKeyId, ReferralId, StaffId},
    leg::LegState,
    referral::{ReferralType, Urgency},
};

text_columns!(ReferralType, Urgency);

table! {
    /// A referral. Its content is sealed in [`super::content`].
    ReferralRow = "referral" {
        id: ReferralId,
        owner: AgencyId,
        kind: ReferralType,
        urgency: Urgency,
        source_mac: Option<Hash>,
        case_id: Option<CaseId>,
        written_by: StaffId,
        data_key: DataKeyId,
        compartment_key: Option<DataKeyId>,
        head_seq: i64,
        head_hash: Hash,
        created_at: Timestamp,
    }
}

table! {
    /// One link of the referral's internal chain. `body` names legs by id and hash, and nothing else.
    ReferralEventRow = "referral_event" {
        referral: ReferralId,
        seq: i64,
        kind: String,
        body: Vec<u8>,
        prev_hash: Option<Hash>,
        hash: Hash,
        at: Timestamp,
    }
}

/// Which referrals a list shows.
#[derive(Clone, Copy, Debug)]
pub enum ReferralFilter {
    All,
    OfKind(ReferralType),
    /// With at least one leg in this state.
    WithLegIn(LegState),
}

statements! {
    OWNED = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE id = $1 AND owner = $2 AND ", seen_referral!("$3")];
    SUBMITTED = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE id = $1 AND owner = $2"];
    BY_ID = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE id = $1"];
    LIST = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE owner = $1 AND id < $2 AND ", NO_NOTICE,
        " ORDER BY id DESC LIMIT $3"];
    LIST_KIND = ["SELECT ", ReferralRow::COLUMNS,
        " FROM referral WHERE owner = $1 AND kind = $2 AND id < $3 ORDER BY id DESC LIMIT $4"];
    LIST_STATE = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE owner = $1 AND id < $3 AND ", NO_NOTICE, " AND EXISTS ",
        "(SELECT 1 FROM leg WHERE leg.referral = referral.id AND leg.state = $2) ORDER BY id DESC LIMIT $4"];
    OF_CASE = ["SELECT ", ReferralRow::COLUMNS,
        " FROM referral WHERE owner = $1 AND case_id = $2 AND ", NO_NOTICE, " ORDER BY id DESC LIMIT $3"];
    OF_SOURCE = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE owner = $1 AND source_mac = $2 AND ", NO_NOTICE];
    EVENTS = ["SELECT ", ReferralEventRow::COLUMNS, " FROM referral_event WHERE referral = $1 ORDER BY seq"];
}

impl Ledger {
    /// A referral of the caller's own; a notice, of those persons who may see it.
    pub async fn referral(&self, scope: Scope, id: ReferralId) -> Result<Option<ReferralRow>, LedgerError> {
        let statement = sqlx::query(OWNED).bind(id.to_string()).bind(scope.agency().to_string());
        self.one(statement.bind(scope.person_text())).await
    }

    /// What the caller submitted, to be answered again: whoever repeats a request knows what it said.
    pub async fn submitted(&self, scope: Scope, id: ReferralId) -> Result<Option<ReferralRow>, LedgerError> {
        self.one(sqlx::query(SUBMITTED).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The referral of a leg that the caller has read under its scope.
    pub async fn referral_of(&self, leg: &super::leg::LegRow) -> Result<Option<ReferralRow>, LedgerError> {
        self.one(sqlx::query(BY_ID).bind(leg.referral.to_string())).await
    }

    /// The caller's own referrals, newest first, by keyset; with the notices of the person who asks.
    pub async fn referrals(
        &self,
        scope: Scope,
        filter: ReferralFilter,
        before: Option<ReferralId>,
        limit: i64,
    ) -> Result<Vec<ReferralRow>, LedgerError> {
        let owner = scope.agency().to_string();
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        let from = before.clone();
        let statement = match filter {
            ReferralFilter::OfKind(ReferralType::Notice) => {
                return self.notice_referrals(scope, None, before, limit).await;
            }
            ReferralFilter::OfKind(kind) => {
                let statement = sqlx::query(LIST_KIND).bind(owner).bind(kind.code()).bind(from).bind(limit);
                return self.many(statement).await;
            }
            ReferralFilter::All => sqlx::query(LIST).bind(owner).bind(from).bind(limit),
            ReferralFilter::WithLegIn(state) => {
                sqlx::query(LIST_STATE).bind(owner).bind(state.code()).bind(from).bind(limit)
            }
        };
        let state = match filter {
            ReferralFilter::WithLegIn(state) => Some(state),
            ReferralFilter::All | ReferralFilter::OfKind(_) => None,
        };
        let mut referrals: Vec<ReferralRow> = self.many(statement).await?;
        referrals.extend(self.notice_referrals(scope, state, before, limit).await?);
        referrals.sort_unstable_by_key(|referral| std::cmp::Reverse(referral.id));
        referrals.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(referrals)
    }

    /// The caller's own referrals of a case but its notices, newest first: what others of the agency are compared with
    /// must not tell them of one.
    pub async fn referrals_of_case(
        &self,
        scope: Scope,
        case: CaseId,
        limit: i64,
    ) -> Result<Vec<ReferralRow>, LedgerError> {
        let owner = scope.agency().to_string();
        self.many(sqlx::query(OF_CASE).bind(owner).bind(case.to_string()).bind(limit)).await
    }

    /// The caller's own referral with this reference. A notice has none that could be asked for.
    pub async fn referral_of_source(
        &self,
        scope: Scope,
        source: Hash,
    ) -> Result<Option<ReferralRow>, LedgerError> {
        let owner = scope.agency().to_string();
        self.one(sqlx::query(OF_SOURCE).bind(owner).bind(source.bytes().to_vec())).await
    }

    /// The internal chain, oldest first. For the owner's eyes only.
    pub async fn referral_events(&self, of: &ReferralRow) -> Result<Vec<ReferralEventRow>, LedgerError> {
        self.many(sqlx::query(EVENTS).bind(of.id.to_string())).await
    }
}

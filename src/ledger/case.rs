//! Cases: versions, support plans and entries, all of them sealed. Ids, states, staff and times stand in clear.
//!
//! A 通告 belongs to the thread of a case for whoever wrote it, and for nobody else of the agency.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    consent::ConsentRow,
    leg::LegRow,
    notice::seen_referral,
    text::statements,
    values::{Column as _, LAST, Row as _, table, text_columns},
};
use crate::domain::{
    case::CaseState,
    ids::{AgencyId, CaseEntryId, CaseId, ConsentId, DataKeyId, StaffId},
};

text_columns!(CaseState);

table! {
    /// A case in its newest version. Its id is unique within its owner's: it may be one the owner has used before.
    CaseRow = "case_record" {
        owner: AgencyId,
        id: CaseId,
        version: i64,
        state: CaseState,
        responsible: StaffId,
        deputy: Option<StaffId>,
        data_key: DataKeyId,
        opened_at: Timestamp,
        changed_at: Timestamp,
    }
}

table! {
    /// One version of a case, sealed whole.
    CaseVersionRow = "case_version" {
        owner: AgencyId,
        case_id: CaseId,
        version: i64,
        body: Vec<u8>,
        at: Timestamp,
    }
}

table! {
    /// A support plan. A later one has a later number; this one stays.
    CasePlanRow = "case_plan" {
        owner: AgencyId,
        case_id: CaseId,
        number: i64,
        staff: StaffId,
        body: Vec<u8>,
        at: Timestamp,
    }
}

table! {
    /// An entry of a case. There is no statement that changes or deletes one.
    CaseEntryRow = "case_entry" {
        id: CaseEntryId,
        owner: AgencyId,
        case_id: CaseId,
        staff: StaffId,
        corrects: Option<CaseEntryId>,
        body: Vec<u8>,
        at: Timestamp,
    }
}

table! {
    /// A consent that names a case.
    CaseConsentRow = "case_consent" {
        owner: AgencyId,
        case_id: CaseId,
        consent: ConsentId,
    }
}

/// An entry, and the latest one that corrects it.
pub struct FoundEntry {
    pub row: CaseEntryRow,
    pub corrected_by: Option<CaseEntryId>,
}

/// Moves a case on, if it has the version that was read.
pub struct MoveCase {
    pub owner: AgencyId,
    pub id: CaseId,
    pub from_version: i64,
    pub state: CaseState,
    pub responsible: StaffId,
    pub deputy: Option<StaffId>,
    pub at: Timestamp,
}

/// A notice is shown to those who may see it.
const THREAD: &str = seen_referral!("$2");
const CORRECTED_BY: &str =
    "(SELECT MAX(later.id) FROM case_entry later WHERE later.corrects = case_entry.id)";

statements! {
    OWNED = ["SELECT ", CaseRow::COLUMNS, " FROM case_record WHERE owner = $1 AND id = $2"];
    LIST = ["SELECT ", CaseRow::COLUMNS,
        " FROM case_record WHERE owner = $1 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4"];
    OF_RESPONSIBLE = ["SELECT ", CaseRow::COLUMNS,
        " FROM case_record WHERE owner = $1 AND responsible = $5 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4"];
    OF_DEPUTY = ["SELECT ", CaseRow::COLUMNS,
        " FROM case_record WHERE owner = $1 AND deputy = $5 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4"];
    VERSION = ["SELECT ", CaseVersionRow::COLUMNS,
        " FROM case_version WHERE owner = $1 AND case_id = $2 AND version = $3"];
    PLANS = ["SELECT ", CasePlanRow::COLUMNS,
        " FROM case_plan WHERE owner = $1 AND case_id = $2 AND number < $3 ORDER BY number DESC LIMIT $4"];
    ENTRIES = ["SELECT ", CaseEntryRow::COLUMNS, ", ", CORRECTED_BY,
        " FROM case_entry WHERE owner = $1 AND case_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"];
    ENTRY = ["SELECT ", CaseEntryRow::COLUMNS, " FROM case_entry WHERE id = $1 AND owner = $2"];
    LEGS = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE leg.referral IN (SELECT referral.id FROM referral ",
        "WHERE owner = $1 AND case_id = $3 AND ", THREAD, ") ORDER BY id DESC LIMIT $4"];
    CONSENTS = ["SELECT ", ConsentRow::COLUMNS, " FROM consent WHERE consent.id IN (SELECT case_consent.consent ",
        "FROM case_consent WHERE owner = $1 AND case_id = $2) AND owner = $1 ORDER BY id DESC LIMIT $3"];
    MOVE = ["UPDATE case_record SET version = version + 1, state = $4, responsible = $5, deputy = $6, changed_at = $7 ",
        "WHERE owner = $1 AND id = $2 AND version = $3"];
}

impl Ledger {
    /// A case of the caller's own.
    pub async fn case(&self, scope: Scope, id: CaseId) -> Result<Option<CaseRow>, LedgerError> {
        self.one(sqlx::query(OWNED).bind(scope.agency().to_string()).bind(id.to_string())).await
    }

    /// The caller's own cases in one state, newest first, by keyset.
    pub async fn cases(
        &self,
        scope: Scope,
        state: CaseState,
        before: Option<CaseId>,
        limit: i64,
    ) -> Result<Vec<CaseRow>, LedgerError> {
        self.many(page(LIST, scope, state, before, limit)).await
    }

    /// Of these, the ones a member of staff looks after: as the person responsible or as the deputy.
    pub async fn cases_of(
        &self,
        scope: Scope,
        state: CaseState,
        staff: StaffId,
        before: Option<CaseId>,
        limit: i64,
    ) -> Result<Vec<CaseRow>, LedgerError> {
        // Each part is read by an index of its own; nobody is both of one case.
        let mut rows: Vec<CaseRow> = Vec::new();
        for text in [OF_RESPONSIBLE, OF_DEPUTY] {
            rows.extend(self.many(page(text, scope, state, before, limit).bind(staff.to_string())).await?);
        }
        rows.sort_unstable_by_key(|row: &CaseRow| std::cmp::Reverse(row.id));
        rows.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(rows)
    }

    /// One version of a case that the caller has read under its scope.
    pub async fn case_version(
        &self,
        of: &CaseRow,
        version: i64,
    ) -> Result<Option<CaseVersionRow>, LedgerError> {
        self.one(of.bound(VERSION).bind(version)).await
    }

    /// The support plans of a case with a number below `before`, newest first.
    pub async fn case_plans(
        &self,
        of: &CaseRow,
        before: i64,
        limit: i64,
    ) -> Result<Vec<CasePlanRow>, LedgerError> {
        self.many(of.bound(PLANS).bind(before).bind(limit)).await
    }

    /// The entries of a case, newest first, by keyset.
    pub async fn case_entries(
        &self,
        of: &CaseRow,
        before: Option<CaseEntryId>,
        limit: i64,
    ) -> Result<Vec<FoundEntry>, LedgerError> {
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        let rows = of.bound(ENTRIES).bind(before).bind(limit).fetch_all(&self.reads).await?;
        let found = |row| {
            let corrected_by = Option::read(row, CaseEntryRow::WIDTH)?;
            Ok(FoundEntry { row: CaseEntryRow::read(row)?, corrected_by })
        };
        rows.iter().map(found).collect()
    }

    /// An entry of one of the caller's own cases.
    pub async fn case_entry(
        &self,
        scope: Scope,
        id: CaseEntryId,
    ) -> Result<Option<CaseEntryRow>, LedgerError> {
        self.one(sqlx::query(ENTRY).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// The legs of a case, newest first, as far as this member of the owner's staff may see them.
    pub async fn case_legs(
        &self,
        of: &CaseRow,
        staff: StaffId,
        limit: i64,
    ) -> Result<Vec<LegRow>, LedgerError> {
        let (owner, case) = (of.owner.to_string(), of.id.to_string());
        self.many(sqlx::query(LEGS).bind(owner).bind(staff.to_string()).bind(case).bind(limit)).await
    }

    /// The consents that name a case, newest first.
    pub async fn case_consents(&self, of: &CaseRow, limit: i64) -> Result<Vec<ConsentRow>, LedgerError> {
        self.many(of.bound(CONSENTS).bind(limit)).await
    }
}

impl CaseRow {
    /// A statement that begins with the owner and the case.
    fn bound(&self, text: &'static str) -> super::values::Statement {
        sqlx::query(text).bind(self.owner.to_string()).bind(self.id.to_string())
    }
}

fn page(
    text: &'static str,
    scope: Scope,
    state: CaseState,
    before: Option<CaseId>,
    limit: i64,
) -> super::values::Statement {
    let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
    sqlx::query(text).bind(scope.agency().to_string()).bind(state.code()).bind(before).bind(limit)
}

impl MoveCase {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(MOVE)
            .bind(self.owner.to_string())
            .bind(self.id.to_string())
            .bind(self.from_version)
            .bind(self.state.code())
            .bind(self.responsible.to_string())
            .bind(self.deputy.map(|staff| staff.to_string()))
            .bind(self.at.as_microsecond())
            .execute(on)
            .await?
            .rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::referral::ReferralType;

    #[test]
    fn what_a_thread_leaves_out_is_the_notice() {
        assert!(THREAD.contains(&format!("'{}'", ReferralType::Notice)));
    }
}

//! Arrangements between agencies, their dated members, and a council's register, which is sealed.
//!
//! Only the newest version number and last day of an arrangement ever change; everything else is added.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{Column, LAST, Statement, table, text_columns},
};
use crate::domain::{
    arrangement::{ArrangementKind, ArrangementStep},
    chain::Hash,
    ids::{AgencyId, ArrangementId, DataKeyId, EntryId, StaffId},
    section::{Section, Sections},
};

text_columns!(ArrangementId, ArrangementKind, ArrangementStep, EntryId);

/// Codes joined by commas, in the order of the list.
impl Column for Sections {
    fn bind(&self, to: Statement) -> Statement {
        to.bind(self.iter().map(Section::code).collect::<Vec<_>>().join(","))
    }

    fn read(row: &sqlx::any::AnyRow, at: usize) -> Result<Self, LedgerError> {
        let text = String::read(row, at)?;
        let codes = text.split(',').filter(|code| !code.is_empty());
        codes.map(|code| super::values::parse::<Section>(code, at)).collect()
    }
}

table! {
    /// An arrangement in its newest version.
    ArrangementRow = "arrangement" {
        id: ArrangementId,
        keeper: AgencyId,
        kind: ArrangementKind,
        version: i64,
        title: String,
        purpose: String,
        notice_version: Option<String>,
        sections: Sections,
        first_day: Date,
        last_day: Option<Date>,
        created_at: Timestamp,
        changed_at: Timestamp,
    }
}

table! {
    /// One step: what was done, about which agency or entry, by whom, and until when the arrangement held after it.
    ArrangementEventRow = "arrangement_event" {
        arrangement: ArrangementId,
        version: i64,
        step: ArrangementStep,
        about: Option<String>,
        last_day: Option<Date>,
        staff: StaffId,
        at: Timestamp,
    }
}

table! {
    /// What one version says about the days of one membership.
    ArrangementMemberRow = "arrangement_member" {
        arrangement: ArrangementId,
        agency: AgencyId,
        version: i64,
        first_day: Date,
        last_day: Option<Date>,
    }
}

table! {
    /// What one version says about an entry of the register. An entry has at most two rows: it begins and it ends.
    ArrangementCaseRow = "arrangement_case" {
        arrangement: ArrangementId,
        entry: EntryId,
        version: i64,
        case_mac: Hash,
        data_key: DataKeyId,
        body: Vec<u8>,
    }
}

/// Holds an arrangement still until the commit, if it has the version that was decided on.
pub struct HoldArrangement {
    pub id: ArrangementId,
    pub version: i64,
}

/// Moves an arrangement on by one version, if it has the one that was read.
pub struct MoveArrangement {
    pub id: ArrangementId,
    pub from_version: i64,
    pub last_day: Option<Date>,
    pub at: Timestamp,
}

statements! {
    FOR_PARTY = ["SELECT ", ArrangementRow::COLUMNS, " FROM arrangement WHERE id = $1 AND (keeper = $2 OR EXISTS ",
        "(SELECT 1 FROM arrangement_member WHERE arrangement = $1 AND agency = $2))"];
    LIST = ["SELECT ", ArrangementRow::COLUMNS, " FROM arrangement WHERE keeper = $1 AND id < $2 UNION ",
        "SELECT ", ArrangementRow::COLUMNS, " FROM arrangement WHERE id IN ",
        "(SELECT arrangement FROM arrangement_member WHERE agency = $1 AND arrangement < $2) ",
        "ORDER BY id DESC LIMIT $3"];
    EVENTS = ["SELECT ", ArrangementEventRow::COLUMNS,
        " FROM arrangement_event WHERE arrangement = $1 AND version <= $2 ORDER BY version DESC LIMIT $3"];
    MEMBERS = ["SELECT ", ArrangementMemberRow::COLUMNS,
        " FROM arrangement_member WHERE arrangement = $1 ORDER BY agency, version LIMIT $2"];
    MEMBERS_AMONG = ["SELECT ", ArrangementMemberRow::COLUMNS,
        " FROM arrangement_member WHERE arrangement = $1 AND agency IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, ",
        "$12, $13, $14, $15, $16, $17, $18) ORDER BY agency, version"];
    ENTRIES = ["SELECT ", ArrangementCaseRow::COLUMNS,
        " FROM arrangement_case WHERE arrangement = $1 AND entry > $2 ORDER BY entry, version LIMIT $3"];
    ENTRY = ["SELECT ", ArrangementCaseRow::COLUMNS,
        " FROM arrangement_case WHERE arrangement = $1 AND entry = $2 ORDER BY version"];
    ENTRIES_OF_CASE = ["SELECT ", ArrangementCaseRow::COLUMNS,
        " FROM arrangement_case WHERE case_mac = $1 ORDER BY entry, version"];
    HOLD = ["UPDATE arrangement SET version = version WHERE id = $1 AND version = $2"];
    MOVE = ["UPDATE arrangement SET version = version + 1, last_day = $3, changed_at = $4 ",
        "WHERE id = $1 AND version = $2"];
}

/// How many agencies a look among members can name: a sender and the sixteen recipients of a submission.
const AMONG: usize = 17;

impl Ledger {
    /// An arrangement the caller's agency keeps or is, was or will be a member of.
    pub async fn arrangement(
        &self,
        scope: Scope,
        id: ArrangementId,
    ) -> Result<Option<ArrangementRow>, LedgerError> {
        self.one(sqlx::query(FOR_PARTY).bind(id.to_string()).bind(scope.agency().to_string())).await
    }

    /// All of these, newest first, by keyset.
    pub async fn arrangements(
        &self,
        scope: Scope,
        before: Option<ArrangementId>,
        limit: i64,
    ) -> Result<Vec<ArrangementRow>, LedgerError> {
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        self.many(sqlx::query(LIST).bind(scope.agency().to_string()).bind(before).bind(limit)).await
    }

    /// The newest steps of an arrangement that was read under a scope, up to the version of that row.
    pub async fn arrangement_events(
        &self,
        of: &ArrangementRow,
        limit: i64,
    ) -> Result<Vec<ArrangementEventRow>, LedgerError> {
        self.many(sqlx::query(EVENTS).bind(of.id.to_string()).bind(of.version).bind(limit)).await
    }

    /// What was said about its members, agency by agency, the oldest first.
    pub async fn arrangement_members(
        &self,
        of: &ArrangementRow,
        limit: i64,
    ) -> Result<Vec<ArrangementMemberRow>, LedgerError> {
        self.many(sqlx::query(MEMBERS).bind(of.id.to_string()).bind(limit)).await
    }

    /// The same about up to seventeen agencies.
    pub async fn arrangement_members_among(
        &self,
        of: &ArrangementRow,
        agencies: &[AgencyId],
    ) -> Result<Vec<ArrangementMemberRow>, LedgerError> {
        let Some(last) = agencies.last() else { return Ok(Vec::new()) };
        let filled = agencies.iter().chain(std::iter::repeat(last)).take(AMONG);
        let statement = sqlx::query(MEMBERS_AMONG).bind(of.id.to_string());
        self.many(filled.fold(statement, |s, id| s.bind(id.to_string()))).await
    }

    /// The register of an arrangement, by keyset over its entries. The rows of the last entry may be cut off.
    pub async fn arrangement_entries(
        &self,
        of: &ArrangementRow,
        after: Option<EntryId>,
        rows: i64,
    ) -> Result<Vec<ArrangementCaseRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.many(sqlx::query(ENTRIES).bind(of.id.to_string()).bind(after).bind(rows)).await
    }

    /// The rows of one entry.
    pub async fn arrangement_entry(
        &self,
        of: &ArrangementRow,
        entry: EntryId,
    ) -> Result<Vec<ArrangementCaseRow>, LedgerError> {
        self.many(sqlx::query(ENTRY).bind(of.id.to_string()).bind(entry.to_string())).await
    }

    /// The rows of all entries about one case, found by the MAC of arrangement and case.
    pub async fn arrangement_entries_of(
        &self,
        case_mac: &Hash,
    ) -> Result<Vec<ArrangementCaseRow>, LedgerError> {
        self.many(case_mac.bind(sqlx::query(ENTRIES_OF_CASE))).await
    }
}

impl HoldArrangement {
    /// Holds all of them, each once and in the order of their ids; false if one has moved on.
    pub(super) async fn apply_all(
        on: &mut AnyConnection,
        holds: impl Iterator<Item = &Self>,
    ) -> Result<bool, sqlx::Error> {
        let distinct: BTreeSet<(ArrangementId, i64)> = holds.map(|hold| (hold.id, hold.version)).collect();
        for (id, version) in distinct {
            let held = sqlx::query(HOLD).bind(id.to_string()).bind(version).execute(&mut *on).await?;
            if held.rows_affected() != 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl MoveArrangement {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let statement = sqlx::query(MOVE).bind(self.id.to_string()).bind(self.from_version);
        let statement = self.at.bind(self.last_day.bind(statement));
        Ok(statement.execute(on).await?.rows_affected())
    }
}

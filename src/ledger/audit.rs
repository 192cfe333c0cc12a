//! Who did what to which record, and whether it was allowed. Append only.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Scope,
    notice::{seen_leg, seen_referral},
    text::statements,
    values::{LAST, table, text_columns},
};
use crate::{
    code_list,
    domain::{
        ids::{AgencyId, AuditId, StaffId},
        purpose::AccessPurpose,
    },
};

code_list! {
    /// What an audit entry is about.
    AuditAction, "audit action" {
        Submit = "submit", "送信", "submit";
        Preview = "preview", "送信前の確認", "preview before sending";
        Open = "open", "閲覧", "open";
        Take = "take", "受領", "take";
        Disclose = "disclose", "封緘文書の送出", "publish a sealed document";
        Act = "act", "回答・操作", "act on a leg";
        Consent = "consent", "同意の記録", "record a consent";
        Withdraw = "withdraw", "同意の撤回", "withdraw a consent";
        Protect = "protect", "秘匿・支援措置", "change a protection";
        Case = "case", "ケースの記録・変更", "record or change a case";
        ReadCase = "read_case", "ケースの照会", "read a case";
        Consultation = "consultation", "相談記録の作成", "note a consultation";
        ReadConsultation = "read_consultation", "相談記録の照会", "read consultations";
        Arrange = "arrange", "取決めの記録・変更", "record or change an arrangement";
        Read = "read", "照会", "read own records";
        /// 緊急閲覧: breaking the glass, and each opening under it.
        BreakGlass = "break_glass", "緊急閲覧", "break the glass";
        Relate = "relate", "利害関係の申告", "declare a relation";
        Review = "review", "緊急閲覧の確認", "review a break-glass";
        Authenticate = "authenticate", "認証", "authenticate";
        Erase = "erase", "消去・消去の保留", "erase, or hold from erasure";
        Administer = "administer", "管理", "administer";
    }
}

impl AuditAction {
    /// Whether somebody, or a system, got to see content by it: then the entry says for what purpose.
    pub const fn shows(self) -> bool {
        matches!(
            self,
            Self::Preview
                | Self::Open
                | Self::Take
                | Self::Disclose
                | Self::Read
                | Self::ReadCase
                | Self::ReadConsultation
                | Self::BreakGlass
        )
    }
}

text_columns!(AuditAction, AccessPurpose);

table! {
    /// One entry. `decision` is `allowed`, or the code of the refusal. `purpose` is that of a look at content; absent of
    /// everything else, and of looks before purposes were recorded.
    AuditRow = "audit" {
        id: AuditId,
        agency: AgencyId,
        staff: Option<StaffId>,
        action: AuditAction,
        subject: String,
        decision: String,
        at: Timestamp,
        purpose: Option<AccessPurpose>,
    }
}

/// Which entries of an agency's own audit are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFilter<'a> {
    All,
    OfStaff(StaffId),
    OfSubject(&'a str),
}

/// The time a page of the audit looks at: from the first moment on, before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: Timestamp,
    pub before: Timestamp,
}

/// That an entry of the caller's own agency is not about a notice it gave which the person may not see: a line about it
/// would tell everybody else that there is one. The preview of a notice has who wrote it as its subject. Each question
/// is asked by the key of its table: counted, because PostgreSQL makes a join over whole tables of NOT EXISTS.
macro_rules! seen_subject {
    ($subject:literal, $agency:literal, $person:literal) => {
        concat!(
            "(audit.action <> 'preview' OR audit.subject <> COALESCE(audit.staff, '') OR audit.staff = ",
            $person,
            ") AND 0 = (SELECT COUNT(*) FROM referral WHERE referral.id = ",
            $subject,
            " AND referral.owner = ",
            $agency,
            " AND NOT ",
            seen_referral!($person),
            ") AND 0 = (SELECT COUNT(*) FROM leg WHERE leg.id = ",
            $subject,
            " AND leg.sender = ",
            $agency,
            " AND NOT ",
            seen_leg!($person),
            ")"
        )
    };
}

statements! {
    ALL = ["SELECT ", AuditRow::COLUMNS, " FROM audit WHERE agency = $1 AND id < $2 AND ",
        seen_subject!("audit.subject", "$1", "$4"), " ORDER BY id DESC LIMIT $3"];
    OF_DAY = ["SELECT ", AuditRow::COLUMNS,
        " FROM audit WHERE agency = $1 AND id < $2 AND at >= $5 AND at < $6 AND ",
        seen_subject!("audit.subject", "$1", "$4"), " ORDER BY id DESC LIMIT $3"];
    OF_STAFF = ["SELECT ", AuditRow::COLUMNS,
        " FROM audit WHERE agency = $1 AND staff = $7 AND id < $2 AND at >= $5 AND at < $6 AND ",
        seen_subject!("audit.subject", "$1", "$4"), " ORDER BY id DESC LIMIT $3"];
    ABOUT = ["SELECT ", AuditRow::COLUMNS,
        " FROM audit WHERE agency = $1 AND subject = $7 AND id < $2 AND at >= $5 AND at < $6 AND ",
        seen_subject!("$7", "$1", "$4"), " ORDER BY id DESC LIMIT $3"];
    OF_SUBJECT = ["SELECT ", AuditRow::COLUMNS, " FROM audit WHERE subject = $1 AND agency = $2 AND ",
        seen_subject!("$1", "$2", "$4"), " ORDER BY id LIMIT $3"];
}

impl Ledger {
    /// What an agency's own people and systems did, newest first, by keyset.
    pub async fn audit(
        &self,
        scope: Scope,
        filter: AuditFilter<'_>,
        period: Option<Period>,
        before: Option<AuditId>,
        limit: i64,
    ) -> Result<Vec<AuditRow>, LedgerError> {
        let text = match (filter, period) {
            (AuditFilter::All, None) => ALL,
            (AuditFilter::All, Some(_)) => OF_DAY,
            (AuditFilter::OfStaff(_), _) => OF_STAFF,
            (AuditFilter::OfSubject(_), _) => ABOUT,
        };
        let before = before.map_or_else(|| LAST.to_owned(), |id| id.to_string());
        let mut statement = sqlx::query(text).bind(scope.agency().to_string()).bind(before).bind(limit);
        statement = statement.bind(scope.person_text());
        if text != ALL {
            let period = period.unwrap_or(Period { from: Timestamp::MIN, before: Timestamp::MAX });
            statement = statement.bind(period.from.as_microsecond()).bind(period.before.as_microsecond());
        }
        statement = match filter {
            AuditFilter::All => statement,
            AuditFilter::OfStaff(staff) => statement.bind(staff.to_string()),
            AuditFilter::OfSubject(subject) => statement.bind(subject.to_owned()),
        };
        self.many(statement).await
    }

    /// What the caller's own agency did to one record. What its people did about a notice they gave is shown to those
    /// who may see the notice.
    pub async fn audit_of(
        &self,
        scope: Scope,
        subject: &str,
        limit: i64,
    ) -> Result<Vec<AuditRow>, LedgerError> {
        let statement = sqlx::query(OF_SUBJECT).bind(subject.to_owned()).bind(scope.agency().to_string());
        self.many(statement.bind(limit).bind(scope.person_text())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_in_the_statements_is_that_of_a_preview() {
        assert!(ALL.contains(&format!("audit.action <> '{}'", AuditAction::Preview.code())));
    }
}

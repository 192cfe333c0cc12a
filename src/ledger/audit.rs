//! Who did what to which record, and whether it was allowed. Append only.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Scope,
    notice::{seen_leg, seen_referral},
    text::statements,
    values::{table, text_columns},
};
use crate::{
    code_list,
    domain::ids::{AgencyId, AuditId, StaffId},
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
        Arrange = "arrange", "取決めの記録・変更", "record or change an arrangement";
        Read = "read", "照会", "read own records";
        Authenticate = "authenticate", "認証", "authenticate";
        Administer = "administer", "管理", "administer";
    }
}

text_columns!(AuditAction);

table! {
    /// One entry. `decision` is `allowed`, or the code of the refusal.
    AuditRow = "audit" {
        id: AuditId,
        agency: AgencyId,
        staff: Option<StaffId>,
        action: AuditAction,
        subject: String,
        decision: String,
        at: Timestamp,
    }
}

statements! {
    // Two questions, each by the key of its table: a subject is a referral or a leg of one.
    OF_SUBJECT = ["SELECT ", AuditRow::COLUMNS, " FROM audit WHERE subject = $1 AND agency = $2 AND NOT EXISTS ",
        "(SELECT 1 FROM referral WHERE referral.id = $1 AND referral.owner = $2 AND NOT ", seen_referral!("$4"),
        ") AND NOT EXISTS (SELECT 1 FROM leg WHERE leg.id = $1 AND leg.sender = $2 AND NOT ", seen_leg!("$4"),
        ") ORDER BY id LIMIT $3"];
}

impl Ledger {
    /// What the caller's own agency did to one record. What its people did about a notice they gave is shown to those
    /// who may see the notice: a line about it would tell everybody else that there is one.
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

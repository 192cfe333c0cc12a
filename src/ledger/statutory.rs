//! Whether a person has decided anew, after a withdrawal, if a law allows what the consent no longer does.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError,
    text::statements,
    values::{table, text_columns},
};
use crate::{
    code_list,
    domain::{
        basis::BasisCode,
        ids::{ConsentId, StaffId},
    },
};

code_list! {
    /// What was decided.
    StatutoryState, "statutory decision" {
        Due = "due", "判断待ち", "due";
        None = "none", "法令の根拠なし", "no law allows it";
        Basis = "basis", "法令の根拠あり", "a law allows it";
    }
}

text_columns!(StatutoryState);

table! {
    /// The decision about one withdrawn consent. `body` is the reason, sealed.
    StatutoryRow = "statutory_decision" {
        consent: ConsentId,
        state: StatutoryState,
        basis: Option<BasisCode>,
        body: Option<Vec<u8>>,
        staff: Option<StaffId>,
        due_since: Timestamp,
        decided_at: Option<Timestamp>,
    }
}

/// Records the decision, if it is still due.
pub struct DecideStatutory(pub StatutoryRow);

statements! {
    OF_CONSENT = ["SELECT ", StatutoryRow::COLUMNS, " FROM statutory_decision WHERE consent = $1"];
    DECIDE = ["UPDATE statutory_decision SET state = $2, basis = $3, body = $4, staff = $5, decided_at = $6 ",
        "WHERE consent = $1 AND state = 'due'"];
}

impl Ledger {
    /// The decision about a consent that the caller has read under its scope.
    pub async fn statutory(&self, consent: ConsentId) -> Result<Option<StatutoryRow>, LedgerError> {
        self.one(sqlx::query(OF_CONSENT).bind(consent.to_string())).await
    }
}

impl DecideStatutory {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let row = &self.0;
        Ok(sqlx::query(DECIDE)
            .bind(row.consent.to_string())
            .bind(row.state.code())
            .bind(row.basis.map(BasisCode::code))
            .bind(row.body.clone())
            .bind(row.staff.map(|staff| staff.to_string()))
            .bind(row.decided_at.map(Timestamp::as_microsecond))
            .execute(on)
            .await?
            .rows_affected())
    }
}

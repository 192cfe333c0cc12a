//! Receipts, append only: at most one of each level, and one that ends a leg.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Scope,
    text::statements,
    values::{table, text_columns},
};
use crate::domain::{
    ids::{LegId, ReceiptId},
    receipt::ReceiptLevel,
};

text_columns!(ReceiptLevel);

table! {
    /// A receipt as issued. `subject` is the delivery (R0–R3) or the leg (R4, closed).
    ReceiptRow = "receipt" {
        subject: String,
        level: ReceiptLevel,
        id: ReceiptId,
        leg: LegId,
        ends: i64,
        jws: String,
        sender_jws: Option<String>,
        at: Timestamp,
    }
}

statements! {
    OF_LEG = ["SELECT ", ReceiptRow::COLUMNS, " FROM receipt WHERE leg = $1 ORDER BY at, level"];
    ONE = ["SELECT ", ReceiptRow::COLUMNS, " FROM receipt WHERE subject = $1 AND level = $2"];
}

impl Ledger {
    /// The receipts of a leg, oldest first. The caller has read the leg under its scope.
    pub async fn receipts(&self, leg: &super::leg::LegRow) -> Result<Vec<ReceiptRow>, LedgerError> {
        self.many(sqlx::query(OF_LEG).bind(leg.id.to_string())).await
    }

    /// One receipt, if the caller is a party of its leg.
    pub async fn receipt(
        &self,
        scope: Scope,
        subject: &str,
        level: ReceiptLevel,
    ) -> Result<Option<ReceiptRow>, LedgerError> {
        let found: Option<ReceiptRow> =
            self.one(sqlx::query(ONE).bind(subject.to_owned()).bind(level.code())).await?;
        match found {
            Some(row) if self.leg(scope, row.leg).await?.is_some() => Ok(Some(row)),
            _ => Ok(None),
        }
    }
}

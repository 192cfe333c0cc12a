//! Idempotency keys, kept for ever: a repeated key is answered with the first answer.

use jiff::Timestamp;

use super::{Ledger, LedgerError, Scope, text::statements, values::table};
use crate::domain::{chain::Hash, ids::AgencyId};

table! {
    /// A used key and a pointer to what answered it. The body is known by an HMAC only.
    IdempotencyRow = "idempotency" {
        agency: AgencyId,
        key_hash: Hash,
        route: String,
        body_mac: Hash,
        answer: String,
        at: Timestamp,
    }
}

statements! {
    LOAD = ["SELECT ", IdempotencyRow::COLUMNS, " FROM idempotency WHERE agency = $1 AND key_hash = $2"];
}

impl Ledger {
    /// What this agency's key was used for, if it was.
    pub async fn used_key(
        &self,
        scope: Scope,
        key_hash: &Hash,
    ) -> Result<Option<IdempotencyRow>, LedgerError> {
        self.one(sqlx::query(LOAD).bind(scope.agency().to_string()).bind(key_hash.bytes().to_vec())).await
    }
}

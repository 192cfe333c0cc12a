//! What an agency has declared about its own staff and a case. No column says who, nor about which case.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{Ledger, LedgerError, text::statements, values::table};
use crate::domain::chain::Hash;

table! {
    /// One statement, sealed for the agency that made it. `place` is a keyed hash of agency and case; its number keeps
    /// two that are made at once apart.
    RelationRow = "relation" {
        place: Hash,
        seq: i64,
        body: Vec<u8>,
        at: Timestamp,
    }
}

/// What an opening was decided on: so many statements stood at this place.
pub struct HoldRelations {
    pub place: Hash,
    pub count: i64,
}

statements! {
    AT = ["SELECT ", RelationRow::COLUMNS, " FROM relation WHERE place = $1 ORDER BY seq"];
    COUNT = ["SELECT COUNT(*) FROM relation WHERE place = $1"];
}

impl Ledger {
    /// All that was ever declared at one place, in order. They are few: staff who know a family.
    pub async fn relations_at(&self, place: &Hash) -> Result<Vec<RelationRow>, LedgerError> {
        self.many(sqlx::query(AT).bind(place.bytes().to_vec())).await
    }
}

impl HoldRelations {
    /// One if nothing was declared meanwhile, none if something was.
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let count: i64 = sqlx::query_scalar(COUNT).bind(self.place.bytes().to_vec()).fetch_one(on).await?;
        Ok(u64::from(count == self.count))
    }
}

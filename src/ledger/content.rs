//! Sealed content and the wraps of the keys that open it.

use super::{Ledger, LedgerError, text::statements, values::table};
use crate::domain::ids::{AgencyId, DataKeyId, ReferralId};

table! {
    /// One part of a referral, sealed for itself: a section, or `header` for what belongs to none.
    ContentRow = "content" {
        referral: ReferralId,
        part: String,
        version: i64,
        sealed: Vec<u8>,
    }
}

table! {
    /// A data key wrapped for one agency.
    DataKeyRow = "data_key" {
        id: DataKeyId,
        agency: AgencyId,
        kek: String,
        wrapped: Vec<u8>,
    }
}

statements! {
    OF_REFERRAL = ["SELECT ", ContentRow::COLUMNS, " FROM content WHERE referral = $1 AND version = 1 ORDER BY part"];
    WRAP = ["SELECT ", DataKeyRow::COLUMNS, " FROM data_key WHERE id = $1 AND agency = $2"];
}

impl Ledger {
    /// The sealed parts of a referral. The caller has read the referral or one of its legs under its scope.
    pub async fn content(&self, referral: ReferralId) -> Result<Vec<ContentRow>, LedgerError> {
        self.many(sqlx::query(OF_REFERRAL).bind(referral.to_string())).await
    }

    /// The wrap of a data key for one entitled agency.
    pub async fn data_key(&self, id: DataKeyId, agency: AgencyId) -> Result<Option<DataKeyRow>, LedgerError> {
        self.one(sqlx::query(WRAP).bind(id.to_string()).bind(agency.to_string())).await
    }
}

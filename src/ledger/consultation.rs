//! Consultation records: whose, when, and which case came of it stand in clear; what was talked about is sealed.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError, Scope,
    content::DataKeyRow,
    leg::Window,
    text::statements,
    values::{Column as _, Row as _, table},
};
use crate::domain::ids::{AgencyId, CaseId, ConsultationId, DataKeyId, StaffId};

table! {
    /// One talk. `at` is when it was, `created_at` when it was noted.
    ConsultationRow = "consultation" {
        id: ConsultationId,
        owner: AgencyId,
        staff: StaffId,
        at: Timestamp,
        case_id: Option<CaseId>,
        data_key: DataKeyId,
        body: Vec<u8>,
        created_at: Timestamp,
    }
}

/// Where a page of talks ends: they are listed by when they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talked {
    pub at: Timestamp,
    pub id: ConsultationId,
}

/// A case came of a talk, if none had.
pub struct TakeConsultation {
    pub id: ConsultationId,
    pub owner: AgencyId,
    pub case: CaseId,
}

const KEY: &str = "(SELECT kek FROM data_key WHERE data_key.id = consultation.data_key AND data_key.agency = consultation.owner), \
    (SELECT wrapped FROM data_key WHERE data_key.id = consultation.data_key AND data_key.agency = consultation.owner)";

statements! {
    OWNED = ["SELECT ", ConsultationRow::COLUMNS, ", ", KEY, " FROM consultation WHERE id = $1 AND owner = $2"];
    LIST = ["SELECT ", ConsultationRow::COLUMNS, ", ", KEY, " FROM consultation WHERE owner = $1 AND at >= $2 ",
        "AND at <= $3 AND (at < $3 OR id < $4) ORDER BY at DESC, id DESC LIMIT $5"];
    TAKE = ["UPDATE consultation SET case_id = $3 WHERE id = $1 AND owner = $2 AND case_id IS NULL"];
}

impl Ledger {
    /// A talk the caller's own staff noted, and the wrap of its key.
    pub async fn consultation(
        &self,
        scope: Scope,
        id: ConsultationId,
    ) -> Result<Option<(ConsultationRow, DataKeyRow)>, LedgerError> {
        let statement = sqlx::query(OWNED).bind(id.to_string()).bind(scope.agency().to_string());
        statement.fetch_optional(&self.reads).await?.as_ref().map(with_key).transpose()
    }

    /// The caller's own talks of some days, the latest first, by keyset.
    pub async fn consultations(
        &self,
        scope: Scope,
        days: Window,
        before: Option<Talked>,
        limit: i64,
    ) -> Result<Vec<(ConsultationRow, DataKeyRow)>, LedgerError> {
        // The end of the days is no longer one of them; what stands behind the cursor may be of its very moment.
        let (at, id) = match before {
            Some(last) if last.at < days.before => (last.at, last.id.to_string()),
            _ => (days.before, String::new()),
        };
        let statement = sqlx::query(LIST)
            .bind(scope.agency().to_string())
            .bind(days.from.as_microsecond())
            .bind(at.as_microsecond())
            .bind(id)
            .bind(limit);
        statement.fetch_all(&self.reads).await?.iter().map(with_key).collect()
    }
}

fn with_key(row: &sqlx::any::AnyRow) -> Result<(ConsultationRow, DataKeyRow), LedgerError> {
    let talk = ConsultationRow::read(row)?;
    let at = ConsultationRow::WIDTH;
    let (kek, wrapped) = (Option::<String>::read(row, at)?, Option::<Vec<u8>>::read(row, at + 1)?);
    let (kek, wrapped) = kek
        .zip(wrapped)
        .ok_or_else(|| LedgerError::Corrupt { column: at, why: "its key is not there".to_owned() })?;
    let key = DataKeyRow { id: talk.data_key, agency: talk.owner, kek, wrapped };
    Ok((talk, key))
}

impl TakeConsultation {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(sqlx::query(TAKE)
            .bind(self.id.to_string())
            .bind(self.owner.to_string())
            .bind(self.case.to_string())
            .execute(on)
            .await?
            .rows_affected())
    }
}

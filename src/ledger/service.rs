//! The directory of services, imported from municipal data.

use jiff::{Timestamp, civil::Date};
use sqlx::AnyConnection;

use super::{
    Ledger, LedgerError,
    text::statements,
    values::{Column, Statement, table, text_columns},
};
use crate::domain::{
    ids::ServiceId,
    municipality::MunicipalityCode,
    service::{AgeCounts, ServiceKind},
};

text_columns!(ServiceKind, Date);

/// Six numbers or `-`, joined by commas: `0,3,-,-,-,-`. `-` means the class is not offered; it is not 0.
impl Column for AgeCounts {
    fn bind(&self, to: Statement) -> Statement {
        let texts: Vec<_> =
            self.iter().map(|(_, n)| n.map_or_else(|| "-".to_owned(), |n| n.to_string())).collect();
        to.bind(texts.join(","))
    }

    fn read(row: &sqlx::any::AnyRow, at: usize) -> Result<Self, LedgerError> {
        let corrupt = || LedgerError::Corrupt { column: at, why: "not six age counts".to_owned() };
        let count = |text: &str| match text {
            "-" => Ok(None),
            number => number.parse().map(Some).map_err(|_| corrupt()),
        };
        let counts: Vec<Option<u32>> =
            String::read(row, at)?.split(',').map(count).collect::<Result<_, _>>()?;
        counts.try_into().map(Self::new).map_err(|_| corrupt())
    }
}

table! {
    /// A service as its source published it.
    ServiceRow = "service" {
        id: ServiceId,
        source: String,
        number: String,
        kind: ServiceKind,
        name: String,
        municipality: MunicipalityCode,
        ward: Option<String>,
        as_of: Option<Date>,
        accepting: AgeCounts,
        waiting: AgeCounts,
        enrolled: AgeCounts,
        changed_at: Timestamp,
    }
}

/// Replaces what a source published before about one service.
pub struct UpdateService(pub ServiceRow);

/// Which services a list shows.
#[derive(Clone, Debug, Default)]
pub struct ServiceFilter {
    pub municipality: Option<MunicipalityCode>,
    pub kind: Option<ServiceKind>,
}

statements! {
    ONE = ["SELECT ", ServiceRow::COLUMNS, " FROM service WHERE id = $1"];
    LIST = ["SELECT ", ServiceRow::COLUMNS, " FROM service WHERE id > $1 ORDER BY id LIMIT $2"];
    LIST_WARD = ["SELECT ", ServiceRow::COLUMNS,
        " FROM service WHERE municipality = $1 AND id > $2 ORDER BY id LIMIT $3"];
    LIST_KIND = ["SELECT ", ServiceRow::COLUMNS, " FROM service WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3"];
    LIST_WARD_KIND = ["SELECT ", ServiceRow::COLUMNS,
        " FROM service WHERE municipality = $1 AND kind = $2 AND id > $3 ORDER BY id LIMIT $4"];
    OF_SOURCE = ["SELECT ", ServiceRow::COLUMNS, " FROM service WHERE source = $1 AND number > $2 ORDER BY number LIMIT $3"];
    UPDATE = ["UPDATE service SET kind = $2, name = $3, municipality = $4, ward = $5, as_of = $6, accepting = $7, ",
        "waiting = $8, enrolled = $9, changed_at = $10 WHERE id = $1"];
}

impl Ledger {
    /// One service.
    pub async fn service(&self, id: ServiceId) -> Result<Option<ServiceRow>, LedgerError> {
        self.one(sqlx::query(ONE).bind(id.to_string())).await
    }

    /// The directory of services by keyset.
    pub async fn services(
        &self,
        filter: &ServiceFilter,
        after: Option<ServiceId>,
        limit: i64,
    ) -> Result<Vec<ServiceRow>, LedgerError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let statement = match (&filter.municipality, filter.kind) {
            (None, None) => sqlx::query(LIST),
            (Some(ward), None) => sqlx::query(LIST_WARD).bind(ward.to_string()),
            (None, Some(kind)) => sqlx::query(LIST_KIND).bind(kind.code()),
            (Some(ward), Some(kind)) => sqlx::query(LIST_WARD_KIND).bind(ward.to_string()).bind(kind.code()),
        };
        self.many(statement.bind(after).bind(limit)).await
    }

    /// Everything one source has published, by keyset over its numbers: what an import compares with.
    pub async fn services_of(
        &self,
        source: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ServiceRow>, LedgerError> {
        let statement = sqlx::query(OF_SOURCE).bind(source.to_owned()).bind(after.to_owned()).bind(limit);
        self.many(statement).await
    }
}

impl UpdateService {
    pub(super) async fn apply(&self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let row = &self.0;
        let statement = sqlx::query(UPDATE)
            .bind(row.id.to_string())
            .bind(row.kind.code())
            .bind(row.name.clone())
            .bind(row.municipality.to_string())
            .bind(row.ward.clone())
            .bind(row.as_of.map(|day| day.to_string()));
        let statement = row.enrolled.bind(row.waiting.bind(row.accepting.bind(statement)));
        Ok(statement.bind(row.changed_at.as_microsecond()).execute(on).await?.rows_affected())
    }
}

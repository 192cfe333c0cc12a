//! How ids, codes and times are written as TEXT and BIGINT: once, for all tables.

use std::{fmt::Display, str::FromStr};

use jiff::Timestamp;
use sqlx::{
    Any, Row as _,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::error::LedgerError;
use crate::domain::{chain::Hash, ids};

pub(super) type Statement = Query<'static, Any, AnyArguments>;

/// Sorts after every UUID text: where a list that begins with the newest starts.
pub(super) const LAST: &str = "g";

/// A value of one column.
pub(super) trait Column: Sized {
    fn bind(&self, to: Statement) -> Statement;
    fn read(row: &AnyRow, at: usize) -> Result<Self, LedgerError>;
}

/// A row of one table: written by const multi-row INSERTs, read by position.
pub(super) trait Row: Sized {
    #[cfg(test)]
    const TABLE: &'static str;
    const INSERT: Insert;
    fn bind(&self, to: Statement) -> Statement;
    fn read(row: &AnyRow) -> Result<Self, LedgerError>;
}

/// The INSERT of a table for 1, 8 and 32 rows.
pub(super) struct Insert {
    pub one: &'static str,
    pub eight: &'static str,
    pub thirty_two: &'static str,
}

/// Declares a table's row: its columns, how they are written and how they are read.
///
/// Its INSERTs end in `ON CONFLICT DO NOTHING`: a row that is already there is then counted as missing by the
/// committer, which refuses the write instead of failing the transaction.
macro_rules! table {
    ($(#[$meta:meta])* $name:ident = $table:literal { $($column:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name { $(pub $column: $type),+ }

        impl $name {
            /// The columns in the order they are read.
            #[allow(dead_code, reason = "some tables are only written")]
            pub(super) const COLUMNS: &'static str =
                $crate::ledger::values::columns!($($column),+);
            /// How many they are.
            #[allow(dead_code, reason = "most tables are read alone")]
            pub(super) const WIDTH: usize = [$(stringify!($column)),+].len();
        }

        impl $crate::ledger::values::Row for $name {
            #[cfg(test)]
            const TABLE: &'static str = $table;
            const INSERT: $crate::ledger::values::Insert = {
                const HEAD: &str =
                    $crate::ledger::text::sql!("INSERT INTO ", $table, " (", $name::COLUMNS, ") VALUES ");
                const COUNT: usize = $name::WIDTH;
                const TAIL: &str = " ON CONFLICT DO NOTHING";
                const ONE: &[u8; $crate::ledger::text::insert_len(HEAD, COUNT, 1, TAIL)] =
                    &$crate::ledger::text::insert(HEAD, COUNT, 1, TAIL);
                const EIGHT: &[u8; $crate::ledger::text::insert_len(HEAD, COUNT, 8, TAIL)] =
                    &$crate::ledger::text::insert(HEAD, COUNT, 8, TAIL);
                const MANY: &[u8; $crate::ledger::text::insert_len(HEAD, COUNT, 32, TAIL)] =
                    &$crate::ledger::text::insert(HEAD, COUNT, 32, TAIL);
                $crate::ledger::values::Insert {
                    one: $crate::ledger::text::utf8(ONE),
                    eight: $crate::ledger::text::utf8(EIGHT),
                    thirty_two: $crate::ledger::text::utf8(MANY),
                }
            };

            fn bind(&self, to: $crate::ledger::values::Statement) -> $crate::ledger::values::Statement {
                $(let to = $crate::ledger::values::Column::bind(&self.$column, to);)+
                to
            }

            fn read(row: &sqlx::any::AnyRow) -> Result<Self, $crate::ledger::LedgerError> {
                let mut at = 0..;
                Ok(Self {
                    $($column: $crate::ledger::values::Column::read(
                        row,
                        at.next().expect("invariant: an open range does not end"),
                    )?),+
                })
            }
        }
    };
}

/// Column names joined by commas.
macro_rules! columns {
    ($first:ident $(, $more:ident)*) => {
        concat!(stringify!($first) $(, ", ", stringify!($more))*)
    };
}

pub(super) use {columns, table};

fn corrupt(column: usize) -> impl FnOnce(sqlx::Error) -> LedgerError {
    move |error| LedgerError::Corrupt { column, why: error.to_string() }
}

macro_rules! plain_columns {
    ($($type:ty),+) => {$(
        impl Column for $type {
            fn bind(&self, to: Statement) -> Statement {
                to.bind(self.clone())
            }

            fn read(row: &AnyRow, at: usize) -> Result<Self, LedgerError> {
                row.try_get(at).map_err(corrupt(at))
            }
        }

        impl Column for Option<$type> {
            fn bind(&self, to: Statement) -> Statement {
                to.bind(self.clone())
            }

            fn read(row: &AnyRow, at: usize) -> Result<Self, LedgerError> {
                row.try_get(at).map_err(corrupt(at))
            }
        }
    )+};
}

plain_columns!(String, i64, Vec<u8>);

impl Column for &'static str {
    fn bind(&self, to: Statement) -> Statement {
        to.bind(*self)
    }

    fn read(_: &AnyRow, column: usize) -> Result<Self, LedgerError> {
        Err(LedgerError::Corrupt { column, why: "a constant is written, never read".to_owned() })
    }
}

impl Column for Timestamp {
    fn bind(&self, to: Statement) -> Statement {
        to.bind(self.as_microsecond())
    }

    fn read(row: &AnyRow, at: usize) -> Result<Self, LedgerError> {
        time(i64::read(row, at)?, at)
    }
}

impl Column for Option<Timestamp> {
    fn bind(&self, to: Statement) -> Statement {
        to.bind(self.map(Timestamp::as_microsecond))
    }

    fn read(row: &AnyRow, at: usize) -> Result<Self, LedgerError> {
        Option::<i64>::read(row, at)?.map(|micros| time(micros, at)).transpose()
    }
}

fn time(micros: i64, column: usize) -> Result<Timestamp, LedgerError> {
    Timestamp::from_microsecond(micros).map_err(|e| LedgerError::Corrupt { column, why: e.to_string() })
}

fn hash(bytes: &[u8], column: usize) -> Result<Hash, LedgerError> {
    match bytes.try_into() {
        Ok(bytes) => Ok(Hash::new(bytes)),
        Err(_) => Err(LedgerError::Corrupt { column, why: "not 32 bytes".to_owned() }),
    }
}

impl Column for Hash {
    fn bind(&self, to: Statement) -> Statement {
        to.bind(self.bytes().to_vec())
    }

    fn read(row: &AnyRow, at: usize) -> Result<Self, LedgerError> {
        hash(&Vec::<u8>::read(row, at)?, at)
    }
}

impl Column for Option<Hash> {
    fn bind(&self, to: Statement) -> Statement {
        to.bind(self.map(|hash| hash.bytes().to_vec()))
    }

    fn read(row: &AnyRow, at: usize) -> Result<Self, LedgerError> {
        Option::<Vec<u8>>::read(row, at)?.map(|bytes| hash(&bytes, at)).transpose()
    }
}

/// Reads a code or an id; what it says of a bad one is a constant text.
pub(super) fn parse<T: FromStr<Err: Display>>(text: &str, column: usize) -> Result<T, LedgerError> {
    text.parse().map_err(|e: T::Err| LedgerError::Corrupt { column, why: e.to_string() })
}

/// Ids and codes are TEXT, written by `Display` and read by `FromStr`.
macro_rules! text_columns {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::ledger::values::Column for $type {
            fn bind(&self, to: $crate::ledger::values::Statement) -> $crate::ledger::values::Statement {
                to.bind(self.to_string())
            }

            fn read(row: &sqlx::any::AnyRow, at: usize) -> Result<Self, $crate::ledger::LedgerError> {
                let text = <String as $crate::ledger::values::Column>::read(row, at)?;
                $crate::ledger::values::parse(&text, at)
            }
        }

        impl $crate::ledger::values::Column for Option<$type> {
            fn bind(&self, to: $crate::ledger::values::Statement) -> $crate::ledger::values::Statement {
                to.bind(self.as_ref().map(ToString::to_string))
            }

            fn read(row: &sqlx::any::AnyRow, at: usize) -> Result<Self, $crate::ledger::LedgerError> {
                <Option<String> as $crate::ledger::values::Column>::read(row, at)?
                    .map(|text| $crate::ledger::values::parse(&text, at))
                    .transpose()
            }
        }
    )+};
}

pub(super) use text_columns;

text_columns!(
    ids::AgencyId,
    ids::StaffId,
    ids::ServiceId,
    ids::CaseId,
    ids::CaseEntryId,
    ids::ConsultationId,
    ids::ReferralId,
    ids::LegId,
    ids::DeliveryId,
    ids::ConsentId,
    ids::ProtectionId,
    ids::IncidentId,
    ids::AccessRequestId,
    ids::BreakGlassId,
    ids::ReceiptId,
    ids::JobId,
    ids::DataKeyId,
    ids::AuditId,
);

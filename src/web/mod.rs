//! The only speaker of HTTP. The whole API stands in one table: [`TABLE`].
//!
//! Handlers parse, call one use case or one plain read, and answer. Must never happen here: a transaction,
//! a key, a status code outside `problem.rs`, an endpoint that is not in the table.

pub mod api;
pub mod caller;
pub mod command;
pub mod openapi;
pub mod pages;
pub mod passwords;
pub mod problem;
pub mod query;
mod routes;
pub mod server;
pub mod shown;

pub(crate) use routes::configure;
pub use routes::{Endpoint, TABLE};

use crate::usecases::schema::Schema;

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: keys, health, the description of the API, and the token endpoint itself.
    Public,
    /// An agency's system with an access token.
    Agency,
    /// A person with a browser: the pages, the way to them, and what they are made of. No part of the API.
    Page,
}

/// What a change must bring besides its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarded {
    No,
    /// `Idempotency-Key`: the same request again gets the same answer.
    Key,
    /// `Idempotency-Key`, and `If-Match` with the version that was read.
    KeyAndVersion,
}

/// One row of the table.
pub struct Row {
    pub endpoint: Endpoint,
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    pub guarded: Guarded,
    pub body: Option<Schema>,
    pub answer: Option<Schema>,
    pub query: &'static [&'static str],
    pub ja: &'static str,
    pub en: &'static str,
}

/// The changes that can be tried out with `Prefer: dry-run`. Every other one refuses it.
pub const DRY_RUNS: &[Endpoint] =
    &[Endpoint::Submit, Endpoint::RecordConsent, Endpoint::WithdrawConsent, Endpoint::Act];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_post_of_an_agency_carries_an_idempotency_key() {
        for row in TABLE.iter().filter(|row| row.method == "POST" && row.access == Access::Agency) {
            assert_ne!(row.guarded, Guarded::No, "{}", row.path);
            assert!(row.body.is_some(), "{}", row.path);
        }
    }
}

//! The two files of the integration tests' support that a floor can share: private servers and databases.

#[path = "../../../tests/support/database.rs"]
pub mod database;
#[allow(dead_code, reason = "the integration tests use the rest")]
#[path = "../../../tests/support/servers.rs"]
mod servers;

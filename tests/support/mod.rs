//! What test binaries share: the private servers that `scripts/test` starts, a database and a broker vhost per test,
//! and a town of agencies around a hub.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod broker;
pub mod cast;
pub mod database;
pub mod ending;
pub mod servers;
pub mod stories;
pub mod town;

pub use servers::unique_name;

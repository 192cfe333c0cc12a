//! The handlers of the API, one file per noun: parse, call one use case, answer.

pub mod access;
pub mod access_request;
pub mod arrangement;
pub mod break_glass;
pub mod case;
pub mod consent;
pub mod consultation;
pub mod delivery;
pub mod directory;
pub mod family;
pub mod health;
pub mod incident;
pub mod leg;
pub mod protection;
pub mod provision;
pub mod receipt;
pub mod referral;
pub mod retention;
pub mod staff;
pub mod subscription;
pub mod token;

#[cfg(test)]
mod tests;

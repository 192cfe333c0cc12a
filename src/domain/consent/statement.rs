//! What is signed about each step of a consent: who recorded what, when, and by which evidence. It names no person
//! of the family; evidence stands in it by digest alone, and the record by the digest of its sealed form.

use jiff::Timestamp;
use serde_json::Value;

use super::ConsentMethod;
use crate::domain::{
    basis_state::ConsentState,
    chain::Hash,
    ids::{AgencyId, ConsentId, StaffId},
};

/// One step of a consent, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentStatement {
    pub agency: AgencyId,
    pub consent: ConsentId,
    pub version: i64,
    pub state: ConsentState,
    pub method: ConsentMethod,
    pub by: StaffId,
    pub at: Timestamp,
    /// SHA-256 of each piece of evidence that the agency keeps, in the order it was listed.
    pub evidence: Vec<Hash>,
    /// SHA-256 of the sealed record: it can be shown to be unchanged, also after its key is destroyed.
    pub sealed: Hash,
    /// SHA-256 of the statement before this one.
    pub prev: Option<Hash>,
}

/// The digests of a consent's evidence, from a document that has passed its schema.
pub fn evidence_digests(document: &Value) -> Vec<Hash> {
    let list = document["evidence"].as_array().into_iter().flatten();
    list.filter_map(|one| one["digest"].as_str()?.parse().ok()).collect()
}

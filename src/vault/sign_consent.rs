//! The statement the hub signs about each step of a consent.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    KeyPurpose, Vault,
    jws::Typ,
    sign::{Jws, sign},
};
use crate::domain::{
    basis_state::ConsentState,
    chain::Hash,
    consent::{ConsentMethod, statement::ConsentStatement},
    ids::{AgencyId, ConsentId, StaffId},
    receipt::jst,
};

/// The statement with what the hub adds to it, its members in the order of JCS.
#[derive(Serialize)]
struct Wire<'a> {
    agency: AgencyId,
    #[serde(serialize_with = "jst::serialize")]
    at: Timestamp,
    by: StaffId,
    consent: ConsentId,
    evidence: &'a [Hash],
    hub_id: Uuid,
    key_id: &'a str,
    method: ConsentMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<Hash>,
    sealed: Hash,
    state: ConsentState,
    v: u8,
    version: i64,
}

impl Vault {
    /// Signs a step of a consent.
    pub fn sign_consent(&self, statement: &ConsentStatement) -> Jws {
        let keys = self.signing();
        let key = keys.current(KeyPurpose::Receipt);
        let ConsentStatement { agency, consent, version, state, method, by, at, evidence, sealed, prev } =
            statement;
        let wire = Wire {
            agency: *agency,
            at: *at,
            by: *by,
            consent: *consent,
            evidence,
            hub_id: self.hub_id,
            key_id: &key.kid,
            method: *method,
            prev: *prev,
            sealed: *sealed,
            state: *state,
            v: 1,
            version: *version,
        };
        Jws::from_signed(sign(key, Typ::Consent, &wire))
    }
}

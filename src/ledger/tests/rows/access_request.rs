//! Rows about disclosure requests.

use super::{at, id};
use crate::{
    domain::{
        access_request::AccessState,
        ids::{AccessRequestId, AgencyId},
    },
    ledger::access_request::{AccessRequestRow, AccessRequestVersionRow},
};

pub fn access_request(agency: AgencyId) -> AccessRequestRow {
    AccessRequestRow {
        id: id(),
        agency,
        state: AccessState::Received,
        version: 1,
        due_at: at(91),
        data_key: id(),
        changed_at: at(92),
    }
}

pub fn access_request_version(request: AccessRequestId, version: i64) -> AccessRequestVersionRow {
    AccessRequestVersionRow { request, version, body: vec![6, 0, 255], at: at(93) }
}

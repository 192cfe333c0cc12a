//! Rows about what was erased, and what must not be.

use super::{Fill, at, id};
use crate::{
    domain::{
        ids::{AgencyId, LegId, ReferralId},
        retention::PlacedKind,
    },
    ledger::{
        erasure::{ErasureRow, HoldRow, ShredRow},
        keyring::{NodeRow, RetiredKekRow},
    },
};

pub fn shred() -> ShredRow {
    ShredRow { data_key: id(), at: at(80) }
}

pub fn erasure(referral: ReferralId, owner: AgencyId) -> ErasureRow {
    ErasureRow { referral, owner, staff: id(), second: id(), reason: vec![6, 0, 255], at: at(81) }
}

pub fn retired_kek(agency: AgencyId) -> RetiredKekRow {
    RetiredKekRow { agency, kek: "202610".to_owned(), at: at(82) }
}

pub fn hold(leg: LegId, agency: AgencyId, fill: Fill) -> HoldRow {
    HoldRow {
        id: id(),
        leg,
        agency,
        kind: PlacedKind::Legal,
        reason: vec![5, 0, 255],
        placed_by: id(),
        placed_at: at(83),
        lifted_by: fill.of(id()),
        lifted_at: fill.of(at(84)),
        lift_reason: fill.of(vec![4, 0, 255]),
    }
}

pub fn node() -> NodeRow {
    NodeRow {
        id: id::<LegId>().to_string(),
        wraps_under: "202611".to_owned(),
        since: at(85),
        kids: "first second".to_owned(),
        signs_with: "second third".to_owned(),
        seen_at: at(86),
    }
}

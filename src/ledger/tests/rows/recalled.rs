//! Rows about copies that are asked back.

use super::{Fill, at, id};
use crate::{
    domain::{
        basis::BasisCode,
        holding::{HoldingCause, HoldingState},
        ids::{AgencyId, ConsentId, LegId},
        incident::IncidentState,
    },
    ledger::{
        holding::HoldingRow,
        incident::IncidentRow,
        leg::LegRow,
        statutory::{StatutoryRow, StatutoryState},
    },
};

pub fn holding(leg: &LegRow, fill: Fill) -> HoldingRow {
    HoldingRow {
        leg: leg.id,
        delivery: leg.delivery,
        sender: leg.sender,
        recipient: leg.recipient,
        consent: fill.of(id()),
        cause: HoldingCause::Recall,
        state: HoldingState::Asked,
        asked_at: at(60),
        due_at: at(61),
        answered_at: fill.of(at(62)),
        staff: fill.of(id()),
    }
}

pub fn statutory(consent: ConsentId, fill: Fill) -> StatutoryRow {
    StatutoryRow {
        consent,
        state: StatutoryState::Due,
        basis: fill.of(BasisCode::NeedOfSupport),
        body: fill.of(vec![8, 0, 255]),
        staff: fill.of(id()),
        due_since: at(63),
        decided_at: fill.of(at(64)),
    }
}

pub fn incident(agency: AgencyId, leg: LegId, fill: Fill) -> IncidentRow {
    IncidentRow {
        id: id(),
        agency,
        leg,
        state: IncidentState::Open,
        version: 1,
        known_at: at(65),
        preliminary_due: fill.of(at(66)),
        full_due: fill.of(at(67)),
        data_key: id(),
        body: vec![7, 0, 255],
        closing: fill.of(vec![9, 0, 255]),
        closed_by: fill.of(id()),
        changed_at: at(68),
    }
}

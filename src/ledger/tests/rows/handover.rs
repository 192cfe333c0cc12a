//! Rows about hand-over addresses.

use super::{Fill, at, id};
use crate::{
    domain::handover::HandoverState,
    ledger::{handover::HandoverRow, leg::LegRow},
};

pub fn handover(leg: &LegRow, fill: Fill) -> HandoverRow {
    HandoverRow {
        id: id(),
        owner: id(),
        address: id(),
        sender: leg.sender,
        recipient: leg.recipient,
        consent: id(),
        state: HandoverState::Used,
        version: 1,
        valid_until: at(70),
        made_by: id(),
        front: fill.of(leg.id),
        back: fill.of(id()),
        look_at: fill.of(at(71)),
        created_at: at(72),
        changed_at: at(73),
    }
}

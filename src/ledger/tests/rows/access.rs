//! Rows about who looked, who is related, and who broke the glass.

use super::{Fill, at, id};
use crate::{
    domain::{
        break_glass::{GlassState, ReviewOutcome},
        chain::Hash,
        purpose::AccessPurpose,
        refusal::RefusalCode,
    },
    ledger::{break_glass::BreakGlassRow, relation::RelationRow},
};

pub fn relation(seq: i64) -> RelationRow {
    // A place of its own: nothing else is ever declared there.
    let mut place = [0; 32];
    place[..16].copy_from_slice(id::<uuid::Uuid>().as_bytes());
    RelationRow { place: Hash::new(place), seq, body: vec![7, 0, 255], at: at(61) }
}

pub fn break_glass(fill: Fill) -> BreakGlassRow {
    BreakGlassRow {
        id: id(),
        leg: id(),
        delivery: id(),
        agency: id(),
        owner: id(),
        staff: id(),
        purpose: AccessPurpose::SafetyCheck,
        refusal: RefusalCode::ConsentExpired,
        state: GlassState::Closed,
        version: 3,
        broken_at: at(62),
        until: at(63),
        review_due: at(64),
        own_outcome: fill.of(ReviewOutcome::Justified),
        owner_outcome: fill.of(ReviewOutcome::NotJustified),
        told_at: fill.of(at(65)),
        body: vec![1, 0, 255],
        own_review: fill.of(vec![2, 0, 255]),
        owner_review: fill.of(vec![3, 0, 255]),
    }
}

//! A leg as the caller may know it: whole for whoever it concerns, and for the sender of a 通告 no more than
//! [`crate::domain::told`] says. Every look at a sent leg comes through here.

use super::{Caller, Context, opened::damaged};
use crate::{
    domain::{
        delivery::DeliveryState,
        leg::LegAction,
        problem::Problem,
        receipt::ReceiptLevel,
        told::{TAKEN, copy, is_told_little, taken_at, tells_rung, tells_step},
    },
    ledger::{
        leg::{LegEventRow, LegRow},
        receipt::ReceiptRow,
    },
};

/// Whether the caller is told little of this leg.
pub(super) fn little(caller: &Caller, leg: &LegRow) -> bool {
    is_told_little(leg.kind, caller.id() == leg.sender)
}

/// Whether the caller has been told its last word of this leg, and has none to add.
pub(super) fn is_over(caller: &Caller, leg: &LegRow) -> bool {
    little(caller, leg) && leg.state == TAKEN
}

/// A leg that was read under the caller's scope, as it stands for the caller: state, version and time are those of the
/// last step that the caller is told of. The clock of a notice is the desk's once it has taken it.
pub(super) async fn told(context: &Context, caller: &Caller, leg: LegRow) -> Result<LegRow, Problem> {
    if !little(caller, &leg) {
        return Ok(leg);
    }
    let events = context.ledger.leg_events(&leg).await?;
    let Some(taken) = taken_at(events.iter().map(|event| event.to_state)) else { return Ok(leg) };
    let taken = events.get(taken).ok_or_else(damaged)?;
    Ok(LegRow {
        state: taken.to_state,
        head_seq: taken.seq,
        head_hash: taken.hash,
        changed_at: taken.at,
        clock_kind: None,
        clock_started: None,
        clock_due: None,
        ..leg
    })
}

/// The receipts of a leg that was told, up to the last step of it: the line of evidence without a gap.
pub(super) async fn receipts(
    context: &Context,
    caller: &Caller,
    leg: &LegRow,
) -> Result<Vec<ReceiptRow>, Problem> {
    let mut receipts = context.ledger.receipts(leg).await?;
    if little(caller, leg) {
        // The times of one leg's steps only ever rise.
        receipts.retain(|row| row.at <= leg.changed_at);
    }
    Ok(receipts)
}

/// The events of a leg that was told, up to the last step of it.
pub(super) async fn events(
    context: &Context,
    caller: &Caller,
    leg: &LegRow,
) -> Result<Vec<LegEventRow>, Problem> {
    let mut events = context.ledger.leg_events(leg).await?;
    if little(caller, leg) {
        events.retain(|event| event.seq <= leg.head_seq);
    }
    Ok(events)
}

/// Whether the caller is shown this receipt of a leg that was told, asked for by itself.
pub(super) fn shows_receipt(caller: &Caller, leg: &LegRow, row: &ReceiptRow) -> bool {
    !little(caller, leg) || row.at <= leg.changed_at && tells_rung(row.level)
}

/// Whether a rung of the ladder is shown to the caller.
pub(super) fn shows_rung(caller: &Caller, leg: &LegRow, level: ReceiptLevel) -> bool {
    !little(caller, leg) || tells_rung(level)
}

/// The same on a list, where every rung of the leg was read: an end that came after its sender was told the last word is
/// not the sender's.
pub(super) fn shows_on_list(caller: &Caller, leg: &LegRow, level: ReceiptLevel) -> bool {
    shows_rung(caller, leg, level) && (level != ReceiptLevel::Closed || !is_over(caller, leg))
}

/// Whether a step is shown to the caller among what happened.
pub(super) fn shows_step(caller: &Caller, leg: &LegRow, event: &LegEventRow) -> bool {
    !little(caller, leg) || event.kind.parse::<LegAction>().is_ok_and(tells_step)
}

/// The state of the copy, as the caller may know it.
pub(super) fn copy_state(caller: &Caller, leg: &LegRow, state: DeliveryState) -> DeliveryState {
    if little(caller, leg) { copy(state) } else { state }
}

//! Makes visible what was held back, when its time has come: one write per copy, in which it comes into the inbox, its
//! R1 is issued and its doorbell is queued. An undo and a release move the same rows, so one of them finds that the
//! other was there; and what a clock says can release a copy once, and never take it back.

use futures_util::future::join_all;

use super::{
    Context,
    copy::hub_itself,
    evidence::Trail,
    job::Dispatched,
    open::moved,
    opened::{OpenedLeg, damaged},
    ring,
};
use crate::{
    domain::{
        delivery::{DeliveryAction, DeliveryActor},
        leg::{self, Actor as LegActor, LegAction},
        leg_facts::Facts,
        problem::{Problem, ProblemKind},
        receipt::ReceiptLevel,
    },
    ledger::{Lane, Scope, Write, WriteError, delivery::DeliveryRow, job::JobKind},
};

/// How many copies are released in one round.
pub const LIMIT: i64 = 256;
/// How many at a time, so that readers of the API are not kept waiting.
const TOGETHER: usize = 16;

/// Releases what is due.
///
/// # Errors
/// The ledger could not be reached. What cannot be read is told to the operator and keeps nothing else waiting.
pub async fn release(context: &Context) -> Result<Dispatched, Problem> {
    let due = context.ledger.due_for_release(context.clock.now(), LIMIT).await?;
    let mut released = Dispatched { claimed: due.len(), ..Dispatched::default() };
    for some in due.chunks(TOGETHER) {
        for done in join_all(some.iter().map(|delivery| one(context, delivery))).await {
            match done {
                Ok(true) => released.done += 1,
                Ok(false) => {}
                Err(problem) if problem.kind == ProblemKind::Internal => released.dead += 1,
                Err(problem) => return Err(problem),
            }
        }
    }
    if released.done > 0 {
        context.work.notify_one();
    }
    // What cannot be read is due for ever; it must not make the next round begin at once.
    released.claimed = released.done;
    Ok(released)
}

/// Releases one copy; false if it was undone, ended or released meanwhile.
async fn one(context: &Context, delivery: &DeliveryRow) -> Result<bool, Problem> {
    let leg = context.ledger.leg_of(delivery).await?.ok_or_else(damaged)?;
    let scope = Scope::of(leg.sender);
    let opened = OpenedLeg::of(context, scope, leg).await?;
    let facts =
        Facts { release: delivery.state.release(), ..Facts::cautious(opened.lane(), opened.leg.urgency) };
    let state = opened.leg.state;
    // An end takes the copy along in one write, so this is a leg that has moved on since the copy was read.
    let Ok(row) = leg::step(state, LegAction::Release, LegActor::Hub, &facts) else { return Ok(false) };
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), &opened.leg);
    trail.event(row.action, row.to.unwrap_or(state), &hub_itself(), None)?;
    trail.receipt(ReceiptLevel::R1, &hub_itself(), None, None);
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.steps.push(moved(&opened, delivery, DeliveryAction::Release, DeliveryActor::Hub, trail.at())?);
    let (at, whom) = (context.clock.now(), opened.leg.recipient);
    write.rows.jobs.push(ring::job(context, JobKind::Waiting, &opened.leg, whom, at));
    trail.finish(&mut write);
    match context.ledger.write(write).await {
        Ok(_) => Ok(true),
        Err(WriteError::Stale | WriteError::Duplicate(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

//! An act on a leg: answers of the recipient, cancellations and replies of the sender. The leg's own table is
//! the only authority; the first answer writes R4, an end writes exactly one ending receipt.

mod again;
mod details;

use serde_json::{Map, Value, json};

pub(super) use again::answer_again;

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    evidence::Trail,
    hand_over, holding,
    idempotency::{Pointer, Prepared, once},
    not_found,
    open::moved,
    opened::{OpenedLeg, damaged},
    recall::Recall,
    rehearsal, ring, told,
};
use crate::{
    domain::{
        delivery::{DeliveryAction, DeliveryActor, Push},
        fault::Phrase,
        hand_over::TAKE_OVER_FIRST,
        ids::LegId,
        leg::{
            self, Actor as LegActor, Answered, Available, Evidence, Guard, Illegal, LegAction, LegState,
            Transition,
        },
        leg_facts::{
            Approval, BasisFact, BeforeHold, DisposalFact, Facts, Onward, Preview, RecipientFact, Release,
        },
        machine::Why,
        problem::{Problem, ProblemKind},
        receipt::{self, Actor, Attested, ReceiptLevel},
        staff::StaffRole,
    },
    ledger::{
        Lane, Write,
        audit::AuditAction,
        delivery::DeliveryRow,
        job::JobKind,
        leg::{LegEventRow, LegRow},
        receipt::ReceiptRow,
    },
};

pub(super) use details::{lacking, member};

/// Acts on a leg, if it still has the version the caller has read.
///
/// # Errors
/// Not found for a foreign or missing leg; stale; illegal in this state, with what is allowed; a member the act
/// needs and the body lacks.
pub async fn act(
    context: &Context,
    caller: &Caller,
    id: LegId,
    action: LegAction,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    let prepare = async || prepare(context, caller, id, action, version, command).await;
    let done = once(context, caller, command, prepare).await?;
    if action == LegAction::ConfirmDisposal
        && let Err(problem) = holding::settle_after(context, caller, id).await
    {
        tracing::warn!(kind = ?problem.kind, "whether a withdrawal is settled is left to the sweep");
    }
    Ok(done)
}

/// What the act would do.
///
/// # Errors
/// As [`act`].
pub async fn rehearse(
    context: &Context,
    caller: &Caller,
    id: LegId,
    action: LegAction,
    version: i64,
    command: &Command,
) -> Result<String, Problem> {
    let prepared = prepare(context, caller, id, action, version, command).await?;
    Ok(rehearsal::told(&prepared))
}

async fn prepare(
    context: &Context,
    caller: &Caller,
    id: LegId,
    action: LegAction,
    version: i64,
    command: &Command,
) -> Result<Prepared, Problem> {
    let scope = caller.scope_of(context, &command.document["by"]).await?;
    let leg = context.ledger.leg(scope, id).await?.ok_or_else(not_found)?;
    let leg = told::told(context, caller, leg).await?;
    let staff = caller.staff(context, &command.document["by"], "/by").await?;
    let delivery = context.ledger.delivery_of(&leg).await?.ok_or_else(damaged)?;
    // Whoever is late to undo is told what to do instead, and not to read again and try once more.
    let too_late = action == LegAction::Undo && delivery.state.release() == Release::Done;
    if leg.head_seq != version && !too_late {
        return Err(Problem::new(ProblemKind::VersionStale));
    }
    let facts = facts(context, &leg, &delivery).await?;
    let row = allowed_row(caller, &leg, action, &actors(caller, &leg, staff.role), &facts)?;
    let mut details = details::details(row, &command.document)?;
    let opened = OpenedLeg::of(context, caller.scope(), leg).await?;
    let answered = answered(context, &opened.leg).await?;
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    // Who of its sender's staff speaks in a notice is not signed: the desk need not know, and nobody else may.
    let named = (!told::little(caller, &opened.leg)).then_some(staff.id);
    let by = Actor { agency: Some(caller.id()), staff: named, attested: Attested::AgencyAsserted };
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), &opened.leg);
    let at = trail.at();
    let mut recall = None;
    let taking = hand_over::Taking::of(context, &opened, row.action, &staff, &command.document).await?;
    if let Some(protection) = taking.as_ref().and_then(hand_over::Taking::protection) {
        details.sealed["protection"] = json!(protection);
    }
    match row.action {
        LegAction::Recall => {
            let made = Recall::make(context, caller, &opened, &delivery, &staff, &command.document).await?;
            trail.never_opened(made.exposure.never_opened());
            recall = Some(made);
        }
        LegAction::ConfirmDisposal => {
            holding::answer(context, &opened.leg, &staff, &command.document, at, &mut write).await?;
        }
        LegAction::Acknowledge => hand_over::arrived(&opened, &delivery, &by, &mut trail, &mut write)?,
        _ => {}
    }
    let (mut answer, seq) = step(trail, row, &by, &details, answered, id, &mut write)?;
    close_copy(&opened, &delivery, row, context, &mut write)?;
    if let Some(recall) = recall {
        answer.append(&mut recall.write(context, caller, &opened, &delivery, &mut write).await?);
    }
    let text = Value::Object(answer).to_string();
    write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Act, id, ALLOWED));
    let other = if caller.id() == opened.leg.sender { opened.leg.recipient } else { opened.leg.sender };
    write.rows.jobs.push(ring::job(context, JobKind::Changed, &opened.leg, other, context.clock.now()));
    if let Some(taking) = taking {
        taking.write(context, caller, staff.id, &mut write).await?;
    }
    Ok(Prepared { pointer: Pointer::Event { leg: id, seq }, text, write })
}

/// Adds the event and the evidence the table asks for, and returns the answer.
fn step(
    mut trail: Trail<'_>,
    row: &'static Transition,
    by: &Actor,
    details: &details::Details,
    answered: Answered,
    id: LegId,
    write: &mut Write,
) -> Result<(Map<String, Value>, i64), Problem> {
    let from = trail.state().ok_or_else(damaged)?;
    let to = row.to.unwrap_or(from);
    trail.event(row.action, to, by, Some(&details.sealed))?;
    let answer = receipt::Answer { action: row.action.code().into(), reason: details.reason.map(Into::into) };
    let (level, jws) = match leg::evidence(row, answered) {
        Evidence::FirstAnswer => ("R4", trail.receipt(ReceiptLevel::R4, by, Some(answer), None)),
        Evidence::Closed => ("closed", trail.receipt(ReceiptLevel::Closed, by, Some(answer), None)),
        Evidence::Delivery | Evidence::Event => ("event", trail.sign(by, Some(answer))),
    };
    let standing = trail.finish(write);
    Ok((answer_of(id, standing.seq, standing.state, level, &jws), standing.seq))
}

/// A cancelled, withdrawn or mis-sent leg takes its unread copy out of the inbox.
fn close_copy(
    opened: &OpenedLeg,
    delivery: &DeliveryRow,
    row: &Transition,
    context: &Context,
    write: &mut Write,
) -> Result<(), Problem> {
    let takes_back =
        row.action == LegAction::Recall || matches!(row.to, Some(LegState::Cancelled | LegState::Withdrawn));
    if takes_back && !delivery.state.terminal() {
        let at = context.clock.now();
        write.steps.push(moved(opened, delivery, DeliveryAction::Recall, DeliveryActor::Hub, at)?);
        let whom = opened.leg.recipient;
        write.rows.jobs.push(ring::job(context, JobKind::Recalled, &opened.leg, whom, at));
    }
    Ok(())
}

/// What the table's guards need to know of a leg.
pub(super) async fn facts(context: &Context, leg: &LegRow, delivery: &DeliveryRow) -> Result<Facts, Problem> {
    let push = if delivery.disclosed_at.is_some() { Push::Published } else { Push::None };
    let before_hold = match leg.state {
        LegState::OnHold => before_hold(&context.ledger.leg_events(leg).await?),
        _ => BeforeHold::Accepted,
    };
    Ok(Facts {
        basis: BasisFact::Live,
        recipient: RecipientFact::Free,
        approval: Approval::NotNeeded,
        preview: Preview::NotTaken,
        copy: delivery.state.copy_place(push),
        release: delivery.state.release(),
        disposal: disposal(context, leg).await?,
        hand_over: hand_over::fact(context, leg).await?,
        // No consent or basis of this version reaches beyond the recipient it names.
        onward: Onward::NotCovered,
        before_hold,
        ..Facts::cautious(super::opened::lane(leg.basis), leg.urgency)
    })
}

/// Whether the recipient owes a word about its copy. Only of a leg that has ended is one asked.
async fn disposal(context: &Context, leg: &LegRow) -> Result<DisposalFact, Problem> {
    let asked = if leg.state.terminal() { context.ledger.holding_of(leg.id).await? } else { None };
    let owed = asked.is_some_and(|row| !row.state.answered());
    Ok(if owed { DisposalFact::Asked } else { DisposalFact::NotAsked })
}

/// The state from which the last hold was made.
fn before_hold(events: &[LegEventRow]) -> BeforeHold {
    let held = events
        .iter()
        .rev()
        .find(|event| event.to_state == LegState::OnHold && event.from_state != LegState::OnHold);
    match held.map(|event| event.from_state) {
        Some(LegState::Scheduled) => BeforeHold::Scheduled,
        Some(LegState::InProgress) => BeforeHold::InProgress,
        _ => BeforeHold::Accepted,
    }
}

/// As whom a person of this agency and role may act, the most entitled last.
pub(super) fn actors(caller: &Caller, leg: &LegRow, role: StaffRole) -> Vec<LegActor> {
    if caller.id() != leg.sender {
        return vec![LegActor::ReceiverStaff];
    }
    match role {
        StaffRole::Supervisor => vec![LegActor::SenderStaff, LegActor::SenderSupervisor],
        StaffRole::PrivacyOfficer => vec![LegActor::SenderStaff, LegActor::PrivacyOfficer],
        _ => vec![LegActor::SenderStaff],
    }
}

/// Everything the caller's staff of this role can do now, each act once.
pub(super) fn available(caller: &Caller, leg: &LegRow, actors: &[LegActor], facts: &Facts) -> Vec<Available> {
    let mut found: Vec<Available> = Vec::new();
    if told::is_over(caller, leg) {
        return found;
    }
    for one in actors.iter().flat_map(|actor| leg::available(leg.state, *actor, facts)) {
        if !found.iter().any(|other| other.action == one.action) {
            found.push(one);
        }
    }
    found.retain(|one| acts_here(one.action));
    found
}

/// Whether an act is made on the leg itself. A withdrawal is made on the consent, where it reaches every leg that
/// rests on it; a leg is replaced by sending anew.
const fn acts_here(action: LegAction) -> bool {
    !matches!(action, LegAction::Withdraw | LegAction::Replace)
}

fn allowed_row(
    caller: &Caller,
    leg: &LegRow,
    action: LegAction,
    actors: &[LegActor],
    facts: &Facts,
) -> Result<&'static Transition, Problem> {
    let mut last: Option<Illegal> = None;
    let actors = if told::is_over(caller, leg) { &[] } else { actors };
    for actor in actors {
        match leg::step(leg.state, action, *actor, facts) {
            Ok(row) if acts_here(action) => return Ok(row),
            Ok(_) => {}
            Err(illegal) => last = Some(illegal),
        }
    }
    let allowed = available(caller, leg, actors, facts).iter().map(|one| one.action.code()).collect();
    let problem = Problem::illegal_transition(leg.state.code(), allowed);
    Err(match last {
        Some(Illegal { why: Why::Guard(Guard::Held), .. }) => {
            problem.code(Guard::Held.code()).mend(RECALL_INSTEAD)
        }
        Some(Illegal { why: Why::Guard(Guard::FlagTaken), .. }) => {
            problem.code(Guard::FlagTaken.code()).mend(TAKE_OVER_FIRST)
        }
        Some(Illegal { why: Why::Guard(guard), .. }) => problem.code(guard.code()),
        _ if action == LegAction::Undo && !leg.state.terminal() => problem.mend(RECALL_INSTEAD),
        _ => problem,
    })
}

/// What remains when a sending can no longer be undone.
const RECALL_INSTEAD: Phrase = Phrase {
    ja: "すでに相手に見えています。取消（cancel）を使うか、誤送信なら recall で回収してください。急ぐときは相手に電話してください。",
    en: "The recipient can see it by now: cancel it or, if it went to the wrong place, recall it. If it is urgent, telephone.",
};

async fn answered(context: &Context, leg: &LegRow) -> Result<Answered, Problem> {
    let receipts = context.ledger.receipts(leg).await?;
    let is_first = |row: &ReceiptRow| row.level == ReceiptLevel::R4;
    Ok(if receipts.iter().any(is_first) { Answered::Already } else { Answered::NotYet })
}

fn answer_of(id: LegId, seq: i64, state: LegState, level: &str, jws: &str) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("id".into(), json!(id));
    answer.insert("version".into(), json!(seq));
    answer.insert("state".into(), json!(state));
    answer.insert("level".into(), json!(level));
    answer.insert("receipt".into(), json!(jws));
    answer
}

//! Withdraws a consent: at once it stops what waits and further openings, and every holder is told.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    act::facts,
    consent,
    evidence::Trail,
    holding::{self, consent_state},
    idempotency::{Pointer, Prepared, once},
    not_found,
    open::moved,
    opened::{OpenedLeg, damaged, erased},
    rehearsal, ring,
};
use crate::{
    domain::{
        basis_state::{self, AnswerDeadline, ConsentAction, ConsentFacts, ConsentState, Holders, Validity},
        consent::ConsentMethod,
        delivery::{DeliveryAction, DeliveryActor, DeliveryState},
        holding::HoldingCause,
        ids::ConsentId,
        leg::{self, Actor as LegActor, LegAction},
        problem::{Problem, ProblemKind},
        receipt::{self, Actor, Attested, ReceiptLevel},
    },
    ledger::{
        Lane, Scope, Write,
        agency::StaffRow,
        audit::AuditAction,
        consent::{ConsentEventRow, ConsentRow, MoveConsent},
        job::JobKind,
        leg::LegRow,
        statutory::{StatutoryRow, StatutoryState},
        write::Step,
    },
};

/// Withdraws a consent the caller keeps, if it still has the version that was read. All legs that rest on it and
/// have not ended end now, in the same transaction.
///
/// # Errors
/// Not found; stale; a consent that is not in force.
pub async fn withdraw(
    context: &Context,
    caller: &Caller,
    id: ConsentId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || check(context, caller, id, version, &command.document).await)
        .await
}

/// What the withdrawal would do: which legs would end, which copies would be closed, who would be told.
///
/// # Errors
/// As [`withdraw`].
pub async fn rehearse(
    context: &Context,
    caller: &Caller,
    id: ConsentId,
    version: i64,
    command: &Command,
) -> Result<String, Problem> {
    let prepared = check(context, caller, id, version, &command.document).await?;
    Ok(rehearsal::told(&prepared))
}

async fn check(
    context: &Context,
    caller: &Caller,
    id: ConsentId,
    version: i64,
    document: &Value,
) -> Result<Prepared, Problem> {
    let row = context.ledger.consent(caller.scope(), id).await?.ok_or_else(not_found)?;
    let staff = caller.staff(context, &document["by"], "/by").await?;
    // A withdrawal goes on by itself and moves the version with it: whoever withdraws twice is told of the first.
    withdrawn_state(row.state)?;
    if row.version != version {
        return Err(Problem::new(ProblemKind::VersionStale));
    }
    prepare(context, caller, &row, &staff, method(document)?).await
}

async fn prepare(
    context: &Context,
    caller: &Caller,
    row: &ConsentRow,
    staff: &StaffRow,
    method: ConsentMethod,
) -> Result<Prepared, Problem> {
    let now = context.clock.now();
    let withdrawn = withdrawn_state(row.state)?;
    let legs = context.ledger.legs_under(row.id).await?;
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    let mut event = ConsentEventRow {
        consent: row.id,
        version: row.version + 1,
        state: withdrawn,
        method,
        staff: staff.id,
        at: now,
        jws: None,
    };
    let before = context.ledger.consent_events(row).await?;
    event.jws = consent::signed(context, row, &event, Vec::new(), before.last());
    let mut asked = false;
    if !legs.is_empty() {
        write.rows.statutory.push(decision_due(row, now));
    }
    for leg in legs {
        asked |= end_leg(context, caller.scope(), leg, staff, &mut write).await?;
    }
    write.steps.splice(0..0, moves(row, withdrawn, asked, now));
    let text = consent::answer(&event);
    let pointer = Pointer::Consent { id: row.id, version: event.version };
    write.rows.consent_events.push(event);
    write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Withdraw, row.id, ALLOWED));
    Ok(Prepared { write, pointer, text })
}

/// The consent's way from here: withdrawn, being passed on and, where nobody holds a copy, settled at once.
fn moves(row: &ConsentRow, withdrawn: ConsentState, asked: bool, at: Timestamp) -> Vec<Step> {
    let holders = if asked { Holders::SomeSilent } else { Holders::AllAnswered };
    let onward = |state, action| consent_state(state, action, holders, AnswerDeadline::Running);
    let mut states = vec![withdrawn];
    for action in [ConsentAction::Propagate, ConsentAction::Settle] {
        states.extend(states.last().and_then(|state| onward(*state, action)));
    }
    let step = |(state, from_version)| {
        Step::MoveConsent(MoveConsent {
            id: row.id,
            from_version,
            // Read before the legs: what is sent under it meanwhile has to be found and ended too.
            from_uses: row.uses,
            state,
            at,
        })
    };
    states.into_iter().zip(row.version..).map(step).collect()
}

/// A person is to decide anew whether a law allows what the consent no longer does; nothing decides it by itself.
const fn decision_due(row: &ConsentRow, at: Timestamp) -> StatutoryRow {
    StatutoryRow {
        consent: row.id,
        state: StatutoryState::Due,
        basis: None,
        body: None,
        staff: None,
        due_since: at,
        decided_at: None,
    }
}

/// How the family said that it withdraws.
fn method(document: &Value) -> Result<ConsentMethod, Problem> {
    Ok(document["method"].as_str().unwrap_or_default().parse()?)
}

/// The state the consent's own table gives a withdrawal.
fn withdrawn_state(state: ConsentState) -> Result<ConsentState, Problem> {
    // Nothing may stand in the way of a withdrawal: its row has no guard that could read these.
    let facts = ConsentFacts {
        validity: Validity::Within,
        holders: Holders::SomeSilent,
        deadline: AnswerDeadline::Running,
    };
    basis_state::consent_step(Some(state), ConsentAction::Withdraw, LegActor::Guardian, &facts)
        .map_err(|illegal| {
            let allowed = illegal.allowed.iter().map(|action| action.code()).collect();
            Problem::illegal_transition(state.code(), allowed)
        })?
        .to
        .ok_or_else(damaged)
}

/// Ends one leg that rests on the consent and takes its copy back. A leg that has ended stays as it is, but its
/// copy is closed: what waits in an inbox must not be opened any more. Whoever holds a copy is asked what becomes of
/// it; tells whether somebody has still to answer.
async fn end_leg(
    context: &Context,
    scope: Scope,
    leg: LegRow,
    staff: &StaffRow,
    write: &mut Write,
) -> Result<bool, Problem> {
    // Nobody has a copy that opens, and nothing that could be shown.
    if erased(context, &leg).await? {
        return Ok(false);
    }
    let delivery = context.ledger.delivery_of(&leg).await?.ok_or_else(damaged)?;
    let facts = facts(context, &leg, &delivery).await?;
    let opened = OpenedLeg::of(context, scope, leg).await?;
    let asked = holding::ask(context, &opened.leg, &delivery, HoldingCause::Withdrawal, write).await?;
    if delivery.state != DeliveryState::Recalled && !delivery.state.terminal() {
        let at = context.clock.now();
        write.steps.push(moved(&opened, &delivery, DeliveryAction::Recall, DeliveryActor::Hub, at)?);
    }
    let leg = &opened.leg;
    let Ok(row) = leg::step(leg.state, LegAction::Withdraw, LegActor::Guardian, &facts) else {
        return Ok(asked);
    };
    let by = Actor { agency: Some(staff.agency), staff: Some(staff.id), attested: Attested::AgencyAsserted };
    let answer = receipt::Answer { action: row.action.code().into(), reason: None };
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), leg);
    trail.event(row.action, row.to.unwrap_or(leg.state), &by, Some(&json!({})))?;
    trail.receipt(ReceiptLevel::Closed, &by, Some(answer), None);
    trail.finish(write);
    write.rows.jobs.push(ring::job(context, JobKind::Recalled, leg, leg.recipient, context.clock.now()));
    Ok(asked)
}

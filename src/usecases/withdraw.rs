//! Withdraws a consent: at once it stops what waits and further openings, and every holder is told.

use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    act::facts,
    consent,
    evidence::Trail,
    idempotency::{Pointer, Prepared, once},
    not_found,
    open::moved,
    opened::{OpenedLeg, damaged},
    rehearsal, ring,
};
use crate::{
    domain::{
        basis_state::{self, AnswerDeadline, ConsentAction, ConsentFacts, ConsentState, Holders, Validity},
        consent::ConsentMethod,
        delivery::{DeliveryAction, DeliveryActor, DeliveryState},
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
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.steps.push(Step::MoveConsent(MoveConsent {
        id: row.id,
        from_version: row.version,
        // Read before the legs: what is sent under it meanwhile has to be found and ended too.
        from_uses: row.uses,
        state: withdrawn,
        at: now,
    }));
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
    for leg in context.ledger.legs_under(row.id).await? {
        end_leg(context, caller.scope(), leg, staff, &mut write).await?;
    }
    let text = consent::answer(&event);
    let pointer = Pointer::Consent { id: row.id, version: event.version };
    write.rows.consent_events.push(event);
    write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Withdraw, row.id, ALLOWED));
    Ok(Prepared { write, pointer, text })
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
/// copy is closed: what waits in an inbox must not be opened any more.
async fn end_leg(
    context: &Context,
    scope: Scope,
    leg: LegRow,
    staff: &StaffRow,
    write: &mut Write,
) -> Result<(), Problem> {
    let delivery = context.ledger.delivery_of(&leg).await?.ok_or_else(damaged)?;
    let facts = facts(context, &leg, &delivery).await?;
    let opened = OpenedLeg::of(context, scope, leg).await?;
    if delivery.state != DeliveryState::Recalled && !delivery.state.terminal() {
        let at = context.clock.now();
        write.steps.push(moved(&opened, &delivery, DeliveryAction::Recall, DeliveryActor::Hub, at)?);
    }
    let leg = &opened.leg;
    let Ok(row) = leg::step(leg.state, LegAction::Withdraw, LegActor::Guardian, &facts) else {
        return Ok(());
    };
    let by = Actor { agency: Some(staff.agency), staff: Some(staff.id), attested: Attested::AgencyAsserted };
    let answer = receipt::Answer { action: row.action.code().into(), reason: None };
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), leg);
    trail.event(row.action, row.to.unwrap_or(leg.state), &by, Some(&json!({})))?;
    trail.receipt(ReceiptLevel::Closed, &by, Some(answer), None);
    trail.finish(write);
    write.rows.jobs.push(ring::job(context, JobKind::Recalled, leg, leg.recipient, context.clock.now()));
    Ok(())
}

//! Opens a delivery: rights, basis and consent are checked now, the audit row is durable, and only then
//! does the content leave, under the mask of this moment.

use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Context, TRIES,
    evidence::Trail,
    jst, not_found,
    opened::{OpenedLeg, World},
    refused::refused,
    ring,
};
use crate::{
    domain::{
        basis::{Basis, Lane as BasisLane},
        delivery::{self, DeliveryAction, DeliveryActor, DeliveryFacts, DeliveryState, Push, Waited},
        disclosure::{Decision, Event, Opener},
        document::{Head, document, render},
        fault::Phrase,
        ids::{AgencyId, DeliveryId},
        leg::{self, Actor as LegActor, LegAction},
        leg_facts::Facts,
        problem::{Problem, ProblemKind},
        receipt::{Actor, Attested, ReceiptLevel},
        refusal::{Refusal, RefusalCode},
        staff::StaffRole,
    },
    ledger::{
        Lane, Write, WriteError,
        agency::StaffRow,
        audit::AuditAction,
        delivery::{DeliveryRow, MoveDelivery},
        job::JobKind,
        write::Step,
    },
    vault::manifest::manifest,
};

/// Opens the caller's copy in the name of a member of its staff. The first opening writes R2 (if it is
/// missing) and R3; each opening is audited before anything leaves.
///
/// # Errors
/// Not found for a foreign or missing delivery; refused, with the law, where it may not be opened now.
pub async fn open(
    context: &Context,
    caller: &Caller,
    id: DeliveryId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    for _ in 0..TRIES {
        let delivery = context.ledger.delivery(caller.scope(), id).await?.ok_or_else(not_found)?;
        let reader = caller.staff_of_header(context, staff).await?;
        let opened = OpenedLeg::load(context, caller.scope(), delivery.leg).await?.ok_or_else(not_found)?;
        let world = World::load(context, &opened).await?;
        let decision = match allowed(context, &opened, &world, &delivery, &reader) {
            Ok(decision) => decision,
            Err(problem) => return Err(note(context, caller, &reader, id, problem).await),
        };
        match record(context, caller, &opened, &world, &delivery, &reader).await {
            Ok(()) => return show(context, caller, &opened, &world, &decision).await,
            Err(WriteError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

/// Decides whether and what this reader may see at this moment.
fn allowed(
    context: &Context,
    opened: &OpenedLeg,
    world: &World,
    delivery: &DeliveryRow,
    reader: &StaffRow,
) -> Result<Decision, Problem> {
    let at = context.clock.now();
    let opener = Opener { duty_desk: reader.role == StaffRole::DutyDesk, related: false };
    let decision = world.decide(opened, Event::Open(opener), at).map_err(|refusal| {
        refused(context, ProblemKind::OpeningRefused, opened.leg.recipient, &refusal, at)
            .mend(advice(&refusal))
    })?;
    // A copy that was taken back shows nothing, whatever its basis says.
    if delivery.state == DeliveryState::Recalled {
        let law = opened.leg.basis.map_or("", |code| Basis::of(code).law);
        let refusal = Refusal::new(RefusalCode::Recalled, law);
        return Err(refused(context, ProblemKind::OpeningRefused, opened.leg.recipient, &refusal, at)
            .mend(advice(&refusal)));
    }
    // What was decided at sending bounds every later look. Only the desk's own opening breaks the seal of the
    // notifier, which the copy on its way never showed.
    let notice = opened.leg.basis.is_some_and(|code| Basis::of(code).lane == BasisLane::Notice);
    let mask = if notice { decision.mask } else { decision.mask.intersect(&opened.body.mask) };
    Ok(Decision { mask, ..decision })
}

/// What a reader can do. The general advice of a refusal that rests on the consent is the sender's to follow.
fn advice(refusal: &Refusal) -> Phrase {
    match refusal.code {
        RefusalCode::NotifierSealed | RefusalCode::ConflictOfInterest | RefusalCode::Recalled => refusal.mend,
        _ => Phrase {
            ja: "内容は使わないでください。手元に写しがあれば、差出機関の指示に従ってください。",
            en: "Do not use the content; if you hold a copy, follow what the sender asks.",
        },
    }
}

/// Notes a refused opening. That the note fails does not open anything.
async fn note(
    context: &Context,
    caller: &Caller,
    reader: &StaffRow,
    id: DeliveryId,
    problem: Problem,
) -> Problem {
    let code = problem.code.unwrap_or("refused");
    let audit = caller.audit(context, Some(reader.id), AuditAction::Open, id, code);
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.rows.audits.push(audit);
    if let Err(error) = context.ledger.write(write).await {
        tracing::warn!(%error, "a refused opening could not be noted");
    }
    problem
}

/// Makes the opening durable: the audit row always, the receipts and the states at the first one.
async fn record(
    context: &Context,
    caller: &Caller,
    opened: &OpenedLeg,
    world: &World,
    delivery: &DeliveryRow,
    reader: &StaffRow,
) -> Result<(), WriteError> {
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    world.hold(&mut write);
    if matches!(delivery.state, DeliveryState::Waiting | DeliveryState::Taken) {
        first_opening(context, opened, delivery, reader, &mut write).map_err(|_| WriteError::Unavailable)?;
    } else {
        // A later opening moves nothing, but it too is either before a recall of the copy or after it.
        let (by, at) = (DeliveryActor::Reader, delivery.changed_at);
        let held =
            moved(opened, delivery, DeliveryAction::Open, by, at).map_err(|_| WriteError::Unavailable)?;
        write.steps.push(held);
    }
    world.hold_shelter(opened, &mut write);
    write.rows.audits.push(caller.audit(context, Some(reader.id), AuditAction::Open, delivery.id, ALLOWED));
    context.ledger.write(write).await?;
    context.work.notify_one();
    Ok(())
}

fn first_opening(
    context: &Context,
    opened: &OpenedLeg,
    delivery: &DeliveryRow,
    reader: &StaffRow,
    write: &mut Write,
) -> Result<(), Problem> {
    let by =
        Actor { agency: Some(reader.agency), staff: Some(reader.id), attested: Attested::AgencyAsserted };
    let frame = opened.frame();
    let mut trail = Trail::resume(context, &opened.key, frame, &opened.leg);
    if delivery.state == DeliveryState::Waiting {
        received(opened, &by, &mut trail)?;
        trail.receipt(ReceiptLevel::R2, &by, None, None);
    } else {
        let state = opened.leg.state;
        trail.event(LegAction::View, state, &by, None)?;
    }
    trail.receipt(ReceiptLevel::R3, &by, None, None);
    write.steps.push(moved(opened, delivery, DeliveryAction::Open, DeliveryActor::Reader, trail.at())?);
    trail.finish(write);
    let whom = opened.leg.sender;
    write.rows.jobs.push(ring::job(context, JobKind::Changed, &opened.leg, whom, context.clock.now()));
    Ok(())
}

/// The event that a copy has arrived: the leg's table says where that leads.
pub(super) fn received(opened: &OpenedLeg, by: &Actor, trail: &mut Trail<'_>) -> Result<(), Problem> {
    let facts = Facts::cautious(opened.lane(), opened.leg.urgency);
    let state = opened.leg.state;
    // An ended leg stays ended; that somebody looked is a fact to keep all the same.
    let (action, to) = match leg::step(state, LegAction::Receive, LegActor::Hub, &facts) {
        Ok(row) => (LegAction::Receive, row.to.unwrap_or(state)),
        Err(_) => (LegAction::View, state),
    };
    trail.event(action, to, by, None)
}

/// The guarded move of a delivery, as its table allows it.
pub(super) fn moved(
    opened: &OpenedLeg,
    delivery: &DeliveryRow,
    action: DeliveryAction,
    actor: DeliveryActor,
    at: jiff::Timestamp,
) -> Result<Step, Problem> {
    let facts = DeliveryFacts {
        lane: opened.lane(),
        urgency: opened.leg.urgency,
        push: if delivery.disclosed_at.is_some() { Push::Published } else { Push::None },
        waited: Waited::WithinLimit,
    };
    let row = delivery::step(delivery.state, action, actor, &facts).map_err(|illegal| {
        Problem::illegal_transition(
            delivery.state.code(),
            illegal.allowed.iter().map(|action| action.code()).collect(),
        )
    })?;
    Ok(Step::MoveDelivery(MoveDelivery {
        id: delivery.id,
        from: delivery.state,
        from_disclosed: delivery.disclosed_at,
        to: row.to.unwrap_or(delivery.state),
        disclosed_at: None,
        at,
    }))
}

/// What the reader gets: the document under the mask, the salts, the manifest and the shared receipts.
async fn show(
    context: &Context,
    caller: &Caller,
    opened: &OpenedLeg,
    world: &World,
    decision: &Decision,
) -> Result<String, Problem> {
    let leg = &opened.leg;
    let (document, salts) = document_for(context, caller.id(), opened, world, decision).await?;
    let manifest = context.ledger.manifest(leg).await?.map(|row| row.jws);
    let receipts = context.ledger.receipts(leg).await?;
    let delivery = context.ledger.delivery(caller.scope(), leg.delivery).await?;
    Ok(json!({
        "id": leg.delivery, "leg": leg.id, "reference": leg.delivery.reference(),
        "state": delivery.as_ref().map(|row| row.state),
        "arrived_at": jst(delivery.map_or(leg.created_at, |row| row.arrived_at())),
        "document": document, "disclosures": salts, "manifest": manifest,
        "receipts": receipts.iter().map(|row| row.jws.as_str()).collect::<Vec<_>>(),
    })
    .to_string())
}

/// The document of a leg under a decision, and the salts of its manifest's fields. Every way out to a
/// recipient (the API, the sealed push) goes through here.
pub(super) async fn document_for(
    context: &Context,
    reader: AgencyId,
    opened: &OpenedLeg,
    world: &World,
    decision: &Decision,
) -> Result<(Value, Value), Problem> {
    let leg = &opened.leg;
    let content = world.content(context, opened, reader, &decision.mask).await?;
    let head = Head {
        leg: leg.id,
        delivery: leg.delivery,
        kind: leg.kind,
        urgency: leg.urgency,
        sender: opened.referral.owner,
        recipient: leg.recipient,
        requested_action: opened.body.requested_action.as_deref(),
        reply_by: leg.reply_by,
        resources: world.header.resources.as_ref(),
    };
    let document = document(&head, &world.subjects, &content, decision);
    // The manifest lists what was sent; the notifier, which was sealed then, has no place in it.
    let listed = render(&content, &decision.mask.intersect(&opened.body.mask));
    let (_, salts) = manifest(&opened.key, leg.id, 1, &listed)?;
    let salts = serde_json::to_value(salts).map_err(|_| super::opened::damaged())?;
    Ok((document, salts))
}

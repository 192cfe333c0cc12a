//! Opens a delivery: rights, basis and consent are checked now, the audit row is durable, and only then
//! does the content leave, under the mask of this moment.

use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Context, TRIES,
    evidence::Trail,
    jst, not_found,
    opened::{OpenedLeg, World},
    reader::Look,
    refused::refused,
    relation::Said,
    ring,
};
use crate::{
    domain::{
        break_glass::passage,
        delivery::{self, DeliveryAction, DeliveryActor, DeliveryFacts, DeliveryState, Push, Waited},
        disclosure::Decision,
        document::{Head, document, render},
        fault::Phrase,
        ids::{AgencyId, DeliveryId},
        leg::{self, Actor as LegActor, LegAction},
        leg_facts::Facts,
        problem::{Problem, ProblemKind},
        purpose::AccessPurpose,
        receipt::{Actor, Attested, ReceiptLevel},
        refusal::{Refusal, RefusalCode},
    },
    ledger::{
        Lane, Write, WriteError,
        agency::StaffRow,
        audit::AuditAction,
        break_glass::{BreakGlassRow, HoldGlass},
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
        let said = Said::of(context, &opened).await?;
        let bearing = said.bearing(context, &caller.agency, &reader).await?;
        let (opened, world, delivery, reader) = (&opened, &world, &delivery, &reader);
        let look = Look { opened, world, delivery, reader, said: &said, bearing };
        let allowed = match allowed(context, &look).await? {
            Ok(allowed) => allowed,
            Err(refusal) => return Err(note(context, caller, &look, &refusal).await),
        };
        match record(context, caller, &look, allowed.glass.as_ref()).await {
            Ok(()) => return show(context, caller, opened, world, &allowed.decision).await,
            Err(WriteError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

/// An opening that is allowed, and the broken glass it needs.
struct Allowed {
    decision: Decision,
    glass: Option<BreakGlassRow>,
}

/// Decides whether and what this reader may see at this moment. What is refused because a permission has run out is
/// looked at once more under the glass this reader has broken, if there is one.
async fn allowed(context: &Context, look: &Look<'_>) -> Result<Result<Allowed, Refusal>, Problem> {
    let at = context.clock.now();
    let refusal = match look.decide(at) {
        Ok(decision) => return Ok(Ok(Allowed { decision, glass: None })),
        Err(refusal) => refusal,
    };
    if !passage(refusal.code).allowed() {
        return Ok(Err(refusal));
    }
    let (leg, reader) = (look.opened.leg.id, look.reader.id);
    Ok(match context.ledger.standing_glass(leg, reader, at).await?.filter(|row| row.glass().is_open(at)) {
        Some(row) => look.under_glass(at).map(|decision| Allowed { decision, glass: Some(row) }),
        None => Err(refusal),
    })
}

/// What a reader can do. The general advice of a refusal that rests on the consent is the sender's to follow.
pub(super) fn advice(refusal: &Refusal) -> Phrase {
    match refusal.code {
        RefusalCode::NotifierSealed
        | RefusalCode::ConflictOfInterest
        | RefusalCode::RelationUnclear
        | RefusalCode::ProtectionFirst
        | RefusalCode::Recalled => refusal.mend,
        code if passage(code).allowed() => Phrase {
            ja: "差出機関に、新しい同意や取決めの更新を求めてください。生命・身体の安全のために待てないときは、緊急閲覧（POST /v1/break-glass）があります。差出機関に直ちに知らされ、両機関が確認します。",
            en: "Ask the sender for a new consent or to renew the arrangement. Where somebody's safety cannot wait there is the break-glass (POST /v1/break-glass): the sender is told at once, and both agencies review it.",
        },
        _ => Phrase {
            ja: "内容は使わないでください。手元に写しがあれば、差出機関の指示に従ってください。",
            en: "Do not use the content; if you hold a copy, follow what the sender asks.",
        },
    }
}

/// Notes a refused opening. That the note fails does not open anything.
async fn note(context: &Context, caller: &Caller, look: &Look<'_>, refusal: &Refusal) -> Problem {
    let at = context.clock.now();
    let (agency, id) = (look.opened.leg.recipient, look.delivery.id);
    let code = refusal.code.code();
    let audit = caller.audit(context, Some(look.reader.id), AuditAction::Open, id, code);
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.rows.audits.push(audit);
    if let Err(error) = context.ledger.write(write).await {
        tracing::warn!(%error, "a refused opening could not be noted");
    }
    refused(context, ProblemKind::OpeningRefused, agency, refusal, at).mend(advice(refusal))
}

/// Makes the opening durable: the audit row always, the receipts and the states at the first one.
async fn record(
    context: &Context,
    caller: &Caller,
    look: &Look<'_>,
    glass: Option<&BreakGlassRow>,
) -> Result<(), WriteError> {
    let Look { opened, world, delivery, reader, said, .. } = *look;
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
    said.hold(&mut write);
    let action = if glass.is_some() { AuditAction::BreakGlass } else { AuditAction::Open };
    let mut audit = caller.audit(context, Some(reader.id), action, delivery.id, ALLOWED);
    if let Some(row) = glass {
        write.steps.push(Step::HoldGlass(HoldGlass { id: row.id, version: row.version }));
        audit.purpose = Some(AccessPurpose::BreakGlass);
    }
    write.rows.audits.push(audit);
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
        sender: leg.sender,
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

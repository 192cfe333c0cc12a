//! Publishes a document, sealed for its recipient's own key. What is published cannot be stopped any more, so the
//! rights are decided at that moment, and the disclosure is durable before anything leaves.

use serde_json::json;

use super::{
    ALLOWED, Context, TRIES,
    evidence::shard_of,
    open::document_for,
    opened::{OpenedLeg, World, damaged},
};
use crate::{
    domain::{
        delivery::DeliveryState,
        disclosure::{Decision, Event},
        ids::{AgencyId, DeliveryId},
        problem::{Problem, ProblemKind},
        purpose::AccessPurpose,
        section::Section,
    },
    ledger::{
        Lane, Scope, Step, Write, WriteError,
        audit::{AuditAction, AuditRow},
        delivery::{DeliveryRow, MoveDelivery},
    },
    vault::jwe::{RecipientKey, seal_for},
};

/// What may be published of a delivery now.
pub(super) enum Push {
    /// The sealed document (JWE). That it was disclosed is written down already.
    Document(String),
    /// Nothing, for the reason of this code.
    Refused(&'static str),
    /// Nothing: it was fetched or taken back meanwhile.
    NotWaiting,
}

/// Seals what the recipient may see now for its key, and writes down that it was disclosed.
///
/// # Errors
/// The record cannot be read, or the disclosure could not be made durable; nothing may be published then.
pub(super) async fn push(
    context: &Context,
    recipient: AgencyId,
    id: DeliveryId,
    key: &RecipientKey,
    kid: &str,
) -> Result<Push, Problem> {
    let scope = Scope::of(recipient);
    for _ in 0..TRIES {
        let delivery = context.ledger.delivery(scope, id).await?.ok_or_else(damaged)?;
        if delivery.state != DeliveryState::Waiting {
            return Ok(Push::NotWaiting);
        }
        let opened = OpenedLeg::load(context, scope, delivery.leg).await?.ok_or_else(damaged)?;
        let world = World::load(context, &opened).await?;
        let decision = match world.decide(&opened, Event::Deliver, context.clock.now()) {
            Ok(decision) => decision,
            Err(refusal) => {
                note(context, &delivery, refusal.code.code()).await;
                return Ok(Push::Refused(refusal.code.code()));
            }
        };
        let sealed = sealed(context, &opened, &world, decision, key, kid).await?;
        match record(context, &opened, &world, &delivery).await {
            Ok(()) => return Ok(Push::Document(sealed)),
            Err(WriteError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(ProblemKind::Busy))
}

/// The document with what proves it, sealed. The notifier stays in its compartment, which no push ever opens.
async fn sealed(
    context: &Context,
    opened: &OpenedLeg,
    world: &World,
    decision: Decision,
    key: &RecipientKey,
    kid: &str,
) -> Result<String, Problem> {
    // Nor does an address that is concealed from others: what is published cannot be hidden any more.
    let mask = decision.mask.intersect(&opened.body.mask).without(Section::Notifier).without_flagged();
    let decision = Decision { mask, ..decision };
    let (document, disclosures) =
        document_for(context, opened.leg.recipient, opened, world, &decision).await?;
    let manifest = context.ledger.manifest(&opened.leg).await?.ok_or_else(damaged)?.jws;
    let plain = json!({ "document": document, "disclosures": disclosures, "manifest": manifest }).to_string();
    Ok(seal_for(key, plain.as_bytes(), kid)?)
}

/// Makes the disclosure durable, if the copy still waits and its consent is the one that was decided on: a
/// withdrawal is either before this or after it.
async fn record(
    context: &Context,
    opened: &OpenedLeg,
    world: &World,
    delivery: &DeliveryRow,
) -> Result<(), WriteError> {
    let at = context.clock.now();
    let mut write = Write { lane: Lane::Urgent, shard: shard_of(opened.leg.id), ..Write::default() };
    world.hold(&mut write);
    write.steps.push(Step::MoveDelivery(MoveDelivery {
        id: delivery.id,
        from: delivery.state,
        from_disclosed: delivery.disclosed_at,
        to: delivery.state,
        // The first time counts: from then on the copy was out.
        disclosed_at: delivery.disclosed_at.or(Some(at)),
        at,
    }));
    world.hold_shelter(opened, &mut write);
    write.rows.audits.push(audit(context, delivery, ALLOWED));
    context.ledger.write(write).await?;
    Ok(())
}

/// Notes a refused push. That the note fails publishes nothing.
async fn note(context: &Context, delivery: &DeliveryRow, code: &'static str) {
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.rows.audits.push(audit(context, delivery, code));
    if let Err(error) = context.ledger.write(write).await {
        tracing::warn!(%error, "a refused push could not be noted");
    }
}

/// An entry in the recipient's name: the content goes there because that agency asked for pushes.
fn audit(context: &Context, delivery: &DeliveryRow, decision: &str) -> AuditRow {
    AuditRow {
        id: context.clock.new_id(),
        agency: delivery.recipient,
        staff: None,
        action: AuditAction::Disclose,
        subject: delivery.id.to_string(),
        decision: decision.to_owned(),
        at: context.clock.now(),
        purpose: Some(AccessPurpose::AsSent),
    }
}

//! A recipient's system acknowledges that it has the copy: R2, which proves no reading and ends nothing.

use serde_json::json;

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    evidence::Trail,
    idempotency::{Pointer, Prepared, once},
    not_found,
    open::{moved, received},
    opened::{OpenedLeg, damaged},
    ring,
};
use crate::{
    domain::{
        delivery::{DeliveryAction, DeliveryActor, DeliveryState},
        fault::{Fault, Text},
        ids::DeliveryId,
        problem::{Problem, ProblemKind},
        receipt::{Actor, Attested, ReceiptLevel},
    },
    ledger::{Lane, Write, audit::AuditAction, job::JobKind},
    usecases::schema::pointer,
    vault::sha256,
};

/// Takes a delivery. A repeated acknowledgement gets the same receipt, whatever key it carries.
///
/// # Errors
/// Not found for a foreign or missing delivery; a receipt hash that is not that of this delivery's R0; a copy
/// that was recalled; a person in `by` who is not the caller's own staff.
pub async fn take(
    context: &Context,
    caller: &Caller,
    id: DeliveryId,
    command: &Command,
) -> Result<Answer, Problem> {
    let delivery = context.ledger.delivery(caller.scope(), id).await?.ok_or_else(not_found)?;
    let staff = match command.document.get("by") {
        Some(named) => Some(caller.staff(context, named, "/by").await?.id),
        None => None,
    };
    let level = ReceiptLevel::R2;
    if let Some(stored) = taken_before(context, caller, id, command).await? {
        return Ok(stored);
    }
    let leg = delivery.leg;
    let taken = once(context, caller, command, async || {
        check_hash(context, caller, id, command).await?;
        let delivery = context.ledger.delivery(caller.scope(), id).await?.ok_or_else(not_found)?;
        let opened = OpenedLeg::load(context, caller.scope(), leg).await?.ok_or_else(not_found)?;
        let withdrawn = delivery.state == DeliveryState::Recalled && delivery.disclosed_at.is_none();
        if withdrawn {
            return Err(Problem::new(ProblemKind::OpeningRefused).code("RECALLED"));
        }
        let by = Actor { agency: Some(caller.id()), staff, attested: Attested::AgencyAsserted };
        let mut trail = Trail::resume(context, &opened.key, opened.frame(), &opened.leg);
        received(&opened, &by, &mut trail)?;
        let jws = trail.receipt(level, &by, None, None);
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        let action = DeliveryAction::Take;
        let step = moved(&opened, &delivery, action, DeliveryActor::RecipientSystem, trail.at())?;
        write.steps.push(step);
        trail.finish(&mut write);
        write.rows.audits.push(caller.audit(context, staff, AuditAction::Take, id, ALLOWED));
        let whom = opened.leg.sender;
        write.rows.jobs.push(ring::job(context, JobKind::Changed, &opened.leg, whom, context.clock.now()));
        Ok(Prepared { write, pointer: Pointer::Receipt { delivery: id, level }, text: answer(id, &jws) })
    })
    .await;
    match taken {
        // Another acknowledgement, or an opening, may have been faster: then its receipt is the one.
        Err(problem) => taken_before(context, caller, id, command).await?.ok_or(problem),
        taken => taken,
    }
}

/// The receipt of a copy that was taken already.
async fn taken_before(
    context: &Context,
    caller: &Caller,
    id: DeliveryId,
    command: &Command,
) -> Result<Option<Answer>, Problem> {
    let stored = context.ledger.receipt(caller.scope(), &id.to_string(), ReceiptLevel::R2).await?;
    let Some(stored) = stored else { return Ok(None) };
    check_hash(context, caller, id, command).await?;
    Ok(Some(Answer { text: answer(id, &stored.jws), replayed: true }))
}

/// The system names the receipt it acknowledges, so that it cannot acknowledge what it never saw.
async fn check_hash(
    context: &Context,
    caller: &Caller,
    id: DeliveryId,
    command: &Command,
) -> Result<(), Problem> {
    let first = context.ledger.receipt(caller.scope(), &id.to_string(), ReceiptLevel::R0).await?;
    let expected = sha256(first.ok_or_else(damaged)?.jws.as_bytes()).to_string();
    if command.document["receipt_hash"] == expected {
        return Ok(());
    }
    Err(Problem::schema_violation(vec![Fault {
        pointer: pointer("/receipt_hash"),
        code: "receipt_hash",
        message: Text::new(
            "この送達のR0受領証（JWSの文字列）のSHA-256を、16進の小文字で書いてください。",
            "Give the SHA-256 of this delivery's R0 receipt (the JWS text) in lower-case hexadecimal.",
        ),
    }]))
}

fn answer(id: DeliveryId, jws: &str) -> String {
    json!({ "id": id, "level": "R2", "receipt": jws }).to_string()
}

/// The answer again, from the stored receipt.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    delivery: DeliveryId,
    level: ReceiptLevel,
) -> Result<String, Problem> {
    let stored = context.ledger.receipt(caller.scope(), &delivery.to_string(), level).await?;
    Ok(answer(delivery, &stored.ok_or_else(damaged)?.jws))
}

//! Holds: what one of a leg's parties says must not be erased, for as long as that party says so.

use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context, audited,
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    opened::{damaged, data_key, erased},
    page::{Limit, page},
    read::present,
};
use crate::{
    domain::{
        ids::{HoldId, LegId},
        problem::{Problem, ProblemKind},
        retention::PlacedKind,
    },
    ledger::{
        Lane, Step, Write,
        audit::AuditAction,
        erasure::{HoldRow, LiftHold, PutHold},
        protection::HoldLeg,
    },
    vault::seal::{DataKey, Slot},
};

fn slot(caller: &Caller, id: HoldId, part: &'static str) -> Slot<'static> {
    Slot { table: "hold", owner: caller.id(), object: id.uuid(), part, seq: 1 }
}

/// Places a hold on a leg of the caller's, sent or received. From the commit on nothing of it is erased.
///
/// # Errors
/// Not found; forbidden for other roles; erased already.
pub async fn place(
    context: &Context,
    caller: &Caller,
    leg: LegId,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let document = &command.document;
        let scope = caller.scope_of(context, &document["by"]).await?;
        let leg = context.ledger.leg(scope, leg).await?.ok_or_else(not_found)?;
        let staff = caller.officer(context, &document["by"], "/by").await?;
        if erased(context, &leg).await? {
            return Err(Problem::new(ProblemKind::Shredded));
        }
        let kind: PlacedKind = document["kind"].as_str().unwrap_or_default().parse()?;
        let id: HoldId = context.clock.new_id();
        let key = data_key(context, caller.agency.data_key, caller.id()).await?;
        let reason = document["reason"].as_str().unwrap_or_default();
        let row = HoldRow {
            id,
            leg: leg.id,
            agency: caller.id(),
            kind,
            reason: key.seal(&slot(caller, id, "reason"), reason.as_bytes())?,
            placed_by: staff.id,
            placed_at: context.clock.now(),
            lifted_by: None,
            lifted_at: None,
            lift_reason: None,
        };
        let text = placed(&row);
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        // The leg first: an erasure in the same moment is before this or after it.
        write.steps.push(Step::HoldLeg(HoldLeg { id: leg.id, seq: leg.head_seq }));
        write.steps.push(Step::PutHold(Box::new(PutHold(row))));
        write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Erase, id, ALLOWED));
        Ok(Prepared { write, pointer: Pointer::Hold(id), text })
    })
    .await
}

/// Lifts a hold that the caller's agency placed.
///
/// # Errors
/// Not found; forbidden for other roles; lifted before.
pub async fn lift(
    context: &Context,
    caller: &Caller,
    id: HoldId,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = context.ledger.hold(caller.scope(), id).await?.ok_or_else(not_found)?;
        let staff = caller.officer(context, &command.document["by"], "/by").await?;
        if row.lifted_at.is_some() {
            return Err(Problem::illegal_transition("lifted", Vec::new()));
        }
        let key = data_key(context, caller.agency.data_key, caller.id()).await?;
        let reason = command.document["reason"].as_str().unwrap_or_default();
        let reason = key.seal(&slot(caller, id, "lift_reason"), reason.as_bytes())?;
        let at = context.clock.now();
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        write.steps.push(Step::LiftHold(LiftHold { id, by: staff.id, at, reason }));
        write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Erase, id, ALLOWED));
        let row = HoldRow { lifted_by: Some(staff.id), lifted_at: Some(at), ..row };
        Ok(Prepared { write, pointer: Pointer::LiftedHold(id), text: lifted(&row) })
    })
    .await
}

fn placed(row: &HoldRow) -> String {
    let HoldRow { id, leg, kind, placed_by, placed_at, .. } = row;
    json!({"id": id, "leg": leg, "kind": kind, "placed_by": placed_by, "placed_at": jst(*placed_at)})
        .to_string()
}

fn lifted(row: &HoldRow) -> String {
    let HoldRow { id, leg, kind, lifted_by, lifted_at, .. } = row;
    json!({"id": id, "leg": leg, "kind": kind, "lifted_by": lifted_by, "lifted_at": lifted_at.map(jst)})
        .to_string()
}

/// The answer to a placing again.
pub(super) async fn placed_again(context: &Context, caller: &Caller, id: HoldId) -> Result<String, Problem> {
    Ok(placed(&context.ledger.hold(caller.scope(), id).await?.ok_or_else(damaged)?))
}

/// The answer to a lifting again.
pub(super) async fn lifted_again(context: &Context, caller: &Caller, id: HoldId) -> Result<String, Problem> {
    Ok(lifted(&context.ledger.hold(caller.scope(), id).await?.ok_or_else(damaged)?))
}

/// The caller's own holds on a leg, also those it lifted; with the reasons. Others' are theirs.
///
/// # Errors
/// Not found; forbidden for other roles.
pub async fn list(
    context: &Context,
    caller: &Caller,
    leg: LegId,
    staff: Option<&str>,
    limit: Limit,
) -> Result<String, Problem> {
    let scope = caller.scope_of(context, &json!(staff)).await?;
    let leg = context.ledger.leg(scope, leg).await?.ok_or_else(not_found)?;
    let reader = caller.staff_of_header(context, staff).await?;
    let reader = caller.officer(context, &json!(reader.id), "").await?;
    let mut rows = context.ledger.holds(caller.scope(), leg.id, limit.rows()).await?;
    limit.cut(&mut rows);
    let key = data_key(context, caller.agency.data_key, caller.id()).await?;
    let items = rows.iter().map(|row| view(caller, &key, row)).collect::<Result<Vec<_>, _>>()?;
    audited(context, caller.audit(context, Some(reader.id), AuditAction::Read, leg.id, ALLOWED)).await?;
    Ok(page(items, None))
}

fn view(caller: &Caller, key: &DataKey, row: &HoldRow) -> Result<Value, Problem> {
    let text = |part, sealed: &Vec<u8>| {
        String::from_utf8(key.open(&slot(caller, row.id, part), sealed)?).map_err(|_| damaged())
    };
    let lift_reason = row.lift_reason.as_ref().map(|sealed| text("lift_reason", sealed)).transpose()?;
    Ok(present(json!({
        "id": row.id, "leg": row.leg, "kind": row.kind, "label": row.kind.label_ja(),
        "reason": text("reason", &row.reason)?, "placed_by": row.placed_by, "placed_at": jst(row.placed_at),
        "lifted_by": row.lifted_by, "lifted_at": row.lifted_at.map(jst), "lift_reason": lift_reason,
    })))
}

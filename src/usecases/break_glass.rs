//! 緊急閲覧 (break-glass): breaks it, shows it to both agencies, takes their reviews, and tells where a review is late.
//!
//! What is opened under it is opened by [`super::open`], which looks at it each time.

mod review;

use jiff::Timestamp;
pub use review::review;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    evidence::Trail,
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    open::advice,
    opened::{OpenedLeg, World, damaged},
    page::{Limit, page},
    read::{Seen, looked, present},
    reader::Look,
    refused::refused,
    relation::Said,
    ring,
};
use crate::{
    domain::{
        break_glass::{Glass, Reviewer, passage},
        fault::{Fault, Text},
        ids::{AgencyId, BreakGlassId, DeliveryId, StaffId},
        leg::{self, Actor as LegActor, LegAction},
        leg_facts::Facts,
        problem::{Problem, ProblemKind},
        purpose::AccessPurpose,
        receipt::{self, Actor, Attested},
        refusal::Refusal,
    },
    ledger::{
        Lane, Scope, Step, Write, WriteError,
        agency::StaffRow,
        audit::{AuditAction, AuditFilter},
        break_glass::{BreakGlassRow, TellGlass},
        leg::Side,
    },
    usecases::schema::pointer,
    vault::seal::Slot,
};

/// How many openings under one break-glass are shown.
const OPENINGS: i64 = 200;
/// How many late reviews one sweep tells of.
const PAGE: i64 = 200;

/// Why it was broken; sealed with the leg, for both agencies.
#[derive(Serialize, Deserialize)]
struct Reason {
    reason: String,
}

/// What an agency found; sealed like the reason.
#[derive(Serialize, Deserialize)]
struct Review {
    by: StaffId,
    at: Timestamp,
    note: String,
}

fn slot(owner: AgencyId, id: BreakGlassId, part: &'static str) -> Slot<'static> {
    Slot { table: "break_glass", owner, object: id.uuid(), part, seq: 1 }
}

const fn part(reviewer: Reviewer) -> &'static str {
    match reviewer {
        Reviewer::Own => "own",
        Reviewer::Owner => "owner",
    }
}

/// Breaks the glass for one person and one leg, where it is refused to that person now because a permission has run
/// out. Both agencies are told at once, and both find a signed event in the leg's chain.
///
/// # Errors
/// What refuses the opening and may not be passed; a person whose last break-glass still waits for its review; an
/// opening that needs none.
pub async fn break_it(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || prepare(context, caller, &command.document).await).await
}

async fn prepare(context: &Context, caller: &Caller, document: &Value) -> Result<Prepared, Problem> {
    let id: DeliveryId = document["delivery"].as_str().unwrap_or_default().parse()?;
    let delivery = context.ledger.delivery(caller.scope(), id).await?.ok_or_else(unknown_delivery)?;
    let reader = caller.staff(context, &document["by"], "/by").await?;
    let opened = OpenedLeg::load(context, caller.scope(), delivery.leg).await?.ok_or_else(damaged)?;
    let world = World::load(context, &opened).await?;
    let said = Said::of(context, &opened).await?;
    let bearing = said.bearing(context, &caller.agency, &reader).await?;
    let look =
        Look { opened: &opened, world: &world, delivery: &delivery, reader: &reader, said: &said, bearing };
    let passed = may_break(context, caller, &look).await?;
    let minutes =
        document["minutes"].as_u64().and_then(|minutes| u8::try_from(minutes).ok()).unwrap_or(u8::MAX);
    let purpose: AccessPurpose = document["purpose"].as_str().unwrap_or_default().parse()?;
    let reason = document["reason"].as_str().unwrap_or_default().to_owned();
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    let at = signed_event(context, &opened, &reader, &mut write)?;
    let glass = Glass::broken(at, minutes);
    let id: BreakGlassId = context.clock.new_id();
    let body = serde_json::to_vec(&Reason { reason }).map_err(|_| damaged())?;
    let row = BreakGlassRow {
        id,
        leg: opened.leg.id,
        delivery: delivery.id,
        agency: caller.id(),
        owner: opened.leg.sender,
        staff: reader.id,
        purpose,
        refusal: passed.code,
        state: glass.state,
        version: 1,
        broken_at: at,
        until: glass.until,
        review_due: glass.review_due,
        own_outcome: None,
        owner_outcome: None,
        told_at: None,
        body: opened.key.seal(&slot(opened.referral.owner, id, "body"), &body)?,
        own_review: None,
        owner_review: None,
    };
    // A protection, a declaration or another move of the leg that comes first is looked at first.
    said.hold(&mut write);
    world.hold_shelter(&opened, &mut write);
    let mut audit = caller.audit(context, Some(reader.id), AuditAction::BreakGlass, id, ALLOWED);
    audit.purpose = Some(AccessPurpose::BreakGlass);
    write.rows.audits.push(audit);
    for whom in [row.owner, row.agency] {
        write.rows.jobs.push(ring::glass(context, &row, &opened.leg, whom, "broken", context.clock.now()));
    }
    let text = broken_answer(&row).to_string();
    write.rows.break_glasses.push(row);
    Ok(Prepared { pointer: Pointer::BreakGlass { id, version: 1 }, text, write })
}

/// Whether this person may break it now; the refusal that is passed by it.
async fn may_break(context: &Context, caller: &Caller, look: &Look<'_>) -> Result<Refusal, Problem> {
    let at = context.clock.now();
    let refuse = |refusal: &Refusal| {
        refused(context, ProblemKind::OpeningRefused, caller.id(), refusal, at).mend(advice(refusal))
    };
    let refusal = match look.decide(at) {
        Ok(_) => return Err(not_needed()),
        Err(refusal) if !passage(refusal.code).allowed() => return Err(refuse(&refusal)),
        Err(refusal) => refusal,
    };
    if context.ledger.late_glass_of(look.reader.id, at).await?.is_some() {
        return Err(suspended());
    }
    if context.ledger.standing_glass(look.opened.leg.id, look.reader.id, at).await?.is_some() {
        return Err(Problem::new(ProblemKind::AlreadyThere));
    }
    look.under_glass(at).map(|_| refusal).map_err(|refusal| refuse(&refusal))
}

/// The event in the chain that both agencies share, signed in the name of who breaks it.
fn signed_event(
    context: &Context,
    opened: &OpenedLeg,
    reader: &StaffRow,
    write: &mut Write,
) -> Result<Timestamp, Problem> {
    let state = opened.leg.state;
    let facts = Facts::cautious(opened.lane(), opened.leg.urgency);
    leg::step(state, LegAction::BreakGlass, LegActor::Hub, &facts)
        .map_err(|_| Problem::illegal_transition(state.code(), Vec::new()))?;
    let by =
        Actor { agency: Some(reader.agency), staff: Some(reader.id), attested: Attested::AgencyAsserted };
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), &opened.leg);
    trail.event(LegAction::BreakGlass, state, &by, None)?;
    let action = LegAction::BreakGlass.code().into();
    trail.sign(&by, Some(receipt::Answer { action, reason: None }));
    let at = trail.at();
    trail.finish(write);
    Ok(at)
}

fn unknown_delivery() -> Problem {
    Problem::schema_violation(vec![Fault {
        pointer: pointer("/delivery"),
        code: "delivery_unknown",
        message: Text::new("自機関あての送達のIDを書いてください。", "Name a delivery to your own agency."),
    }])
}

fn not_needed() -> Problem {
    Problem::new(ProblemKind::BreakGlassRefused)
        .code("NOT_NEEDED")
        .detail(Text::new(
            "この送達は、いま通常どおり開けます。",
            "This delivery opens in the ordinary way now.",
        ))
        .mend(Text::new(
            "GET /v1/deliveries/{id} で開いてください。",
            "Open it with GET /v1/deliveries/{id}.",
        ))
}

fn suspended() -> Problem {
    Problem::new(ProblemKind::BreakGlassRefused)
        .code("SUSPENDED")
        .detail(Text::new(
            "この職員の前の緊急閲覧が、24時間を過ぎても確認されていません。",
            "An earlier break-glass of this person has not been reviewed within 24 hours.",
        ))
        .mend(Text::new(
            "自機関の管理職と差出機関に確認を求めてください。待てないときは別の職員が行ってください。",
            "Ask your supervisor and the sender for their reviews; if it cannot wait, let another person do it.",
        ))
}

/// The answer to a breaking: what never changes of it.
fn broken_answer(row: &BreakGlassRow) -> Value {
    json!({
        "id": row.id, "version": 1, "leg": row.leg, "delivery": row.delivery, "staff": row.staff,
        "refusal": row.refusal, "until": jst(row.until), "review_due": jst(row.review_due),
    })
}

/// The answer again.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: BreakGlassId,
    version: i64,
) -> Result<String, Problem> {
    let row = context.ledger.break_glass(caller.scope(), id).await?.ok_or_else(damaged)?;
    Ok(match version {
        1 => broken_answer(&row),
        _ => reviewed_answer(id, version),
    }
    .to_string())
}

fn reviewed_answer(id: BreakGlassId, version: i64) -> Value {
    json!({ "id": id, "version": version })
}

/// Those of one side, newest first: ids, codes, states and times.
pub async fn list(
    context: &Context,
    caller: &Caller,
    side: Side,
    before: Option<BreakGlassId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.break_glasses(caller.scope(), side, before, limit.rows()).await?;
    let (more, now) = (limit.cut(&mut rows), context.clock.now());
    let items = rows.iter().map(|row| summary(row, now)).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

fn summary(row: &BreakGlassRow, now: Timestamp) -> Value {
    let (glass, state) = (row.glass(), row.glass().as_of(now));
    present(json!({
        "id": row.id, "version": row.version, "state": state, "label": state.label_ja(), "leg": row.leg,
        "delivery": row.delivery, "agency": row.agency, "owner": row.owner, "staff": row.staff,
        "purpose": row.purpose, "refusal": row.refusal, "broken_at": jst(row.broken_at),
        "until": jst(row.until), "review_due": jst(row.review_due), "overdue": glass.suspends(now),
        "own_outcome": row.own_outcome, "owner_outcome": row.owner_outcome,
    }))
}

/// One break-glass, whole: why, what was opened under it, and what both agencies found.
///
/// # Errors
/// Not found for everybody but the two agencies.
pub async fn read(
    context: &Context,
    caller: &Caller,
    id: BreakGlassId,
    staff: Option<&str>,
) -> Result<Seen, Problem> {
    let row = context.ledger.break_glass(caller.scope(), id).await?.ok_or_else(not_found)?;
    let opened = OpenedLeg::load(context, caller.scope(), row.leg).await?.ok_or_else(damaged)?;
    let owner = opened.referral.owner;
    let mut view = summary(&row, context.clock.now());
    let plain = opened.key.open(&slot(owner, id, "body"), &row.body)?;
    let reason: Reason = serde_json::from_slice(&plain).map_err(|_| damaged())?;
    view["reason"] = json!(reason.reason);
    for (reviewer, outcome, sealed) in [
        (Reviewer::Own, row.own_outcome, &row.own_review),
        (Reviewer::Owner, row.owner_outcome, &row.owner_review),
    ] {
        let (Some(outcome), Some(sealed)) = (outcome, sealed) else { continue };
        let plain = opened.key.open(&slot(owner, id, part(reviewer)), sealed)?;
        let review: Review = serde_json::from_slice(&plain).map_err(|_| damaged())?;
        view[format!("{}_review", part(reviewer))] = json!({
            "by": review.by, "at": jst(review.at), "outcome": outcome, "note": review.note,
        });
    }
    view["openings"] = openings(context, &row).await?;
    looked(context, caller, staff, id).await?;
    Ok(Seen { version: row.version, text: view.to_string() })
}

/// What was opened under it. The hub reads the audit of the agency that opened, for both.
async fn openings(context: &Context, row: &BreakGlassRow) -> Result<Value, Problem> {
    let subject = row.delivery.to_string();
    let filter = AuditFilter::OfSubject(&subject);
    let entries = context.ledger.audit(Scope::of(row.agency), filter, None, None, OPENINGS).await?;
    let under = entries.iter().filter(|entry| {
        entry.action == AuditAction::BreakGlass
            && entry.staff == Some(row.staff)
            && entry.at >= row.broken_at
            && entry.at < row.until
    });
    Ok(under.map(|entry| json!(jst(entry.at))).collect())
}

/// Tells both agencies of every review that is late, once.
///
/// # Errors
/// The ledger does not answer.
pub(super) async fn tell_late(context: &Context) -> Result<usize, Problem> {
    let now = context.clock.now();
    let mut told = 0;
    for row in context.ledger.late_glasses(now, PAGE).await? {
        let leg = context.ledger.leg(Scope::of(row.owner), row.leg).await?.ok_or_else(damaged)?;
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        write.steps.push(Step::TellGlass(TellGlass { id: row.id, at: now }));
        for whom in [row.owner, row.agency] {
            write.rows.jobs.push(ring::glass(context, &row, &leg, whom, "late", now));
        }
        match context.ledger.write(write).await {
            Ok(_) => told += 1,
            // Another node tells of it.
            Err(WriteError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(told)
}

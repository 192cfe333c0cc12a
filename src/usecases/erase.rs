//! Erases a referral: its data keys are destroyed, so that nobody can read any more what it said. That it was, and
//! every receipt of it, stays.
//!
//! Two people decide, and nothing that [`retention()`] finds may stand in the way. The write holds every leg, copy and
//! consent still that was looked at: an opening, a recall, a withdrawal or a hold comes before it or after it.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context, audited,
    evidence::Trail,
    idempotency::{Pointer, Prepared, once},
    jst, keyring, not_found,
    open::moved,
    opened::{OpenedLeg, damaged, data_key},
    protection,
    read::present,
    ring,
    schema::pointer,
};
use crate::{
    domain::{
        basis_state::ConsentState,
        consent::day_in_japan,
        delivery::{DeliveryAction, DeliveryActor, DeliveryState},
        fault::{Fault, Part, Text},
        holding::HoldingState,
        ids::{DataKeyId, ReferralId},
        incident::IncidentState,
        leg::LegAction,
        problem::{Problem, ProblemKind},
        protection::record::Place,
        receipt::{Actor, Answer as Said, Attested, ReceiptLevel},
        retention::{self, Hold, LegFacts},
    },
    ledger::{
        Lane, Scope, Step, Write,
        audit::AuditAction,
        consent::HoldConsent,
        delivery::MoveDelivery,
        erasure::{ErasureRow, ShredKey, ShredRow, Unheld},
        job::JobKind,
        leg::LegRow,
        referral::ReferralRow,
    },
    vault::seal::Slot,
};

/// How many protections are looked through in one go.
const PAGE: i64 = 200;
/// From so long before an erasure the key store's list is brought up to date with it.
const LATELY: Duration = Duration::from_secs(3600);

/// Erases a referral of the caller's own, with its legs, its compartment, and what is kept about it alone. When this
/// answers, its keys are destroyed in the ledger and on the key store's list.
///
/// # Errors
/// Not found; forbidden for other roles, or where both are one person; `retention-hold` with every reason; erased
/// before.
pub async fn erase(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
    command: &Command,
) -> Result<Answer, Problem> {
    let done = once(context, caller, command, async || prepare(context, caller, id, command).await).await?;
    let lately = context.clock.now().checked_sub(LATELY).unwrap_or(Timestamp::MIN);
    keyring::keep_shredded(context, lately).await?;
    if !context.ledger.truncate_log().await? {
        tracing::warn!(
            "the ledger's log is in use; what was erased leaves it at the next erasure or restart"
        );
    }
    Ok(done)
}

async fn prepare(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
    command: &Command,
) -> Result<Prepared, Problem> {
    // A notice is erased by an officer who may see it: its writer, or one whom the writer named.
    let scope = caller.scope_of(context, &command.document["by"]).await?;
    let referral = context.ledger.referral(scope, id).await?.ok_or_else(not_found)?;
    let by = caller.officer(context, &command.document["by"], "/by").await?;
    let second = caller.officer(context, &command.document["approved_by"], "/approved_by").await?;
    if by.id == second.id {
        return Err(one_person());
    }
    if context.ledger.shredded(referral.data_key).await?.is_some() {
        return Err(Problem::new(ProblemKind::Shredded));
    }
    let mut legs = context.ledger.legs_of(id).await?;
    // One order for everybody who holds several, so that two rarely wait for each other crosswise.
    legs.sort_unstable_by_key(|leg| leg.id);
    let today = day_in_japan(context.clock.now());
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    let mut facts = Vec::with_capacity(legs.len());
    for leg in &legs {
        facts.push(look(context, leg, Some(&mut write)).await?);
    }
    let holds = retention::holds(&facts, &context.settings.retention, today);
    if !holds.is_empty() {
        return Err(held(&holds));
    }
    let keys = keys(context, caller, &referral, &legs).await?;
    let actor = Actor { agency: Some(caller.id()), staff: Some(by.id), attested: Attested::AgencyAsserted };
    for leg in legs {
        end(context, caller, leg, &actor, &mut write).await?;
    }
    let at = context.clock.now();
    write.steps.extend(keys.iter().map(|key| Step::ShredKey(ShredKey(*key))));
    write.rows.shreds.extend(keys.iter().map(|key| ShredRow { data_key: *key, at }));
    let own = data_key(context, caller.agency.data_key, caller.id()).await?;
    let reason = command.document["reason"].as_str().unwrap_or_default();
    let reason = own.seal(&slot(caller, id), reason.as_bytes())?;
    let row = ErasureRow { referral: id, owner: caller.id(), staff: by.id, second: second.id, reason, at };
    let signed = write.rows.leg_events.iter().filter_map(|event| event.jws.as_deref());
    let text = answer(&row, signed);
    write.rows.erasures.push(row);
    write.rows.audits.push(caller.audit(context, Some(by.id), AuditAction::Erase, id, ALLOWED));
    write.rows.audits.push(caller.audit(context, Some(second.id), AuditAction::Erase, id, ALLOWED));
    Ok(Prepared { write, pointer: Pointer::Erasure(id), text })
}

fn slot(caller: &Caller, id: ReferralId) -> Slot<'static> {
    Slot { table: "erasure", owner: caller.id(), object: id.uuid(), part: "reason", seq: 1 }
}

/// What the rules look at in a leg. With a write, what could change meanwhile is held until the commit.
async fn look(context: &Context, leg: &LegRow, hold: Option<&mut Write>) -> Result<LegFacts, Problem> {
    let receipts = context.ledger.receipts(leg).await?;
    let ended = receipts.iter().find(|row| row.ends == 1).map(|row| row.at);
    let taken = receipts.iter().find(|row| row.level == ReceiptLevel::R2).map(|row| row.at);
    let provided = leg.consent.map(|_| taken.unwrap_or(leg.created_at));
    let scope = Scope::of(leg.sender);
    let incident = context.ledger.incident_of(scope, leg.id).await?;
    let now = context.clock.now();
    let asked = context.ledger.holding_of(leg.id).await?;
    let mut withdrawal_open =
        asked.is_some_and(|row| row.state.as_of(row.due_at, now) == HoldingState::Asked);
    if let Some(id) = leg.consent
        && let Some(row) = context.ledger.consent(scope, id).await?
    {
        withdrawal_open |= matches!(row.state, ConsentState::Withdrawn | ConsentState::Propagating);
        if let Some(write) = hold {
            write.steps.push(Step::HoldConsent(HoldConsent { id, version: row.version }));
        }
    }
    let placed = context.ledger.holds_on(leg.id).await?;
    let standing = placed.iter().filter(|row| row.lifted_at.is_none());
    Ok(LegFacts {
        leg: leg.id,
        kind: leg.kind,
        ended: ended.filter(|_| leg.state.terminal()).map(day_in_japan),
        provided: provided.map(day_in_japan),
        incident_open: incident.is_some_and(|row| row.state == IncidentState::Open),
        withdrawal_open,
        placed: standing.map(|row| (row.kind, row.agency)).collect(),
    })
}

/// Every data key that seals something of this referral alone ([`crate::ledger::keyring::SEALED`]).
async fn keys(
    context: &Context,
    caller: &Caller,
    referral: &ReferralRow,
    legs: &[LegRow],
) -> Result<BTreeSet<DataKeyId>, Problem> {
    let mut keys = BTreeSet::from([referral.data_key]);
    keys.extend(referral.compartment_key);
    for leg in legs {
        keys.extend(context.ledger.incident_of(caller.scope(), leg.id).await?.map(|row| row.data_key));
    }
    let place = Place::Referral(referral.id);
    let mac = protection::mac(context, caller.id(), place);
    keys.extend(context.ledger.protections_at(&mac, &mac).await?.iter().map(|found| found.row.data_key));
    // One that was released has no place in clear any more: only its record says what it was about.
    let mut before = None;
    loop {
        let page = context.ledger.protections(caller.scope(), before, PAGE).await?;
        for row in page.iter().filter(|row| row.place.is_none()) {
            match protection::version(context, row, row.version).await {
                Ok((record, _)) if record.place == place => keys.extend([row.data_key]),
                Ok(_) => {}
                Err(problem) if problem.kind == ProblemKind::Shredded => {}
                Err(problem) => return Err(problem),
            }
        }
        match page.last() {
            Some(last) if page.len() as i64 == PAGE => before = Some(last.id),
            _ => return Ok(keys),
        }
    }
}

/// Signs the end of what a leg said into its chain, and takes its copy out of the inbox.
async fn end(
    context: &Context,
    caller: &Caller,
    leg: LegRow,
    by: &Actor,
    write: &mut Write,
) -> Result<(), Problem> {
    let delivery = context.ledger.delivery_of(&leg).await?.ok_or_else(damaged)?;
    let opened = OpenedLeg::of(context, caller.scope(), leg).await?;
    let at = context.clock.now();
    // The copy before its leg, in the order in which openings take them.
    write.steps.push(if delivery.state == DeliveryState::Recalled || delivery.state.terminal() {
        Step::MoveDelivery(MoveDelivery {
            id: delivery.id,
            from: delivery.state,
            from_disclosed: delivery.disclosed_at,
            to: delivery.state,
            disclosed_at: None,
            at: delivery.changed_at,
        })
    } else {
        moved(&opened, &delivery, DeliveryAction::Recall, DeliveryActor::Hub, at)?
    });
    let leg = &opened.leg;
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), leg);
    trail.event(LegAction::Shred, leg.state, by, None)?;
    trail.sign(by, Some(Said { action: LegAction::Shred.code().into(), reason: None }));
    trail.finish(write);
    // Behind the leg's own move: whoever places a hold takes the leg first.
    write.steps.push(Step::Unheld(Unheld(leg.id)));
    write.rows.jobs.push(ring::job(context, JobKind::Changed, leg, leg.recipient, at));
    Ok(())
}

fn answer<'a>(row: &ErasureRow, signed: impl Iterator<Item = &'a str>) -> String {
    let events: Vec<&str> = signed.collect();
    json!({
        "referral": row.referral, "erased_at": jst(row.at), "by": row.staff, "approved_by": row.second,
        "events": events,
    })
    .to_string()
}

/// The answer again, from what is stored.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
) -> Result<String, Problem> {
    let referral = context.ledger.submitted(caller.scope(), id).await?.ok_or_else(not_found)?;
    let row = context.ledger.erasure(referral.id).await?.ok_or_else(damaged)?;
    let mut legs = context.ledger.legs_of(id).await?;
    legs.sort_unstable_by_key(|leg| leg.id);
    let mut signed = Vec::with_capacity(legs.len());
    for leg in &legs {
        let events = context.ledger.leg_events(leg).await?;
        signed.extend(
            events.into_iter().filter(|one| one.kind == LegAction::Shred.code()).filter_map(|e| e.jws),
        );
    }
    Ok(answer(&row, signed.iter().map(String::as_str)))
}

/// Whether a referral of the caller's own may be erased, what stands in the way, or when and by whom it was.
///
/// # Errors
/// Not found for everybody but its owner; forbidden for other roles.
pub async fn retention(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let scope = caller.scope_of(context, &json!(staff)).await?;
    let referral = context.ledger.referral(scope, id).await?.ok_or_else(not_found)?;
    let reader = caller.staff_of_header(context, staff).await?;
    let reader = caller.officer(context, &json!(reader.id), "").await?;
    let mut holds = Vec::new();
    let erased = context.ledger.shredded(referral.data_key).await?;
    if erased.is_none() {
        let mut facts = Vec::new();
        for leg in context.ledger.legs_of(id).await? {
            facts.push(look(context, &leg, None).await?);
        }
        let today = day_in_japan(context.clock.now());
        holds = retention::holds(&facts, &context.settings.retention, today);
    }
    let mut view = json!({
        "referral": id, "erasable": erased.is_none() && holds.is_empty(),
        "erasable_from": retention::erasable_from(&holds),
        "holds": holds.iter().map(shown).collect::<Result<Vec<_>, _>>()?,
    });
    if let Some(row) = erased {
        view["erased"] = json!({"at": jst(row.at)});
    }
    // A ledger restored from before the erasure knows that the keys are gone, and not by whose word.
    if let Some(row) = context.ledger.erasure(referral.id).await? {
        let own = data_key(context, caller.agency.data_key, caller.id()).await?;
        let reason = String::from_utf8(own.open(&slot(caller, id), &row.reason)?).map_err(|_| damaged())?;
        view["erased"] =
            json!({"at": jst(row.at), "by": row.staff, "approved_by": row.second, "reason": reason});
    }
    audited(context, caller.audit(context, Some(reader.id), AuditAction::Read, id, ALLOWED)).await?;
    Ok(present(view).to_string())
}

fn shown(hold: &Hold) -> Result<Value, Problem> {
    let mut view = serde_json::to_value(hold).map_err(|_| damaged())?;
    view["label"] = json!(hold.kind.label_ja());
    Ok(view)
}

/// Each reason as a fault: which, of which leg, and until when.
fn held(holds: &[Hold]) -> Problem {
    let faults = holds.iter().map(|hold| {
        let kind =
            Part::Phrase(crate::domain::fault::Phrase { ja: hold.kind.label_ja(), en: hold.kind.label_en() });
        let leg = Part::Id(hold.leg.uuid());
        let message = match hold.until.and_then(last_moment) {
            Some(until) => Text::new("宛先 {}: {}（{} まで）", "Leg {}: {} (until {}).")
                .put(leg)
                .put(kind)
                .put(Part::Time(until)),
            None => Text::new("宛先 {}: {}", "Leg {}: {}.").put(leg).put(kind),
        };
        Fault { pointer: pointer(""), code: hold.kind.code(), message }
    });
    Problem::new(ProblemKind::RetentionHold).faults(faults)
}

/// The end of a day in Japan.
fn last_moment(day: jiff::civil::Date) -> Option<Timestamp> {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(9));
    day.at(23, 59, 59, 0).to_zoned(zone).ok().map(|at| at.timestamp())
}

fn one_person() -> Problem {
    Problem::schema_violation(vec![Fault {
        pointer: pointer("/approved_by"),
        code: "same_person",
        message: Text::new(
            "消去は二人で決めます。by とは別の管理職か個人情報保護担当を書いてください。",
            "Two people decide on an erasure: name a supervisor or privacy officer other than by.",
        ),
    }])
}

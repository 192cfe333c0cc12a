//! What a party may look at: its referrals, legs, inbox and consents, each read through its own scope.
//!
//! Lists show ids, codes, states and times. Only a single leg opens its seals, for a party of it.

mod consents;

use std::fmt;

pub(super) use consents::consent_summary;
pub use consents::{consent, consents};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Context,
    act::{actors, available, facts, member},
    audited,
    evidence::event_slot,
    hand_over, holding, jst, not_found,
    opened::{OpenedLeg, damaged},
    page::{Limit, page, page_of},
    protection, relation, told,
};
use crate::{
    domain::{
        basis::Basis,
        delivery::DeliveryState,
        fault::Phrase,
        hand_over::{self as handed, Responsible},
        ids::{AgencyId, LegId, ReferralId},
        leg::LegState,
        problem::Problem,
        receipt::{ReceiptLevel, Withheld},
        referral::ReferralType,
        staff::StaffRole,
        told::tells_words,
    },
    ledger::{
        audit::AuditAction,
        delivery::DeliveryRow,
        leg::{LegEventRow, LegRow, Side},
        receipt::ReceiptRow,
        referral::{ReferralFilter, ReferralRow},
    },
};

/// A version and what it looks like.
pub struct Seen {
    pub version: i64,
    pub text: String,
}

/// A leg, opened for a party of it: what was asked, written and answered. The look is on record before it leaves.
///
/// # Errors
/// Not found for everybody else.
pub async fn leg(context: &Context, caller: &Caller, id: LegId) -> Result<Seen, Problem> {
    let seen = leg_on_a_page(context, caller, id).await?;
    audited(context, caller.audit(context, caller.person, AuditAction::Read, id, ALLOWED)).await?;
    Ok(seen)
}

/// Notes who looked at what, durably.
pub(super) async fn looked(
    context: &Context,
    caller: &Caller,
    staff: Option<&str>,
    subject: impl fmt::Display,
) -> Result<(), Problem> {
    let staff = caller.staff_if_named(context, staff).await?.map(|row| row.id);
    audited(context, caller.audit(context, staff, AuditAction::Read, subject, ALLOWED)).await
}

/// The same leg for a page, which notes by itself who looks.
pub(super) async fn leg_on_a_page(context: &Context, caller: &Caller, id: LegId) -> Result<Seen, Problem> {
    let leg = context.ledger.leg(caller.scope(), id).await?.ok_or_else(not_found)?;
    let opened = OpenedLeg::of(context, caller.scope(), told::told(context, caller, leg).await?).await?;
    let view = leg_view(context, caller, &opened).await?;
    Ok(Seen { version: opened.leg.head_seq, text: view.to_string() })
}

/// The leg as it was told to the caller.
async fn leg_view(context: &Context, caller: &Caller, opened: &OpenedLeg) -> Result<Value, Problem> {
    let (leg, body) = (&opened.leg, &opened.body);
    let receipts = told::receipts(context, caller, leg).await?;
    let events = told::events(context, caller, leg).await?;
    let delivery = context.ledger.delivery_of(leg).await?.ok_or_else(damaged)?;
    let facts = facts(context, leg, &delivery).await?;
    let able = available(caller, leg, &actors(caller, leg, StaffRole::AgencyStaff), &facts);
    let mut view = leg_summary(leg, context.clock.now());
    view["delivery_state"] = json!(told::copy_state(caller, leg, delivery.state));
    view["sections"] = json!(body.sent);
    view["requested_action"] = json!(body.requested_action);
    let rungs = receipts.iter().filter(|row| told::shows_rung(caller, leg, row.level));
    view["ladder"] = rungs.map(rung).collect();
    let shown = events.iter().filter(|event| told::shows_step(caller, leg, event));
    let history = shown.map(|event| history(caller, opened, event)).collect::<Result<Vec<_>, _>>()?;
    view["answer"] = latest_answer(opened, &history);
    view["events"] = Value::Array(history);
    view["available_actions"] = able.iter().map(|one| json!(one.action)).collect();
    if leg.kind == ReferralType::HandOver {
        view["hand_over"] = hand_over::seen(context, caller, opened, &events).await?;
    }
    if let Some(row) = context.ledger.holding_of(leg.id).await? {
        view["disposal"] = holding::seen(context, opened, &row).await?;
    }
    if let Some(basis) = &body.basis {
        let law = leg.basis.map(|code| Basis::of(code).law);
        view["basis"] = present(json!({"code": basis.code, "ref": basis.reference, "law": law}));
    }
    if caller.id() == leg.sender {
        if delivery.state == DeliveryState::Held {
            view["release_at"] = json!(delivery.release_at.map(jst));
        }
        view["referral"] = json!(leg.referral);
        view["related"] = json!(relation::seen_by_the_sender(&body.related));
        view["withheld"] = body.withheld.iter().map(withheld).collect();
    } else {
        protection::veil(context, opened, &mut view).await?;
    }
    Ok(present(view))
}

/// What there is of an object: a member that has no value is left out.
pub(super) fn present(mut object: Value) -> Value {
    object
        .as_object_mut()
        .expect("invariant: what is shown is an object")
        .retain(|_, value| !value.is_null());
    object
}

/// What lists show of a leg; nothing of it is sealed.
pub(super) fn leg_summary(leg: &LegRow, now: Timestamp) -> Value {
    let clock = leg.clock_due.map(|due| {
        json!({"name": leg.clock_kind, "started": leg.clock_started.map(jst), "due": jst(due), "overdue": due < now,
            "runs": "day_and_night"})
    });
    let of_hand_over = handed::clocks(leg.kind, leg.state).iter().map(|clock| {
        let due = clock.due(leg.created_at);
        json!({"name": clock, "started": jst(leg.created_at), "due": jst(due), "overdue": due < now,
            "runs": clock.runs()})
    });
    present(json!({
        "id": leg.id, "version": leg.head_seq, "state": leg.state, "type": leg.kind, "urgency": leg.urgency,
        "sender": leg.sender, "recipient": leg.recipient, "delivery": leg.delivery,
        "reply_by": leg.reply_by.map(jst), "created_at": jst(leg.created_at), "changed_at": jst(leg.changed_at),
        "clocks": clock.into_iter().chain(of_hand_over).collect::<Vec<_>>(), "responsible": responsible(leg),
    }))
}

/// Who is responsible for a family that is handed over.
fn responsible(leg: &LegRow) -> Option<AgencyId> {
    let hands_over = leg.kind == ReferralType::HandOver;
    hands_over.then(|| Responsible::of(leg.state).among(leg.sender, leg.recipient))
}

fn rung(row: &ReceiptRow) -> Value {
    json!({"level": row.level, "at": jst(row.at), "receipt": row.id})
}

fn withheld(one: &Withheld) -> Value {
    present(json!({"section": one.section, "subject": one.subject, "why": one.why}))
}

fn history(caller: &Caller, opened: &OpenedLeg, event: &LegEventRow) -> Result<Value, Problem> {
    let wordless = told::little(caller, &opened.leg) && !tells_words(event.to_state);
    let mut told = if wordless { json!({}) } else { event_details(opened, event)? };
    if event.agency != Some(caller.id()) {
        hand_over::keep_own(&mut told);
    }
    told["seq"] = json!(event.seq);
    told["action"] = json!(event.kind);
    told["state"] = json!(event.to_state);
    told["agency"] = json!(event.agency);
    told["by"] = json!(event.staff);
    told["at"] = json!(jst(event.at));
    Ok(present(told))
}

/// The last thing the recipient answered. A copy taken, opened or destroyed is not an answer.
fn latest_answer(opened: &OpenedLeg, history: &[Value]) -> Value {
    let recipient = json!(opened.leg.recipient);
    let is_answer = |told: &&Value| {
        let no_answer = ["receive", "view", "break_glass", "confirm_disposal"];
        told["agency"] == recipient && told["action"].as_str().is_none_or(|act| !no_answer.contains(&act))
    };
    history.iter().rev().find(is_answer).cloned().unwrap_or_default()
}

/// The sealed details of an event, for a party of the leg.
pub(super) fn event_details(opened: &OpenedLeg, event: &LegEventRow) -> Result<Value, Problem> {
    let Some(sealed) = &event.body else { return Ok(json!({})) };
    let seq = u64::try_from(event.seq).map_err(|_| damaged())?;
    let plain = opened.key.open(&event_slot(&opened.frame(), seq), sealed)?;
    serde_json::from_slice(&plain).map_err(|_| damaged())
}

/// What the caller's staff of this role can do with a leg now, and what each act needs.
///
/// # Errors
/// Not found for everybody but its parties.
pub async fn available_actions(
    context: &Context,
    caller: &Caller,
    id: LegId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let leg = context.ledger.leg(caller.scope(), id).await?.ok_or_else(not_found)?;
    let leg = told::told(context, caller, leg).await?;
    let role = match staff {
        Some(_) => caller.staff_of_header(context, staff).await?.role,
        None => StaffRole::AgencyStaff,
    };
    let delivery = context.ledger.delivery_of(&leg).await?.ok_or_else(damaged)?;
    let facts = facts(context, &leg, &delivery).await?;
    let responsible = responsible(&leg);
    let items: Vec<Value> = available(caller, &leg, &actors(caller, &leg, role), &facts)
        .iter()
        .map(|one| {
            let needs: Vec<&str> = one.requires.iter().map(|field| member(*field)).collect();
            let usual = Phrase { ja: one.action.label_ja(), en: one.action.label_en() };
            let moves = responsible.and_then(|_| handed::consequence(one.action));
            let label = moves.unwrap_or(usual);
            json!({
                "action": one.action, "label": label.ja, "label_en": label.en, "to": one.to, "requires": needs,
            })
        })
        .collect();
    let answer = json!({
        "state": leg.state, "version": leg.head_seq, "responsible": responsible, "items": items,
    });
    Ok(present(answer).to_string())
}

/// Everything that proves a leg's history: receipts, signed events and the manifest. The sender also gets its
/// own copy of R0, which says what was withheld.
///
/// # Errors
/// Not found for everybody but its parties.
pub async fn evidence(context: &Context, caller: &Caller, id: LegId) -> Result<String, Problem> {
    let leg = context.ledger.leg(caller.scope(), id).await?.ok_or_else(not_found)?;
    let leg = told::told(context, caller, leg).await?;
    let receipts = told::receipts(context, caller, &leg).await?;
    let events = told::events(context, caller, &leg).await?;
    let manifest = context.ledger.manifest(&leg).await?;
    let own = json!(receipts.iter().find_map(|row| row.sender_jws.as_deref()));
    let receipts: Vec<Value> =
        receipts.iter().map(|row| json!({"level": row.level, "at": jst(row.at), "jws": row.jws})).collect();
    let mut view = json!({
        "id": leg.id, "receipts": receipts, "manifest": manifest.map(|row| row.jws),
        "events": events.iter().filter_map(|event| event.jws.as_deref()).collect::<Vec<_>>(),
    });
    if caller.id() == leg.sender {
        view["sender_copy"] = own;
    }
    Ok(view.to_string())
}

/// The caller's legs in one state, newest first.
pub async fn legs(
    context: &Context,
    caller: &Caller,
    side: Side,
    state: LegState,
    before: Option<LegId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.legs(caller.scope(), side, state, before, limit.rows()).await?;
    let (more, now) = (limit.cut(&mut rows), context.clock.now());
    let mut items = Vec::with_capacity(rows.len());
    for leg in &rows {
        items.push(leg_summary(&told::told(context, caller, leg.clone()).await?, now));
    }
    Ok(page(items, rows.last().filter(|_| more).map(|leg| leg.id.to_string())))
}

/// A referral of the caller's own, with its legs.
///
/// # Errors
/// Not found for everybody but its owner.
pub async fn referral(context: &Context, caller: &Caller, id: ReferralId) -> Result<Seen, Problem> {
    let row = context.ledger.referral(caller.scope(), id).await?.ok_or_else(not_found)?;
    let mut legs = Vec::new();
    for leg in context.ledger.legs_of(id).await? {
        let leg = told::told(context, caller, leg).await?;
        let opened = OpenedLeg::of(context, caller.scope(), leg).await?;
        legs.push(leg_view(context, caller, &opened).await?);
    }
    let mut view = referral_summary(&row);
    view["legs"] = Value::Array(legs);
    if row.kind == ReferralType::Notice {
        let readers = context.ledger.notice_readers(&row).await?;
        view["seen_by"] = readers.iter().map(|reader| json!(reader.staff)).collect();
    }
    audited(context, caller.audit(context, caller.person, AuditAction::Read, id, ALLOWED)).await?;
    Ok(Seen { version: row.head_seq, text: view.to_string() })
}

fn referral_summary(row: &ReferralRow) -> Value {
    present(json!({
        "id": row.id, "version": row.head_seq, "type": row.kind, "urgency": row.urgency, "sender": row.owner,
        "case": row.case_id, "written_by": row.written_by, "created_at": jst(row.created_at),
    }))
}

/// The caller's referrals, newest first, each with the state of its legs.
pub async fn referrals(
    context: &Context,
    caller: &Caller,
    filter: ReferralFilter,
    before: Option<ReferralId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.referrals(caller.scope(), filter, before, limit.rows()).await?;
    let (more, now) = (limit.cut(&mut rows), context.clock.now());
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut item = referral_summary(row);
        let mut legs = Vec::new();
        for leg in context.ledger.legs_of(row.id).await? {
            legs.push(leg_summary(&told::told(context, caller, leg).await?, now));
        }
        item["legs"] = json!(legs);
        items.push(item);
    }
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

/// The caller's inbox in one state: ids, codes and times, no names.
pub async fn inbox(
    context: &Context,
    caller: &Caller,
    state: DeliveryState,
    after: Option<LegId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.inbox(caller.scope(), state, after, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let leg = context.ledger.leg(caller.scope(), row.leg).await?.ok_or_else(damaged)?;
        items.push(inbox_item(row, &leg));
    }
    let mut page = page_of(items, rows.last().filter(|_| more).map(|row| row.leg.to_string()));
    // Who is asked for a copy learns of it wherever it looks.
    page.insert("requests".into(), json!(context.ledger.open_requests(caller.scope()).await?));
    Ok(Value::Object(page).to_string())
}

pub(super) fn inbox_item(row: &DeliveryRow, leg: &LegRow) -> Value {
    present(json!({
        "delivery": row.id, "leg": leg.id, "reference": row.id.reference(), "type": leg.kind,
        "urgency": leg.urgency, "sender": leg.sender, "state": row.state, "leg_state": leg.state,
        "version": leg.head_seq, "arrived_at": jst(row.arrived_at()), "reply_by": leg.reply_by.map(jst),
    }))
}

/// One receipt in the caller's own copy.
///
/// # Errors
/// Not found for everybody but the parties of its leg.
pub async fn receipt(
    context: &Context,
    caller: &Caller,
    subject: &str,
    level: ReceiptLevel,
) -> Result<String, Problem> {
    let row = context.ledger.receipt(caller.scope(), subject, level).await?.ok_or_else(not_found)?;
    let leg = context.ledger.leg(caller.scope(), row.leg).await?.ok_or_else(not_found)?;
    let leg = told::told(context, caller, leg).await?;
    if !told::shows_receipt(caller, &leg, &row) {
        return Err(not_found());
    }
    let mut view = json!({"level": row.level, "leg": row.leg, "at": jst(row.at), "jws": row.jws});
    if let Some(own) = row.sender_jws.filter(|_| caller.id() == leg.sender) {
        view["sender_copy"] = json!(own);
    }
    Ok(view.to_string())
}

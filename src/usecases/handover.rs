//! Hand-over addresses, for the agency that keeps the family's consent: it gives one, looks how far what was sent there
//! has come, and revokes what was not used.

use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    consent::{self, field_problem},
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    opened::damaged,
    page::{Limit, page},
    read::{Seen, present},
};
use crate::{
    domain::{
        basis_state::ConsentState,
        consent::{ConsentRecord, day_in_japan},
        field_error::FieldError,
        handover::{HandoverState, travelling},
        ids::{AgencyId, ConsentId, HandoverId},
        problem::{Problem, ProblemKind},
        referral::ReferralType,
    },
    ledger::{
        Lane, Scope, Step, Write,
        audit::AuditAction,
        consent::HoldConsent,
        handover::{HandoverRow, MoveHandover},
    },
};

/// Gives an address: the sender that the consent names may send one hand-over to the recipient named here.
///
/// # Errors
/// A consent the caller does not keep, or that is not for this; a recipient it does not name; a time that is over.
pub async fn give(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || prepare(context, caller, &command.document).await).await
}

async fn prepare(context: &Context, caller: &Caller, document: &Value) -> Result<Prepared, Problem> {
    let now = context.clock.now();
    let staff = caller.staff(context, &document["by"], "/by").await?;
    let id: ConsentId = document["consent"].as_str().unwrap_or_default().parse()?;
    let recipient: AgencyId = document["recipient"].as_str().unwrap_or_default().parse()?;
    let Some((consent, record)) = consent::load(context, caller.scope(), id).await? else {
        return Err(field_problem(vec![unknown_consent()]));
    };
    let sender = context.ledger.agency(record.sender).await?;
    let known = context.ledger.agency(recipient).await?.is_some_and(|row| row.active == 1);
    let last = consent::start_of(record.last_day.tomorrow().unwrap_or(record.last_day));
    let valid_until = match document["until"].as_str() {
        Some(text) => text.parse().map_err(|_| Problem::new(ProblemKind::Internal))?,
        None => last,
    };
    let today = day_in_japan(now);
    let mut faults = Vec::new();
    if !is_for_a_hand_over(&record, caller.id()) || record.is_over(today) {
        faults.push(consent_is_not_for_this());
    }
    if sender.is_none_or(|row| row.kind.is_municipal_office()) {
        faults.push(a_municipality_knows_whom());
    }
    if !known || !record.recipients.contains(&recipient) || recipient == record.sender {
        faults.push(recipient_is_not_named());
    }
    if valid_until <= now || valid_until > last {
        faults.push(time_is_over());
    }
    if !faults.is_empty() {
        return Err(field_problem(faults));
    }
    let row = HandoverRow {
        id: context.clock.new_id(),
        owner: caller.id(),
        address: context.clock.new_random_id(),
        sender: record.sender,
        recipient,
        consent: consent.id,
        state: HandoverState::Open,
        version: 1,
        valid_until,
        made_by: staff.id,
        front: None,
        back: None,
        look_at: None,
        created_at: now,
        changed_at: now,
    };
    let text = answer(&row, 1);
    let mut write = Write::default();
    write.steps.push(Step::HoldConsent(HoldConsent { id: consent.id, version: consent.version }));
    write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Consent, row.id, ALLOWED));
    let pointer = Pointer::Handover { id: row.id, version: 1 };
    write.rows.handovers.push(row);
    Ok(Prepared { write, pointer, text })
}

/// A consent in force by which somebody else hands over something that can travel to an address.
fn is_for_a_hand_over(record: &ConsentRecord, keeper: AgencyId) -> bool {
    record.state == ConsentState::Active
        && record.purpose == ReferralType::HandOver
        && record.sender != keeper
        && !travelling(record.sections).is_empty()
}

/// Revokes an address that was not used.
///
/// # Errors
/// Not found for everybody but the agency that gave it; stale; used or revoked before.
pub async fn revoke(
    context: &Context,
    caller: &Caller,
    id: HandoverId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = context.ledger.handover(caller.scope(), id).await?.ok_or_else(not_found)?;
        let staff = caller.staff(context, &command.document["by"], "/by").await?;
        if row.version != version {
            return Err(Problem::new(ProblemKind::VersionStale));
        }
        if row.state != HandoverState::Open {
            return Err(Problem::illegal_transition(row.state.code(), Vec::new()));
        }
        let at = context.clock.now();
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        write.steps.push(Step::MoveHandover(MoveHandover {
            id,
            from_version: version,
            state: HandoverState::Revoked,
            front: None,
            back: None,
            look_at: None,
            at,
        }));
        write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Consent, id, ALLOWED));
        let text = answer(&HandoverRow { changed_at: at, ..row }, version + 1);
        Ok(Prepared { write, pointer: Pointer::Handover { id, version: version + 1 }, text })
    })
    .await
}

/// The answer to a step: the first gave the address, the second revoked it. It is the same for ever.
fn answer(row: &HandoverRow, version: i64) -> String {
    let (state, at) = match version {
        1 => (HandoverState::Open, row.created_at),
        _ => (HandoverState::Revoked, row.changed_at),
    };
    json!({
        "id": row.id, "version": version, "state": state, "address": row.address, "sender": row.sender,
        "until": jst(row.valid_until), "at": jst(at),
    })
    .to_string()
}

/// The answer again, from the stored record.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: HandoverId,
    version: i64,
) -> Result<String, Problem> {
    let row = context.ledger.handover(caller.scope(), id).await?.ok_or_else(damaged)?;
    Ok(answer(&row, version))
}

/// An address the caller gave, and how far what was sent there has come. Of the content it shows nothing: the caller
/// is no party to it.
///
/// # Errors
/// Not found for everybody else.
pub async fn read(context: &Context, caller: &Caller, id: HandoverId) -> Result<Seen, Problem> {
    let row = context.ledger.handover(caller.scope(), id).await?.ok_or_else(not_found)?;
    let mut view = summary(&row);
    if let Some(back) = row.back {
        let scope = Scope::of(row.recipient);
        let leg = context.ledger.leg(scope, back).await?.ok_or_else(damaged)?;
        let receipts = context.ledger.receipts(&leg).await?;
        let rung = |row: &crate::ledger::receipt::ReceiptRow| json!({"level": row.level, "at": jst(row.at)});
        view["sent"] = json!({
            "leg": leg.id, "at": jst(leg.created_at), "state": leg.state,
            "ladder": receipts.iter().map(rung).collect::<Vec<_>>(),
        });
    }
    Ok(Seen { version: row.version, text: view.to_string() })
}

fn summary(row: &HandoverRow) -> Value {
    present(json!({
        "id": row.id, "version": row.version, "state": row.state, "address": row.address, "sender": row.sender,
        "recipient": row.recipient, "consent": row.consent, "until": jst(row.valid_until), "by": row.made_by,
        "created_at": jst(row.created_at), "shown_to_sender_at": row.look_at.map(jst),
    }))
}

/// The addresses the caller gave, newest first.
pub async fn list(
    context: &Context,
    caller: &Caller,
    before: Option<HandoverId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.handovers(caller.scope(), before, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let items = rows.iter().map(summary).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

fn unknown_consent() -> FieldError {
    FieldError::new(
        "/consent",
        "consent_unknown",
        "自機関で記録した同意のIDを書いてください。",
        "Name a consent that your agency keeps.",
    )
}

/// It hands over together with the responsibility, and what protects the family goes ahead.
fn a_municipality_knows_whom() -> FieldError {
    FieldError::new(
        "/consent",
        "not_for_this",
        "差出機関が市町村の機関のときは、引継ぎ先番号を出せません。市町村からの移管（IKAN）は、引き継ぐ市町村の機関あてに送られます。",
        "No address is given to an office of a municipality: it hands a family over (IKAN) to an office of the other one.",
    )
}

fn consent_is_not_for_this() -> FieldError {
    FieldError::new(
        "/consent",
        "consent_purpose",
        "引継ぎの同意（目的 IKAN、差出機関は引き継ぐ側の機関、住所・連絡先のほかの区分を含み、有効なもの）を書いてください。",
        "Name a consent in force whose purpose is IKAN, whose sender is the agency that hands over, and that covers more than address and contact.",
    )
}

fn recipient_is_not_named() -> FieldError {
    FieldError::new(
        "/recipient",
        "recipient_unknown",
        "同意に受け手として書かれた、登録されている機関のIDを書いてください。",
        "Name a registered agency that the consent names as a recipient.",
    )
}

fn time_is_over() -> FieldError {
    FieldError::new(
        "/until",
        "impossible_date",
        "これからの日時で、同意の期限までにしてください。",
        "Give a time to come, within that of the consent.",
    )
}

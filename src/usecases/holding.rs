//! Copies that are asked back: who is asked, what was answered, and when a withdrawal has reached everybody.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Caller, Context,
    evidence::event_slot,
    jst,
    opened::{OpenedLeg, damaged, erased},
    page::{Limit, page},
    read::{inbox_item, present},
    ring,
};
use crate::{
    domain::{
        basis_state::{self, AnswerDeadline, ConsentAction, ConsentFacts, ConsentState, Holders, Validity},
        breach_report::in_japan,
        field_error::FieldError,
        holding::{self, Disposal, HoldingCause, HoldingState},
        ids::{ConsentId, LegId},
        incident::Exposure,
        leg::{Actor as LegActor, LegAction},
        problem::Problem,
    },
    ledger::{
        Lane, Scope, Step, Write, WriteError,
        agency::StaffRow,
        audit::{AuditAction, AuditRow},
        consent::{ConsentRow, MoveConsent},
        delivery::DeliveryRow,
        holding::{AnswerHolding, HoldingRow},
        job::JobKind,
        leg::LegRow,
    },
};

/// How many withdrawals are looked through in one go.
const PAGE: i64 = 200;

/// How far the copy of a leg has come, by its receipts and what was published.
pub(super) async fn exposure(
    context: &Context,
    leg: &LegRow,
    delivery: &DeliveryRow,
) -> Result<Exposure, Problem> {
    let receipts = context.ledger.receipts(leg).await?;
    Ok(Exposure::of(receipts.iter().map(|row| row.level), delivery.disclosed_at.is_some()))
}

/// Asks the holder of a copy that is out what becomes of it, and rings at its door. Nobody is asked twice about one
/// leg. Tells whether an answer is owed.
pub(super) async fn ask(
    context: &Context,
    leg: &LegRow,
    delivery: &DeliveryRow,
    cause: HoldingCause,
    write: &mut Write,
) -> Result<bool, Problem> {
    if let Some(before) = context.ledger.holding_of(leg.id).await? {
        return Ok(!before.state.answered());
    }
    if !exposure(context, leg, delivery).await?.is_out() {
        return Ok(false);
    }
    let at = context.clock.now();
    write.rows.jobs.push(ring::job(context, JobKind::Recalled, leg, leg.recipient, at));
    write.rows.holdings.push(HoldingRow {
        leg: leg.id,
        delivery: leg.delivery,
        sender: leg.sender,
        recipient: leg.recipient,
        consent: leg.consent,
        cause,
        state: HoldingState::Asked,
        asked_at: at,
        due_at: holding::due(at),
        answered_at: None,
        staff: None,
    });
    Ok(true)
}

/// Records what a named person says became of the copy.
pub(super) async fn answer(
    context: &Context,
    leg: &LegRow,
    staff: &StaffRow,
    document: &Value,
    at: Timestamp,
    write: &mut Write,
) -> Result<(), Problem> {
    let asked = context.ledger.holding_of(leg.id).await?.ok_or_else(damaged)?;
    let answer: Disposal = document["disposal"].as_str().unwrap_or_default().parse()?;
    let mut faults = Vec::new();
    if !asked.cause.admits(answer) {
        faults.push(FieldError::new(
            "/disposal",
            "unknown_code",
            "同意の撤回には deleted、誤送信の回収には destroyed、保存が法令で定められているときは kept_by_law を書いてください。",
            "Write deleted after a withdrawal, destroyed after a recall, or kept_by_law where a law requires it.",
        ));
    }
    let lacks_article = document["article"].as_str().is_none_or(|text| text.trim().is_empty());
    if answer == Disposal::KeptByLaw && lacks_article {
        faults.push(FieldError::new(
            "/article",
            "required",
            "保存を定めている法令の条文を書いてください。",
            "Name the article of law that requires it to be kept.",
        ));
    }
    if !faults.is_empty() {
        return Err(super::consent::field_problem(faults));
    }
    let step = AnswerHolding { leg: leg.id, state: answer.into(), staff: staff.id, at };
    write.steps.push(Step::AnswerHolding(step));
    Ok(())
}

/// What both parties see of a request: where it stands and, once answered, who said what on which article.
pub(super) async fn seen(context: &Context, opened: &OpenedLeg, row: &HoldingRow) -> Result<Value, Problem> {
    Ok(told(row, &article(context, opened, row).await?, context.clock.now()))
}

fn told(row: &HoldingRow, article: &Value, now: Timestamp) -> Value {
    let state = row.state.as_of(row.due_at, now);
    present(json!({
        "leg": row.leg, "recipient": row.recipient, "cause": row.cause, "state": state,
        "label": state.label_ja(), "asked_at": jst(row.asked_at), "due": jst(row.due_at),
        "answered_at": row.answered_at.map(jst), "by": row.staff, "article": article,
    }))
}

/// The article of law on which a holder keeps its copy, if it does.
async fn article(context: &Context, opened: &OpenedLeg, row: &HoldingRow) -> Result<Value, Problem> {
    if row.state != HoldingState::KeptByLaw {
        return Ok(Value::Null);
    }
    let events = context.ledger.leg_events(&opened.leg).await?;
    let said = events.iter().rev().find(|event| event.kind == LegAction::ConfirmDisposal.code());
    let Some((event, sealed)) = said.and_then(|event| Some((event, event.body.as_ref()?))) else {
        return Ok(Value::Null);
    };
    let seq = u64::try_from(event.seq).map_err(|_| damaged())?;
    let plain = opened.key.open(&event_slot(&opened.frame(), seq), sealed)?;
    let details: Value = serde_json::from_slice(&plain).map_err(|_| damaged())?;
    Ok(details["article"].clone())
}

/// How far a withdrawal has come, for the agency that keeps the consent.
pub(super) async fn propagation(
    context: &Context,
    caller: &Caller,
    row: &ConsentRow,
) -> Result<Value, Problem> {
    let mut holders = Vec::new();
    let (mut confirmed, mut silent) = (0, 0);
    let rows = context.ledger.holdings_under(row.id).await?;
    for one in &rows {
        let leg = context.ledger.leg(caller.scope(), one.leg).await?.ok_or_else(damaged)?;
        let article = if erased(context, &leg).await? {
            Value::Null
        } else {
            article(context, &OpenedLeg::of(context, caller.scope(), leg).await?, one).await?
        };
        holders.push(told(one, &article, context.clock.now()));
        confirmed += usize::from(one.state.answered());
        silent += usize::from(one.state.as_of(one.due_at, context.clock.now()) == HoldingState::Silent);
    }
    let text = match rows.len() {
        0 => "写しを持つ機関はありません。".to_owned(),
        asked => format!("{asked}機関のうち{confirmed}機関が確認済み"),
    };
    let asked = rows.len();
    Ok(json!({"asked": asked, "confirmed": confirmed, "silent": silent, "text": text, "holders": holders}))
}

/// What the caller is asked about its copies: ids, times and one fixed sentence.
pub async fn requests(
    context: &Context,
    caller: &Caller,
    cause: HoldingCause,
    after: Option<LegId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.requests(caller.scope(), cause, after, limit.rows()).await?;
    let (more, now) = (limit.cut(&mut rows), context.clock.now());
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let leg = context.ledger.leg(caller.scope(), row.leg).await?.ok_or_else(damaged)?;
        let delivery = context.ledger.delivery_of(&leg).await?.ok_or_else(damaged)?;
        let mut item = inbox_item(&delivery, &leg);
        item["kind"] = json!(row.cause);
        item["asked_at"] = json!(jst(row.asked_at));
        item["due"] = json!(jst(row.due_at));
        item["overdue"] = json!(row.due_at <= now);
        item["text"] = json!(format!("{} {}", row.cause.notice_ja(), in_japan(row.asked_at)));
        items.push(item);
    }
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.leg.to_string())))
}

/// The state the consent's table gives a step of the hub; `None` where the table does not allow it now.
pub(super) fn consent_state(
    state: ConsentState,
    action: ConsentAction,
    holders: Holders,
    deadline: AnswerDeadline,
) -> Option<ConsentState> {
    let facts = ConsentFacts { validity: Validity::Within, holders, deadline };
    basis_state::consent_step(Some(state), action, LegActor::Hub, &facts).ok()?.to
}

/// After an answer: whether it was the last one. The sweep finds what this misses.
pub(super) async fn settle_after(context: &Context, caller: &Caller, leg: LegId) -> Result<(), Problem> {
    let Some(holding) = context.ledger.holding_of(leg).await? else { return Ok(()) };
    debug_assert_eq!(holding.recipient, caller.id());
    let Some(consent) = holding.consent else { return Ok(()) };
    match context.ledger.consent(Scope::of(holding.sender), consent).await? {
        Some(row) => settle(context, &row).await.map(drop),
        None => Ok(()),
    }
}

/// Every withdrawal whose holders have all answered, or whose deadline is over.
pub(super) async fn settle_due(context: &Context) -> Result<usize, Problem> {
    let (mut settled, mut after) = (0, None::<ConsentId>);
    loop {
        let rows = context.ledger.propagating(after, PAGE).await?;
        for row in &rows {
            settled += usize::from(settle(context, row).await?);
        }
        after = rows.last().map(|row| row.id);
        if (rows.len() as i64) < PAGE {
            return Ok(settled);
        }
    }
}

/// Moves a withdrawal to its end, if it has come to one. Its keeper is told of the holders that stayed silent.
async fn settle(context: &Context, row: &ConsentRow) -> Result<bool, Problem> {
    let now = context.clock.now();
    let rows = context.ledger.holdings_under(row.id).await?;
    let silent: Vec<&HoldingRow> = rows.iter().filter(|one| !one.state.answered()).collect();
    let holders = if silent.is_empty() { Holders::AllAnswered } else { Holders::SomeSilent };
    let over = silent.iter().all(|one| one.due_at <= now);
    let deadline = if over { AnswerDeadline::Over } else { AnswerDeadline::Running };
    let Some(state) = consent_state(row.state, ConsentAction::Settle, holders, deadline) else {
        return Ok(false);
    };
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.steps.push(Step::MoveConsent(MoveConsent {
        id: row.id,
        from_version: row.version,
        from_uses: row.uses,
        state,
        at: now,
    }));
    for one in silent {
        let leg = context.ledger.leg(Scope::of(one.sender), one.leg).await?.ok_or_else(damaged)?;
        write.rows.jobs.push(ring::job(context, JobKind::Changed, &leg, leg.sender, now));
    }
    write.rows.audits.push(AuditRow {
        id: context.clock.new_id(),
        agency: row.owner,
        staff: None,
        action: AuditAction::Withdraw,
        subject: row.id.to_string(),
        decision: state.code().to_owned(),
        at: now,
        purpose: None,
    });
    match context.ledger.write(write).await {
        Ok(_) => {
            context.work.notify_one();
            Ok(true)
        }
        // Another answer, or another node, was faster; the next look sees what it left.
        Err(WriteError::Stale) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

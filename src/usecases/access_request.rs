//! Records a request of a person to see what is held about that person (開示請求), and its steps. All of it is for privacy
//! officers alone: that somebody asked is nobody else's to know.

mod deciding;

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

pub(super) use self::deciding::was_opened;
use self::deciding::{decided, found};
use super::{
    ALLOWED, Answer, Caller, Command, Context, audited,
    consent::field_problem,
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    opened::{damaged, data_key},
    page::{Limit, page},
    read::{Seen, present},
    subject_export::law,
};
use crate::{
    domain::{
        access_request::{AccessState, AccessStep, Authority, Illegal, Record, Requester, due_on},
        consent::day_in_japan,
        fault::Text,
        field_error::FieldError,
        ids::{AccessRequestId, StaffId},
        problem::{Problem, ProblemKind},
        staff::StaffRole,
    },
    ledger::{
        Step, Write,
        access_request::{AccessRequestRow, AccessRequestVersionRow, MoveAccessRequest},
        agency::StaffRow,
        audit::AuditAction,
        content::DataKeyRow,
    },
    vault::seal::{DataKey, Slot},
};

/// Records a request on the day it was received.
///
/// # Errors
/// Faults of the record; forbidden for anybody but a privacy officer.
pub async fn receive(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let (document, now) = (&command.document, context.clock.now());
        let by = officer_of(context, caller, document).await?;
        let record = received(document, day_in_japan(now), by.id, now)?;
        let key = context.vault.new_data_key(context.clock.new_id())?;
        let row = AccessRequestRow {
            id: context.clock.new_id(),
            agency: caller.id(),
            state: record.state,
            version: 1,
            due_at: record.due_at(),
            data_key: key.id(),
            changed_at: now,
        };
        let wrapped = context.vault.wrap(&key, caller.id(), now)?;
        let mut write = Write::default();
        write.rows.data_keys.push(DataKeyRow {
            id: key.id(),
            agency: caller.id(),
            kek: wrapped.kek_id,
            wrapped: wrapped.bytes,
        });
        write.rows.access_requests.push(row.clone());
        finish(context, caller, &row, 1, &record, &key, write)
    })
    .await
}

fn received(document: &Value, today: Date, by: StaffId, at: Timestamp) -> Result<Record, Problem> {
    let text = |name: &str| document[name].as_str().map(str::to_owned);
    let coded = |name: &str| document[name].as_str().unwrap_or_default();
    let requester: Requester = coded("requester").parse()?;
    let authority: Option<Authority> = document["authority"].as_str().map(str::parse).transpose()?;
    let received_on: Date = coded("received_on").parse().unwrap_or(Date::MAX);
    let mut faults = Vec::new();
    if received_on > today {
        faults.push(FieldError::new(
            "/received_on",
            "date",
            "請求を受け付けた日は、今日までの日付で書いてください。",
            "The day it was received is today or before.",
        ));
    }
    if requester.represents() && (authority.is_none() || document["asked_by"].is_null()) {
        let at = if authority.is_none() { "/authority" } else { "/asked_by" };
        faults.push(FieldError::new(
            at,
            "required",
            "代理人の請求では、代理人の氏名と、資格を確かめた書類を書いてください。",
            "Where a representative asks, say who it is and what proves the authority.",
        ));
    }
    if !faults.is_empty() {
        return Err(field_problem(faults));
    }
    Ok(Record {
        requester,
        identity: coded("identity").parse()?,
        authority: authority.filter(|_| requester.represents()),
        subject: text("subject").unwrap_or_default(),
        asked_by: text("asked_by"),
        wording: text("wording"),
        received_on,
        due_on: due_on(received_on),
        extended_because: None,
        found: Vec::new(),
        decision: None,
        given_on: None,
        state: AccessState::Received,
        step: AccessStep::Receive,
        by,
        at,
    })
}

/// Makes a step of a request the caller keeps, if it has the version that was read.
///
/// # Errors
/// Not found for every other agency; forbidden for other roles; stale; a step that is not possible now; a decision that
/// is not true of what is selected.
pub async fn step(
    context: &Context,
    caller: &Caller,
    id: AccessRequestId,
    from: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let document = &command.document;
        let row = context.ledger.access_request(caller.scope(), id).await?.ok_or_else(not_found)?;
        let by = officer_of(context, caller, document).await?;
        if row.version != from {
            return Err(Problem::new(ProblemKind::VersionStale));
        }
        let (before, key) = version(context, &row, from).await?;
        let step = document["step"].as_str().unwrap_or_default().parse()?;
        let mut made = before.next(step, by.id, context.clock.now()).map_err(illegal)?;
        match step {
            AccessStep::Extend => {
                made.due_on = due_on(before.due_on);
                made.extended_because = Some(needed(document, "reason")?);
            }
            AccessStep::Prepare => made.found = found(context, caller, document).await?,
            AccessStep::Decide => made.decision = Some(decided(context, caller, &made, document).await?),
            AccessStep::Give => made.given_on = Some(day_in_japan(context.clock.now())),
            AccessStep::Receive => {}
        }
        let mut write = Write::default();
        write.steps.push(Step::MoveAccessRequest(MoveAccessRequest {
            id,
            from_version: from,
            state: made.state,
            due_at: made.due_at(),
            at: made.at,
        }));
        finish(context, caller, &row, from + 1, &made, &key, write)
    })
    .await
}

fn illegal(illegal: Illegal) -> Problem {
    Problem::illegal_transition(illegal.state.code(), illegal.allowed)
}

fn needed(document: &Value, name: &'static str) -> Result<String, Problem> {
    document[name].as_str().map(str::to_owned).ok_or_else(|| {
        field_problem(vec![FieldError::new(
            format!("/{name}"),
            "required",
            "この操作には、この項目が必要です。",
            "This step needs this member.",
        )])
    })
}

fn finish(
    context: &Context,
    caller: &Caller,
    row: &AccessRequestRow,
    version: i64,
    record: &Record,
    key: &DataKey,
    mut write: Write,
) -> Result<Prepared, Problem> {
    let plain = serde_json::to_vec(record).map_err(|_| damaged())?;
    let body = key.seal(&slot(row, version), &plain)?;
    let at = record.at;
    write.rows.access_request_versions.push(AccessRequestVersionRow { request: row.id, version, body, at });
    write.rows.audits.push(caller.audit(context, Some(record.by), AuditAction::Act, row.id, ALLOWED));
    let text = step_answer(row.id, version, record).to_string();
    Ok(Prepared { pointer: Pointer::AccessRequest { id: row.id, version }, text, write })
}

fn slot(row: &AccessRequestRow, version: i64) -> Slot<'static> {
    let seq = u64::try_from(version).unwrap_or_default();
    Slot { table: "access_request_version", owner: row.agency, object: row.id.uuid(), part: "body", seq }
}

/// A version of a request, for the agency that keeps it; and the key it is sealed under.
async fn version(
    context: &Context,
    row: &AccessRequestRow,
    version: i64,
) -> Result<(Record, DataKey), Problem> {
    let key = data_key(context, row.data_key, row.agency).await?;
    let stored = context.ledger.access_request_version(row, version).await?.ok_or_else(damaged)?;
    let plain = key.open(&slot(row, version), &stored.body)?;
    Ok((serde_json::from_slice(&plain).map_err(|_| damaged())?, key))
}

/// The answer to a step: it names nobody, and is the same for ever.
fn step_answer(id: AccessRequestId, version: i64, record: &Record) -> Value {
    present(json!({
        "id": id, "version": version, "state": record.state, "step": record.step, "by": record.by,
        "at": jst(record.at), "due_on": record.due_on,
        "outcome": record.decision.as_ref().map(|decision| decision.outcome),
    }))
}

pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: AccessRequestId,
    at: i64,
) -> Result<String, Problem> {
    let row = context.ledger.access_request(caller.scope(), id).await?.ok_or_else(damaged)?;
    let (record, _) = version(context, &row, at).await?;
    Ok(step_answer(id, at, &record).to_string())
}

/// A request as it stands, with who asked about whom. The look is on record before anything leaves.
///
/// # Errors
/// Not found for every other agency; forbidden for other roles.
pub async fn read(
    context: &Context,
    caller: &Caller,
    id: AccessRequestId,
    staff: Option<&str>,
) -> Result<Seen, Problem> {
    let (row, record) = load(context, caller, id, staff).await?;
    let mut view = step_answer(id, row.version, &record);
    for (name, value) in [
        ("requester", json!(record.requester)),
        ("identity", json!(record.identity)),
        ("authority", json!(record.authority)),
        ("subject", json!(record.subject)),
        ("asked_by", json!(record.asked_by)),
        ("wording", json!(record.wording)),
        ("received_on", json!(record.received_on)),
        ("overdue", json!(record.is_late(context.clock.now()))),
        ("deadline_law", json!(law(caller).deadline)),
        ("extended_because", json!(record.extended_because)),
        ("records", json!(record.found.len())),
        ("given_on", json!(record.given_on)),
    ] {
        view[name] = value;
    }
    if let Some(decision) = &record.decision {
        view["decided_on"] = json!(decision.on);
        view["told"] = json!(decision.told);
        view["parts"] = json!(decision.parts);
    }
    Ok(Seen { version: row.version, text: present(view).to_string() })
}

/// The newest version of a request, for a privacy officer; noted in the audit.
pub(super) async fn load(
    context: &Context,
    caller: &Caller,
    id: AccessRequestId,
    staff: Option<&str>,
) -> Result<(AccessRequestRow, Record), Problem> {
    let reader = caller.staff_of_header(context, staff).await?;
    may_see(&reader)?;
    let row = context.ledger.access_request(caller.scope(), id).await?.ok_or_else(not_found)?;
    let (record, _) = version(context, &row, row.version).await?;
    audited(context, caller.audit(context, Some(reader.id), AuditAction::Read, id, ALLOWED)).await?;
    Ok((row, record))
}

/// The caller's requests in one state, newest first: ids, states and deadlines.
///
/// # Errors
/// Forbidden for anybody but a privacy officer.
pub async fn list(
    context: &Context,
    caller: &Caller,
    staff: Option<&str>,
    state: AccessState,
    before: Option<AccessRequestId>,
    limit: Limit,
) -> Result<String, Problem> {
    may_see(&caller.staff_of_header(context, staff).await?)?;
    let mut rows = context.ledger.access_requests(caller.scope(), state, before, limit.rows()).await?;
    let (more, now) = (limit.cut(&mut rows), context.clock.now());
    let open = |row: &AccessRequestRow| matches!(row.state, AccessState::Received | AccessState::Prepared);
    let summary = |row: &AccessRequestRow| {
        json!({
            "id": row.id, "version": row.version, "state": row.state, "due": jst(row.due_at),
            "overdue": open(row) && row.due_at <= now, "changed_at": jst(row.changed_at),
        })
    };
    let items = rows.iter().map(summary).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

async fn officer_of(context: &Context, caller: &Caller, document: &Value) -> Result<StaffRow, Problem> {
    let staff = caller.staff(context, &document["by"], "/by").await?;
    may_see(&staff).map(|()| staff)
}

fn may_see(row: &StaffRow) -> Result<(), Problem> {
    if row.role == StaffRole::PrivacyOfficer {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "開示請求は、個人情報保護担当だけが扱えます。",
            "Disclosure requests are for privacy officers alone.",
        ))
        .mend(Text::new(
            "自機関の個人情報保護担当に依頼してください。",
            "Ask the privacy officer of your agency.",
        )))
}

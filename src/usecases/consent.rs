//! Records a consent, and reads it for a decision.

use jiff::{Timestamp, civil::Date, tz::Offset};
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    consent_form::name_faults,
    idempotency::{Pointer, Prepared, once},
    opened::{damaged, data_key},
    rehearsal,
};
use crate::{
    domain::{
        chain::Hash,
        consent::{
            ConsentRecord, day_in_japan,
            statement::{ConsentStatement, evidence_digests},
        },
        fault::{Fault, Text},
        field_error::FieldError,
        ids::{AgencyId, CaseId, ConsentId},
        problem::Problem,
    },
    ledger::{
        Rows, Scope, Write,
        audit::AuditAction,
        case::CaseConsentRow,
        consent::{ConsentEventRow, ConsentRow},
        content::DataKeyRow,
    },
    usecases::schema::pointer,
    vault::{
        seal::{DataKey, Slot},
        sha256,
    },
};

/// Records what somebody agreed to, or refused.
///
/// # Errors
/// Faults of the record; staff who are not the caller's own.
pub async fn record(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || prepare(context, caller, command).await).await
}

/// What recording it would do.
///
/// # Errors
/// As [`record`].
pub async fn rehearse(context: &Context, caller: &Caller, command: &Command) -> Result<String, Problem> {
    prepare(context, caller, command).await.map(|prepared| rehearsal::told(&prepared))
}

async fn prepare(context: &Context, caller: &Caller, command: &Command) -> Result<Prepared, Problem> {
    let (document, now) = (&command.document, context.clock.now());
    let id: ConsentId = context.clock.new_id();
    let record = read(document, id, caller.id(), now)?;
    let staff = caller.staff(context, &document["recorded_by"], "/recorded_by").await?;
    let key = context.vault.new_data_key(context.clock.new_id())?;
    let wrapped = context.vault.wrap(&key, caller.id(), now)?;
    let body = key.seal(&slot(caller.id(), id), document.to_string().as_bytes())?;
    let row = ConsentRow {
        id,
        owner: caller.id(),
        version: 1,
        state: record.state,
        purpose: record.purpose,
        first_at: start_of(record.first_day),
        last_at: start_of(record.last_day.tomorrow().unwrap_or(record.last_day)),
        data_key: key.id(),
        body,
        uses: 0,
        changed_at: now,
    };
    let mut event = ConsentEventRow {
        consent: id,
        version: 1,
        state: record.state,
        method: record.method,
        staff: staff.id,
        at: now,
        jws: None,
    };
    event.jws = signed(context, &row, &event, evidence_digests(document), None);
    let text = answer(&event);
    let named = document["case"].as_str().map(str::parse::<CaseId>).transpose()?;
    let named = named.map(|case_id| CaseConsentRow { owner: caller.id(), case_id, consent: id });
    let rows = Rows {
        case_consents: named.into_iter().collect(),
        consents: vec![row],
        consent_events: vec![event],
        data_keys: vec![DataKeyRow {
            id: key.id(),
            agency: caller.id(),
            kek: wrapped.kek_id,
            wrapped: wrapped.bytes,
        }],
        audits: vec![caller.audit(context, Some(staff.id), AuditAction::Consent, id, ALLOWED)],
        ..Rows::default()
    };
    let pointer = Pointer::Consent { id, version: 1 };
    Ok(Prepared { write: Write { rows, ..Write::default() }, pointer, text })
}

/// What the hub signs about a step, linked to the step before.
pub(super) fn signed(
    context: &Context,
    row: &ConsentRow,
    event: &ConsentEventRow,
    evidence: Vec<Hash>,
    before: Option<&ConsentEventRow>,
) -> Option<String> {
    let jws = context.vault.sign_consent(&ConsentStatement {
        agency: row.owner,
        consent: row.id,
        version: event.version,
        state: event.state,
        method: event.method,
        by: event.staff,
        at: event.at,
        evidence,
        sealed: sha256(&row.body),
        prev: before.and_then(|event| event.jws.as_deref()).map(|jws| sha256(jws.as_bytes())),
    });
    Some(jws.into())
}

/// Reads the record and everything single fields must be.
fn read(document: &Value, id: ConsentId, caller: AgencyId, now: Timestamp) -> Result<ConsentRecord, Problem> {
    let mut faults = name_faults(document);
    match ConsentRecord::parse(document, id, caller, day_in_japan(now)) {
        Ok(record) => {
            faults.extend(record.gaps(document));
            if faults.is_empty() { Ok(record) } else { Err(field_problem(faults)) }
        }
        Err(found) => {
            faults.extend(found);
            Err(field_problem(faults))
        }
    }
}

/// Faults of single fields as a problem.
pub(super) fn field_problem(faults: Vec<FieldError>) -> Problem {
    let fault = |error: FieldError| Fault {
        pointer: pointer(&error.pointer),
        code: error.code,
        message: Text::new(error.message, error.message_en),
    };
    Problem::schema_violation(faults.into_iter().map(fault).collect())
}

/// A consent as it stands now, read in the name of the agency that keeps it.
pub(super) async fn load(
    context: &Context,
    scope: Scope,
    id: ConsentId,
) -> Result<Option<(ConsentRow, ConsentRecord)>, Problem> {
    let Some((row, wrap)) = context.ledger.consent_with_key(scope, id).await? else { return Ok(None) };
    let key = context.vault.unwrap(wrap.id, wrap.agency, &wrap.kek, &wrap.wrapped)?;
    let record = record_of(&opened(&key, &row)?, &row)?.judged_by(&context.settings.daily_acts);
    Ok(Some((row, record)))
}

pub(super) fn record_of(document: &Value, row: &ConsentRow) -> Result<ConsentRecord, Problem> {
    let parsed = ConsentRecord::parse(document, row.id, row.owner, day_in_japan(row.changed_at));
    let mut record = parsed.map_err(|_| damaged())?;
    record.state = row.state;
    record.version = u32::try_from(row.version).map_err(|_| damaged())?;
    Ok(record)
}

/// The record as it was submitted.
pub(super) async fn document(context: &Context, row: &ConsentRow) -> Result<Value, Problem> {
    opened(&data_key(context, row.data_key, row.owner).await?, row)
}

fn opened(key: &DataKey, row: &ConsentRow) -> Result<Value, Problem> {
    let plain = key.open(&slot(row.owner, row.id), &row.body)?;
    serde_json::from_slice(&plain).map_err(|_| damaged())
}

fn slot(owner: AgencyId, id: ConsentId) -> Slot<'static> {
    Slot { table: "consent", owner, object: id.uuid(), part: "body", seq: 1 }
}

/// 00:00 of a day in Japan.
pub(super) fn start_of(day: Date) -> Timestamp {
    Offset::constant(9).to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

/// The answer to a step of a consent: what that step made of it, which never changes.
pub(super) fn answer(event: &ConsentEventRow) -> String {
    let mut answer = json!({
        "id": event.consent, "version": event.version, "state": event.state, "at": super::jst(event.at),
    });
    if let Some(jws) = &event.jws {
        answer["signed"] = json!(jws);
    }
    answer.to_string()
}

/// The answer again, from the stored step.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: ConsentId,
    version: i64,
) -> Result<String, Problem> {
    let row = context.ledger.consent(caller.scope(), id).await?.ok_or_else(damaged)?;
    let events = context.ledger.consent_events(&row).await?;
    events.iter().find(|event| event.version == version).map(answer).ok_or_else(damaged)
}

//! Notes talks in which nobody gives a name, and opens a case from one of them, once.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context, audited,
    case::keep,
    consent::start_of,
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    opened::damaged,
    page::{Limit, page},
    read::present,
};
use crate::{
    domain::{
        consultation::Consultation,
        fault::{Fault, Text},
        ids::{AgencyId, ConsultationId},
        problem::{Problem, ProblemKind},
    },
    ledger::{
        Step, Write,
        audit::AuditAction,
        consultation::{ConsultationRow, TakeConsultation, Talked},
        content::DataKeyRow,
        leg::Window,
    },
    usecases::schema::pointer,
    vault::seal::Slot,
};

/// Notes a talk.
///
/// # Errors
/// Staff who are not the caller's own; a time that has not come.
pub async fn record(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let (document, now) = (&command.document, context.clock.now());
        let staff = caller.staff(context, &document["by"], "/by").await?.id;
        let talk: Consultation = serde_json::from_value(document.clone()).map_err(|_| damaged())?;
        let at = match document["at"].as_str() {
            Some(text) => text.parse().map_err(|_| damaged())?,
            None => now,
        };
        keep::has_happened(at, now)?;
        let key = context.vault.new_data_key(context.clock.new_id())?;
        let wrapped = context.vault.wrap(&key, caller.id(), now)?;
        let id: ConsultationId = context.clock.new_id();
        let body = serde_json::to_vec(&talk).map_err(|_| damaged())?;
        let row = ConsultationRow {
            id,
            owner: caller.id(),
            staff,
            at,
            case_id: None,
            data_key: key.id(),
            body: key.seal(&slot(caller.id(), id), &body)?,
            created_at: now,
        };
        let text = noted(&row);
        let mut write = Write::default();
        write.rows.data_keys.push(DataKeyRow {
            id: key.id(),
            agency: caller.id(),
            kek: wrapped.kek_id,
            wrapped: wrapped.bytes,
        });
        write.rows.consultations.push(row);
        write.rows.audits.push(caller.audit(context, Some(staff), AuditAction::Consultation, id, ALLOWED));
        Ok(Prepared { write, pointer: Pointer::Consultation(id), text })
    })
    .await
}

/// Opens a case from a talk. That can be done once.
///
/// # Errors
/// Not found; a talk a case has come of; whatever refuses a case.
pub async fn open_case(
    context: &Context,
    caller: &Caller,
    id: ConsultationId,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let (row, _) = context.ledger.consultation(caller.scope(), id).await?.ok_or_else(not_found)?;
        if row.case_id.is_some() {
            return Err(has_a_case());
        }
        let document = &command.document;
        let mut prepared = keep::prepare_new(context, caller, document, Some(id), Write::default()).await?;
        let case = prepared.write.rows.cases.first().ok_or_else(damaged)?.id;
        let take = TakeConsultation { id, owner: caller.id(), case };
        prepared.write.steps.push(Step::TakeConsultation(take));
        Ok(prepared)
    })
    .await
}

fn has_a_case() -> Problem {
    let message = Text::new(
        "この相談記録からは、すでにケースが開始されています。",
        "A case has come of this consultation already.",
    );
    Problem::new(ProblemKind::AlreadyThere).faults([Fault {
        pointer: pointer("/id"),
        code: "consultation_has_case",
        message,
    }])
}

/// Which talks are wanted: of these days in Japan, both included.
pub struct Asked {
    pub from: Date,
    pub to: Date,
    pub before: Option<Cursor>,
    pub limit: Limit,
}

/// Where a page of talks ends, as `next` carries it: when the last one was, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(Talked);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.at.as_microsecond(), self.0.id)
    }
}

/// A text that no page of talks ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of consultations")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (at, id) = text.split_once('.').ok_or(BadCursor)?;
        let micros = at.parse().map_err(|_| BadCursor)?;
        let at = Timestamp::from_microsecond(micros).map_err(|_| BadCursor)?;
        Ok(Self(Talked { at, id: id.parse().map_err(|_| BadCursor)? }))
    }
}

/// The talks the caller's own staff noted, the latest first. A page shows codes and no note.
///
/// # Errors
/// Forbidden without a member of staff.
pub async fn list(
    context: &Context,
    caller: &Caller,
    staff: Option<&str>,
    asked: &Asked,
) -> Result<String, Problem> {
    let reader = caller.staff_of_header(context, staff).await?;
    let Asked { from, to, before, limit } = asked;
    let days = Window { from: start_of(*from), before: to.tomorrow().map_or(Timestamp::MAX, start_of) };
    let before = before.map(|cursor| cursor.0);
    let mut rows = context.ledger.consultations(caller.scope(), days, before, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let mut items = Vec::with_capacity(rows.len());
    for (row, key) in &rows {
        let mut item = view(row, &opened(context, row, key)?);
        item.as_object_mut().ok_or_else(damaged)?.remove("note");
        items.push(item);
    }
    let last = rows.last().filter(|_| more);
    let next = last.map(|(row, _)| Cursor(Talked { at: row.at, id: row.id }).to_string());
    let subject = format!("consultations:{from}:{to}");
    let audit = caller.audit(context, Some(reader.id), AuditAction::ReadConsultation, subject, ALLOWED);
    audited(context, audit).await?;
    Ok(page(items, next))
}

/// One talk, with its note.
///
/// # Errors
/// Not found for everybody but the agency that noted it; forbidden without a member of staff.
pub async fn read(
    context: &Context,
    caller: &Caller,
    id: ConsultationId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let (row, key) = context.ledger.consultation(caller.scope(), id).await?.ok_or_else(not_found)?;
    let reader = caller.staff_of_header(context, staff).await?;
    let view = view(&row, &opened(context, &row, &key)?);
    let audit = caller.audit(context, Some(reader.id), AuditAction::ReadConsultation, id, ALLOWED);
    audited(context, audit).await?;
    Ok(view.to_string())
}

fn opened(context: &Context, row: &ConsultationRow, key: &DataKeyRow) -> Result<Consultation, Problem> {
    let key = context.vault.unwrap(key.id, key.agency, &key.kek, &key.wrapped)?;
    serde_json::from_slice(&key.open(&slot(row.owner, row.id), &row.body)?).map_err(|_| damaged())
}

fn view(row: &ConsultationRow, talk: &Consultation) -> Value {
    present(json!({
        "id": row.id, "at": jst(row.at), "by": row.staff, "channel": talk.channel, "place": talk.place,
        "needs": talk.needs, "result": talk.result, "minutes": talk.minutes, "note": talk.note,
        "case": row.case_id, "recorded_at": jst(row.created_at),
    }))
}

fn slot(owner: AgencyId, id: ConsultationId) -> Slot<'static> {
    Slot { table: "consultation", owner, object: id.uuid(), part: "body", seq: 1 }
}

/// The answer to a note. It says nothing that could change.
fn noted(row: &ConsultationRow) -> String {
    json!({"id": row.id, "at": jst(row.at), "by": row.staff, "recorded_at": jst(row.created_at)}).to_string()
}

/// The answer to a note again.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: ConsultationId,
) -> Result<String, Problem> {
    let (row, _) = context.ledger.consultation(caller.scope(), id).await?.ok_or_else(damaged)?;
    Ok(noted(&row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_is_one() {
        let id = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e".parse().unwrap();
        let cursor = Cursor(Talked { at: Timestamp::from_microsecond(1_790_000_000_123_457).unwrap(), id });
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in
            ["", "1", "1.x", "x.0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e", "99999999999999999999.x", "1.0.1' OR"]
        {
            assert_eq!(bad.parse::<Cursor>(), Err(BadCursor), "{bad}");
        }
    }
}

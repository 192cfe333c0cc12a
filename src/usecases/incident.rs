//! Incidents, for the people of the sending agency who answer for them: what happened, by when it is to be reported,
//! and the draft of that report.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context, holding,
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    opened::{OpenedLeg, World, damaged, data_key},
    page::{Limit, page},
    read::{Seen, present},
    recall::{Record, record},
};
use crate::{
    domain::{
        agency::Body,
        breach_report::{Known, Reached, ReportItem},
        fault::Text,
        ids::{AgencyId, IncidentId},
        incident::{Clocks, Exposure, IncidentState, RecallReason},
        problem::{Problem, ProblemKind},
        receipt::ReceiptLevel,
        section::Sections,
        staff::StaffRole,
    },
    ledger::{
        Lane, Scope, Step, Write,
        agency::StaffRow,
        audit::AuditAction,
        delivery::DeliveryRow,
        incident::{CloseIncident, IncidentRow},
    },
    vault::seal::Slot,
};

/// How many openings a report lists.
const OPENINGS: i64 = 500;

pub(super) fn slot(agency: AgencyId, id: IncidentId, part: &'static str) -> Slot<'static> {
    Slot { table: "incident", owner: agency, object: id.uuid(), part, seq: 1 }
}

/// What a report is made of, gathered from the ledger as it stands.
pub(super) struct Account {
    reference: String,
    sender: String,
    recipient: String,
    body: Body,
    reason: RecallReason,
    sent_at: Timestamp,
    known_at: Timestamp,
    sections: Sections,
    persons: Vec<String>,
    reached: Vec<Reached>,
    holder: String,
    note: Option<String>,
}

impl Account {
    pub async fn of(
        context: &Context,
        caller: &Caller,
        opened: &OpenedLeg,
        delivery: &DeliveryRow,
        record: &Record,
        known_at: Timestamp,
    ) -> Result<Self, Problem> {
        let world = World::load(context, opened).await?;
        let persons = world.subjects.iter().map(|subject| subject.reference.as_str().to_owned()).collect();
        let holder = match context.ledger.holding_of(opened.leg.id).await? {
            Some(row) => {
                let state = row.state.as_of(row.due_at, context.clock.now());
                format!("宛先機関による写しの扱い：{}", state.label_ja())
            }
            None if record.exposure.is_out() => "宛先機関による写しの扱い：確認を依頼しました。".to_owned(),
            None => "宛先機関は内容を受け取っていません。".to_owned(),
        };
        Ok(Self {
            reference: opened.leg.delivery.reference(),
            body: super::opened::party(&caller.agency).body,
            sender: world.sender.name,
            recipient: world.recipient.name,
            reason: record.reason,
            sent_at: opened.leg.created_at,
            known_at,
            sections: opened.body.sent,
            persons,
            reached: reached(context, opened, delivery).await?,
            holder,
            note: record.note.clone(),
        })
    }

    /// As the draft's rules take it.
    pub fn known(&self) -> Known<'_> {
        Known {
            reference: &self.reference,
            sender: &self.sender,
            recipient: &self.recipient,
            body: self.body,
            reason: self.reason,
            sent_at: self.sent_at,
            known_at: self.known_at,
            sections: self.sections,
            persons: &self.persons,
            reached: &self.reached,
            holder: &self.holder,
            note: self.note.as_deref(),
        }
    }
}

/// Who had the copy: its system, a published document, and each person who opened it. The hub reads the audit of the
/// openings on the sender's behalf, because the sender has to say whom the mistake reached.
async fn reached(
    context: &Context,
    opened: &OpenedLeg,
    delivery: &DeliveryRow,
) -> Result<Vec<Reached>, Problem> {
    let scope = Scope::of(opened.leg.recipient);
    let receipts = context.ledger.receipts(&opened.leg).await?;
    let mut found: Vec<Reached> = receipts
        .iter()
        .filter(|row| row.level == ReceiptLevel::R2)
        .map(|row| Reached { at: row.at, how: Exposure::Taken, staff: None })
        .collect();
    found.extend(delivery.disclosed_at.map(|at| Reached { at, how: Exposure::Published, staff: None }));
    let audits = context.ledger.audit_of(scope, &delivery.id.to_string(), OPENINGS).await?;
    let openings = audits.iter().filter(|row| {
        matches!(row.action, AuditAction::Open | AuditAction::BreakGlass) && row.decision == ALLOWED
    });
    found.extend(openings.map(|row| Reached {
        at: row.at,
        how: Exposure::Opened,
        staff: row.staff.map(|staff| staff.to_string()),
    }));
    found.sort_by_key(|one| one.at);
    Ok(found)
}

/// Both deadlines, as the API writes them.
pub(super) fn clocks_of(clocks: Clocks) -> Value {
    json!([
        {"name": "preliminary_report", "label": "速報", "due": jst(clocks.preliminary)},
        {"name": "full_report", "label": "確報", "due": jst(clocks.full)},
    ])
}

/// Only those who answer for personal data see incidents; what they are about is told to nobody else.
async fn officer(context: &Context, caller: &Caller, staff: Option<&str>) -> Result<StaffRow, Problem> {
    let row = caller.staff_of_header(context, staff).await?;
    may_see(&row).map(|()| row)
}

fn may_see(row: &StaffRow) -> Result<(), Problem> {
    if matches!(row.role, StaffRole::Supervisor | StaffRole::PrivacyOfficer) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "事案は、管理職と個人情報保護担当だけが見られます。",
            "Incidents are for supervisors and privacy officers alone.",
        ))
        .mend(Text::new(
            "管理職か個人情報保護担当に依頼してください。",
            "Ask a supervisor or the privacy officer of your agency.",
        )))
}

/// The caller's incidents in one state, newest first: ids, states and clocks.
///
/// # Errors
/// Forbidden for anybody but a supervisor or a privacy officer.
pub async fn incidents(
    context: &Context,
    caller: &Caller,
    staff: Option<&str>,
    state: IncidentState,
    before: Option<IncidentId>,
    limit: Limit,
) -> Result<String, Problem> {
    officer(context, caller, staff).await?;
    let mut rows = context.ledger.incidents(caller.scope(), state, before, limit.rows()).await?;
    let (more, now) = (limit.cut(&mut rows), context.clock.now());
    let items = rows.iter().map(|row| summary(row, now)).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

fn summary(row: &IncidentRow, now: Timestamp) -> Value {
    let clock = |name: &str, label: &str, due: Option<Timestamp>| {
        let overdue = |due| due <= now && row.state == IncidentState::Open;
        due.map(|due| json!({"name": name, "label": label, "due": jst(due), "overdue": overdue(due)}))
    };
    let clocks = [
        clock("preliminary_report", "速報", row.preliminary_due),
        clock("full_report", "確報", row.full_due),
    ];
    json!({
        "id": row.id, "version": row.version, "state": row.state, "leg": row.leg, "known_at": jst(row.known_at),
        "clocks": clocks.into_iter().flatten().collect::<Vec<_>>(), "changed_at": jst(row.changed_at),
    })
}

/// One incident, whole.
///
/// # Errors
/// Forbidden for anybody but a supervisor or a privacy officer; not found for every other agency.
pub async fn incident(
    context: &Context,
    caller: &Caller,
    id: IncidentId,
    staff: Option<&str>,
) -> Result<Seen, Problem> {
    let (row, opened, record, account) = load(context, caller, id, staff).await?;
    let mut view = summary(&row, context.clock.now());
    view["reason"] = json!(record.reason);
    view["exposure"] = json!(record.exposure);
    view["never_opened"] = json!(record.exposure.never_opened());
    view["recalled_by"] = json!(record.recalled_by);
    view["note"] = json!(record.note);
    view["sections"] = json!(account.sections);
    view["persons"] = json!(account.persons);
    view["report_need"] = json!(account.known().need());
    let part = |(item, lines): (ReportItem, Vec<String>)| json!({"item": item, "label": item.label_ja(), "lines": lines});
    view["report"] = account.known().draft().into_iter().map(part).collect();
    if let Some(holding) = context.ledger.holding_of(row.leg).await? {
        view["disposal"] = holding::seen(context, &opened, &holding).await?;
    }
    if let (Some(sealed), Some(by)) = (&row.closing, row.closed_by) {
        let key = data_key(context, row.data_key, row.agency).await?;
        let plain = key.open(&slot(row.agency, row.id, "closing"), sealed)?;
        let note = String::from_utf8(plain).map_err(|_| damaged())?;
        view["closed"] = json!({"by": by, "at": jst(row.changed_at), "note": note});
    }
    Ok(Seen { version: row.version, text: present(view).to_string() })
}

/// The draft of the report to the authority, as a text to print and to complete.
///
/// # Errors
/// As [`incident`].
pub async fn report(
    context: &Context,
    caller: &Caller,
    id: IncidentId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let (.., account) = load(context, caller, id, staff).await?;
    Ok(account.known().text())
}

/// Reads an incident. That it was looked at is written down before anything leaves.
async fn load(
    context: &Context,
    caller: &Caller,
    id: IncidentId,
    staff: Option<&str>,
) -> Result<(IncidentRow, OpenedLeg, Record, Account), Problem> {
    let reader = officer(context, caller, staff).await?;
    let row = context.ledger.incident(caller.scope(), id).await?.ok_or_else(not_found)?;
    let record = record(context, &row).await?;
    let opened = OpenedLeg::load(context, caller.scope(), row.leg).await?.ok_or_else(damaged)?;
    let delivery = context.ledger.delivery_of(&opened.leg).await?.ok_or_else(damaged)?;
    let account = Account::of(context, caller, &opened, &delivery, &record, row.known_at).await?;
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.rows.audits.push(caller.audit(context, Some(reader.id), AuditAction::Read, id, ALLOWED));
    context.ledger.write(write).await?;
    Ok((row, opened, record, account))
}

/// Closes an incident: what was reported, to whom, and what was changed, in the words of who answers for it.
///
/// # Errors
/// Not found for every other agency; forbidden for other roles; stale; an incident that is not open.
pub async fn close(
    context: &Context,
    caller: &Caller,
    id: IncidentId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = context.ledger.incident(caller.scope(), id).await?.ok_or_else(not_found)?;
        let staff = caller.staff(context, &command.document["by"], "/by").await?;
        may_see(&staff)?;
        if row.version != version {
            return Err(Problem::new(ProblemKind::VersionStale));
        }
        if row.state != IncidentState::Open {
            return Err(Problem::illegal_transition(row.state.code(), Vec::new()));
        }
        let key = data_key(context, row.data_key, row.agency).await?;
        let note = command.document["note"].as_str().unwrap_or_default();
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        write.steps.push(Step::CloseIncident(CloseIncident {
            id,
            from_version: version,
            closing: key.seal(&slot(row.agency, id, "closing"), note.as_bytes())?,
            closed_by: staff.id,
            at: context.clock.now(),
        }));
        write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Act, id, ALLOWED));
        let pointer = Pointer::Incident { id, version: version + 1 };
        Ok(Prepared { write, pointer, text: closed(id, version + 1) })
    })
    .await
}

/// The answer to a closing; it says nothing that could change.
pub(super) fn closed(id: IncidentId, version: i64) -> String {
    json!({"id": id, "version": version, "state": IncidentState::Closed}).to_string()
}

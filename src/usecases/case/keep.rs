//! Opens a case, moves it on version by version, and adds what happened.
//!
//! Each step is one version, sealed whole and guarded by the version that was read. An entry is only added: what was
//! wrong in it is corrected by a later one, and both stay.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    super::{
        ALLOWED, Answer, Caller, Command, Context,
        consent::field_problem,
        idempotency::{Pointer, Prepared, once},
        not_found,
        opened::damaged,
    },
    Kept, entry_answer, entry_slot, part_slot, step_answer,
};
use crate::{
    domain::{
        case::{Care, CaseRecord, Entry, Household, NotNow, Plan},
        consent::day_in_japan,
        fault::{Fault, Text},
        ids::{CaseEntryId, CaseId, ConsultationId, StaffId},
        problem::{Problem, ProblemKind},
    },
    ledger::{
        Step, Write,
        audit::AuditAction,
        case::{CaseEntryRow, CasePlanRow, CaseRow, CaseVersionRow, MoveCase},
        content::DataKeyRow,
    },
    usecases::schema::pointer,
};

/// What is asked of a case that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Household,
    Plan,
    Close,
    Reopen,
}

/// Opens a case.
///
/// # Errors
/// Faults of the household; staff who are not the caller's own; an id under which the caller has a case already.
pub async fn open(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        prepare_new(context, caller, &command.document, None, Write::default()).await
    })
    .await
}

/// A new case, put into a write that may hold more: a case that comes of a talk marks the talk.
pub(in crate::usecases) async fn prepare_new(
    context: &Context,
    caller: &Caller,
    document: &Value,
    from: Option<ConsultationId>,
    mut write: Write,
) -> Result<Prepared, Problem> {
    let now = context.clock.now();
    let id = match document["id"].as_str() {
        Some(text) => text.parse()?,
        None => context.clock.new_id(),
    };
    let household = household(document, now)?;
    let by = caller.staff(context, &document["by"], "/by").await?.id;
    let care = care(context, caller, document, by).await?;
    if context.ledger.case(caller.scope(), id).await?.is_some() {
        return Err(there_already());
    }
    let key = context.vault.new_data_key(context.clock.new_id())?;
    let wrapped = context.vault.wrap(&key, caller.id(), now)?;
    let record = CaseRecord::open(household, care, from, (by, now));
    let row = CaseRow {
        owner: caller.id(),
        id,
        version: 1,
        state: record.standing.state(),
        responsible: care.responsible,
        deputy: care.deputy,
        data_key: key.id(),
        opened_at: now,
        changed_at: now,
    };
    write.rows.data_keys.push(DataKeyRow {
        id: key.id(),
        agency: caller.id(),
        kek: wrapped.kek_id,
        wrapped: wrapped.bytes,
    });
    write.rows.cases.push(row.clone());
    finish(context, caller, &Kept { row, key }, 1, &record, write)
}

/// Moves a case of the caller's own on, if it has the version that was read.
///
/// # Errors
/// Not found; stale; a step its state does not allow; faults of what is written down.
pub async fn step(
    context: &Context,
    caller: &Caller,
    id: CaseId,
    from: i64,
    change: Change,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let document = &command.document;
        let kept = Kept::find(context, caller.scope(), id).await?.ok_or_else(not_found)?;
        let by = caller.staff(context, &document["by"], "/by").await?.id;
        if kept.row.version != from {
            return Err(Problem::new(ProblemKind::VersionStale));
        }
        let before = kept.record(context, from).await?;
        let record = make(context, caller, &before, change, document, by).await?;
        let mut write = Write { shard: shard_of(id), ..Write::default() };
        if change == Change::Plan {
            write.rows.case_plans.push(plan_row(&kept, &record, document)?);
        }
        write.steps.push(Step::MoveCase(MoveCase {
            owner: kept.row.owner,
            id,
            from_version: from,
            state: record.standing.state(),
            responsible: record.care.responsible,
            deputy: record.care.deputy,
            at: record.at,
        }));
        finish(context, caller, &kept, from + 1, &record, write)
    })
    .await
}

async fn make(
    context: &Context,
    caller: &Caller,
    before: &CaseRecord,
    change: Change,
    document: &Value,
    by: StaffId,
) -> Result<CaseRecord, Problem> {
    let now = context.clock.now();
    let text = |name: &str| document[name].as_str().map(str::to_owned);
    let made = match change {
        Change::Household => {
            let care = care(context, caller, document, by).await?;
            before.change(household(document, now)?, care, (by, now))
        }
        Change::Plan => before.planned((by, now)),
        Change::Close => {
            let outcome = text("outcome").unwrap_or_default().parse()?;
            before.close(outcome, text("note"), (by, now))
        }
        Change::Reopen => before.reopen(text("reason").unwrap_or_default(), (by, now)),
    };
    made.map_err(|NotNow { state, allowed }| Problem::illegal_transition(state.code(), allowed.to_vec()))
}

/// What changes a case is written in order by one committer.
fn shard_of(id: CaseId) -> u64 {
    id.uuid().as_u64_pair().1
}

fn plan_row(kept: &Kept, record: &CaseRecord, document: &Value) -> Result<CasePlanRow, Problem> {
    let plan: Plan = serde_json::from_value(document.clone()).map_err(|_| damaged())?;
    let slot = part_slot(&kept.row, "case_plan", record.plan);
    Ok(CasePlanRow {
        owner: kept.row.owner,
        case_id: kept.row.id,
        number: record.plan,
        staff: record.by,
        body: kept.key.seal(&slot, &bytes(&plan)?)?,
        at: record.at,
    })
}

/// Puts a version into a write.
fn finish(
    context: &Context,
    caller: &Caller,
    kept: &Kept,
    version: i64,
    record: &CaseRecord,
    mut write: Write,
) -> Result<Prepared, Problem> {
    let Kept { row, key } = kept;
    write.rows.case_versions.push(CaseVersionRow {
        owner: row.owner,
        case_id: row.id,
        version,
        body: key.seal(&part_slot(row, "case_version", version), &bytes(record)?)?,
        at: record.at,
    });
    write.rows.audits.push(caller.audit(context, Some(record.by), AuditAction::Case, row.id, ALLOWED));
    let text = step_answer(row.id, version, record).to_string();
    Ok(Prepared { pointer: Pointer::Case { id: row.id, version }, text, write })
}

/// Adds what happened, or a correction of what was written down before. A closed case takes entries too: somebody may
/// call after the end, and a mistake is found when it is found.
///
/// # Errors
/// Not found; an entry to correct that is none of this case; a time that has not come.
pub async fn add_entry(
    context: &Context,
    caller: &Caller,
    case: CaseId,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let (document, now) = (&command.document, context.clock.now());
        let kept = Kept::find(context, caller.scope(), case).await?.ok_or_else(not_found)?;
        let staff = caller.staff(context, &document["by"], "/by").await?.id;
        let entry: Entry = serde_json::from_value(document.clone()).map_err(|_| damaged())?;
        has_happened(entry.at, now)?;
        let row = CaseEntryRow {
            id: context.clock.new_id(),
            owner: kept.row.owner,
            case_id: case,
            staff,
            corrects: corrected(context, caller, case, document).await?,
            body: Vec::new(),
            at: now,
        };
        let body = kept.key.seal(&entry_slot(row.owner, row.id), &bytes(&entry)?)?;
        let row = CaseEntryRow { body, ..row };
        let (pointer, text) = (Pointer::CaseEntry(row.id), entry_answer(&row));
        let mut write = Write::default();
        write.rows.audits.push(caller.audit(context, Some(staff), AuditAction::Case, case, ALLOWED));
        write.rows.case_entries.push(row);
        Ok(Prepared { write, pointer, text })
    })
    .await
}

/// The entry of the same case that is corrected.
async fn corrected(
    context: &Context,
    caller: &Caller,
    case: CaseId,
    document: &Value,
) -> Result<Option<CaseEntryId>, Problem> {
    let Some(text) = document["corrects"].as_str() else { return Ok(None) };
    let found = context.ledger.case_entry(caller.scope(), text.parse()?).await?;
    match found.filter(|row| row.case_id == case) {
        Some(row) => Ok(Some(row.id)),
        None => Err(fault(
            "/corrects",
            "entry_unknown",
            Text::new("このケースの経過記録のIDを書いてください。", "Name an entry of this case."),
        )),
    }
}

/// What is written down as having happened has happened.
pub(in crate::usecases) fn has_happened(at: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if at <= now {
        return Ok(());
    }
    Err(fault("/at", "not_yet", Text::new("まだ来ていない日時です。", "This time has not come yet.")))
}

fn household(document: &Value, now: Timestamp) -> Result<Household, Problem> {
    Household::parse(document, day_in_japan(now)).map_err(field_problem)
}

/// Who looks after the case: the person responsible, by default whoever writes, and somebody else as the deputy.
async fn care(context: &Context, caller: &Caller, document: &Value, by: StaffId) -> Result<Care, Problem> {
    let named = async |member: &str, at: &str| match &document[member] {
        Value::Null => Ok::<_, Problem>(None),
        named => Ok(Some(caller.staff(context, named, at).await?.id)),
    };
    let responsible = named("responsible", "/responsible").await?.unwrap_or(by);
    let deputy = named("deputy", "/deputy").await?;
    if deputy == Some(responsible) {
        let text = Text::new(
            "副担当には、担当とは別の職員を書いてください。",
            "The deputy is somebody else than the person responsible.",
        );
        return Err(fault("/deputy", "deputy", text));
    }
    Ok(Care { responsible, deputy })
}

fn bytes(part: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(part).map_err(|_| damaged())
}

fn there_already() -> Problem {
    let message = Text::new("このIDのケースは、すでにあります。", "There is a case of this id already.");
    Problem::new(ProblemKind::AlreadyThere).faults([Fault {
        pointer: pointer("/id"),
        code: "case_there",
        message,
    }])
}

fn fault(at: &str, code: &'static str, message: Text) -> Problem {
    Problem::schema_violation(vec![Fault { pointer: pointer(at), code, message }])
}

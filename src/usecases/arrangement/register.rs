//! A council's register (進行管理台帳): which cases the council deals with (支援対象児童等, 児童福祉法 第25条の2第2項).
//!
//! That a case stands here says that its child is protected. The ledger holds it sealed, each entry under a key of its
//! own that its keeper alone can have opened; a decision about one case finds that case's entries by a keyed MAC.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::{
        opened::data_key,
        page::{Limit, page},
    },
    ALLOWED, Answer, ArrangementRow, Caller, Command, Context,
    change::Change,
    damaged, field_problem, kept, not_found, once, standing,
};
use crate::{
    domain::{
        arrangement::{ArrangementKind, ArrangementStep, Period, RegisteredCase, last_day},
        chain::Hash,
        consent::day_in_japan,
        fault::{Fault, Text},
        ids::{AgencyId, ArrangementId, CaseId, EntryId},
        problem::{Problem, ProblemKind},
    },
    ledger::{Lane, Rows, Write, arrangement::ArrangementCaseRow, audit::AuditAction, content::DataKeyRow},
    usecases::schema::pointer,
    vault::{
        MacPurpose,
        seal::{DataKey, Slot},
    },
};

/// How many rows an entry has at most: it begins, and it ends once.
const ROWS_OF_ENTRY: i64 = 2;

/// What an entry says, sealed. The newest row of an entry says all of it.
#[derive(Serialize, Deserialize)]
struct Entry {
    case: CaseId,
    /// Who registered it: the keeper, or the member that owns the case.
    agency: AgencyId,
    first_day: Date,
    last_day: Option<Date>,
}

impl Entry {
    fn period(&self) -> Period {
        Period { first_day: self.first_day, last_day: self.last_day }
    }

    /// The row that says this as of a version.
    fn row(
        &self,
        context: &Context,
        of: &ArrangementRow,
        entry: EntryId,
        version: i64,
        key: &DataKey,
    ) -> Result<ArrangementCaseRow, Problem> {
        let plain = serde_json::to_vec(self).map_err(|_| damaged())?;
        Ok(ArrangementCaseRow {
            arrangement: of.id,
            entry,
            version,
            case_mac: case_mac(context, of.id, self.case),
            data_key: key.id(),
            body: key.seal(&slot(of.keeper, entry, version), &plain)?,
        })
    }
}

/// Registers a case: the keeper any, a member its own.
///
/// # Errors
/// Not found; not a member today; stale; not a council; a case that is on the register on one of these days.
pub async fn register(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = context.ledger.arrangement(caller.scope(), id).await?.ok_or_else(not_found)?;
        takes_part(context, caller, &row).await?;
        let change = Change::begin(context, caller, row, version, command).await?;
        change.row_still_holds()?;
        has_register(change.row.kind)?;
        let registered = RegisteredCase::parse(&command.document).map_err(field_problem)?;
        let others = entries_of(context, &change.row, registered.case).await?;
        if others.iter().any(|other| other.period.overlaps(&registered.period)) {
            return Err(registered_already());
        }
        let key = context.vault.new_data_key(context.clock.new_id())?;
        let wrapped = context.vault.wrap(&key, change.row.keeper, context.clock.now())?;
        let entry_id: EntryId = context.clock.new_id();
        let entry = Entry {
            case: registered.case,
            agency: caller.id(),
            first_day: registered.period.first_day,
            last_day: registered.period.last_day,
        };
        let rows = Rows {
            arrangement_cases: vec![entry.row(context, &change.row, entry_id, version + 1, &key)?],
            data_keys: vec![DataKeyRow {
                id: key.id(),
                agency: change.row.keeper,
                kek: wrapped.kek_id,
                wrapped: wrapped.bytes,
            }],
            ..Rows::default()
        };
        Ok(change.make(ArrangementStep::RegisterCase, Some(entry_id.to_string()), rows))
    })
    .await
}

/// Ends an entry with a last day: the keeper any, a member what it registered itself.
///
/// # Errors
/// Not found, also where the entry is another member's; stale; an entry that was ended; a day before its first,
/// or not before the last day it has.
pub async fn end(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    entry_id: EntryId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = context.ledger.arrangement(caller.scope(), id).await?.ok_or_else(not_found)?;
        let said = context.ledger.arrangement_entry(&row, entry_id).await?;
        let newest = said.last().ok_or_else(not_found)?;
        let key = data_key(context, newest.data_key, row.keeper).await?;
        let entry = opened(&key, &row, newest)?;
        if ![row.keeper, entry.agency].contains(&caller.id()) {
            return Err(not_found());
        }
        let change = Change::begin(context, caller, row, version, command).await?;
        if said.len() as i64 >= ROWS_OF_ENTRY {
            return Err(Problem::illegal_transition("ended", Vec::new()));
        }
        let last = last_day(&command.document).map_err(field_problem)?;
        let period = entry.period().ended(last).map_err(|fault| field_problem(vec![fault]))?;
        let ended = Entry { last_day: period.last_day, ..entry };
        let rows = Rows {
            arrangement_cases: vec![ended.row(context, &change.row, entry_id, version + 1, &key)?],
            ..Rows::default()
        };
        Ok(change.make(ArrangementStep::EndCase, Some(entry_id.to_string()), rows))
    })
    .await
}

/// The register, for its keeper, in the name of a member of its staff. That it was read is noted first.
///
/// # Errors
/// Not found; not the keeper; staff who are not the caller's own.
pub async fn read(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    staff: Option<&str>,
    after: Option<EntryId>,
    limit: Limit,
) -> Result<String, Problem> {
    let row = kept(context, caller, id).await?;
    let reader = caller.staff_of_header(context, staff).await?;
    // So many rows hold whole the entries that are shown and the one that tells of a next page.
    let rows = context.ledger.arrangement_entries(&row, after, limit.rows() * ROWS_OF_ENTRY).await?;
    let mut newest: BTreeMap<EntryId, ArrangementCaseRow> = BTreeMap::new();
    for said in rows {
        newest.insert(said.entry, said);
    }
    let mut entries: Vec<ArrangementCaseRow> = newest.into_values().collect();
    let more = limit.cut(&mut entries);
    let mut items = Vec::with_capacity(entries.len());
    for said in &entries {
        let key = data_key(context, said.data_key, row.keeper).await?;
        items.push(view(said.entry, &opened(&key, &row, said)?));
    }
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    write.rows.audits.push(caller.audit(context, Some(reader.id), AuditAction::Read, id, ALLOWED));
    context.ledger.write(write).await?;
    Ok(page(items, entries.last().filter(|_| more).map(|said| said.entry.to_string())))
}

/// What the register says about one case: what a decision needs, and nothing of any other case.
pub(super) async fn entries_of(
    context: &Context,
    of: &ArrangementRow,
    case: CaseId,
) -> Result<Vec<RegisteredCase>, Problem> {
    if of.kind != ArrangementKind::Council {
        return Ok(Vec::new());
    }
    let rows = context.ledger.arrangement_entries_of(&case_mac(context, of.id, case)).await?;
    let newest: BTreeMap<EntryId, ArrangementCaseRow> =
        rows.into_iter().map(|said| (said.entry, said)).collect();
    let mut cases = Vec::with_capacity(newest.len());
    for said in newest.into_values() {
        let key = data_key(context, said.data_key, of.keeper).await?;
        let entry = opened(&key, of, &said)?;
        cases.push(RegisteredCase { case: entry.case, period: entry.period() });
    }
    Ok(cases)
}

/// Whether the caller may register: the keeper always, others while they are members.
async fn takes_part(context: &Context, caller: &Caller, row: &ArrangementRow) -> Result<(), Problem> {
    if row.keeper == caller.id() {
        return Ok(());
    }
    let today = day_in_japan(context.clock.now());
    let rows = context.ledger.arrangement_members_among(row, &[caller.id()]).await?;
    if standing(&rows).iter().any(|member| member.period.contains(today)) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "自機関は、今日の時点でこの協議会の構成員ではありません。",
            "Your agency is not a member of this council today.",
        ))
        .mend(Text::new(
            "調整機関に構成員であることを確認してください。",
            "Check the membership with the coordinating body.",
        )))
}

fn has_register(kind: ArrangementKind) -> Result<(), Problem> {
    if kind == ArrangementKind::Council {
        return Ok(());
    }
    Err(Problem::schema_violation(vec![Fault {
        pointer: pointer("/case"),
        code: "no_register",
        message: Text::new(
            "ケースを登録できるのは、要保護児童対策地域協議会だけです。",
            "Only a protection council has a register of cases.",
        ),
    }]))
}

fn registered_already() -> Problem {
    Problem::new(ProblemKind::AlreadyThere)
        .detail(Text::new(
            "このケースは、その期間のうちにすでに登録されています。",
            "This case is already on the register on some of these days.",
        ))
        .mend(Text::new(
            "登録済みの期間を確かめ、重ならない期間にしてください。",
            "Look at the entry there is, and give days that do not overlap it.",
        ))
}

fn view(id: EntryId, entry: &Entry) -> Value {
    let mut view = json!({
        "entry": id, "case": entry.case, "agency": entry.agency, "first_day": entry.first_day,
    });
    if let Some(last) = entry.last_day {
        view["last_day"] = json!(last);
    }
    view
}

fn opened(key: &DataKey, of: &ArrangementRow, said: &ArrangementCaseRow) -> Result<Entry, Problem> {
    let plain = key.open(&slot(of.keeper, said.entry, said.version), &said.body)?;
    serde_json::from_slice(&plain).map_err(|_| damaged())
}

fn slot(keeper: AgencyId, entry: EntryId, version: i64) -> Slot<'static> {
    let seq = version.unsigned_abs();
    Slot { table: "arrangement_case", owner: keeper, object: entry.uuid(), part: "body", seq }
}

fn case_mac(context: &Context, arrangement: ArrangementId, case: CaseId) -> Hash {
    let both = [*arrangement.uuid().as_bytes(), *case.uuid().as_bytes()].concat();
    context.vault.mac(MacPurpose::RegisteredCase, &both)
}

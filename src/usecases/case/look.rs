//! What the staff of an agency may look at in its cases. Whoever sees what a case holds is named and on record first;
//! the list of cases shows ids, states and times alone.

use serde_json::{Value, json};

use super::{
    super::{
        ALLOWED, Caller, Context, audited, jst, not_found,
        page::{Limit, page, page_of},
        protection::{mac, protection_summary},
        read::{Seen, consent_summary, leg_summary, present},
        told,
    },
    Kept, Opened, step_answer,
};
use crate::{
    domain::{
        case::{CaseRecord, CaseState, Entry, Plan, Standing},
        ids::{CaseEntryId, CaseId, StaffId},
        problem::Problem,
        protection::record::Place,
    },
    ledger::{
        audit::AuditAction,
        board::{MOST, Rung},
        case::{CasePlanRow, CaseRow, FoundEntry},
        consent::ConsentRow,
        leg::LegRow,
    },
};

/// How many legs and how many consents a case is shown with: more than a household has.
const MOST_SHOWN: i64 = 200;

/// A case of the caller's own, as it stands: its household, plan, latest entries, legs, consents and protection. Or,
/// asked for an earlier version, what that version said of the household and the plan.
///
/// # Errors
/// Not found for everybody else, and for a version that was never made; forbidden without a member of staff.
pub async fn read(
    context: &Context,
    caller: &Caller,
    id: CaseId,
    staff: Option<&str>,
    version: Option<i64>,
) -> Result<Seen, Problem> {
    let (kept, reader) = looked_at(context, caller, id, staff).await?;
    let newest = kept.row.version;
    let version = version.unwrap_or(newest);
    if !(1..=newest).contains(&version) {
        return Err(not_found());
    }
    let record = kept.record(context, version).await?;
    let mut view = case_view(context, &kept, version, &record).await?;
    if version == newest {
        add_thread(context, caller, &kept, reader, &mut view).await?;
    }
    noted(context, caller, &kept, reader).await?;
    Ok(Seen { version, text: view.to_string() })
}

/// The entries of a case, the latest recorded first.
///
/// # Errors
/// As [`read`].
pub async fn entries(
    context: &Context,
    caller: &Caller,
    id: CaseId,
    staff: Option<&str>,
    before: Option<CaseEntryId>,
    limit: Limit,
) -> Result<String, Problem> {
    let (kept, reader) = looked_at(context, caller, id, staff).await?;
    let page = entry_page(context, &kept, before, limit).await?;
    noted(context, caller, &kept, reader).await?;
    Ok(page.to_string())
}

/// The support plans of a case, the newest first. Each is as it was made.
///
/// # Errors
/// As [`read`].
pub async fn plans(
    context: &Context,
    caller: &Caller,
    id: CaseId,
    staff: Option<&str>,
    before: Option<i64>,
    limit: Limit,
) -> Result<String, Problem> {
    let (kept, reader) = looked_at(context, caller, id, staff).await?;
    let mut plans = kept.plans(context, before.unwrap_or(i64::MAX), limit.rows()).await?;
    let more = limit.cut(&mut plans);
    let next = plans.last().filter(|_| more).map(|plan| plan.row.number.to_string());
    let items = plans.iter().map(plan_view).collect::<Result<_, _>>()?;
    noted(context, caller, &kept, reader).await?;
    Ok(page(items, next))
}

/// The caller's cases in one state, newest first; of one member of staff, as the person responsible or as the deputy.
pub async fn list(
    context: &Context,
    caller: &Caller,
    state: CaseState,
    staff: Option<StaffId>,
    before: Option<CaseId>,
    limit: Limit,
) -> Result<String, Problem> {
    let (ledger, scope) = (&context.ledger, caller.scope());
    let mut rows = match staff {
        Some(staff) => ledger.cases_of(scope, state, staff, before, limit.rows()).await?,
        None => ledger.cases(scope, state, before, limit.rows()).await?,
    };
    let more = limit.cut(&mut rows);
    let items = rows.iter().map(summary).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

fn summary(row: &CaseRow) -> Value {
    present(json!({
        "id": row.id, "version": row.version, "state": row.state, "responsible": row.responsible,
        "deputy": row.deputy, "opened_at": jst(row.opened_at), "changed_at": jst(row.changed_at),
    }))
}

async fn looked_at(
    context: &Context,
    caller: &Caller,
    id: CaseId,
    staff: Option<&str>,
) -> Result<(Kept, StaffId), Problem> {
    let kept = Kept::find(context, caller.scope(), id).await?.ok_or_else(not_found)?;
    let reader = caller.staff_of_header(context, staff).await?;
    Ok((kept, reader.id))
}

async fn noted(context: &Context, caller: &Caller, kept: &Kept, reader: StaffId) -> Result<(), Problem> {
    let audit = caller.audit(context, Some(reader), AuditAction::ReadCase, kept.row.id, ALLOWED);
    audited(context, audit).await
}

/// One version of a case: the household, who looks after it, where it stands, and the plan then in force.
async fn case_view(
    context: &Context,
    kept: &Kept,
    version: i64,
    record: &CaseRecord,
) -> Result<Value, Problem> {
    let mut view = step_answer(kept.row.id, version, record);
    view["opened_at"] = json!(jst(kept.row.opened_at));
    view["class"] = json!(record.household.class);
    view["members"] = json!(record.household.members);
    view["relations"] = json!(record.household.relations);
    match &record.standing {
        Standing::Open => {}
        Standing::Reopened { reason } => view["reopened_because"] = json!(reason),
        Standing::Closed { note, .. } => view["note"] = json!(note),
    }
    let plan = kept.plans(context, record.plan + 1, 1).await?;
    view["plan"] = plan.first().map(plan_view).transpose()?.unwrap_or_default();
    Ok(present(view))
}

/// What hangs on a case now, as far as this reader may see it.
async fn add_thread(
    context: &Context,
    caller: &Caller,
    kept: &Kept,
    reader: StaffId,
    view: &mut Value,
) -> Result<(), Problem> {
    let now = context.clock.now();
    let mut legs = Vec::new();
    for leg in context.ledger.case_legs(&kept.row, reader, MOST_SHOWN).await? {
        legs.push(told::told(context, caller, leg).await?);
    }
    let mut items = Vec::with_capacity(legs.len());
    for some in legs.chunks(MOST) {
        let rungs = context.ledger.rungs(some).await?;
        items.extend(some.iter().map(|leg| {
            let shown = |rung: &&Rung| rung.leg == leg.id && told::shows_on_list(caller, leg, rung.level);
            let ladder = rungs.iter().filter(shown);
            let mut item = leg_summary(leg, now);
            item["referral"] = json!(leg.referral);
            item["ladder"] = ladder.map(|rung| json!({"level": rung.level, "at": jst(rung.at)})).collect();
            item
        }));
    }
    view["legs"] = Value::Array(items);
    let consents = consents(context, caller, kept, &legs).await?;
    view["consents"] = consents.iter().map(consent_summary).collect();
    let place = mac(context, kept.row.owner, Place::Case(kept.row.id));
    let protections = context.ledger.protections_at(&place, &place).await?;
    view["protections"] = protections.iter().map(|found| protection_summary(&found.row)).collect();
    view["entries"] = entry_page(context, kept, None, Limit::default()).await?;
    Ok(())
}

/// The consents that name the case, and those its legs rest on.
async fn consents(
    context: &Context,
    caller: &Caller,
    kept: &Kept,
    legs: &[LegRow],
) -> Result<Vec<ConsentRow>, Problem> {
    let mut found = context.ledger.case_consents(&kept.row, MOST_SHOWN).await?;
    let mut others: Vec<_> = legs.iter().filter_map(|leg| leg.consent).collect();
    others.sort_unstable();
    others.dedup();
    for id in others {
        if !found.iter().any(|row| row.id == id) {
            found.extend(context.ledger.consent(caller.scope(), id).await?);
        }
    }
    found.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
    Ok(found)
}

async fn entry_page(
    context: &Context,
    kept: &Kept,
    before: Option<CaseEntryId>,
    limit: Limit,
) -> Result<Value, Problem> {
    let (found, more) = kept.entries(context, before, limit).await?;
    let next = found.last().filter(|_| more).map(|one| one.row.row.id.to_string());
    Ok(Value::Object(page_of(found.iter().map(entry_view).collect(), next)))
}

fn entry_view(Opened { row: FoundEntry { row, corrected_by }, said }: &Opened<FoundEntry, Entry>) -> Value {
    present(json!({
        "id": row.id, "at": jst(said.at), "channel": said.channel, "with": said.with, "text": said.text,
        "by": row.staff, "recorded_at": jst(row.at), "corrects": row.corrects, "corrected_by": corrected_by,
    }))
}

fn plan_view(Opened { row, said }: &Opened<CasePlanRow, Plan>) -> Result<Value, Problem> {
    let mut view = serde_json::to_value(said).map_err(|_| super::damaged())?;
    view["number"] = json!(row.number);
    view["by"] = json!(row.staff);
    view["at"] = json!(jst(row.at));
    Ok(view)
}

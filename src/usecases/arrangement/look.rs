//! What the parties to an arrangement may look at: its days and its members; the keeper also at its history.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    super::{
        jst,
        page::{Limit, page},
        read::Seen,
    },
    ArrangementEventRow, ArrangementRow, Caller, Context, MOST_MEMBER_ROWS, about, damaged, not_found,
    standing,
};
use crate::domain::{arrangement::Member, consent::day_in_japan, ids::ArrangementId, problem::Problem};

/// How many of its latest steps a keeper is shown.
const STEPS: i64 = 200;
/// Ends may come after the last addition, and are never refused.
const MEMBER_ROWS: i64 = 4 * MOST_MEMBER_ROWS;

/// An arrangement, for its keeper and its members: as it stands, or as an earlier version said, which is what a
/// receipt cites.
///
/// # Errors
/// Not found for everybody else, and for a version that was never made.
pub async fn one(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    version: Option<i64>,
) -> Result<Seen, Problem> {
    let newest = context.ledger.arrangement(caller.scope(), id).await?.ok_or_else(not_found)?;
    let version = version.unwrap_or(newest.version);
    if !(1..=newest.version).contains(&version) {
        return Err(not_found());
    }
    let row = ArrangementRow { version, ..newest };
    let steps = context.ledger.arrangement_events(&row, STEPS).await?;
    let last_day = steps.first().ok_or_else(damaged)?.last_day;
    let mut rows = context.ledger.arrangement_members(&row, MEMBER_ROWS).await?;
    rows.retain(|said| said.version <= version);
    let (members, mine) = (standing(&rows), caller.id() == row.keeper);
    let today = day_in_japan(context.clock.now());
    // Who was a member once still sees its own days, and not who came after it.
    let takes_part = mine || members.iter().any(|m| m.agency == caller.id() && !m.period.is_over(today));
    let shown = members.iter().filter(|m| takes_part || m.agency == caller.id());
    let mut view = summary(&ArrangementRow { last_day, ..row });
    view["members"] = shown.map(member).collect();
    if mine {
        view["steps"] = steps.iter().map(step).collect();
    }
    Ok(Seen { version, text: view.to_string() })
}

/// The arrangements the caller keeps or is, was or will be a member of, newest first.
pub async fn list(
    context: &Context,
    caller: &Caller,
    before: Option<ArrangementId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.arrangements(caller.scope(), before, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let items = rows.iter().map(summary).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

fn summary(row: &ArrangementRow) -> Value {
    let mut view = json!({
        "id": row.id, "version": row.version, "kind": row.kind, "title": row.title, "keeper": row.keeper,
        "sections": row.sections, "first_day": row.first_day, "created_at": jst(row.created_at),
    });
    if !row.purpose.is_empty() {
        view["purpose"] = json!(row.purpose);
    }
    if let Some(notice) = &row.notice_version {
        view["notice_version"] = json!(notice);
    }
    until(&mut view, row.last_day);
    view
}

fn member(member: &Member) -> Value {
    let mut view = json!({ "agency": member.agency, "first_day": member.period.first_day });
    until(&mut view, member.period.last_day);
    view
}

fn step(event: &ArrangementEventRow) -> Value {
    let mut view = json!({
        "version": event.version, "step": event.step, "by": event.staff, "at": jst(event.at),
    });
    if let (Some(name), Some(id)) = (about(event.step), &event.about) {
        view[name] = json!(id);
    }
    view
}

fn until(view: &mut Value, last_day: Option<Date>) {
    if let Some(last) = last_day {
        view["last_day"] = json!(last);
    }
}

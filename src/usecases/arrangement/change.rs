//! Changes an arrangement: members come and go, and it ends. Each change is a version; nothing is taken away.

use jiff::civil::Date;

use super::{
    ALLOWED, Answer, ArrangementEventRow, ArrangementRow, Caller, Command, Context, MOST_MEMBER_ROWS,
    Pointer, Prepared, answer, event, field_problem, kept, known, member_row, not_found, once, period,
    standing,
};
use crate::{
    domain::{
        arrangement::{ArrangementStep, Member, last_day},
        consent::day_in_japan,
        fault::{Fault, Text},
        ids::{AgencyId, ArrangementId},
        problem::{Problem, ProblemKind},
    },
    ledger::{Rows, Write, agency::StaffRow, arrangement::MoveArrangement, audit::AuditAction, write::Step},
    usecases::schema::pointer,
};

/// Adds a member, from a day to a day or until further notice.
///
/// # Errors
/// Not found; not the keeper; stale; an agency nobody knows, or one that is a member on one of these days.
pub async fn add_member(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = kept(context, caller, id).await?;
        let change = Change::begin(context, caller, row, version, command).await?;
        change.row_still_holds()?;
        let member = Member::parse(&command.document, caller.id()).map_err(field_problem)?;
        known(context, &[(member.agency, "/agency".to_owned())]).await?;
        let rows = context.ledger.arrangement_members(&change.row, MOST_MEMBER_ROWS).await?;
        if rows.len() as i64 >= MOST_MEMBER_ROWS {
            return Err(Problem::schema_violation(vec![too_many()]));
        }
        let takes_part =
            |other: &Member| other.agency == member.agency && other.period.overlaps(&member.period);
        if standing(&rows).iter().any(takes_part) {
            return Err(member_already());
        }
        let said = member_row(id, version + 1, &member);
        let rows = Rows { arrangement_members: vec![said], ..Rows::default() };
        Ok(change.make(ArrangementStep::AddMember, Some(member.agency.to_string()), rows))
    })
    .await
}

/// Ends the latest membership of an agency with a last day.
///
/// # Errors
/// Not found, also where the agency was never a member; not the keeper; stale; a day before its first, or not
/// before the last day it has.
pub async fn end_member(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    agency: AgencyId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = kept(context, caller, id).await?;
        let change = Change::begin(context, caller, row, version, command).await?;
        let rows = context.ledger.arrangement_members_among(&change.row, &[agency]).await?;
        let latest = standing(&rows).into_iter().max_by_key(|member| member.period.first_day);
        let latest = latest.ok_or_else(not_found)?;
        let last = last_day(&command.document).map_err(field_problem)?;
        let period = latest.period.ended(last).map_err(|fault| field_problem(vec![fault]))?;
        let said = member_row(id, version + 1, &Member { agency, period });
        let rows = Rows { arrangement_members: vec![said], ..Rows::default() };
        Ok(change.make(ArrangementStep::EndMember, Some(agency.to_string()), rows))
    })
    .await
}

/// Ends an arrangement with a last day.
///
/// # Errors
/// Not found; not the keeper; stale; a day before its first, or not before the last day it has.
pub async fn end(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = kept(context, caller, id).await?;
        let mut change = Change::begin(context, caller, row, version, command).await?;
        let last = last_day(&command.document).map_err(field_problem)?;
        let ended = period(&change.row).ended(last).map_err(|fault| field_problem(vec![fault]))?;
        change.row.last_day = ended.last_day;
        Ok(change.make(ArrangementStep::End, None, Rows::default()))
    })
    .await
}

/// A change under way: what was read, in whose name, in which version.
pub(super) struct Change<'a> {
    context: &'a Context,
    caller: &'a Caller,
    pub row: ArrangementRow,
    staff: StaffRow,
    today: Date,
}

impl<'a> Change<'a> {
    /// Begins with the supervisor whom the body names, and the version that the caller has read.
    pub async fn begin(
        context: &'a Context,
        caller: &'a Caller,
        row: ArrangementRow,
        version: i64,
        command: &Command,
    ) -> Result<Self, Problem> {
        let staff = caller.supervisor(context, &command.document["by"], "/by").await?;
        if row.version != version {
            return Err(ProblemKind::VersionStale.into());
        }
        let today = day_in_japan(context.clock.now());
        Ok(Self { context, caller, row, staff, today })
    }

    /// Nothing is added to what is over.
    pub fn row_still_holds(&self) -> Result<(), Problem> {
        if period(&self.row).is_over(self.today) {
            return Err(Problem::illegal_transition("ended", Vec::new()));
        }
        Ok(())
    }

    /// The write that makes the next version.
    pub fn make(self, step: ArrangementStep, about: Option<String>, mut rows: Rows) -> Prepared {
        let Self { context, caller, row, staff, .. } = self;
        let moved = Step::MoveArrangement(MoveArrangement {
            id: row.id,
            from_version: row.version,
            last_day: row.last_day,
            at: context.clock.now(),
        });
        let next = ArrangementRow { version: row.version + 1, ..row };
        let event: ArrangementEventRow = event(context, &next, step, about, &staff);
        let text = answer(&event);
        rows.arrangement_events.push(event);
        rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Arrange, next.id, ALLOWED));
        let pointer = Pointer::Arrangement { id: next.id, version: next.version };
        Prepared { write: Write { steps: vec![moved], rows, ..Write::default() }, pointer, text }
    }
}

fn member_already() -> Problem {
    Problem::new(ProblemKind::AlreadyThere)
        .detail(Text::new(
            "この機関は、その期間のうちにすでに構成員・当事者になっています。",
            "This agency is already a member on some of these days.",
        ))
        .mend(Text::new(
            "いまの期間を終えてから、その翌日以降を初日として追加してください。",
            "End the membership there is, and add the new one from a later day.",
        ))
}

fn too_many() -> Fault {
    Fault {
        pointer: pointer("/agency"),
        code: "too_many_members",
        message: Text::new(
            "これ以上は追加できません。新しい取決めとして記録してください。",
            "No more can be added; record a new arrangement.",
        ),
    }
}

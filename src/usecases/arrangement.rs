//! Records what agencies agreed on, and reads it for a decision.

pub mod change;
pub mod look;
pub mod register;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    consent::field_problem,
    idempotency::{Pointer, Prepared, once},
    not_found,
    opened::{damaged, party},
};
use crate::{
    domain::{
        arrangement::{Arrangement, ArrangementStep, Member, NewArrangement, Period},
        basis::Lane,
        fault::{Fault, Text},
        ids::{AgencyId, ArrangementId, CaseId},
        problem::{Problem, ProblemKind},
        submission::{AskedLeg, Submission},
    },
    ledger::{
        Rows, Scope, Step, Write,
        agency::StaffRow,
        arrangement::{ArrangementEventRow, ArrangementMemberRow, ArrangementRow, HoldArrangement},
        audit::AuditAction,
    },
    usecases::schema::pointer,
};

/// With so many rows about members nothing is added any more. A membership has one, and one more when it ends.
const MOST_MEMBER_ROWS: i64 = 1000;

/// Records an arrangement. The caller is its keeper.
///
/// # Errors
/// Faults of the record; staff who are not the caller's own or no supervisors; members nobody knows.
pub async fn record(context: &Context, caller: &Caller, command: &Command) -> Result<Answer, Problem> {
    once(context, caller, command, async || prepare(context, caller, command).await).await
}

async fn prepare(context: &Context, caller: &Caller, command: &Command) -> Result<Prepared, Problem> {
    let (document, now) = (&command.document, context.clock.now());
    let staff = caller.supervisor(context, &document["by"], "/by").await?;
    let new = NewArrangement::parse(document, &party(&caller.agency)).map_err(field_problem)?;
    let named: Vec<(AgencyId, String)> = (0..)
        .zip(&new.members)
        .map(|(place, member): (usize, _)| (member.agency, format!("/members/{place}/agency")))
        .collect();
    known(context, &named).await?;
    let id: ArrangementId = context.clock.new_id();
    let members = new.members.iter().map(|member| member_row(id, 1, member)).collect();
    let row = ArrangementRow {
        id,
        keeper: caller.id(),
        kind: new.kind,
        version: 1,
        title: new.title,
        purpose: new.purpose,
        notice_version: new.notice_version,
        sections: new.sections,
        first_day: new.period.first_day,
        last_day: new.period.last_day,
        created_at: now,
        changed_at: now,
    };
    let event = event(context, &row, ArrangementStep::Record, None, &staff);
    let text = answer(&event);
    let rows = Rows {
        arrangements: vec![row],
        arrangement_events: vec![event],
        arrangement_members: members,
        audits: vec![caller.audit(context, Some(staff.id), AuditAction::Arrange, id, ALLOWED)],
        ..Rows::default()
    };
    let pointer = Pointer::Arrangement { id, version: 1 };
    Ok(Prepared { write: Write { rows, ..Write::default() }, pointer, text })
}

/// That each of these agencies takes part in the hub.
async fn known(context: &Context, named: &[(AgencyId, String)]) -> Result<(), Problem> {
    let mut faults = Vec::new();
    for some in named.chunks(16) {
        let ids: Vec<AgencyId> = some.iter().map(|(id, _)| *id).collect();
        let rows = context.ledger.agencies_by_id(&ids).await?;
        let is_there = |id: AgencyId| rows.iter().any(|row| row.id == id && row.active == 1);
        faults.extend(some.iter().filter(|(id, _)| !is_there(*id)).map(|(_, at)| Fault {
            pointer: pointer(at),
            code: "agency_unknown",
            message: Text::new(
                "この機関は登録されていないか、利用を停止しています。機関の一覧から選んでください。",
                "No such active agency; choose one from the directory.",
            ),
        }));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::schema_violation(faults)) }
}

/// An arrangement as it stands now, as far as it concerns these parties and this case, read in the name of one
/// that keeps it or is a member. A foreign one and a missing one are the same: there is none.
pub(super) async fn load(
    context: &Context,
    scope: Scope,
    id: ArrangementId,
    parties: &[AgencyId],
    case: Option<CaseId>,
) -> Result<Option<(ArrangementRow, Arrangement)>, Problem> {
    let Some(row) = context.ledger.arrangement(scope, id).await? else { return Ok(None) };
    let members = standing(&context.ledger.arrangement_members_among(&row, parties).await?);
    let cases = match case {
        Some(case) => register::entries_of(context, &row, case).await?,
        None => Vec::new(),
    };
    let arrangement = Arrangement {
        id,
        version: u32::try_from(row.version).map_err(|_| damaged())?,
        kind: row.kind,
        keeper: row.keeper,
        purpose: row.purpose.clone(),
        sections: row.sections,
        period: period(&row),
        members,
        cases,
    };
    Ok(Some((row, arrangement)))
}

/// The arrangements that the legs of a submission name, as far as they concern its parties and its case.
pub(super) struct Named(BTreeMap<ArrangementId, (ArrangementRow, Arrangement)>);

impl Named {
    pub fn of(&self, asked: &AskedLeg) -> Option<&Arrangement> {
        self.0.get(&asked.arrangement?).map(|(_, arrangement)| arrangement)
    }

    /// Holds what was decided on: a membership or a contract that ends meanwhile makes the write stale, and it is
    /// decided anew.
    pub fn hold(&self, write: &mut Write) {
        for (id, (row, _)) in &self.0 {
            write.steps.push(Step::HoldArrangement(HoldArrangement { id: *id, version: row.version }));
        }
    }
}

/// Reads them. A notice rests on none, and nothing that is said of one may hold it up.
pub(super) async fn named(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
) -> Result<Named, Problem> {
    let legs = submission.legs.iter().filter(|leg| leg.lane() != Some(Lane::Notice));
    let wanted: BTreeSet<ArrangementId> = legs.filter_map(|leg| leg.arrangement).collect();
    let recipients = submission.legs.iter().map(|leg| leg.recipient);
    let parties: Vec<AgencyId> = std::iter::once(caller.id()).chain(recipients).collect();
    let mut named = BTreeMap::new();
    for id in wanted {
        let found = load(context, caller.scope(), id, &parties, submission.case).await?;
        named.extend(found.map(|found| (id, found)));
    }
    Ok(Named(named))
}

/// The memberships these rows tell of. Of the rows about one membership the newest counts.
fn standing(rows: &[ArrangementMemberRow]) -> Vec<Member> {
    let mut newest: BTreeMap<(AgencyId, Date), (i64, Option<Date>)> = BTreeMap::new();
    for row in rows {
        let said = newest.entry((row.agency, row.first_day)).or_insert((0, None));
        if said.0 < row.version {
            *said = (row.version, row.last_day);
        }
    }
    let member =
        |((agency, first_day), (_, last_day))| Member { agency, period: Period { first_day, last_day } };
    newest.into_iter().map(member).collect()
}

fn period(row: &ArrangementRow) -> Period {
    Period { first_day: row.first_day, last_day: row.last_day }
}

fn member_row(arrangement: ArrangementId, version: i64, member: &Member) -> ArrangementMemberRow {
    ArrangementMemberRow {
        arrangement,
        agency: member.agency,
        version,
        first_day: member.period.first_day,
        last_day: member.period.last_day,
    }
}

/// The step that made this version of the arrangement.
fn event(
    context: &Context,
    row: &ArrangementRow,
    step: ArrangementStep,
    about: Option<String>,
    staff: &StaffRow,
) -> ArrangementEventRow {
    ArrangementEventRow {
        arrangement: row.id,
        version: row.version,
        step,
        about,
        last_day: row.last_day,
        staff: staff.id,
        at: context.clock.now(),
    }
}

/// The arrangement for a step that only its keeper may take.
async fn kept(context: &Context, caller: &Caller, id: ArrangementId) -> Result<ArrangementRow, Problem> {
    let row = context.ledger.arrangement(caller.scope(), id).await?.ok_or_else(not_found)?;
    if row.keeper == caller.id() {
        return Ok(row);
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "この取決めを変更し、登録簿を見られるのは、管理する機関だけです。",
            "Only its keeper may change this arrangement or read its register.",
        ))
        .mend(Text::new("管理する機関に依頼してください。", "Ask the agency that keeps it.")))
}

/// The answer to a step: what that step made, which never changes.
fn answer(event: &ArrangementEventRow) -> String {
    let mut answer = json!({
        "id": event.arrangement, "version": event.version, "step": event.step, "at": super::jst(event.at),
    });
    if let (Some(member), Some(about)) = (about(event.step), &event.about) {
        answer[member] = Value::String(about.clone());
    }
    answer.to_string()
}

/// What the step's `about` is called.
const fn about(step: ArrangementStep) -> Option<&'static str> {
    match step {
        ArrangementStep::AddMember | ArrangementStep::EndMember => Some("agency"),
        ArrangementStep::RegisterCase | ArrangementStep::EndCase => Some("entry"),
        ArrangementStep::Record | ArrangementStep::End => None,
    }
}

/// The answer again, from the stored step.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: ArrangementId,
    version: i64,
) -> Result<String, Problem> {
    let row = context.ledger.arrangement(caller.scope(), id).await?.ok_or_else(damaged)?;
    let at = ArrangementRow { version, ..row };
    let events = context.ledger.arrangement_events(&at, 1).await?;
    events.first().filter(|event| event.version == version).map(answer).ok_or_else(damaged)
}

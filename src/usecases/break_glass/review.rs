//! One agency's review of a break-glass.

use super::{Review, part, reviewed_answer, slot};
use crate::{
    domain::{
        break_glass::{ReviewOutcome, Reviewer},
        fault::Text,
        ids::{BreakGlassId, StaffId},
        problem::{Problem, ProblemKind},
        staff::StaffRole,
    },
    ledger::{Lane, Step, Write, agency::StaffRow, audit::AuditAction, break_glass::ReviewGlass},
    usecases::{
        Answer, Caller, Command, Context,
        idempotency::{Pointer, Prepared, once},
        not_found,
        opened::{OpenedLeg, damaged},
    },
};

/// One agency's review: whether it was justified. Found not to be, nothing is opened under it any more.
///
/// # Errors
/// Not found for everybody but the two agencies; forbidden for who opened, and for other roles; stale; done already.
pub async fn review(
    context: &Context,
    caller: &Caller,
    id: BreakGlassId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let document = &command.document;
        let row = context.ledger.break_glass(caller.scope(), id).await?.ok_or_else(not_found)?;
        let by = caller.staff(context, &document["by"], "/by").await?;
        let reviewer = if caller.id() == row.agency { Reviewer::Own } else { Reviewer::Owner };
        may_review(reviewer, &by, row.staff)?;
        if row.version != version {
            return Err(Problem::new(ProblemKind::VersionStale));
        }
        let outcome: ReviewOutcome = document["outcome"].as_str().unwrap_or_default().parse()?;
        let at = context.clock.now();
        let made = row
            .glass()
            .review(reviewer, outcome, at)
            .map_err(|state| Problem::illegal_transition(state.code(), Vec::new()))?;
        let opened = OpenedLeg::load(context, caller.scope(), row.leg).await?.ok_or_else(damaged)?;
        let note = document["note"].as_str().unwrap_or_default().to_owned();
        let review = serde_json::to_vec(&Review { by: by.id, at, note }).map_err(|_| damaged())?;
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        write.steps.push(Step::ReviewGlass(ReviewGlass {
            id,
            from_version: version,
            reviewer,
            state: made.state,
            outcome,
            review: opened.key.seal(&slot(opened.referral.owner, id, part(reviewer)), &review)?,
        }));
        write.rows.audits.push(caller.audit(context, Some(by.id), AuditAction::Review, id, outcome.code()));
        let pointer = Pointer::BreakGlass { id, version: version + 1 };
        Ok(Prepared { write, pointer, text: reviewed_answer(id, version + 1).to_string() })
    })
    .await
}

/// A supervisor of the agency that opened, who is not the one who did; at the owner, whoever answers for personal data.
fn may_review(reviewer: Reviewer, by: &StaffRow, opener: StaffId) -> Result<(), Problem> {
    let may = match reviewer {
        Reviewer::Own => by.role == StaffRole::Supervisor && by.id != opener,
        Reviewer::Owner => matches!(by.role, StaffRole::Supervisor | StaffRole::PrivacyOfficer),
    };
    if may {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "緊急閲覧の確認は、開いた機関では開いた人以外の管理職が、差出機関では管理職か個人情報保護担当が行います。",
            "A break-glass is reviewed by a supervisor who did not open, and at the sender by a supervisor or the privacy officer.",
        ))
        .mend(Text::new("確認できる職員のIDを by に書いてください。", "Name in by who may review it.")))
}

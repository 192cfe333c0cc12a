//! The jobs a change leaves behind: somebody is to be told that something waits, never what.

use jiff::Timestamp;

use super::Context;
use crate::{
    domain::ids::{AgencyId, DeliveryId, ProtectionId},
    ledger::{
        break_glass::BreakGlassRow,
        delivery::DeliveryRow,
        job::{JobKind, JobRow, JobState},
        leg::LegRow,
    },
};

/// Urgent legs are rung before all others.
const URGENT: i64 = 0;
const ORDINARY: i64 = 1;

/// A job to tell `whom` about a leg. The dispatcher finds out by which channels.
pub(super) fn job(context: &Context, kind: JobKind, leg: &LegRow, whom: AgencyId, at: Timestamp) -> JobRow {
    let rank = if leg.urgency.is_urgent() { URGENT } else { ORDINARY };
    let (subject, dedup) = match kind {
        // The version it is about to leave: each change rings by itself, whatever the clock says.
        JobKind::Changed => (leg.id.to_string(), format!("{kind}:{}:{}:{whom}", leg.id, leg.head_seq)),
        _ => (leg.delivery.to_string(), format!("{kind}:{}", leg.delivery)),
    };
    JobRow { rank, ..queued(context, kind, whom, subject, dedup, at) }
}

/// A job to tell one of the two agencies of a break-glass: that it was broken, or that its review is late.
pub(super) fn glass(
    context: &Context,
    glass: &BreakGlassRow,
    leg: &LegRow,
    whom: AgencyId,
    what: &str,
    at: Timestamp,
) -> JobRow {
    let kind = JobKind::Glass;
    let dedup = format!("{kind}:{}:{what}:{whom}", glass.id);
    // Whatever was urgent about the leg: that somebody opened it in an emergency is.
    JobRow { rank: URGENT, ..queued(context, kind, whom, leg.id.to_string(), dedup, at) }
}

/// A job to tell the recipient of a hand-over that what protects the family has changed: once per version of its own
/// record; where it has none yet, once for each time.
pub(super) fn protected(
    context: &Context,
    leg: &LegRow,
    theirs: Option<(ProtectionId, i64)>,
    at: Timestamp,
) -> JobRow {
    let which =
        theirs.map_or_else(|| at.as_microsecond().to_string(), |(id, version)| format!("{id}:{version}"));
    let dedup = format!("protected:{}:{which}", leg.id);
    JobRow { dedup, ..job(context, JobKind::Changed, leg, leg.recipient, at) }
}

/// The job of a copy that waits without one.
pub(super) fn waiting(context: &Context, delivery: &DeliveryRow, at: Timestamp) -> JobRow {
    let (kind, subject) = (JobKind::Waiting, delivery.id.to_string());
    let dedup = format!("{kind}:{subject}");
    let rank = if delivery.urgency.is_urgent() { URGENT } else { ORDINARY };
    JobRow { rank, ..queued(context, kind, delivery.recipient, subject, dedup, at) }
}

/// A job to have an agency's queue kept as it now asks.
pub(super) fn subscribed(context: &Context, agency: AgencyId, at: Timestamp) -> JobRow {
    let kind = JobKind::Subscribed;
    let job = queued(context, kind, agency, agency.to_string(), String::new(), at);
    // Somebody stands at the door and waits for the queue. Two changes are two jobs, however close together.
    JobRow { rank: URGENT, dedup: format!("{kind}:{}", job.id), ..job }
}

/// The mail of an agency for one hour: however much waits by then, it is one mail.
pub(super) fn gathered_mail(context: &Context, agency: AgencyId, slot: Timestamp, at: Timestamp) -> JobRow {
    let dedup = format!("mail:{agency}:{}", slot.as_microsecond());
    let job = queued(context, JobKind::Mail, agency, agency.to_string(), dedup, at);
    JobRow { next_at: slot, ..job }
}

/// The mail of a duty desk about one copy that cannot wait.
pub(super) fn urgent_mail(context: &Context, agency: AgencyId, about: DeliveryId, at: Timestamp) -> JobRow {
    let job = queued(context, JobKind::UrgentMail, agency, about.to_string(), format!("mail:{about}"), at);
    JobRow { rank: URGENT, ..job }
}

/// A job that is ready at once and not urgent.
fn queued(
    context: &Context,
    kind: JobKind,
    agency: AgencyId,
    subject: String,
    dedup: String,
    at: Timestamp,
) -> JobRow {
    JobRow {
        id: context.clock.new_id(),
        kind,
        dedup,
        agency,
        subject,
        rank: ORDINARY,
        state: JobState::Ready,
        attempts: 0,
        epoch: 0,
        next_at: at,
        lease_until: at,
        reason: None,
        created_at: at,
    }
}

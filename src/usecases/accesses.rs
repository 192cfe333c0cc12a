//! Who looked: at an agency's own referrals, by anybody; and what an agency's own people looked at. And which line of a
//! consent, or which article, covered what they saw.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Context, audited, jst, not_found,
    opened::{OpenedLeg, World},
    page::{Limit, page},
    read::{looked, present},
};
use crate::{
    domain::{
        basis::Basis,
        cover::{Cover, covers},
        fault::Text,
        ids::{AgencyId, AuditId, LegId, ReferralId, StaffId},
        problem::{Problem, ProblemKind},
        purpose::AccessPurpose,
        staff::StaffRole,
        subject::SubjectRef,
    },
    ledger::{
        Scope,
        audit::{AuditAction, AuditFilter, AuditRow, Period},
    },
};

/// Every look at a referral of the caller's own and at each of its copies, newest first. What one recipient's people
/// did stands beside what another's did: only the owner reads this.
///
/// # Errors
/// Not found for everybody but its owner.
pub async fn of_referral(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
    staff: Option<&str>,
    before: Option<AuditId>,
    limit: Limit,
) -> Result<String, Problem> {
    let row = context.ledger.referral(caller.scope(), id).await?.ok_or_else(not_found)?;
    let mut places: Vec<(AgencyId, String, Option<LegId>)> = vec![(row.owner, id.to_string(), None)];
    for leg in context.ledger.legs_of(id).await? {
        places.push((row.owner, leg.id.to_string(), Some(leg.id)));
        places.push((leg.recipient, leg.id.to_string(), Some(leg.id)));
        places.push((leg.recipient, leg.delivery.to_string(), Some(leg.id)));
    }
    let mut found: Vec<(AuditRow, Option<LegId>)> = Vec::new();
    for (agency, subject, leg) in places {
        let filter = AuditFilter::OfSubject(&subject);
        let rows = context.ledger.audit(Scope::of(agency), filter, None, before, limit.rows()).await?;
        found.extend(rows.into_iter().map(|row| (row, leg)));
    }
    found.sort_by_key(|(row, _)| std::cmp::Reverse(row.id));
    let more = limit.cut(&mut found);
    let next = found.last().filter(|_| more).map(|(row, _)| row.id.to_string());
    let looks = found.iter().filter(|(row, _)| row.action.shows());
    let items = looks.map(|(row, leg)| {
        let mut item = entry(row);
        item["leg"] = json!(leg);
        present(item)
    });
    let items = items.collect();
    looked(context, caller, staff, id).await?;
    Ok(page(items, next))
}

/// What is asked of an agency's own audit.
pub struct Asked {
    pub staff: Option<StaffId>,
    pub subject: Option<String>,
    /// A day in Japan.
    pub day: Option<Date>,
    pub before: Option<AuditId>,
    pub limit: Limit,
}

/// What the caller's own people and systems did, newest first: for its privacy officer, whose look is itself on record.
///
/// # Errors
/// Forbidden for everybody but a privacy officer.
pub async fn own(
    context: &Context,
    caller: &Caller,
    reader: Option<&str>,
    asked: &Asked,
) -> Result<String, Problem> {
    let reader = caller.staff_of_header(context, reader).await?;
    if reader.role != StaffRole::PrivacyOfficer {
        return Err(for_the_privacy_officer());
    }
    let filter = match (asked.staff, &asked.subject) {
        (Some(_), Some(_)) => return Err(one_filter()),
        (Some(staff), None) => AuditFilter::OfStaff(staff),
        (None, Some(subject)) => AuditFilter::OfSubject(subject),
        (None, None) => AuditFilter::All,
    };
    let (period, limit) = (asked.day.map(period), asked.limit);
    let mut rows = context.ledger.audit(caller.scope(), filter, period, asked.before, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let items = rows.iter().map(entry).collect();
    audited(context, caller.audit(context, Some(reader.id), AuditAction::Read, "audit", ALLOWED)).await?;
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

fn period(day: Date) -> Period {
    let start =
        |day: Date| jiff::tz::Offset::constant(9).to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX);
    Period { from: start(day), before: day.tomorrow().map_or(Timestamp::MAX, start) }
}

/// One entry: who, when, what, for what, and how it was decided. It holds no content.
fn entry(row: &AuditRow) -> Value {
    present(json!({
        "id": row.id, "at": jst(row.at), "agency": row.agency, "staff": row.staff, "action": row.action,
        "label": row.action.label_ja(), "subject": row.subject, "decision": row.decision,
        "purpose": row.purpose, "purpose_label": row.purpose.map(AccessPurpose::label_ja),
    }))
}

fn for_the_privacy_officer() -> Problem {
    Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "監査記録は、個人情報保護担当（privacy_officer）だけが見られます。",
            "The audit is for the privacy officer of the agency alone.",
        ))
        .mend(Text::new("個人情報保護担当に依頼してください。", "Ask the privacy officer of your agency."))
}

fn one_filter() -> Problem {
    Problem::new(ProblemKind::BadQuery).detail(Text::new(
        "staff と subject は、どちらか一方だけを指定してください。",
        "Give staff or subject, not both.",
    ))
}

/// Which line of a consent, or which article, covered each part that a leg of the caller's own asked for. It is told
/// also after the consent was withdrawn: what it rested on then does not change.
///
/// # Errors
/// Not found for everybody but the sender: what was withheld is not the recipient's to know.
pub async fn grounds(
    context: &Context,
    caller: &Caller,
    id: LegId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let opened = OpenedLeg::load(context, caller.scope(), id).await?;
    let opened = opened.filter(|opened| opened.leg.sender == caller.id()).ok_or_else(not_found)?;
    let world = World::load(context, &opened).await?;
    let (leg, body) = (&opened.leg, &opened.body);
    let consent = world.consent.as_ref().map(|(_, record)| record);
    let why = |cover: &Cover| {
        let subject = cover.subject.as_ref().map(SubjectRef::as_str);
        let section = body.withheld.iter().filter(|one| one.section == cover.section);
        let mut reasons = section.filter(|one| one.subject.is_none() || one.subject.as_deref() == subject);
        reasons.next().map(|one| json!(one.why))
    };
    let items: Vec<Value> = covers(&world.header.outline, body.asked, &body.mask, consent)
        .iter()
        .map(|cover| {
            let line = cover.line.as_ref().map(|line| {
                present(json!({
                    "decision": line.decision, "giver": line.giver, "capacity": line.capacity,
                    "capacity_label": line.capacity.label_ja(),
                }))
            });
            present(json!({
                "section": cover.section, "subject": cover.subject, "shown": cover.shown.is_some(),
                "detail": cover.shown, "why": cover.shown.is_none().then(|| why(cover)).flatten(),
                "covered_by": cover.by, "label": cover.by.label_ja(), "line": line,
            }))
        })
        .collect();
    let law = leg.basis.map(|code| Basis::of(code).law);
    let view = json!({
        "id": leg.id, "basis": leg.basis, "law": law, "consent": leg.consent,
        "consent_version": leg.consent_version, "items": items,
    });
    looked(context, caller, staff, id).await?;
    Ok(present(view).to_string())
}

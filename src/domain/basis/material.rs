//! SHIRYO_13_4: material about a child that the head of a municipality, a welfare office or a child guidance centre
//! has asked for (児童虐待の防止等に関する法律 第13条の4). Only what was asked for, and only on request.

use super::{
    Basis, Grant,
    fact::{REQUESTED_ON, RIGHTS_HARMED},
};
use crate::domain::{
    agency::{AgencyKind, Body},
    consent::day_in_japan,
    disclosure::Question,
    refusal::{Refusal, RefusalCode},
};

pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    // 地方公共団体の機関 means the organs of local government; a court is the State's.
    let local_government = q.sender.body == Body::Public && q.sender.kind != AgencyKind::FamilyCourt;
    if !q.sender.kind.cares_for_children() && !local_government {
        return Err(row.refuse(RefusalCode::BasisSender));
    }
    let may_ask = q.recipient.kind.is_municipal_office()
        || matches!(q.recipient.kind, AgencyKind::PrefecturalWelfare | AgencyKind::ChildGuidance);
    if !may_ask {
        return Err(row.refuse(RefusalCode::BasisRecipient));
    }
    row.check_records(q)?;
    // What is asked for tomorrow was not asked for.
    if q.facts.day(REQUESTED_ON.name).is_none_or(|day| day > day_in_japan(q.sent_at)) {
        return Err(row.refuse(RefusalCode::BasisRecord));
    }
    if q.facts.holds(RIGHTS_HARMED.name) {
        return Err(row.refuse(RefusalCode::RightsHarmed));
    }
    Ok(row.grant(q))
}

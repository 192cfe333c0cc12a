//! YOTAIKYO: members of one protection council share what they need about a registered case (児童福祉法 第25条の2・
//! 第25条の3). Their secrecy is that of 第25条の5, so who is no member on the day gets nothing.

use super::{Basis, Grant};
use crate::domain::{
    agency::RecipientClass,
    arrangement::{Arrangement, ArrangementKind},
    consent::day_in_japan,
    disclosure::Question,
    refusal::{Refusal, RefusalCode},
};

pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    let day = day_in_japan(q.at);
    let members = |council: &&Arrangement| {
        council.kind == ArrangementKind::Council
            && council.is_in_force(day)
            && council.includes(q.sender.id, day)
            && council.includes(q.recipient.id, day)
    };
    let council = q.arrangement.filter(members).ok_or_else(|| row.refuse(RefusalCode::NotMember))?;
    if !q.case.is_some_and(|case| council.has_registered(case, day)) {
        return Err(row.refuse(RefusalCode::NotRegistered));
    }
    row.check_records(q)?;
    row.check_needed(q)?;
    // The family centre and the child guidance centre keep their own column.
    let class = match q.recipient.kind.class() {
        RecipientClass::Facility => RecipientClass::CouncilMember,
        own => own,
    };
    Ok(row.grant_to(q, class))
}

//! What public bodies pass on beyond the stated purpose (個人情報の保護に関する法律 第69条): what another law demands, to
//! other public bodies for their tasks, and, exceptionally, for a special reason.

use super::{Basis, Grant, fact::RIGHTS_HARMED};
use crate::domain::{
    agency::Body,
    disclosure::Question,
    refusal::{Refusal, RefusalCode},
};

/// LAW_69_1: to whom the article says, which a person has cited.
pub fn by_law(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    check_sender(row, q)?;
    check_reason(row, q)?;
    Ok(row.grant(q))
}

/// PUB_69_2_3: to another public body, for its task by law, under the conditions of 第70条.
pub fn between_bodies(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    check_sender(row, q)?;
    if q.recipient.body != Body::Public || q.recipient.id == q.sender.id {
        return Err(row.refuse(RefusalCode::BasisRecipient));
    }
    check_reason(row, q)?;
    Ok(row.grant(q))
}

/// BENEFIT_69_2_4: to anyone, and therefore only with another person's approval.
pub fn clear_benefit(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    check_sender(row, q)?;
    check_reason(row, q)?;
    if q.approved_by.is_none_or(|approver| approver == q.written_by) {
        return Err(row.refuse(RefusalCode::ApproverRequired));
    }
    Ok(row.grant(q))
}

fn check_sender(row: &Basis, q: &Question<'_>) -> Result<(), Refusal> {
    if q.sender.body == Body::Public { Ok(()) } else { Err(row.refuse(RefusalCode::BasisSender)) }
}

fn check_reason(row: &Basis, q: &Question<'_>) -> Result<(), Refusal> {
    row.check_records(q)?;
    row.check_needed(q)?;
    let knows_harm = row.facts.contains(&RIGHTS_HARMED);
    if knows_harm && q.facts.holds(RIGHTS_HARMED.name) {
        return Err(row.refuse(RefusalCode::RightsHarmed));
    }
    Ok(())
}

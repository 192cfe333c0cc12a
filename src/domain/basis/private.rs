//! The exceptions of 個人情報の保護に関する法律 第27条1項 for private bodies: life in danger, the healthy growth of a child,
//! cooperation with a public body, what another law demands. A contractor that holds a municipality's data is not
//! private in respect of them (第66条2項), so these stay closed to it.

use super::{Basis, ConsentSought, Grant, fact::CONSENT_SOUGHT};
use crate::domain::{
    agency::Body,
    disclosure::Question,
    refusal::{Refusal, RefusalCode},
};

/// LIFE_27_1_2 and CHILD_27_1_3: consent is difficult to obtain. That nobody has asked yet does not make it so.
pub fn consent_is_difficult(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    check_sender(row, q)?;
    row.check_records(q)?;
    let sought = q.facts.code(CONSENT_SOUGHT.name);
    if !matches!(sought, Some(ConsentSought::Refused | ConsentSought::Impossible)) {
        return Err(row.refuse(RefusalCode::BasisRecord));
    }
    row.check_needed(q)?;
    Ok(row.grant(q))
}

/// COOP_27_1_4: to a public body or its contractor, for a task by law that asking for a consent would hinder.
pub fn cooperation(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    check_sender(row, q)?;
    if q.recipient.body != Body::Public && q.recipient.contractor_of.is_none() {
        return Err(row.refuse(RefusalCode::BasisRecipient));
    }
    row.check_records(q)?;
    row.check_needed(q)?;
    Ok(row.grant(q))
}

/// LAW_27_1_1: to whom the article says, which a person has cited.
pub fn by_law(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    check_sender(row, q)?;
    row.check_records(q)?;
    row.check_needed(q)?;
    Ok(row.grant(q))
}

fn check_sender(row: &Basis, q: &Question<'_>) -> Result<(), Refusal> {
    if q.sender.acts_privately() { Ok(()) } else { Err(row.refuse(RefusalCode::BasisSender)) }
}

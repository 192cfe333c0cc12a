//! The bases that rest on an arrangement: a stated purpose, a published joint use, a contract. Who takes part and
//! which items pass is what was agreed, and it must be in force on the day.

use unicode_normalization::UnicodeNormalization;

use super::{Basis, Grant, fact::STATED_PURPOSE};
use crate::domain::{
    agency::{Body, Party},
    arrangement::{Arrangement, ArrangementKind},
    consent::day_in_japan,
    disclosure::Question,
    ids::AgencyId,
    refusal::{Refusal, RefusalCode},
};

/// WITHIN_PURPOSE: a public body, or its contractor, to a partner inside the purpose it has stated
/// (個人情報の保護に関する法律 第61条・第69条1項).
pub fn within_purpose(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    let acts_publicly = q.sender.body == Body::Public || q.sender.contractor_of.is_some();
    let purpose = parties(row, q, ArrangementKind::Purpose, acts_publicly)?;
    in_force(row, q, purpose)?;
    row.check_records(q)?;
    let named = q.facts.text(STATED_PURPOSE.name).unwrap_or_default();
    if !same_words(named, &purpose.purpose) {
        return Err(row.refuse(RefusalCode::BasisPurpose));
    }
    Ok(row.grant(q))
}

/// JOINT_USE: among the private members of a published group (第27条5項3号). It is a rule for private bodies, and a
/// contractor is none in respect of its municipality's data (第66条2項).
pub fn joint_use(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    let group = parties(row, q, ArrangementKind::JointUse, q.sender.acts_privately())?;
    in_force(row, q, group)?;
    row.check_records(q)?;
    Ok(row.grant(q))
}

/// ENTRUST: between principal and contractor, not between two contractors (第27条5項1号・第66条2項).
pub fn entrustment(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    let contract = parties(row, q, ArrangementKind::Contract, true)?;
    if ![q.sender.id, q.recipient.id].contains(&contract.keeper) {
        return Err(row.refuse(RefusalCode::BasisRecipient));
    }
    in_force(row, q, contract)?;
    row.check_records(q)?;
    Ok(row.grant(q))
}

/// Step 6: sender and recipient take part, whenever. Without an arrangement of this kind the record is missing.
fn parties<'a>(
    row: &Basis,
    q: &Question<'a>,
    kind: ArrangementKind,
    may_send: bool,
) -> Result<&'a Arrangement, Refusal> {
    let refuse = |code| Err(row.refuse(code));
    if !may_send {
        return refuse(RefusalCode::BasisSender);
    }
    let Some(arrangement) = q.arrangement.filter(|a| a.kind == kind) else {
        return refuse(RefusalCode::BasisRecord);
    };
    if !takes_part(arrangement, &q.sender) {
        return refuse(RefusalCode::BasisSender);
    }
    if !takes_part(arrangement, &q.recipient) {
        return refuse(RefusalCode::BasisRecipient);
    }
    Ok(arrangement)
}

fn takes_part(arrangement: &Arrangement, party: &Party<'_>) -> bool {
    let is = |agency: AgencyId| agency == party.id;
    is(arrangement.keeper) || arrangement.members.iter().any(|member| is(member.agency))
}

/// Step 8: the arrangement holds today, and both parties belong to it today.
fn in_force(row: &Basis, q: &Question<'_>, arrangement: &Arrangement) -> Result<(), Refusal> {
    let day = day_in_japan(q.at);
    let holds = arrangement.is_in_force(day)
        && arrangement.includes(q.sender.id, day)
        && arrangement.includes(q.recipient.id, day);
    if holds { Ok(()) } else { Err(row.refuse(RefusalCode::BasisDate)) }
}

/// Whether two purposes are the same but for the width of letters and for spaces.
fn same_words(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.nfkc().filter(|c| !c.is_whitespace()).collect::<String>();
    letters(one) == letters(other)
}

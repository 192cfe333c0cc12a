//! 通告: the duty of everybody who finds a child that needs protection (児童福祉法 第25条) or seems to be
//! abused (児童虐待の防止等に関する法律 第6条). No secrecy law, no consent and no missing record stands in
//! its way: it is refused for its addressee or its subject, and for nothing else.

use super::{
    Basis, BasisCode, Grant,
    fact::{CHILDS_OFFENCE, FACILITY},
};
use crate::domain::{
    agency::{AgencyKind, RecipientClass},
    consent::day_in_japan,
    disclosure::Question,
    fault::Phrase,
    refusal::{Refusal, RefusalCode},
    subject::{Subject, SubjectRole},
};

/// A child is a person under 18 (児童福祉法 第4条).
const ADULT_FROM: i16 = 18;

/// From this age an offender goes to the family court alone (児童福祉法 第25条1項 ただし書).
const FAMILY_COURT_FROM: i16 = 14;

pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    let to_family_court = q.recipient.kind == AgencyKind::FamilyCourt;
    let lawful =
        if is_for_family_court(row, q) { to_family_court } else { q.recipient.kind.receives_notices() };
    if !lawful {
        return Err(wrong_addressee(row, q));
    }
    grant(row, q, q.recipient.kind.has_notice_desk())
}

/// TSUKOKU_33_12: abuse by the staff of a facility goes to the division in charge of it, and never to the
/// facility itself.
pub fn about_a_facility(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    let concerned = q.facts.agency(FACILITY.name) == Some(q.recipient.id);
    if concerned || !q.recipient.kind.supervises_facilities() {
        return Err(row.refuse(RefusalCode::BasisRecipient).advising(DIVISION_IN_CHARGE));
    }
    grant(row, q, true)
}

/// Of what tells of a facility, no other leg goes there either: a facility can itself be one that takes notices.
pub fn to_the_facility(basis: Option<&str>) -> Refusal {
    let code = basis.and_then(|code| code.parse().ok()).unwrap_or(BasisCode::NoticeFacility);
    Basis::of(code).refuse(RefusalCode::BasisRecipient).advising(DIVISION_IN_CHARGE)
}

fn grant(row: &Basis, q: &Question<'_>, notifier_goes_along: bool) -> Result<Grant, Refusal> {
    if nobody_can_be_a_child(q) {
        return Err(row.refuse(RefusalCode::BasisSubject));
    }
    // Every lawful addressee is told as much as a family centre; who has a column of its own keeps it.
    let class = match q.recipient.kind.class() {
        RecipientClass::Facility => RecipientClass::MunicipalCentre,
        own => own,
    };
    Ok(Grant { notifier_goes_along, ..row.grant_to(q, class) })
}

const DIVISION_IN_CHARGE: Phrase = Phrase {
    ja: "その施設を所管する都道府県または市町村の担当課を宛先にしてください。その施設には送れません。急ぐときは電話し、危険があれば110に通報してください。",
    en: "Address the division of the prefecture or municipality in charge of the facility, never the facility. Telephone, or call 110 in danger.",
};

/// The exception of 第25条1項: an offence is recorded, and the child may have reached 14. An offender
/// who is certainly younger stays with the ordinary addressees.
fn is_for_family_court(row: &Basis, q: &Question<'_>) -> bool {
    let knows_exception = row.facts.contains(&CHILDS_OFFENCE);
    let certainly_younger =
        |s: &Subject| s.ages_on(sent_on(q)).is_some_and(|a| a.surely_under(FAMILY_COURT_FROM));
    let mut children = q.subjects.iter().filter(|s| s.role == SubjectRole::Child).peekable();
    knows_exception
        && q.facts.holds(CHILDS_OFFENCE.name)
        && (children.peek().is_none() || children.any(|child| !certainly_younger(child)))
}

fn wrong_addressee(row: &Basis, q: &Question<'_>) -> Refusal {
    let mend = if is_for_family_court(row, q) {
        Phrase {
            ja: "罪を犯した満14歳以上の児童は、家庭裁判所に通告してください。",
            en: "Address a child of 14 or over who committed an offence to the family court.",
        }
    } else {
        Phrase {
            ja: "市町村（こども家庭センター等）、福祉事務所、児童相談所、または児童委員を宛先にしてください。急ぐときは189、危険があれば110に電話してください。",
            en: "Address the municipality (family centre), a welfare office, a child guidance centre or a child commissioner. Telephone 189, or 110 in danger.",
        }
    };
    row.refuse(RefusalCode::BasisRecipient).advising(mend)
}

/// Whether the notice is certainly not about a child. What is unknown never stops a notice: only where
/// every child or pregnant person it names is known to be grown up does it have no subject.
///
/// Age is that of the day of sending. A birthday on the way does not lock the desk out.
fn nobody_can_be_a_child(q: &Question<'_>) -> bool {
    let is_candidate = |s: &&Subject| matches!(s.role, SubjectRole::Child | SubjectRole::Pregnant);
    let grown_up = |s: &Subject| s.ages_on(sent_on(q)).is_some_and(|a| a.surely_reached(ADULT_FROM));
    let mut candidates = q.subjects.iter().filter(is_candidate).peekable();
    candidates.peek().is_some() && candidates.all(grown_up)
}

fn sent_on(q: &Question<'_>) -> jiff::civil::Date {
    day_in_japan(q.sent_at)
}

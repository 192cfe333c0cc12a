//! The decision: may this leg show this to that recipient, now, and how much of it?
//!
//! [`decide`] is pure and is asked at every event: at sending, at delivery and at each opening. Its
//! steps and their order are those of domain.md 7.5; the first that fails gives the answer.

pub mod case;
pub mod situation;

use jiff::Timestamp;

use super::{
    agency::{Party, RecipientClass},
    arrangement::Arrangement,
    basis::{Basis, BasisCode, Facts, Grant, Lane},
    consent::ConsentRecord,
    content::Outline,
    fault::Phrase,
    hand_over::Flag,
    ids::{CaseId, StaffId},
    mask::{Detail, Mask, Why, Withheld},
    protection::Standing,
    referral::ReferralType,
    refusal::{Refusal, RefusalCode},
    section::{Section, Sections},
    subject::{Subject, SubjectRef},
};

/// When a decision is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Send,
    /// The recipient's system takes the copy, or a sealed document is published to it.
    Deliver,
    Open(Opener),
}

/// Who opens, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opener {
    /// Has the role `duty_desk` at the recipient.
    pub duty_desk: bool,
    /// Is a party to the case, a neighbour or relative, or the subject's own account.
    pub related: bool,
}

/// Everything a decision needs, borrowed from whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub event: Event,
    pub at: Timestamp,
    /// When the leg was sent; at [`Event::Send`] the same as `at`.
    pub sent_at: Timestamp,
    pub kind: ReferralType,
    pub purpose: ReferralType,
    pub case: Option<CaseId>,
    pub sender: Party<'a>,
    pub recipient: Party<'a>,
    /// The sections this leg is to carry.
    pub asked: Sections,
    /// The sections the sender declares needed; bases without consent are bounded by them.
    pub needed: Sections,
    pub address_needed_because: Option<&'a str>,
    /// Whom each section of the content speaks of.
    pub outline: &'a Outline,
    pub subjects: &'a [Subject],
    /// The code of the basis as the sender wrote it.
    pub basis: Option<&'a str>,
    pub facts: &'a Facts,
    /// The consent as it stands now.
    pub consent: Option<&'a ConsentRecord>,
    /// The arrangement the leg names, as it stands now.
    pub arrangement: Option<&'a Arrangement>,
    pub protection: Standing<'a>,
    /// Of a hand-over: whether its recipient has taken over what protects the family.
    pub flag: Flag,
    pub recalled: bool,
    pub written_by: StaffId,
    pub approved_by: Option<StaffId>,
    /// The sender's setting: health and development need a second person. On by default.
    pub second_person: bool,
}

/// An allowed disclosure: what may be shown, and what was asked for and is withheld.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub mask: Mask,
    /// For the sender and the auditor alone.
    pub withheld: Vec<Withheld>,
    /// Absent where nothing about a person is passed.
    pub basis: Option<Ground>,
}

/// The basis a decision rests on, as receipts and documents cite it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    pub code: BasisCode,
    /// Such as `consent:<id>@v1`.
    pub reference: Option<String>,
}

/// Decides one leg at one event.
///
/// # Errors
/// The first step that fails, with its law and what to do about it.
pub fn decide(q: &Question<'_>) -> Result<Decision, Refusal> {
    // 1. Mode.
    if !q.kind.carries_personal_data() {
        return without_personal_data(q);
    }
    // 2. Basis named.
    let named = q.basis.ok_or_else(|| Refusal::new(RefusalCode::NoBasis, ""))?;
    let code = named.parse().map_err(|_| Refusal::new(RefusalCode::BasisUnknown, ""))?;
    let basis = Basis::of(code);
    // 3. Recall.
    if q.recalled {
        return Err(basis.refuse(RefusalCode::Recalled));
    }
    // 5. Blocked: before every other look at the recipient; for a notice (step 4) only at the opening.
    let stoppable = basis.lane != Lane::Notice || matches!(q.event, Event::Open(_));
    if stoppable && q.protection.blocks(&q.recipient) {
        return Err(basis.refuse(RefusalCode::RecipientBlocked));
    }
    // Between 5 and 6: what a hand-over asks of its two sides.
    if q.kind == ReferralType::HandOver && basis.lane != Lane::Notice {
        hand_over(q, basis)?;
    }
    // 4 and 6 to 10: what the basis itself asks.
    let grant = (basis.decide)(basis, q)?;
    // 11. Opener.
    if matches!(q.event, Event::Open(opener) if opener.related) {
        return Err(basis.refuse(RefusalCode::ConflictOfInterest));
    }
    // 12 and 13. Mask, and whether anything is left of what was asked.
    let (mask, withheld) = mask(q, &grant);
    something_left(q, basis, &mask, &withheld)?;
    // 14. Second person.
    second_person(q, basis, &mask)?;
    Ok(Decision { mask, withheld, basis: Some(Ground { code, reference: grant.reference }) })
}

/// Self-contact and plain information need no basis and pass nothing about a person, whatever
/// consents there are.
fn without_personal_data(q: &Question<'_>) -> Result<Decision, Refusal> {
    if q.asked.is_empty() && q.outline.is_empty() && q.subjects.is_empty() {
        Ok(Decision { mask: Mask::EMPTY, withheld: Vec::new(), basis: None })
    } else {
        Err(Refusal::new(RefusalCode::ModeNoPersonalData, ""))
    }
}

/// A municipality hands a family over to a municipality, and what protects the family goes ahead of what is said about
/// it. What cannot be read cannot go ahead.
fn hand_over(q: &Question<'_>, basis: &Basis) -> Result<(), Refusal> {
    if q.sender.kind.is_municipal_office() && !q.recipient.kind.is_municipal_office() {
        return Err(basis.refuse(RefusalCode::BasisRecipient).advising(TO_A_MUNICIPALITY));
    }
    let first = basis.refuse(RefusalCode::ProtectionFirst);
    match (q.protection, q.flag) {
        (Standing::Unprotected, _) | (_, Flag::Taken) => Ok(()),
        (Standing::Protected(_), Flag::Waiting) if q.event == Event::Send => Ok(()),
        (Standing::Protected(_), Flag::Waiting) => Err(first),
        (Standing::Unreadable, Flag::Waiting) => {
            Err(Refusal { detail: UNREADABLE, ..first.advising(REPAIR) })
        }
    }
}

const TO_A_MUNICIPALITY: Phrase = Phrase {
    ja: "市町村からの移管（IKAN）の宛先は、引き継ぐ市町村の機関です。ほかの機関には紹介（SHOKAI）などで伝えてください。",
    en: "A municipality hands a family over (IKAN) to an office of a municipality; write to others by another type, such as SHOKAI.",
};
const UNREADABLE: Phrase = Phrase {
    ja: "この家族の秘匿の記録が読めないため、引き継げません。",
    en: "The record of the family's protection cannot be read, so that it cannot be handed over.",
};
const REPAIR: Phrase = Phrase {
    ja: "ハブの運営者に連絡し、差出機関で秘匿を記録し直してください。それまでは電話で引き継いでください。",
    en: "Tell the operator of the hub and let the sender record the protection again; hand over by telephone meanwhile.",
};

/// Step 12: for every section asked and every person it speaks of, a grant or a reason.
fn mask(q: &Question<'_>, grant: &Grant) -> (Mask, Vec<Withheld>) {
    let (mut mask, mut withheld) = (Mask::default(), Vec::new());
    let bearing = q.protection.bearing(&q.recipient, grant.class, q.purpose, q.at);
    for section in q.asked.iter() {
        let mut refused: Vec<(Option<&SubjectRef>, Why)> = Vec::new();
        for subject in q.outline.of(section) {
            let (why, detail) = match why_withheld(q, grant, section, subject) {
                _ if bearing.withholds(section) => (Some(Why::Concealed), None),
                // The sentence in place of an address stands also where an address has no place at all (7.1).
                None | Some(Why::Mask) if bearing.detail(section) == Detail::Substitute => {
                    (Some(Why::Concealed), Some(Detail::Substitute))
                }
                Some(_) if bearing.detail(section) == Detail::Substitute => (Some(Why::Concealed), None),
                Some(why) => (Some(why), None),
                None => (None, Some(detail(q, grant, section).meet(bearing.detail(section)))),
            };
            if let Some(detail) = detail {
                mask.grant(section, subject.cloned(), detail);
            }
            refused.extend(why.map(|why| (subject, why)));
        }
        let whole_section =
            refused.len() == q.outline.of(section).count() && refused.windows(2).all(|w| w[0].1 == w[1].1);
        if whole_section {
            refused.truncate(1);
        }
        withheld.extend(refused.into_iter().map(|(subject, why)| Withheld {
            section,
            subject: subject.filter(|_| !whole_section).cloned(),
            why,
        }));
    }
    mask.limit_texts(bearing.texts());
    (mask, withheld)
}

/// The strictest reason against showing one person's part of a section, if there is any.
fn why_withheld(
    q: &Question<'_>,
    grant: &Grant,
    section: Section,
    subject: Option<&SubjectRef>,
) -> Option<Why> {
    if section == Section::Notifier {
        let may_open = !matches!(q.event, Event::Open(opener) if !opener.duty_desk);
        return (!grant.notifier_goes_along || !may_open).then_some(Why::Sealed);
    }
    if !grant.persons.cover(subject) {
        return Some(Why::OtherPerson);
    }
    let beyond = grant.limits.iter().filter(|limit| !limit.sections.contains(section));
    beyond.map(|limit| limit.otherwise).min()
}

/// How closely a granted section is shown (domain.md 7.1).
fn detail(q: &Question<'_>, grant: &Grant, section: Section) -> Detail {
    let to_facility = grant.class == RecipientClass::Facility;
    let address_needed = q.address_needed_because.is_some_and(|why| !why.trim().is_empty());
    match section {
        // Only the desk's own opening breaks the seal; a copy on its way never shows it.
        Section::Notifier if !matches!(q.event, Event::Open(_)) => Detail::Sealed,
        Section::Address if to_facility && !address_needed => Detail::Town,
        Section::Narrative if to_facility => Detail::Summary,
        _ => Detail::Full,
    }
}

/// Step 13. A notice on its way is never stopped here; at its opening the seal still holds.
fn something_left(
    q: &Question<'_>,
    basis: &Basis,
    mask: &Mask,
    withheld: &[Withheld],
) -> Result<(), Refusal> {
    let notice = basis.lane == Lane::Notice;
    let opening = matches!(q.event, Event::Open(_));
    if !mask.says_nothing() || (notice && !opening) {
        return Ok(());
    }
    match withheld.iter().map(|w| w.why).min() {
        Some(strictest) => Err(basis.refuse(when_nothing_else_is_left(strictest))),
        None if !mask.is_empty() => Err(basis.refuse(RefusalCode::AddressConcealed)),
        // A notice may say nothing but that a child needs looking after.
        None if notice => Ok(()),
        None => Err(basis.refuse(RefusalCode::MaskEmpty)),
    }
}

const fn when_nothing_else_is_left(why: Why) -> RefusalCode {
    match why {
        Why::Sealed => RefusalCode::NotifierSealed,
        Why::Concealed => RefusalCode::AddressConcealed,
        Why::OtherPerson => RefusalCode::ConsentSubject,
        Why::NotConsented => RefusalCode::ConsentItems,
        Why::BasisItem => RefusalCode::BasisItem,
        Why::NotNeeded | Why::Mask => RefusalCode::MaskEmpty,
    }
}

/// Step 14: health and development leave only after two people have looked; a notice never waits.
/// Life in danger does not wait either.
fn second_person(q: &Question<'_>, basis: &Basis, mask: &Mask) -> Result<(), Refusal> {
    let never_waits = basis.lane == Lane::Notice || basis.code == BasisCode::LifeAndBody;
    let sensitive = mask.of(Section::Health).is_some() || mask.of(Section::Development).is_some();
    let approved = q.approved_by.is_some_and(|approver| approver != q.written_by);
    if q.event == Event::Send && q.second_person && !never_waits && sensitive && !approved {
        return Err(basis.refuse(RefusalCode::ApproverRequired));
    }
    Ok(())
}

#[cfg(test)]
pub(in crate::domain) mod properties;
#[cfg(test)]
mod protected;

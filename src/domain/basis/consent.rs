//! CONSENT: prior consent of the person (個人情報の保護に関する法律 第27条1項・第69条2項1号), and the
//! consent check every basis that needs one shares.

use super::{Basis, Grant, Limit, Persons};
use crate::domain::{
    basis_state::ConsentState,
    consent::{ConsentRecord, Coverage, day_in_japan},
    disclosure::Question,
    mask::Why,
    refusal::{Refusal, RefusalCode},
    subject::SubjectRef,
};

/// Anyone to a recipient the consent names: parties are looked at by the consent check alone.
pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    row.check_records(q)?;
    check(row, q)
}

/// Step 10, in its order: is there a consent, is it in force today, could the giver give it, does it
/// name both parties and this purpose.
pub fn check(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    let refuse = |code| Err(row.refuse(code));
    let Some(consent) = q.consent else { return refuse(RefusalCode::ConsentMissing) };
    let today = day_in_japan(q.at);
    match consent.state {
        ConsentState::Refused | ConsentState::Proposed | ConsentState::Superseded => {
            return refuse(RefusalCode::ConsentMissing);
        }
        ConsentState::Expired => return refuse(RefusalCode::ConsentExpired),
        ConsentState::Withdrawn
        | ConsentState::Propagating
        | ConsentState::Settled
        | ConsentState::SettledWithGaps => return refuse(RefusalCode::ConsentWithdrawn),
        ConsentState::Active => {}
    }
    if !consent.has_begun(today) {
        return refuse(RefusalCode::ConsentNotYet);
    }
    if consent.is_over(today) {
        return refuse(RefusalCode::ConsentExpired);
    }
    let coverage = coverage(consent, q);
    if !giver_had_capacity(&coverage, q) {
        return refuse(RefusalCode::ConsentCapacity);
    }
    // Custody has its place here: the other custodian's view and the grounds for acting alone.
    if consent.sender != q.sender.id || !consent.recipients.contains(&q.recipient.id) {
        return refuse(RefusalCode::ConsentParty);
    }
    if consent.purpose != q.purpose {
        return refuse(RefusalCode::ConsentPurpose);
    }
    Ok(Grant {
        persons: Persons::Only(coverage.people),
        limits: vec![Limit { sections: consent.sections, otherwise: Why::NotConsented }],
        class: q.recipient.kind.class(),
        notifier_goes_along: false,
        reference: Some(format!("consent:{}@v{}", consent.id, consent.version)),
    })
}

/// A referral that declares no subject speaks of the people of its consent.
fn coverage(consent: &ConsentRecord, q: &Question<'_>) -> Coverage {
    let people = if q.subjects.is_empty() { &consent.subjects } else { q.subjects };
    consent.coverage(people, q.case, day_in_japan(q.at))
}

/// Whether the giver could consent for anybody this leg is about and the consent has a line for.
/// Who else the leg is about is withheld person by person, so that one sibling's eighteenth birthday
/// does not stop what concerns the other.
fn giver_had_capacity(coverage: &Coverage, q: &Question<'_>) -> bool {
    let asked_about: Vec<&SubjectRef> = q.asked.iter().flat_map(|s| q.outline.of(s)).flatten().collect();
    let mut concerned =
        coverage.lines.iter().filter(|line| asked_about.is_empty() || asked_about.contains(line)).peekable();
    concerned.peek().is_none() || concerned.any(|line| coverage.people.contains(line))
}

//! CONSENT: prior consent of the person (個人情報の保護に関する法律 第27条1項・第69条2項1号), and the
//! consent check every basis that needs one shares.

use std::collections::BTreeSet;

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
    let coverage = coverage(consent, q);
    let concerned = Concerned::by(q);
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
    if let Some(code) = concerned.decided_against(&coverage) {
        return refuse(code);
    }
    if !consent.has_begun(today) {
        return refuse(RefusalCode::ConsentNotYet);
    }
    if consent.is_over(today) {
        return refuse(RefusalCode::ConsentExpired);
    }
    if !concerned.giver_had_capacity(&coverage) {
        return refuse(RefusalCode::ConsentCapacity);
    }
    if concerned.with_the_household(&coverage.other_custodian).next().is_some() {
        return refuse(RefusalCode::ConsentCustody);
    }
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

/// Whom this leg is about: the people its asked sections name, or the household as a whole.
struct Concerned<'a> {
    named: BTreeSet<&'a SubjectRef>,
    household: bool,
}

impl<'a> Concerned<'a> {
    fn by(q: &Question<'a>) -> Self {
        let parts: Vec<Option<&SubjectRef>> = q.asked.iter().flat_map(|s| q.outline.of(s)).collect();
        Self { household: parts.contains(&None), named: parts.into_iter().flatten().collect() }
    }

    /// Those of a set that the leg names; all of them, if it names nobody.
    fn of<'s>(&self, set: &'s BTreeSet<SubjectRef>) -> impl Iterator<Item = &'s SubjectRef> {
        set.iter().filter(|one| self.named.is_empty() || self.named.contains(one))
    }

    /// The same, where a part about the household speaks of all of them too.
    fn with_the_household<'s>(&self, set: &'s BTreeSet<SubjectRef>) -> impl Iterator<Item = &'s SubjectRef> {
        set.iter().filter(|one| self.household || self.named.is_empty() || self.named.contains(one))
    }

    /// Whether everybody this leg is about said no, or took the consent back. What only some of them refused is
    /// withheld person by person.
    fn decided_against(&self, coverage: &Coverage) -> Option<RefusalCode> {
        if self.of(&coverage.lines).next().is_some() {
            return None;
        }
        let withdrawn = self.of(&coverage.withdrawn).next().map(|_| RefusalCode::ConsentWithdrawn);
        withdrawn.or_else(|| self.of(&coverage.refused).next().map(|_| RefusalCode::ConsentMissing))
    }

    /// Whether the giver could consent for anybody this leg is about and the consent has a line for.
    /// Who else the leg is about is withheld person by person, so that one sibling's eighteenth birthday
    /// does not stop what concerns the other.
    fn giver_had_capacity(&self, coverage: &Coverage) -> bool {
        let could =
            |line: &&SubjectRef| coverage.people.contains(*line) || coverage.other_custodian.contains(*line);
        let mut lines = self.of(&coverage.lines).peekable();
        lines.peek().is_none() || lines.any(|line| could(&line))
    }
}

//! What a basis without consent grants: the data of everybody the referral speaks of, within its items and within
//! what the recipient's column of the default mask leaves (domain.md 7.1).

use super::{Basis, Grant, Items, Limit, Persons, fact::REQUESTED_SECTIONS};
use crate::domain::{
    agency::RecipientClass,
    arrangement::Arrangement,
    disclosure::Question,
    mask::Why,
    referral::ReferralType,
    section::{Section, Sections},
};

impl Basis {
    pub(super) fn grant(&self, q: &Question<'_>) -> Grant {
        self.grant_to(q, q.recipient.kind.class())
    }

    pub(super) fn grant_to(&self, q: &Question<'_>, class: RecipientClass) -> Grant {
        Grant {
            persons: Persons::Everyone,
            limits: self.limits(q, class),
            class,
            notifier_goes_along: false,
            reference: q.arrangement.filter(|_| self.rests_on_arrangement()).map(Arrangement::reference),
        }
    }

    fn limits(&self, q: &Question<'_>, class: RecipientClass) -> Vec<Limit> {
        let only = |sections, otherwise| Limit { sections, otherwise };
        // Money matters pass only where an item list or a consent names them.
        let without_money = only(Sections::all().without(Section::Economic), Why::Mask);
        match self.items {
            // What a consent covers is the consent's to say.
            Items::Consented => vec![only(Sections::NONE, Why::NotConsented)],
            Items::Everything => {
                let mut limits = vec![without_money];
                // To a facility even what the law lets pass goes only as far as the leg calls it needed.
                if class == RecipientClass::Facility {
                    limits.push(only(q.needed, Why::Mask));
                }
                limits
            }
            Items::Needed => {
                let mut limits = vec![only(q.needed, Why::NotNeeded), without_money];
                if class == RecipientClass::CouncilMember {
                    limits.push(only(Sections::all().without(Section::Address), Why::Mask));
                }
                limits
            }
            Items::Arranged => {
                vec![only(q.arrangement.map_or(Sections::NONE, |a| a.sections), Why::BasisItem)]
            }
            Items::Requested => vec![only(q.facts.sections(REQUESTED_SECTIONS.name), Why::BasisItem)],
            Items::CheckUps => vec![only(check_ups(q), Why::BasisItem)],
        }
    }

    /// Whether receipts cite the arrangement of the leg.
    fn rests_on_arrangement(&self) -> bool {
        self.items == Items::Arranged || self.code == super::BasisCode::Council
    }
}

/// A request says who it is about; the reply brings the check-ups.
fn check_ups(q: &Question<'_>) -> Sections {
    let identity = Sections::NONE.with(Section::Identity);
    if q.kind == ReferralType::Inquiry { identity } else { identity.with(Section::Health) }
}

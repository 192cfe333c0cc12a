//! How long a sending is held back: for a few minutes nobody at the recipient sees it, and its sender can undo it.

use jiff::{SignedDuration, Timestamp};

use super::{
    basis::{Basis, BasisCode, Lane},
    referral::{ReferralType, Urgency},
};

/// What decides whether a leg is held back.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    pub kind: ReferralType,
    pub urgency: Urgency,
    pub basis: Option<BasisCode>,
    pub sent_at: Timestamp,
    pub reply_by: Option<Timestamp>,
}

impl Sending {
    /// When the recipient may see it, where that is not at once.
    ///
    /// Nothing delays a 通告, and nothing a 送致, which runs day and night like it; nothing waits where life is in
    /// danger, or where the sender says that somebody must act by the next working day. Where nothing about a person
    /// goes along there is nothing to undo; and who wants an answer before the release means at once.
    pub fn held_until(&self, seconds: u32) -> Option<Timestamp> {
        let basis_waits = self
            .basis
            .is_none_or(|code| code != BasisCode::LifeAndBody && Basis::of(code).lane != Lane::Notice);
        let kind_waits = self.kind.carries_personal_data()
            && !matches!(self.kind, ReferralType::Notice | ReferralType::Transfer);
        let not_urgent = matches!(self.urgency, Urgency::InformationOnly | Urgency::Ordinary);
        if seconds == 0 || !basis_waits || !kind_waits || !not_urgent {
            return None;
        }
        let until = self.sent_at.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()?;
        self.reply_by.is_none_or(|by| by > until).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sending(kind: ReferralType, urgency: Urgency, basis: Option<BasisCode>) -> Sending {
        let sent_at = "2026-11-22T10:00:00+09:00".parse().unwrap();
        Sending { kind, urgency, basis, sent_at, reply_by: None }
    }

    #[test]
    fn only_what_is_ordinary_and_about_a_person_waits() {
        for kind in ReferralType::ALL {
            for urgency in Urgency::ALL {
                for basis in BasisCode::ALL.iter().copied().map(Some).chain([None]) {
                    let held = sending(*kind, *urgency, basis).held_until(300).is_some();
                    let at_once = [ReferralType::Notice, ReferralType::Transfer].contains(kind)
                        || !kind.carries_personal_data()
                        || !["U0", "U1"].contains(&urgency.code())
                        || basis.is_some_and(|code| code.code().starts_with("TSUKOKU"))
                        || basis == Some(BasisCode::LifeAndBody);
                    assert_eq!(held, !at_once, "{kind} {urgency} {basis:?}");
                }
            }
        }
    }

    #[test]
    fn the_time_is_the_setting_and_an_answer_wanted_before_it_is_wanted_at_once() {
        let one = sending(ReferralType::Introduction, Urgency::Ordinary, Some(BasisCode::Consent));
        assert_eq!(one.held_until(300), "2026-11-22T10:05:00+09:00".parse().ok());
        assert_eq!(one.held_until(0), None);
        for (by, held) in [("10:04:59", false), ("10:05:00", false), ("10:05:01", true)] {
            let reply_by = format!("2026-11-22T{by}+09:00").parse().ok();
            assert_eq!(Sending { reply_by, ..one }.held_until(300).is_some(), held, "{by}");
        }
    }
}

//! Hand-over addresses (引継ぎ先番号): one agency may send one hand-over about a family to a recipient that it does not
//! get to know.
//!
//! What the sender sees of it must be the same whoever the recipient is, and must not tell when somebody works there.

use jiff::{SignedDuration, Timestamp};

use super::{
    mask::{Detail, Mask},
    section::{Section, Sections},
};
use crate::code_list;

code_list! {
    /// Where a hand-over address stands, for the agency that gave it.
    HandoverState, "state of a hand-over address" {
        Open = "open", "未使用", "not used yet";
        Used = "used", "送付済み（受信の確認待ち）", "used; not shown as delivered yet";
        Delivered = "delivered", "差出機関に送達済と表示", "shown to the sender as delivered";
        /// Withdrawn, recalled or otherwise over before anybody had taken it.
        Ended = "ended", "受信される前に終了", "over before it was taken";
        Revoked = "revoked", "取消", "revoked";
    }
}

/// How often it is looked whether a copy was taken. A whole week hides on which days and at what hours somebody works.
const LOOK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The next moment at which the sender may learn that its copy was taken: counted in weeks from the sending, by
/// nothing the recipient did.
pub fn next_look(sent_at: Timestamp, now: Timestamp) -> Timestamp {
    let gone = now.duration_since(sent_at).as_secs().max(0) / LOOK.as_secs();
    let weeks = i32::try_from(gone + 1).unwrap_or(i32::MAX);
    sent_at.checked_add(LOOK.saturating_mul(weeks)).unwrap_or(Timestamp::MAX)
}

/// Whether a section can be sent to an address. Where the family lived tells nothing the recipient needs; and how an
/// address is shown depends on who gets it.
pub const fn travels(section: Section) -> bool {
    !matches!(section, Section::Address | Section::Contact | Section::Notifier)
}

/// Of these sections, those that can be sent to an address.
pub fn travelling(sections: Sections) -> Sections {
    sections.iter().filter(|section| travels(*section)).collect()
}

/// A mask as any recipient would have it: as narrow as a facility's, so that the manifest does not tell what kind of
/// agency the recipient is.
#[must_use]
pub fn as_for_anybody(mask: Mask) -> Mask {
    mask.at_most(Section::Narrative, Detail::Summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_sender_learns_in_whole_weeks_from_its_sending() {
        let sent = at("2026-11-20T18:12:13+09:00");
        for (now, next) in [
            ("2026-11-20T18:12:13+09:00", "2026-11-27T18:12:13+09:00"),
            ("2026-11-22T09:00:00+09:00", "2026-11-27T18:12:13+09:00"),
            ("2026-11-27T18:12:13+09:00", "2026-12-04T18:12:13+09:00"),
            ("2027-01-05T00:00:00+09:00", "2027-01-08T18:12:13+09:00"),
            // A clock that went back begins anew.
            ("2026-11-19T00:00:00+09:00", "2026-11-27T18:12:13+09:00"),
        ] {
            assert_eq!(next_look(sent, at(now)), at(next), "{now}");
        }
        assert_eq!(next_look(sent, Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn what_places_a_family_does_not_travel() {
        for section in Section::ALL {
            let stays = ["address", "contact", "notifier"].contains(&section.code());
            assert_eq!(travels(*section), !stays, "{section}");
        }
    }
}

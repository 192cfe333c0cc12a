//! What the sender of a 通告 is told of it: that it arrived, and that the desk took it (受理). What the desk did with it
//! is the desk's: the child's and the family's matters, and nobody's who gave notice (児童虐待の防止等に関する法律
//! 第7条; domain.md DC-073).
//!
//! Until the desk takes it the two can speak: the desk may say that it is not the one, or ask. The step by which it is
//! taken is the last that the sender is told of, and the last word: what the sender has to add is another notice, or a
//! telephone call.

use crate::domain::{
    delivery::DeliveryState,
    leg::{LegAction, LegState},
    receipt::ReceiptLevel,
    referral::ReferralType,
};

/// In which a notice stands for its sender once the desk has taken it, whatever becomes of it.
pub const TAKEN: LegState = LegState::Accepted;

/// Whether a party of a leg is told no more than this: the sender of a notice.
pub fn is_told_little(kind: ReferralType, is_sender: bool) -> bool {
    is_sender && kind == ReferralType::Notice
}

/// The place among the states a leg has been through at which the desk took it.
pub fn taken_at(states: impl IntoIterator<Item = LegState>) -> Option<usize> {
    states.into_iter().position(|state| state == TAKEN)
}

/// Whether the sender is told of a step before the notice is taken, or of the taking itself. That somebody looked, and
/// who, is not among it.
pub fn tells_step(action: LegAction) -> bool {
    action != LegAction::View
}

/// Whether the step's own words are for the sender. That it was taken says everything.
pub fn tells_words(state: LegState) -> bool {
    state != TAKEN
}

/// Whether a rung of the ladder is shown to the sender.
pub fn tells_rung(level: ReceiptLevel) -> bool {
    level != ReceiptLevel::R3
}

/// The state of the copy, as the sender is told it.
pub fn copy(state: DeliveryState) -> DeliveryState {
    if state == DeliveryState::Opened { DeliveryState::Taken } else { state }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_of_a_notice_is_told_little_and_nobody_else_is() {
        for kind in ReferralType::ALL {
            assert_eq!(is_told_little(*kind, true), *kind == ReferralType::Notice);
            assert!(!is_told_little(*kind, false));
        }
    }

    #[test]
    fn what_comes_after_the_taking_is_cut_off() {
        use LegState::{
            Accepted, Completed, Declined, InProgress, InfoRequested, OnHold, Received, Requested,
        };
        for (states, taken) in [
            (vec![], None),
            (vec![Requested], None),
            (vec![Requested, Received, InfoRequested, Received], None),
            (vec![Requested, Received, Declined], None),
            (vec![Requested, Received, Accepted], Some(2)),
            (vec![Requested, Received, Accepted, Accepted, InProgress, Completed], Some(2)),
            // Resumed after a hold: the first time counts.
            (vec![Requested, Received, Accepted, OnHold, Accepted], Some(2)),
        ] {
            assert_eq!(taken_at(states.iter().copied()), taken, "{states:?}");
        }
    }

    #[test]
    fn that_somebody_opened_it_is_not_told() {
        let hidden: Vec<_> = ReceiptLevel::ALL.iter().filter(|level| !tells_rung(**level)).collect();
        assert_eq!(hidden, [&ReceiptLevel::R3]);
        let hidden: Vec<_> = LegAction::ALL.iter().filter(|action| !tells_step(**action)).collect();
        assert_eq!(hidden, [&LegAction::View]);
        let said: Vec<_> = LegState::ALL.iter().filter(|state| !tells_words(**state)).collect();
        assert_eq!(said, [&LegState::Accepted]);
        for state in DeliveryState::ALL {
            assert_ne!(copy(*state), DeliveryState::Opened);
            assert!(copy(*state) == *state || *state == DeliveryState::Opened);
        }
    }
}

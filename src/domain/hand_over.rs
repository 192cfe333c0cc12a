//! A hand-over (移管) of a family from one municipality to another: who is responsible for it, what has to be taken
//! over before anything is read, and by when the other side should have answered.
//!
//! Nobody stores who is responsible: it follows from the state of the leg, so that it can be neither nobody nor two.

use jiff::{SignedDuration, Timestamp};

use super::{
    calendar::end_of_working_day,
    fault::Phrase,
    leg::{LegAction, LegState},
    referral::ReferralType,
};
use crate::code_list;

/// Who is responsible for the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responsible {
    Sender,
    Recipient,
}

impl Responsible {
    /// With the sender until the recipient accepts, and with it again if the hand-over ends without an acceptance, is
    /// recalled, or loses its consent.
    ///
    /// The table of the leg sees to it that the state alone tells: what was accepted is neither cancelled nor passed
    /// back, and what is being cancelled is not completed.
    pub const fn of(state: LegState) -> Self {
        match state {
            LegState::Accepted
            | LegState::Scheduled
            | LegState::InProgress
            | LegState::OnHold
            | LegState::Completed
            | LegState::Discontinued => Self::Recipient,
            LegState::Draft
            | LegState::AwaitingBasis
            | LegState::Requested
            | LegState::Received
            | LegState::InfoRequested
            | LegState::Waitlisted
            | LegState::CancelRequested
            | LegState::Declined
            | LegState::Forwarded
            | LegState::Cancelled
            | LegState::Withdrawn
            | LegState::Expired
            | LegState::EnteredInError => Self::Sender,
        }
    }

    /// This one of the two parties of a leg.
    pub fn among<T>(self, sender: T, recipient: T) -> T {
        match self {
            Self::Sender => sender,
            Self::Recipient => recipient,
        }
    }
}

/// Whether the same family may be handed over anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anew {
    Yes,
    /// A hand-over is under way, and its recipient may still accept it.
    UnderWay,
    /// It was accepted: the family is not the sender's any more.
    HandedOver,
}

impl Anew {
    /// After a hand-over that stands in this state.
    pub const fn after(state: LegState) -> Self {
        match Responsible::of(state) {
            Responsible::Recipient => Self::HandedOver,
            Responsible::Sender if state.terminal() => Self::Yes,
            Responsible::Sender => Self::UnderWay,
        }
    }
}

/// Whether the recipient has taken over what protects the family, if anything does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Waiting,
    Taken,
}

code_list! {
    /// The protection of a family that is handed over, as both sides see it.
    FlagState, "state of a protection that is handed over" {
        None = "none", "秘匿なし", "no protection";
        Waiting = "waiting", "引受け待ち", "waits to be taken over";
        Taken = "taken", "引受け済み", "taken over";
    }
}

code_list! {
    /// How the two sides of a hand-over meet.
    MeetingWay, "way of a meeting" {
        InPerson = "in_person", "対面", "in person";
        Online = "online", "オンライン", "online";
        Telephone = "telephone", "電話", "by telephone";
    }
}

code_list! {
    /// The clocks of a hand-over that its recipient has not decided.
    HandOverClock, "clock of a hand-over" {
        Reminder = "hand_over_reminder", "引継ぎの確認（3開庁日）", "hand-over: ask again (three working days)";
        Escalation = "hand_over_escalation", "引継ぎの上申（7日）", "hand-over: tell a superior (seven days)";
    }
}

impl HandOverClock {
    pub fn due(self, sent_at: Timestamp) -> Timestamp {
        const ESCALATES_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
        match self {
            Self::Reminder => end_of_working_day(sent_at, 3),
            Self::Escalation => sent_at.checked_add(ESCALATES_AFTER).unwrap_or(Timestamp::MAX),
        }
    }

    /// Its calendar, as the API names it.
    pub const fn runs(self) -> &'static str {
        match self {
            Self::Reminder => "working_days",
            Self::Escalation => "day_and_night",
        }
    }
}

/// The clocks that run: none once the recipient is responsible, or the hand-over has ended.
pub fn clocks(kind: ReferralType, state: LegState) -> &'static [HandOverClock] {
    if kind == ReferralType::HandOver && Anew::after(state) == Anew::UnderWay {
        HandOverClock::ALL
    } else {
        &[]
    }
}

/// What an act means for the responsibility, where it means anything: in place of its usual label.
pub const fn consequence(action: LegAction) -> Option<Phrase> {
    Some(match action {
        LegAction::Acknowledge => Phrase {
            ja: "引継ぎの連絡を受領する（秘匿があれば引き受ける）。責任は差出機関のまま",
            en: "say that the hand-over has arrived, and take over its protection; the sender stays responsible",
        },
        LegAction::Accept => Phrase {
            ja: "引継ぎを受け入れる（受理する）。この時から自機関が責任を負う",
            en: "accept the hand-over: from this moment your agency is responsible",
        },
        LegAction::Decline => Phrase {
            ja: "引継ぎを断る。責任は差出機関に残る",
            en: "decline the hand-over: the sender stays responsible",
        },
        LegAction::Waitlist => Phrase {
            ja: "引継ぎを待機にする。責任は差出機関のまま",
            en: "put the hand-over off: the sender stays responsible",
        },
        LegAction::Cancel | LegAction::Undo => Phrase {
            ja: "引継ぎを取りやめる。責任は自機関に残る",
            en: "cancel the hand-over: your agency stays responsible",
        },
        LegAction::Recall => Phrase {
            ja: "誤送信として回収する。終わっていなければ、責任は自機関に戻る",
            en: "recall it as sent by mistake: unless it has ended, your agency is responsible again",
        },
        _ => return None,
    })
}

/// What the recipient of a hand-over must know of consents, wherever it looks at it.
pub const ASK_ANEW: Phrase = Phrase {
    ja: "差出機関が得た同意は引き継がれません。同意に基づいて他機関に伝えるには、ご家族に説明し、自機関あての同意を新たに得てください。",
    en: "The sender's consents are not handed over. Before you pass anything on by consent, explain it to the family and obtain a consent of your own.",
};

/// What to do where the protection has not been taken over.
pub const TAKE_OVER_FIRST: Phrase = Phrase {
    ja: "担当の職員が、この家族の自機関での相談ケースのIDを書いて、引継ぎの受領（acknowledge）を行ってください。秘匿が自機関の記録になり、内容を開けるようになります。",
    en: "Let a named person acknowledge the hand-over (acknowledge) and state your own case id of this family: the protection becomes your agency's, and the content opens.",
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        leg::{self, Actor},
        leg_facts::{BeforeHold, Facts, HandOverFact, Lane, Onward, Silence},
        referral::Urgency,
    };

    /// The facts under which a hand-over lives; those that tell of nothing here are as they may be.
    fn facts() -> impl Strategy<Value = Facts> {
        let lanes = prop_oneof![Just(Lane::Consent), Just(Lane::Statutory)];
        let flags = prop_oneof![Just(HandOverFact::FlagWaits), Just(HandOverFact::Clear)];
        let before = prop_oneof![
            Just(BeforeHold::Accepted),
            Just(BeforeHold::Scheduled),
            Just(BeforeHold::InProgress)
        ];
        let onward = prop_oneof![Just(Onward::Covered), Just(Onward::NotCovered)];
        (lanes, flags, before, onward).prop_map(|(lane, hand_over, before_hold, onward)| Facts {
            hand_over,
            before_hold,
            onward,
            silence: Silence::StepsDone,
            cancel_wait: crate::domain::leg_facts::CancelWait::Over,
            ..Facts::cautious(lane, Urgency::Ordinary)
        })
    }

    /// What somebody tries, picked from everything that is possible at that moment.
    type Try = (Facts, prop::sample::Index);

    fn step(state: LegState, (facts, pick): &Try) -> Option<(&'static leg::Transition, Actor)> {
        let possible: Vec<_> = Actor::ALL
            .iter()
            .flat_map(|actor| {
                leg::available(state, *actor, facts).into_iter().map(|one| (one.action, *actor))
            })
            .collect();
        let (action, actor) = *possible.get(pick.index(possible.len().max(1)))?;
        Some((leg::step(state, action, actor, facts).unwrap(), actor))
    }

    proptest! {
        #[test]
        fn responsibility_passes_by_acceptance_alone_and_returns_only_from_the_senders_side(
            tries in prop::collection::vec((facts(), any::<prop::sample::Index>()), 0..60),
        ) {
            let mut state = LegState::Requested;
            for one in &tries {
                let Some((row, actor)) = step(state, one) else { break };
                let to = row.to.unwrap_or(state);
                match (Responsible::of(state), Responsible::of(to)) {
                    (Responsible::Sender, Responsible::Recipient) => {
                        prop_assert_eq!((row.action, actor), (LegAction::Accept, Actor::ReceiverStaff));
                        prop_assert_ne!(one.0.hand_over, HandOverFact::FlagWaits, "the protection comes first");
                    }
                    (Responsible::Recipient, Responsible::Sender) => {
                        prop_assert!(matches!(row.action, LegAction::Recall | LegAction::Withdraw), "{:?}", row);
                        prop_assert!(!matches!(actor, Actor::ReceiverStaff | Actor::Hub), "{:?}", actor);
                    }
                    _ => {}
                }
                state = to;
            }
        }

        /// Whatever is tried, in whatever order, a family is with exactly one agency: its first one, or one other.
        #[test]
        fn of_all_hand_overs_of_a_family_one_recipient_at_most_is_responsible(
            tries in prop::collection::vec((0..5_usize, facts(), any::<prop::sample::Index>()), 0..200),
        ) {
            let mut legs: Vec<LegState> = Vec::new();
            for (place, facts, pick) in tries {
                match legs.get(place).copied() {
                    Some(state) => {
                        if let Some((row, _)) = step(state, &(facts, pick)) {
                            legs[place] = row.to.unwrap_or(state);
                        }
                    }
                    None if legs.last().is_none_or(|last| Anew::after(*last) == Anew::Yes) => {
                        legs.push(LegState::Requested);
                    }
                    None => {}
                }
                let others = legs.iter().filter(|state| Responsible::of(**state) == Responsible::Recipient);
                prop_assert!(others.count() <= 1, "{:?}", legs);
                let open = legs.iter().filter(|state| !state.terminal()).count();
                prop_assert!(open <= 1, "two may accept: {:?}", legs);
            }
        }
    }

    #[test]
    fn the_clocks_of_an_undecided_hand_over_run_until_it_is_accepted_or_ends() {
        let kind = ReferralType::HandOver;
        for state in [LegState::Requested, LegState::Received, LegState::InfoRequested, LegState::Waitlisted]
        {
            assert_eq!(clocks(kind, state).len(), 2, "{state}");
            assert!(clocks(ReferralType::Introduction, state).is_empty());
        }
        for state in [LegState::Accepted, LegState::Completed, LegState::Declined, LegState::EnteredInError] {
            assert!(clocks(kind, state).is_empty(), "{state}");
        }
        // A Thursday; Monday is a holiday.
        let sent = "2026-11-19T10:00:00+09:00".parse().unwrap();
        assert_eq!(HandOverClock::Reminder.due(sent).to_string(), "2026-11-25T15:00:00Z");
        assert_eq!(HandOverClock::Escalation.due(sent).to_string(), "2026-11-26T01:00:00Z");
    }
}

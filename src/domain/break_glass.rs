//! 緊急閲覧 (break-glass): a named person opens, for at most an hour, what a permission that has lapsed meanwhile no
//! longer lets it open. It overrides nothing: it is a state with an expiry, looked at in every opening, told to the
//! owner at once and reviewed by two agencies.

mod passage;

use jiff::{SignedDuration, Timestamp};

pub use passage::{Passage, passage, under};

use crate::code_list;

/// How long it lasts at most.
pub const LONGEST: SignedDuration = SignedDuration::from_mins(60);
/// Within which time both agencies have reviewed it.
pub const REVIEW_WITHIN: SignedDuration = SignedDuration::from_hours(24);

code_list! {
    /// Where a break-glass stands.
    GlassState, "state of a break-glass" {
        Open = "open", "閲覧できる", "open";
        Closed = "closed", "終了・確認待ち", "over, to be reviewed";
        Settled = "settled", "確認済", "reviewed by both";
    }
}

code_list! {
    /// What a review found.
    ReviewOutcome, "outcome of a review" {
        Justified = "justified", "必要だった", "justified";
        NotJustified = "not_justified", "必要と認められない", "not justified";
    }
}

code_list! {
    /// Who reviews: each of the two agencies once.
    Reviewer, "reviewer of a break-glass" {
        /// A supervisor of the agency that opened, not the one who opened.
        Own = "own", "開いた機関の管理職", "a supervisor of the agency that opened";
        Owner = "owner", "差出機関", "the owner";
    }
}

/// What happens to a break-glass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its time is over.
    Lapse,
    Justify,
    /// Found not justified: nothing is opened under it any more.
    Condemn,
}

/// Whether the other agency has reviewed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    Missing,
    Done,
}

/// The table: from which state what leads where. Nothing leads back to [`GlassState::Open`].
pub const TRANSITIONS: &[(GlassState, Act, Other, GlassState)] = &[
    (GlassState::Open, Act::Lapse, Other::Missing, GlassState::Closed),
    (GlassState::Open, Act::Lapse, Other::Done, GlassState::Closed),
    (GlassState::Open, Act::Justify, Other::Missing, GlassState::Open),
    (GlassState::Open, Act::Justify, Other::Done, GlassState::Settled),
    (GlassState::Open, Act::Condemn, Other::Missing, GlassState::Closed),
    (GlassState::Open, Act::Condemn, Other::Done, GlassState::Settled),
    (GlassState::Closed, Act::Justify, Other::Missing, GlassState::Closed),
    (GlassState::Closed, Act::Justify, Other::Done, GlassState::Settled),
    (GlassState::Closed, Act::Condemn, Other::Missing, GlassState::Closed),
    (GlassState::Closed, Act::Condemn, Other::Done, GlassState::Settled),
];

/// The state after an act; none where the table has no row.
pub fn step(from: GlassState, act: Act, other: Other) -> Option<GlassState> {
    TRANSITIONS.iter().find(|row| (row.0, row.1, row.2) == (from, act, other)).map(|row| row.3)
}

/// A break-glass, as rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glass {
    pub state: GlassState,
    pub until: Timestamp,
    pub review_due: Timestamp,
    pub own: Option<ReviewOutcome>,
    pub owner: Option<ReviewOutcome>,
}

impl Glass {
    /// A glass broken at this moment for so many minutes.
    pub fn broken(at: Timestamp, minutes: u8) -> Self {
        let length = SignedDuration::from_mins(i64::from(minutes)).min(LONGEST);
        let after = |length| at.checked_add(length).unwrap_or(at);
        Self {
            state: GlassState::Open,
            until: after(length),
            review_due: after(REVIEW_WITHIN),
            own: None,
            owner: None,
        }
    }

    /// The state at a moment: no glass is open past its time, whoever has or has not written that down.
    pub fn as_of(&self, now: Timestamp) -> GlassState {
        let over = self.state == GlassState::Open && now >= self.until;
        let lapsed = over.then(|| step(self.state, Act::Lapse, Other::Missing)).flatten();
        lapsed.unwrap_or(self.state)
    }

    pub fn is_open(&self, now: Timestamp) -> bool {
        self.as_of(now) == GlassState::Open
    }

    /// Whether its review is late: until it is made up for, the person breaks no other glass.
    pub fn suspends(&self, now: Timestamp) -> bool {
        self.state != GlassState::Settled && now >= self.review_due
    }

    /// One agency's review, once.
    ///
    /// # Errors
    /// The state, where this agency has reviewed it already.
    pub fn review(
        self,
        reviewer: Reviewer,
        outcome: ReviewOutcome,
        now: Timestamp,
    ) -> Result<Self, GlassState> {
        let (mine, other) = match reviewer {
            Reviewer::Own => (self.own, self.owner),
            Reviewer::Owner => (self.owner, self.own),
        };
        let state = self.as_of(now);
        let act = match outcome {
            ReviewOutcome::Justified => Act::Justify,
            ReviewOutcome::NotJustified => Act::Condemn,
        };
        let other = if other.is_some() { Other::Done } else { Other::Missing };
        let to = step(state, act, other).filter(|_| mine.is_none()).ok_or(state)?;
        let made = Self { state: to, ..self };
        Ok(match reviewer {
            Reviewer::Own => Self { own: Some(outcome), ..made },
            Reviewer::Owner => Self { owner: Some(outcome), ..made },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACTS: [Act; 3] = [Act::Lapse, Act::Justify, Act::Condemn];

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + minutes * 60).unwrap()
    }

    #[test]
    fn every_state_and_act_has_at_most_one_row_and_nothing_opens_again() {
        for state in GlassState::ALL {
            for act in ACTS {
                for other in [Other::Missing, Other::Done] {
                    let rows = TRANSITIONS.iter().filter(|row| (row.0, row.1, row.2) == (*state, act, other));
                    assert!(rows.count() <= 1);
                    let to = step(*state, act, other);
                    let opens = to == Some(GlassState::Open);
                    assert!(!opens || (*state == GlassState::Open && act == Act::Justify), "{state} {act:?}");
                }
            }
        }
        assert!(ACTS.iter().all(|act| step(GlassState::Settled, *act, Other::Done).is_none()));
    }

    #[test]
    fn it_lasts_an_hour_at_most_and_ends_by_itself() {
        let glass = Glass::broken(at(0), 200);
        assert!(glass.is_open(at(59)) && !glass.is_open(at(60)));
        assert!(!Glass::broken(at(0), 5).is_open(at(5)));
        assert!(!glass.suspends(at(24 * 60 - 1)) && glass.suspends(at(24 * 60)));
    }

    #[test]
    fn a_review_that_condemns_ends_it_and_both_settle_it() {
        let glass = Glass::broken(at(0), 60);
        let fine = glass.review(Reviewer::Owner, ReviewOutcome::Justified, at(1)).unwrap();
        assert!(fine.is_open(at(2)));
        assert_eq!(
            fine.review(Reviewer::Owner, ReviewOutcome::NotJustified, at(2)),
            Err(GlassState::Open),
            "once"
        );
        let condemned = glass.review(Reviewer::Own, ReviewOutcome::NotJustified, at(1)).unwrap();
        assert!(!condemned.is_open(at(2)) && condemned.suspends(at(2000)));
        let settled = condemned.review(Reviewer::Owner, ReviewOutcome::Justified, at(2000)).unwrap();
        assert_eq!(settled.state, GlassState::Settled);
        assert!(!settled.suspends(at(9000)), "late, but made up for");
        assert!(settled.review(Reviewer::Own, ReviewOutcome::Justified, at(2001)).is_err());
    }

    proptest! {
        /// Whatever is reviewed when: open means within its time, and once closed it stays so.
        #[test]
        fn nothing_lasts_longer_than_its_time(
            minutes in 0u8..255,
            steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0i64..3000), 0..5),
            look in 0i64..3000,
        ) {
            let mut glass = Glass::broken(at(0), minutes);
            let mut steps = steps;
            steps.sort_by_key(|step| step.2);
            let mut closed = false;
            for (own, fine, when) in steps {
                let reviewer = if own { Reviewer::Own } else { Reviewer::Owner };
                let outcome = if fine { ReviewOutcome::Justified } else { ReviewOutcome::NotJustified };
                glass = glass.review(reviewer, outcome, at(when)).unwrap_or(glass);
                prop_assert!(!(closed && glass.is_open(at(when))));
                closed |= !glass.is_open(at(when));
            }
            prop_assert!(!glass.is_open(at(look)) || look < i64::from(minutes).min(60));
            prop_assert_eq!(glass.state == GlassState::Settled, glass.own.is_some() && glass.owner.is_some());
        }
    }
}

//! How long to wait before the next attempt, and when to give up.
//!
//! Giving up ends a push, never a delivery: the delivery stays in the inbox, and its deadline
//! escalates. Chance is an argument, so that a schedule can be read and tested.

use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// No wait is longer than this. A job that would be due later is taken for one that a clock
/// jumping back has left behind, and is done at once; so a jittered wait must not pass it either.
pub const LONGEST_WAIT: Duration = Duration::from_secs(6 * HOUR);

/// The factor that spreads retries, so that everything that failed together does not come back
/// together: from 0.8 to 1.2.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Jitter(f64);

impl Jitter {
    /// No spreading.
    pub const NONE: Self = Self(1.0);

    /// A factor, brought into 0.8..=1.2. What is no number spreads nothing.
    pub fn factor(factor: f64) -> Self {
        if factor.is_nan() { Self::NONE } else { Self(factor.clamp(0.8, 1.2)) }
    }

    /// The factor for an evenly drawn number from 0 to 1.
    pub fn drawn(chance: f64) -> Self {
        Self::factor(0.8 + 0.4 * chance)
    }
}

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// A doorbell, by AMQP or webhook: 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, then every
    /// 6 h until eight days have passed.
    Doorbell,
    /// A mail: 1 min, 5 min, 15 min, 1 h, then every 4 h until two days have passed.
    Mail,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    After(Duration),
    GiveUp,
}

impl Schedule {
    const fn steps(self) -> &'static [u64] {
        match self {
            Self::Doorbell => &[
                5 * SECOND,
                30 * SECOND,
                2 * MINUTE,
                10 * MINUTE,
                30 * MINUTE,
                HOUR,
                2 * HOUR,
                4 * HOUR,
                6 * HOUR,
            ],
            Self::Mail => &[MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR],
        }
    }

    /// How long after the first attempt the last one may be.
    pub const fn limit(self) -> Duration {
        match self {
            Self::Doorbell => Duration::from_secs(8 * DAY),
            Self::Mail => Duration::from_secs(2 * DAY),
        }
    }

    /// The wait after `failed` attempts, before it is spread. The last step repeats.
    pub fn base(self, failed: u32) -> Duration {
        let steps = self.steps();
        let place = usize::try_from(failed.saturating_sub(1)).unwrap_or(usize::MAX).min(steps.len() - 1);
        Duration::from_secs(steps[place])
    }

    /// What to do after `failed` attempts, the first of which was `age` ago.
    ///
    /// A failure that will not pass by itself is not brought here: it ends at once.
    pub fn next(self, failed: u32, age: Duration, jitter: Jitter) -> Next {
        let wait = self.base(failed).mul_f64(jitter.0).min(LONGEST_WAIT);
        if age.saturating_add(wait) > self.limit() { Next::GiveUp } else { Next::After(wait) }
    }

    /// What to do after `failed` attempts that kept to this schedule: where only their number was written down.
    pub fn after(self, failed: u32, jitter: Jitter) -> Next {
        // No schedule has this many steps within its limit.
        const MANY: u32 = 1000;
        let age = (1..failed.min(MANY)).map(|earlier| self.base(earlier)).sum();
        self.next(failed, age, jitter)
    }
}

/// The wait before connecting again to a server after `failed` attempts in a row: full jitter
/// between 0.2 s and a bound that doubles up to 5 s. `chance` is an evenly drawn number from 0 to 1.
///
/// The bound is short because the far side is our own broker: nobody else is spared by waiting.
pub fn reconnect_after(failed: u32, chance: f64) -> Duration {
    const LEAST: f64 = 0.2;
    const MOST: f64 = 5.0;
    // 2^5 × 0.2 s is past the bound already; the exponent stays small.
    let bound = (LEAST * f64::from(1u32 << failed.min(5))).min(MOST);
    let chance = if chance.is_nan() { 1.0 } else { chance.clamp(0.0, 1.0) };
    Duration::from_secs_f64(LEAST + (bound - LEAST) * chance)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All attempts of a job that never succeeds, as seconds after the first.
    fn attempts(schedule: Schedule, jitter: Jitter) -> Vec<u64> {
        let mut age = Duration::ZERO;
        let mut at = vec![0];
        for failed in 1.. {
            match schedule.next(failed, age, jitter) {
                Next::After(wait) => age += wait,
                Next::GiveUp => break,
            }
            at.push(age.as_secs());
        }
        at
    }

    #[test]
    fn a_doorbell_is_rung_for_eight_days() {
        let at = attempts(Schedule::Doorbell, Jitter::NONE);
        assert_eq!(at[..5], [0, 5, 35, 155, 755]);
        assert_eq!(at[9] - at[8], 6 * HOUR);
        assert!(*at.last().unwrap() <= 8 * DAY && *at.last().unwrap() > 8 * DAY - 6 * HOUR);
    }

    #[test]
    fn a_mail_is_tried_for_two_days() {
        let at = attempts(Schedule::Mail, Jitter::NONE);
        assert_eq!(at[..6], [0, 60, 360, 1260, 4860, 4860 + 4 * HOUR]);
        assert!(*at.last().unwrap() <= 2 * DAY && *at.last().unwrap() > 2 * DAY - 4 * HOUR);
    }

    #[test]
    fn the_number_of_attempts_tells_the_same_as_their_times() {
        for schedule in [Schedule::Doorbell, Schedule::Mail] {
            let at = attempts(schedule, Jitter::NONE);
            let mut again = vec![0];
            while let Next::After(wait) = schedule.after(again.len() as u32, Jitter::NONE) {
                again.push(again.last().unwrap() + wait.as_secs());
            }
            assert_eq!(again, at);
            assert_eq!(schedule.after(u32::MAX, Jitter::NONE), Next::GiveUp);
        }
    }

    #[test]
    fn a_wait_is_never_taken_for_a_clock_that_jumped() {
        // 6 h × 1.2 would be past the bound at which a waiting job is done at once.
        let wait = Schedule::Doorbell.next(20, Duration::from_secs(DAY), Jitter::factor(1.2));
        assert_eq!(wait, Next::After(LONGEST_WAIT));
    }

    proptest! {
        #[test]
        fn waits_stay_within_the_jitter_and_end(failed in 1u32.., age in 0u64..20 * DAY, chance in 0.0f64..=1.0) {
            for schedule in [Schedule::Doorbell, Schedule::Mail] {
                let age = Duration::from_secs(age);
                match schedule.next(failed, age, Jitter::drawn(chance)) {
                    Next::After(wait) => {
                        prop_assert!(wait >= schedule.base(failed).mul_f64(0.799));
                        prop_assert!(wait <= schedule.base(failed).mul_f64(1.201).min(LONGEST_WAIT));
                        prop_assert!(age + wait <= schedule.limit());
                    }
                    Next::GiveUp => prop_assert!(age + LONGEST_WAIT > schedule.limit()),
                }
            }
        }

        #[test]
        fn later_waits_are_not_shorter(failed in 1u32..1000) {
            for schedule in [Schedule::Doorbell, Schedule::Mail] {
                prop_assert!(schedule.base(failed) <= schedule.base(failed + 1));
            }
        }

        #[test]
        fn any_factor_becomes_a_sane_one(factor in any::<f64>()) {
            let Jitter(kept) = Jitter::factor(factor);
            prop_assert!((0.8..=1.2).contains(&kept));
        }

        #[test]
        fn a_reconnect_waits_between_a_fifth_of_a_second_and_five(failed in any::<u32>(), chance in any::<f64>()) {
            let wait = reconnect_after(failed, chance).as_secs_f64();
            prop_assert!((0.2..=5.0).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn the_first_reconnect_is_quick_and_the_bound_is_reached() {
        assert_eq!(reconnect_after(0, 1.0), Duration::from_millis(200));
        assert_eq!(reconnect_after(1, 1.0), Duration::from_millis(400));
        assert_eq!(reconnect_after(50, 1.0), Duration::from_secs(5));
        assert_eq!(reconnect_after(50, 0.0), Duration::from_millis(200));
    }
}

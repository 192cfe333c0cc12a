//! Mail that is not urgent is gathered and sent at hours the agency sets.
//!
//! A desk that is mailed for every event stops reading. An urgent leg does not wait here.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Japan Standard Time is nine hours ahead of UTC all the year round.
const JAPAN: i64 = 9 * 3600;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Why a list of hours was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    #[error("gathered mail needs at least one hour of the day, for example [9, 13, 16]")]
    None,
    #[error("gathered mail goes out at most six times a day")]
    TooMany,
    #[error("an hour of the day is a number from 0 to 23")]
    NoHour,
    #[error("the hours of gathered mail must differ")]
    Twice,
}

/// The hours of the day, in Japan Standard Time, at which gathered mail goes out: one to six,
/// ascending. Written as a list of numbers, for example `[9, 13, 16]`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct GatherHours(Vec<u8>);

impl GatherHours {
    pub const MOST: usize = 6;

    /// The hours in any order; they are kept ascending.
    ///
    /// # Errors
    ///
    /// [`BadHours`] for no hour, more than six, one that a day does not have, or one named twice.
    pub fn new(mut hours: Vec<u8>) -> Result<Self, BadHours> {
        match hours.len() {
            0 => return Err(BadHours::None),
            1..=Self::MOST => {}
            _ => return Err(BadHours::TooMany),
        }
        if hours.iter().any(|hour| *hour > 23) {
            return Err(BadHours::NoHour);
        }
        hours.sort_unstable();
        if hours.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(BadHours::Twice);
        }
        Ok(Self(hours))
    }

    /// The hours, ascending.
    pub fn hours(&self) -> &[u8] {
        &self.0
    }

    /// The next moment at which gathered mail goes out, always after `now`: what is gathered at
    /// the stroke of an hour waits for the following one, so that a mail just sent is not due again.
    pub fn next_slot(&self, now: Timestamp) -> Timestamp {
        // Rounded down, so that a part of a second does not make the hour seem to have come.
        let local = now.as_nanosecond().div_euclid(1_000_000_000) as i64 + JAPAN;
        let (midnight, second) = (local - local.rem_euclid(DAY), local.rem_euclid(DAY));
        let later = self.0.iter().map(|hour| i64::from(*hour) * HOUR).find(|at| *at > second);
        let slot = match later {
            Some(at) => midnight + at,
            None => midnight + DAY + self.0.first().map_or(0, |hour| i64::from(*hour) * HOUR),
        };
        // Only the last day that can be written has no next slot; such a clock is wrong anyway.
        Timestamp::from_second(slot - JAPAN).unwrap_or(Timestamp::MAX)
    }

    /// How long something that happens `now` waits, at most a day.
    pub fn wait(&self, now: Timestamp) -> SignedDuration {
        now.duration_until(self.next_slot(now))
    }
}

impl Default for GatherHours {
    /// 9, 13 and 16 o'clock: at the opening, after lunch, and while there is still time to act.
    fn default() -> Self {
        Self(vec![9, 13, 16])
    }
}

impl fmt::Debug for GatherHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<Vec<u8>> for GatherHours {
    type Error = BadHours;

    fn try_from(hours: Vec<u8>) -> Result<Self, BadHours> {
        Self::new(hours)
    }
}

impl From<GatherHours> for Vec<u8> {
    fn from(hours: GatherHours) -> Self {
        hours.0
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn next(hours: &[u8], now: &str) -> String {
        let now: Timestamp = now.parse().unwrap();
        let slot = GatherHours::new(hours.to_vec()).unwrap().next_slot(now);
        slot.display_with_offset(jiff::tz::Offset::constant(9)).to_string()
    }

    #[test]
    fn mail_goes_out_at_the_hours_of_japan() {
        let hours = [16, 9, 13];
        assert_eq!(next(&hours, "2026-11-30T08:59:59.999999+09:00"), "2026-11-30T09:00:00+09:00");
        assert_eq!(next(&hours, "2026-11-30T09:00:00+09:00"), "2026-11-30T13:00:00+09:00");
        assert_eq!(next(&hours, "2026-11-30T13:00:00.000001+09:00"), "2026-11-30T16:00:00+09:00");
        assert_eq!(next(&hours, "2026-12-31T16:00:00+09:00"), "2027-01-01T09:00:00+09:00");
        // Midnight in Japan is not midnight in UTC.
        assert_eq!(next(&[0], "2026-11-30T15:00:00Z"), "2026-12-02T00:00:00+09:00");
    }

    #[test]
    fn a_time_before_1970_is_no_exception() {
        assert_eq!(next(&[9], "1969-12-31T23:59:59.5Z"), "1970-01-01T09:00:00+09:00");
    }

    #[test]
    fn hours_are_refused_for_a_reason() {
        assert_eq!(GatherHours::new(vec![]), Err(BadHours::None));
        assert_eq!(GatherHours::new(vec![24]), Err(BadHours::NoHour));
        assert_eq!(GatherHours::new(vec![9, 13, 9]), Err(BadHours::Twice));
        assert_eq!(GatherHours::new((0..7).collect()), Err(BadHours::TooMany));
    }

    #[test]
    fn hours_are_read_and_written_as_a_list() {
        let hours: GatherHours = serde_json::from_str("[16,9]").unwrap();
        assert_eq!(serde_json::to_string(&hours).unwrap(), "[9,16]");
        assert!(serde_json::from_str::<GatherHours>("[25]").is_err());
    }

    fn some_hours() -> impl Strategy<Value = GatherHours> {
        proptest::collection::btree_set(0u8..24, 1..=6)
            .prop_map(|hours| GatherHours::new(hours.into_iter().collect()).unwrap())
    }

    proptest! {
        #[test]
        fn the_next_slot_is_the_first_set_hour_after_now(hours in some_hours(), micros in -4_000_000_000_000_000i64..8_000_000_000_000_000) {
            let now = Timestamp::from_microsecond(micros).unwrap();
            let slot = hours.next_slot(now);
            prop_assert!(slot > now);
            prop_assert!(hours.wait(now) <= SignedDuration::from_hours(24));

            // The same, found by trying every hour with the calendar of the time library.
            let zone = TimeZone::fixed(jiff::tz::Offset::constant(9));
            let start = now.to_zoned(zone).round(jiff::ZonedRound::new().smallest(jiff::Unit::Hour).mode(jiff::RoundMode::Floor)).unwrap();
            let found = (1..=24)
                .map(|ahead| start.checked_add(SignedDuration::from_hours(ahead)).unwrap())
                .find(|at| hours.hours().contains(&(at.hour() as u8)))
                .unwrap();
            prop_assert_eq!(slot, found.timestamp());
        }
    }
}

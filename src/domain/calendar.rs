//! Working days (開庁日): neither Saturday nor Sunday, no national holiday, not from 29 December to 3 January.
//!
//! Holidays follow 国民の祝日に関する法律 as it stands since 2022. The two equinoxes are announced by the Cabinet
//! each February; the formula here has agreed with every announcement and holds until 2099. A municipality may
//! close on further days; they are not known here.

use jiff::{Timestamp, civil::Date, civil::Weekday, tz::Offset};

/// Japan Standard Time, which has had no summer time since 1952.
const JAPAN: Offset = Offset::constant(9);

/// The end (24:00 in Japan) of the last of so many working days after the day of `from`, which does not count.
pub fn end_of_working_day(from: Timestamp, days: u32) -> Timestamp {
    let mut day = JAPAN.to_datetime(from).date();
    let mut left = days;
    while left > 0 {
        let Ok(next) = day.tomorrow() else { return Timestamp::MAX };
        day = next;
        left -= u32::from(is_working_day(day));
    }
    end_of(day)
}

/// The end (24:00 in Japan) of the last of so many days in a row, of which the day of `from` is the first.
pub fn end_of_day(from: Timestamp, days: u32) -> Timestamp {
    let mut day = JAPAN.to_datetime(from).date();
    for _ in 1..days {
        let Ok(next) = day.tomorrow() else { return Timestamp::MAX };
        day = next;
    }
    end_of(day)
}

fn end_of(day: Date) -> Timestamp {
    let midnight = day.tomorrow().map(|next| next.at(0, 0, 0, 0));
    midnight.and_then(|midnight| JAPAN.to_timestamp(midnight)).unwrap_or(Timestamp::MAX)
}

/// Whether offices are open on this day.
pub fn is_working_day(day: Date) -> bool {
    let year_end = matches!((day.month(), day.day()), (12, 29..=31) | (1, 1..=3));
    !year_end && !is_weekend(day) && !is_holiday(day)
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// A holiday by name, the day that stands in for one on a Sunday, or a day between two holidays (第3条).
fn is_holiday(day: Date) -> bool {
    let named = |day: Option<Date>| day.is_some_and(is_named_holiday);
    let (before, after) = (day.yesterday().ok(), day.tomorrow().ok());
    is_named_holiday(day) || stands_in(day) || (named(before) && named(after))
}

/// Whether an unbroken row of holidays that contains a Sunday ends the day before.
fn stands_in(day: Date) -> bool {
    let mut before = day.yesterday().ok();
    while let Some(holiday) = before.filter(|before| is_named_holiday(*before)) {
        if holiday.weekday() == Weekday::Sunday {
            return true;
        }
        before = holiday.yesterday().ok();
    }
    false
}

fn is_named_holiday(day: Date) -> bool {
    let monday = |nth: i8| day.weekday() == Weekday::Monday && (day.day() - 1) / 7 + 1 == nth;
    match day.month() {
        1 => day.day() == 1 || monday(2),
        2 => matches!(day.day(), 11 | 23),
        3 => day.day() == equinox(day.year(), 208_431),
        4 => day.day() == 29,
        5 => matches!(day.day(), 3..=5),
        7 => monday(3),
        8 => day.day() == 11,
        9 => monday(3) || day.day() == equinox(day.year(), 232_488),
        10 => monday(2),
        11 => matches!(day.day(), 3 | 23),
        _ => false,
    }
}

/// The day of the month of an equinox, from its mean place in 1980 in ten-thousandths of a day.
fn equinox(year: i16, place: i64) -> i8 {
    let years = i64::from(year) - 1980;
    let day = (place * 100 + years * 242_194).div_euclid(1_000_000) - years.div_euclid(4);
    i8::try_from(day).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn offices_are_closed_on_the_days_of_the_law() {
        for closed in [
            "2026-01-01",
            "2026-01-02",
            "2026-01-12",
            "2026-02-11",
            "2026-02-23",
            "2026-03-20",
            "2026-04-29",
            "2026-05-03",
            "2026-05-04",
            "2026-05-05",
            // 3 May 2026 is a Sunday; the first day after the row of holidays stands in.
            "2026-05-06",
            "2026-07-20",
            "2026-08-11",
            "2026-09-21",
            // Between the day of the aged and the equinox.
            "2026-09-22",
            "2026-09-23",
            "2026-10-12",
            "2026-11-03",
            "2026-11-23",
            "2026-12-29",
            "2027-03-22",
            "2024-02-12",
            "2025-09-23",
            "2025-03-20",
            "2026-11-21",
        ] {
            assert!(!is_working_day(day(closed)), "{closed}");
        }
        for open in ["2026-01-05", "2026-03-19", "2026-05-07", "2026-09-24", "2026-12-28", "2025-09-22"] {
            assert!(is_working_day(day(open)), "{open}");
        }
    }

    #[test]
    fn three_working_days_end_at_midnight_in_japan() {
        let due = |from: &str| end_of_working_day(from.parse().unwrap(), 3).to_string();
        // A Thursday; Monday is a holiday.
        assert_eq!(due("2026-11-19T10:00:00+09:00"), "2026-11-25T15:00:00Z");
        // Already Friday in Japan.
        assert_eq!(due("2026-10-15T15:30:00Z"), "2026-10-21T15:00:00Z");
    }

    #[test]
    fn days_in_a_row_count_from_the_first() {
        let due = |days| end_of_day("2026-11-19T10:00:00+09:00".parse().unwrap(), days).to_string();
        assert_eq!((due(1), due(30)), ("2026-11-19T15:00:00Z".into(), "2026-12-18T15:00:00Z".into()));
    }
}

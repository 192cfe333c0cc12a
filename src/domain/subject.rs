//! The people a referral speaks of, as far as decisions need to know them: a handle, a role, an age.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field_error::FieldError;
use crate::code_list;

/// The handle of a subject inside one referral or consent, such as `child-1`.
///
/// It stands in receipts and in the sender's list of what was withheld. Its form leaves no room for
/// a Japanese name or a date: up to 24 letters a–z and an optional number of one or two digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SubjectRef(String);

/// A text that is no handle of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a subject ref is up to 24 letters a-z and an optional number, such as child-1")]
pub struct BadSubjectRef;

impl SubjectRef {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubjectRef {
    type Err = BadSubjectRef;

    fn from_str(text: &str) -> Result<Self, BadSubjectRef> {
        let (word, number) = text.split_once('-').unwrap_or((text, "1"));
        let good_word = (1..=24).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
        let good_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        if good_word && good_number { Ok(Self(text.to_owned())) } else { Err(BadSubjectRef) }
    }
}

impl<'de> Deserialize<'de> for SubjectRef {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

code_list! {
    /// What a subject is in the household.
    SubjectRole, "subject role" {
        Child = "child", "児童", "child";
        Guardian = "guardian", "保護者", "guardian";
        Pregnant = "pregnant", "妊婦", "pregnant person";
        Cohabitant = "cohabitant", "同居者", "cohabitant";
    }
}

/// One person a referral or a consent speaks of. It may be nameless, and its age may be unknown.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    pub reference: SubjectRef,
    pub role: SubjectRole,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as far as it is known.
    pub birth_date: Option<String>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({}, {})", self.reference.as_str(), self.role)
    }
}

/// The ages in whole years that a person may have on a day, as far as the birth date is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    pub youngest: i16,
    pub oldest: i16,
}

impl Ages {
    /// Whether the person has certainly not reached this age.
    pub const fn surely_under(self, years: i16) -> bool {
        self.oldest < years
    }

    /// Whether the person has certainly reached this age.
    pub const fn surely_reached(self, years: i16) -> bool {
        self.youngest >= years
    }
}

impl Subject {
    /// The ages this person may have on a day; nothing where no birth date is known.
    pub fn ages_on(&self, day: Date) -> Option<Ages> {
        ages_on(self.birth_date.as_deref()?, day)
    }

    /// Reads the member `subjects` of a referral or a consent, whose root pointer is `at`.
    ///
    /// # Errors
    /// Every fault found: a malformed or doubled `ref`, an unknown role, an implausible birth date.
    pub fn parse_all(value: &Value, at: &str, today: Date) -> Result<Vec<Self>, Vec<FieldError>> {
        let entries = value.as_array().map_or(&[][..], Vec::as_slice);
        let mut seen = BTreeSet::new();
        let (mut subjects, mut errors) = (Vec::new(), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            match Self::parse(entry, &format!("{at}/{index}"), today) {
                Ok(subject) if !seen.insert(subject.reference.clone()) => errors.push(FieldError::new(
                    format!("{at}/{index}/ref"),
                    "subject_twice",
                    "同じ ref が二度使われています。対象者ごとに別の ref を付けてください。",
                    "This ref is used twice; give every subject a ref of its own.",
                )),
                Ok(subject) => subjects.push(subject),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(subjects) } else { Err(errors) }
    }

    fn parse(entry: &Value, at: &str, today: Date) -> Result<Self, FieldError> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let reference = text("ref").and_then(|t| t.parse().ok()).ok_or_else(|| {
            FieldError::new(
                format!("{at}/ref"),
                "subject_ref",
                "ref は child-1 のように英小文字と番号で書いてください。",
                "Write the ref with letters a-z and a number, such as child-1.",
            )
        })?;
        let role = text("role").and_then(|t| t.parse().ok()).ok_or_else(|| {
            FieldError::new(
                format!("{at}/role"),
                "subject_role",
                "role は child・guardian・pregnant・cohabitant のいずれかです。",
                "The role is one of child, guardian, pregnant, cohabitant.",
            )
        })?;
        let birth_date = text("birth_date").map(str::to_owned);
        if birth_date.as_deref().is_some_and(|date| !plausible_birth_date(date, today)) {
            return Err(bad_birth_date(format!("{at}/birth_date")));
        }
        Ok(Self { reference, role, birth_date })
    }
}

/// The fault of a birth date that cannot be one.
pub fn bad_birth_date(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "birth_date",
        "生年月日は実在する過去の日付を YYYY、YYYY-MM、YYYY-MM-DD のいずれかで書いてください。",
        "Write a real past date as YYYY, YYYY-MM or YYYY-MM-DD.",
    )
}

/// Whether a text is a partial date on which somebody alive on `today` can have been born.
pub fn plausible_birth_date(text: &str, today: Date) -> bool {
    ages_on(text, today).is_some_and(|ages| ages.oldest >= 0 && ages.youngest <= 130)
}

/// Whether two partial birth dates can be those of one person.
pub fn compatible_birth_dates(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// The ages somebody born on a partial date may have on a day. A birthday counts from its own
/// midnight; who is born on 29 February completes the year as March begins.
fn ages_on(birth: &str, day: Date) -> Option<Ages> {
    let mut parts = birth.split('-');
    let year: i16 = number(parts.next()?, 4)?;
    let month: Option<i8> = parts.next().map(|t| number(t, 2).ok_or(())).transpose().ok()?;
    let of_month: Option<i8> = parts.next().map(|t| number(t, 2).ok_or(())).transpose().ok()?;
    if parts.next().is_some() {
        return None;
    }
    let first = Date::new(year, month.unwrap_or(1), of_month.unwrap_or(1)).ok()?;
    let last = match (month, of_month) {
        (None, _) => Date::new(year, 12, 31).ok()?,
        (Some(_), None) => first.last_of_month(),
        (Some(_), Some(_)) => first,
    };
    Some(Ages { youngest: completed_years(last, day), oldest: completed_years(first, day) })
}

fn completed_years(birth: Date, day: Date) -> i16 {
    let before_birthday = (day.month(), day.day()) < (birth.month(), birth.day());
    day.year() - birth.year() - i16::from(before_birthday)
}

fn number<N: FromStr>(text: &str, digits: usize) -> Option<N> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    fn ages(birth: &str, day: Date) -> (i16, i16) {
        let ages = ages_on(birth, day).unwrap();
        (ages.youngest, ages.oldest)
    }

    #[test]
    fn age_is_as_certain_as_the_birth_date() {
        assert_eq!(ages("2008-10-01", date(2026, 9, 30)), (17, 17));
        assert_eq!(ages("2008-10-01", date(2026, 10, 1)), (18, 18));
        assert_eq!(ages("2008-10", date(2026, 10, 1)), (17, 18));
        assert_eq!(ages("2008", date(2026, 6, 1)), (17, 18));
        assert_eq!(ages("2008-02-29", date(2026, 2, 28)), (17, 17));
        assert_eq!(ages("2008-02-29", date(2026, 3, 1)), (18, 18));
    }

    #[test]
    fn what_is_no_date_has_no_age() {
        for text in ["", "08", "2008-13", "2008-02-30", "2008-1-1", "2008-01-01-01", "２００８", "+008"] {
            assert_eq!(ages_on(text, date(2026, 1, 1)), None, "{text}");
        }
    }

    #[test]
    fn a_birth_date_lies_in_the_past_and_in_living_memory() {
        let today = date(2026, 10, 15);
        assert!(plausible_birth_date("2026-10-15", today));
        assert!(plausible_birth_date("2026", today));
        assert!(!plausible_birth_date("2026-10-16", today));
        assert!(!plausible_birth_date("1880", today));
    }

    #[test]
    fn a_ref_leaves_no_room_for_a_name() {
        for good in ["child-1", "mother", "cohabitant-12"] {
            assert!(good.parse::<SubjectRef>().is_ok(), "{good}");
        }
        for bad in ["", "太郎", "Taro", "child-", "child-123", "child_1", "a-b", "child 1"] {
            assert!(bad.parse::<SubjectRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn faults_name_the_place_and_not_the_value() {
        let value = json!([
            {"ref": "child-1", "role": "child", "birth_date": "2023-05"},
            {"ref": "child-1", "role": "child"},
            {"ref": "山田", "role": "child"},
            {"ref": "mother", "role": "山田"},
            {"ref": "father", "role": "guardian", "birth_date": "2999-01-01"},
        ]);
        let errors = Subject::parse_all(&value, "/subjects", date(2026, 10, 15)).unwrap_err();
        let found: Vec<_> = errors.iter().map(|e| (e.pointer.as_str(), e.code)).collect();
        assert_eq!(
            found,
            [
                ("/subjects/1/ref", "subject_twice"),
                ("/subjects/2/ref", "subject_ref"),
                ("/subjects/3/role", "subject_role"),
                ("/subjects/4/birth_date", "birth_date"),
            ]
        );
        let text = format!("{errors:?}");
        assert!(!text.contains("山田") && !text.contains("2999"));
    }

    #[test]
    fn debug_shows_no_birth_date() {
        let subject = Subject::parse_all(
            &json!([{"ref": "mother", "role": "guardian", "birth_date": "1995-02"}]),
            "",
            date(2026, 1, 1),
        )
        .unwrap();
        assert_eq!(format!("{subject:?}"), "[Subject(mother, guardian)]");
    }
}

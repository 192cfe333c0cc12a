//! 法人番号: the thirteen digits that name a corporation (番号法 第39条).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A corporate number whose check digit, the first, is right: for example `8000012010038` (デジタル庁).
///
/// Circles and voluntary bodies have none, so it is optional wherever it is used. The twelve digits
/// of an individual's マイナンバー are not thirteen and are never taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorporateNumber([u8; 13]);

/// Why a text is no 法人番号.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCorporateNumber {
    #[error("a corporate number has 13 digits; this text has {found} characters")]
    Length { found: usize },
    #[error("a corporate number is written in half-width digits 0-9 only")]
    NotDigits,
    #[error(
        "the first digit of the corporate number does not check: before these twelve digits it is {right}"
    )]
    CheckDigit { right: char },
}

impl CorporateNumber {
    /// Reads thirteen digits and verifies the first.
    pub fn parse(text: &str) -> Result<Self, BadCorporateNumber> {
        let found = text.chars().count();
        if found != 13 {
            return Err(BadCorporateNumber::Length { found });
        }
        let digits: [u8; 13] = text.as_bytes().try_into().map_err(|_| BadCorporateNumber::NotDigits)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(BadCorporateNumber::NotDigits);
        }
        let right = check_digit(&digits[1..]);
        if digits[0] != right {
            return Err(BadCorporateNumber::CheckDigit { right: char::from(right) });
        }
        Ok(Self(digits))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("invariant: parse admits ASCII digits only")
    }
}

/// `9 - (Σ Pn·Qn mod 9)` over the twelve digits from the right, Qn = 1 for odd n and 2 for even n
/// (法人番号の指定等に関する省令 第2条). It cannot tell 0 from 9: that is the formula's own weakness.
fn check_digit(twelve: &[u8]) -> u8 {
    let sum: u32 =
        twelve.iter().rev().zip([1, 2].into_iter().cycle()).map(|(d, q)| u32::from(d - b'0') * q).sum();
    char::from_digit(9 - sum % 9, 10).map_or(b'0', |digit| digit as u8)
}

impl FromStr for CorporateNumber {
    type Err = BadCorporateNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for CorporateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CorporateNumber {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CorporateNumber {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_numbers_are_accepted() {
        for number in ["8000012010038", "1180301018771", "7000012050002"] {
            assert_eq!(CorporateNumber::parse(number).unwrap().as_str(), number);
        }
    }

    #[test]
    fn a_refusal_says_which_rule_and_what_would_be_right() {
        use BadCorporateNumber::*;
        assert_eq!(CorporateNumber::parse("000012010038"), Err(Length { found: 12 }));
        assert_eq!(CorporateNumber::parse("80000120１0038"), Err(NotDigits));
        assert_eq!(CorporateNumber::parse("8000012010o38"), Err(NotDigits));
        assert_eq!(CorporateNumber::parse("7000012010038"), Err(CheckDigit { right: '8' }));
        // A Yokohama facility number has thirteen digits too, and is something else.
        assert!(matches!(CorporateNumber::parse("1410051018778"), Err(CheckDigit { .. })));
    }

    #[test]
    fn the_wire_form_is_text() {
        let number: CorporateNumber = serde_json::from_str("\"8000012010038\"").unwrap();
        assert_eq!(serde_json::to_string(&number).unwrap(), "\"8000012010038\"");
    }

    proptest! {
        #[test]
        fn exactly_one_first_digit_fits_any_twelve(twelve in "[0-9]{12}") {
            let fitting = (0..10).filter(|d| CorporateNumber::parse(&format!("{d}{twelve}")).is_ok()).count();
            prop_assert_eq!(fitting, 1);
        }
    }
}

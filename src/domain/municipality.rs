//! 全国地方公共団体コード: the six digits that name a prefecture, a municipality or a ward.
//!
//! Two digits of prefecture (JIS X 0401), three of the body within it (together JIS X 0402), one
//! check digit. Much open data leaves the check digit out, so five digits are read as well.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A code of six digits whose check digit is right, for example `141011` (横浜市鶴見区).
///
/// That the digits add up does not say that the body exists today: codes are retired on mergers.
/// It is kept as text because of its leading zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MunicipalityCode([u8; 6]);

/// Why a text is no 全国地方公共団体コード. Only the right check digit is told, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMunicipalityCode {
    #[error(
        "a municipality code has 6 digits, or 5 without its check digit; this text has {found} characters"
    )]
    Length { found: usize },
    #[error("a municipality code is written in half-width digits 0-9 only")]
    NotDigits,
    #[error("a municipality code begins with a prefecture from 01 to 47")]
    Prefecture,
    #[error("the sixth digit of the municipality code does not check: after these five digits it is {right}")]
    CheckDigit { right: char },
}

impl MunicipalityCode {
    /// Reads six digits and verifies the check digit, or reads five (JIS X 0402) and adds it.
    pub fn parse(text: &str) -> Result<Self, BadMunicipalityCode> {
        let found = text.chars().count();
        if !matches!(found, 5 | 6) {
            return Err(BadMunicipalityCode::Length { found });
        }
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadMunicipalityCode::NotDigits);
        }
        let digits = text.as_bytes();
        if !("01"..="47").contains(&&text[..2]) {
            return Err(BadMunicipalityCode::Prefecture);
        }
        let right = check_digit(&digits[..5]);
        if digits.get(5).is_some_and(|given| *given != right) {
            return Err(BadMunicipalityCode::CheckDigit { right: char::from(right) });
        }
        let mut code = [right; 6];
        code[..5].copy_from_slice(&digits[..5]);
        Ok(Self(code))
    }

    /// All six digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("invariant: parse admits ASCII digits only")
    }

    /// The five digits without the check digit, as 標準地域コード and map data write them.
    pub fn jis5(&self) -> &str {
        &self.as_str()[..5]
    }

    /// The number of the prefecture, 1 (北海道) to 47 (沖縄県).
    pub fn prefecture(&self) -> u8 {
        (self.0[0] - b'0') * 10 + (self.0[1] - b'0')
    }

    /// The code of the city for a ward of a designated city (`141011` gives `141003`), where one city hall keeps the
    /// register of all wards; of everything else its own. The wards of Tokyo are municipalities themselves.
    pub fn of_city(&self) -> Self {
        let city = DESIGNATED_CITIES.iter().rev().find(|city| **city <= self.jis5());
        let Some(city) = city.filter(|city| city[..3] == self.jis5()[..3]) else { return *self };
        Self::parse(city).unwrap_or(*self)
    }

    /// The code of the prefecture itself (`141011` gives `140007`): what a mask shows where the
    /// municipality would betray a concealed address.
    pub fn of_prefecture(&self) -> Self {
        let mut code = [self.0[0], self.0[1], b'0', b'0', b'0', b'0'];
        code[5] = check_digit(&code[..5]);
        Self(code)
    }
}

/// The designated cities (地方自治法 第252条の19), ascending. The wards of each follow it, up to the next.
const DESIGNATED_CITIES: [&str; 20] = [
    "01100", "04100", "11100", "12100", "14100", "14130", "14150", "15100", "22100", "22130", "23100",
    "26100", "27100", "27140", "28100", "33100", "34100", "40100", "40130", "43100",
];

/// The check digit after five digits a b c d e, by 総務省: `(11 - (6a+5b+4c+3d+2e) mod 11) mod 10`.
fn check_digit(five: &[u8]) -> u8 {
    let sum: u32 =
        five.iter().zip([6, 5, 4, 3, 2]).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    char::from_digit((11 - sum % 11) % 10, 10).map_or(b'0', |digit| digit as u8)
}

/// Whether two codes as agencies carry them name one municipality: the wards of a designated city are the city's.
pub fn is_one_municipality(one: &str, other: &str) -> bool {
    let whole = |code: &str| MunicipalityCode::parse(code).map(|code| code.of_city());
    one == other || matches!((whole(one), whole(other)), (Ok(one), Ok(other)) if one == other)
}

impl FromStr for MunicipalityCode {
    type Err = BadMunicipalityCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for MunicipalityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A municipality can be the whole secret of a family in flight, so it is not shown in logs.
impl fmt::Debug for MunicipalityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MunicipalityCode({:02}…)", self.prefecture())
    }
}

impl Serialize for MunicipalityCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MunicipalityCode {
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
    fn a_ward_belongs_to_its_designated_city_and_to_no_other() {
        let city = |code: &str| MunicipalityCode::parse(code).unwrap().of_city().jis5().to_owned();
        for (code, whole) in [
            ("14100", "14100"),
            ("14101", "14100"),
            ("14118", "14100"),
            ("14137", "14130"),
            ("14153", "14150"),
            ("22138", "22130"),
            ("27128", "27100"),
            ("40109", "40100"),
            ("01110", "01100"),
            ("13101", "13101"),
            ("14201", "14201"),
            ("01202", "01202"),
            ("13000", "13000"),
            ("47201", "47201"),
        ] {
            assert_eq!(city(code), whole, "{code}");
        }
        assert!(DESIGNATED_CITIES.is_sorted());
    }

    #[test]
    fn codes_published_by_the_ministry_are_accepted_with_and_without_their_check_digit() {
        for code in ["122076", "141003", "141011", "131016", "272035", "010006", "431001", "261009", "471003"]
        {
            let parsed = MunicipalityCode::parse(code).unwrap();
            assert_eq!(parsed.as_str(), code);
            assert_eq!(MunicipalityCode::parse(&code[..5]), Ok(parsed));
            assert_eq!(parsed.jis5(), &code[..5]);
        }
    }

    #[test]
    fn a_refusal_says_which_rule_and_what_would_be_right() {
        use BadMunicipalityCode::*;
        assert_eq!(MunicipalityCode::parse("1410"), Err(Length { found: 4 }));
        assert_eq!(MunicipalityCode::parse("1410110"), Err(Length { found: 7 }));
        assert_eq!(MunicipalityCode::parse("14101１"), Err(NotDigits));
        assert_eq!(MunicipalityCode::parse("-14101"), Err(NotDigits));
        assert_eq!(MunicipalityCode::parse("48101"), Err(Prefecture));
        assert_eq!(MunicipalityCode::parse("00101"), Err(Prefecture));
        assert_eq!(MunicipalityCode::parse("141012"), Err(CheckDigit { right: '1' }));
    }

    #[test]
    fn a_prefecture_is_a_number_and_a_code_of_its_own() {
        let code = MunicipalityCode::parse("010006").unwrap();
        assert_eq!((code.prefecture(), code.of_prefecture()), (1, code));
        let ward = MunicipalityCode::parse("141011").unwrap();
        assert_eq!((ward.prefecture(), ward.of_prefecture().as_str()), (14, "140007"));
    }

    #[test]
    fn the_wire_form_is_six_digits_of_text_and_debug_keeps_the_municipality() {
        let code: MunicipalityCode = serde_json::from_str("\"14101\"").unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"141011\"");
        assert!(
            serde_json::from_str::<MunicipalityCode>("141011").is_err(),
            "a number loses its leading zero"
        );
        assert_eq!(format!("{code:?}"), "MunicipalityCode(14…)");
    }

    proptest! {
        /// The check digit sees one wrong digit, except that the formula gives 1 for two remainders.
        #[test]
        fn one_wrong_digit_is_seen_unless_the_check_digit_is_one(
            five in "(0[1-9]|[1-3][0-9]|4[0-7])[0-9]{3}", place in 2usize..5, other in b'0'..=b'9',
        ) {
            let right = MunicipalityCode::parse(&five).unwrap();
            let mut wrong = right.0;
            prop_assume!(wrong[place] != other);
            wrong[place] = other;
            let wrong = String::from_utf8(wrong.to_vec()).unwrap();
            let seen = MunicipalityCode::parse(&wrong).is_err();
            prop_assert!(seen || right.0[5] == b'1');
        }
    }
}

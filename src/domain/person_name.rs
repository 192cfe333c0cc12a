//! Names of people, kept byte for byte as they were given.
//!
//! A Japanese name is more than its letters: 辺 and 邊󠄂 (with a variation selector) are different
//! names to the people who bear them. So nothing here normalises what is stored; only the
//! [`SearchKey`] is folded, and it is never shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::char::is_combining_mark;

use super::name_key::SearchKey;

/// One part of a name, or a name in one piece: 1 to 100 characters, exactly as given.
///
/// Characters are counted without variation selectors. `Debug` shows nothing and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NameText(String);

/// The most characters a part of a name may have. The longest names of the register stay below it.
pub const MAX_NAME_CHARACTERS: usize = 100;

/// Why a text is refused as a name. Places count characters from 1; the character itself is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("a name has at least one visible character")]
    Empty,
    #[error("a part of a name has at most {MAX_NAME_CHARACTERS} characters; this one has {found}")]
    TooLong { found: usize },
    #[error("character {place} of the name is a control character or a line break; remove it")]
    Control { place: usize },
    #[error("character {place} of the name turns the direction of the text; remove it")]
    Direction { place: usize },
    #[error("character {place} of the name is invisible (zero width); remove it")]
    Invisible { place: usize },
    #[error(
        "character {place} of the name is private-use (外字): other systems show it as another character or not \
         at all; give the Unicode character with its variation selector, or the nearest common character"
    )]
    PrivateUse { place: usize },
    #[error(
        "character {place} of the name marks a character before it, and there is none it can mark; remove it"
    )]
    Unpaired { place: usize },
    #[error(
        "character {place} of the name was damaged on its way (replacement character); enter the name again"
    )]
    Damaged { place: usize },
}

impl NameText {
    /// Takes the text unchanged, or refuses it.
    ///
    /// The zero-width joiners are refused with the rest: the registers of Japan write names in
    /// kanji, kana or Latin letters, where they only hide differences.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let mut before = None;
        let mut found = 0;
        for (at, character) in text.chars().enumerate() {
            if let Some(why) = refusal(before, character, at + 1) {
                return Err(why);
            }
            found += usize::from(!is_variation_selector(character));
            before = Some(character);
        }
        if text.chars().all(char::is_whitespace) {
            return Err(BadName::Empty);
        }
        if found > MAX_NAME_CHARACTERS {
            return Err(BadName::TooLong { found });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as given. Personal data.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which this spelling and its common variants are the same.
    pub fn search_key(&self) -> SearchKey {
        SearchKey::of(&self.0)
    }
}

/// Variation selectors choose a glyph of the character before them: U+FE00–FE0F for standard
/// variants, U+E0100–E01EF for those of the Ideographic Variation Database.
pub(super) fn is_variation_selector(character: char) -> bool {
    matches!(character, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn refusal(before: Option<char>, character: char, place: usize) -> Option<BadName> {
    match character {
        '\u{FFFD}' => Some(BadName::Damaged { place }),
        '\u{2028}' | '\u{2029}' => Some(BadName::Control { place }),
        c if c.is_control() || is_noncharacter(c) => Some(BadName::Control { place }),
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Some(BadName::Direction { place })
        }
        c if is_invisible(c) => Some(BadName::Invisible { place }),
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => Some(BadName::PrivateUse { place }),
        c if marks_nothing(before, c) => Some(BadName::Unpaired { place }),
        _ => None,
    }
}

/// A selector needs the character it selects for, once; a combining mark needs a visible one.
fn marks_nothing(before: Option<char>, character: char) -> bool {
    match character {
        '\u{E0100}'..='\u{E01EF}' => !before.is_some_and(is_ideograph),
        c if is_variation_selector(c) => before.is_none_or(|b| b.is_whitespace() || is_variation_selector(b)),
        c if is_combining_mark(c) => before.is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// The blocks of unified and compatibility ideographs, and the two planes kept for them.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFD}')
}

/// Zero-width and blank-looking characters that are not white space: joiners, fillers, tags, and
/// the selectors of other scripts.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}'
        | '\u{2800}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFC}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}')
}

fn is_noncharacter(character: char) -> bool {
    matches!(character, '\u{FDD0}'..='\u{FDEF}') || u32::from(character) & 0xFFFE == 0xFFFE
}

impl fmt::Debug for NameText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameText(…)")
    }
}

impl Serialize for NameText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NameText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A person's name as far as it is known: at least one part.
///
/// Not everybody has a family name and a given name; `other` holds a name in one piece, such as the
/// one on a residence card, or a 通称.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "NameParts")]
pub struct PersonName {
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<NameText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<NameText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_kana: Option<NameText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_kana: Option<NameText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<NameText>,
}

/// The parts of a name before it is known that there is one at all. `Debug` is redacted by the parts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NameParts {
    pub family: Option<NameText>,
    pub given: Option<NameText>,
    pub family_kana: Option<NameText>,
    pub given_kana: Option<NameText>,
    pub other: Option<NameText>,
}

impl TryFrom<NameParts> for PersonName {
    type Error = BadName;

    fn try_from(parts: NameParts) -> Result<Self, BadName> {
        let NameParts { family, given, family_kana, given_kana, other } = parts;
        let name = Self { family, given, family_kana, given_kana, other };
        let parts = [&name.family, &name.given, &name.family_kana, &name.given_kana, &name.other];
        if parts.iter().all(|part| part.is_none()) { Err(BadName::Empty) } else { Ok(name) }
    }
}

impl PersonName {
    pub fn family(&self) -> Option<&NameText> {
        self.family.as_ref()
    }

    pub fn given(&self) -> Option<&NameText> {
        self.given.as_ref()
    }

    pub fn family_kana(&self) -> Option<&NameText> {
        self.family_kana.as_ref()
    }

    pub fn given_kana(&self) -> Option<&NameText> {
        self.given_kana.as_ref()
    }

    pub fn other(&self) -> Option<&NameText> {
        self.other.as_ref()
    }

    /// Every key this name can be found under: the written name, its reading, the other name. Two
    /// records may name the same person if they share one. Family and given name are joined, so it
    /// does not matter where a form parts them.
    pub fn search_keys(&self) -> Vec<SearchKey> {
        let spellings =
            [[self.family(), self.given()], [self.family_kana(), self.given_kana()], [self.other(), None]];
        let mut keys = Vec::new();
        for parts in spellings {
            let joined: String = parts.into_iter().flatten().map(NameText::as_str).collect();
            let key = SearchKey::of(&joined);
            if !key.as_str().is_empty() && !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_a_name_is_refused_with_its_place_and_never_with_its_text() {
        use BadName::*;
        for (text, why) in [
            ("", Empty),
            (" \u{3000}", Empty),
            ("山\n田", Control { place: 2 }),
            ("山\u{2028}田", Control { place: 2 }),
            ("山\t", Control { place: 2 }),
            ("山\u{FFFE}", Control { place: 2 }),
            ("山\u{202E}田", Direction { place: 2 }),
            ("\u{200F}山田", Direction { place: 1 }),
            ("山\u{200B}田", Invisible { place: 2 }),
            ("\u{FEFF}山田", Invisible { place: 1 }),
            ("山\u{200D}田", Invisible { place: 2 }),
            ("山\u{E0041}", Invisible { place: 2 }),
            ("\u{3164}", Invisible { place: 1 }),
            ("山\u{E000}", PrivateUse { place: 2 }),
            ("\u{F0000}", PrivateUse { place: 1 }),
            ("\u{E0100}辺", Unpaired { place: 1 }),
            ("辺\u{E0100}\u{E0101}", Unpaired { place: 3 }),
            ("あ\u{E0100}", Unpaired { place: 2 }),
            ("\u{3099}か", Unpaired { place: 1 }),
            ("か \u{3099}", Unpaired { place: 3 }),
            ("山\u{FFFD}", Damaged { place: 2 }),
        ] {
            assert_eq!(NameText::parse(text), Err(why), "{}", text.escape_unicode());
        }
        assert!(!BadName::PrivateUse { place: 2 }.to_string().contains('\u{E000}'));
    }

    #[test]
    fn a_hundred_characters_are_counted_without_their_selectors() {
        let hundred = "辺\u{E0100}".repeat(100);
        assert_eq!(NameText::parse(&hundred).unwrap().as_str(), hundred);
        assert_eq!(NameText::parse(&format!("{hundred}辺")), Err(BadName::TooLong { found: 101 }));
    }

    #[test]
    fn names_of_many_peoples_are_kept() {
        for name in
            ["𠮷野", "﨑", "邉󠄀", "か\u{309A}", "Nguyễn Thị Ánh", "O’Brien", "マリア・クララ", "김", "ｱｲ"]
        {
            assert_eq!(NameText::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn nothing_of_a_name_reaches_a_log() {
        let name: PersonName = serde_json::from_str(r#"{"family":"山田","given_kana":"ハナコ"}"#).unwrap();
        let shown = format!("{name:?} {:?}", name.search_keys());
        assert!(!shown.contains('山') && !shown.contains('ハ'), "{shown}");
    }

    #[test]
    fn a_name_needs_one_part_and_knows_its_members() {
        assert!(serde_json::from_str::<PersonName>("{}").is_err());
        assert!(serde_json::from_str::<PersonName>(r#"{"nickname":"x"}"#).is_err());
        let json = r#"{"given":"花子","other":"HANAKO"}"#;
        let name: PersonName = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), json);
    }

    #[test]
    fn half_a_surrogate_pair_never_becomes_a_name() {
        assert!(serde_json::from_str::<NameText>(r#""\ud867""#).is_err());
        assert_eq!(serde_json::from_str::<NameText>(r#""\ud867\ude3d""#).unwrap().as_str(), "𩸽");
    }

    #[test]
    fn records_meet_through_the_written_name_or_its_reading() {
        let keys = |json: &str| serde_json::from_str::<PersonName>(json).unwrap().search_keys();
        let register =
            keys(r#"{"family":"渡邊","given":"花子","family_kana":"ワタナベ","given_kana":"ハナコ"}"#);
        assert_eq!(keys(r#"{"other":"渡辺　花子"}"#)[0], register[0]);
        assert_eq!(keys(r#"{"family_kana":"わたなべ","given_kana":"はなこ"}"#)[0], register[1]);
        assert!(!register.contains(&keys(r#"{"other":"渡部花子"}"#)[0]));
    }

    /// Kana, kanji of JIS X 0213 (with those outside the basic plane), kana with a combining mark,
    /// ideographs with a variation selector.
    fn any_name() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            "[ぁ-ゖァ-ヺー々]",
            "[一-龠]",
            "[\u{20089}\u{2000B}𠀋𠮟𠮷𡈽𡌛𡑮𡢽𠮟𪚲𩸽]",
            "[かきくけこカキクケコ]\u{309A}",
            "[一-龠][\u{E0100}-\u{E01EF}]",
            "[\u{FA10}-\u{FA2D}][\u{FE00}-\u{FE02}]?",
            "[A-Za-zÀ-ž '’-]",
        ];
        proptest::collection::vec(character, 1..20)
            .prop_map(|characters| characters.concat())
            .prop_filter("a name is more than spaces", |name| !name.trim().is_empty())
    }

    proptest! {
        #[test]
        fn a_name_is_stored_byte_for_byte(name in any_name()) {
            let parsed = NameText::parse(&name).unwrap();
            prop_assert_eq!(parsed.as_str(), &name);
            let json = serde_json::to_string(&parsed).unwrap();
            let read: NameText = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read.as_str().as_bytes(), name.as_bytes());
        }

        #[test]
        fn any_text_is_taken_whole_or_refused(text in any::<String>()) {
            if let Ok(name) = NameText::parse(&text) {
                prop_assert_eq!(name.as_str(), text);
            }
        }

        #[test]
        fn selectors_do_not_part_two_spellings_of_one_name(name in any_name()) {
            let bare: String = name.chars().filter(|c| !is_variation_selector(*c)).collect();
            prop_assert_eq!(NameText::parse(&name).unwrap().search_key(), NameText::parse(&bare).unwrap().search_key());
        }
    }
}

//! A veil: the words that would tell where a hidden family is, and what is said in their place.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::mask::Texts;

/// What stands for a concealed address.
pub const ADDRESS_NOTE: &str = "市内・連絡は当課経由";
/// What stands with the telephone of the office, in place of the family's own.
pub const CONTACT_NOTE: &str = "連絡は当課経由";

/// Words that must come out in no text, however they are written, and the office to call instead of the family.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Veil {
    words: BTreeSet<String>,
    office: Option<String>,
}

impl Veil {
    pub fn new(words: &[String], office: Option<String>) -> Self {
        let mut veil = Self { words: BTreeSet::new(), office };
        words.iter().for_each(|word| veil.hide(word));
        veil
    }

    /// The telephone of the office, if its agency gave one.
    pub fn office(&self) -> Option<&str> {
        self.office.as_deref()
    }

    /// Hides a word. One letter, or a few digits, would hide half of every text and tell of no place.
    pub fn hide(&mut self, word: &str) {
        let plain = plain(word);
        let digits = plain.chars().all(|c| c.is_ascii_digit());
        if plain.chars().count() >= if digits { 4 } else { 2 } {
            self.words.insert(plain);
        }
    }

    /// Hides every text within a value: each member of an address tells of the place.
    pub fn hide_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.hide(text),
            Value::Array(items) => items.iter().for_each(|item| self.hide_all(item)),
            Value::Object(members) => members.values().for_each(|member| self.hide_all(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether any text within a value names one of the words.
    pub fn is_named_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => {
                let plain = plain(text);
                self.words.iter().any(|word| plain.contains(word.as_str()))
            }
            Value::Array(items) => items.iter().any(|item| self.is_named_in(item)),
            Value::Object(members) => members.values().any(|member| self.is_named_in(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Whether it hides everything that another one hides.
    pub fn covers(&self, other: &Self) -> bool {
        other.words.is_subset(&self.words)
    }

    /// Hides no longer what another veil hides.
    pub fn spare(&mut self, other: &Self) {
        self.words.retain(|word| !other.words.contains(word));
    }

    pub fn extend(&mut self, other: Self) {
        self.words.extend(other.words);
        self.office = self.office.take().or(other.office);
    }
}

/// The words are what is most to be hidden.
impl fmt::Debug for Veil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Veil({} words)", self.words.len())
    }
}

/// The members that somebody writes in sentences, of a content and of what is written beside it.
pub const SENTENCES: [&str; 12] = [
    "text",
    "summary",
    "wishes",
    "relation",
    "safe_contact",
    "support_so_far",
    "open_matters",
    "risk",
    "question",
    "answer",
    "note",
    "suggestion",
];

/// Whether a member may be shown to somebody from whom a place is hidden. Without a veil nobody knows which words
/// would tell of it, so that no sentence is shown.
pub fn may_be_read(name: &str, value: &Value, texts: Texts, veil: Option<&Veil>) -> bool {
    let sentences_go = texts == Texts::Placeless && veil.is_some();
    match texts {
        Texts::Whole => true,
        Texts::Placeless | Texts::Withheld => {
            (sentences_go || !SENTENCES.contains(&name)) && !veil.is_some_and(|veil| veil.is_named_in(value))
        }
    }
}

/// A text as it compares: full and half width alike, small letters, no blanks, no hyphens, and the digits of kanji.
fn plain(text: &str) -> String {
    let skipped = |c: &char| {
        c.is_whitespace()
            || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー' | '・' | '(' | ')' | '.')
    };
    let digit = |c: char| match "〇一二三四五六七八九".chars().position(|kanji| kanji == c) {
        Some(value) => char::from(b'0' + value as u8),
        None => c,
    };
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !skipped(c)).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(word: &str, text: &str) -> bool {
        Veil::new(&[word.into()], None).is_named_in(&json!([{"text": [text]}]))
    }

    #[test]
    fn a_word_is_found_however_it_is_written() {
        for (word, text) in [
            ("鶴見中央三丁目", "鶴見中央３丁目の角"),
            ("鶴見中央3-4-5", "鶴見中央 3‐4‐5 に転居"),
            ("045-000-1234", "電話は０４５（０００）１２３４"),
            ("2300051", "〒230-0051"),
            ("ﾋﾞｰﾁﾊｲﾂ", "ビーチハイツ 302"),
            ("Sunny Court", "SUNNYCOURT"),
        ] {
            assert!(named(word, text), "{word} in {text}");
        }
        assert!(!named("鶴見中央", "港北"));
    }

    #[test]
    fn what_is_too_short_to_be_a_place_hides_nothing() {
        for word in ["3", "31", "三", "302", " "] {
            assert!(!named(word, "8月31日 302 三"), "{word}");
        }
    }

    #[test]
    fn debug_shows_no_word() {
        assert_eq!(format!("{:?}", Veil::new(&["鶴見中央".into()], None)), "Veil(1 words)");
    }
}

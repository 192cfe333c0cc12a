//! What is wrong with one place of a document, in texts that cannot carry what was sent.
//!
//! A text is made of phrases of this program, of codes, ids, numbers and times; a pointer is made of
//! names and places the program knows. That is their type, not a promise of those who use them.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use uuid::Uuid;

/// A fixed text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase {
    pub ja: &'static str,
    pub en: &'static str,
}

/// What may fill a place `{}` of a sentence. None of them can carry a text from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A code, a member name of a schema, or a word of this program.
    Word(&'static str),
    /// Several of them, written with commas.
    Words(Vec<&'static str>),
    /// A label that differs by language.
    Phrase(Phrase),
    Number(u64),
    Id(Uuid),
    Time(Timestamp),
}

/// A sentence in both languages, with places for [`Part`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    phrase: Phrase,
    parts: Vec<Part>,
}

impl Text {
    pub const fn new(ja: &'static str, en: &'static str) -> Self {
        Self { phrase: Phrase { ja, en }, parts: Vec::new() }
    }

    /// Fills the next place `{}`; both languages name their places in the same order.
    #[must_use]
    pub fn put(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    pub fn ja(&self) -> String {
        self.fill(self.phrase.ja, |phrase| phrase.ja)
    }

    pub fn en(&self) -> String {
        self.fill(self.phrase.en, |phrase| phrase.en)
    }

    fn fill(&self, sentence: &'static str, side: fn(Phrase) -> &'static str) -> String {
        let mut pieces = sentence.split("{}");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for (piece, part) in pieces.zip(&self.parts) {
            text.push_str(&match part {
                Part::Word(word) => (*word).to_owned(),
                Part::Words(words) => words.join(", "),
                Part::Phrase(phrase) => side(*phrase).to_owned(),
                Part::Number(number) => number.to_string(),
                Part::Id(id) => id.as_hyphenated().to_string(),
                Part::Time(time) => time.to_string(),
            });
            text.push_str(piece);
        }
        text
    }
}

impl From<Phrase> for Text {
    fn from(phrase: Phrase) -> Self {
        Self { phrase, parts: Vec::new() }
    }
}

/// Where in a document a fault stands: a JSON pointer (RFC 6901) of names the program knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer(Vec<Step>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Member(&'static str),
    Item(usize),
}

impl Pointer {
    /// A member name the client made up. It may be a person's name, so it is not repeated.
    pub const UNKNOWN_MEMBER: &'static str = "?";

    /// The whole document.
    pub const ROOT: Self = Self(Vec::new());

    #[must_use]
    pub fn member(mut self, name: &'static str) -> Self {
        self.enter_member(name);
        self
    }

    #[must_use]
    pub fn item(mut self, index: usize) -> Self {
        self.enter_item(index);
        self
    }

    pub fn enter_member(&mut self, name: &'static str) {
        self.0.push(Step::Member(name));
    }

    pub fn enter_item(&mut self, index: usize) {
        self.0.push(Step::Item(index));
    }

    /// Goes back to the object or array that holds the present place.
    pub fn leave(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Item(index) => write!(f, "/{index}"),
        })
    }
}

/// One fault of a document: where, which code, what is expected. The value at fault is never repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub pointer: Pointer,
    pub code: &'static str,
    pub message: Text,
}

impl Fault {
    /// More faults than these help nobody and cost everybody.
    pub const LIMIT: usize = 20;
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fault = to.serialize_struct("Fault", 4)?;
        fault.serialize_field("pointer", &self.pointer.to_string())?;
        fault.serialize_field("code", self.code)?;
        fault.serialize_field("message", &self.message.ja())?;
        fault.serialize_field("message_en", &self.message.en())?;
        fault.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn a_fault_says_where_and_what_with_the_pointer_escaped() {
        let fault = Fault {
            pointer: Pointer::ROOT.member("a/b~c").item(3),
            code: "type",
            message: Text::new("{}が必要です。", "Expected {}.").put(Part::Number(7)),
        };
        assert_eq!(
            to_value(&fault).unwrap(),
            json!({"pointer": "/a~1b~0c/3", "code": "type", "message": "7が必要です。", "message_en": "Expected 7."})
        );
    }

    #[test]
    fn every_part_has_its_text() {
        let id = Uuid::from_u128(0x7d44_4840_9dc0_41d1_b245_5ffd_ce74_fad2);
        let text = Text::new("{}・{}・{}・{}・{}", "{} {} {} {} {}")
            .put(Part::Word("leg"))
            .put(Part::Words(vec!["a", "b"]))
            .put(Part::Phrase(Phrase { ja: "宛先", en: "recipient" }))
            .put(Part::Id(id))
            .put(Part::Time(Timestamp::UNIX_EPOCH));
        assert_eq!(text.ja(), "leg・a, b・宛先・7d444840-9dc0-41d1-b245-5ffdce74fad2・1970-01-01T00:00:00Z");
        assert_eq!(text.en(), "leg a, b recipient 7d444840-9dc0-41d1-b245-5ffdce74fad2 1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_pointer_goes_in_and_out() {
        let mut pointer = Pointer::ROOT.member("legs").item(0);
        pointer.leave();
        assert_eq!(pointer.to_string(), "/legs");
        pointer.leave();
        assert_eq!(pointer, Pointer::ROOT);
    }
}

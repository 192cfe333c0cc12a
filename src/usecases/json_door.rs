//! The door for JSON: bytes in, a bounded [`Value`] out, or a refusal that says where and why.
//!
//! One pass, and bounded before any work: size, depth, number of values. What two readers could
//! understand differently is refused (RFC 7493, I-JSON): duplicate names, integers beyond 2^53-1,
//! lone surrogates, a byte order mark, any encoding but UTF-8. A refusal never repeats the content;
//! a member name is repeated only if a schema knows it.

use std::fmt;

use encoding_rs::{EUC_JP, SHIFT_JIS};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, error::Category};

use crate::{
    domain::{
        fault::{Fault, Part, Pointer, Text},
        problem::{Problem, ProblemKind},
    },
    usecases::schema::known_member,
};

/// The largest integer that every JSON reader holds exactly (RFC 7493 §2.2).
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// How much one document may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub bytes: usize,
    /// Objects and arrays inside each other.
    pub depth: usize,
    /// Values of any kind, so that a small body cannot become a large tree.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, depth: 32, values: 20_000 }
    }
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Empty,
    TooLarge {
        limit: usize,
    },
    TooDeep {
        limit: usize,
    },
    TooManyValues {
        limit: usize,
    },
    ByteOrderMark,
    /// Not UTF-8; the encoding it looks like, if it looks like one.
    Encoding(Option<&'static str>),
    DuplicateMember,
    NumberOutOfRange,
    NotANumber,
    LoneSurrogate,
    NulCharacter,
    TrailingBytes,
    Truncated,
    Syntax,
}

/// A refused body: the cause, the place in the document, and the place in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub cause: Cause,
    pub pointer: Pointer,
    /// Line, from 1; 0 where the body was not read at all.
    pub line: usize,
    /// Column in characters, from 1; 0 where the body was not read at all.
    pub column: usize,
}

impl From<Cause> for Refusal {
    fn from(cause: Cause) -> Self {
        Self { cause, pointer: Pointer::ROOT, line: 0, column: 0 }
    }
}

/// Reads a JSON document.
///
/// # Errors
/// A [`Refusal`], of which `Problem::from` makes the answer.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Value, Refusal> {
    if bytes.len() > limits.bytes {
        return Err(Cause::TooLarge { limit: limits.bytes }.into());
    }
    let text = utf8(bytes)?;
    if text.bytes().all(|b| b.is_ascii_whitespace()) {
        return Err(Cause::Empty.into());
    }
    let mut reader = Reader { limits, depth: 0, values: 0, pointer: Pointer::ROOT, cause: None };
    let mut json = serde_json::Deserializer::from_str(text);
    let value = match reader.deserialize(&mut json) {
        Ok(value) => value,
        Err(error) => {
            let cause = reader.cause.unwrap_or_else(|| syntax_cause(&error, text));
            return Err(refusal(cause, reader.pointer, &error, text));
        }
    };
    json.end().map_err(|error| refusal(Cause::TrailingBytes, Pointer::ROOT, &error, text))?;
    Ok(value)
}

fn refusal(cause: Cause, pointer: Pointer, error: &serde_json::Error, text: &str) -> Refusal {
    // serde_json counts bytes; people count characters.
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before = line.as_bytes().get(..error.column()).unwrap_or(line.as_bytes());
    let column = before.iter().filter(|b| !is_continuation(**b)).count();
    Refusal { cause, pointer, line: error.line(), column }
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// Names the cause of an error that `serde_json` itself found. It gives no code, so its texts are
/// compared; the tests pin each of them. Its text may hold content and goes no further.
fn syntax_cause(error: &serde_json::Error, text: &str) -> Cause {
    let says = error.to_string();
    let at = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = at.as_bytes().get(error.column().saturating_sub(1)..).unwrap_or_default();
    if says.starts_with("lone leading surrogate") || says.starts_with("unexpected end of hex escape") {
        Cause::LoneSurrogate
    } else if says.starts_with("number out of range") {
        Cause::NumberOutOfRange
    } else if says.starts_with("recursion limit") {
        Cause::TooDeep { limit: 128 }
    } else if at.starts_with(b"NaN") || at.starts_with(b"Infinity") {
        Cause::NotANumber
    } else if error.classify() == Category::Eof {
        Cause::Truncated
    } else {
        Cause::Syntax
    }
}

/// The bytes as UTF-8 text, or the encoding they seem to be in.
fn utf8(bytes: &[u8]) -> Result<&str, Cause> {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => return Err(Cause::ByteOrderMark),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => {
            return Err(Cause::Encoding(Some("UTF-32")));
        }
        // JSON begins with an ASCII character, so UTF-16 shows a zero byte at once.
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => {
            return Err(Cause::Encoding(Some("UTF-16")));
        }
        _ => {}
    }
    if bytes.contains(&0x1B) && bytes.windows(3).any(|three| matches!(three, [0x1B, b'$', b'B' | b'@'])) {
        return Err(Cause::Encoding(Some("ISO-2022-JP")));
    }
    str::from_utf8(bytes).map_err(|_| Cause::Encoding(japanese_encoding(bytes)))
}

/// Tells Shift_JIS from EUC-JP. Kana decide: Japanese text is full of them, and in the wrong encoding
/// they turn into half-width katakana and rare ideographs.
fn japanese_encoding(bytes: &[u8]) -> Option<&'static str> {
    let kana = |encoding: &'static encoding_rs::Encoding| {
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(text.chars().filter(|c| ('\u{3041}'..='\u{30FC}').contains(c)).count())
    };
    match (kana(SHIFT_JIS), kana(EUC_JP)) {
        (Some(sjis), Some(euc)) if euc >= sjis => Some("EUC-JP"),
        (Some(_), _) => Some("Shift_JIS"),
        (None, Some(_)) => Some("EUC-JP"),
        (None, None) => None,
    }
}

/// The state of one reading. After an error, `pointer` stands at the place of the fault.
struct Reader {
    limits: Limits,
    depth: usize,
    values: usize,
    pointer: Pointer,
    cause: Option<Cause>,
}

impl Reader {
    fn fail<E: serde::de::Error>(&mut self, cause: Cause) -> E {
        self.cause = Some(cause);
        E::custom("refused")
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.depth == self.limits.depth {
            return Err(self.fail(Cause::TooDeep { limit: self.limits.depth }));
        }
        self.depth += 1;
        Ok(())
    }

    fn text<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        // PostgreSQL cannot hold it in a text, and no name or sentence needs it.
        if text.contains('\0') { Err(self.fail(Cause::NulCharacter)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        if self.values == self.limits.values {
            return Err(self.fail(Cause::TooManyValues { limit: self.limits.values }));
        }
        self.values += 1;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER { Err(self.fail(Cause::NumberOutOfRange)) } else { Ok(value.into()) }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER {
            Err(self.fail(Cause::NumberOutOfRange))
        } else {
            Ok(value.into())
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // Integers too long for 64 bits arrive here as well.
        match Number::from_f64(value) {
            Some(number) if value.abs() <= MAX_INTEGER as f64 => Ok(Value::Number(number)),
            _ => Err(self.fail(Cause::NumberOutOfRange)),
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.text(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Value, E> {
        self.text(&text)?;
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut list = Vec::new();
        loop {
            self.pointer.enter_item(list.len());
            let item = items.next_element_seed(&mut *self)?;
            self.pointer.leave();
            match item {
                Some(value) => list.push(value),
                None => break,
            }
        }
        self.depth -= 1;
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.pointer.enter_member(known_member(&name).unwrap_or(Pointer::UNKNOWN_MEMBER));
            self.text(&name)?;
            if object.contains_key(&name) {
                return Err(self.fail(Cause::DuplicateMember));
            }
            let value = members.next_value_seed(&mut *self)?;
            self.pointer.leave();
            object.insert(name, value);
        }
        self.depth -= 1;
        Ok(Value::Object(object))
    }
}

impl Cause {
    /// The stable code of the fault.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge { .. } => "too_large",
            Self::TooDeep { .. } => "too_deep",
            Self::TooManyValues { .. } => "too_many_values",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Encoding(_) => "encoding",
            Self::DuplicateMember => "duplicate_member",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::NotANumber => "not_a_number",
            Self::LoneSurrogate => "lone_surrogate",
            Self::NulCharacter => "nul_character",
            Self::TrailingBytes => "trailing_bytes",
            Self::Truncated => "truncated",
            Self::Syntax => "syntax",
        }
    }

    const fn kind(self) -> ProblemKind {
        match self {
            Self::TooLarge { .. } | Self::TooManyValues { .. } => ProblemKind::TooLarge,
            Self::TooDeep { .. } => ProblemKind::TooDeep,
            Self::ByteOrderMark | Self::Encoding(_) => ProblemKind::WrongEncoding,
            _ => ProblemKind::MalformedJson,
        }
    }

    fn message(self) -> Text {
        match self {
            Self::Empty => Text::new("本文が空です。", "The body is empty."),
            Self::TooLarge { limit } => {
                Text::new("本文は{}バイトまでです。", "The body may have {} bytes at most.")
                    .put(number(limit))
            }
            Self::TooDeep { limit } => {
                Text::new("入れ子は{}段までです。", "Nesting may be {} levels deep at most.")
                    .put(number(limit))
            }
            Self::TooManyValues { limit } => {
                Text::new("値は{}個までです。", "The body may hold {} values at most.").put(number(limit))
            }
            Self::ByteOrderMark => {
                Text::new("先頭にBOMがあります。", "The body begins with a byte order mark.")
            }
            Self::Encoding(Some(name)) => {
                Text::new("文字コードは{}のようです。", "The body looks like {}.").put(Part::Word(name))
            }
            Self::Encoding(None) => Text::new("UTF-8として読めません。", "The body cannot be read as UTF-8."),
            Self::DuplicateMember => {
                Text::new("同じ名前の項目が二つあります。", "A member name stands twice in one object.")
            }
            Self::NumberOutOfRange => Text::new(
                "数は±{}の範囲に限ります。",
                "Numbers are limited to the range of plus or minus {}.",
            )
            .put(Part::Number(MAX_INTEGER)),
            Self::NotANumber => {
                Text::new("NaNとInfinityは使えません。", "NaN and Infinity are not allowed in JSON.")
            }
            Self::LoneSurrogate => {
                Text::new("サロゲートの片方だけがあります。", "An escape holds one half of a surrogate pair.")
            }
            Self::NulCharacter => Text::new("U+0000は使えません。", "The character U+0000 is not allowed."),
            Self::TrailingBytes => {
                Text::new("JSONの後ろに余分な文字があります。", "Something follows the JSON document.")
            }
            Self::Truncated => Text::new("JSONが途中で終わっています。", "The JSON document is cut off."),
            Self::Syntax => {
                Text::new("JSONの文法に合いません。", "The text does not follow the JSON grammar.")
            }
        }
    }
}

fn number(value: usize) -> Part {
    Part::Number(value as u64)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { cause, pointer, line, column } = refusal;
        let problem = Self::new(cause.kind()).code(cause.code());
        if line == 0 {
            return problem.detail(cause.message());
        }
        let place = Text::new("{}行{}列で読み取りを止めました。", "Reading stopped at line {}, column {}.")
            .put(number(line))
            .put(number(column));
        problem.detail(place).faults([Fault { pointer, code: cause.code(), message: cause.message() }])
    }
}

#[cfg(test)]
mod tests;

//! What the schema says at the place where a value broke it: the fault's text comes from there, never from the value.

use jsonschema::{ValidationError, error::ValidationErrorKind as Kind};
use serde_json::Value;

use super::{BASE, Schema};
use crate::domain::fault::{Part, Phrase, Text};

/// The part of a schema that a value broke: the object that holds the keyword.
pub(super) struct Rule(Option<&'static Value>);

impl Rule {
    pub fn of(error: &ValidationError<'_>) -> Self {
        Self(error.absolute_keyword_location().and_then(|place| rule_at(place.as_str())))
    }

    fn keyword(&self, name: &str) -> Option<&'static Value> {
        self.0?.get(name)
    }

    fn number(&self, name: &str) -> Part {
        Part::Number(self.keyword(name).and_then(Value::as_u64).unwrap_or_default())
    }

    fn words(&self, name: &str) -> Part {
        let words = match self.keyword(name) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::Object(members)) => members.keys().map(String::as_str).collect(),
            Some(Value::String(word)) => vec![word.as_str()],
            _ => vec![],
        };
        Part::Words(words)
    }

    fn description(&self) -> Part {
        Part::Phrase(self.0.and_then(description).unwrap_or(AS_PUBLISHED))
    }

    pub fn required(&self, name: &str) -> Text {
        let member = self.keyword("properties").and_then(|members| members.get(name));
        let described = member.and_then(|schema| {
            description(schema).or_else(|| description(rule_at(schema.get("$ref")?.as_str()?)?))
        });
        Text::new("この項目が必要です：{}", "This member is required: {}")
            .put(Part::Phrase(described.unwrap_or(AS_PUBLISHED)))
    }

    pub fn expectation(&self, kind: &Kind) -> (&'static str, Text) {
        match kind {
            Kind::AdditionalProperties { .. } => (
                "unknown_member",
                Text::new(
                    "書式にない項目があります。使える項目：{}",
                    "There is a member that the schema does not know. Known are: {}",
                )
                .put(self.words("properties")),
            ),
            Kind::Type { .. } => (
                "type",
                Text::new("値の型が違います。必要な型：{}", "The value has the wrong type. Expected: {}")
                    .put(self.words("type")),
            ),
            Kind::Enum { .. } => (
                "unknown_code",
                Text::new("一覧にない値です。使える値：{}", "Not a value of the list. Allowed are: {}")
                    .put(self.words("enum")),
            ),
            Kind::Format { format } => self.format(format),
            Kind::Pattern { .. } => ("pattern", self.form()),
            _ => self.bound(kind),
        }
    }

    fn bound(&self, kind: &Kind) -> (&'static str, Text) {
        let (code, keyword, text) = match kind {
            Kind::MaxLength { .. } => {
                ("too_long", "maxLength", Text::new("{}文字までです。", "At most {} characters are allowed."))
            }
            Kind::MinLength { .. } => (
                "too_short",
                "minLength",
                Text::new("{}文字以上が必要です。", "At least {} characters are needed."),
            ),
            Kind::MaxItems { .. } => {
                ("too_many", "maxItems", Text::new("{}件までです。", "At most {} items are allowed."))
            }
            Kind::MinItems { .. } => {
                ("too_few", "minItems", Text::new("{}件以上が必要です。", "At least {} items are needed."))
            }
            Kind::MinProperties { .. } => (
                "too_few_members",
                "minProperties",
                Text::new("項目が{}個以上必要です。", "At least {} members are needed."),
            ),
            Kind::Maximum { .. } => {
                ("too_great", "maximum", Text::new("{}以下の値が必要です。", "The value may be {} at most."))
            }
            Kind::Minimum { .. } => (
                "too_small",
                "minimum",
                Text::new("{}以上の値が必要です。", "The value must be {} at least."),
            ),
            Kind::UniqueItems => {
                return (
                    "repeated",
                    Text::new("同じ値が二度あります。", "A value stands in the list twice."),
                );
            }
            _ => return ("schema", self.form()),
        };
        (code, text.put(self.number(keyword)))
    }

    fn form(&self) -> Text {
        Text::new("形式が違います：{}", "Not in the expected form: {}").put(self.description())
    }

    fn format(&self, format: &str) -> (&'static str, Text) {
        match format {
            "date" | "date-time" | "tsunagu-partial-date" => (
                "impossible_date",
                Text::new("日付・日時として読めません：{}", "Not a date or time that exists: {}")
                    .put(self.description()),
            ),
            "tsunagu-line" => (
                "control_character",
                Text::new(
                    "改行などの制御文字や、見えない文字は使えません。",
                    "Line breaks, control characters and invisible characters are not allowed.",
                ),
            ),
            "tsunagu-text" => (
                "control_character",
                Text::new(
                    "改行とタブのほかの制御文字は使えません。",
                    "Control characters other than line breaks and tabs are not allowed.",
                ),
            ),
            "tsunagu-name" => (
                "name_character",
                Text::new(
                    "制御文字、見えない文字、外字（私用領域の文字）は使えません。",
                    "Control characters, invisible characters and private-use characters are not allowed in a name.",
                ),
            ),
            _ => ("format", self.form()),
        }
    }
}

const AS_PUBLISHED: Phrase =
    Phrase { ja: "公開している書式を参照", en: "see the published schema" };

/// The Japanese and the English half of a schema's description.
fn description(schema: &'static Value) -> Option<Phrase> {
    let (ja, en) = schema.get("description")?.as_str()?.split_once(" / ")?;
    Some(Phrase { ja, en })
}

/// The schema object at a place such as `…/common.json#/$defs/uuid`; a trailing keyword is dropped.
fn rule_at(place: &str) -> Option<&'static Value> {
    let (file, fragment) = place.split_once('#')?;
    // Only the common definitions refer to themselves without naming the file.
    let name = match file {
        "" => Schema::Common.name(),
        _ => file.strip_prefix(BASE).unwrap_or(file).strip_suffix(".json")?,
    };
    let schema = Schema::ALL.iter().find(|schema| schema.name() == name)?;
    let found = schema.document().pointer(fragment)?;
    let is_schema = found.get("description").is_some() || found.get("type").is_some();
    match fragment.rsplit_once('/') {
        Some((holder, _)) if !is_schema => schema.document().pointer(holder),
        _ => Some(found),
    }
}

//! The contract of every document: the JSON Schemas of `schemas/`, compiled once, never fetched.
//!
//! A fault says where and what is expected. What it says comes from the schemas alone, so it cannot
//! repeat what was sent. Rules that look beyond one document, such as check digits or whether a
//! consent covers a recipient, are the domain's.

mod format;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jsonschema::{PatternOptions, Registry, ValidationError, Validator, error::ValidationErrorKind as Kind};
use serde_json::Value;

use crate::domain::fault::{Fault, Part, Phrase, Pointer, Text};

macro_rules! schemas {
    ($($variant:ident = $name:literal;)+) => {
        /// A published schema.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Schema { $($variant,)+ }

        impl Schema {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name of its file, and the last part of its `$id`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The schema as it is published.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../schemas/", $name, ".json")),)+ }
            }
        }
    };
}

schemas! {
    Common = "common";
    // What clients send.
    Referral = "referral";
    Consent = "consent";
    ConsentForm = "consent-form";
    Withdraw = "withdraw";
    Arrangement = "arrangement";
    ArrangementMember = "arrangement-member";
    ArrangementCase = "arrangement-case";
    ArrangementEnd = "arrangement-end";
    Protection = "protection";
    ProtectionChange = "protection-change";
    ProtectionRelease = "protection-release";
    ProtectionUnlock = "protection-unlock";
    ProtectionApprove = "protection-approve";
    Relation = "relation";
    BreakGlass = "break-glass";
    BreakGlassReview = "break-glass-review";
    Case = "case";
    CaseChange = "case-change";
    CasePlan = "case-plan";
    CaseClose = "case-close";
    CaseReopen = "case-reopen";
    CaseEntry = "case-entry";
    Consultation = "consultation";
    LegAction = "leg-action";
    StatutoryDecision = "statutory-decision";
    IncidentClose = "incident-close";
    AccessRequest = "access-request";
    AccessRequestStep = "access-request-step";
    Erase = "erase";
    Hold = "hold";
    HoldLift = "hold-lift";
    Ack = "ack";
    Staff = "staff";
    Readers = "readers";
    SignIn = "sign-in";
    SubscriptionAmqp = "subscription-amqp";
    SubscriptionMail = "subscription-mail";
    // What a command reads.
    DecisionCase = "decision-case";
    // What travels and is signed.
    Document = "document";
    Manifest = "manifest";
    Receipt = "receipt";
    Refusal = "refusal";
    ConsentStatement = "consent-statement";
    Doorbell = "doorbell";
    // What the API answers.
    Problem = "problem";
    Agency = "agency";
    Service = "service";
    ConsentView = "consent-view";
    ConsentAnswer = "consent-answer";
    ArrangementView = "arrangement-view";
    ArrangementRegister = "arrangement-register";
    ArrangementAnswer = "arrangement-answer";
    ProtectionView = "protection-view";
    ProtectionAnswer = "protection-answer";
    CaseView = "case-view";
    CaseAnswer = "case-answer";
    CasePlans = "case-plans";
    CaseEntries = "case-entries";
    CaseEntryAnswer = "case-entry-answer";
    ConsultationView = "consultation-view";
    ConsultationAnswer = "consultation-answer";
    ReferralView = "referral-view";
    Accesses = "accesses";
    Grounds = "grounds";
    RelationAnswer = "relation-answer";
    BreakGlassAnswer = "break-glass-answer";
    BreakGlassView = "break-glass-view";
    LegView = "leg-view";
    LegAnswer = "leg-answer";
    Inbox = "inbox";
    IncidentView = "incident-view";
    FamilyView = "family-view";
    AccessRequestView = "access-request-view";
    AccessRequestAnswer = "access-request-answer";
    AccessRequestPreparation = "access-request-preparation";
    SubjectExport = "subject-export";
    DeliveryView = "delivery-view";
    Token = "token";
    Health = "health"; Preview = "preview"; DryRun = "dry-run";
}

/// Where the schemas say they live. Nothing is ever fetched from there.
pub const BASE: &str = "https://schemas.tsunagu.example/v1/";

static DOCUMENTS: LazyLock<BTreeMap<Schema, Value>> = LazyLock::new(|| {
    let parse = |schema: &Schema| {
        serde_json::from_str(schema.text()).expect("invariant: the embedded schemas are JSON")
    };
    Schema::ALL.iter().map(|schema| (*schema, parse(schema))).collect()
});

static VALIDATORS: LazyLock<BTreeMap<Schema, Validator>> = LazyLock::new(|| {
    let registry = Registry::new()
        .extend(DOCUMENTS.iter().map(|(schema, document)| (schema.id(), document)))
        .and_then(jsonschema::RegistryBuilder::prepare)
        .expect("invariant: the embedded schemas refer to each other only");
    let compile = |document: &Value| {
        jsonschema::options()
            .with_registry(&registry)
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(PatternOptions::regex())
            .with_format("date-time", format::is_time)
            .with_format("tsunagu-partial-date", format::is_partial_date)
            .with_format("tsunagu-line", format::is_line)
            .with_format("tsunagu-text", format::is_text)
            .with_format("tsunagu-name", format::is_name)
            .build(document)
            .expect("invariant: the embedded schemas compile")
    };
    DOCUMENTS.iter().map(|(schema, document)| (*schema, compile(document))).collect()
});

static MEMBERS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    DOCUMENTS.values().for_each(|document| collect_members(document, &mut names));
    names
});

fn collect_members(schema: &'static Value, names: &mut BTreeSet<&'static str>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().map(String::as_str));
            }
            members.values().for_each(|member| collect_members(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_members(item, names)),
        _ => {}
    }
}

/// The member name as the schemas write it, if one of them knows it. A name that none knows may be
/// anything, a person's name too, and is not to be repeated.
pub fn known_member(name: &str) -> Option<&'static str> {
    MEMBERS.get(name).copied()
}

impl Schema {
    /// Compiles everything now, so that the first request does not wait for it.
    pub fn prepare_all() {
        LazyLock::force(&VALIDATORS);
        LazyLock::force(&MEMBERS);
    }

    /// The `$id` under which other documents refer to it.
    pub fn id(self) -> String {
        format!("{BASE}{}.json", self.name())
    }

    /// The schema as a document.
    pub fn document(self) -> &'static Value {
        &DOCUMENTS[&self]
    }

    /// Checks a document.
    ///
    /// # Errors
    /// Its faults, at most [`Fault::LIMIT`], in the order the schema finds them.
    pub fn check(self, value: &Value) -> Result<(), Vec<Fault>> {
        let validator = &VALIDATORS[&self];
        if validator.is_valid(value) {
            return Ok(());
        }
        Err(validator.iter_errors(value).map(|error| fault(&error)).take(Fault::LIMIT).collect())
    }
}

fn fault(error: &ValidationError<'_>) -> Fault {
    let rule = Rule::of(error);
    let mut pointer = pointer(error.instance_path().as_str());
    if let Kind::Required { property } = error.kind() {
        let name = property.as_str().and_then(known_member).unwrap_or(Pointer::UNKNOWN_MEMBER);
        pointer.enter_member(name);
        return Fault { pointer, code: "required", message: rule.required(name) };
    }
    let (code, message) = rule.expectation(error.kind());
    Fault { pointer, code, message }
}

/// A pointer as other parts of the program write it, kept as far as the schemas know its names.
pub fn pointer(text: &str) -> Pointer {
    text.split('/').skip(1).fold(Pointer::ROOT, |pointer, step| match step.parse() {
        Ok(index) => pointer.item(index),
        Err(_) => pointer.member(known_member(step).unwrap_or(Pointer::UNKNOWN_MEMBER)),
    })
}

/// The part of a schema that a value broke: the object that holds the keyword.
struct Rule(Option<&'static Value>);

impl Rule {
    fn of(error: &ValidationError<'_>) -> Self {
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

    fn required(&self, name: &str) -> Text {
        let member = self.keyword("properties").and_then(|members| members.get(name));
        let described = member.and_then(|schema| {
            description(schema).or_else(|| description(rule_at(schema.get("$ref")?.as_str()?)?))
        });
        Text::new("この項目が必要です：{}", "This member is required: {}")
            .put(Part::Phrase(described.unwrap_or(AS_PUBLISHED)))
    }

    fn expectation(&self, kind: &Kind) -> (&'static str, Text) {
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

#[cfg(test)]
mod tests;

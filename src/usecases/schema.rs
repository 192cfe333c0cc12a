//! The contract of every document: the JSON Schemas of `schemas/`, compiled once, never fetched.
//!
//! A fault says where and what is expected. What it says comes from the schemas alone, so it cannot
//! repeat what was sent. Rules that look beyond one document, such as check digits or whether a
//! consent covers a recipient, are the domain's.

mod format;
mod rule;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jsonschema::{PatternOptions, Registry, ValidationError, Validator, error::ValidationErrorKind as Kind};
use rule::Rule;
use serde_json::Value;

use crate::domain::fault::{Fault, Pointer};

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

#[cfg(test)]
mod tests;

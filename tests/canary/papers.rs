//! Every document an agency can send, with a canary in every field that takes a text of its writer's.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use super::{
    cases,
    words::{ADDRESS, ASCII, NAME, address, ascii, name},
};

/// A person, with every part of the name.
pub fn person() -> Value {
    json!({"family": name(), "given": name(), "family_kana": name(), "given_kana": name()})
}

pub fn staff(role: &str) -> Value {
    json!({ "role": role, "name": name(), "kana": name() })
}

pub fn mail(duty_desk: bool) -> Value {
    let hours: Vec<u8> = (0..6).map(|hour| hour * 4).collect();
    json!({ "address": address(), "language": "ja", "gather_hours": hours, "duty_desk": duty_desk })
}

pub fn subjects() -> Value {
    json!([
        {"ref": "child-1", "role": "child", "birth_date": "2023-05"},
        {"ref": "mother", "role": "guardian", "birth_date": "1995"}
    ])
}

fn custody() -> Value {
    json!({"kind": "joint_married", "other_custodian": "objects", "ground": "urgent", "reason": name()})
}

/// A consent for everything, to these recipients.
pub fn consent(recorded_by: &str, recipients: &[&str], days: (&str, &str)) -> Value {
    json!({
        "recorded_by": recorded_by, "purpose": "SHOKAI", "recipients": recipients,
        "sections": SECTIONS, "subjects": subjects(),
        "giver": {"subject": "mother", "capacity": "PARENT", "name": person(), "for": ["child-1", "mother"]},
        "act": "consultation", "custody": custody(), "witness": name(),
        "lines": [{
            "subject": "child-1", "custody": custody(), "giver": {"subject": "mother", "name": person()},
            "guardian": {"told": "unsafe", "reason": name()}, "opinion": {"view": "against", "text": name()},
        }],
        "method": "oral", "read_back": true, "language": "ja", "interpreter": name(), "text_version": "2026-04",
        "decision": "given", "first_day": days.0, "last_day": days.1,
    })
}

const SECTIONS: &[&str] = &[
    "identity",
    "contact",
    "address",
    "household",
    "needs",
    "narrative",
    "health",
    "development",
    "economic",
    "safety",
];

/// Every section with every field filled in.
fn content() -> Value {
    let told = |subject: &str| json!([{"subject": subject, "summary": name(), "text": name()}]);
    json!({
        "identity": [
            {"subject": "child-1", "name": person(), "birth_date": "2023-05-01", "sex": "1"},
            {"subject": "mother", "name": person()}
        ],
        "contact": [{
            "subject": "mother", "phone": name(), "email": format!("{}@home.example.jp", ascii()), "safe_contact": name()
        }],
        "address": [{
            "subject": "mother", "municipality": "141011", "town": name(), "rest": name(), "postal_code": "2300051"
        }],
        "household": [{"text": name()}],
        "needs": [{"codes": ["RESPITE"], "text": name(), "open_matters": name()}],
        "narrative": [{"summary": name(), "text": name(), "wishes": name(), "support_so_far": name()}],
        "health": told("child-1"),
        "development": told("child-1"),
        "economic": [{"text": name()}],
        "safety": [{"text": name(), "risk": name()}],
    })
}

/// A consent as the basis, with every text that any basis records.
fn basis(consent: &str) -> Value {
    let texts = [
        "parent_request",
        "grounds",
        "consent_sought_reason",
        "consent_difficult_because",
        "requested_by",
        "requested_for",
        "requested_items",
        "necessity",
        "transfer_letter",
        "public_task",
        "consent_hinders_because",
        "article",
        "reason",
        "conditions",
        "stated_purpose",
        "change_reason",
    ];
    let mut basis = json!({
        "code": "CONSENT", "consent": consent, "papers": [name()], "papers_demanded": [name()],
    });
    for text in texts {
        basis[text] = name().into();
    }
    basis
}

/// An introduction that tells everything, to these recipients.
pub fn introduction(by: (&str, &str), consent: &str, recipients: &[&str]) -> Value {
    let leg = |recipient: &&str| {
        json!({
            "recipient": recipient, "sections": SECTIONS, "requested_action": name(),
            "basis": basis(consent),
            "address_needed_because": name(),
        })
    };
    json!({
        "type": "SHOKAI", "urgency": "U1", "written_by": by.0, "approved_by": by.1, "source_ref": ascii(),
        "subjects": subjects(), "content": content(), "legs": recipients.iter().map(leg).collect::<Vec<_>>(),
    })
}

/// A notice of suspected abuse with who gave it.
pub fn notice(written_by: &str, desk: &str) -> Value {
    let mut content = content();
    content["notifier"] = json!([{"name": person(), "phone": name(), "relation": name(), "text": name()}]);
    let sections = [SECTIONS, &["notifier"]].concat();
    json!({
        "type": "TSUKOKU", "urgency": "U4", "written_by": written_by, "subjects": subjects(), "content": content,
        "source_ref": ascii(),
        "legs": [{
            "recipient": desk, "basis": {"code": "TSUKOKU_GY6"}, "requested_action": name(),
            "sections": sections, "address_needed_because": name(),
        }],
    })
}

/// An act with every text there is; acts take no offence at what they do not need.
pub fn act(by: &str, more: &Value) -> Value {
    let mut act = json!({ "by": by, "question": name(), "answer": name(), "note": name(), "suggestion": name(), "article": name() });
    for (member, value) in more.as_object().into_iter().flatten() {
        act[member] = value.clone();
    }
    act
}

/// What a person decides after a withdrawal: no law allows it.
pub fn statutory_decision(by: &str) -> Value {
    json!({ "by": by, "decision": "none", "reason": name() })
}

/// A protection of a case, with every text there is.
pub fn protection(by: &str, case: &str) -> Value {
    json!({
        "by": by, "case": case, "hidden_from": [{"municipality": "011002"}], "words": [name()],
        "ground": name(), "texts_confirmed_by": by,
    })
}

pub fn incident_close(by: &str) -> Value {
    json!({ "by": by, "note": name() })
}

/// A request of a person to see what is held.
pub fn access_request(by: &str, today: &str) -> Value {
    json!({
        "by": by, "requester": "PARENT", "identity": "photo_card", "authority": "family_register", "subject": name(),
        "asked_by": name(), "wording": name(), "received_on": today,
    })
}

/// A step of it with every text there is; steps take no offence at what they do not need.
pub fn access_request_step(by: &str, more: &Value) -> Value {
    let mut step = json!({ "by": by, "step": "extend", "reason": name() });
    for (member, value) in more.as_object().into_iter().flatten() {
        step[member] = value.clone();
    }
    step
}

/// A decision to show a part.
pub fn shown(part: &str) -> Value {
    json!([{ "part": part, "extent": "texts", "reason": name() }])
}

/// Texts that are no one's: a code, a version of a leaflet, and what agencies publish about themselves.
const NOT_PERSONAL: &[&str] =
    &["/legs/*/basis/code", "/text_version", "/title", "/purpose", "/notice_version"];

/// The fields of a schema that take a free text, as paths with `*` for any item.
fn text_fields(file: &str) -> BTreeSet<String> {
    fn walk(schema: &Value, home: &str, at: &str, found: &mut BTreeSet<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let (file, pointer) = reference.rsplit_once('#').unwrap();
            let file = if file.is_empty() { home } else { file };
            walk(read(file).pointer(pointer).unwrap(), file, at, found);
        }
        let format = schema["format"].as_str().unwrap_or_default();
        let free = matches!(format, "tsunagu-text" | "tsunagu-line" | "tsunagu-name");
        let coded = schema["enum"].is_array() || schema["const"].is_string() || !format.is_empty();
        let pattern = schema["pattern"].as_str().unwrap_or_default();
        // A pattern that takes a word of small letters takes somebody's name.
        let takes_words = pattern.contains("A-Za-z0-9._-]{1,") || pattern.contains('@');
        if schema["type"] == "string" && (free || takes_words && !coded) {
            found.insert(at.to_owned());
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            walk(member, home, &format!("{at}/{name}"), found);
        }
        if schema["items"].is_object() {
            walk(&schema["items"], home, &format!("{at}/*"), found);
        }
    }
    fn read(name: &str) -> Value {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    }
    let mut found = BTreeSet::new();
    walk(&read(file), file, "", &mut found);
    found.retain(|path| !NOT_PERSONAL.contains(&path.as_str()));
    found
}

/// Somebody who works at the recipient and is related to the case.
pub fn related() -> Value {
    json!([{"name": name(), "kana": name(), "relation": "relative"}])
}

/// The fields of a document that hold a canary.
fn canaried(document: &Value, at: &str, found: &mut BTreeSet<String>) {
    match document {
        Value::String(text) if [NAME, ASCII, ADDRESS].iter().any(|word| text.contains(word)) => {
            found.insert(at.to_owned());
        }
        Value::Array(items) => items.iter().for_each(|item| canaried(item, &format!("{at}/*"), found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| canaried(value, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

/// A field that is added to a schema must get its canary.
#[test]
fn every_free_text_of_every_schema_holds_a_canary() {
    for (file, documents) in [
        (
            "referral.json",
            vec![
                introduction(("", ""), "", &[""]),
                notice("", ""),
                json!({"legs": [{"related": related()}]}),
            ],
        ),
        ("consent.json", vec![consent("", &[""], ("", ""))]),
        ("consent-form.json", vec![consent("", &[""], ("", ""))]),
        ("staff.json", vec![staff("coordinator")]),
        ("subscription-mail.json", vec![mail(true)]),
        ("leg-action.json", vec![act("", &json!({}))]),
        ("statutory-decision.json", vec![statutory_decision("")]),
        ("incident-close.json", vec![incident_close("")]),
        ("access-request.json", vec![access_request("", "")]),
        ("access-request-step.json", vec![access_request_step("", &json!({"parts": shown("")}))]),
        ("consultation.json", vec![cases::talk("")]),
        ("case.json", vec![cases::case("")]),
        ("case-change.json", vec![cases::case("")]),
        ("case-plan.json", vec![cases::plan("")]),
        ("case-entry.json", vec![cases::entry("")]),
        ("case-close.json", vec![cases::close("")]),
        ("case-reopen.json", vec![cases::reopen("")]),
        ("withdraw.json", vec![]),
        ("arrangement.json", vec![]),
        ("arrangement-member.json", vec![]),
        ("arrangement-case.json", vec![]),
        ("arrangement-end.json", vec![]),
        ("ack.json", vec![]),
    ] {
        let mut found = BTreeSet::new();
        documents.iter().for_each(|document| canaried(document, "", &mut found));
        let missing: Vec<_> = text_fields(file).difference(&found).cloned().collect();
        assert!(missing.is_empty(), "{file}: no canary in {missing:?}");
    }
    assert!(text_fields("referral.json").len() > 25, "{:?}", text_fields("referral.json"));
}

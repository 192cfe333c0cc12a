//! The one way out: every outgoing byte about a person is made here, under a mask. Pages, API, webhook,
//! sealed push, print, export and preview all call [`render`].

use jiff::{Timestamp, tz::Offset};
use serde_json::{Map, Value, json};

use super::{
    basis::Basis,
    content::{Content, Entry},
    disclosure::Decision,
    ids::{AgencyId, DeliveryId, LegId},
    mask::{Detail, Mask, SectionMask, Texts},
    referral::{ReferralType, Urgency},
    section::Section,
    subject::{Subject, SubjectRef},
    veil::{ADDRESS_NOTE, CONTACT_NOTE, Veil, may_be_read},
};

/// Renders what the mask grants of a content: an object of sections, each an array of entries.
///
/// It starts from nothing and adds what is granted, so that what nobody decided on cannot come out.
/// Entries and sections of which nothing remains are left out.
pub fn render(content: &Content, mask: &Mask) -> Value {
    let mut shown = Map::new();
    for (section, granted) in mask.sections() {
        let entries: Vec<Value> = content
            .entries(section)
            .iter()
            .filter(|entry| granted.subjects.contains(&entry.subject))
            .filter_map(|entry| render_entry(entry, section, granted, content.veil()))
            .collect();
        if !entries.is_empty() {
            shown.insert(section.code().into(), Value::Array(entries));
        }
    }
    Value::Object(shown)
}

fn render_entry(
    entry: &Entry,
    section: Section,
    granted: &SectionMask,
    veil: Option<&Veil>,
) -> Option<Value> {
    let mut shown: Map<String, Value> = match (granted.detail, section) {
        (Detail::Full, _) => entry.fields.clone(),
        (Detail::Flagged, Section::Address | Section::Contact) => flagged(entry),
        (Detail::Town, Section::Address) => only(entry, &["municipality", "town"]),
        (Detail::Summary, Section::Narrative | Section::Health | Section::Development) => {
            only(entry, &["summary"])
        }
        (Detail::Substitute, Section::Address) => note(ADDRESS_NOTE, None),
        (Detail::Office, Section::Contact) => note(CONTACT_NOTE, veil.and_then(Veil::office)),
        _ => Map::new(),
    };
    if !granted.detail.stands_in() && section != Section::Identity {
        shown.retain(|name, value| may_be_read(name, value, granted.texts, veil));
    }
    if shown.is_empty() {
        return None;
    }
    if let Some(subject) = &entry.subject {
        shown.insert("subject".into(), subject.as_str().into());
    }
    Some(Value::Object(shown))
}

/// An entry in full, with the flag that nobody else may be told.
fn flagged(entry: &Entry) -> Map<String, Value> {
    let mut shown = entry.fields.clone();
    if !shown.is_empty() {
        shown.insert("concealed".into(), true.into());
    }
    shown
}

/// What stands for an entry that is concealed; nothing of the entry itself.
fn note(text: &str, phone: Option<&str>) -> Map<String, Value> {
    let phone = phone.map(|phone| ("phone".to_owned(), phone.into()));
    std::iter::once(("note".to_owned(), text.into())).chain(phone).collect()
}

fn only(entry: &Entry, names: &[&str]) -> Map<String, Value> {
    let kept = names.iter().filter_map(|name| Some(((*name).to_owned(), entry.fields.get(*name)?.clone())));
    kept.collect()
}

/// What stands around a content in the document a recipient gets.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub leg: LegId,
    pub delivery: DeliveryId,
    pub kind: ReferralType,
    pub urgency: Urgency,
    pub sender: AgencyId,
    pub recipient: AgencyId,
    pub requested_action: Option<&'a str>,
    pub reply_by: Option<Timestamp>,
    /// The capacity query of a referral without personal data.
    pub resources: Option<&'a Value>,
}

/// The structured document of one delivery, version 1 (`schemas/`): what the decision grants of the
/// content, and of the subjects those alone that something is shown about.
///
/// What is withheld leaves no trace in it, neither as an empty section nor as a subject.
pub fn document(head: &Head<'_>, subjects: &[Subject], content: &Content, decision: &Decision) -> Value {
    let veil = content.veil();
    let content = render(content, &decision.mask);
    // In the order of the list of sections, which the keys of a JSON object do not keep.
    let sections: Vec<Section> =
        decision.mask.sections().map(|(s, _)| s).filter(|s| content.get(s.code()).is_some()).collect();
    let shown = |reference: &SubjectRef| {
        let entries = content.as_object().into_iter().flatten().filter_map(|(_, e)| e.as_array()).flatten();
        entries.into_iter().any(|entry| entry["subject"] == reference.as_str())
    };
    let people: Vec<Value> = subjects
        .iter()
        .filter(|subject| shown(&subject.reference))
        .map(|subject| json!({"ref": subject.reference, "role": subject.role}))
        .collect();
    // Under a veil an empty mask tells nothing of how texts are to be shown.
    let texts = match (decision.mask.is_empty(), veil) {
        (true, Some(_)) => Texts::Withheld,
        _ => decision.mask.texts(),
    };
    let action = head.requested_action.map(Value::from);
    let action = action.filter(|action| may_be_read("text", action, texts, veil));
    let mut document = json!({
        "v": 1, "leg": head.leg, "delivery": head.delivery, "type": head.kind, "urgency": head.urgency,
        "sender": head.sender, "recipient": head.recipient, "sections": sections, "subjects": people,
        "content": content,
    });
    let optional = [
        ("requested_action", action),
        ("reply_by", head.reply_by.map(|at| at.display_with_offset(Offset::constant(9)).to_string().into())),
        ("basis", basis(decision)),
        ("resources", head.resources.cloned()),
    ];
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        document[name] = value;
    }
    document
}

fn basis(decision: &Decision) -> Option<Value> {
    let ground = decision.basis.as_ref()?;
    let mut basis = json!({"code": ground.code, "law": Basis::of(ground.code).law});
    if let Some(reference) = &ground.reference {
        basis["ref"] = reference.as_str().into();
    }
    Some(basis)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{basis::BasisCode, disclosure::Ground, mask::tests::mask, subject::SubjectRole};

    fn people() -> Vec<Subject> {
        [
            ("child-1", SubjectRole::Child),
            ("mother", SubjectRole::Guardian),
            ("father", SubjectRole::Guardian),
        ]
        .map(|(r, role)| Subject { reference: r.parse().unwrap(), role, birth_date: None })
        .into()
    }

    type Token = (Section, Option<SubjectRef>, &'static str, String);

    /// A content with an entry about the household and each person in every section, each value a
    /// token that occurs nowhere else.
    fn everything() -> (Content, Vec<Token>) {
        let (mut object, mut tokens) = (Map::new(), Vec::new());
        for section in Section::ALL {
            let mut entries = Vec::new();
            for subject in [None, Some("child-1"), Some("mother"), Some("father")] {
                let mut entry = Map::new();
                for field in ["municipality", "town", "rest", "summary", "text", "name"] {
                    let token = format!("<{section}/{}/{field}>", subject.unwrap_or("household"));
                    // Nested, so that a renderer which forgets depth is caught as well.
                    let value = if field == "name" {
                        json!({"family": [token.clone()]})
                    } else {
                        json!(token.clone())
                    };
                    entry.insert(field.into(), value);
                    tokens.push((*section, subject.map(|s| s.parse().unwrap()), field, token));
                }
                if let Some(subject) = subject {
                    entry.insert("subject".into(), subject.into());
                }
                entries.push(Value::Object(entry));
            }
            object.insert(section.code().into(), entries.into());
        }
        (Content::parse(&Value::Object(object), &people(), date(2026, 10, 15)).unwrap(), tokens)
    }

    fn may_show(mask: &Mask, section: Section, subject: &Option<SubjectRef>, field: &str) -> bool {
        mask.of(section).is_some_and(|granted| {
            let sentence = section != Section::Identity && ["text", "summary"].contains(&field);
            granted.subjects.contains(subject)
                && (granted.texts == Texts::Whole || !sentence)
                && match granted.detail {
                    Detail::Full => true,
                    Detail::Flagged => matches!(section, Section::Address | Section::Contact),
                    Detail::Town => section == Section::Address && ["municipality", "town"].contains(&field),
                    Detail::Summary => {
                        [Section::Narrative, Section::Health, Section::Development].contains(&section)
                            && field == "summary"
                    }
                    Detail::Substitute | Detail::Office | Detail::Sealed => false,
                }
        })
    }

    proptest! {
        #[test]
        fn out_comes_what_is_granted_and_nothing_else(mask in mask()) {
            let (content, tokens) = everything();
            let text = render(&content, &mask).to_string();
            for (section, subject, field, token) in &tokens {
                prop_assert_eq!(text.contains(token), may_show(&mask, *section, subject, field), "{}", token);
            }
        }

        #[test]
        fn a_smaller_mask_shows_no_more(a in mask(), b in mask()) {
            let (content, tokens) = everything();
            let (one, both) = (render(&content, &a).to_string(), render(&content, &a.intersect(&b)).to_string());
            for (.., token) in &tokens {
                prop_assert!(one.contains(token) || !both.contains(token));
            }
        }
    }

    fn id<T: From<uuid::Uuid>>(n: u128) -> T {
        T::from(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_document_names_only_what_it_shows() {
        let content = json!({
            "identity": [{"subject": "child-1", "name": {"given": "蓮"}}, {"subject": "father", "name": {"given": "翔"}}],
            "health": [{"subject": "father", "text": "通院中"}],
            "address": [{"subject": "mother", "municipality": "141011", "town": "鶴見中央", "rest": "三丁目"}],
            "narrative": [{"text": "詳しい経過"}],
        });
        let content = Content::parse(&content, &people(), date(2026, 10, 15)).unwrap();
        let mut mask = Mask::default();
        mask.grant(Section::Identity, Some("child-1".parse().unwrap()), Detail::Full);
        mask.grant(Section::Address, Some("mother".parse().unwrap()), Detail::Town);
        mask.grant(Section::Narrative, None, Detail::Summary);
        let basis = Some(Ground { code: BasisCode::Consent, reference: Some("consent:7@v1".into()) });
        let head = Head {
            leg: id(1),
            delivery: id(2),
            kind: ReferralType::Introduction,
            urgency: Urgency::Ordinary,
            sender: id(3),
            recipient: id(4),
            requested_action: None,
            reply_by: Some("2026-12-01T08:00:00Z".parse().unwrap()),
            resources: None,
        };
        let decision = Decision { mask, withheld: Vec::new(), basis };
        let document = document(&head, &people(), &content, &decision);
        assert_eq!(document["sections"], json!(["identity", "address"]));
        assert_eq!(
            document["subjects"],
            json!([{"ref": "child-1", "role": "child"}, {"ref": "mother", "role": "guardian"}])
        );
        assert_eq!(document["reply_by"], "2026-12-01T17:00:00+09:00");
        assert_eq!(document["basis"]["ref"], "consent:7@v1");
        assert_eq!(
            document["content"]["address"],
            json!([{"subject": "mother", "municipality": "141011", "town": "鶴見中央"}])
        );
        assert!(document.get("requested_action").is_none());
        let text = document.to_string();
        assert!(["翔", "father", "health", "三丁目", "narrative", "経過"].iter().all(|t| !text.contains(t)));
    }
}

//! What holds for every decision about a family that is hidden. The decision cases of domain.md 7.6, group K, are in
//! `tests/decisions/k-concealment.json`.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    properties::any_situation,
    situation::{Shield, Situation},
    *,
};
use crate::domain::{
    agency::RecipientClass,
    basis_state::ConsentState,
    consent::{Capacity, ConsentMethod, Giver, custody::Custody},
    content::Content,
    document::{Head, document, render},
    ids::{AgencyId, ConsentId},
    protection::{Bearing, HiddenFrom, Protection},
    referral::Urgency,
    veil::{ADDRESS_NOTE, Veil},
};

/// A family hidden from city X, with texts that were looked through.
fn hidden() -> Protection {
    Protection {
        hidden_from: vec![HiddenFrom::Municipality { code: "141003".into(), desk: None }],
        narrative_free_of_place: true,
        ..Protection::default()
    }
}

const TOWN: &str = "鶴見中央";
const REST: &str = "三丁目4-5-601";
const PHONE: &str = "045-000-1234";
const SCHOOL: &str = "白百合小学校";

/// What a text may hold of the place, in some writing.
const TRACES: [&str; 6] = [
    "鶴見中央に転居",
    "３丁目４－５－６０１",
    "045 000 1234",
    "白百合小学校へ通う",
    "230-0051",
    "元気に過ごす",
];

/// A content whose texts may name the place.
fn content(traces: &[usize]) -> Value {
    let mut object = Map::new();
    for (section, trace) in Section::ALL.iter().zip(traces) {
        let text = TRACES[*trace];
        let entry = match section {
            Section::Identity => json!({"subject": "mother", "name": {"family": "山辺"}}),
            Section::Address => {
                json!({"subject": "mother", "municipality": "141011", "town": TOWN, "rest": REST, "postal_code": "2300051"})
            }
            Section::Contact => {
                json!({"subject": "mother", "phone": PHONE, "email": "yamabe@example.jp", "safe_contact": "平日10時から12時"})
            }
            Section::Needs => json!({"codes": ["RESPITE"], "text": text}),
            Section::Narrative => json!({"summary": text, "text": text, "wishes": text}),
            _ => json!({"subject": "mother", "summary": text, "text": text}),
        };
        object.insert(section.code().into(), json!([entry]));
    }
    Value::Object(object)
}

/// How a text may be written beside how it was: none of its letters count but those that are said.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"-－".contains(*c)).collect()
}

/// The recipient's city is another one, the listed one, or the listed one where the recipient is the desk that is named.
fn protections() -> impl Strategy<Value = Shield> {
    let listed = |desk| vec![HiddenFrom::Municipality { code: "122076".into(), desk }];
    let desk = Some(AgencyId::new(Uuid::from_u128(2)));
    let hidden_from = proptest::sample::select(vec![hidden().hidden_from, listed(None), listed(desk)]);
    let protected = (hidden_from, any::<bool>()).prop_map(|(hidden_from, narrative_free_of_place)| {
        let veil = Veil::new(&[SCHOOL.into()], Some("045-999-0000".into()));
        Shield::Protected(Protection { hidden_from, narrative_free_of_place, veil, ..Protection::default() })
    });
    prop_oneof![4 => protected, 1 => Just(Shield::Unreadable)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_trace_of_a_concealed_address_reaches_anybody_it_is_hidden_from(
        mut s in any_situation(),
        protection in protections(),
        traces in proptest::collection::vec(0..TRACES.len(), Section::ALL.len()),
        action in 0..TRACES.len(),
        drawn in any::<bool>(),
    ) {
        prop_assume!(s.subjects.iter().any(|person| person.reference.as_str() == "mother"));
        s.protection = protection;
        let people = s.subjects.clone();
        let mut content = Content::parse(&content(&traces), &people, "2026-10-15".parse().unwrap()).unwrap();
        s.outline = content.outline();
        if drawn {
            let veil = match &s.protection { Shield::Protected(p) => p.veil.clone(), _ => Veil::default() };
            content.draw(veil, &Content::default());
        }
        let question = s.question();
        let Ok(decision) = decide(&question) else { return Ok(()) };
        let class = match &s.basis {
            Some(basis) if basis.starts_with("TSUKOKU") || basis == "SOCHI_25_7" => RecipientClass::MunicipalCentre,
            _ => s.recipient.kind.class(),
        };
        let bearing = question.protection.bearing(&question.recipient, class, s.kind, question.at);
        prop_assume!(matches!(bearing, Bearing::Substituted(_) | Bearing::Withheld(_)));
        let head = Head {
            leg: Uuid::from_u128(1).into(), delivery: Uuid::from_u128(2).into(), kind: s.kind,
            urgency: Urgency::Ordinary, sender: s.sender.id, recipient: s.recipient.id,
            requested_action: Some(TRACES[action]), reply_by: None, resources: None,
        };
        // Where no section is granted nothing says how texts are to be shown, but a veil.
        prop_assume!(drawn || !decision.mask.is_empty());
        let said = letters(&document(&head, &people, &content, &decision).to_string());
        for place in [TOWN, REST, PHONE, "141011", "2300051", "yamabe", "10時", SCHOOL].iter().chain(&TRACES[..5]) {
            prop_assert!(!said.contains(&letters(place)), "{} in {}", place, said);
        }
    }

    #[test]
    fn protecting_a_family_never_shows_more(mut s in any_situation(), protection in protections()) {
        s.protection = Shield::None;
        let open = decide(&s.question());
        s.protection = protection;
        match (open, decide(&s.question())) {
            (Ok(open), Ok(hidden)) => {
                let without_substitute = hidden.mask.sections().filter(|(_, s)| !s.detail.stands_in());
                for (section, shown) in without_substitute {
                    let before = open.mask.of(section).unwrap();
                    prop_assert!(shown.subjects.is_subset(&before.subjects));
                    prop_assert_eq!(shown.detail.meet(before.detail), shown.detail);
                }
            }
            // Where health is withheld from a hidden family, nobody has to look twice at what is left.
            (Err(refusal), Ok(hidden)) => prop_assert_eq!(
                refusal.code,
                RefusalCode::ApproverRequired,
                "{:?} is shown of a hidden family alone",
                hidden.mask
            ),
            (_, Err(_)) => {}
        }
    }
}

/// The mother's consent for herself, to everything, naming both parties.
fn consent(s: &Situation) -> ConsentRecord {
    let mother: SubjectRef = "mother".parse().unwrap();
    ConsentRecord {
        id: ConsentId::new(Uuid::from_u128(5)),
        version: 1,
        state: ConsentState::Active,
        case: None,
        purpose: s.purpose,
        sender: s.sender.id,
        recipients: vec![s.recipient.id],
        sections: Sections::all(),
        subjects: s.subjects.clone(),
        giver: Giver {
            subject: Some(mother.clone()),
            capacity: Capacity::Parent,
            consents_for: std::iter::once(mother).collect(),
        },
        lines: BTreeMap::new(),
        custody: Some(Custody::SOLE),
        act: None,
        act_is_daily: false,
        method: ConsentMethod::Screen,
        language: "ja".into(),
        interpreted: false,
        text_version: "2026-04".into(),
        first_day: "2026-09-01".parse().unwrap(),
        last_day: "2026-11-30".parse().unwrap(),
    }
}

#[test]
fn a_hidden_family_is_sent_nothing_but_what_stands_in() {
    let mut s = Situation { protection: Shield::Protected(hidden()), ..Situation::default() };
    let asked = [Section::Contact, Section::Address, Section::Narrative].into_iter().collect();
    (s.basis, s.asked) = (Some("CONSENT".to_owned()), asked);
    s.consent = Some(consent(&s));
    let mut content = Content::parse(&content(&[5; 11]), &s.subjects, "2026-10-15".parse().unwrap()).unwrap();
    content.draw(Veil::new(&[SCHOOL.into()], Some("045-999-0000".into())), &Content::default());
    s.outline = content.outline();
    let shown = render(&content, &decide(&s.question()).unwrap().mask);
    let office = json!([{"subject": "mother", "note": "連絡は当課経由", "phone": "045-999-0000"}]);
    assert_eq!(shown["address"], json!([{"subject": "mother", "note": ADDRESS_NOTE}]));
    assert_eq!(shown["contact"], office);
    assert_eq!(shown["narrative"], json!([{"summary": "元気に過ごす"}]));
}

//! What holds for every decision, whatever is asked.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{situation::Situation, *};
use crate::domain::{
    agency::AgencyKind,
    basis_state::ConsentState,
    consent::{Capacity, ConsentMethod, Giver},
    ids::ConsentId,
    subject::SubjectRole,
};

fn person(reference: &str, role: SubjectRole) -> Subject {
    Subject { reference: reference.parse().unwrap(), role, birth_date: None }
}

/// The mother's consent for these people, naming both parties.
fn consent(s: &Situation, sections: Sections, people: &[&str], live: bool) -> ConsentRecord {
    ConsentRecord {
        id: ConsentId::new(Uuid::from_u128(5)),
        version: 1,
        state: if live { ConsentState::Active } else { ConsentState::Withdrawn },
        case: None,
        purpose: s.purpose,
        sender: s.sender.id,
        recipients: vec![s.recipient.id],
        sections,
        subjects: s.subjects.clone(),
        giver: Giver {
            subject: Some("mother".parse().unwrap()),
            capacity: Capacity::Parent,
            consents_for: people.iter().map(|p| p.parse().unwrap()).collect(),
        },
        method: ConsentMethod::Screen,
        language: "ja".into(),
        interpreted: false,
        text_version: "2026-04".into(),
        first_day: "2026-09-01".parse().unwrap(),
        last_day: "2026-11-30".parse().unwrap(),
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Send),
        Just(Event::Deliver),
        (any::<bool>(), any::<bool>())
            .prop_map(|(duty_desk, related)| Event::Open(Opener { duty_desk, related })),
    ]
}

fn any_sections() -> impl Strategy<Value = Sections> {
    (0u16..2048)
        .prop_map(|bits| Section::ALL.iter().copied().filter(|s| bits & (1 << *s as u16) != 0).collect())
}

fn any_situation() -> impl Strategy<Value = Situation> {
    let known = BasisCode::ALL.iter().map(|c| Some(c.code()));
    let bases: Vec<Option<&str>> = known.chain([None, Some("none needed")]).collect();
    let whom = proptest::sample::select(vec![None, Some("mother"), Some("child"), Some("father")]);
    let item = (proptest::sample::select(Section::ALL), whom);
    let kinds = || proptest::sample::select(AgencyKind::ALL);
    let consent_of = proptest::option::weighted(0.8, (any_sections(), 0usize..4, any::<bool>()));
    let flags = (any::<bool>(), any::<bool>(), proptest::bool::weighted(0.1));
    let parties = (kinds(), kinds());
    (
        any_event(),
        proptest::sample::select(ReferralType::ALL),
        parties,
        proptest::sample::select(bases),
        proptest::collection::vec(item, 0..10),
        any_sections(),
        consent_of,
        flags,
    )
        .prop_map(
            |(event, kind, (from, to), basis, items, asked, agreed, (approved, request, recalled))| {
                let mut s = Situation { event, kind, purpose: kind, asked, recalled, ..Situation::default() };
                (s.sender.kind, s.recipient.kind) = (from, to);
                s.basis = basis.map(str::to_owned);
                s.subjects.push(person("father", SubjectRole::Guardian));
                s.outline = items.into_iter().map(|(s, who)| (s, who.map(|p| p.parse().unwrap()))).collect();
                if let Some((sections, people, live)) = agreed {
                    s.consent = Some(consent(&s, sections, &["mother", "child", "father"][..people], live));
                }
                if !approved {
                    s.approved_by = None;
                }
                if request {
                    let request: Value = json!("希望あり");
                    s.facts = Facts::new(Map::from_iter([("parent_request".to_owned(), request)]));
                }
                s
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_about_a_person_is_allowed_without_a_basis(s in any_situation()) {
        let Ok(decision) = decide(&s.question()) else { return Ok(()) };
        match decision.basis.map(|ground| ground.code) {
            None => prop_assert!(!s.kind.carries_personal_data() && decision.mask.is_empty()),
            Some(BasisCode::Notice25 | BasisCode::NoticeAbuse) => {}
            Some(BasisCode::Consent | BasisCode::Placement) => {
                let consent = s.consent.as_ref().unwrap();
                prop_assert_eq!(consent.state, ConsentState::Active);
                for (section, shown) in decision.mask.sections() {
                    prop_assert!(consent.sections.contains(section));
                    prop_assert!(shown.subjects.iter().flatten().all(|p| consent.giver.consents_for.contains(p)));
                }
            }
            Some(undecided) => prop_assert!(false, "{} was allowed", undecided),
        }
    }

    #[test]
    fn what_is_asked_and_there_is_either_granted_or_withheld(s in any_situation()) {
        let Ok(decision) = decide(&s.question()) else { return Ok(()) };
        prop_assert!(decision.mask.sections().all(|(section, _)| s.asked.contains(section)));
        prop_assert!(decision.withheld.iter().all(|x| s.asked.contains(x.section)));
        for section in s.asked.iter() {
            for subject in s.outline.of(section) {
                let granted = decision.mask.of(section).is_some_and(|m| m.subjects.contains(&subject.cloned()));
                let withheld = decision.withheld.iter().any(|x| {
                    x.section == section && (x.subject.as_ref() == subject || x.subject.is_none())
                });
                prop_assert!(granted || withheld);
            }
        }
    }

    #[test]
    fn the_notifier_is_unsealed_for_the_desk_of_a_notice_alone(s in any_situation()) {
        let Ok(decision) = decide(&s.question()) else { return Ok(()) };
        if let Some(notifier) = decision.mask.of(Section::Notifier) {
            prop_assert!(s.basis.unwrap().starts_with("TSUKOKU_") && s.recipient.kind.has_notice_desk());
            let by_desk = matches!(s.event, Event::Open(Opener { duty_desk: true, related: false }));
            prop_assert_eq!(notifier.detail, if by_desk { Detail::Full } else { Detail::Sealed });
        }
    }

    #[test]
    fn a_notice_on_its_way_is_refused_for_addressee_or_subject_alone(mut s in any_situation(), abuse in any::<bool>()) {
        s.kind = ReferralType::Notice;
        s.basis = Some(if abuse { "TSUKOKU_GY6" } else { "TSUKOKU_25" }.to_owned());
        s.recalled = false;
        if matches!(s.event, Event::Open(_)) {
            s.event = Event::Deliver;
        }
        if let Err(refusal) = decide(&s.question()) {
            prop_assert!(matches!(refusal.code, RefusalCode::BasisRecipient | RefusalCode::BasisSubject));
            prop_assert!(refusal.code == RefusalCode::BasisSubject || !s.recipient.kind.receives_notices());
        }
    }

    #[test]
    fn an_opening_shows_no_more_than_was_sent(mut s in any_situation()) {
        s.event = Event::Send;
        let Ok(sent) = decide(&s.question()) else { return Ok(()) };
        s.event = Event::Open(Opener { duty_desk: false, related: false });
        if let Ok(opened) = decide(&s.question()) {
            prop_assert!(opened.mask.is_within(&sent.mask));
        }
    }
}

/// A type without personal data is refused for content that nobody asks for, as for what is asked.
#[test]
fn content_that_nobody_asks_for_is_personal_data_too() {
    let mut s = Situation { kind: ReferralType::SelfContact, ..Situation::default() };
    s.subjects.clear();
    assert_eq!(decide(&s.question()).unwrap().mask, Mask::EMPTY);
    s.outline = [(Section::Identity, None)].into_iter().collect();
    assert_eq!(decide(&s.question()).unwrap_err().code, RefusalCode::ModeNoPersonalData);
}

//! What holds for every decision, whatever is asked.

use proptest::prelude::*;
use serde_json::json;

use super::{
    world::{World, person},
    *,
};
use crate::domain::{agency::AgencyKind, basis_state::ConsentState, subject::SubjectRole};

pub fn any_world() -> impl Strategy<Value = World> {
    let select = |codes: Vec<Option<&'static str>>| proptest::sample::select(codes);
    let bases = BasisCode::ALL.iter().map(|c| Some(c.code())).chain([None, Some("none needed")]).collect();
    let item = (
        proptest::sample::select(Section::ALL),
        select(vec![None, Some("mother"), Some("child-1"), Some("father")]),
    );
    let event = prop_oneof![
        Just(Event::Send),
        Just(Event::Deliver),
        (any::<bool>(), any::<bool>())
            .prop_map(|(duty_desk, related)| Event::Open(Opener { duty_desk, related })),
    ];
    let kinds = || proptest::sample::select(AgencyKind::ALL);
    let likely = prop_oneof![
        select(bases),
        select(vec![Some("CONSENT"), Some("TSUKOKU_GY6"), Some("TSUKOKU_25"), Some("ASSEN_21_11")])
    ];
    let consent = proptest::option::weighted(0.8, (0u16..2048, 0u8..4, any::<bool>()));
    let flags = (any::<bool>(), any::<bool>(), proptest::bool::weighted(0.1));
    (
        event,
        proptest::sample::select(ReferralType::ALL),
        kinds(),
        kinds(),
        likely,
        proptest::collection::vec(item, 0..10),
        0u16..2048,
        consent,
        flags,
    )
        .prop_map(
            |(event, kind, from, to, basis, items, asked, consent, (approved, request, recalled))| {
                let subset = |bits: u16| {
                    Section::ALL.iter().copied().filter(|s| bits & (1 << *s as u16) != 0).collect()
                };
                let mut w = World::new();
                w.between(from, to);
                w.subjects.push(person("father", SubjectRole::Guardian, None));
                (w.event, w.kind, w.basis, w.recalled, w.asked) =
                    (event, kind, basis, recalled, subset(asked));
                w.outline = items.into_iter().map(|(s, who)| (s, who.map(|p| p.parse().unwrap()))).collect();
                w.consent = None;
                if let Some((sections, people, live)) = consent {
                    w.consented("ID");
                    w.consent().sections = subset(sections);
                    w.consent().purpose = kind;
                    w.consent().giver.consents_for = ["mother", "child-1", "father"][..people as usize]
                        .iter()
                        .map(|p| p.parse().unwrap())
                        .collect();
                    if !live {
                        w.withdrawn();
                    }
                }
                if !approved {
                    w.approved_by = None;
                }
                if request {
                    w.fact("parent_request", json!("希望あり"));
                }
                w
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_about_a_person_is_allowed_without_a_basis(w in any_world()) {
        let Ok(decision) = decide(&w.question()) else { return Ok(()) };
        match decision.basis.map(|ground| ground.code) {
            None => prop_assert!(!w.kind.carries_personal_data() && decision.mask.is_empty()),
            Some(BasisCode::Notice25 | BasisCode::NoticeAbuse) => {}
            Some(BasisCode::Consent | BasisCode::Placement) => {
                let consent = w.consent.as_ref().unwrap();
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
    fn what_is_asked_and_there_is_either_granted_or_withheld(w in any_world()) {
        let Ok(decision) = decide(&w.question()) else { return Ok(()) };
        prop_assert!(decision.mask.sections().all(|(s, _)| w.asked.contains(s)));
        prop_assert!(decision.withheld.iter().all(|x| w.asked.contains(x.section)));
        for section in w.asked.iter() {
            for subject in w.outline.of(section) {
                let granted = decision.mask.of(section).is_some_and(|m| m.subjects.contains(&subject.cloned()));
                let withheld = decision.withheld.iter().any(|x| {
                    x.section == section && (x.subject.as_ref() == subject || x.subject.is_none())
                });
                prop_assert!(granted || withheld);
                prop_assert!(!granted || w.outline.of(section).any(|p| p == subject));
            }
        }
    }

    #[test]
    fn the_notifier_is_unsealed_for_the_desk_of_a_notice_alone(w in any_world()) {
        let Ok(decision) = decide(&w.question()) else { return Ok(()) };
        if let Some(notifier) = decision.mask.of(Section::Notifier) {
            prop_assert!(w.basis.unwrap().starts_with("TSUKOKU_") && w.recipient.kind.has_notice_desk());
            let by_desk = matches!(w.event, Event::Open(Opener { duty_desk: true, related: false }));
            prop_assert_eq!(notifier.detail, if by_desk { Detail::Full } else { Detail::Sealed });
        }
    }

    #[test]
    fn a_notice_on_its_way_is_refused_for_addressee_or_subject_alone(mut w in any_world(), abuse in any::<bool>()) {
        w.kind = ReferralType::Notice;
        w.basis = Some(if abuse { "TSUKOKU_GY6" } else { "TSUKOKU_25" });
        w.recalled = false;
        if matches!(w.event, Event::Open(_)) {
            w.event = Event::Deliver;
        }
        if let Err(refusal) = decide(&w.question()) {
            prop_assert!(matches!(refusal.code, RefusalCode::BasisRecipient | RefusalCode::BasisSubject));
            prop_assert!(refusal.code == RefusalCode::BasisSubject || !w.recipient.kind.receives_notices());
        }
    }

    #[test]
    fn an_opening_shows_no_more_than_was_sent(mut w in any_world()) {
        w.event = Event::Send;
        let Ok(sent) = decide(&w.question()) else { return Ok(()) };
        w.event = Event::Open(Opener { duty_desk: false, related: false });
        if let Ok(opened) = decide(&w.question()) {
            prop_assert!(opened.mask.is_within(&sent.mask));
        }
    }
}

//! What holds for every decision, whatever is asked: the situations of `tests/decisions`, changed in every way.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{case::CaseFile, situation::Situation, *};
use crate::domain::{
    agency::{AgencyKind, Body},
    basis::{Fact, FactKind, Items, TABLE},
    basis_state::ConsentState,
    consent::LineDecision,
    subject::SubjectRole,
};

/// Every situation of the case files: each basis is among them, allowed and refused.
static SITUATIONS: LazyLock<Vec<Situation>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decisions");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    let read = |path| {
        let value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        CaseFile::parse(&value).unwrap().cases
    };
    paths.into_iter().flat_map(read).map(|case| case.situation).collect()
});

/// One thing about a situation that is otherwise.
#[derive(Clone, Debug)]
enum Change {
    Event(Event),
    Kind(ReferralType),
    Sender(AgencyKind, Body),
    Recipient(AgencyKind, Body),
    Asked(Sections),
    Needed(Sections),
    About(Vec<(Section, Option<&'static str>)>),
    Basis(Option<&'static str>),
    Fact(&'static str, Option<Value>),
    NoConsent,
    Consented(Sections),
    Consent(ConsentState),
    NoArrangement,
    Arranged(Sections),
    Members,
    Father,
    Recalled,
    Approver(Option<StaffId>),
    Address(Option<&'static str>),
    Days(i64),
}

impl Change {
    fn apply(self, s: &mut Situation) {
        match self {
            Self::Event(event) => s.event = event,
            Self::Kind(kind) => (s.kind, s.purpose) = (kind, kind),
            Self::Sender(kind, body) => (s.sender.kind, s.sender.body) = (kind, body),
            Self::Recipient(kind, body) => (s.recipient.kind, s.recipient.body) = (kind, body),
            Self::Asked(sections) => s.ask(sections),
            Self::Needed(sections) => s.needed = sections,
            Self::About(parts) => {
                let parse = |who: &str| who.parse().unwrap();
                s.outline = parts.into_iter().map(|(section, who)| (section, who.map(parse))).collect();
            }
            Self::Basis(code) => s.basis = code.map(str::to_owned),
            Self::Fact(name, value) => {
                let Value::Object(mut facts) = serde_json::to_value(&s.facts).unwrap() else { return };
                match value {
                    Some(value) => facts.insert(name.to_owned(), value),
                    None => facts.remove(name),
                };
                s.facts = Facts::new(facts);
            }
            Self::NoConsent => s.consent = None,
            Self::Consented(sections) => s.consent.iter_mut().for_each(|c| c.sections = sections),
            Self::Consent(state) => s.consent.iter_mut().for_each(|c| c.state = state),
            Self::NoArrangement => s.arrangement = None,
            Self::Arranged(sections) => s.arrangement.iter_mut().for_each(|a| a.sections = sections),
            Self::Members => s.arrangement.iter_mut().for_each(|a| a.members.clear()),
            Self::Father => {
                let reference = "father".parse().unwrap();
                s.subjects.push(Subject { reference, role: SubjectRole::Guardian, birth_date: None });
            }
            Self::Recalled => s.recalled = true,
            Self::Approver(who) => s.approved_by = who,
            Self::Address(why) => s.address_needed_because = why.map(str::to_owned),
            Self::Days(days) => s.at += jiff::SignedDuration::from_hours(24 * days),
        }
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

/// A fact of the table, or one that nobody knows, with something plausible or with anything.
fn any_fact() -> impl Strategy<Value = (&'static str, Option<Value>)> {
    let known: Vec<Fact> = TABLE.iter().flat_map(|row| row.facts).copied().collect();
    let plausible = |fact: &Fact| match fact.kind {
        FactKind::Text => json!("10月1日の記録"),
        FactKind::Texts => json!(["送致書"]),
        FactKind::Yes => json!(true),
        FactKind::Code(codes) => json!(codes[codes.len() - 1]),
        FactKind::Day => json!("2026-10-01"),
        FactKind::Sections => json!(Section::ALL),
        FactKind::Agency => json!("00000000-0000-0000-0000-000000000002"),
        FactKind::Municipality => json!("122076"),
    };
    let anything = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        proptest::collection::vec(".{0,8}", 0..3).prop_map(Value::from),
        Just(json!({"nested": {"deep": []}})),
    ];
    (proptest::sample::select(known), 0..4u8, anything).prop_map(move |(fact, which, anything)| match which {
        0 => (fact.name, Some(plausible(&fact))),
        1 => (fact.name, None),
        2 => ("instead_of", Some(anything)),
        _ => (fact.name, Some(anything)),
    })
}

fn any_change() -> impl Strategy<Value = Change> {
    let bodies = || proptest::sample::select(Body::ALL);
    let kinds = || proptest::sample::select(AgencyKind::ALL);
    let codes = BasisCode::ALL.iter().map(|c| Some(c.code())).chain([None, Some("none needed")]);
    let codes: Vec<Option<&str>> = codes.collect();
    let whom = proptest::sample::select(vec![None, Some("mother"), Some("child"), Some("father")]);
    let about = proptest::collection::vec((proptest::sample::select(Section::ALL), whom), 0..10);
    let approvers = vec![None, Some(situation::WRITER), Some(situation::COLLEAGUE)];
    prop_oneof![
        any_event().prop_map(Change::Event),
        proptest::sample::select(ReferralType::ALL).prop_map(Change::Kind),
        (kinds(), bodies()).prop_map(|(kind, body)| Change::Sender(kind, body)),
        (kinds(), bodies()).prop_map(|(kind, body)| Change::Recipient(kind, body)),
        any_sections().prop_map(Change::Asked),
        any_sections().prop_map(Change::Asked),
        any_sections().prop_map(Change::Needed),
        about.prop_map(Change::About),
        proptest::sample::select(codes).prop_map(Change::Basis),
        any_fact().prop_map(|(name, value)| Change::Fact(name, value)),
        any_fact().prop_map(|(name, value)| Change::Fact(name, value)),
        Just(Change::NoConsent),
        any_sections().prop_map(Change::Consented),
        proptest::sample::select(ConsentState::ALL).prop_map(Change::Consent),
        Just(Change::NoArrangement),
        any_sections().prop_map(Change::Arranged),
        Just(Change::Members),
        Just(Change::Father),
        Just(Change::Recalled),
        proptest::sample::select(approvers).prop_map(Change::Approver),
        proptest::sample::select(vec![None, Some("送迎"), Some(" ")]).prop_map(Change::Address),
        (-400i64..400).prop_map(Change::Days),
    ]
}

pub fn any_situation() -> impl Strategy<Value = Situation> {
    let start = (0..SITUATIONS.len()).prop_map(|place| SITUATIONS[place].clone());
    (start, proptest::collection::vec(any_change(), 0..5)).prop_map(|(mut situation, changes)| {
        changes.into_iter().for_each(|change| change.apply(&mut situation));
        situation
    })
}

fn sections_of(mask: &Mask) -> Sections {
    mask.sections().map(|(section, _)| section).collect()
}

fn is_within(some: Sections, all: Sections) -> bool {
    some.iter().all(|section| all.contains(section))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nothing_about_a_person_is_allowed_without_a_basis_and_its_records(s in any_situation()) {
        let Ok(decision) = decide(&s.question()) else { return Ok(()) };
        let Some(ground) = decision.basis else {
            prop_assert!(!s.kind.carries_personal_data() && decision.mask.is_empty());
            return Ok(());
        };
        let basis = Basis::of(ground.code);
        prop_assert_eq!(s.basis.as_deref(), Some(ground.code.code()), "no basis takes the place of another");
        prop_assert!(basis.facts.iter().all(|fact| !fact.required || fact.is_recorded(&s.facts)));
        prop_assert!(!s.recalled);
        // The compartment is not an item: who has the desk gets it with the notice.
        let shown = sections_of(&decision.mask.clone().without(Section::Notifier));
        match basis.items {
            Items::Consented => {
                let consent = s.consent.as_ref().unwrap();
                prop_assert_eq!(consent.state, ConsentState::Active);
                prop_assert!(is_within(shown, consent.sections));
                let mut people = decision.mask.sections().flat_map(|(_, m)| m.subjects.iter().flatten());
                prop_assert!(people.all(|p| consent.line(p).is_some_and(|line| line.decision == LineDecision::Given)));
            }
            Items::Everything => prop_assert!(!shown.contains(Section::Economic)),
            Items::Needed => {
                prop_assert!(is_within(shown, s.needed.without(Section::Economic)) && !s.needed.is_empty());
            }
            Items::Arranged => {
                let arrangement = s.arrangement.as_ref().unwrap();
                prop_assert!(arrangement.is_in_force(crate::domain::consent::day_in_japan(s.at)));
                prop_assert!(is_within(shown, arrangement.sections));
            }
            Items::Requested => prop_assert!(is_within(shown, s.facts.sections("requested_sections"))),
            Items::CheckUps => prop_assert!(is_within(shown, Sections::NONE.with(Section::Identity).with(Section::Health))),
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
        let Some(notifier) = decision.mask.of(Section::Notifier) else { return Ok(()) };
        let code = decision.basis.unwrap().code;
        let (transfer, to) = (code == BasisCode::Transfer, s.recipient.kind);
        prop_assert!(Basis::of(code).lane == Lane::Notice || transfer);
        prop_assert!(to.has_notice_desk() || to == AgencyKind::PrefecturalDivision);
        let by_desk = matches!(s.event, Event::Open(Opener { duty_desk: true, related: false }));
        prop_assert_eq!(notifier.detail, if by_desk { Detail::Full } else { Detail::Sealed });
    }

    #[test]
    fn a_notice_on_its_way_is_refused_for_addressee_or_subject_alone(mut s in any_situation(), which in 0usize..3) {
        s.kind = ReferralType::Notice;
        s.basis = Some(["TSUKOKU_25", "TSUKOKU_GY6", "TSUKOKU_33_12"][which].to_owned());
        s.recalled = false;
        if matches!(s.event, Event::Open(_)) {
            s.event = Event::Deliver;
        }
        if let Err(refusal) = decide(&s.question()) {
            prop_assert!(matches!(refusal.code, RefusalCode::BasisRecipient | RefusalCode::BasisSubject));
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

    #[test]
    fn what_is_shown_does_not_grow_with_what_else_is_asked(s in any_situation(), more in any_sections()) {
        let Ok(few) = decide(&s.question()) else { return Ok(()) };
        let mut wider = s.clone();
        wider.asked = more.iter().fold(s.asked, Sections::with);
        if let Ok(many) = decide(&wider.question()) {
            let both = s.asked.iter().filter(|section| many.mask.of(*section) != few.mask.of(*section));
            prop_assert_eq!(both.count(), 0, "asking for more changes nothing of what was asked before");
        }
    }

    #[test]
    fn every_basis_answers_whatever_its_facts_are(
        mut s in any_situation(),
        code in proptest::sample::select(BasisCode::ALL),
        facts in proptest::collection::vec(any_fact(), 0..12),
    ) {
        s.basis = Some(code.code().to_owned());
        let facts = facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        s.facts = Facts::new(facts.collect::<Map<_, _>>());
        if let Err(refusal) = decide(&s.question()) {
            prop_assert!(!matches!(refusal.code, RefusalCode::NoBasis | RefusalCode::BasisUnknown));
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

#[test]
fn the_situations_reach_every_basis_and_every_one_is_allowed_somewhere() {
    for code in BasisCode::ALL {
        let mut named = SITUATIONS.iter().filter(|s| s.basis.as_deref() == Some(code.code()));
        assert!(named.any(|s| decide(&s.question()).is_ok()), "{code} is allowed in no case");
    }
}

/// Receipts cite the consent or the arrangement that a basis rests on; what else a leg names is not cited.
#[test]
fn what_a_basis_rests_on_is_cited_and_nothing_else() {
    let arrangement = SITUATIONS.iter().find_map(|s| s.arrangement.clone());
    for situation in SITUATIONS.iter() {
        let mut s = situation.clone();
        s.arrangement = s.arrangement.or_else(|| arrangement.clone());
        let Ok(Decision { basis: Some(ground), .. }) = decide(&s.question()) else { continue };
        let cited = match Basis::of(ground.code).items {
            Items::Consented => {
                s.consent.map(|consent| format!("consent:{}@v{}", consent.id, consent.version))
            }
            Items::Arranged => s.arrangement.map(|arrangement| arrangement.reference()),
            _ if ground.code == BasisCode::Council => s.arrangement.map(|council| council.reference()),
            _ => None,
        };
        assert_eq!(ground.reference, cited, "{}", ground.code);
    }
}

/// A refusal under a basis is signed with the version of its rule, so that it can be checked after the rule has changed.
#[test]
fn a_refusal_names_the_rule_that_made_it() {
    let refused = SITUATIONS.iter().filter_map(|s| Some((s, decide(&s.question()).err()?)));
    for (situation, refusal) in refused {
        let named = situation.basis.as_deref().and_then(|code| code.parse().ok()).map(Basis::of);
        let decided = named.filter(|_| situation.kind.carries_personal_data());
        assert_eq!(refusal.rule_version, decided.map(|basis| basis.rule_version), "{refusal}");
    }
}

/// A council sees no case of a referral that belongs to none.
#[test]
fn a_referral_without_a_case_is_on_no_register() {
    let allowed = |s: &&Situation| s.basis.as_deref() == Some("YOTAIKYO") && decide(&s.question()).is_ok();
    let mut situation = SITUATIONS.iter().find(allowed).unwrap().clone();
    situation.case = None;
    assert_eq!(decide(&situation.question()).unwrap_err().code, RefusalCode::NotRegistered);
}

use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::{
    subject::{Subject, SubjectRole},
    veil::Veil,
};

const RECORD: Uuid = Uuid::from_u128(7);

fn people() -> Vec<Subject> {
    let person =
        |reference: &str, role| Subject { reference: reference.parse().unwrap(), role, birth_date: None };
    vec![
        person("child-1", SubjectRole::Child),
        person("mother", SubjectRole::Guardian),
        person("father", SubjectRole::Guardian),
    ]
}

fn content(value: &Value) -> Content {
    Content::parse(value, &people(), date(2026, 10, 15)).unwrap()
}

/// A family: an address, a notifier, and sentences about oneself that name the place, another person, or neither.
fn family() -> Value {
    json!({
        "identity": [
            {"subject": "child-1", "name": {"family": "山辺", "given": "澪"}, "birth_date": "2023-05-01"},
            {"subject": "mother", "name": {"family": "山辺", "given": "花子"}},
            {"subject": "father", "name": {"family": "山辺", "given": "太郎"}, "sex": "male"},
        ],
        "contact": [{"subject": "mother", "phone": "045-000-0000"}, {"subject": "father", "phone": "045-111-1111"}],
        "address": [{"subject": "mother", "municipality": "141011", "town": "鶴見中央", "rest": "三丁目四番"}],
        "needs": [{"subject": "father", "codes": ["EMPLOYMENT"], "text": "夜の仕事"}, {"codes": ["RESPITE"]}],
        "narrative": [
            {"subject": "father", "summary": "通院中", "text": "花子さんと暮らしていた"},
            {"subject": "father", "text": "鶴見中央で見かけた"},
            {"subject": "mother", "text": "夫から逃れた"},
            {"text": "世帯の経過"},
        ],
        "safety": [{"subject": "child-1", "text": "父との面会を怖がる"}],
        "notifier": [{"name": {"family": "通告者"}, "text": "窓から見えた"}],
    })
}

fn subject(text: &str) -> SubjectRef {
    text.parse().unwrap()
}

fn shown(
    person: &str,
    requester: Requester,
    nature: Nature,
    veil: Option<&Veil>,
    decided: &[(&str, Extent)],
) -> (String, Vec<Part>) {
    let (content, person) = (content(&family()), subject(person));
    let source = Source { record: RECORD, person: &person, nature, veil, content: &content, granted: None };
    let decided =
        decided.iter().map(|(part, extent)| (format!("{RECORD}/{part}").parse().unwrap(), *extent)).collect();
    let parts = source.select(requester, &decided);
    let text = parts.iter().flat_map(|part| &part.entries).map(Value::to_string).collect();
    (text, parts)
}

const EVERYTHING: &[(&str, Extent)] = &[
    ("identity", Extent::Texts),
    ("contact", Extent::Texts),
    ("address", Extent::Texts),
    ("needs", Extent::Texts),
    ("needs/household", Extent::Texts),
    ("narrative", Extent::Texts),
    ("narrative/household", Extent::Texts),
    ("safety", Extent::Texts),
];

#[test]
fn who_asks_for_oneself_sees_ones_own_codes_and_sentences_once_somebody_has_looked() {
    let (text, parts) = shown("father", Requester::Oneself, Nature::Ordinary, None, &[]);
    assert!(text.contains("太郎") && text.contains("045-111-1111"), "{text}");
    for other in [
        "花子",
        "澪",
        "045-000-0000",
        "鶴見",
        "夜の仕事",
        "通院中",
        "EMPLOYMENT",
        "RESPITE",
        "逃れた",
        "面会",
        "通告者",
    ] {
        assert!(!text.contains(other), "{other} in {text}");
    }
    let told: Vec<String> =
        parts.iter().filter(|part| part.is_told()).map(|part| part.id.section.to_string()).collect();
    assert_eq!(told, ["needs", "needs", "narrative", "narrative"], "what is withheld, and may be told");
    let (text, _) = shown("father", Requester::Oneself, Nature::Ordinary, None, EVERYTHING);
    assert!(text.contains("通院中") && text.contains("夜の仕事") && text.contains("RESPITE"), "{text}");
    assert!(!text.contains("花子"), "a sentence that names another person stays: {text}");
    assert!(!text.contains("逃れた") && !text.contains("鶴見中央"), "{text}");
}

/// DC-153: the husband asks for his own data while the family is hidden.
#[test]
fn beside_a_concealed_place_no_sentence_is_safe() {
    let veil = Veil::new(&["白百合小学校".to_owned()], None);
    let (text, parts) = shown("father", Requester::Oneself, Nature::Ordinary, Some(&veil), EVERYTHING);
    assert!(text.contains("太郎") && text.contains("EMPLOYMENT"), "his own lines: {text}");
    for place in ["鶴見", "三丁目", "141011", "045", "逃れた", "花子", "経過", "通院中", "RESPITE"]
    {
        assert!(!text.contains(place), "{place} in {text}");
    }
    assert!(parts.iter().all(|part| !part.is_told()), "that something is hidden would tell of it");
}

/// DC-076: a parent asks for the child while a notice is open.
#[test]
fn a_notice_is_as_if_it_were_not_there_until_the_requester_knows_of_it() {
    for requester in Requester::ALL {
        let (text, parts) = shown("child-1", *requester, Nature::Notice, None, &[]);
        assert_eq!(text, "", "{requester}");
        assert!(parts.iter().all(|part| !part.is_told()));
        let (text, _) = shown("child-1", *requester, Nature::Notice, None, EVERYTHING);
        assert!(text.contains("澪") && text.contains("2023-05-01"), "{text}");
        for told in ["通告者", "窓から", "面会", "経過", "花子", "鶴見"] {
            assert!(!text.contains(told), "{told} in {text}");
        }
    }
}

#[test]
fn what_may_harm_a_child_is_withheld_from_its_representative_until_a_person_decides() {
    let (text, parts) = shown("child-1", Requester::Parent, Nature::Ordinary, None, &[]);
    assert!(text.contains("澪") && !text.contains("面会"), "{text}");
    let safety = parts.iter().find(|part| part.id.section == Section::Safety).unwrap();
    assert_eq!((safety.rule.why, safety.is_told()), (Article::Harm, true));
    let (text, _) = shown("child-1", Requester::Parent, Nature::Ordinary, None, &[("safety", Extent::Texts)]);
    assert!(text.contains("面会"), "{text}");
    let (text, _) =
        shown("child-1", Requester::Oneself, Nature::Ordinary, None, &[("identity", Extent::Nothing)]);
    assert_eq!(text, "", "a person may also show less than the rule");
}

#[test]
fn what_was_passed_on_by_law_is_shown_by_a_persons_decision_alone() {
    let (text, parts) = shown("father", Requester::Oneself, Nature::Reserved, None, &[]);
    assert_eq!(text, "");
    assert!(parts.iter().all(|part| !part.is_told()));
    let (text, _) = shown("father", Requester::Oneself, Nature::Reserved, None, &[("needs", Extent::Codes)]);
    assert!(text.contains("EMPLOYMENT") && !text.contains("夜の仕事"), "{text}");
}

#[test]
fn a_received_copy_shows_no_more_than_its_holder_may_see() {
    let (content, person) = (content(&family()), subject("mother"));
    let mut granted = Mask::default();
    granted.grant(Section::Address, Some(person.clone()), Detail::Town);
    let source = Source {
        record: RECORD,
        person: &person,
        nature: Nature::Ordinary,
        veil: None,
        content: &content,
        granted: Some(&granted),
    };
    let parts = source.at_most(Requester::Oneself);
    let text: String = parts.iter().flat_map(|part| &part.entries).map(Value::to_string).collect();
    assert!(text.contains("鶴見中央") && !text.contains("三丁目") && !text.contains("花子"), "{text}");
}

#[test]
fn the_strictest_basis_says_what_a_record_is() {
    let none = Outline::default();
    let of = |kind, bases: &[BasisCode]| Nature::of(kind, bases.iter().map(|one| Some(*one)), &none);
    let (intro, consent) = (ReferralType::Introduction, BasisCode::Consent);
    assert_eq!(of(intro, &[consent, BasisCode::NeedOfSupport]), Nature::Ordinary);
    assert_eq!(of(intro, &[BasisCode::NeedOfSupport]), Nature::Reserved);
    assert_eq!(of(intro, &[consent, BasisCode::NoticeAbuse]), Nature::Notice);
    assert_eq!(of(ReferralType::Transfer, &[BasisCode::Transfer]), Nature::Notice);
    let sealed: Outline = [(Section::Notifier, None)].into_iter().collect();
    assert_eq!(Nature::of(intro, [Some(consent)], &sealed), Nature::Notice);
}

#[test]
fn a_part_is_named_by_its_record_and_its_section() {
    for text in [format!("{RECORD}/health"), format!("{RECORD}/needs/household")] {
        assert_eq!(text.parse::<PartId>().unwrap().to_string(), text);
    }
    for bad in ["", "health", "7/health", &format!("{RECORD}/himitsu"), &format!("{RECORD}/needs/mother")] {
        assert_eq!(bad.parse::<PartId>(), Err(BadPart), "{bad}");
    }
}

/// Every section, with an entry about the household and each person, each value a token that occurs nowhere else;
/// and, about the person who asks, a sentence that quotes what must not come out.
fn tokens(person: &str) -> Value {
    let mut object = Map::new();
    for section in Section::ALL {
        let mut entries = Vec::new();
        for subject in [None, Some("child-1"), Some("mother"), Some("father")] {
            let who = subject.unwrap_or("household");
            let token = |field: &str| json!(format!("〈{section}/{who}/{field}〉"));
            let mut entry = json!({"code": token("code"), "name": {"given": token("name")}});
            // An identity holds no sentence.
            if *section != Section::Identity {
                entry["summary"] = token("summary");
                entry["text"] = token("text");
            }
            if let Some(subject) = subject {
                entry["subject"] = json!(subject);
            }
            entries.push(entry);
        }
        for quoted in
            ["identity/mother/name", "address/mother/code", "address/household/text", "contact/father/code"]
        {
            if !quoted.contains(person) && *section != Section::Identity {
                entries.push(json!({"subject": person, "text": format!("〈quote〉〈{quoted}〉")}));
            }
        }
        object.insert(section.code().to_owned(), Value::Array(entries));
    }
    Value::Object(object)
}

proptest! {
    /// Whatever is asked for, by whomever, and whatever a person decides.
    #[test]
    fn no_notifier_no_other_person_and_no_hidden_place_ever_comes_out(
        person in proptest::sample::select(vec!["child-1", "mother", "father"]),
        requester in proptest::sample::select(Requester::ALL),
        nature in proptest::sample::select(Nature::ALL),
        concealed in any::<bool>(),
        decided in proptest::collection::vec(
            (proptest::sample::select(Section::ALL), proptest::sample::select(Whose::ALL), proptest::sample::select(Extent::ALL)), 0..24),
    ) {
        let (content, person) = (content(&tokens(person)), subject(person));
        let veil = Veil::default();
        let veil = concealed.then_some(&veil);
        let source = Source { record: RECORD, person: &person, nature, veil, content: &content, granted: None };
        let decided: BTreeMap<PartId, Extent> = decided.into_iter()
            .map(|(section, whose, extent)| (PartId { record: RECORD, section, whose }, extent)).collect();
        for parts in [source.select(requester, &decided), source.at_most(requester)] {
            let text: String = parts.iter().flat_map(|part| &part.entries).map(Value::to_string).collect();
            prop_assert!(!text.contains("〈notifier/"), "{}", text);
            for other in ["child-1", "mother", "father"] {
                prop_assert!(other == person.as_str() || !text.contains(&format!("/{other}/")), "{}", text);
            }
            if concealed || nature == Nature::Notice {
                for place in ["〈address/", "〈contact/", "/household/", "/text〉", "/summary〉"] {
                    prop_assert!(!text.contains(place), "{} in {}", place, text);
                }
            }
            for part in &parts {
                prop_assert!(part.extent <= part.rule.most);
                prop_assert!(part.rule.default <= part.rule.most);
            }
        }
    }

    /// A concealment recorded after a decision takes away, and gives nothing.
    #[test]
    fn hiding_a_family_never_shows_more(
        requester in proptest::sample::select(Requester::ALL),
        nature in proptest::sample::select(Nature::ALL),
        section in proptest::sample::select(Section::ALL),
        whose in proptest::sample::select(Whose::ALL),
    ) {
        match (rule(requester, nature, true, section, whose), rule(requester, nature, false, section, whose)) {
            (Some(hidden), Some(open)) => {
                prop_assert!(hidden.default <= open.default && hidden.most <= open.most);
                prop_assert!(!hidden.why.may_be_told() || hidden.why == open.why);
            }
            (hidden, open) => prop_assert_eq!(hidden, open),
        }
    }
}

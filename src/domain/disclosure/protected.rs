//! The decision cases of domain.md 7.6, group K, and what holds for every decision about a family that is hidden.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    world::{B, Known, World, agency, sections},
    *,
};
use crate::domain::{
    agency::{AgencyKind, RecipientClass},
    content::Content,
    document::{Head, document},
    ids::AgencyId,
    protection::{HiddenFrom, Lift, Protection, Shield},
    referral::Urgency,
    veil::Veil,
};

/// A family hidden from the corporation F and from city X, with a narrative that was looked through.
fn hidden() -> Protection {
    Protection {
        hidden_from: vec![
            HiddenFrom::Agency(AgencyId::new(Uuid::from_u128(0xf))),
            HiddenFrom::Municipality { code: "122076".into(), desk: None },
        ],
        narrative_free_of_place: true,
        ..Protection::default()
    }
}

fn conceal(w: &mut World) {
    w.protection = Known::Protected(hidden());
}

fn to(w: &mut World, id: u128, kind: AgencyKind, municipality: &str) {
    w.recipient = agency(id, kind);
    w.recipient.municipality = municipality.into();
}

fn ask(w: &mut World, consented: &str, asked: &str) {
    w.consented(consented);
    w.ask(asked);
    w.address_needed_because = Some("送迎のため");
}

/// A lawful addressee outside the consent: the notice is the basis this hub decides for them.
fn notice_to(w: &mut World, id: u128, kind: AgencyKind, municipality: &str, asked: &str) {
    w.notice("TSUKOKU_25", AgencyKind::Kyoten, kind, asked);
    to(w, id, kind, municipality);
}

type Case = (&'static str, fn(&mut World), &'static str);

fn check(cases: &[Case]) {
    for (id, arrange, expected) in cases {
        let mut world = World::new();
        arrange(&mut world);
        assert_eq!(world.answer(), *expected, "{id}");
    }
}

const HIDDEN: &str =
    "ALLOW identity contact(office) address(substitute) narrative(summary); -address W_CONCEALED";

#[test]
#[rustfmt::skip]
fn group_k_concealed_address() {
    check(&[
        ("DC-140", |w| { conceal(w); ask(w, "ID CT AD NR", "ID CT AD NR") }, HIDDEN),
        ("DC-141", |w| { conceal(w); ask(w, "ID CT AD", "AD") }, "REFUSE ADDRESS_CONCEALED"),
        ("the contact alone", |w| { conceal(w); ask(w, "CT", "CT") }, "REFUSE ADDRESS_CONCEALED"),
        ("DC-142", |w| { conceal(w); to(w, 0xf, AgencyKind::Nursery, "141011"); ask(w, "ID CT", "ID CT") }, "REFUSE RECIPIENT_BLOCKED"),
        ("blocked before its kind is looked at", |w| { conceal(w); to(w, 0xf, AgencyKind::Police, "141011"); w.basis = Some("PUB_69_2_3") }, "REFUSE RECIPIENT_BLOCKED"),
        ("DC-143", |w| { conceal(w); to(w, B, AgencyKind::FamilyCentre, "122076"); w.basis = Some("PUB_69_2_3") }, "REFUSE RECIPIENT_BLOCKED"),
        ("DC-144 by consent", |w| { named_desk(w); to(w, B, AgencyKind::FamilyCentre, "122076"); ask(w, "ID CT AD NR", "ID CT AD NR") }, "ALLOW identity narrative; -contact W_CONCEALED; -address W_CONCEALED"),
        ("DC-145 by consent", |w| { conceal(w); to(w, B, AgencyKind::ChildGuidance, "140007"); ask(w, "ID AD NR", "ID AD NR") }, "ALLOW identity address(flagged) narrative"),
        ("DC-150", |w| { conceal(w); w.at = "2026-10-15T10:00:00+09:00"; ask(w, "ID AD", "ID AD") }, "ALLOW identity address(substitute); -address W_CONCEALED"),
        ("DC-151", |w| { w.protection = Known::Unreadable; ask(w, "ID AD", "ID AD") }, "ALLOW identity address(substitute); -address W_CONCEALED"),
        ("an authority under an unreadable record", |w| { w.protection = Known::Unreadable; to(w, B, AgencyKind::ChildGuidance, "140007"); ask(w, "ID CT AD NR", "ID CT AD NR") }, "ALLOW identity; -contact W_CONCEALED; -address W_CONCEALED; -narrative W_CONCEALED"),
        ("texts nobody looked through", |w| { w.protection = Known::Protected(Protection { narrative_free_of_place: false, ..hidden() }); ask(w, "ID NR HL", "ID NR HL") }, "ALLOW identity; -narrative W_CONCEALED; -health W_CONCEALED"),
        ("an address nobody consented to is not even stood in for", |w| { conceal(w); ask(w, "ID", "ID AD") }, "ALLOW identity; -address W_CONCEALED"),
        ("blocked alone hides no address", |w| { w.protection = Known::Protected(Protection { blocked: vec![AgencyId::new(Uuid::from_u128(0xe))], ..Protection::default() }); ask(w, "ID AD", "ID AD") }, "ALLOW identity address"),
        ("a relative works there", |w| { w.protection = Known::Protected(Protection { blocked: vec![AgencyId::new(Uuid::from_u128(B))], ..Protection::default() }); ask(w, "ID AD", "ID AD") }, "REFUSE RECIPIENT_BLOCKED"),
        ("a notice reaches a listed city", |w| { conceal(w); notice_to(w, B, AgencyKind::FamilyCentre, "122076", "ID CT AD NR") }, "ALLOW identity narrative; -contact W_CONCEALED; -address W_CONCEALED"),
        ("and is not opened there", |w| { conceal(w); notice_to(w, B, AgencyKind::FamilyCentre, "122076", "ID NR"); w.opened("2026-10-15T10:00:00+09:00", true) }, "REFUSE RECIPIENT_BLOCKED"),
        ("lifted", |w| { lifted(w, "2026-10-15T10:00:01+09:00"); ask(w, "ID CT AD NR", "ID CT AD NR") }, "ALLOW identity contact(flagged) address(flagged) narrative(summary)"),
        ("the lift is over", |w| { lifted(w, "2026-10-15T10:00:00+09:00"); ask(w, "ID CT AD NR", "ID CT AD NR") }, HIDDEN),
        ("lifted for another purpose", |w| { lifted(w, "2026-10-15T10:09:00+09:00"); ask(w, "ID CT AD NR", "ID CT AD NR"); w.kind = ReferralType::Monitoring; w.consent().purpose = w.kind }, HIDDEN),
    ]);
}

fn named_desk(w: &mut World) {
    let desk = Some(AgencyId::new(Uuid::from_u128(B)));
    let hidden_from = vec![HiddenFrom::Municipality { code: "122076".into(), desk }];
    w.protection = Known::Protected(Protection { hidden_from, ..hidden() });
}

fn lifted(w: &mut World, until: &str) {
    let recipient = AgencyId::new(Uuid::from_u128(B));
    let lift = Lift { recipient, purpose: ReferralType::Introduction, until: until.parse().unwrap() };
    w.protection = Known::Protected(Protection { lift: Some(lift), ..hidden() });
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

fn protections() -> impl Strategy<Value = Known> {
    let listed = |desk| vec![HiddenFrom::Municipality { code: "141003".into(), desk }];
    let desk = Some(AgencyId::new(Uuid::from_u128(B)));
    let hidden_from = proptest::sample::select(vec![hidden().hidden_from, listed(None), listed(desk)]);
    let protected = (hidden_from, any::<bool>()).prop_map(|(hidden_from, narrative_free_of_place)| {
        let veil = Veil::new(&[SCHOOL.into()], Some("045-999-0000".into()));
        Known::Protected(Protection { hidden_from, narrative_free_of_place, veil, ..Protection::default() })
    });
    prop_oneof![4 => protected, 1 => Just(Known::Unreadable)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_trace_of_a_concealed_address_reaches_anybody_it_is_hidden_from(
        mut w in super::properties::any_world(),
        protection in protections(),
        traces in proptest::collection::vec(0..TRACES.len(), Section::ALL.len()),
        action in 0..TRACES.len(),
        drawn in any::<bool>(),
    ) {
        w.protection = protection;
        let people = w.subjects.clone();
        let mut content = Content::parse(&content(&traces), &people, "2026-10-15".parse().unwrap()).unwrap();
        w.outline = content.outline();
        if drawn {
            let veil = match &w.protection { Known::Protected(p) => p.veil.clone(), _ => Veil::default() };
            content.draw(veil, &Content::default());
        }
        let question = w.question();
        let Ok(decision) = decide(&question) else { return Ok(()) };
        let class = match w.basis {
            Some(basis) if basis.starts_with("TSUKOKU") => RecipientClass::MunicipalCentre,
            _ => w.recipient.kind.class(),
        };
        let shield = question.protection.shield(&question.recipient, class, w.kind, question.at);
        prop_assume!(matches!(shield, Shield::Substituted(_) | Shield::Withheld(_)));
        let head = Head {
            leg: Uuid::from_u128(1).into(), delivery: Uuid::from_u128(2).into(), kind: w.kind,
            urgency: Urgency::Ordinary, sender: w.sender.id, recipient: w.recipient.id,
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
    fn protecting_a_family_never_shows_more(mut w in super::properties::any_world(), protection in protections()) {
        let open = decide(&w.question());
        w.protection = protection;
        match (open, decide(&w.question())) {
            (Ok(open), Ok(hidden)) => {
                let without_substitute = hidden.mask.sections().filter(|(_, s)| !s.detail.stands_in());
                for (section, shown) in without_substitute {
                    let before = open.mask.of(section).unwrap();
                    prop_assert!(shown.subjects.is_subset(&before.subjects));
                    prop_assert_eq!(shown.detail.meet(before.detail), shown.detail);
                }
            }
            (Err(_), Ok(hidden)) => prop_assert!(false, "{:?} is shown of a hidden family alone", hidden.mask),
            (_, Err(_)) => {}
        }
    }
}

#[test]
fn a_hidden_family_is_sent_nothing_but_what_stands_in() {
    let mut w = World::new();
    conceal(&mut w);
    ask(&mut w, "ID CT AD NR", "ID CT AD NR");
    let people = w.subjects.clone();
    let mut content = Content::parse(&content(&[5; 11]), &people, "2026-10-15".parse().unwrap()).unwrap();
    content.draw(Veil::new(&[SCHOOL.into()], Some("045-999-0000".into())), &Content::default());
    w.outline = content.outline();
    let decision = decide(&w.question()).unwrap();
    let shown = crate::domain::document::render(&content, &decision.mask);
    assert_eq!(shown["address"], json!([{"subject": "mother", "note": "市内・連絡は当課経由"}]));
    assert_eq!(
        shown["contact"],
        json!([{"subject": "mother", "note": "連絡は当課経由", "phone": "045-999-0000"}])
    );
    assert_eq!(shown["narrative"], json!([{"summary": "元気に過ごす"}]));
    assert_eq!(sections("ID CT AD NR").iter().count(), 4);
}

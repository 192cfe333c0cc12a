use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::{
    domain::{
        agency::AgencyKind,
        consent::Capacity,
        family_view::{FamilyAnswer, Places},
        holding::{HoldingCause, HoldingState},
        ids::ConsentId,
        referral::ReferralType,
        section::Section,
        subject::SubjectRole,
    },
    usecases::family::{Agreed, Sent},
    vault::sha256,
    web::pages::print::POLICY,
};

/// Text that would be mark-up, a script, a style, or the end of an attribute, if it were not escaped.
const INJECTION: &str =
    r#"</title></style><script>alert(1)</script><img src=x onerror="x">'"&amp;{{ 7*7 }}<!--"#;

const FIELDS: &[&str] = &[
    "name",
    "birth_date",
    "sex",
    "phone",
    "email",
    "safe_contact",
    "municipality",
    "town",
    "rest",
    "postal_code",
    "note",
    "codes",
    "summary",
    "text",
    "wishes",
    "support_so_far",
    "open_matters",
    "risk",
    "meeting",
];

fn view(text: &str) -> FamilyView {
    let person = |subject: Option<&str>, role, decided_by| Person {
        subject: subject.map(|text| text.parse().unwrap()),
        role,
        decided_by,
        sections: vec![Sent {
            section: Section::Identity,
            fields: FIELDS.iter().map(|field| (*field).to_owned()).collect(),
        }],
    };
    let holder = |copy, answer, disposal| Holder {
        name: Some(text.to_owned()),
        kind: AgencyKind::Nursery,
        purpose: ReferralType::Introduction,
        sent_on: date(2026, 9, 2),
        people: vec![
            person(None, None, Decider::Viewer),
            person(Some("child-1"), Some(SubjectRole::Child), Decider::Capacity(Capacity::Parent)),
        ],
        consent: Agreed {
            id: ConsentId::new(Uuid::from_u128(9)),
            given_on: date(2026, 9, 1),
            first_day: date(2026, 9, 1),
            last_day: date(2026, 11, 30),
            withdrawn_on: Some(date(2026, 10, 5)),
        },
        copy,
        opened_on: Some(date(2026, 9, 3)),
        answer,
        disposal,
    };
    let kept = Disposed {
        cause: HoldingCause::Withdrawal,
        state: HoldingState::KeptByLaw,
        asked_on: date(2026, 10, 5),
        article: Some(text.to_owned()),
    };
    FamilyView {
        viewer: "mother".parse().unwrap(),
        as_of: date(2026, 10, 15),
        ask_take_home: false,
        take_home: None,
        places: Places::Shown,
        sender: Some(text.to_owned()),
        desk: Some(text.to_owned()),
        holders: vec![
            holder(CopyStands::Shut, FamilyAnswer::Withdrawn, Some(kept)),
            holder(CopyStands::Opened, FamilyAnswer::Accepted, None),
        ],
    }
}

/// Every tag of the page, without what stands between them.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|piece| piece.split(['>', ' ']).next().unwrap()).collect()
}

#[test]
fn no_value_of_a_family_becomes_mark_up() {
    for language in FormLanguage::ALL {
        let (plain, attacked) =
            (page(&view("山辺"), *language).unwrap(), page(&view(INJECTION), *language).unwrap());
        assert_eq!(tags(&attacked), tags(&plain), "{language}");
        assert!(plain.matches("山辺").count() == 5, "every value is shown: {plain}");
    }
}

#[test]
fn the_familys_page_is_complete_and_asks_nothing_of_anybody() {
    for language in FormLanguage::ALL {
        let html = page(&view("山辺"), *language).unwrap();
        for outside in
            ["http:", "https:", "url(", "@import", "<link", "<script", " src=", " href=", "style=\"", "<form"]
        {
            assert!(!html.contains(outside), "{language}: {outside}");
        }
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(POLICY.contains(&STANDARD.encode(sha256(style.as_bytes()).bytes())));
        assert!(!html.replace(style, "").contains(['{', '}']), "no reading was left unread");
        let opened = tags(&html);
        for tag in ["main", "h1", "h2", "section", "table", "tr", "td", "ul", "li", "ruby", "p", "span"] {
            let count = |name: &str| opened.iter().filter(|one| **one == name).count();
            assert_eq!(count(tag), count(&format!("/{tag}")), "{language}: {tag}");
        }
    }
}

#[test]
fn the_familys_page_says_who_holds_what_and_how_to_take_it_back() {
    let html = page(&view("みなと"), FormLanguage::Japanese).unwrap();
    for said in [
        "2026年9月1日から2026年11月30日の24時まで",
        "同意を取りやめた日：2026年10月5日",
        "開かれた日：2026年9月3日",
        "引き受けるという返事",
        "法律で保存が決められているため、残しています",
        "根拠の法律：",
        "あなた / 親権者",
        "ご家族全体",
        "いつでも取りやめられます",
        "00000000-0000-0000-0000-000000000009",
        "苦情・ご相談の窓口",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
}

#[test]
fn a_protected_family_is_asked_before_anything_is_told() {
    let asked = FamilyView {
        ask_take_home: true,
        places: Places::LeftOut,
        sender: None,
        desk: None,
        holders: Vec::new(),
        ..view("みなと")
    };
    let html = page(&asked, FormLanguage::Japanese).unwrap();
    assert!(
        html.contains("この紙を持ち帰っても安全ですか")
            && !html.contains("みなと")
            && !html.contains("<table")
    );
    let mut stays = view("みなと");
    (stays.take_home, stays.places, stays.sender, stays.desk) =
        (Some(TakeHome::Unsafe), Places::LeftOut, None, None);
    for holder in &mut stays.holders {
        (holder.name, holder.disposal) = (None, None);
    }
    let html = page(&stays, FormLanguage::Japanese).unwrap();
    assert!(html.contains("持ち帰らないでください") && html.contains("機関の名前を載せていません"));
    assert!(html.contains("保育所") && !html.contains("みなと"), "the kind of agency tells no place");
}

fn is_kanji(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '々')
}

/// Whoever learns Japanese can read every kanji of the program's own words.
#[test]
fn the_easy_page_of_a_family_has_a_reading_over_every_kanji() {
    let easy = FormLanguage::Easy;
    let mut said: Vec<Said> = Vec::new();
    said.extend(Section::ALL.iter().map(|one| words::section(*one, easy)));
    said.extend(FIELDS.iter().map(|one| words::field(one, easy)));
    said.extend(CopyStands::ALL.iter().map(|one| words::copy(*one, easy)));
    said.extend(FamilyAnswer::ALL.iter().map(|one| words::answer(*one, easy)));
    said.extend(HoldingCause::ALL.iter().map(|one| words::cause(*one, easy)));
    said.extend(HoldingState::ALL.iter().map(|one| words::disposal(*one, easy)));
    for Said(text) in &said {
        let bare: String =
            text.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, rest)| rest)).collect();
        assert!(!bare.contains(is_kanji), "{text}");
    }
    let mut asked = view("みなと");
    asked.ask_take_home = true;
    let mut stays = view("みなと");
    (stays.take_home, stays.places, stays.desk) = (Some(TakeHome::Unsafe), Places::LeftOut, None);
    for view in [view("みなと"), asked, stays] {
        let html = page(&view, easy).unwrap();
        let body = html.split_once("<main>").unwrap().1;
        let outside: String = body
            .split("<ruby>")
            .map(|piece| piece.split_once("</ruby>").map_or(piece, |(_, rest)| rest))
            .collect();
        assert!(!outside.contains(is_kanji), "{outside}");
    }
}

/// Every field that a schema lets somebody send has a word of its own.
#[test]
fn every_field_that_can_be_sent_has_a_word() {
    let content =
        crate::usecases::schema::Schema::Common.document()["$defs"]["content"]["properties"].clone();
    for (section, entries) in content.as_object().unwrap().iter().filter(|(name, _)| *name != "notifier") {
        for field in entries["items"]["properties"].as_object().unwrap().keys() {
            if field != "subject" && field != "concealed" {
                assert_ne!(words::field(field, FormLanguage::English).0, "other", "{section}/{field}");
            }
        }
    }
}

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::{
    agency::AgencyKind,
    consent::{ConsentRecord, LineDecision, Opinion, custody::Act},
    ids::{AgencyId, ConsentId},
    referral::ReferralType,
    section::Section,
};
use crate::{usecases::consent_form::OwnWords, vault::sha256, web::pages::print::POLICY};

/// Text that would be mark-up, a script, a style, or the end of an attribute, if it were not escaped.
const INJECTION: &str =
    r#"</title></style><script>alert(1)</script><img src=x onerror="x">'"&amp;{{ 7*7 }}<!--"#;

fn record() -> ConsentRecord {
    let body = json!({
        "purpose": "SHOKAI", "recipients": [Uuid::from_u128(2)], "sections": ["identity", "health"],
        "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}, {"ref": "mother", "role": "guardian"}],
        "giver": {"subject": "mother", "capacity": "PARENT", "for": ["child-1", "mother"]},
        "custody": {"kind": "joint_married", "other_custodian": "not_asked"}, "act": "consultation",
        "lines": [{"subject": "child-1", "opinion": {"view": "against"}}],
        "method": "paper", "text_version": "2026-04", "decision": "given", "language": "vi",
        "first_day": "2026-09-01", "last_day": "2026-11-30"
    });
    let id = ConsentId::new(Uuid::from_u128(9));
    ConsentRecord::parse(&body, id, AgencyId::new(Uuid::from_u128(1)), date(2026, 9, 1)).unwrap()
}

fn form(text: &str) -> Form {
    let party = |kind| Party { name: text.to_owned(), kind };
    let words = OwnWords { giver: Some(text.to_owned()), view: Some(Opinion::Against) };
    Form {
        number: None,
        record: record(),
        sender: party(AgencyKind::UserSupportBasic),
        recipients: vec![party(AgencyKind::Nursery), party(AgencyKind::Medical)],
        given: None,
        giver: Some(text.to_owned()),
        own_words: [("child-1".parse().unwrap(), words)].into(),
        interpreter: Some(text.to_owned()),
        witness: Some(text.to_owned()),
        desk: text.to_owned(),
    }
}

/// Every tag of the page, without what stands between them.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|piece| piece.split(['>', ' ']).next().unwrap()).collect()
}

#[test]
fn no_value_becomes_mark_up() {
    for language in FormLanguage::ALL {
        let (plain, attacked) = (form("山辺"), form(INJECTION));
        let (plain, attacked) = (page(&plain, *language).unwrap(), page(&attacked, *language).unwrap());
        assert_eq!(tags(&attacked), tags(&plain), "{language}: the values left the tags as they are");
        assert!(
            !attacked.contains("<script") && !attacked.contains("onerror=\"") && !attacked.contains("<!--")
        );
        assert!(plain.matches("山辺").count() >= 7, "every value is shown: {plain}");
    }
}

#[test]
fn the_page_is_complete_and_asks_nothing_of_anybody() {
    for language in FormLanguage::ALL {
        let html = page(&form("山辺"), *language).unwrap();
        let lang = if *language == FormLanguage::English { "en" } else { "ja" };
        assert!(
            html.starts_with("<!doctype html>\n<html lang=\"")
                && html.contains(&format!("<html lang=\"{lang}\">"))
        );
        for outside in
            ["http:", "https:", "url(", "@import", "<link", "<script", " src=", " href=", "style=\""]
        {
            assert!(!html.contains(outside), "{language}: {outside}");
        }
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(
            POLICY.contains(&STANDARD.encode(sha256(style.as_bytes()).bytes())),
            "the policy allows this sheet"
        );
        let opened = tags(&html);
        for tag in ["main", "h1", "h2", "section", "table", "ol", "ul", "ruby", "p", "span"] {
            let count = |name: &str| opened.iter().filter(|one| **one == name).count();
            assert_eq!(count(tag), count(&format!("/{tag}")), "{language}: {tag}");
        }
        assert_eq!(opened.iter().filter(|tag| **tag == "h1").count(), 1);
        assert!(!html.contains('{') || style.contains('{'), "no reading was left unread");
        assert!(!html.replace(style, "").contains(['{', '}']));
    }
}

#[test]
fn the_form_says_what_the_law_and_the_family_ask() {
    let html = page(&form("みなと"), FormLanguage::Japanese).unwrap();
    for said in [
        "2026年9月1日から2026年11月30日の24時まで",
        "健康、病気、健診のこと",
        "相談や支援を断られ",
        "いつでも取りやめ",
        "児童福祉法 第25条",
        "苦情・ご相談の窓口",
        "もう一人の親権者の署名",
        "お子さん本人の意見",
        "2023年5月",
        "2026-04",
        "相談・助言を受ける",
    ] {
        assert!(html.contains(said), "{said}");
    }
    assert!(!html.contains("関係機関"), "recipients are named");
    assert!(!html.contains("発達のこと"), "what was not chosen is not printed");
    let recorded = Form { given: Some(true), number: Some(record().id), ..form("みなと") };
    let html = page(&recorded, FormLanguage::English).unwrap();
    assert!(html.contains("Recorded: consent was given.") && html.contains(&record().id.to_string()));
    assert!(html.contains("From 1 September 2026 to 30 November 2026"));
    let desk = page(&Form { desk: String::new(), ..form("みなと") }, FormLanguage::Japanese).unwrap();
    assert!(desk.contains("<p class=\"desk\"><span lang=\"ja\">みなと</span></p>"), "the sender is the desk");
}

fn is_kanji(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '々')
}

/// Whoever learns Japanese can read every kanji of the program's own words.
#[test]
fn easy_japanese_has_a_reading_over_every_kanji() {
    let mut said: Vec<Said> = Vec::new();
    let easy = FormLanguage::Easy;
    said.extend(Section::ALL.iter().map(|one| words::section(*one, easy)));
    said.extend(ReferralType::ALL.iter().map(|one| words::purpose(*one, easy)));
    said.extend(Act::ALL.iter().map(|one| words::act(*one, easy)));
    said.extend(Capacity::ALL.iter().map(|one| words::capacity(*one, easy)));
    said.extend(SubjectRole::ALL.iter().map(|one| words::role(*one, easy)));
    said.extend(LineDecision::ALL.iter().map(|one| words::decision(*one, easy)));
    said.extend(Opinion::ALL.iter().map(|one| words::opinion(*one, easy)));
    said.extend(AgencyKind::ALL.iter().map(|one| words::kind(*one, easy)));
    for Said(text) in &said {
        let bare: String =
            text.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, rest)| rest)).collect();
        assert!(!bare.contains(is_kanji), "{text}");
    }
    let html = page(&form("みなと"), easy).unwrap();
    let body = html.split_once("<main>").unwrap().1;
    let mut outside = String::new();
    for piece in body.split("<ruby>") {
        outside.push_str(piece.split_once("</ruby>").map_or(piece, |(_, rest)| rest));
    }
    assert!(!outside.contains(is_kanji), "{outside}");
}

/// A text of the program that had mark-up of its own would pass unescaped.
#[test]
fn no_word_has_mark_up_of_its_own() {
    for language in FormLanguage::ALL {
        for kind in AgencyKind::ALL {
            assert!(!words::kind(*kind, *language).0.contains(['<', '>', '&', '"']), "{kind}");
        }
        for purpose in ReferralType::ALL {
            assert!(!words::purpose(*purpose, *language).0.contains(['<', '>', '&', '"']), "{purpose}");
        }
    }
    let template = include_str!("../../../../templates/consent_form.html");
    assert!(!template.contains("|safe") && !template.contains("| safe"), "nothing is let through unescaped");
}

//! What is read of a submission, and what is refused at the door.

use serde_json::json;

use super::*;

const ID: &str = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e";

fn now() -> Timestamp {
    "2026-11-22T10:00:00+09:00".parse().unwrap()
}

fn body() -> Value {
    json!({
        "type": "SHOKAI", "urgency": "U1", "written_by": ID,
        "subjects": [{"ref": "child-1", "role": "child"}],
        "content": {"identity": [{"subject": "child-1", "name": {"given": "x"}}]},
        "legs": [{"recipient": ID, "basis": {"code": "CONSENT", "consent": ID}, "sections": ["identity"]}],
    })
}

fn codes(value: &Value) -> Vec<(String, &'static str)> {
    let faults = Submission::parse(value, now()).unwrap_err();
    faults.into_iter().map(|f| (f.pointer, f.code)).collect()
}

#[test]
fn what_is_left_out_has_its_plain_meaning() {
    let read = Submission::parse(&body(), now()).unwrap();
    assert_eq!(read.purpose, ReferralType::Introduction);
    assert_eq!(read.legs[0].needed, read.legs[0].sections);
    assert!(!read.is_notice());
}

#[test]
fn what_is_needed_is_said_where_the_law_passes_nothing_else() {
    let mut value = body();
    value["legs"][0]["basis"] = json!({"code": "LAW_27_1_1", "article": "…"});
    assert_eq!(Submission::parse(&value, now()).unwrap().legs[0].needed, Sections::NONE);
    value["legs"][0]["needed"] = json!(["identity"]);
    let read = Submission::parse(&value, now()).unwrap();
    assert_eq!(read.legs[0].needed, read.legs[0].sections);
}

#[test]
fn a_notice_rests_on_an_article_for_notices_and_nothing_else_does() {
    let mut value = body();
    value["type"] = json!("TSUKOKU");
    assert_eq!(codes(&value), [("/legs/0/basis/code".to_owned(), "notice_basis")]);
    value["legs"][0]["basis"] = json!({"code": "TSUKOKU_GY6"});
    assert!(Submission::parse(&value, now()).unwrap().is_notice());
    value["type"] = json!("SHOKAI");
    assert_eq!(codes(&value), [("/legs/0/basis/code".to_owned(), "notice_basis")]);
}

#[test]
fn times_must_be_possible() {
    let mut value = body();
    value["legs"][0]["reply_by"] = json!("2026-11-22T09:59:59+09:00");
    value["called_at"] = json!("2026-11-22T10:00:01+09:00");
    assert_eq!(
        codes(&value),
        [("/legs/0/reply_by".to_owned(), "impossible_date"), ("/called_at".to_owned(), "impossible_date")]
    );
}

#[test]
fn references_are_ids_and_no_facts() {
    let mut value = body();
    value["legs"][0]["basis"] = json!({"code": "YOTAIKYO", "arrangement": ID, "parent_request": "x"});
    let leg = Submission::parse(&value, now()).unwrap().legs.remove(0);
    assert_eq!(leg.arrangement.map(|id| id.to_string()), Some(ID.to_owned()));
    assert_eq!((leg.consent, leg.facts.text("arrangement")), (None, None));
    assert_eq!(leg.facts.text("parent_request"), Some("x"));
    for (name, bad) in [("arrangement", json!("x")), ("consent", json!(7))] {
        let mut value = body();
        value["legs"][0]["basis"][name] = bad;
        assert_eq!(codes(&value), [(format!("/legs/0/basis/{name}"), "reference_id")]);
    }
}

#[test]
fn a_hand_over_names_its_case_and_one_recipient() {
    let mut value = body();
    value["type"] = json!("IKAN");
    assert_eq!(codes(&value), [("/case".to_owned(), "required")]);
    value["case"] = json!(ID);
    assert!(Submission::parse(&value, now()).is_ok());
    let mut second = value["legs"][0].clone();
    second["recipient"] = json!("0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7f");
    value["legs"].as_array_mut().unwrap().push(second);
    assert_eq!(codes(&value), [("/legs".to_owned(), "one_hand_over")]);
}

#[test]
fn one_agency_is_one_recipient() {
    let mut value = body();
    let leg = value["legs"][0].clone();
    value["legs"].as_array_mut().unwrap().push(leg);
    assert_eq!(codes(&value), [("/legs/1/recipient".to_owned(), "recipient_twice")]);
}

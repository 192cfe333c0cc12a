//! The records that the law of personal data wants of one private business that passes data to another, told as
//! stories, over HTTP and on both engines.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use serde_json::{Value, json};
use support::{
    cast::Cast,
    stories::stories,
    town::{Agency, ORDINARY, Town},
};
use tsunagu::domain::agency::AgencyKind;

stories! {
    both_private_sides_have_their_record_and_a_public_one_needs_none,
    a_record_names_nobody_to_a_recipient_whose_consent_was_withdrawn,
    a_sheet_of_records_is_safe_to_open,
    records_come_page_by_page_and_by_day,
}

const RECORDS: &str = "/v1/provision-records";

async fn records(of: &Agency, side: &str) -> Vec<Value> {
    let page = of.get(&format!("{RECORDS}?side={side}")).await.value();
    page["items"].as_array().unwrap().clone()
}

/// A nursery that sends; it is private, as everybody in these towns who may be.
async fn writing_nursery(town: &Town) -> (Agency, String) {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let writer = nursery.hire("coordinator").await;
    (nursery, writer)
}

/// Records a consent for these recipients and sends; per recipient the leg and its delivery.
async fn send(town: &Town, from: &Agency, writer: &str, to: &[&Agency]) -> (String, Vec<(String, String)>) {
    let consent = from.record_consent(&town.consent_paper(writer, to, ORDINARY)).await.at("/id");
    let sent = from.submit(&town.introduction(writer, &consent, to)).await.value();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let legs = sent["legs"].as_array().unwrap().iter();
    (consent, legs.map(|leg| (text(&leg["id"]), text(&leg["delivery"]))).collect())
}

/// DC-036 and DC-037 of the decision cases.
async fn both_private_sides_have_their_record_and_a_public_one_needs_none(town: &mut Town) -> Vec<Agency> {
    let (nursery, writer) = writing_nursery(town).await;
    let clinic = town.agency(AgencyKind::Medical).await;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let doctor = clinic.hire("agency_staff").await;
    let worker = centre.hire("agency_staff").await;
    let (consent, legs) = send(town, &nursery, &writer, &[&clinic, &centre]).await;
    centre.open(&legs[1].1, &worker).await.good();
    assert!(records(&clinic, "received").await.is_empty(), "what nobody took was not received");

    let provided = records(&nursery, "provided").await;
    assert_eq!(provided.len(), 1, "the public centre needs no record: {provided:?}");
    let record = &provided[0];
    assert_eq!((&record["leg"], &record["consent"]), (&json!(legs[0].0), &json!(consent)));
    assert_eq!((&record["consent_obtained"], &record["taken_at"]), (&json!(true), &Value::Null));
    assert_eq!(record["other"]["agency"], clinic.id.as_str());
    assert_eq!(
        (&record["other"]["address"], &record["other"]["representative"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(record["sections"], json!(["identity", "contact", "needs", "narrative"]));
    assert_eq!(record["people"][0]["name"], "山辺\u{e0100} 澪");
    assert_eq!(record["people"][0]["birth_date"], "2023-05-01");
    assert_eq!(
        (&record["people"][1]["subject"], &record["people"][1]["name"]),
        (&json!("mother"), &Value::Null)
    );
    assert!(record["law"].as_str().unwrap().contains("第29条"), "{record}");
    let kept: Vec<i64> =
        record["keep_until"].as_str().unwrap().split('-').map(|n| n.parse().unwrap()).collect();
    let today: Vec<i64> = town.day(0).split('-').map(|n| n.parse().unwrap()).collect();
    assert_eq!(kept[0], today[0] + 3);

    clinic.open(&legs[0].1, &doctor).await.good();
    let received = records(&clinic, "received").await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0]["other"]["agency"], nursery.id.as_str());
    assert!(received[0]["how_obtained"].is_string() && received[0].get("consent").is_none());
    assert_eq!(received[0]["people"][0]["name"], "山辺\u{e0100} 澪");
    assert!(received[0]["law"].as_str().unwrap().contains("第30条"));
    assert!(records(&nursery, "provided").await[0]["taken_at"].is_string());
    for (who, side) in
        [(&centre, "received"), (&centre, "provided"), (&clinic, "provided"), (&nursery, "received")]
    {
        assert!(records(who, side).await.is_empty(), "{side}");
    }
    vec![nursery, clinic, centre]
}

async fn a_record_names_nobody_to_a_recipient_whose_consent_was_withdrawn(town: &mut Town) -> Vec<Agency> {
    let (nursery, writer) = writing_nursery(town).await;
    let clinic = town.agency(AgencyKind::Medical).await;
    let doctor = clinic.hire("agency_staff").await;
    let (consent, legs) = send(town, &nursery, &writer, &[&clinic]).await;
    clinic.open(&legs[0].1, &doctor).await.good();
    nursery.withdraw(&consent, &writer).await.good();
    let received = records(&clinic, "received").await;
    assert_eq!(received.len(), 1, "that it was received stays on record");
    assert_eq!(
        (&received[0]["people"][0]["subject"], &received[0]["state"]),
        (&json!("child-1"), &json!("withdrawn"))
    );
    assert!(!received[0].to_string().contains("澪"), "{received:?}");
    assert_eq!(records(&nursery, "provided").await[0]["people"][0]["name"], "山辺\u{e0100} 澪");
    vec![nursery, clinic]
}

async fn a_sheet_of_records_is_safe_to_open(town: &mut Town) -> Vec<Agency> {
    let (nursery, writer) = writing_nursery(town).await;
    let clinic = town.agency(AgencyKind::Medical).await;
    let consent = nursery.record_consent(&town.consent_paper(&writer, &[&clinic], ORDINARY)).await.at("/id");
    let mut referral = town.introduction(&writer, &consent, &[&clinic]);
    referral["content"]["identity"][0]["name"] = json!({"family": "=HYPERLINK(\"x\")", "given": "a,b\"c"});
    nursery.submit(&referral).await.good();
    let sheet = nursery.get(&format!("{RECORDS}?format=csv")).await.good();
    assert_eq!(sheet.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(sheet.header("content-disposition").unwrap().starts_with("attachment;"));
    let text = sheet.text();
    assert!(text.starts_with('\u{feff}') && text.contains("提供先の名称"), "{text}");
    assert!(text.contains("\"'=HYPERLINK(\"\"x\"\") a,b\"\"c（2023-05-01生）、mother\""), "{text}");
    assert_eq!(text.matches("\r\n").count(), 2);
    vec![nursery, clinic]
}

async fn records_come_page_by_page_and_by_day(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (nursery, writer) = writing_nursery(town).await;
    let clinic = town.agency(AgencyKind::Medical).await;
    let (_, legs) = send(town, &nursery, &writer, &[&clinic, &cast.family]).await;
    let mut found = Vec::new();
    let mut path = format!("{RECORDS}?limit=1");
    loop {
        let page = nursery.get(&path).await.value();
        found.extend(
            page["items"].as_array().unwrap().iter().map(|one| one["leg"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{RECORDS}?limit=1&after={next}");
    }
    let mut sent: Vec<String> = legs.into_iter().map(|(leg, _)| leg).collect();
    sent.sort();
    assert_eq!(found, sent, "every leg once");
    let sheet = nursery.get(&format!("{RECORDS}?limit=1&format=csv")).await.good();
    let next = sheet.header("link").unwrap().strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
    assert!(nursery.get(&next).await.good().text().contains(&sent[1]));
    let (today, tomorrow) = (town.day(0), town.day(1));
    let of = async |query: String| {
        nursery.get(&format!("{RECORDS}?{query}")).await.value()["items"].as_array().unwrap().len()
    };
    assert_eq!(of(format!("from={today}&to={today}")).await, 2);
    assert_eq!(of(format!("from={tomorrow}")).await, 0);
    assert_eq!(of("to=2020-01-01".to_owned()).await, 0);
    let wrong = nursery.get(&format!("{RECORDS}?from=yesterday")).await;
    assert_eq!((wrong.code(), wrong.problem()), (400, "bad-query".to_owned()));
    let mut everybody = cast.everybody();
    everybody.extend([nursery, clinic]);
    everybody
}

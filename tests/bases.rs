//! The bases in law told as stories, over HTTP and on both engines: what the decision cases say holds in the hub.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::Sent,
    stories::stories,
    town::{Agency, TSURUMI, Town},
};
use tsunagu::{
    domain::{agency::AgencyKind, ids::CaseId},
    vault::jws::{Jwks, Typ, verify_jws},
};

stories! {
    a_clinic_tells_the_city_of_a_mother_in_need,
    who_has_left_the_council_opens_nothing_more,
    abuse_in_a_facility_goes_to_the_division_in_charge,
}

/// One leg on one basis, about a mother and what happened.
fn provision(kind: &str, by: &str, to: &Agency, basis: Value) -> Value {
    let mut paper = json!({
        "type": kind, "urgency": "U2", "written_by": by,
        "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}],
        "content": {
            "identity": [{"subject": "child-1", "name": {"given": "澪"}}],
            "narrative": [{"summary": "要約", "text": "詳しい経過"}],
            "address": [{"subject": "child-1", "municipality": TSURUMI, "town": "鶴見中央"}],
        },
        "legs": [{"recipient": to.id, "sections": ["identity", "narrative"]}],
    });
    paper["legs"][0]["basis"] = basis;
    paper
}

async fn a_clinic_tells_the_city_of_a_mother_in_need(town: &mut Town) -> Vec<Agency> {
    let clinic = town.agency(AgencyKind::Medical).await;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let (doctor, worker) = (clinic.hire("agency_staff").await, centre.hire("agency_staff").await);
    let basis = json!({
        "code": "YOSHIEN_21_10_5", "case_class": "yoshien", "present_municipality": TSURUMI,
        "consent_sought": "refused", "consent_sought_reason": "知られたくないと断られた。",
    });
    let mut paper = provision("JOHO_TEIKYO", &doctor, &centre, basis);
    let refused = clinic.submit(&paper).await;
    assert_eq!(
        (refused.problem(), refused.json()["code"].as_str()),
        ("disclosure-refused".into(), Some("BASIS_RECORD"))
    );
    assert_eq!(refused.json()["law"], "児童福祉法 第21条の10の5");

    paper["legs"][0]["basis"]["grounds"] = json!("健診を受けておらず、頼れる人がいない。");
    paper["legs"][0]["basis"]["hunch"] = json!(true);
    assert_eq!(clinic.submit(&paper).await.problem(), "schema-violation", "a fact that nobody knows");
    paper["legs"][0]["basis"].as_object_mut().unwrap().remove("hunch");
    let sent = Sent::read(&clinic.submit(&paper).await.value());
    let (leg, delivery) = &sent.legs[0];
    let shown = centre.open(delivery, &worker).await.value();
    assert_eq!(shown["document"]["content"]["narrative"][0]["text"], "詳しい経過");
    assert_eq!(shown["document"]["basis"]["law"], "児童福祉法 第21条の10の5");
    assert!(!shown.to_string().contains("頼れる人がいない"), "the record of the basis is the sender's");
    let jwks = Jwks::parse(&town.jwks().await).unwrap();
    for receipt in clinic.evidence(leg).await["receipts"].as_array().unwrap() {
        let basis = &verify_jws(&jwks, receipt["jws"].as_str().unwrap(), Typ::Receipt).unwrap()["basis"];
        assert_eq!(basis["code"], "YOSHIEN_21_10_5");
        assert_eq!(
            (&basis["law"], &basis["rule_version"]),
            (&json!("児童福祉法 第21条の10の5"), &json!("2026-04-01"))
        );
    }
    vec![clinic, centre]
}

async fn who_has_left_the_council_opens_nothing_more(town: &mut Town) -> Vec<Agency> {
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let school = town.agency(AgencyKind::School).await;
    let (boss, teacher) = (centre.hire("supervisor").await, school.hire("agency_staff").await);
    let council = json!({
        "by": boss, "kind": "council", "title": "鶴見区要保護児童対策地域協議会", "first_day": town.day(-400),
        "members": [{"agency": school.id, "last_day": town.day(1)}],
    });
    let council = centre.post("/v1/arrangements", &council).await.at("/id");
    let case: CaseId = town.clock.new_id();
    let mut paper =
        provision("JOHO_TEIKYO", &boss, &school, json!({"code": "YOTAIKYO", "arrangement": council}));
    paper["case"] = json!(case);
    paper["legs"][0]["sections"] = json!(["identity", "narrative", "address"]);
    let code = async |paper: &Value| centre.submit(paper).await.json()["code"].clone();
    assert_eq!(code(&paper).await, "NOT_REGISTERED");
    let register = json!({"by": boss, "case": case, "first_day": town.day(-1)});
    centre.post_at(1, &format!("/v1/arrangements/{council}/cases"), &register).await.good();
    assert_eq!(code(&paper).await, "BASIS_RECORD", "nobody has said what is needed");
    paper["legs"][0]["needed"] = json!(["identity", "narrative", "address"]);
    let sent = Sent::read(&centre.submit(&paper).await.value());
    let (leg, delivery) = &sent.legs[0];

    let shown = school.open(delivery, &teacher).await.value();
    assert_eq!(shown["document"]["sections"], json!(["identity", "narrative"]), "a member sees no address");
    let withheld = &centre.leg(leg).await["withheld"];
    assert_eq!((&withheld[0]["section"], &withheld[0]["why"]), (&json!("address"), &json!("W_MASK")));
    town.advance(Duration::from_secs(2 * 86_400));
    let gone = school.open(delivery, &teacher).await;
    assert_eq!(gone.json()["code"], "NOT_MEMBER", "{}", gone.text());
    vec![centre, school]
}

async fn abuse_in_a_facility_goes_to_the_division_in_charge(town: &mut Town) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let division = town.agency(AgencyKind::MunicipalDivision).await;
    let guidance = town.agency(AgencyKind::ChildGuidance).await;
    let witness = nursery.hire("agency_staff").await;
    let basis = || json!({"code": "TSUKOKU_33_12", "facility": nursery.id});
    let wrong = nursery.submit(&provision("TSUKOKU", &witness, &guidance, basis())).await;
    assert_eq!(wrong.json()["code"], "BASIS_RECIPIENT");
    let mut paper = provision("TSUKOKU", &witness, &division, basis());
    paper["urgency"] = json!("U4");
    let sent = Sent::read(&nursery.submit(&paper).await.value());
    let duty = division.hire("duty_desk").await;
    let shown = division.open(&sent.legs[0].1, &duty).await.value();
    assert_eq!(shown["document"]["basis"]["law"], "児童福祉法 第33条の12");
    assert!(!shown.to_string().contains("facility"), "which facility it is stands in what the writer wrote");
    vec![nursery, division, guidance]
}

//! Forged tokens: none is believed, every refusal is the same to the byte, and nothing changes.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::collections::BTreeSet;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::json;
use tsunagu::domain::agency::AgencyKind;

mod support;

#[path = "tokens/forge.rs"]
mod forge;
#[path = "tokens/forgeries.rs"]
mod forgeries;
#[path = "tokens/texts.rs"]
mod texts;

use forge::Forge;
use support::town::{Agency, ORDINARY, Reply, Town, fresh_key};

/// What stands in the Authorization headers of a request: one, none, or two.
struct Attempt {
    name: String,
    authorization: Vec<Vec<u8>>,
}

impl Attempt {
    fn bearer(name: impl Into<String>, token: &str) -> Self {
        Self { name: name.into(), authorization: vec![format!("Bearer {token}").into_bytes()] }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in &self.authorization {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }
}

/// Reads and writes with the attempt's headers; gives both answers.
async fn attempt(agency: &Agency, attempt: &Attempt) -> [Reply; 2] {
    let read = agency.stranger("GET", "/v1/staff").headers(attempt.headers());
    let write = agency.stranger("POST", "/v1/staff").headers(attempt.headers());
    let write = write.header("idempotency-key", fresh_key());
    let write = write.json(&json!({ "role": "coordinator", "name": "偽造" }));
    [agency.send(read).await, agency.send(write).await]
}

/// A town with what the forgeries are made of: statements the hub signed, and agencies that have gone.
struct Scene {
    town: Town,
    agency: Agency,
    deactivated: Agency,
    statements: Vec<(&'static str, String)>,
}

impl Scene {
    async fn new() -> Self {
        let town = Town::embedded().await;
        let agency = town.agency(AgencyKind::UserSupportBasic).await;
        let nursery = town.agency(AgencyKind::Nursery).await;
        let (writer, clerk) = (agency.hire("coordinator").await, nursery.hire("agency_staff").await);
        let paper = town.consent_paper(&writer, &[&nursery], ORDINARY);
        let consent = agency.record_consent(&paper).await.at("/id");
        let sent = agency.submit(&town.introduction(&writer, &consent, &[&nursery])).await;
        let leg = sent.at("/legs/0/id");
        nursery.open(&sent.at("/legs/0/delivery"), &clerk).await.good();
        nursery.act(&leg, "accept", &json!({ "by": clerk })).await.good();
        nursery.act(&leg, "note", &json!({ "by": clerk, "note": "連絡" })).await.good();
        let evidence = agency.evidence(&leg).await;
        let text = |pointer: &str| evidence.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let stranger = town.introduction(&writer, "0192f000-0000-4000-8000-00000000dead", &[&nursery]);
        let refusal = agency.submit(&stranger).await.json()["signed"].as_str().unwrap().to_owned();
        let statements = vec![
            ("a receipt", text("/receipts/0/jws")),
            ("the sender's copy of a receipt", text("/sender_copy")),
            ("a signed event", text("/events/0")),
            ("a manifest", text("/manifest")),
            ("a signed refusal", refusal),
        ];
        let deactivated = town.agency(AgencyKind::Npo).await;
        deactivated.token().await;
        town.by_hand(format!("UPDATE agency SET active = 0 WHERE id = '{}'", deactivated.id)).await;
        Self { town, agency, deactivated, statements }
    }
}

#[tokio::test]
async fn no_forged_token_is_believed() {
    let scene = Scene::new().await;
    let forge = Forge::of(&scene.town, &scene.agency.id);
    let honest = Attempt::bearer("made like the hub's own", &forge.good());
    let accepted = attempt(&scene.agency, &honest).await.map(|reply| reply.code());
    assert_eq!(accepted, [200, 201], "the forge can make a good token, so a refusal is for what was changed");

    let forgeries = forgeries::all(&scene, &forge).await;
    let names: BTreeSet<&str> = forgeries.iter().map(|forged| forged.name.as_str()).collect();
    assert!(names.len() == forgeries.len() && names.len() >= 200, "{} of {}", names.len(), forgeries.len());
    let before = scene.town.rows().await;
    let mut refusal: Option<String> = None;
    for forged in &forgeries {
        for reply in attempt(&scene.agency, forged).await {
            assert_eq!(reply.code(), 401, "{}: {}", forged.name, reply.text());
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{}", forged.name);
            assert_eq!(
                refusal.get_or_insert_with(|| reply.text().to_owned()),
                reply.text(),
                "{}",
                forged.name
            );
        }
    }
    assert_eq!(scene.town.rows().await, before, "nothing was stored");
    let accepted = attempt(&scene.agency, &honest).await.map(|reply| reply.code());
    assert_eq!(accepted, [200, 201], "the good token is good to the end");
}

/// A header that no server should read to its end: refused before there is anything to believe.
#[tokio::test]
async fn a_key_id_of_a_mebibyte_is_not_even_read() {
    let scene = Scene::new().await;
    let forge = Forge::of(&scene.town, &scene.agency.id);
    let before = scene.town.rows().await;
    let token = forge.with_header(&json!({"alg": "EdDSA", "kid": "A".repeat(1 << 20), "typ": "at+jwt"}));
    let sent = scene.agency.stranger("GET", "/v1/staff").bearer_auth(token).send().await;
    // The hub may close the connection while the header is still being sent.
    if let Ok(answer) = sent {
        assert!(answer.status().is_client_error(), "{}", answer.status());
    }
    assert_eq!(scene.town.rows().await, before);
    assert_eq!(scene.agency.get("/v1/staff").await.code(), 200, "the hub lives");
}

#[tokio::test]
async fn a_token_lives_ten_minutes_and_its_agency_must_be_active_each_time() {
    let scene = Scene::new().await;
    let agency = &scene.agency;
    let code =
        async |token: &str| agency.send(agency.stranger("GET", "/v1/staff").bearer_auth(token)).await.code();
    for (age, status) in [(0, 200), (599, 200), (606, 401), (86_400, 401)] {
        assert_eq!(code(&scene.town.token_of_age(agency, age)).await, status, "after {age} s");
    }
    let token = agency.token().await;
    scene.town.by_hand(format!("UPDATE agency SET active = 0 WHERE id = '{}'", agency.id)).await;
    assert_eq!(code(&token).await, 401, "a right that is taken away is gone at once");
    scene.town.by_hand(format!("UPDATE agency SET active = 1 WHERE id = '{}'", agency.id)).await;
    assert_eq!(code(&token).await, 200);
}

#[tokio::test]
async fn a_rotated_secret_gets_no_more_tokens() {
    let scene = Scene::new().await;
    let agency = &scene.agency;
    let sign_in = async |secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", agency.id);
        let request = agency.stranger("POST", "/v1/token");
        let media = "application/x-www-form-urlencoded";
        agency.send(request.header("content-type", media).body(form)).await
    };
    let context = scene.town.context();
    let new = tsunagu::usecases::register::rotate_secret(&context, agency.id.parse().unwrap()).await.unwrap();
    assert_eq!(sign_in(new.reveal()).await.code(), 200);
    let wrong = [agency.secret.as_str(), "", "wrong", new.reveal().trim_end_matches(char::is_alphanumeric)];
    let mut said = Vec::new();
    for secret in wrong {
        let reply = sign_in(secret).await;
        assert_eq!(reply.code(), 401, "{}", reply.text());
        said.push(reply.text().to_owned());
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
}

//! What is sent wrongly is answered with the place of the fault and what to do about it, in Japanese and English, and
//! nothing is stored.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::collections::BTreeMap;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tsunagu::{domain::agency::AgencyKind, usecases::schema::Schema};

mod support;

#[path = "bad_input/commands.rs"]
mod commands;
#[path = "bad_input/consents.rs"]
mod consents;
#[path = "bad_input/documents.rs"]
mod documents;
#[path = "bad_input/together.rs"]
mod together;
#[path = "bad_input/wire.rs"]
mod wire;

use support::town::{Agency, Engine, ORDINARY, Reply, Town, fresh_key};

/// What wrong values are made of, so that an answer that repeats one is found.
const SECRET: &str = "ひみつ";

/// Two agencies, their staff, a consent between them, and a referral that waits in the inbox.
struct Scene {
    town: Town,
    site: Agency,
    nursery: Agency,
    other: Agency,
    writer: String,
    clerk: String,
    consent: String,
    leg: String,
    delivery: String,
}

impl Scene {
    async fn new(engine: Engine) -> Option<Self> {
        let town = Town::on(engine).await?;
        let site = town.agency(AgencyKind::UserSupportBasic).await;
        let nursery = town.agency(AgencyKind::Nursery).await;
        let other = town.agency(AgencyKind::Nursery).await;
        let (writer, clerk) = (site.hire("coordinator").await, nursery.hire("agency_staff").await);
        let paper = town.consent_paper(&writer, &[&nursery], ORDINARY);
        let consent = site.record_consent(&paper).await.at("/id");
        let sent = site.submit(&town.introduction(&writer, &consent, &[&nursery])).await;
        let (leg, delivery) = (sent.at("/legs/0/id"), sent.at("/legs/0/delivery"));
        Some(Self { town, site, nursery, other, writer, clerk, consent, leg, delivery })
    }

    async fn embedded() -> Self {
        Self::new(Engine::Embedded).await.expect("an embedded hub needs no servers")
    }

    fn referral(&self) -> Value {
        self.town.introduction(&self.writer, &self.consent, &[&self.nursery])
    }

    fn consent_paper(&self) -> Value {
        self.town.consent_paper(&self.writer, &[&self.nursery], ORDINARY)
    }

    /// What the ledger holds, but for what it notes and does by itself: refusals in the audit, and work.
    async fn stored(&self) -> BTreeMap<String, i64> {
        let mut rows = self.town.rows().await;
        rows.retain(|table, _| !matches!(table.as_str(), "audit" | "job"));
        rows
    }

    /// A post of this document, with everything it needs.
    async fn post(&self, agency: &Agency, path: &str, document: &Value) -> RequestBuilder {
        let request = agency.request("POST", path).await.header("idempotency-key", fresh_key());
        request.header("if-match", "\"1\"").json(document)
    }

    /// Sends a request that must be refused so, and looks whether it left anything behind.
    async fn refused(
        &self,
        name: &str,
        agency: &Agency,
        request: RequestBuilder,
        expected: &Expected<'_>,
    ) -> Reply {
        let before = self.stored().await;
        let reply = agency.send(request).await;
        expected.assert(name, &reply);
        assert_eq!(self.stored().await, before, "{name}: something was stored");
        reply
    }
}

/// The promised answer.
struct Expected<'a> {
    status: u16,
    problem: &'a str,
    /// Where the first fault is, as a JSON pointer, if the answer has one.
    pointer: Option<&'a str>,
    /// The code of the first fault, or of the whole refusal where there are no faults.
    code: Option<&'a str>,
}

impl<'a> Expected<'a> {
    const fn new(status: u16, problem: &'a str) -> Self {
        Self { status, problem, pointer: None, code: None }
    }

    const fn at(self, pointer: &'a str) -> Self {
        Self { pointer: Some(pointer), ..self }
    }

    const fn code(self, code: &'a str) -> Self {
        Self { code: Some(code), ..self }
    }

    fn assert(&self, name: &str, reply: &Reply) {
        let body = reply.json();
        assert_eq!(reply.code(), self.status, "{name}: {}", reply.text());
        assert_eq!(reply.problem(), self.problem, "{name}: {body}");
        assert_eq!(Schema::Problem.check(&body), Ok(()), "{name}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{name}");
        let first = &body["errors"][0];
        if let Some(pointer) = self.pointer {
            assert_eq!(first["pointer"].as_str(), Some(pointer), "{name}: {body}");
        }
        if let Some(code) = self.code {
            let found = first["code"].as_str().or(body["code"].as_str());
            assert_eq!(found, Some(code), "{name}: {body}");
        }
        assert!(!reply.text().contains(SECRET), "{name} repeats what was sent: {body}");
        let faults = body["errors"].as_array().cloned().unwrap_or_default();
        for (said, ja, en) in faults
            .iter()
            .map(|fault| (fault, "message", "message_en"))
            .chain([(&body, "title", "title_en"), (&body, "mend", "mend_en")])
        {
            assert!(is_japanese(&said[ja]), "{name}: {ja} of {said}");
            assert!(is_english(&said[en]), "{name}: {en} of {said}");
        }
    }
}

fn is_japanese(text: &Value) -> bool {
    text.as_str().is_some_and(|text| text.chars().any(|c| ('\u{3041}'..='\u{9fff}').contains(&c)))
}

fn is_english(text: &Value) -> bool {
    text.as_str()
        .is_some_and(|text| text.len() > 5 && !text.chars().any(|c| ('\u{3041}'..='\u{30ff}').contains(&c)))
}

/// A document with the value at a pointer replaced, or added.
fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} in {document}")) {
        Value::Array(items) => {
            let place: usize = name.parse().unwrap();
            if place < items.len() { items[place] = value } else { items.push(value) }
        }
        parent => parent[name] = value,
    }
    changed
}

fn without(document: &Value, pointer: &str) -> Value {
    let mut changed = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.remove(name).unwrap_or_else(|| panic!("{pointer} in {document}"));
    changed
}

#[tokio::test]
async fn the_documents_that_are_spoilt_here_are_good() {
    let scene = Scene::embedded().await;
    scene.site.submit(&scene.referral()).await.good();
    scene.site.record_consent(&scene.consent_paper()).await.good();
    scene.nursery.ack(&scene.delivery).await.good();
    scene.nursery.act(&scene.leg, "accept", &json!({ "by": scene.clerk })).await.good();
}

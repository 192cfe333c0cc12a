//! Somebody who asks for everything there is, by every row of the table of routes.

use futures_util::future::join_all;
use serde_json::json;
use tsunagu::{
    domain::{agency::AgencyKind, delivery::DeliveryState, leg::LegState},
    web::{Access, Endpoint, Guarded, Row, TABLE},
};

use crate::support::town::{Agency, Browser, Reply, Town, fresh_key};

const PASSWORD: &str = "よくねてよくたべてよくあそぶ";

/// Somebody who asks: an agency's system in the name of a member of its staff, and that person at a browser.
pub struct Asker {
    pub agency: Agency,
    pub staff: String,
    pub browser: Browser,
}

impl Asker {
    pub async fn of(town: &Town, municipality: &str, kind: AgencyKind) -> Self {
        let agency = town.agency_in(municipality, kind, kind.label_ja()).await;
        let staff = agency.hire("agency_staff").await;
        Self::at(agency, staff).await
    }

    pub async fn at(agency: Agency, staff: String) -> Self {
        agency.let_in(&staff, &staff, PASSWORD).await.good();
        let asker = Self { browser: Browser::of(&agency), agency, staff };
        asker.sign_in().await;
        asker
    }

    /// Signs in at the browser, again if a session has run out.
    pub async fn sign_in(&self) {
        assert_eq!(self.browser.sign_in(&self.staff, PASSWORD).await.code(), 303);
    }

    /// Everything this agency can get out of the hub by any endpoint, with any of these ids.
    pub async fn everything(&self, ids: &[String]) -> Vec<(&'static Row, String, Reply)> {
        let asked: Vec<_> =
            TABLE.iter().flat_map(|row| paths(row, ids).into_iter().map(move |path| (row, path))).collect();
        let mut answers = Vec::with_capacity(asked.len());
        for some in asked.chunks(8) {
            let replies = join_all(some.iter().map(|(row, path)| self.ask(row, path))).await;
            answers.extend(some.iter().cloned().zip(replies).map(|((row, path), reply)| (row, path, reply)));
        }
        answers
    }

    async fn ask(&self, row: &Row, path: &str) -> Reply {
        if row.access == Access::Page {
            return self.browser.send(self.browser.request(row.method, path)).await;
        }
        let request = self.agency.request(row.method, path).await.header("tsunagu-staff", &self.staff);
        let request = match row.guarded {
            Guarded::No => request,
            _ => request.header("idempotency-key", fresh_key()).header("if-match", "\"1\""),
        };
        if row.endpoint == Endpoint::Token {
            // It answers a form, and by rules of its own: what every other answer has to keep does not hold here.
            return self.agency.door().execute(request.build().unwrap()).await;
        }
        self.agency.send(if row.body.is_some() { request.json(&json!({})) } else { request }).await
    }
}

/// The paths of a row with every id in every place, and every list in every state. What is asked for with an empty body
/// is refused before anything is looked up, so that one id is enough there.
fn paths(row: &Row, ids: &[String]) -> Vec<String> {
    let every = match row.body {
        None => ids,
        Some(_) => &ids[ids.len() - 1..],
    };
    let mut paths = vec![row.path.to_owned()];
    for (name, values) in [
        ("{id}", every.to_vec()),
        ("{subject}", every.to_vec()),
        ("{level}", ["R0", "R3"].map(str::to_owned).to_vec()),
        ("{action}", vec!["note".to_owned()]),
        ("{agency}", ids[..1].to_vec()),
        ("{entry}", ids[..1].to_vec()),
        ("{name}", ids[..1].to_vec()),
    ] {
        if row.path.contains(name) {
            paths =
                paths.iter().flat_map(|p| values.iter().map(move |value| p.replace(name, value))).collect();
        }
    }
    let has = |name: &&str| row.query.contains(name);
    let states: Vec<&str> = match row.path {
        "/v1/inbox" => DeliveryState::ALL.iter().map(|state| state.code()).collect(),
        "/v1/cases" => vec!["open", "closed"],
        "/v1/incidents" => vec!["open", "closed", "near_miss"],
        _ => [LegState::Requested, LegState::Received].map(LegState::code).to_vec(),
    };
    let mut queries = vec![String::new()];
    if has(&"side") {
        queries.extend(["sender", "recipient"].map(|side| format!("?side={side}")));
    }
    if has(&"state") {
        let sides = if has(&"side") { vec!["side=sender&", "side=recipient&"] } else { vec![""] };
        queries.extend(sides.iter().flat_map(|side| states.iter().map(move |s| format!("?{side}state={s}"))));
    }
    for name in ["case", "referral"].iter().filter(|name| has(name)) {
        queries.extend(ids.iter().map(|id| format!("?{name}={id}")));
    }
    if has(&"order") {
        queries.push("?order=due&lang=en".to_owned());
    }
    if has(&"viewer") {
        queries.push("?viewer=mother&take_home=safe&places=shown".to_owned());
    }
    if has(&"format") {
        queries.extend(["provided", "received"].map(|side| format!("?side={side}&format=csv")));
    }
    assert!(!paths[0].contains('{'), "{} has a part that nobody fills in", row.path);
    paths.iter().flat_map(|path| queries.iter().map(move |query| format!("{path}{query}"))).collect()
}

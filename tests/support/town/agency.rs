//! An agency's system, as the hub meets it: over HTTP, with a token of its own.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tsunagu::{
    clock::Clock,
    usecases::verify,
    vault::{jws::Jwks, sha256},
};

use super::reply::{Exchange, Reply, Traffic};

/// Where the hub is, and how one gets there.
pub struct Door {
    base: String,
    http: reqwest::Client,
    clock: Clock,
    traffic: Traffic,
}

impl Door {
    pub fn new(base: String, clock: Clock, traffic: Traffic) -> Self {
        // An answer that leads elsewhere is an answer: whoever follows it says so.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base, http, clock, traffic }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request without anything.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), self.url(path))
    }

    pub async fn execute(&self, request: reqwest::Request) -> Reply {
        Reply::of(self.http.execute(request).await.unwrap()).await
    }

    pub fn record(&self, exchange: Exchange) {
        self.traffic.push(exchange);
    }
}

/// One agency. What it can do has the names of the user's verbs.
pub struct Agency {
    pub id: String,
    pub secret: String,
    door: Arc<Door>,
    token: Arc<Mutex<Option<(String, Timestamp)>>>,
    /// For whom of its staff the agency's system asks, if it says so with every request.
    person: Option<String>,
    /// Those of its staff who wrote a notice: nobody else of the agency sees it.
    writers: Arc<Mutex<BTreeSet<String>>>,
}

/// A key that no other request of this run has.
pub fn fresh_key() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Agency {
    pub fn new(door: Arc<Door>, id: String, secret: String) -> Self {
        Self { id, secret, door, token: Arc::default(), person: None, writers: Arc::default() }
    }

    /// The same agency's system, asking for this member of its staff.
    pub fn asking_for(&self, staff: &str) -> Self {
        Self {
            id: self.id.clone(),
            secret: self.secret.clone(),
            door: self.door(),
            token: Arc::clone(&self.token),
            person: Some(staff.to_owned()),
            writers: Arc::clone(&self.writers),
        }
    }

    /// The agency, and its system asking for each of those who wrote a notice.
    pub fn readers(&self) -> Vec<Self> {
        let writers = self.writers.lock().unwrap().clone();
        let own = Self { person: None, ..self.asking_for("") };
        std::iter::once(own).chain(writers.iter().map(|staff| self.asking_for(staff))).collect()
    }

    pub fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }

    /// Lets a member of staff sign in to the pages.
    pub async fn let_in(&self, staff: &str, login: &str, password: &str) -> Reply {
        let body = json!({ "login": login, "password": password });
        self.put(&format!("/v1/staff/{staff}/sign-in"), &body).await
    }

    /// The agency's access token, got from the hub and renewed before it runs out.
    pub async fn token(&self) -> String {
        let now = self.door.clock.now();
        if let Some((token, until)) = self.token.lock().unwrap().clone()
            && now < until
        {
            return token;
        }
        let form =
            format!("grant_type=client_credentials&client_id={}&client_secret={}", self.id, self.secret);
        let media = "application/x-www-form-urlencoded";
        let request =
            self.door.http.post(self.door.url("/v1/token")).header("content-type", media).body(form);
        let token = Reply::of(request.send().await.unwrap()).await.at("/access_token");
        *self.token.lock().unwrap() = Some((token.clone(), now + SignedDuration::from_secs(300)));
        token
    }

    /// A request in the agency's name; what else it needs, the test puts on. [`Agency::send`] sends it.
    pub async fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.stranger(method, path).bearer_auth(self.token().await);
        match &self.person {
            Some(staff) => request.header("tsunagu-staff", staff),
            None => request,
        }
    }

    /// A request without a token.
    pub fn stranger(&self, method: &str, path: &str) -> RequestBuilder {
        self.door.request(method, path)
    }

    /// Sends a request and records it.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        let (method, url) = (request.method().to_string(), request.url().to_string());
        let reply = self.door.execute(request).await;
        self.door.record(Exchange { caller: self.id.clone(), method, url, reply: reply.clone() });
        reply
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path).await).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("PUT", path).await.json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request("DELETE", path).await).await
    }

    /// Posts a document under a fresh key.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_under(&fresh_key(), path, body).await
    }

    pub async fn post_under(&self, key: &str, path: &str, body: &Value) -> Reply {
        if let (Some("TSUKOKU"), Some(writer)) = (body["type"].as_str(), body["written_by"].as_str()) {
            self.writers.lock().unwrap().insert(writer.to_owned());
        }
        self.send(self.request("POST", path).await.header("idempotency-key", key).json(body)).await
    }

    /// Posts a change to something that was read in this version.
    pub async fn post_at(&self, version: i64, path: &str, body: &Value) -> Reply {
        let request = self.request("POST", path).await.header("idempotency-key", fresh_key());
        self.send(request.header("if-match", format!("\"{version}\"")).json(body)).await
    }

    /// Registers a member of staff with this role; gives its id.
    pub async fn hire(&self, role: &str) -> String {
        self.hire_named(role, "港 はるか").await
    }

    pub async fn hire_named(&self, role: &str, name: &str) -> String {
        self.post("/v1/staff", &json!({ "role": role, "name": name })).await.at("/id")
    }

    pub async fn record_consent(&self, paper: &Value) -> Reply {
        self.post("/v1/consents", paper).await
    }

    pub async fn consent(&self, consent: &str) -> Reply {
        self.get(&format!("/v1/consents/{consent}")).await
    }

    /// Withdraws a consent in its present version.
    pub async fn withdraw(&self, consent: &str, by: &str) -> Reply {
        let version = self.consent(consent).await.value()["version"].as_i64().unwrap();
        let body = json!({ "by": by, "method": "oral" });
        self.post_at(version, &format!("/v1/consents/{consent}/withdraw"), &body).await
    }

    pub async fn submit(&self, paper: &Value) -> Reply {
        self.post("/v1/referrals", paper).await
    }

    /// Asks what a change would do.
    pub async fn rehearse(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("POST", path).await.header("prefer", "dry-run").json(body)).await
    }

    /// Asks what a change to something that was read in this version would do.
    pub async fn rehearse_at(&self, version: i64, path: &str, body: &Value) -> Reply {
        let request = self.request("POST", path).await.header("prefer", "dry-run");
        self.send(request.header("if-match", format!("\"{version}\"")).json(body)).await
    }

    pub async fn preview(&self, paper: &Value) -> Reply {
        self.rehearse("/v1/referrals", paper).await
    }

    pub async fn submit_under(&self, key: &str, paper: &Value) -> Reply {
        self.post_under(key, "/v1/referrals", paper).await
    }

    pub async fn referral(&self, referral: &str) -> Reply {
        self.get(&format!("/v1/referrals/{referral}")).await
    }

    /// What waits in the inbox, or stands there in another state.
    pub async fn inbox(&self, state: &str) -> Vec<Value> {
        items(self.get(&format!("/v1/inbox?limit=200&state={state}")).await)
    }

    /// Opens a delivery in the name of a member of staff.
    pub async fn open(&self, delivery: &str, staff: &str) -> Reply {
        self.asking_for(staff).get(&format!("/v1/deliveries/{delivery}")).await
    }

    /// Acknowledges a delivery by the hash of its R0 receipt, which is read first.
    pub async fn ack(&self, delivery: &str) -> Reply {
        let first = self.receipt(delivery, "R0").await.at("/jws");
        let body = json!({ "receipt_hash": sha256(first.as_bytes()).to_string() });
        self.post(&format!("/v1/deliveries/{delivery}/ack"), &body).await
    }

    /// Acts on a leg in its present version.
    pub async fn act(&self, leg: &str, action: &str, body: &Value) -> Reply {
        // Who gave a notice sees it, and nobody for whom nobody asks.
        let version = match body["by"].as_str().filter(|_| !self.writers.lock().unwrap().is_empty()) {
            Some(by) => self.asking_for(by).leg(leg).await["version"].as_i64().unwrap(),
            None => self.leg(leg).await["version"].as_i64().unwrap(),
        };
        self.act_at(version, leg, action, body).await
    }

    /// Acts on a leg that was read in this version.
    pub async fn act_at(&self, version: i64, leg: &str, action: &str, body: &Value) -> Reply {
        self.post_at(version, &format!("/v1/legs/{leg}/actions/{action}"), body).await
    }

    pub async fn leg(&self, leg: &str) -> Value {
        self.get(&format!("/v1/legs/{leg}")).await.value()
    }

    /// The codes of what a member of staff can do with a leg now.
    pub async fn available(&self, leg: &str, staff: &str) -> Vec<String> {
        let found = items(self.asking_for(staff).get(&format!("/v1/legs/{leg}/available-actions")).await);
        found.iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect()
    }

    /// Receipts, signed events and the manifest of a leg.
    pub async fn evidence(&self, leg: &str) -> Value {
        self.get(&format!("/v1/legs/{leg}/receipts")).await.value()
    }

    pub async fn receipt(&self, subject: &str, level: &str) -> Reply {
        self.get(&format!("/v1/receipts/{subject}/{level}")).await
    }

    /// The levels of a leg's receipts, after every statement was verified by the hub's public keys alone.
    pub async fn ladder(&self, leg: &str) -> Vec<String> {
        let evidence = self.evidence(leg).await;
        let receipts = evidence["receipts"].as_array().unwrap();
        let mut statements: Vec<&str> = receipts.iter().map(|one| one["jws"].as_str().unwrap()).collect();
        statements.extend(evidence["events"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()));
        statements.extend(evidence["sender_copy"].as_str());
        let jwks = Jwks::parse(&self.get("/.well-known/jwks.json").await.value()).unwrap();
        let report = verify::verify(&jwks, &statements, &[evidence["manifest"].as_str().unwrap()]);
        assert!(report.is_sound(), "{report:?}");
        receipts.iter().map(|one| one["level"].as_str().unwrap().to_owned()).collect()
    }
}

#[track_caller]
fn items(reply: Reply) -> Vec<Value> {
    reply.value()["items"].as_array().unwrap().clone()
}

//! Makes sound and unsound receipts with fixed keys, by its own means: nothing of the hub is used.

mod bundles;
mod scalar;
mod statements;

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

use crate::Vector;

const LEG: &str = "0190e0c4-0000-7000-8000-00000000000a";
const LEG_2: &str = "0190e0c4-0000-7000-8000-00000000000b";
const SENDER: &str = "0190e0c4-0000-7000-8000-000000000001";
const RECIPIENT: &str = "0190e0c4-0000-7000-8000-000000000002";
const HUB: &str = "0190e0c4-0000-7000-8000-000000000003";
const RECEIPT: &str = "tsunagu-receipt+jwt";
const EVENT: &str = "tsunagu-event+jwt";
const MANIFEST: &str = "tsunagu-manifest+jwt";

pub struct Key {
    pub seed: [u8; 32],
    pub pair: Ed25519KeyPair,
    pub kid: String,
}

impl Key {
    fn new(seed: u8) -> Self {
        let seed = [seed; 32];
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let kid = thumbprint(&B64.encode(pair.public_key()));
        Self { seed, pair, kid }
    }

    fn jwk(&self, tsunagu_use: &str) -> Value {
        let x = B64.encode(self.pair.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": "EdDSA",
            "tsunagu_use": tsunagu_use})
    }

    fn header(&self, typ: &str) -> String {
        format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{typ}"}}"#, self.kid)
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", B64.encode(header), B64.encode(payload));
        let signature = B64.encode(self.pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

fn thumbprint(x: &str) -> String {
    B64.encode(digest(&SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()))
}

fn sha256(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn receipt_key() -> Key {
    Key::new(1)
}

fn token_key() -> Key {
    Key::new(2)
}

fn jwks() -> Value {
    json!({"keys": [receipt_key().jwk("receipt"), token_key().jwk("token"),
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "of-another-kind"}]})
}

/// One statement before it is signed. `prev` is filled in unless the payload sets it itself.
#[derive(Clone)]
struct Draft {
    typ: &'static str,
    payload: Value,
}

fn step(leg: &str, level: Option<&str>, change: (Option<&str>, &str, u64), minute: u32) -> Draft {
    let (from, to, seq) = change;
    let mut payload = json!({"v": 1, "hub_id": HUB, "key_id": receipt_key().kid, "copy": "shared",
        "receipt_id": format!("0190e0c4-0000-7000-8000-0000000001{minute:02}"), "leg": leg,
        "sender": SENDER, "recipient": RECIPIENT, "sections": ["identity", "needs"],
        "manifest": sha256(&manifest(leg)), "content": "c0".repeat(32),
        "basis": {"code": "CONSENT", "ref": "consent:1@v1", "rule_version": "2026-04-01"},
        "state": {"to": to, "seq": seq}, "link": sha256(&format!("link {seq}")),
        "at": format!("2026-11-22T10:{minute:02}:00+09:00"),
        "by": {"agency": RECIPIENT, "attested": "agency-asserted"}});
    if let Some(from) = from {
        payload["state"]["from"] = json!(from);
    }
    if let Some(level) = level {
        payload["level"] = json!(level);
        if matches!(level, "R0" | "R1" | "R2" | "R3") {
            payload["delivery"] = json!("7d444840-9dc0-41d1-b245-5ffdce74fad2");
        }
    }
    Draft { typ: if level.is_some() { RECEIPT } else { EVENT }, payload }
}

/// A leg from its acceptance by the hub to its completion.
fn story(leg: &str) -> Vec<Draft> {
    let mut answered = step(leg, Some("R4"), (Some("received"), "accepted", 3), 4);
    answered.payload["answer"] = json!({"action": "accept"});
    vec![
        step(leg, Some("R0"), (None, "requested", 1), 0),
        step(leg, Some("R1"), (Some("requested"), "requested", 1), 1),
        step(leg, Some("R2"), (Some("requested"), "received", 2), 2),
        step(leg, Some("R3"), (Some("received"), "received", 2), 3),
        answered,
        step(leg, None, (Some("accepted"), "in_progress", 4), 5),
        step(leg, Some("closed"), (Some("in_progress"), "completed", 5), 6),
    ]
}

fn first(count: usize) -> Vec<Draft> {
    story(LEG).into_iter().take(count).collect()
}

fn jcs(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap()
}

fn sign(drafts: &[Draft]) -> Vec<String> {
    let key = receipt_key();
    let mut texts: Vec<String> = Vec::new();
    for draft in drafts {
        let mut payload = draft.payload.clone();
        match (payload.get("prev"), texts.last()) {
            (None, Some(last)) => payload["prev"] = json!(sha256(last)),
            (Some(Value::Null), _) => drop(payload.as_object_mut().unwrap().remove("prev")),
            _ => {}
        }
        texts.push(key.sign(&key.header(draft.typ), &jcs(&payload)));
    }
    texts
}

fn sender_copy(change: impl FnOnce(&mut Value)) -> String {
    let mut payload = story(LEG).remove(0).payload;
    payload["copy"] = json!("sender");
    payload["referral"] = json!("0190e0c4-0000-7000-8000-000000000004");
    payload["withheld"] = json!([{"section": "health", "why": "W_NOT_CONSENTED"},
        {"section": "needs", "subject": "child-1", "why": "W_NOT_NEEDED"}]);
    change(&mut payload);
    receipt_key().sign(&receipt_key().header(RECEIPT), &jcs(&payload))
}

fn manifest_with(leg: &str, change: impl FnOnce(&mut Value)) -> String {
    let field = |path: &str| json!({"path": path, "d": sha256(path)});
    let mut payload = json!({"v": 1, "leg": leg, "content_version": 1,
        "fields": [field("/identity/0/name/family"), field("/identity/0/sex"), field("/needs/0/text")]});
    change(&mut payload);
    receipt_key().sign(&receipt_key().header(MANIFEST), &jcs(&payload))
}

fn manifest(leg: &str) -> String {
    manifest_with(leg, |_| ())
}

fn vector(name: &str, receipts: Vec<String>, manifests: Vec<String>, faults: &[&str]) -> Vector {
    let faults = faults.iter().map(|code| (*code).to_owned()).collect();
    Vector { name: name.into(), jwks: jwks(), receipts, manifests, faults, legs: None }
}

pub fn vectors() -> Vec<Vector> {
    [
        bundles::sound(),
        statements::texts(),
        statements::headers(),
        statements::claims(),
        bundles::chains(),
        bundles::copies_and_manifests(),
        bundles::key_sets(),
    ]
    .concat()
}

//! What has to hold whenever something has happened in a town: every answer kept its contract, every receipt
//! verifies for both parties, every chain is whole, every leg ended at most once, and nobody is still to be told.

pub mod answers;
pub mod chains;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use sqlx::{AnyConnection, Connection as _, Row as _};
use tsunagu::{
    domain::{leg::LegState, receipt::ReceiptLevel},
    usecases::{schema::Schema, verify},
    vault::jws::Jwks,
};

use super::town::{Agency, Town};

/// Judges a town in which nothing is going on any more. `everybody` must be all who sent or were sent anything.
pub async fn holds(town: &Town, everybody: &[Agency]) {
    answers::kept_their_contract(&town.traffic.all());
    let legs = evidence(everybody).await;
    assert_eq!(legs.len() as i64, town.rows().await["leg"], "every leg has two of these parties: {legs:?}");
    chains::are_whole(&town.context(), &legs).await;
    let url = town.config.ledger.url.expose();
    everybody_is_told(url).await;
    no_transaction_is_open(url).await;
}

/// The two parties of a leg.
#[derive(Debug)]
pub struct Parties {
    pub sender: String,
    pub recipient: String,
}

/// Verifies everything that proves the legs of these agencies, as each of their parties gets it.
pub async fn evidence(everybody: &[Agency]) -> BTreeMap<String, Parties> {
    let (mut sent, mut got) = (BTreeMap::new(), BTreeMap::new());
    let Some(first) = everybody.first() else { return BTreeMap::new() };
    let jwks = Jwks::parse(&first.get("/.well-known/jwks.json").await.value()).unwrap();
    for agency in everybody {
        for (side, seen) in [("sender", &mut sent), ("recipient", &mut got)] {
            for (reader, notices) in readers(agency, side) {
                for (leg, state) in legs(&reader, side, notices).await {
                    let proof = proof(&reader, &leg, state, &jwks).await;
                    assert_eq!(proof["sender_copy"].is_string(), side == "sender", "{proof}");
                    let found = (agency.id.clone(), proof, notices);
                    assert!(seen.insert(leg, found).is_none(), "a leg has one {side}");
                }
            }
        }
    }
    let mut pairs = BTreeMap::new();
    for (leg, (sender, hers, notice)) in sent {
        let recipient = match got.remove(&leg) {
            Some((recipient, theirs, _)) => {
                for part in ["receipts", "events", "manifest"] {
                    let same =
                        if notice { begins(&theirs[part], &hers[part]) } else { hers[part] == theirs[part] };
                    assert!(same, "both parties of {leg} hold the same {part}");
                }
                recipient
            }
            None => never_seen(everybody, &sender, &leg, &hers).await,
        };
        pairs.insert(leg, Parties { sender, recipient });
    }
    assert!(got.is_empty(), "each leg has both its parties here: {got:?}");
    pairs
}

/// Who asks for an agency's legs: its system and, on the sender's side, everybody who wrote a notice, for the notices.
fn readers(agency: &Agency, side: &str) -> Vec<(Agency, bool)> {
    let asking = agency.readers().into_iter().enumerate().map(|(place, reader)| (reader, place > 0));
    asking.filter(|(_, notices)| side == "sender" || !notices).collect()
}

/// Whether the sender of a notice holds the first part of what its desk holds.
fn begins(whole: &Value, part: &Value) -> bool {
    match (whole.as_array(), part.as_array()) {
        (Some(whole), Some(part)) => whole.starts_with(part),
        _ => whole == part,
    }
}

/// A leg that its sender alone has: held back, or ended while it was. No R1 was written, and to its recipient it is
/// not there. Gives the recipient.
async fn never_seen(everybody: &[Agency], sender: &str, leg: &str, proof: &Value) -> String {
    let by_id = |id: &str| everybody.iter().find(|agency| agency.id == id).expect("it takes part");
    let view = by_id(sender).leg(leg).await;
    assert!(["held", "stopped"].contains(&view["delivery_state"].as_str().unwrap()), "{view}");
    let levels: Vec<&str> = texts(&proof["receipts"], |one| &one["level"]);
    assert!(!levels.contains(&"R1"), "{leg}: {levels:?}");
    let recipient = view["recipient"].as_str().unwrap().to_owned();
    assert_eq!(by_id(&recipient).get(&format!("/v1/legs/{leg}")).await.code(), 404);
    recipient
}

/// An agency's legs on one side, in whatever state. Each is in the list of exactly one state.
async fn legs(agency: &Agency, side: &str, notices: bool) -> BTreeMap<String, LegState> {
    let mut found = BTreeMap::new();
    for state in LegState::ALL {
        let mut path = format!("/v1/legs?side={side}&state={state}&limit=200");
        loop {
            let page = agency.get(&path).await.value();
            for leg in page["items"].as_array().unwrap() {
                assert_eq!(
                    (leg["state"].as_str(), &leg[side]),
                    (Some(state.code()), &agency.id.as_str().into())
                );
                let notice = side == "sender" && leg["type"] == "TSUKOKU";
                assert!(notices || !notice, "nobody asked for the notices: {leg}");
                if notice != notices {
                    continue;
                }
                let id = leg["id"].as_str().unwrap().to_owned();
                assert_eq!(found.insert(id, *state), None, "{leg}");
            }
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/legs?side={side}&state={state}&limit=200&before={next}");
        }
    }
    found
}

/// The evidence of a leg, verified by public keys alone. A leg that has ended has one receipt that ends it, and
/// every other leg has none.
async fn proof(agency: &Agency, leg: &str, state: LegState, jwks: &Jwks) -> Value {
    let evidence = agency.evidence(leg).await;
    let receipts: Vec<&str> = texts(&evidence["receipts"], |one| &one["jws"]);
    let events: Vec<&str> = texts(&evidence["events"], |one| one);
    let manifest = evidence["manifest"].as_str().unwrap();
    let own = evidence["sender_copy"].as_str();
    let statements: Vec<&str> = receipts.iter().chain(&events).copied().chain(own).collect();
    let report = verify::verify(jwks, &statements, &[manifest]);
    assert!(report.is_sound(), "{leg}: {report:?}");
    for text in receipts.iter().copied().chain(own) {
        assert_eq!(Schema::Receipt.check(&payload(text)), Ok(()), "{leg}: {}", payload(text));
    }
    assert_eq!(Schema::Manifest.check(&payload(manifest)), Ok(()), "{leg}");

    let [of_leg] = report.legs.as_slice() else { panic!("{leg}: {report:?}") };
    let ends = |level| matches!(level, Some(ReceiptLevel::R4 | ReceiptLevel::Closed));
    let over = |to: &str| to.parse::<LegState>().unwrap().terminal();
    let ending = of_leg.ladder.iter().filter(|rung| ends(rung.level) && over(&rung.to)).count();
    assert_eq!(ending, usize::from(state.terminal()), "{leg} is {state}: {:?}", of_leg.ladder);
    let last = of_leg.ladder.last().unwrap();
    assert_eq!(last.to, state.code(), "the last statement of {leg} says where it stands");
    evidence
}

fn texts<'a>(list: &'a Value, text: impl Fn(&'a Value) -> &'a Value) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| text(one).as_str().unwrap()).collect()
}

/// What a JWS says, unverified.
pub fn payload(jws: &str) -> Value {
    let part = jws.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Waits until no doorbell is due any more. Mail may lie there until its hour.
pub async fn everybody_is_told(url: &str) {
    everybody_is_told_within(Duration::from_secs(15), url).await;
}

/// The same after a kill: what its worker had in hand is taken up when the lease has lapsed.
pub async fn everybody_is_told_within(patience: Duration, url: &str) {
    const OPEN: &str =
        "SELECT COUNT(*) FROM job WHERE state IN ('ready', 'leased', 'dead') AND kind NOT LIKE 'mail%'";
    const LEFT: &str =
        "SELECT kind || ' ' || state || ' ' || COALESCE(reason, '') FROM job WHERE state <> 'done'";
    let told = async {
        while number(url, OPEN).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(patience, told).await.is_err() {
        let left: BTreeSet<String> = column(url, LEFT).await.into_iter().collect();
        panic!("jobs are left over: {left:?}");
    }
}

/// No session of this database holds a transaction open that nobody has worked in for a second.
pub async fn no_transaction_is_open(url: &str) {
    const IDLE: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND \
        state LIKE 'idle in transaction%' AND state_change < now() - INTERVAL '1 second'";
    if url.starts_with("postgres") {
        assert_eq!(number(url, IDLE).await, 0, "sessions are idle in transaction");
    }
}

/// One number of the ledger, read beside the hub.
pub async fn number(url: &str, sql: &'static str) -> i64 {
    let mut ledger = connect(url).await;
    let number = sqlx::query(sql).fetch_one(&mut ledger).await.unwrap().get(0);
    ledger.close().await.unwrap();
    number
}

/// One column of texts of the ledger, read beside the hub.
pub async fn column(url: &str, sql: &'static str) -> Vec<String> {
    let mut ledger = connect(url).await;
    let rows = sqlx::query(sql).fetch_all(&mut ledger).await.unwrap();
    ledger.close().await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

//! Keys are exchanged while the hub runs: a month's, and those that sign.

use std::{process::Command, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tsunagu::{
    clock::Clock,
    ledger::{
        Step, Write,
        keyring::{NewWrap, Place, Rewrap},
    },
    usecases::{
        Context,
        keyring::{Keyring, NotActivated, activate, nodes},
        rewrap::{self, Fate},
    },
    vault::{KeyMaking, KeyPurpose, Vault, VaultError, kek_month},
};

use crate::support::{
    cast::Cast,
    ending::payload,
    town::{Agency, Engine, Town},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The hub's tools in the hands of its operator, in another process: it makes keys and shares no memory with the hub.
pub fn operator(town: &Town) -> Context {
    let hub = town.context();
    let vault = Vault::open(&town.config.vault.folder, KeyMaking::Allowed).unwrap();
    let (ledger, settings) = (hub.ledger.clone(), hub.settings.clone());
    Context { ledger, vault, clock: town.clock.clone(), settings, work: Arc::clone(&hub.work) }
}

/// Moves everything there is to move; gives how much that was.
pub async fn move_all(context: &Context) -> u64 {
    let (mut place, mut moved) = (Place::default(), 0);
    loop {
        let batch = rewrap::batch(context, &mut place).await.unwrap();
        assert_eq!(batch.stuck, 0);
        moved += batch.moved;
        if batch.is_last() {
            return moved;
        }
    }
}

pub async fn retire(context: &Context) -> Vec<Fate> {
    let mut fates = Vec::new();
    rewrap::retire(context, None, |_, _, fate| fates.push(fate.clone())).await.unwrap();
    fates
}

pub async fn wraps_move_while_the_hub_runs_and_old_keys_are_retired(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut sent = Vec::new();
    for _ in 0..30 {
        sent.push(cast.send_nursery(town).await);
    }
    let hub = town.context();
    let old = kek_month(town.clock.now());
    let all = town.rows().await["data_key"] as u64;
    let before = hub.ledger.old_wraps("999999", &Place::default(), 1000).await.unwrap();
    assert_eq!(before.len() as u64, all);
    let stale = before.iter().find(|row| row.agency.to_string() == nursery.id).unwrap().clone();

    town.advance(DAY * 40);
    let operator = operator(town);
    let mut keyring = Keyring::new(&hub);
    keyring.refresh(&hub).await.unwrap();
    let fates = retire(&operator).await;
    let needed = |fate: &Fate| matches!(fate, Fate::Needed(_));
    let in_use = |fate: &Fate| matches!(fate, Fate::InUse { .. });
    match town.vhost() {
        // An embedded hub makes this month's keys as it needs them.
        None => assert!(!fates.is_empty() && fates.iter().all(needed), "{fates:?}"),
        Some(_) => assert!(!fates.is_empty() && fates.iter().all(in_use), "{fates:?}"),
    }

    // Two move them at once, and meanwhile copies are opened.
    let other = self::operator(town);
    let (one, two, ()) = tokio::join!(move_all(&operator), move_all(&other), async {
        for (_, delivery) in &sent {
            nursery.open(delivery, clerk).await.good();
        }
    });
    let new = kek_month(town.clock.now());
    let left = hub.ledger.old_wraps(&new, &Place::default(), 1000).await.unwrap();
    assert!(left.is_empty(), "{} are left", left.len());
    assert_eq!(one + two, all, "each is moved once");
    assert_eq!(move_all(&operator).await, 0, "there is nothing more to do");

    // A wrap that was destroyed meanwhile does not come back, and one that was moved is not moved twice.
    let mut gone = stale.clone();
    gone.id = town.clock.new_id();
    let step = |from: &tsunagu::ledger::content::DataKeyRow| {
        Step::Rewrap(Rewrap(vec![NewWrap { from: from.clone(), kek: new.clone(), wrapped: vec![1] }]))
    };
    for from in [&gone, &stale] {
        let write = Write { steps: vec![step(from)], ..Write::default() };
        assert_eq!(hub.ledger.write(write).await.unwrap().rewrapped, 0);
    }
    assert_eq!(town.rows().await["data_key"] as u64, all);

    // The hub says that it has the new keys; a while later nothing holds the old ones any more.
    keyring.refresh(&hub).await.unwrap();
    town.advance(Duration::from_secs(11 * 60));
    keyring.refresh(&hub).await.unwrap();
    let opens = |context: &Context| context.vault.unwrap(stale.id, stale.agency, &stale.kek, &stale.wrapped);
    assert!(opens(&hub).is_ok(), "the old key is still in the hub's memory");
    let fates = retire(&operator).await;
    assert!(!fates.is_empty() && fates.iter().all(|fate| *fate == Fate::Retired), "{fates:?}");
    keyring.refresh(&hub).await.unwrap();
    for context in [&hub, &operator] {
        assert!(matches!(opens(context), Err(VaultError::NoKek { .. })), "{old} is gone");
    }
    assert!(retire(&operator).await.is_empty());
    nursery.open(&sent[0].1, clerk).await.good();
    site.act(&sent[1].0, "note", &json!({"by": writer, "note": "連絡"})).await.good();
    drop((operator, other));
    cast.everybody()
}

/// The key id in the header of a JWS.
fn kid(jws: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

pub async fn signing_keys_are_exchanged_while_the_hub_runs(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { nursery, clerk, .. } = &cast;
    let (hub, operator) = (town.context(), operator(town));
    let (leg, delivery) = cast.send_nursery(town).await;
    let first = hub.vault.receipt_kid();
    let token = nursery.token().await;
    let mut keyring = Keyring::new(&hub);
    keyring.refresh(&hub).await.unwrap();
    assert!(!nodes(&operator).await.unwrap().is_empty());

    let second = operator.vault.publish_key(KeyPurpose::Receipt).unwrap();
    let for_tokens = operator.vault.publish_key(KeyPurpose::Token).unwrap();
    let not_yet = activate(&operator, &second).await;
    assert!(matches!(not_yet, Err(NotActivated::Unconfirmed(ref nodes)) if !nodes.is_empty()), "{not_yet:?}");
    assert!(matches!(activate(&operator, "nobody's").await, Err(NotActivated::Unknown)));
    // The hub's own process, and the one this test plays.
    for node in nodes(&operator).await.unwrap() {
        assert!(!node.kids.contains(&second));
    }
    town.advance(Duration::from_secs(16 * 60));
    keyring.refresh(&hub).await.unwrap();
    assert!(town.jwks().await.to_string().contains(&second), "published");
    assert_eq!(hub.vault.receipt_kid(), first, "and not used");
    let token_again = nursery.token().await;
    activate(&operator, &second).await.unwrap();
    activate(&operator, &for_tokens).await.unwrap();
    keyring.refresh(&hub).await.unwrap();
    assert_eq!(hub.vault.receipt_kid(), second);

    // A token the old key signed counts until it expires; one leg has statements under both keys, and all verify.
    let caller = hub.vault.verify_token(&token_again, town.clock.now()).unwrap();
    assert_eq!(caller.agency.to_string(), nursery.id);
    assert!(hub.vault.verify_token(&token, town.clock.now()).is_err(), "that one has expired");
    nursery.open(&delivery, clerk).await.good();
    nursery.act(&leg, "accept", &json!({"by": clerk})).await.good();
    assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "R2", "R3", "R4"]);
    let evidence = nursery.evidence(&leg).await;
    let receipts = evidence["receipts"].as_array().unwrap();
    let kids: Vec<_> = receipts.iter().map(|one| kid(one["jws"].as_str().unwrap())).collect();
    assert_eq!((&kids[0], &kids[4]), (&first, &second), "{kids:?}");
    assert_eq!(payload(receipts[4]["jws"].as_str().unwrap())["key_id"], json!(second));
    let fresh = hub.vault.issue_token(caller.agency, town.clock.new_id(), town.clock.now(), 60);
    assert_eq!(kid(&fresh), for_tokens);
    drop(operator);
    cast.everybody()
}

/// The commands an operator types, beside a hub that runs. Their clock is the machine's, seventy days after the hub's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_exchanges_keys_beside_a_running_hub() {
    let past = Clock::fixed(Clock::System.now() - DAY * 70);
    let mut town = Town::with(Engine::Embedded, past, |_| {}).await.unwrap();
    let cast = Cast::of(&town).await;
    let (leg, delivery) = cast.send_nursery(&town).await;
    let data = town.data();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tsunagu"));
        command.env("LC_ALL", "C.UTF-8").arg("--data").arg(&data).arg("keys").args(arguments);
        let done = command.output().unwrap();
        let text = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(text).unwrap())
    };
    let wraps = town.rows().await["data_key"];
    let (code, said) = run(&["retire"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("data keys still need it; run tsunagu keys rewrap first"), "{said}");
    let (code, said) = run(&["rewrap", "--retire"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("moved={wraps} stuck=0")) && said.contains("kept=0"), "{said}");
    let (code, said) = run(&["publish", "receipt"]);
    let kid = said.lines().next().unwrap().to_owned();
    assert_eq!((code, kid.len()), (Some(0), 43), "{said}");
    assert_eq!(run(&["activate", "nobody"]).0, Some(2));
    let (code, said) = run(&["activate", &kid]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(run(&["nodes"]).1.trim(), "no node is running", "the hub's last word is seventy days old");

    // The hub takes all of it up.
    let hub = town.context();
    Keyring::new(&hub).refresh(&hub).await.unwrap();
    assert_eq!(hub.vault.receipt_kid(), kid);
    drop(hub);
    cast.nursery.open(&delivery, &cast.clerk).await.good();
    assert_eq!(cast.nursery.ladder(&leg).await, ["R0", "R1", "R2", "R3"]);
    town.stop().await;
}

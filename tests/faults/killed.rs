//! SIGKILL, twenty times, while everybody is at work.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::block_in_place;
use tsunagu::{clock::Clock, hub::Tools};

use crate::{
    dice::Dice,
    load::Load,
    process::{Process, address},
    support::{
        ending,
        town::{Engine, Town},
    },
};

const KILLS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_embedded_hub_killed_under_load_keeps_what_it_accepted() {
    killed_under_load(Engine::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_clustered_hub_killed_under_load_keeps_what_it_accepted() {
    killed_under_load(Engine::Clustered).await;
}

async fn killed_under_load(engine: Engine) {
    let mut dice = Dice::thrown();
    let listen = address(&mut dice);
    let town = Town::with(engine, Clock::System, |config| {
        config.server.listen = listen;
        config.rules.sweep_seconds = 2;
    });
    let Some(mut town) = town.await else { return };
    let load = Load::new(&town, &dice).await;
    if engine == Engine::Clustered {
        let wish = serde_json::json!({"mode": "doorbell"});
        load.cast.nursery.put("/v1/subscriptions/amqp", &wish).await.good();
    }
    // From here on the hub is a process of its own, on the same ledger and under the same address.
    town.stop().await;
    let log = town.folder().join("hub.log");
    let start = || block_in_place(|| Process::start(&town.config, &log));
    let mut hub = start();
    let running = load.begin(120);
    let mut slowest = Duration::ZERO;
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(dice.between(100, 800))).await;
        block_in_place(|| hub.kill());
        load.hub_died();
        let began = Instant::now();
        hub = start();
        slowest = slowest.max(began.elapsed());
    }
    load.end(running).await;
    let (begun, answered, cut) = load.counts();
    println!("{begun} begun, {answered} answered, {cut} cut off; slowest start {slowest:?}");
    assert!(cut >= KILLS, "each kill met somebody at work");

    load.settles().await;
    let url = town.config.ledger.url.expose();
    ending::everybody_is_told_within(Duration::from_secs(45), url).await;
    ending::no_transaction_is_open(url).await;
    let said = hub.said();
    assert!(!said.contains("panicked"), "{said}");
    let load = Arc::into_inner(load).expect("everybody has gone home");
    let legs = ending::evidence(&load.cast.everybody()).await;
    let tools = Tools::open(&town.config, Clock::System).await.unwrap();
    ending::chains::are_whole(tools.context(), &legs).await;
    tools.close().await;
    assert_eq!(town.rows().await["leg"], legs.len() as i64);
    ending::answers::kept_their_contract(&town.traffic.all());
    drop(hub);
}

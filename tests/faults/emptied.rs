//! The broker is ended and everything it ever stored is deleted, while everybody is at work.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use lapin::{Connection, ConnectionProperties};
use serde_json::{Value, json};
use tokio::{task::block_in_place, time::sleep};
use tsunagu::{clock::Clock, config::Secret};

use crate::{
    dice::Dice,
    load::{Load, every},
    support::{
        broker::OwnBroker,
        ending,
        town::{Engine, Town},
    },
};

/// How often this hub looks for doorbells that were lost.
const SWEEP: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_clustered_hub_whose_broker_lost_everything_rings_again() {
    let Some(broker) = OwnBroker::start() else { return };
    let dice = Dice::thrown();
    let town = Town::with(Engine::Clustered, Clock::System, |config| {
        config.amqp.url = Secret::new(broker.url.clone());
        config.rules.sweep_seconds = SWEEP.as_secs();
    });
    let Some(mut town) = town.await else { return };
    let load = Load::new(&town, &dice).await;
    let wish = json!({"mode": "doorbell"});
    let queue = load.cast.nursery.put("/v1/subscriptions/amqp", &wish).await.at("/queue");
    until_linked(&town).await;

    let running = load.begin(300);
    sleep(Duration::from_secs(2)).await;
    let (before, answered_before, _) = load.counts();
    block_in_place(|| broker.wipe());
    sleep(Duration::from_secs(3)).await;
    let (during, answered_during, _) = load.counts();
    assert!(
        during > before + 5 && answered_during > answered_before + 5,
        "the hub goes on without its broker"
    );
    let health = reqwest::get(town.url("/readyz")).await.unwrap();
    assert_eq!(health.status(), 200);
    assert_eq!(health.json::<Value>().await.unwrap()["status"], "degraded");
    block_in_place(|| broker.restart());
    load.end(running).await;
    let (begun, answered, cut) = load.counts();
    assert_eq!((answered, cut), (begun, 0), "every submission was accepted at once");

    until_linked(&town).await;
    let linked = Instant::now();
    let waiting = every(&load.cast.nursery, "/v1/inbox?limit=200", "after").await;
    let waiting: BTreeSet<String> =
        waiting.iter().map(|one| one["delivery"].as_str().unwrap().to_owned()).collect();
    assert!(waiting.len() > 5, "{}", waiting.len());
    let rung = async {
        let connection = Connection::connect(&broker.url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let mut missing = waiting.clone();
        let consumer =
            channel.basic_consume(queue.as_str().into(), "".into(), Default::default(), Default::default());
        let mut bells = consumer.await.unwrap();
        while !missing.is_empty() {
            let bell = bells.next().await.unwrap().unwrap();
            let headers = bell.properties.headers().as_ref().unwrap();
            let subject = headers.inner().get("cloudEvents_subject").and_then(|text| text.as_long_string());
            missing.remove(&subject.unwrap().to_string());
            bell.ack(Default::default()).await.unwrap();
        }
    };
    tokio::time::timeout(2 * SWEEP, rung).await.expect("all that waits is rung for within two sweeps");
    println!("{} waiting, all rung for {:?} after the link was there", waiting.len(), linked.elapsed());

    load.settles().await;
    ending::everybody_is_told(town.config.ledger.url.expose()).await;
    let load = Arc::into_inner(load).expect("everybody has gone home");
    ending::holds(&town, &load.cast.everybody()).await;
    town.stop().await;
}

async fn until_linked(town: &Town) {
    for _ in 0..400 {
        let health = reqwest::get(town.url("/readyz")).await.unwrap().json::<Value>().await.unwrap();
        if health["status"] == "ok" {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the hub does not find its broker");
}

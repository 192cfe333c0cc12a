//! Deliveries told as stories, over HTTP and on both engines: fetched, acknowledged, answered, cancelled, raced for.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

#[path = "mail_smtp/sent.rs"]
mod sent;
mod support;
#[path = "delivery/told.rs"]
mod told;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use support::{
    cast::Cast,
    ending::{self, payload},
    stories::stories,
    town::{Agency, Reply, Town},
};
use tsunagu::vault::sha256;

stories! {
    a_cancellation_before_the_copy_is_read_is_final,
    a_cancellation_after_that_is_a_request,
    a_question_is_answered_and_a_pause_ends_where_it_began,
    fifty_acknowledgements_get_one_receipt,
    every_opening_is_on_record_and_the_first_makes_the_receipts,
    two_acceptances_race,
    an_acceptance_races_a_cancellation,
    an_opening_races_a_cancellation,
    an_opening_races_an_acknowledgement,
    a_hub_whose_clock_is_ahead_rings_at_once,
    a_restart_right_after_a_withdrawal_leaves_nothing_in_hand,
}

/// How many pairs race in each race.
const PAIRS: usize = 20;

/// What is due is asked of the clock that said when it would be: a month ahead of the database's costs no month.
async fn a_hub_whose_clock_is_ahead_rings_at_once(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    town.advance(Duration::from_secs(30 * 24 * 3600));
    let (_, delivery) = cast.send_nursery(town).await;
    ending::everybody_is_told(town.config.ledger.url.expose()).await;
    cast.nursery.open(&delivery, &cast.clerk).await.good();
    cast.everybody()
}

/// A hub that ends well gives back what it had in hand: the next one need not wait for a lease to lapse.
async fn a_restart_right_after_a_withdrawal_leaves_nothing_in_hand(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    for _ in 0..3 {
        let sent = cast.send(town, &[&cast.nursery, &cast.family]).await;
        cast.nursery.open(&sent.legs[0].1, &cast.clerk).await.good();
        cast.site.withdraw(&sent.consent, &cast.writer).await.good();
        town.restart().await;
        ending::everybody_is_told(town.config.ledger.url.expose()).await;
    }
    cast.everybody()
}

async fn a_cancellation_before_the_copy_is_read_is_final(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (leg, delivery) = cast.send_nursery(town).await;
    let gone = site.act(&leg, "cancel", &json!({"by": writer})).await.value();
    assert_eq!((gone["state"].as_str(), gone["level"].as_str()), (Some("cancelled"), Some("closed")));
    assert!(nursery.inbox("waiting").await.is_empty());
    let refused = nursery.open(&delivery, clerk).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (403, &json!("RECALLED")));
    let ack = nursery.ack(&delivery).await;
    assert_eq!((ack.code(), &ack.json()["code"]), (403, &json!("RECALLED")));
    assert_eq!(nursery.act(&leg, "accept", &json!({"by": clerk})).await.code(), 409);
    assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "closed"]);
    cast.everybody()
}

async fn a_cancellation_after_that_is_a_request(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut legs = Vec::new();
    for _ in 0..2 {
        let (leg, delivery) = cast.send_nursery(town).await;
        nursery.open(&delivery, clerk).await.good();
        nursery.act(&leg, "accept", &json!({"by": clerk})).await.good();
        let asked = site.act(&leg, "cancel", &json!({"by": writer, "note": "転居のため"})).await.value();
        let is = (asked["state"].as_str(), asked["level"].as_str());
        assert_eq!(is, (Some("cancel_requested"), Some("event")));
        legs.push((leg, delivery));
    }
    let [(confirmed, copy), (completed, _)] = legs.as_slice() else { panic!("two legs") };
    let gone = nursery.act(confirmed, "confirm_cancel", &json!({"by": clerk})).await.value();
    assert_eq!((gone["state"].as_str(), gone["level"].as_str()), (Some("cancelled"), Some("closed")));
    assert_eq!(nursery.open(copy, clerk).await.code(), 403, "the copy was taken back");
    // The result may win the race against the cancellation.
    let done = json!({"by": clerk, "outcome": "USE_STARTED"});
    nursery.act(completed, "complete", &done).await.good();
    assert_eq!(site.leg(completed).await["state"], "completed");
    assert_eq!(site.ladder(confirmed).await, ["R0", "R1", "R2", "R3", "R4", "closed"]);
    cast.everybody()
}

async fn a_question_is_answered_and_a_pause_ends_where_it_began(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (leg, delivery) = cast.send_nursery(town).await;
    nursery.open(&delivery, clerk).await.good();
    let asked =
        nursery.act(&leg, "ask", &json!({"by": clerk, "question": "食物アレルギーはありますか"})).await;
    assert_eq!((asked.at("/state").as_str(), asked.at("/level").as_str()), ("info_requested", "R4"));
    let seen = site.leg(&leg).await;
    assert_eq!(seen["answer"]["question"], "食物アレルギーはありますか");
    let bare = site.act(&leg, "reply", &json!({"by": writer})).await;
    assert_eq!((bare.code(), &bare.json()["errors"][0]["pointer"]), (422, &json!("/answer")));
    site.act(&leg, "reply", &json!({"by": writer, "answer": "ありません"})).await.good();
    let told = nursery.leg(&leg).await;
    assert_eq!(told["events"].as_array().unwrap().last().unwrap()["answer"], "ありません");

    nursery.act(&leg, "accept", &json!({"by": clerk})).await.good();
    let on = town.time(3 * 24 * 60);
    nursery.act(&leg, "schedule", &json!({"by": clerk, "appointment_at": on})).await.good();
    let pause = json!({"by": clerk, "reason": "ILLNESS", "review_on": town.day(14)});
    assert_eq!(nursery.act(&leg, "hold", &pause).await.at("/state"), "on_hold");
    let unknown = json!({"by": clerk, "reason": "BORED", "review_on": town.day(14)});
    assert_eq!(nursery.act(&leg, "resume", &json!({"by": clerk})).await.at("/state"), "scheduled");
    let refused = nursery.act(&leg, "hold", &unknown).await;
    assert_eq!((refused.code(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/reason")));
    nursery.act(&leg, "start", &json!({"by": clerk})).await.good();
    nursery.act(&leg, "hold", &pause).await.good();
    assert_eq!(nursery.act(&leg, "resume", &json!({"by": clerk})).await.at("/state"), "in_progress");
    let end = json!({"by": clerk, "reason": "MOVED_AWAY"});
    assert_eq!(nursery.act(&leg, "discontinue", &end).await.at("/level"), "closed");
    assert_eq!(site.ladder(&leg).await, ["R0", "R1", "R2", "R3", "R4", "closed"]);
    assert!(!site.leg(&leg).await["events"].to_string().contains("BORED"));
    cast.everybody()
}

async fn fifty_acknowledgements_get_one_receipt(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, family, clerk, .. } = &cast;
    let (leg, delivery) = cast.send_nursery(town).await;
    let wrong = json!({"receipt_hash": "00".repeat(32)});
    let refused = nursery.post(&format!("/v1/deliveries/{delivery}/ack"), &wrong).await;
    assert_eq!((refused.code(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/receipt_hash")));
    let r0 = nursery.receipt(&delivery, "R0").await.at("/jws");
    let right = json!({"receipt_hash": sha256(r0.as_bytes()).to_string()});
    for stranger in [family, site] {
        let foreign = stranger.post(&format!("/v1/deliveries/{delivery}/ack"), &right).await;
        assert_eq!((foreign.code(), foreign.problem()), (404, "not-found".to_owned()));
    }
    let answers = join_all((0..50).map(|_| nursery.ack(&delivery))).await;
    let first = answers[0].clone().good();
    assert!(answers.iter().all(|answer| answer.code() == 200 && answer.body == first.body));
    assert_eq!(site.leg(&leg).await["state"], "received");
    let said = payload(&first.at("/receipt"));
    assert_eq!((&said["level"], &said["by"]["attested"]), (&json!("R2"), &json!("agency-asserted")));
    // Opened, answered, ended: the receipt of the taking stays what it is.
    nursery.open(&delivery, clerk).await.good();
    let no = json!({"by": clerk, "reason": "AGE", "declined_by": "provider"});
    nursery.act(&leg, "decline", &no).await.good();
    assert_eq!(nursery.ack(&delivery).await.good().body, first.body);
    assert_eq!(site.ladder(&leg).await, ["R0", "R1", "R2", "R3", "R4"]);
    cast.everybody()
}

async fn every_opening_is_on_record_and_the_first_makes_the_receipts(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, family, clerk, carer, .. } = &cast;
    let (leg, delivery) = cast.send_nursery(town).await;
    let before = town.rows().await;
    for (who, staff, code) in [(nursery, carer, 403), (family, carer, 404), (site, carer, 404)] {
        assert_eq!(who.open(&delivery, staff).await.code(), code);
    }
    let nobody = nursery.get(&format!("/v1/deliveries/{delivery}")).await;
    assert_eq!((nobody.code(), nobody.problem()), (403, "forbidden".to_owned()));
    assert_eq!(town.rows().await["receipt"], before["receipt"]);

    let answers = join_all((0..12).map(|_| nursery.open(&delivery, clerk))).await;
    for answer in &answers {
        let shown = answer.clone().value();
        assert_eq!(shown["document"], answers[0].json()["document"]);
        assert_eq!(shown["receipts"], answers[0].json()["receipts"]);
    }
    let after = town.rows().await;
    assert_eq!(after["receipt"], before["receipt"] + 2, "R2 and R3, once");
    assert_eq!(after["audit"], before["audit"] + 12, "each opening is on record");
    assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "R2", "R3"]);
    let r3 = payload(&site.receipt(&delivery, "R3").await.at("/jws"));
    assert_eq!((&r3["by"]["staff"], &r3["by"]["attested"]), (&json!(clerk), &json!("agency-asserted")));
    cast.everybody()
}

async fn two_acceptances_race(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { nursery, clerk, .. } = &cast;
    for pair in 0..PAIRS {
        let (leg, delivery) = cast.send_nursery(town).await;
        nursery.open(&delivery, clerk).await.good();
        let yes = json!({"by": clerk});
        let (one, other) = tokio::join!(
            nursery.act_at(2, &leg, "accept", &yes),
            pause(pair, nursery.act_at(2, &leg, "accept", &yes))
        );
        one_wins(pair, &one, &other);
        assert_eq!(nursery.leg(&leg).await["version"], 3);
        assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "R2", "R3", "R4"]);
    }
    cast.everybody()
}

async fn an_acceptance_races_a_cancellation(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut accepted = 0;
    for pair in 0..PAIRS {
        let (leg, delivery) = cast.send_nursery(town).await;
        nursery.open(&delivery, clerk).await.good();
        let (yes, no) = (json!({"by": clerk}), json!({"by": writer}));
        let (accept, cancel) = tokio::join!(
            nursery.act_at(2, &leg, "accept", &yes),
            pause(pair, site.act_at(2, &leg, "cancel", &no))
        );
        one_wins(pair, &accept, &cancel);
        let state = if accept.code() == 200 { "accepted" } else { "cancel_requested" };
        assert_eq!(site.leg(&leg).await["state"], state);
        accepted += usize::from(accept.code() == 200);
    }
    println!("of {PAIRS} acceptances {accepted} were faster than the cancellation");
    cast.everybody()
}

/// Either the copy was read, and the cancellation has to look again, or it is gone and nobody reads it.
async fn an_opening_races_a_cancellation(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut opened = 0;
    for pair in 0..PAIRS {
        let (leg, delivery) = cast.send_nursery(town).await;
        let no = json!({"by": writer});
        let (open, cancel) =
            tokio::join!(nursery.open(&delivery, clerk), pause(pair, site.act_at(1, &leg, "cancel", &no)));
        match (open.code(), cancel.code()) {
            (200, 412) => assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "R2", "R3"], "pair {pair}"),
            (403, 200) => assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "closed"], "pair {pair}"),
            other => panic!("pair {pair}: {other:?} {} {}", open.text(), cancel.text()),
        }
        opened += usize::from(open.code() == 200);
    }
    println!("of {PAIRS} openings {opened} were faster than the cancellation");
    cast.everybody()
}

/// Both want to write R2. One does, and both are answered with what it wrote.
async fn an_opening_races_an_acknowledgement(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { nursery, clerk, .. } = &cast;
    for pair in 0..PAIRS {
        let (leg, delivery) = cast.send_nursery(town).await;
        let (open, ack) = tokio::join!(nursery.open(&delivery, clerk), pause(pair, nursery.ack(&delivery)));
        let (open, ack) = (open.value(), ack.at("/receipt"));
        assert!(open["receipts"].as_array().unwrap().contains(&json!(ack)), "pair {pair}");
        assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "R2", "R3"], "pair {pair}");
    }
    cast.everybody()
}

/// Of two changes to one version, one was made, and the other is told so.
#[track_caller]
fn one_wins(pair: usize, one: &Reply, other: &Reply) {
    let mut codes = [one.code(), other.code()];
    codes.sort_unstable();
    let lost = if one.code() == 200 { other } else { one }.problem();
    // By its version, or, read after the winner had written, by the state.
    let told =
        matches!((codes, lost.as_str()), ([200, 412], "version-stale") | ([200, 409], "illegal-transition"));
    assert!(told, "pair {pair}: {codes:?} {} {}", one.text(), other.text());
}

/// Gives the other of two that race a head start, a little longer each time.
async fn pause<T>(pair: usize, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_micros(pair as u64 * 400)).await;
    then.await
}

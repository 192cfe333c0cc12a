//! A sending that is not urgent is held back for a few minutes: its recipient sees nothing of it, its sender can undo
//! it, and of an undo and a release exactly one is true.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::future::join;
use serde_json::{Value, json};
use tsunagu::{clock::Clock, domain::agency::AgencyKind, usecases::release};

mod support;

use support::{
    cast::{Cast, Sent},
    ending,
    stories::stories,
    town::{Agency, Town},
};

stories!(
    a_recipient_sees_nothing_before_the_release_and_everything_after,
    an_undone_sending_was_never_visible,
    what_is_urgent_or_a_notice_or_about_nobody_goes_at_once,
    a_held_leg_that_ends_otherwise_was_never_visible_either,
    what_the_sender_does_meanwhile_rings_for_nobody,
    the_answer_to_a_submission_stays_the_same_after_the_release,
    an_undo_races_a_release_and_an_opening,
);

/// What the hub has by default.
const SECONDS: u64 = 300;

/// A town that holds back, and its people.
async fn slow(town: &mut Town) -> Cast {
    town.config.rules.release_seconds = SECONDS as u32;
    // A clustered hub's doorbells are due by the database's clock, which no test moves: the town begins in its past.
    if let Clock::Fixed(at) = &town.clock {
        at.fetch_sub(jiff::SignedDuration::from_hours(4).as_micros() as i64, Ordering::SeqCst);
    }
    town.restart().await;
    Cast::of(town).await
}

/// Waits until the hub has released what is due.
async fn released(agency: &Agency, delivery: &str) {
    let comes = async {
        while !agency.inbox("waiting").await.iter().any(|one| one["delivery"] == delivery) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), comes).await.expect("it is released");
}

/// Every way by which a recipient could learn of a leg says that there is none.
async fn sees_nothing(agency: &Agency, staff: &str, leg: &str, delivery: &str) {
    for state in ["held", "waiting", "taken", "opened", "recalled", "stopped", "undeliverable"] {
        assert!(agency.inbox(state).await.iter().all(|one| one["delivery"] != delivery), "{state}");
    }
    for state in ["requested", "cancelled", "withdrawn", "entered_in_error"] {
        let list = agency.get(&format!("/v1/legs?side=recipient&state={state}")).await.value();
        assert!(list["items"].as_array().unwrap().iter().all(|one| one["id"] != leg), "{state}");
    }
    let missing = agency.get("/v1/legs/0192f000-0000-4000-8000-00000000dead").await;
    for path in [
        format!("/v1/legs/{leg}"),
        format!("/v1/legs/{leg}/available-actions"),
        format!("/v1/legs/{leg}/receipts"),
        format!("/v1/receipts/{delivery}/R0"),
        format!("/v1/receipts/{leg}/closed"),
    ] {
        let told = agency.get(&path).await;
        assert_eq!((told.code(), told.text()), (404, missing.text()), "{path}");
    }
    assert_eq!(agency.open(delivery, staff).await.text(), missing.text());
    let ack = json!({"receipt_hash": "0".repeat(64)});
    assert_eq!(agency.post(&format!("/v1/deliveries/{delivery}/ack"), &ack).await.code(), 404);
    for action in ["accept", "undo", "note"] {
        let body = json!({"by": staff, "note": "x"});
        assert_eq!(agency.act_at(1, leg, action, &body).await.text(), missing.text(), "{action}");
    }
}

async fn jobs(town: &Town, subject: &str) -> Vec<(String, String, Option<String>)> {
    let jobs = town.context().ledger.jobs_about(subject).await.unwrap();
    jobs.iter().map(|job| (job.kind.to_string(), job.agency.to_string(), job.reason.clone())).collect()
}

async fn a_recipient_sees_nothing_before_the_release_and_everything_after(town: &mut Town) -> Vec<Agency> {
    let cast = slow(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let consent = cast.consent(town, &[nursery]).await;
    let paper = town.introduction(writer, &consent, &[nursery]);
    let at = town.time(5);
    assert_eq!(site.preview(&paper).await.value()["legs"][0]["release_at"], json!(at));
    let answer = site.submit(&paper).await.value();
    assert_eq!(answer["legs"][0]["release_at"], json!(at));
    assert_eq!(
        answer["legs"][0]["receipts"].as_array().unwrap().len(),
        2,
        "R0 in both its copies, and no R1"
    );
    let sent = Sent::read(&answer);
    let (leg, delivery) = &sent.legs[0];
    sees_nothing(nursery, clerk, leg, delivery).await;
    assert!(jobs(town, delivery).await.is_empty(), "nobody is to be told yet");
    let seen = site.leg(leg).await;
    assert_eq!((&seen["delivery_state"], &seen["release_at"]), (&json!("held"), &json!(at)));
    assert_eq!(site.ladder(leg).await, ["R0"]);
    assert!(site.available(leg, writer).await.contains(&"undo".to_owned()));

    // A moment before, and whatever the workers do meanwhile: nothing.
    town.advance(Duration::from_secs(SECONDS - 1));
    assert_eq!(release::release(&town.context()).await.unwrap().done, 0);
    sees_nothing(nursery, clerk, leg, delivery).await;
    // However far the clock jumps, it is released once.
    town.advance(Duration::from_secs(3 * 3_600));
    released(nursery, delivery).await;
    assert_eq!(release::release(&town.context()).await.unwrap().done, 0);
    assert_eq!(site.ladder(leg).await, ["R0", "R1"]);
    assert_eq!(jobs(town, delivery).await.len(), 1);
    let waiting = nursery.inbox("waiting").await;
    assert_eq!(waiting[0]["arrived_at"], json!(town.time(0)), "it has arrived now, not when it was sent");
    let history = site.leg(leg).await;
    assert_eq!(history["events"][1]["action"], "release");
    assert!(history.get("release_at").is_none());
    assert!(!site.available(leg, writer).await.contains(&"undo".to_owned()));

    // Too late, whatever version the sender has read: and the answer says what is left to do.
    for version in [1, 2] {
        let late = site.act_at(version, leg, "undo", &json!({"by": writer})).await;
        assert_eq!((late.code(), late.problem()), (409, "illegal-transition".to_owned()));
        assert!(late.json()["mend_en"].as_str().unwrap().contains("recall"), "{}", late.text());
        assert!(late.json()["allowed"].as_array().unwrap().contains(&json!("cancel")));
    }
    assert!(nursery.open(delivery, clerk).await.good().text().contains("045-000-0000"));
    assert_eq!(nursery.ladder(leg).await, ["R0", "R1", "R2", "R3"]);
    let late = site.act_at(3, leg, "undo", &json!({"by": writer})).await;
    assert_eq!((late.code(), late.json()["mend_en"].as_str().unwrap().contains("recall")), (409, true));
    cast.everybody()
}

async fn an_undone_sending_was_never_visible(town: &mut Town) -> Vec<Agency> {
    let cast = slow(town).await;
    let Cast { site, writer, nursery, family, clerk, carer, .. } = &cast;
    let sent = cast.send(town, &[nursery, family]).await;
    let [(leg, delivery), (kept, other)] = sent.legs.as_slice() else { panic!("two legs") };
    let body = json!({"by": writer});
    let would = site.rehearse_at(1, &format!("/v1/legs/{leg}/actions/undo"), &body).await.value();
    assert_eq!(would["deliveries"], json!([{"id": delivery, "state": "stopped"}]));
    let stale = site.act_at(7, leg, "undo", &body).await;
    assert_eq!(stale.problem(), "version-stale", "while it is held, a version is a version");
    let undone = site.act_at(1, leg, "undo", &body).await.value();
    assert_eq!((&undone["state"], &undone["level"]), (&json!("cancelled"), &json!("closed")));
    let closed = ending::payload(undone["receipt"].as_str().unwrap());
    assert_eq!(closed["answer"]["action"], "undo");
    assert_eq!(site.ladder(leg).await, ["R0", "closed"], "no R1: it never was in an inbox");
    assert_eq!(site.leg(leg).await["delivery_state"], "stopped");
    let again = site.act(leg, "undo", &body).await;
    assert_eq!((again.code(), again.problem()), (409, "illegal-transition".to_owned()));

    town.advance(Duration::from_secs(SECONDS + 1));
    released(family, other).await;
    sees_nothing(nursery, clerk, leg, delivery).await;
    family.open(other, carer).await.good();
    assert_eq!(
        site.ladder(kept).await,
        ["R0", "R1", "R2", "R3"],
        "the other recipient has nothing to do with it"
    );
    ending::everybody_is_told(town.config.ledger.url.expose()).await;
    let told = jobs(town, leg).await;
    assert!(
        told.iter().all(|(_, whom, why)| whom != &nursery.id || why.as_deref() != Some("rung")),
        "{told:?}"
    );
    cast.everybody()
}

async fn what_is_urgent_or_a_notice_or_about_nobody_goes_at_once(town: &mut Town) -> Vec<Agency> {
    let cast = slow(town).await;
    let Cast { site, writer, nursery, family, clerk, .. } = &cast;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let consent = cast.consent(town, &[nursery, family]).await;
    let mut papers: Vec<(&Agency, Value)> =
        vec![(nursery, town.notice(clerk, &centre)), (site, town.self_contact(writer, nursery))];
    let mut ordinary_notice = town.notice(clerk, &centre);
    ordinary_notice["urgency"] = json!("U1");
    papers.push((nursery, ordinary_notice));
    for urgency in ["U2", "U3", "U4"] {
        let mut paper = town.introduction(writer, &consent, &[nursery, family]);
        paper["urgency"] = json!(urgency);
        papers.push((site, paper));
    }
    let mut wanted_now = town.introduction(writer, &consent, &[nursery]);
    wanted_now["legs"][0]["reply_by"] = json!(town.time(4));
    papers.push((site, wanted_now));
    for (sender, paper) in &papers {
        let answer = sender.submit(paper).await.value();
        for leg in answer["legs"].as_array().unwrap() {
            assert!(leg.get("release_at").is_none(), "{paper}");
            let writer = sender.asking_for(paper["written_by"].as_str().unwrap());
            assert_eq!(writer.ladder(leg["id"].as_str().unwrap()).await, ["R0", "R1"]);
        }
        assert!(sender.preview(paper).await.value()["legs"][0].get("release_at").is_none());
    }
    assert_eq!(centre.inbox("waiting").await.len(), 2);
    assert_eq!(nursery.inbox("waiting").await.len(), 5);
    let mut everybody = cast.everybody();
    everybody.push(centre);
    everybody
}

async fn a_held_leg_that_ends_otherwise_was_never_visible_either(town: &mut Town) -> Vec<Agency> {
    let cast = slow(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let supervisor = site.hire("supervisor").await;
    let cancelled = cast.send(town, &[nursery]).await;
    let mistaken = cast.send(town, &[nursery]).await;
    let withdrawn = cast.send(town, &[nursery]).await;
    site.act(&cancelled.legs[0].0, "cancel", &json!({"by": writer})).await.good();
    site.act(&mistaken.legs[0].0, "recall", &json!({"by": supervisor, "reason": "WRONG_RECIPIENT"}))
        .await
        .good();
    site.withdraw(&withdrawn.consent, writer).await.good();
    town.advance(Duration::from_secs(SECONDS * 2));
    assert_eq!(release::release(&town.context()).await.unwrap().done, 0);
    for sent in [&cancelled, &mistaken, &withdrawn] {
        let (leg, delivery) = &sent.legs[0];
        sees_nothing(nursery, clerk, leg, delivery).await;
        assert_eq!(site.ladder(leg).await, ["R0", "closed"]);
    }
    ending::everybody_is_told(town.config.ledger.url.expose()).await;
    for sent in [&cancelled, &mistaken, &withdrawn] {
        for (kind, whom, why) in jobs(town, &sent.legs[0].1).await {
            assert!(whom != nursery.id || why.as_deref() != Some("rung"), "{kind}: {why:?}");
        }
    }
    cast.everybody()
}

async fn what_the_sender_does_meanwhile_rings_for_nobody(town: &mut Town) -> Vec<Agency> {
    let cast = slow(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (leg, delivery) = cast.send_nursery(town).await;
    site.act(&leg, "note", &json!({"by": writer, "note": "電話番号を確かめた"})).await.good();
    ending::everybody_is_told(town.config.ledger.url.expose()).await;
    let told = jobs(town, &leg).await;
    assert!(told.iter().all(|(_, _, why)| why.as_deref() != Some("rung")), "{told:?}");
    sees_nothing(nursery, clerk, &leg, &delivery).await;
    // A stop of the hub loses nothing: what came due meanwhile is released at the next start.
    town.stop().await;
    town.advance(Duration::from_secs(SECONDS + 5));
    town.restart().await;
    released(nursery, &delivery).await;
    assert!(nursery.leg(&leg).await.to_string().contains("電話番号を確かめた"), "they share it from now on");
    assert_eq!(nursery.ladder(&leg).await, ["R0", "R1"]);
    cast.everybody()
}

async fn the_answer_to_a_submission_stays_the_same_after_the_release(town: &mut Town) -> Vec<Agency> {
    let cast = slow(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let consent = cast.consent(town, &[nursery]).await;
    let paper = town.introduction(writer, &consent, &[nursery]);
    let first = site.submit_under("held", &paper).await.good();
    let sent = Sent::read(&first.json());
    assert_eq!(site.submit_under("held", &paper).await.good().body, first.body);
    town.advance(Duration::from_secs(SECONDS));
    released(nursery, &sent.legs[0].1).await;
    assert_eq!(site.submit_under("held", &paper).await.good().body, first.body);
    nursery.open(&sent.legs[0].1, clerk).await.good();
    town.restart().await;
    assert_eq!(site.submit_under("held", &paper).await.good().body, first.body);
    cast.everybody()
}

async fn an_undo_races_a_release_and_an_opening(town: &mut Town) -> Vec<Agency> {
    let cast = slow(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (mut undone, mut shown) = (0, 0);
    for round in 0..24u64 {
        let (leg, delivery) = cast.send_nursery(town).await;
        let context = town.context();
        town.advance(Duration::from_secs(SECONDS));
        let undo = async {
            tokio::time::sleep(Duration::from_micros(round * 400)).await;
            site.act_at(1, &leg, "undo", &json!({"by": writer})).await
        };
        let look = async {
            let mut seen = 0;
            for _ in 0..6 {
                seen += u32::from(nursery.open(&delivery, clerk).await.status.is_success());
            }
            seen
        };
        let ((undo, seen), _) = join(join(undo, look), release::release(&context)).await;
        drop(context);
        if undo.status.is_success() {
            undone += 1;
            assert_eq!(seen, 0, "what was undone was never shown");
            sees_nothing(nursery, clerk, &leg, &delivery).await;
            assert_eq!(site.ladder(&leg).await, ["R0", "closed"]);
        } else {
            shown += 1;
            assert_eq!((undo.code(), undo.problem()), (409, "illegal-transition".to_owned()));
            let ladder = site.ladder(&leg).await;
            assert_eq!(ladder[..2], ["R0", "R1"]);
            nursery.open(&delivery, clerk).await.good();
        }
    }
    assert_eq!(undone + shown, 24);
    assert_eq!(release::release(&town.context()).await.unwrap().claimed, 0, "nothing is stuck");
    cast.everybody()
}

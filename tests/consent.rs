//! Consents told as stories, over HTTP and on both engines: what they cover, how they end, and what races that.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::Cast,
    ending::payload,
    stories::stories,
    town::{Agency, ORDINARY, Town},
};

stories! {
    a_withdrawal_stops_the_unread_copy_and_closes_the_opened_one,
    a_consent_refuses_what_it_does_not_cover,
    a_withdrawal_races_an_opening,
    a_withdrawal_races_a_submission,
    a_refused_or_damaged_consent_is_told_by_the_member,
}

/// How many pairs race in each race.
const PAIRS: usize = 20;

async fn a_withdrawal_stops_the_unread_copy_and_closes_the_opened_one(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer } = &cast;
    let sent = cast.send(town, &[nursery, family]).await;
    let [(read, opened), (unread, waiting)] = sent.legs.as_slice() else { panic!("two legs") };
    nursery.open(opened, clerk).await.good();
    nursery.act(read, "accept", &json!({"by": clerk})).await.good();

    let ended = site.withdraw(&sent.consent, writer).await.value();
    assert_eq!((&ended["version"], &ended["state"]), (&json!(2), &json!("withdrawn")));
    assert!(family.inbox("waiting").await.is_empty());
    assert_eq!(family.inbox("recalled").await[0]["delivery"], waiting.as_str());
    for (who, staff, delivery, leg) in [(nursery, clerk, opened, read), (family, carer, waiting, unread)] {
        let refused = who.open(delivery, staff).await;
        assert_eq!((refused.code(), refused.problem()), (403, "opening-refused".to_owned()));
        let problem = refused.json();
        assert_eq!(problem["code"], "CONSENT_WITHDRAWN");
        assert!(!refused.text().contains("山辺"), "{problem}");
        assert_eq!(payload(problem["signed"].as_str().unwrap())["code"], "CONSENT_WITHDRAWN");
        assert_eq!(site.leg(leg).await["state"], "withdrawn");
        // Who holds a copy is asked what becomes of it; nothing else can be done any more.
        let left: &[&str] = if leg == read { &["confirm_disposal"] } else { &[] };
        assert_eq!(who.available(leg, staff).await, left);
    }
    assert_eq!(nursery.ladder(read).await, ["R0", "R1", "R2", "R3", "R4", "closed"]);
    assert_eq!(family.ladder(unread).await, ["R0", "R1", "closed"]);

    let seen = site.consent(&sent.consent).await.value();
    assert_eq!((&seen["state"], seen["withdrawn_at"].is_string()), (&json!("propagating"), true));
    let twice = site.withdraw(&sent.consent, writer).await;
    assert_eq!((twice.code(), twice.problem()), (409, "illegal-transition".to_owned()));
    let again = site.submit(&town.introduction(writer, &sent.consent, &[nursery])).await;
    assert_eq!((again.code(), &again.json()["code"]), (422, &json!("CONSENT_WITHDRAWN")));
    cast.everybody()
}

async fn a_consent_refuses_what_it_does_not_cover(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let other_writer = family.hire("coordinator").await;
    let consent = cast.consent(town, &[nursery]).await;
    let mut later = town.consent_paper(writer, &[nursery], ORDINARY);
    (later["first_day"], later["last_day"]) = (json!(town.day(10)), json!(town.day(90)));
    let later = site.record_consent(&later).await.at("/id");
    let mut of_a_case = town.consent_paper(writer, &[nursery], ORDINARY);
    of_a_case["case"] = json!("0192f000-0000-7000-8000-0000000000c1");
    let of_a_case = site.record_consent(&of_a_case).await.at("/id");
    let mut no = town.consent_paper(writer, &[nursery], ORDINARY);
    no["decision"] = json!("refused");
    let no = site.record_consent(&no).await.at("/id");
    let theirs =
        family.record_consent(&town.consent_paper(&other_writer, &[nursery], ORDINARY)).await.at("/id");
    let plain = town.introduction(writer, &consent, &[nursery]);
    let with = |consent: &str| {
        let mut paper = plain.clone();
        paper["legs"][0]["basis"]["consent"] = json!(consent);
        paper
    };
    let mut another_case = with(&of_a_case);
    another_case["case"] = json!("0192f000-0000-7000-8000-0000000000c2");
    let before = town.rows().await;
    for (paper, code) in [
        (town.introduction(writer, &consent, &[family]), "CONSENT_PARTY"),
        (with(&later), "CONSENT_NOT_YET"),
        (another_case, "CONSENT_SUBJECT"),
        (with(&no), "CONSENT_MISSING"),
        (with(&theirs), "CONSENT_MISSING"),
        (with("0192f000-0000-7000-8000-00000000dead"), "CONSENT_MISSING"),
    ] {
        let refused = site.submit(&paper).await;
        assert_eq!((refused.code(), &refused.json()["code"]), (422, &json!(code)), "{}", refused.text());
    }
    assert_eq!(town.rows().await, before, "nothing is stored of what is refused");
    town.advance(Duration::from_secs(91 * 86_400));
    let refused = site.submit(&plain).await;
    assert_eq!(refused.json()["code"], "CONSENT_EXPIRED");
    cast.everybody()
}

/// The opening is either before the withdrawal or after it: what was opened shows an R3 before the end, what was
/// refused shows none.
async fn a_withdrawal_races_an_opening(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut opened = 0;
    for pair in 0..PAIRS {
        let sent = cast.send(town, &[nursery]).await;
        let (leg, delivery) = &sent.legs[0];
        let (open, end) = tokio::join!(
            pause(pair, nursery.open(delivery, clerk)),
            withdraw_at_once(site, &sent.consent, writer)
        );
        assert_eq!(end.code(), 200, "nothing stands in the way of a withdrawal: {}", end.text());
        let ladder = nursery.ladder(leg).await;
        match open.code() {
            200 => assert_eq!(ladder, ["R0", "R1", "R2", "R3", "closed"], "pair {pair}"),
            403 => assert_eq!(ladder, ["R0", "R1", "closed"], "pair {pair}"),
            other => panic!("pair {pair}: {other} {}", open.text()),
        }
        opened += usize::from(open.code() == 200);
        assert_eq!(nursery.open(delivery, clerk).await.code(), 403, "afterwards nobody opens it");
        assert_eq!(site.leg(leg).await["state"], "withdrawn");
    }
    println!("of {PAIRS} openings {opened} came before the withdrawal");
    cast.everybody()
}

/// A referral is either sent before the withdrawal, and ended by it, or refused.
async fn a_withdrawal_races_a_submission(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let mut accepted = 0;
    for pair in 0..PAIRS {
        let consent = cast.consent(town, &[nursery, family]).await;
        let paper = town.introduction(writer, &consent, &[nursery, family]);
        let (sent, end) =
            tokio::join!(site.submit(&paper), pause(pair, withdraw_at_once(site, &consent, writer)));
        assert_eq!(end.code(), 200, "nothing stands in the way of a withdrawal: {}", end.text());
        match sent.code() {
            201 => {
                for place in 0..2 {
                    let leg = sent.at(&format!("/legs/{place}/id"));
                    assert_eq!(site.leg(&leg).await["state"], "withdrawn", "pair {pair}");
                }
                accepted += 1;
            }
            422 => assert_eq!(sent.json()["code"], "CONSENT_WITHDRAWN", "pair {pair}"),
            other => panic!("pair {pair}: {other} {}", sent.text()),
        }
    }
    println!("of {PAIRS} submissions {accepted} came before the withdrawal");
    assert!(nursery.inbox("waiting").await.is_empty() && family.inbox("waiting").await.is_empty());
    cast.everybody()
}

async fn a_refused_or_damaged_consent_is_told_by_the_member(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let good = town.consent_paper(writer, &[nursery], ORDINARY);
    let before = town.rows().await;
    type Change = (&'static str, Value);
    let changes: [Change; 6] = [
        ("/first_day", json!("2026-02-30")),
        ("/last_day", json!("2020-01-01")),
        ("/recorded_by", json!(clerk)),
        ("/sections/0", json!("everything")),
        ("/giver/capacity", json!("GRANDMOTHER")),
        ("/subjects/0/birth_date", json!("2023-13")),
    ];
    for (pointer, value) in changes {
        let mut paper = good.clone();
        *paper.pointer_mut(pointer).unwrap() = value;
        let refused = site.record_consent(&paper).await;
        let problem = refused.json();
        assert_eq!(refused.code(), 422, "{pointer}: {problem}");
        let pointers: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
        assert!(pointers.contains(&&json!(pointer)), "{pointer}: {problem}");
        assert!(!refused.text().contains("山辺"), "{problem}");
    }
    assert_eq!(town.rows().await, before);
    cast.everybody()
}

/// Withdraws a consent nobody has changed yet, with a single request.
async fn withdraw_at_once(site: &Agency, consent: &str, by: &str) -> crate::support::town::Reply {
    let body = json!({"by": by, "method": "oral"});
    site.post_at(1, &format!("/v1/consents/{consent}/withdraw"), &body).await
}

/// Gives the other of two that race a head start, a little longer each time.
async fn pause<T>(pair: usize, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_micros(pair as u64 * 400)).await;
    then.await
}

//! What was sent by mistake, told as stories: it vanishes unread, or it is asked back and becomes an incident with its
//! clocks and a report that is ready to be completed.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::Cast,
    ending::payload,
    stories::stories,
    town::{Agency, Reply, Town, fresh_key},
};
use tsunagu::domain::agency::AgencyKind;

stories! {
    an_unread_copy_vanishes_with_signed_evidence_that_nobody_opened_it,
    an_opened_copy_becomes_an_incident_with_its_clocks_and_a_draft,
    a_leg_that_has_ended_is_recalled_as_well,
    nobody_takes_back_a_notice,
    a_recall_races_a_first_opening,
    a_recall_races_a_later_opening,
    a_recall_then_a_withdrawal_asks_the_holder_once,
}

/// How many pairs race in each race.
const PAIRS: usize = 16;

fn mistake(by: &str) -> Value {
    json!({"by": by, "reason": "WRONG_RECIPIENT", "note": "K園とL園を取り違えた"})
}

async fn incident(agency: &Agency, officer: &str, rest: &str) -> Reply {
    let request = agency.request("GET", &format!("/v1/incidents{rest}")).await;
    agency.send(request.header("tsunagu-staff", officer)).await
}

async fn an_unread_copy_vanishes_with_signed_evidence_that_nobody_opened_it(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let officer = site.hire("privacy_officer").await;
    let (leg, delivery) = cast.send_nursery(town).await;
    let why = site.act(&leg, "recall", &json!({"by": writer, "note": "理由なし"})).await;
    assert_eq!((why.code(), &why.json()["errors"][0]["pointer"]), (422, &json!("/reason")));
    let done = site.act(&leg, "recall", &mistake(writer)).await.value();
    assert_eq!((&done["state"], &done["level"]), (&json!("entered_in_error"), &json!("closed")));
    assert_eq!((&done["never_opened"], done.get("incident")), (&json!(true), None));
    let signed = payload(done["receipt"].as_str().unwrap());
    assert_eq!((&signed["never_opened"], &signed["level"]), (&json!(true), &json!("closed")));
    assert!(signed["answer"].get("reason").is_none(), "why is the sender's own affair: {signed}");

    assert!(nursery.inbox("waiting").await.is_empty());
    assert!(nursery.get("/v1/inbox?kind=recall").await.value()["items"].as_array().unwrap().is_empty());
    let refused = nursery.open(&delivery, clerk).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (403, &json!("RECALLED")));
    assert_eq!(payload(refused.json()["signed"].as_str().unwrap())["code"], "RECALLED");
    assert_eq!(nursery.ack(&delivery).await.json()["code"], "RECALLED");
    assert_eq!(nursery.ladder(&leg).await, ["R0", "R1", "closed"]);
    let theirs = nursery.get(&format!("/v1/legs/{leg}")).await.good();
    assert!(!theirs.text().contains("取り違え") && !theirs.text().contains("WRONG_RECIPIENT"));
    assert!(nursery.available(&leg, clerk).await.is_empty());

    // It is kept to learn from, and has no clocks.
    let near = incident(site, &officer, "?state=near_miss").await.value();
    let id = near["items"][0]["id"].as_str().unwrap();
    let seen = incident(site, &officer, &format!("/{id}")).await.value();
    assert_eq!((&seen["exposure"], &seen["clocks"]), (&json!("unread"), &json!([])));
    assert_eq!(seen["note"], "K園とL園を取り違えた");
    assert_eq!(incident(site, &officer, "").await.value()["items"], json!([]));
    assert_eq!(site.act(&leg, "recall", &mistake(writer)).await.code(), 409, "once");
    cast.everybody()
}

async fn an_opened_copy_becomes_an_incident_with_its_clocks_and_a_draft(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (supervisor, other) = (site.hire("supervisor").await, nursery.hire("agency_staff").await);
    let (leg, delivery) = cast.send_nursery(town).await;
    nursery.open(&delivery, clerk).await.good();
    nursery.open(&delivery, &other).await.good();
    let (key, version) = (fresh_key(), site.leg(&leg).await["version"].as_i64().unwrap());
    let recall = async || {
        let request = site.request("POST", &format!("/v1/legs/{leg}/actions/recall")).await;
        let request = request.header("idempotency-key", &key).header("if-match", format!("\"{version}\""));
        site.send(request.json(&mistake(writer))).await.good()
    };
    let (done, again) = (recall().await, recall().await);
    assert_eq!(done.text(), again.text(), "the same request has the same answer, draft and all");
    let (text, done) = (done.text().to_owned(), done.json());
    assert_eq!(done["never_opened"], false);
    assert!(payload(done["receipt"].as_str().unwrap()).get("never_opened").is_none());
    let (told, draft) = (&done["incident"], done["incident"]["report"].as_str().unwrap());
    assert_eq!((&told["exposure"], &told["report_need"]), (&json!("opened"), &json!("check_text")));
    assert_eq!(told["clocks"][0]["name"], "preliminary_report");
    for said in [
        clerk.as_str(),
        &other,
        "宛先の誤り",
        "【要記入】",
        "2人（紹介の中の符号：child-1、mother）",
        "開封済み",
    ] {
        assert!(draft.contains(said), "{said} in {draft}");
    }
    for name in ["山辺", "澪", "045-000-0000", "短時間の預かり", "詳しい経過"] {
        assert!(!text.contains(name), "{name} in {text}");
    }

    let refused = nursery.open(&delivery, clerk).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (403, &json!("RECALLED")));
    let asked = nursery.get("/v1/inbox?kind=recall").await.value()["items"][0].clone();
    assert!(asked["text"].as_str().unwrap().starts_with("誤送信のため回収 20"), "{asked}");
    let deleted = nursery.act(&leg, "confirm_disposal", &json!({"by": clerk, "disposal": "deleted"})).await;
    assert_eq!(deleted.code(), 422, "what came by mistake is destroyed");
    nursery.act(&leg, "confirm_disposal", &json!({"by": clerk, "disposal": "destroyed"})).await.good();

    let path = format!("/{}", told["id"].as_str().unwrap());
    let seen = incident(site, &supervisor, &path).await.value();
    assert_eq!((&seen["state"], &seen["disposal"]["state"]), (&json!("open"), &json!("destroyed")));
    assert_eq!(seen["clocks"][0]["overdue"], false);
    let report = incident(site, &supervisor, &format!("{path}/report")).await.good();
    assert!(
        report.text().starts_with("漏えい等報告書（下書き）") && report.text().contains("廃棄・消去した")
    );
    assert_eq!(incident(site, writer, &path).await.code(), 403, "for those who answer for it");
    assert_eq!(incident(nursery, clerk, &path).await.code(), 403);
    town.advance(Duration::from_secs(6 * 86_400));
    let late = incident(site, &supervisor, &path).await.value();
    assert_eq!((&late["clocks"][0]["overdue"], &late["clocks"][1]["overdue"]), (&json!(true), &json!(false)));
    let close = json!({"by": supervisor, "note": "委員会に報告。宛先の確認手順を改めた"});
    let closing = format!("/v1/incidents{path}/close");
    let close_at = |version| site.post_at(version, &closing, &close);
    assert_eq!(close_at(7).await.code(), 412);
    close_at(1).await.good();
    assert_eq!(close_at(2).await.code(), 409);
    let seen = incident(site, &supervisor, &path).await.value();
    assert_eq!((&seen["state"], &seen["closed"]["by"]), (&json!("closed"), &json!(supervisor)));
    cast.everybody()
}

async fn a_leg_that_has_ended_is_recalled_as_well(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (leg, delivery) = cast.send_nursery(town).await;
    nursery.open(&delivery, clerk).await.good();
    let no = json!({"by": clerk, "reason": "OUT_OF_AREA", "declined_by": "provider"});
    nursery.act(&leg, "decline", &no).await.good();
    let done = site.act(&leg, "recall", &mistake(writer)).await.value();
    assert_eq!((&done["state"], &done["level"]), (&json!("declined"), &json!("event")), "its end stays");
    assert!(done["incident"]["id"].is_string());
    let refused = nursery.open(&delivery, clerk).await;
    assert_eq!(refused.json()["code"], "RECALLED");
    assert_eq!(payload(refused.json()["signed"].as_str().unwrap())["code"], "RECALLED");
    assert_eq!(site.act(&leg, "recall", &mistake(writer)).await.code(), 409, "once");
    nursery.act(&leg, "confirm_disposal", &json!({"by": clerk, "disposal": "destroyed"})).await.good();
    assert_eq!(site.leg(&leg).await["answer"]["action"], "decline", "the answer stays the answer");
    cast.everybody()
}

async fn nobody_takes_back_a_notice(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { nursery, clerk, .. } = &cast;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let mut named = Vec::new();
    for role in ["agency_staff", "supervisor", "privacy_officer"] {
        named.push(nursery.hire(role).await);
    }
    let mut notice = town.notice(clerk, &centre);
    notice["seen_by"] = json!(named);
    let sent = nursery.submit(&notice).await;
    let (leg, delivery) = (sent.at("/legs/0/id"), sent.at("/legs/0/delivery"));
    let boss = nursery.hire("supervisor").await;
    let path = format!("/v1/legs/{leg}/actions/recall");
    assert_eq!(
        nursery.post_at(1, &path, &mistake(&boss)).await.code(),
        404,
        "who is not named finds nothing"
    );
    for role in named.iter().chain([clerk]) {
        let staff = role.clone();
        let refused = nursery.act(&leg, "recall", &mistake(&staff)).await;
        assert_eq!((refused.code(), &refused.json()["code"]), (409, &json!("not_notice")), "{role}");
        assert!(!nursery.available(&leg, &staff).await.contains(&"recall".to_owned()));
    }
    let desk = centre.hire("duty_desk").await;
    centre.open(&delivery, &desk).await.good();
    [cast.everybody(), vec![centre]].into_iter().flatten().collect()
}

/// Whoever is second finds that the other was there: an R3 and an incident, or neither.
async fn a_recall_races_a_first_opening(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut opened = 0;
    for pair in 0..PAIRS {
        let (leg, delivery) = cast.send_nursery(town).await;
        let (open, recall) =
            tokio::join!(pause(pair, nursery.open(&delivery, clerk)), recall_now(site, &leg, writer));
        let told = recall.clone().value();
        let ladder = nursery.ladder(&leg).await;
        let signed = payload(told["receipt"].as_str().unwrap());
        match open.code() {
            200 => {
                assert_eq!(ladder, ["R0", "R1", "R2", "R3", "closed"], "pair {pair}");
                assert!(told["incident"]["id"].is_string() && signed.get("never_opened").is_none());
                opened += 1;
            }
            403 => {
                assert_eq!(ladder, ["R0", "R1", "closed"], "pair {pair}");
                assert_eq!((told.get("incident"), &signed["never_opened"]), (None, &json!(true)));
            }
            other => panic!("pair {pair}: {other} {}", open.text()),
        }
        assert_eq!(nursery.open(&delivery, clerk).await.code(), 403, "afterwards nobody opens it");
    }
    println!("of {PAIRS} openings {opened} came before the recall");
    cast.everybody()
}

/// A second look at an opened copy is shown, and then stands in the report, or it is refused.
async fn a_recall_races_a_later_opening(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let officer = site.hire("privacy_officer").await;
    let mut shown = 0;
    for pair in 0..PAIRS {
        let (leg, delivery) = cast.send_nursery(town).await;
        nursery.open(&delivery, clerk).await.good();
        let (open, recall) =
            tokio::join!(pause(pair, nursery.open(&delivery, clerk)), recall_now(site, &leg, writer));
        let id = recall.at("/incident/id");
        let report = incident(site, &officer, &format!("/{id}/report")).await.good();
        let looks = report.text().matches("開封済み（職員").count();
        match open.code() {
            200 => assert_eq!(looks, 2, "pair {pair}: {}", report.text()),
            403 => assert_eq!(looks, 1, "pair {pair}: {}", report.text()),
            other => panic!("pair {pair}: {other} {}", open.text()),
        }
        shown += usize::from(open.code() == 200);
    }
    println!("of {PAIRS} later openings {shown} came before the recall");
    cast.everybody()
}

async fn a_recall_then_a_withdrawal_asks_the_holder_once(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer } = &cast;
    let sent = cast.send(town, &[nursery, family]).await;
    nursery.open(&sent.legs[0].1, clerk).await.good();
    family.open(&sent.legs[1].1, carer).await.good();
    site.act(&sent.legs[0].0, "recall", &mistake(writer)).await.good();
    site.withdraw(&sent.consent, writer).await.good();
    assert_eq!(nursery.get("/v1/inbox").await.value()["requests"], 1);
    assert!(nursery.get("/v1/inbox?kind=withdrawal").await.value()["items"].as_array().unwrap().is_empty());
    assert_eq!(site.consent(&sent.consent).await.value()["propagation"]["asked"], 2);
    nursery
        .act(&sent.legs[0].0, "confirm_disposal", &json!({"by": clerk, "disposal": "destroyed"}))
        .await
        .good();
    family
        .act(&sent.legs[1].0, "confirm_disposal", &json!({"by": carer, "disposal": "deleted"}))
        .await
        .good();
    assert_eq!(site.consent(&sent.consent).await.value()["state"], "settled");
    cast.everybody()
}

/// Recalls a leg, reading it again as often as somebody else was faster.
async fn recall_now(site: &Agency, leg: &str, by: &str) -> Reply {
    loop {
        let done = site.act(leg, "recall", &mistake(by)).await;
        if done.code() != 412 {
            return done;
        }
    }
}

/// Gives the other of two that race a head start, a little longer each time.
async fn pause<T>(pair: usize, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_micros(pair as u64 * 900)).await;
    then.await
}

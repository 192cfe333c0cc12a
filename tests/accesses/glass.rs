//! 緊急閲覧 (break-glass): an hour for one person and one leg, past a permission that has run out and past nothing else;
//! told to the owner at once, and reviewed by two agencies.

use std::time::Duration;

use serde_json::{Value, json};
use tsunagu::domain::agency::AgencyKind;

use super::{due_now, items, look};
use crate::support::{
    cast::{Cast, Sent},
    ending::payload,
    stories::stories,
    town::{Agency, ORDINARY, Reply, Town, fresh_key},
};

stories! {
    what_ran_out_is_opened_for_an_hour_and_both_agencies_look_at_it,
    nothing_but_what_ran_out_is_passed,
    neither_a_hidden_place_nor_more_than_was_sent_is_opened,
    whoever_is_not_reviewed_breaks_no_other,
    a_review_that_finds_it_wrong_ends_it_at_once,
}

const DAY: Duration = Duration::from_secs(86_400);

/// A leg to the nursery whose consent ran out yesterday.
async fn run_out(town: &Town, cast: &Cast) -> (String, String) {
    let (leg, delivery) = ends_today(town, cast, &cast.nursery).await;
    town.advance(DAY);
    (leg, delivery)
}

async fn ends_today(town: &Town, cast: &Cast, to: &Agency) -> (String, String) {
    let mut paper = town.consent_paper(&cast.writer, &[to], ORDINARY);
    paper["last_day"] = json!(town.day(0));
    let consent = cast.site.record_consent(&paper).await.at("/id");
    let sent = cast.site.submit(&town.introduction(&cast.writer, &consent, &[to])).await.value();
    Sent::read(&sent).legs.remove(0)
}

fn paper(by: &str, delivery: &str, minutes: u32) -> Value {
    json!({
        "by": by, "delivery": delivery, "purpose": "safety_check", "minutes": minutes,
        "reason": "子どもの所在を確かめる必要がある",
    })
}

async fn break_it(agency: &Agency, by: &str, delivery: &str) -> Reply {
    agency.post("/v1/break-glass", &paper(by, delivery, 60)).await
}

async fn review(agency: &Agency, glass: &str, version: i64, by: &str, outcome: &str) -> Reply {
    let body = json!({"by": by, "outcome": outcome, "note": "記録を確かめた"});
    agency.post_at(version, &format!("/v1/break-glass/{glass}/review"), &body).await
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.code(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn no(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

async fn what_ran_out_is_opened_for_an_hour_and_both_agencies_look_at_it(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (boss, colleague) = (nursery.hire("supervisor").await, nursery.hire("agency_staff").await);
    let officer = site.hire("privacy_officer").await;
    let (leg, delivery) = run_out(town, &cast).await;
    let refused = nursery.open(&delivery, clerk).await;
    assert_eq!(code(&refused), no("CONSENT_EXPIRED"));
    assert!(refused.json()["mend"].as_str().unwrap().contains("/v1/break-glass"), "{}", refused.text());

    let key = fresh_key();
    let broken = nursery.post_under(&key, "/v1/break-glass", &paper(clerk, &delivery, 60)).await.good();
    let again = nursery.post_under(&key, "/v1/break-glass", &paper(clerk, &delivery, 60)).await;
    assert_eq!(again.text(), broken.text());
    let broken = broken.json();
    let glass = broken["id"].as_str().unwrap();
    assert_eq!(broken["refusal"], "CONSENT_EXPIRED");
    assert_eq!(break_it(nursery, clerk, &delivery).await.problem(), "already-there");
    let shown = nursery.open(&delivery, clerk).await.value();
    assert_eq!(shown["document"]["content"]["identity"][0]["name"]["given"], "澪");
    nursery.open(&delivery, clerk).await.good();
    assert_eq!(code(&nursery.open(&delivery, &colleague).await), no("CONSENT_EXPIRED"), "one person");

    // Both find a signed event in the chain; the owner was told at once, and sees who opened and that it was broken.
    let events = site.evidence(&leg).await["events"].clone();
    let signed = payload(events[0].as_str().unwrap());
    assert_eq!((&signed["answer"]["action"], &signed["by"]["staff"]), (&json!("break_glass"), &json!(clerk)));
    assert_eq!(site.ladder(&leg).await, ["R0", "R1", "R2", "R3"]);
    let told = site.leg(&leg).await["events"].clone();
    assert!(told.as_array().unwrap().iter().any(|one| one["action"] == "break_glass"), "{told}");
    let jobs = town.context().ledger.jobs_about(&leg).await.unwrap();
    let rung: Vec<_> = jobs.iter().filter(|job| job.kind.code() == "doorbell.break_glass").collect();
    let whom: Vec<_> = rung.iter().map(|job| job.agency.to_string()).collect();
    assert!(whom.contains(&site.id) && whom.contains(&nursery.id) && whom.len() == 2, "{whom:?}");
    let referral = site.leg(&leg).await["referral"].as_str().unwrap().to_owned();
    let accesses = site.get(&format!("/v1/referrals/{referral}/accesses")).await.value();
    let under: Vec<_> = items(&accesses).iter().filter(|one| one["action"] == "break_glass").collect();
    assert_eq!(under.len(), 2, "{accesses}");
    assert!(under.iter().all(|one| one["purpose"] == "break_glass" && one["staff"] == clerk.as_str()));

    let list = site.get("/v1/break-glass").await.value();
    assert_eq!((&items(&list)[0]["id"], &items(&list)[0]["state"]), (&json!(glass), &json!("open")));
    assert!(!list.to_string().contains("所在"), "{list}");
    let path = format!("/v1/break-glass/{glass}");
    let seen = look(site, &path, &officer, Some("audit")).await.value();
    assert_eq!(
        (&seen["reason"], seen["openings"].as_array().unwrap().len()),
        (&json!("子どもの所在を確かめる必要がある"), 2)
    );
    assert_eq!(nursery.get("/v1/break-glass?side=recipient").await.value()["items"][0]["id"], json!(glass));
    assert_eq!(cast.family.get(&path).await.problem(), "not-found");

    town.advance(Duration::from_secs(60 * 60));
    assert_eq!(code(&nursery.open(&delivery, clerk).await), no("CONSENT_EXPIRED"), "an hour is over");
    assert_eq!(site.get(&path).await.value()["state"], "closed");
    for (agency, by) in [(nursery, clerk), (nursery, &colleague), (site, writer)] {
        assert_eq!(review(agency, glass, 1, by, "justified").await.problem(), "forbidden");
    }
    review(nursery, glass, 1, &boss, "justified").await.good();
    assert_eq!(review(site, glass, 1, &officer, "justified").await.problem(), "version-stale");
    assert_eq!(review(nursery, glass, 2, &boss, "justified").await.problem(), "illegal-transition", "once");
    review(site, glass, 2, &officer, "justified").await.good();
    let seen = nursery.get(&path).await.value();
    assert_eq!((&seen["state"], &seen["overdue"]), (&json!("settled"), &json!(false)));
    assert_eq!((&seen["own_review"]["by"], &seen["owner_review"]["by"]), (&json!(boss), &json!(officer)));
    due_now(town).await;
    cast.everybody()
}

async fn nothing_but_what_ran_out_is_passed(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, family, carer } = &cast;
    let (_, fine) = cast.send_nursery(town).await;
    assert_eq!(code(&break_it(nursery, clerk, &fine).await), no("NOT_NEEDED"));
    let taken_back = cast.send(town, &[nursery]).await;
    site.withdraw(&taken_back.consent, writer).await.good();
    let (wrong, recalled) = cast.send_nursery(town).await;
    site.act(&wrong, "recall", &json!({"by": writer, "reason": "WRONG_RECIPIENT"})).await.good();
    let (leg, lapsed) = run_out(town, &cast).await;
    for (delivery, expected) in [(&taken_back.legs[0].1, "CONSENT_WITHDRAWN"), (&recalled, "RECALLED")] {
        let refused = break_it(nursery, clerk, delivery).await;
        assert_eq!(code(&refused), no(expected));
        assert_eq!(refused.problem(), "opening-refused");
        assert_eq!(payload(refused.json()["signed"].as_str().unwrap())["code"], expected);
        assert!(!refused.text().contains("/v1/break-glass"), "{}", refused.text());
    }
    let related = json!({"by": clerk, "staff": clerk, "step": "declared", "relation": "relative"});
    let path = format!("/v1/deliveries/{lapsed}/relations");
    nursery.post(&path, &related).await.good();
    // The first refusal may be passed, what stands behind it may not.
    assert_eq!(code(&break_it(nursery, clerk, &lapsed).await), no("CONFLICT_OF_INTEREST"));
    for stranger in [family, site] {
        let by = if stranger.id == site.id { writer } else { carer };
        assert_eq!(break_it(stranger, by, &lapsed).await.problem(), "schema-violation", "no party to it");
    }
    for (name, bad) in [("minutes", json!(61)), ("purpose", json!("break_glass")), ("reason", json!(""))] {
        let mut paper = paper(clerk, &lapsed, 5);
        paper[name] = bad;
        assert_eq!(nursery.post("/v1/break-glass", &paper).await.problem(), "schema-violation", "{name}");
    }
    let colleague = nursery.hire("agency_staff").await;
    break_it(nursery, &colleague, &lapsed).await.good();
    // A withdrawal counts also for what is opened under a broken glass.
    let consent = site.leg(&leg).await["basis"]["ref"].as_str().unwrap().to_owned();
    let consent = consent.trim_start_matches("consent:").split('@').next().unwrap().to_owned();
    site.withdraw(&consent, writer).await.good();
    assert_eq!(code(&nursery.open(&lapsed, &colleague).await), no("CONSENT_WITHDRAWN"));
    due_now(town).await;
    cast.everybody()
}

/// A centre knows addresses, and would see this one flagged as concealed; under a broken glass nobody does.
async fn neither_a_hidden_place_nor_more_than_was_sent_is_opened(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, .. } = &cast;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let worker = centre.hire("duty_desk").await;
    let sections = ["identity", "contact", "address", "needs", "narrative"];
    let mut consent = town.consent_paper(writer, &[&centre], &sections);
    consent["last_day"] = json!(town.day(0));
    let consent = site.record_consent(&consent).await.at("/id");
    let mut paper = town.introduction(writer, &consent, &[&centre]);
    paper["case"] = json!("0192f000-0000-7000-8000-0000000000c9");
    paper["content"]["address"] = json!([{
        "subject": "mother", "municipality": "141011", "town": "鶴見中央", "rest": "三丁目四番五号",
    }]);
    paper["content"]["narrative"] =
        json!([{"summary": "鶴見中央に転居"}, {"summary": "短時間の預かりを希望"}]);
    paper["legs"][0]["sections"] = json!(sections);
    paper["legs"][0]["address_needed_because"] = json!("訪問のため");
    let delivery = site.submit(&paper).await.at("/legs/0/delivery");
    let hidden = json!({
        "by": writer, "case": paper["case"], "hidden_from": [{"municipality": "011002"}],
        "texts_confirmed_by": writer, "ground": "支援措置",
    });
    let protection = site.post("/v1/protections", &hidden).await.at("/id");
    let ordinary = centre.open(&delivery, &worker).await.value();
    assert_eq!(ordinary["document"]["content"]["address"][0]["concealed"], true, "{ordinary}");
    town.advance(DAY);
    break_it(&centre, &worker, &delivery).await.good();
    let lift =
        json!({"by": writer, "recipient": centre.id, "purpose": "SHOKAI", "reason": "救急", "minutes": 15});
    site.post_at(1, &format!("/v1/protections/{protection}/unlock"), &lift).await.good();
    let approved = json!({"by": site.hire("supervisor").await});
    site.post_at(2, &format!("/v1/protections/{protection}/approve"), &approved).await.good();
    let seen = centre.open(&delivery, &worker).await.value();
    for place in ["鶴見中央", "三丁目四番五号", "045-000-0000"] {
        assert!(!seen.to_string().contains(place), "{place} in {seen}");
    }
    assert_eq!(seen["document"]["content"]["narrative"], json!([{"summary": "短時間の預かりを希望"}]));
    assert_eq!(seen["document"]["content"]["identity"][0]["name"]["given"], "澪");
    let blocked = json!({
        "by": writer, "hidden_from": [{"municipality": "011002"}], "blocked": [centre.id],
        "texts_confirmed_by": writer, "ground": "支援措置",
    });
    site.post_at(3, &format!("/v1/protections/{protection}/change"), &blocked).await.good();
    assert_eq!(code(&centre.open(&delivery, &worker).await), no("RECIPIENT_BLOCKED"));
    due_now(town).await;
    let mut everybody = cast.everybody();
    everybody.push(centre);
    everybody
}

async fn whoever_is_not_reviewed_breaks_no_other(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, clerk, .. } = &cast;
    let (boss, chief) = (nursery.hire("supervisor").await, site.hire("supervisor").await);
    let (_, first) = ends_today(town, &cast, nursery).await;
    let (_, second) = ends_today(town, &cast, nursery).await;
    town.advance(DAY);
    let glass = break_it(nursery, clerk, &first).await.at("/id");
    town.advance(DAY);
    let refused = break_it(nursery, clerk, &second).await;
    assert_eq!((code(&refused), refused.problem()), (no("SUSPENDED"), "break-glass-refused".to_owned()));
    assert_eq!(site.get(&format!("/v1/break-glass/{glass}")).await.value()["overdue"], true);
    review(nursery, &glass, 1, &boss, "justified").await.good();
    assert_eq!(code(&break_it(nursery, clerk, &second).await), no("SUSPENDED"), "both review it");
    let other = nursery.hire("agency_staff").await;
    break_it(nursery, &other, &second).await.good();
    review(site, &glass, 2, &chief, "not_justified").await.good();
    break_it(nursery, clerk, &second).await.good();
    due_now(town).await;
    cast.everybody()
}

async fn a_review_that_finds_it_wrong_ends_it_at_once(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, clerk, .. } = &cast;
    let chief = site.hire("supervisor").await;
    let (_, delivery) = run_out(town, &cast).await;
    let glass = break_it(nursery, clerk, &delivery).await.at("/id");
    nursery.open(&delivery, clerk).await.good();
    let (done, opened) =
        tokio::join!(review(site, &glass, 1, &chief, "not_justified"), nursery.open(&delivery, clerk));
    done.good();
    assert!(opened.code() == 200 || code(&opened) == no("CONSENT_EXPIRED"), "{}", opened.text());
    assert_eq!(code(&nursery.open(&delivery, clerk).await), no("CONSENT_EXPIRED"));
    due_now(town).await;
    cast.everybody()
}

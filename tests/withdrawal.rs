//! A withdrawn consent followed to every holder of a copy: who is asked, who answers what, who stays silent, and the
//! person who decides anew whether a law allows what the consent no longer does.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::Cast,
    ending::payload,
    stories::stories,
    town::{Agency, ORDINARY, Town},
};
use tsunagu::domain::agency::AgencyKind;

stories! {
    every_holder_is_asked_and_the_owner_sees_who_has_answered,
    silence_is_shown_and_never_becomes_an_answer,
    a_withdrawal_that_reached_nobody_is_settled_at_once,
    a_person_decides_anew_and_nothing_is_sent_by_it,
    monitoring_ends_with_its_consent,
    what_is_repeated_after_a_withdrawal_is_dropped,
}

async fn every_holder_is_asked_and_the_owner_sees_who_has_answered(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer } = &cast;
    let unread = town.agency(AgencyKind::Kyoten).await;
    let taken = town.agency(AgencyKind::HomeVisiting).await;
    let visitor = taken.hire("agency_staff").await;
    let sent = cast.send(town, &[nursery, family, &taken, &unread]).await;
    let [(opened_leg, opened), (done_leg, done), (taken_leg, held), (waiting_leg, waiting)] =
        sent.legs.as_slice()
    else {
        panic!("four legs")
    };
    nursery.open(opened, clerk).await.good();
    // A leg that has ended long ago: its copy is still held.
    family.open(done, carer).await.good();
    family.act(done_leg, "accept", &json!({"by": carer})).await.good();
    family.act(done_leg, "complete", &json!({"by": carer, "outcome": "USE_STARTED"})).await.good();
    taken.ack(held).await.good();
    site.withdraw(&sent.consent, writer).await.good();

    let seen = site.consent(&sent.consent).await.value();
    assert_eq!((&seen["state"], &seen["version"]), (&json!("propagating"), &json!(3)));
    assert_eq!(seen["propagation"]["text"], "3機関のうち0機関が確認済み");
    assert!(unread.get("/v1/inbox?kind=withdrawal").await.value()["items"].as_array().unwrap().is_empty());
    assert_eq!(unread.ladder(waiting_leg).await, ["R0", "R1", "closed"]);
    assert_eq!(unread.inbox("recalled").await[0]["delivery"], waiting.as_str());

    for (agency, leg) in [(nursery, opened_leg), (family, done_leg), (&taken, taken_leg)] {
        assert_eq!(agency.get("/v1/inbox").await.value()["requests"], 1);
        let asked = agency.get("/v1/inbox?kind=withdrawal").await.value()["items"].clone();
        assert_eq!((&asked[0]["leg"], &asked[0]["kind"]), (&json!(leg), &json!("withdrawal")));
        let text = asked[0]["text"].as_str().unwrap();
        assert!(
            text.starts_with("同意撤回 20") && text.chars().count() < 30,
            "that and when, never why: {text}"
        );
    }
    let nobody =
        nursery.act(opened_leg, "confirm_disposal", &json!({"by": carer, "disposal": "deleted"})).await;
    assert_eq!(nobody.code(), 422, "a named person of the holder's own");
    for wrong in [json!({"disposal": "destroyed"}), json!({"disposal": "kept_by_law"}), json!({})] {
        let mut body = wrong;
        body["by"] = json!(clerk);
        assert_eq!(nursery.act(opened_leg, "confirm_disposal", &body).await.code(), 422, "{body}");
    }
    let word = nursery
        .act(opened_leg, "confirm_disposal", &json!({"by": clerk, "disposal": "deleted"}))
        .await
        .value();
    let signed = payload(word["receipt"].as_str().unwrap());
    assert_eq!(signed["answer"], json!({"action": "confirm_disposal", "reason": "deleted"}));
    assert_eq!((&signed["by"]["staff"], &signed["by"]["agency"]), (&json!(clerk), &json!(nursery.id)));
    assert_eq!(
        nursery
            .act(opened_leg, "confirm_disposal", &json!({"by": clerk, "disposal": "deleted"}))
            .await
            .code(),
        409
    );
    assert_eq!(nursery.get("/v1/inbox").await.value()["requests"], 0);
    let kept = json!({"by": carer, "disposal": "kept_by_law", "article": "児童福祉法施行規則 第1条の32"});
    let word = family.act(done_leg, "confirm_disposal", &kept).await.value();
    assert_eq!((&word["state"], &word["level"]), (&json!("completed"), &json!("event")), "its end stays");

    let seen = site.consent(&sent.consent).await.value();
    assert_eq!((&seen["state"], &seen["propagation"]["confirmed"]), (&json!("propagating"), &json!(2)));
    let held_by = |id: &str| {
        let holders = seen["propagation"]["holders"].as_array().unwrap();
        holders.iter().find(|one| one["recipient"] == id).unwrap_or_else(|| panic!("{seen}")).clone()
    };
    assert_eq!(
        (&held_by(&nursery.id)["state"], &held_by(&nursery.id)["by"]),
        (&json!("deleted"), &json!(clerk))
    );
    assert_eq!(held_by(&family.id)["article"], "児童福祉法施行規則 第1条の32");
    assert_eq!(held_by(&taken.id)["state"], "asked");
    taken.act(taken_leg, "confirm_disposal", &json!({"by": visitor, "disposal": "deleted"})).await.good();
    let seen = site.consent(&sent.consent).await.value();
    assert_eq!(
        (&seen["state"], &seen["propagation"]["text"]),
        (&json!("settled"), &json!("3機関のうち3機関が確認済み"))
    );
    assert_eq!(site.leg(opened_leg).await["disposal"]["state"], "deleted");
    [cast.everybody(), vec![unread, taken]].into_iter().flatten().collect()
}

async fn silence_is_shown_and_never_becomes_an_answer(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer } = &cast;
    let sent = cast.send(town, &[nursery, family]).await;
    nursery.open(&sent.legs[0].1, clerk).await.good();
    family.open(&sent.legs[1].1, carer).await.good();
    site.withdraw(&sent.consent, writer).await.good();
    nursery
        .act(&sent.legs[0].0, "confirm_disposal", &json!({"by": clerk, "disposal": "deleted"}))
        .await
        .good();
    assert_eq!(site.consent(&sent.consent).await.value()["state"], "propagating");
    // As if the three working days were over: a clustered hub measures leases by the database's clock, so the town's
    // clock stays where it is. A hub that starts looks at once for what fell due.
    town.by_hand("UPDATE holding SET due_at = asked_at".to_owned()).await;
    town.restart().await;
    until(site, &sent.consent, "settled_with_gaps").await;
    let seen = site.consent(&sent.consent).await.value();
    assert_eq!((&seen["propagation"]["silent"], &seen["propagation"]["confirmed"]), (&json!(1), &json!(1)));
    let asked = family.get("/v1/inbox?kind=withdrawal").await.value()["items"][0].clone();
    assert_eq!(asked["overdue"], true, "{asked}");
    // A late word is a word, and closes the gap.
    family
        .act(&sent.legs[1].0, "confirm_disposal", &json!({"by": carer, "disposal": "deleted"}))
        .await
        .good();
    until(site, &sent.consent, "settled").await;
    cast.everybody()
}

async fn a_withdrawal_that_reached_nobody_is_settled_at_once(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, .. } = &cast;
    let sent = cast.send(town, &[nursery]).await;
    site.withdraw(&sent.consent, writer).await.good();
    let seen = site.consent(&sent.consent).await.value();
    assert_eq!((&seen["state"], &seen["propagation"]["asked"]), (&json!("settled"), &json!(0)));
    assert_eq!(seen["decision_due"], true, "something was sent under it");
    let unused = cast.consent(town, &[nursery]).await;
    site.withdraw(&unused, writer).await.good();
    let seen = site.consent(&unused).await.value();
    assert_eq!((&seen["state"], &seen["decision_due"]), (&json!("settled"), &json!(false)));
    cast.everybody()
}

async fn a_person_decides_anew_and_nothing_is_sent_by_it(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let sent = cast.send(town, &[nursery]).await;
    let path = format!("/v1/consents/{}/statutory-decision", sent.consent);
    let none = json!({"by": writer, "decision": "none", "reason": "心配なことはない"});
    assert_eq!(site.post_at(1, &path, &none).await.code(), 409, "nothing is due while it is in force");
    site.withdraw(&sent.consent, writer).await.good();
    let version = site.consent(&sent.consent).await.value()["version"].as_i64().unwrap();
    assert_eq!(site.post_at(version - 1, &path, &none).await.code(), 412);
    for (member, value) in [("basis", json!("CONSENT")), ("by", json!(clerk)), ("reason", json!(""))] {
        let mut wrong =
            json!({"by": writer, "decision": "basis", "basis": "YOSHIEN_21_10_5", "reason": "要支援"});
        wrong[member] = value;
        assert_eq!(site.post_at(version, &path, &wrong).await.code(), 422, "{wrong}");
    }
    let without = json!({"by": writer, "decision": "basis", "reason": "要支援"});
    assert_eq!(site.post_at(version, &path, &without).await.code(), 422);
    let before = town.rows().await;
    let found =
        json!({"by": writer, "decision": "basis", "basis": "YOSHIEN_21_10_5", "reason": "欠席が続く"});
    let made = site.post_at(version, &path, &found).await.value();
    assert_eq!((&made["decision"], &made["basis"]), (&json!("basis"), &json!("YOSHIEN_21_10_5")));
    let after = town.rows().await;
    for table in ["referral", "leg", "delivery", "receipt", "job"] {
        assert_eq!(before[table], after[table], "nothing is sent by a decision: {table}");
    }
    let seen = site.consent(&sent.consent).await.value();
    assert_eq!(
        (&seen["decision_due"], &seen["statutory_decision"]["reason"]),
        (&json!(false), &json!("欠席が続く"))
    );
    assert_eq!(site.post_at(version, &path, &none).await.code(), 409, "decided once");
    cast.everybody()
}

async fn monitoring_ends_with_its_consent(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    // The nursery tells the coordinator how it goes, with the mother's consent for that.
    let mut paper = town.consent_paper(clerk, &[site], ORDINARY);
    paper["purpose"] = json!("MONITOR");
    let consent = nursery.record_consent(&paper).await.at("/id");
    let mut news = town.introduction(clerk, &consent, &[site]);
    news["type"] = json!("MONITOR");
    let leg = nursery.submit(&news).await.at("/legs/0/id");
    nursery.withdraw(&consent, clerk).await.good();
    assert_eq!(nursery.leg(&leg).await["state"], "withdrawn");
    assert!(site.inbox("waiting").await.is_empty());
    let refused = nursery.submit(&news).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (422, &json!("CONSENT_WITHDRAWN")));
    let _ = writer;
    cast.everybody()
}

async fn what_is_repeated_after_a_withdrawal_is_dropped(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let consent = cast.consent(town, &[nursery]).await;
    let paper = town.introduction(writer, &consent, &[nursery]);
    let first = site.submit_under("the-same-key", &paper).await.good();
    let delivery = first.at("/legs/0/delivery");
    site.withdraw(&consent, writer).await.good();
    let before = town.rows().await;
    // The same request gets its first answer, and nothing waits by it; a new one is refused.
    let again = site.submit_under("the-same-key", &paper).await;
    assert_eq!((again.code(), again.text()), (first.code(), first.text()));
    assert_eq!(site.submit(&paper).await.json()["code"], "CONSENT_WITHDRAWN");
    let after = town.rows().await;
    for table in ["referral", "leg", "delivery", "receipt"] {
        assert_eq!(before[table], after[table], "{table}");
    }
    assert!(nursery.inbox("waiting").await.is_empty());
    assert_eq!(nursery.open(&delivery, clerk).await.json()["code"], "CONSENT_WITHDRAWN");
    assert_eq!(nursery.ack(&delivery).await.json()["code"], "RECALLED");
    cast.everybody()
}

/// Waits until the hub's sweep has brought a consent there.
async fn until(site: &Agency, consent: &str, state: &str) {
    let mut seen = Value::Null;
    for _ in 0..200 {
        seen = site.consent(consent).await.value();
        if seen["state"] == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not {state}: {seen}");
}

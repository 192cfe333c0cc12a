//! Referrals told as stories, over HTTP and on both engines: sent, answered, noticed, repeated, listed, mis-sent.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

#[path = "referral/lists.rs"]
mod lists;
mod support;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{
    cast::{Cast, Sent},
    ending::payload,
    stories::stories,
    town::{Agency, Town},
};
use tsunagu::{
    domain::agency::AgencyKind,
    usecases::schema::Schema,
    vault::jws::{Jwks, Typ, verify_jws},
};

stories! {
    two_recipients_answer_each_for_themselves,
    a_notice_is_taken_by_the_desk_whose_clock_runs,
    a_refusal_names_law_and_mend_and_its_signature_holds,
    the_same_submission_again_gets_the_same_bytes_for_ever,
    fifty_submissions_under_one_key_are_one_referral,
    self_contact_carries_nothing_about_the_family,
    a_mis_sent_leg_is_closed_by_whoever_notices,
    a_change_names_the_version_it_was_made_on,
}

async fn two_recipients_answer_each_for_themselves(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, family, clerk, carer, .. } = &cast;
    let sent = cast.send(town, &[nursery, family]).await;
    let [(first, unread), (second, waiting)] = sent.legs.as_slice() else { panic!("two legs") };
    assert_eq!(site.ladder(first).await, ["R0", "R1"]);
    assert_eq!(nursery.inbox("waiting").await[0]["delivery"], unread.as_str());

    let shown = nursery.open(unread, clerk).await.value();
    let content = &shown["document"]["content"];
    assert_eq!(content["identity"][0]["name"]["family"], "山辺\u{e0100}");
    assert_eq!(content["narrative"][0]["text"], Value::Null, "a facility gets the summary only");
    assert!(nursery.inbox("waiting").await.is_empty());
    let no = json!({"by": clerk, "reason": "CAPACITY", "declined_by": "provider"});
    let declined = nursery.act(first, "decline", &no).await.value();
    assert_eq!((declined["state"].as_str(), declined["level"].as_str()), (Some("declined"), Some("R4")));

    let jwks = Jwks::parse(&town.jwks().await).unwrap();
    for receipt in site.evidence(first).await["receipts"].as_array().unwrap() {
        let said = verify_jws(&jwks, receipt["jws"].as_str().unwrap(), Typ::Receipt).unwrap();
        assert_eq!(Schema::Receipt.check(&said), Ok(()), "{said}");
        let basis = &said["basis"];
        assert_eq!((&basis["code"], &basis["rule_version"]), (&json!("CONSENT"), &json!("2026-04-01")));
        assert!(basis["law"].as_str().unwrap().contains("第27条1項"), "{basis}");
    }

    // What one recipient does moves nothing that the other can see.
    assert_eq!(family.leg(second).await["version"], 1);
    family.ack(waiting).await.good();
    assert_eq!(site.ladder(second).await, ["R0", "R1", "R2"]);
    family.open(waiting, carer).await.good();
    let yes = json!({"by": carer, "note": "来週から"});
    family.act(second, "accept", &yes).await.good();
    assert_eq!(site.leg(second).await["answer"]["note"], "来週から");
    family.act(second, "start", &json!({"by": carer})).await.good();
    let done = family.act(second, "complete", &json!({"by": carer, "outcome": "USE_STARTED"})).await.value();
    assert_eq!((done["state"].as_str(), done["level"].as_str()), (Some("completed"), Some("closed")));

    assert_eq!(nursery.ladder(first).await, ["R0", "R1", "R2", "R3", "R4"]);
    assert_eq!(site.ladder(second).await, ["R0", "R1", "R2", "R3", "R4", "closed"]);
    let whole = site.referral(&sent.referral).await.value();
    let states: Vec<_> = whole["legs"].as_array().unwrap().iter().map(|leg| &leg["state"]).collect();
    assert_eq!(states, ["declined", "completed"]);
    assert_eq!(nursery.referral(&sent.referral).await.problem(), "not-found", "it is the sender's alone");
    cast.everybody()
}

async fn a_notice_is_taken_by_the_desk_whose_clock_runs(town: &mut Town) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let head = nursery.hire("agency_staff").await;
    let (desk, worker) = (centre.hire("duty_desk").await, centre.hire("agency_staff").await);
    let called = town.time(-20);
    let sent = Sent::read(&nursery.submit(&town.notice(&head, &centre)).await.value());
    let (leg, delivery) = &sent.legs[0];

    let clock = &centre.leg(leg).await["clocks"][0];
    assert_eq!(clock["started"], called, "the telephone call came before the arrival");
    assert_eq!(
        (clock["due"].as_str(), &clock["overdue"]),
        (Some(town.time(-20 + 48 * 60).as_str()), &json!(false))
    );

    let seen = centre.open(delivery, &worker).await.value();
    assert_eq!(seen["document"]["content"]["narrative"][0]["text"], "両腕に新しいあざ");
    assert!(!seen.to_string().contains("通告者"), "who gave it is the desk's to know");
    let seen = centre.open(delivery, &desk).await.value();
    assert_eq!(seen["document"]["content"]["notifier"][0]["name"]["family"], "通告者");
    assert_eq!(seen["document"]["basis"]["code"], "TSUKOKU_GY6");

    let wait = centre.act(leg, "waitlist", &json!({"by": desk, "review_on": town.day(7)})).await;
    assert_eq!((wait.code(), wait.problem()), (409, "illegal-transition".to_owned()));
    let taken = centre.act(leg, "accept", &json!({"by": desk})).await.value();
    assert_eq!((taken["state"].as_str(), taken["level"].as_str()), (Some("accepted"), Some("R4")));
    town.advance(Duration::from_secs(49 * 3600));
    assert_eq!(centre.leg(leg).await["clocks"][0]["overdue"], true, "and runs on, for the desk");
    assert_eq!(centre.ladder(leg).await, ["R0", "R1", "R2", "R3", "R4"]);

    let other = town.agency(AgencyKind::Nursery).await;
    let before = town.rows().await;
    let refused = nursery.submit(&town.notice(&head, &other)).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (422, &json!("BASIS_RECIPIENT")));
    assert_eq!(town.rows().await, before, "nothing is stored of what is refused");
    vec![nursery, centre, other]
}

async fn a_refusal_names_law_and_mend_and_its_signature_holds(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let consent = cast.consent(town, &[nursery]).await;
    let before = town.rows().await;
    let refused = site.submit(&town.introduction(writer, &consent, &[nursery, family])).await;
    assert_eq!((refused.code(), refused.problem()), (422, "disclosure-refused".to_owned()));
    let problem = refused.json();
    assert_eq!(
        (&problem["code"], &problem["errors"][0]["pointer"]),
        (&json!("CONSENT_PARTY"), &json!("/legs/1/basis"))
    );
    assert!(problem["law"].as_str().unwrap().contains("個人情報の保護に関する法律"), "{problem}");
    assert!(problem["mend"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    for told in ["山辺", "澪", "045-000-0000", "詳しい経過"] {
        assert!(!refused.text().contains(told), "{problem}");
    }

    let jwks = Jwks::parse(&town.jwks().await).unwrap();
    let signed = problem["signed"].as_str().unwrap();
    let refusal = verify_jws(&jwks, signed, Typ::Refusal).unwrap();
    assert_eq!(Schema::Refusal.check(&refusal), Ok(()), "{refusal}");
    assert_eq!((&refusal["agency"], &refusal["code"]), (&json!(site.id), &json!("CONSENT_PARTY")));
    assert_eq!((&refusal["law"], &refusal["rule_version"]), (&problem["law"], &json!("2026-04-01")));
    assert!(verify_jws(&jwks, signed, Typ::Receipt).is_err(), "a refusal passes for no receipt");

    assert_eq!(town.rows().await, before, "nothing is stored of what is refused");
    assert!(nursery.inbox("waiting").await.is_empty(), "not even for the recipient that is covered");
    cast.everybody()
}

async fn the_same_submission_again_gets_the_same_bytes_for_ever(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, .. } = &cast;
    let consent = cast.consent(town, &[nursery, family]).await;
    let paper = town.introduction(writer, &consent, &[nursery, family]);
    let first = site.submit_under("once", &paper).await.good();
    assert_eq!((first.code(), first.header("idempotency-replayed")), (201, None));
    let sent = Sent::read(&first.json());
    for receipt in first.json()["legs"][0]["receipts"].as_array().unwrap() {
        assert_eq!(Schema::Receipt.check(&payload(receipt.as_str().unwrap())), Ok(()));
    }
    let stored = town.rows().await;
    let again = async |site: &Agency| {
        let again = site.submit_under("once", &paper).await.good();
        assert_eq!((again.code(), again.header("idempotency-replayed")), (201, Some("true")));
        assert_eq!(again.body, first.body);
    };
    again(site).await;
    assert_eq!(town.rows().await, stored, "a repetition stores nothing");

    // The leg moves on, the consent ends, the hub restarts, a year passes.
    nursery.open(&sent.legs[0].1, clerk).await.good();
    again(site).await;
    site.withdraw(&consent, writer).await.good();
    let gone = json!({"by": clerk, "disposal": "deleted"});
    nursery.act(&sent.legs[0].0, "confirm_disposal", &gone).await.good();
    again(site).await;
    town.restart().await;
    again(site).await;
    town.advance(Duration::from_secs(400 * 86_400));
    again(site).await;

    let mut other = paper.clone();
    other["urgency"] = json!("U2");
    let refused = site.submit_under("once", &other).await;
    assert_eq!((refused.code(), refused.problem()), (422, "idempotency-key-reused".to_owned()));
    let elsewhere = site.post_under("once", "/v1/staff", &json!({"role": "assistant", "name": "港"})).await;
    assert_eq!((elsewhere.code(), elsewhere.problem()), (422, "idempotency-key-reused".to_owned()));
    assert_eq!(nursery.inbox("recalled").await.len() + family.inbox("recalled").await.len(), 2);
    // A key is its sender's own: another agency's is another key.
    assert_ne!(nursery.submit_under("once", &paper).await.problem(), "idempotency-key-reused");
    cast.everybody()
}

async fn fifty_submissions_under_one_key_are_one_referral(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, .. } = &cast;
    let consent = cast.consent(town, &[nursery]).await;
    let paper = town.introduction(writer, &consent, &[nursery]);
    site.token().await;
    let answers = join_all((0..50).map(|_| site.submit_under("together", &paper))).await;
    let good: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
    let first = good.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count();
    assert_eq!(first, 1);
    assert!(good.iter().all(|answer| answer.body == good[0].body), "all are answered the same");
    for other in answers.iter().filter(|answer| !answer.status.is_success()) {
        assert_eq!((other.code(), other.problem().as_str()), (409, "still-running"));
        assert!(other.header("retry-after").is_some());
    }
    assert_eq!(site.submit_under("together", &paper).await.good().body, good[0].body);
    assert_eq!(nursery.inbox("waiting").await.len(), 1);
    cast.everybody()
}

async fn self_contact_carries_nothing_about_the_family(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut paper = town.self_contact(writer, nursery);
    let sent = Sent::read(&site.submit(&paper).await.value());
    let (leg, delivery) = &sent.legs[0];
    let shown = nursery.open(delivery, clerk).await.value();
    assert_eq!(shown["document"]["content"], json!({}));
    assert_eq!(shown["document"]["resources"]["age_class"], 1);
    assert_eq!(payload(shown["manifest"].as_str().unwrap())["fields"], json!([]));
    nursery.act(leg, "accept", &json!({"by": clerk})).await.good();

    paper["content"] = json!({"needs": [{"codes": ["RESPITE"]}]});
    let refused = site.submit(&paper).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (422, &json!("MODE_NO_PERSONAL_DATA")));
    cast.everybody()
}

async fn a_mis_sent_leg_is_closed_by_whoever_notices(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer, .. } = &cast;
    let supervisor = site.hire("supervisor").await;
    let sent = cast.send(town, &[nursery, family]).await;
    let [(unread, at_nursery), (declined, at_family)] = sent.legs.as_slice() else { panic!("two legs") };
    let mistake = |by: &str| json!({"by": by, "reason": "WRONG_RECIPIENT", "note": "宛先違い"});
    for staff in [writer, &supervisor] {
        assert!(site.available(unread, staff).await.contains(&"recall".to_owned()));
    }
    assert!(!nursery.available(unread, clerk).await.contains(&"recall".to_owned()));
    let refused = nursery.act(unread, "recall", &mistake(clerk)).await;
    assert_eq!(refused.code(), 409, "nor is it the recipient's to say");

    let closed = site.act(unread, "recall", &mistake(&supervisor)).await.value();
    assert_eq!(
        (closed["state"].as_str(), closed["level"].as_str()),
        (Some("entered_in_error"), Some("closed"))
    );
    assert!(nursery.inbox("waiting").await.is_empty());
    assert_eq!(nursery.inbox("recalled").await[0]["delivery"], at_nursery.as_str());
    let refused = nursery.open(at_nursery, clerk).await;
    assert_eq!((refused.code(), refused.problem()), (403, "opening-refused".to_owned()));
    assert_eq!(nursery.ladder(unread).await, ["R0", "R1", "closed"]);

    // On a leg that has ended the mistake is put on record; its end and its receipt stay.
    family.open(at_family, carer).await.good();
    let no = json!({"by": carer, "reason": "OUT_OF_AREA", "declined_by": "provider"});
    family.act(declined, "decline", &no).await.good();
    let noted = site.act(declined, "recall", &mistake(&supervisor)).await.value();
    assert_eq!((noted["state"].as_str(), noted["level"].as_str()), (Some("declined"), Some("event")));
    assert_eq!(family.ladder(declined).await, ["R0", "R1", "R2", "R3", "R4"]);
    cast.everybody()
}

async fn a_change_names_the_version_it_was_made_on(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, clerk, .. } = &cast;
    let (leg, delivery) = cast.send_nursery(town).await;
    nursery.open(&delivery, clerk).await.good();
    let seen = nursery.get(&format!("/v1/legs/{leg}")).await.good();
    let version = seen.json()["version"].as_i64().unwrap();
    assert_eq!(seen.header("etag"), Some(format!("\"{version}\"").as_str()));

    let path = format!("/v1/legs/{leg}/actions/accept");
    let body = json!({"by": clerk});
    let before = town.rows().await;
    let unmatched = nursery.post(&path, &body).await;
    assert_eq!((unmatched.code(), unmatched.problem()), (428, "version-missing".to_owned()));
    for stale in [0, version - 1, version + 1] {
        let refused = nursery.act_at(stale, &leg, "accept", &body).await;
        assert_eq!((refused.code(), refused.problem()), (412, "version-stale".to_owned()), "{stale}");
    }
    for tag in ["*", "W/\"2\"", "2", "\"2\", \"3\"", "\"x\""] {
        let request = nursery.request("POST", &path).await.header("idempotency-key", "tags").json(&body);
        assert_eq!(nursery.send(request.header("if-match", tag)).await.code(), 412, "{tag}");
    }
    assert_eq!(town.rows().await, before, "a stale change leaves no trace");

    let request = nursery.request("POST", &path).await.header("idempotency-key", "yes").json(&body);
    let first = nursery.send(request.header("if-match", format!("\"{version}\""))).await.good();
    let request = nursery.request("POST", &path).await.header("idempotency-key", "yes").json(&body);
    let again = nursery.send(request.header("if-match", format!("\"{version}\""))).await.good();
    assert_eq!((&first.body, again.header("idempotency-replayed")), (&again.body, Some("true")));
    nursery.act(&leg, "complete", &json!({"by": clerk, "outcome": "BOOKED"})).await.good();
    let request = nursery.request("POST", &path).await.header("idempotency-key", "yes").json(&body);
    let later = nursery.send(request.header("if-match", format!("\"{version}\""))).await.good();
    assert_eq!(later.body, first.body, "the leg has ended since, the answer is the first one");
    assert_eq!(site.leg(&leg).await["state"], "completed");
    let consent = cast.consent(town, &[nursery]).await;
    let seen = site.consent(&consent).await.good();
    assert_eq!(seen.header("etag"), Some("\"1\""));
    let end = json!({"by": cast.writer, "method": "oral"});
    let withdraw = format!("/v1/consents/{consent}/withdraw");
    assert_eq!(site.post(&withdraw, &end).await.code(), 428);
    assert_eq!(site.post_at(2, &withdraw, &end).await.code(), 412);
    cast.everybody()
}

//! Protections told as stories, over HTTP and on both engines: a family that fled is hidden at once by one person, and
//! shown again by two.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::{Cast, Sent},
    ending::payload,
    stories::stories,
    town::{Agency, Reply, Town},
};
use tsunagu::domain::agency::AgencyKind;

stories! {
    a_hidden_address_is_stood_in_for_and_only_the_sender_knows_why,
    what_waits_unread_is_hidden_too,
    nothing_goes_to_those_a_family_flees,
    one_person_hides_and_two_show,
    the_end_of_the_measure_ends_no_protection,
    a_lift_shows_the_address_to_one_recipient_for_minutes,
    a_record_that_does_not_open_hides_everything,
    a_referral_without_a_case_is_protected_by_itself,
    a_protection_names_what_is_there_and_nobody_twice,
    a_concealment_races_an_opening,
}

/// How many pairs race.
const PAIRS: usize = 20;
const CASE: &str = "0192f000-0000-7000-8000-0000000000c1";
const CITY: &str = "011002";
const TOWN: &str = "鶴見中央";
const PHONE: &str = "045-000-0000";
/// What a family's place can be told from in these stories.
const PLACES: &[&str] = &[TOWN, "三丁目四番五号", "2300051", PHONE, "白百合小学校", "141011"];

/// A family that is hidden from a city far away, whose texts somebody has looked through.
fn paper(by: &str) -> Value {
    json!({
        "by": by, "case": CASE, "hidden_from": [{"municipality": CITY}], "words": ["白百合小学校"],
        "office_phone": "045-999-0000", "texts_confirmed_by": by, "ground": "支援措置（令和8年10月1日決定）",
    })
}

async fn protect(site: &Agency, paper: &Value) -> Value {
    site.post("/v1/protections", paper).await.value()
}

/// An introduction with the address and a text that names the school, under a consent that covers them.
async fn introduction(town: &Town, cast: &Cast, to: &[&Agency]) -> Value {
    let sections = ["identity", "contact", "address", "needs", "narrative"];
    let consent = cast.site.record_consent(&town.consent_paper(&cast.writer, to, &sections)).await.at("/id");
    let mut paper = town.introduction(&cast.writer, &consent, to);
    paper["case"] = json!(CASE);
    paper["content"]["address"] = json!([{
        "subject": "mother", "municipality": "141011", "town": TOWN, "rest": "三丁目四番五号", "postal_code": "2300051",
    }]);
    paper["content"]["narrative"] = json!([{"summary": "白百合小学校の近くに転居", "text": "詳しい経過"}, {"summary": "短時間の預かりを希望"}]);
    for leg in paper["legs"].as_array_mut().unwrap() {
        leg["sections"] = json!(sections);
        leg["address_needed_because"] = json!("送迎のため");
        leg["requested_action"] = json!("鶴見中央からの送迎");
    }
    paper
}

async fn send(town: &Town, cast: &Cast, to: &[&Agency]) -> Sent {
    Sent::read(&cast.site.submit(&introduction(town, cast, to).await).await.value())
}

#[track_caller]
fn places_nowhere(reply: &str) {
    for place in PLACES {
        assert!(!reply.contains(place), "{place} in {reply}");
    }
}

#[track_caller]
fn hidden(reply: Reply) -> Value {
    let document = reply.value()["document"].clone();
    places_nowhere(&document.to_string());
    assert_eq!(
        document["content"]["address"],
        json!([{"subject": "mother", "note": "市内・連絡は当課経由"}])
    );
    document
}

async fn a_hidden_address_is_stood_in_for_and_only_the_sender_knows_why(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    protect(site, &paper(writer)).await;
    let sent = send(town, &cast, &[nursery]).await;
    let (leg, delivery) = &sent.legs[0];
    let document = hidden(nursery.open(delivery, clerk).await);
    let office = json!([{"subject": "mother", "note": "連絡は当課経由", "phone": "045-999-0000"}]);
    assert_eq!(document["content"]["contact"], office);
    assert_eq!(document["content"]["narrative"], json!([{"summary": "短時間の預かりを希望"}]));
    assert!(document.get("requested_action").is_none(), "it named the town");

    let theirs = nursery.get(&format!("/v1/legs/{leg}")).await;
    places_nowhere(theirs.text());
    assert!(!theirs.text().contains("W_CONCEALED") && theirs.json().get("requested_action").is_none());
    let evidence = nursery.evidence(leg).await;
    assert_eq!(payload(evidence["receipts"][0]["jws"].as_str().unwrap())["sections"][2], "address");
    let ours = site.leg(leg).await;
    assert_eq!(ours["withheld"], json!([{"section": "address", "why": "W_CONCEALED"}]));
    assert_eq!(ours["requested_action"], "鶴見中央からの送迎", "the sender reads its own words");
    cast.everybody()
}

async fn what_waits_unread_is_hidden_too(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, family, carer } = &cast;
    let sent = send(town, &cast, &[nursery, family]).await;
    let [(read, opened), (_, waiting)] = sent.legs.as_slice() else { panic!("two legs") };
    let before = nursery.open(opened, clerk).await.value();
    assert_eq!(before["document"]["content"]["address"][0]["town"], TOWN);
    nursery.act(read, "ask", &json!({"by": clerk, "question": "鶴見中央のどのあたりですか"})).await.good();
    site.act(read, "reply", &json!({"by": writer, "answer": "三丁目四番五号です"})).await.good();

    let made = protect(site, &paper(writer)).await;
    let mut shown: Vec<(&Value, &Value)> =
        made["legs"].as_array().unwrap().iter().map(|leg| (&leg["recipient"], &leg["disclosed"])).collect();
    shown.sort_by_key(|(_, disclosed)| disclosed.as_bool());
    assert_eq!(shown[0], (&json!(family.id), &json!(false)), "who knows the address already: {made}");
    assert_eq!(shown[1], (&json!(nursery.id), &json!(true)));
    hidden(nursery.open(opened, clerk).await);
    hidden(family.open(waiting, carer).await);
    let theirs = nursery.leg(read).await;
    let told: Vec<&str> =
        theirs["events"].as_array().unwrap().iter().filter_map(|one| one["question"].as_str()).collect();
    assert_eq!(told, ["鶴見中央のどのあたりですか"], "what they wrote is theirs");
    assert!(!theirs.to_string().contains("三丁目四番五号"), "{theirs}");
    assert!(theirs.get("requested_action").is_none());
    cast.everybody()
}

async fn nothing_goes_to_those_a_family_flees(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, carer, .. } = &cast;
    let far = town.agency_in(CITY, AgencyKind::Nursery, "札幌の保育所").await;
    let desk = town.agency_in(CITY, AgencyKind::FamilyCentre, "札幌の窓口").await;
    let worker = desk.hire("agency_staff").await;
    let early = send(town, &cast, &[family]).await;
    let mut terms = paper(writer);
    terms["hidden_from"] = json!([{"agency": nursery.id}, {"municipality": CITY, "desk": desk.id}]);
    terms["blocked"] = json!([family.id]);
    protect(site, &terms).await;
    let before = town.rows().await;
    for recipient in [nursery, family, &far] {
        let refused = site.submit(&introduction(town, &cast, &[recipient]).await).await;
        assert_eq!((refused.code(), &refused.json()["code"]), (422, &json!("RECIPIENT_BLOCKED")));
        let text = refused.text();
        places_nowhere(text);
        assert!(!text.contains("秘匿") && !text.contains("支援措置") && !text.contains(CITY), "{text}");
    }
    let mut after = town.rows().await;
    after.insert("consent".into(), before["consent"]);
    after.insert("consent_event".into(), before["consent_event"]);
    for changed in ["data_key", "audit", "idempotency", "consent_event"] {
        after.insert(changed.into(), before[changed]);
    }
    assert_eq!(after, before, "nothing is stored of what is refused but its consents");
    let refused = family.open(&early.legs[0].1, carer).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (403, &json!("RECIPIENT_BLOCKED")));
    places_nowhere(refused.text());
    places_nowhere(family.get(&format!("/v1/legs/{}", early.legs[0].0)).await.text());
    let sent = send(town, &cast, &[&desk]).await;
    let opened = desk.open(&sent.legs[0].1, &worker).await.value();
    places_nowhere(&opened["document"].to_string());
    assert_eq!(opened["document"]["sections"], json!(["identity", "needs", "narrative"]));
    let mut everybody = cast.everybody();
    everybody.extend([far, desk]);
    everybody
}

/// The path of a step of a protection.
fn step(made: &Value, verb: &str) -> String {
    format!("/v1/protections/{}/{verb}", made["id"].as_str().unwrap())
}

async fn one_person_hides_and_two_show(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (boss, other) = (site.hire("supervisor").await, site.hire("supervisor").await);
    let made = protect(site, &paper(&boss)).await;
    let (leg, delivery) = send(town, &cast, &[nursery]).await.legs.remove(0);
    let mut weaker = paper(&boss);
    weaker.as_object_mut().unwrap().remove("case");
    let stronger = {
        let mut terms = weaker.clone();
        terms["hidden_from"] = json!([{"municipality": CITY}, {"municipality": "141305"}]);
        terms
    };
    assert_eq!(site.post_at(1, &step(&made, "change"), &stronger).await.value()["step"], "changed");
    let asked = site.post_at(2, &step(&made, "change"), &weaker).await.value();
    assert_eq!((&asked["step"], &asked["state"]), (&json!("change_asked"), &json!("active")));
    let seen = site.get(&format!("/v1/protections/{}", made["id"].as_str().unwrap())).await.value();
    assert_eq!(seen["terms"]["hidden_from"].as_array().unwrap().len(), 2, "nothing has changed yet: {seen}");

    let asked =
        site.post_at(3, &step(&made, "release"), &json!({"by": boss, "reason": "転居"})).await.value();
    assert_eq!((&asked["step"], &asked["version"]), (&json!("release_asked"), &json!(4)));
    for (who, why) in [(&boss, "who asked"), (writer, "no supervisor")] {
        let refused = site.post_at(4, &step(&made, "approve"), &json!({"by": who})).await;
        assert_eq!((refused.code(), &refused.json()["code"]), (403, &json!("APPROVER_REQUIRED")), "{why}");
        assert_eq!(payload(refused.json()["signed"].as_str().unwrap())["code"], "APPROVER_REQUIRED");
    }
    hidden(nursery.open(&delivery, clerk).await);
    let released = site.post_at(4, &step(&made, "approve"), &json!({"by": other})).await.value();
    assert_eq!(
        (&released["state"], &released["asked_by"], &released["by"]),
        (&json!("released"), &json!(boss), &json!(other))
    );
    assert_eq!(released["legs"][0]["leg"], leg.as_str());
    hidden(nursery.open(&delivery, clerk).await);
    let anew = send(town, &cast, &[nursery]).await.legs.remove(0).1;
    let shown = nursery.open(&anew, clerk).await.value();
    assert_eq!(
        shown["document"]["content"]["address"][0]["town"], TOWN,
        "what was hidden at sending stays so"
    );
    let late = site.post_at(5, &step(&made, "change"), &weaker).await;
    assert_eq!((late.code(), late.problem()), (409, "illegal-transition".to_owned()));
    let again = protect(site, &paper(writer)).await;
    assert_ne!(again["id"], made["id"]);
    let found = site.get(&format!("/v1/protections?case={CASE}")).await.value();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["id"], again["id"]);
    cast.everybody()
}

async fn the_end_of_the_measure_ends_no_protection(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut terms = paper(writer);
    terms["remind_on"] = json!(town.day(-14));
    protect(site, &terms).await;
    let sent = send(town, &cast, &[nursery]).await;
    hidden(nursery.open(&sent.legs[0].1, clerk).await);
    town.advance(Duration::from_secs(30 * 86_400));
    hidden(nursery.open(&sent.legs[0].1, clerk).await);
    cast.everybody()
}

async fn a_lift_shows_the_address_to_one_recipient_for_minutes(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, family, carer } = &cast;
    let boss = site.hire("supervisor").await;
    let mut terms = paper(writer);
    let blocked = town.agency(AgencyKind::Npo).await;
    terms["blocked"] = json!([blocked.id]);
    let made = protect(site, &terms).await;
    let early = send(town, &cast, &[nursery]).await.legs.remove(0).1;
    let ask = |to: &Agency| json!({"by": writer, "recipient": to.id, "purpose": "SHOKAI", "reason": "救急搬送", "minutes": 15});
    let refused = site.post_at(1, &step(&made, "unlock"), &ask(&blocked)).await;
    assert_eq!(refused.json()["code"], "RECIPIENT_BLOCKED", "to those a family flees nothing is ever opened");
    let asked = site.post_at(1, &step(&made, "unlock"), &ask(nursery)).await.value();
    assert_eq!((&asked["step"], asked.get("lift")), (&json!("unlock_asked"), None));
    let given = site.post_at(2, &step(&made, "approve"), &json!({"by": boss})).await.value();
    assert_eq!((&given["step"], &given["lift"]["recipient"]), (&json!("unlocked"), &json!(nursery.id)));

    let sent = send(town, &cast, &[nursery, family]).await;
    let shown = nursery.open(&sent.legs[0].1, clerk).await.value();
    assert_eq!(shown["document"]["content"]["address"][0]["town"], TOWN);
    assert_eq!(shown["document"]["content"]["address"][0]["concealed"], true);
    hidden(family.open(&sent.legs[1].1, carer).await);
    hidden(nursery.open(&early, clerk).await);
    town.advance(Duration::from_secs(15 * 60));
    hidden(nursery.open(&sent.legs[0].1, clerk).await);
    let mut everybody = cast.everybody();
    everybody.push(blocked);
    everybody
}

async fn a_record_that_does_not_open_hides_everything(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    protect(site, &paper(writer)).await;
    let sent = send(town, &cast, &[nursery]).await;
    town.by_hand("DELETE FROM protection_version".to_owned()).await;
    let document = hidden(nursery.open(&sent.legs[0].1, clerk).await);
    assert!(document["content"].get("narrative").is_none(), "nobody can say whether it names a place");
    let later = send(town, &cast, &[nursery]).await;
    hidden(nursery.open(&later.legs[0].1, clerk).await);
    assert_eq!(site.leg(&later.legs[0].0).await["withheld"][0]["why"], "W_CONCEALED");
    cast.everybody()
}

async fn a_referral_without_a_case_is_protected_by_itself(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut document = introduction(town, &cast, &[nursery]).await;
    document.as_object_mut().unwrap().remove("case");
    let sent = Sent::read(&site.submit(&document).await.value());
    let mut terms = paper(writer);
    terms.as_object_mut().unwrap().remove("case");
    terms["referral"] = json!(sent.referral);
    let made = protect(site, &terms).await;
    assert_eq!(made["referral"], sent.referral.as_str());
    hidden(nursery.open(&sent.legs[0].1, clerk).await);
    let found = site.get(&format!("/v1/protections?referral={}", sent.referral)).await.value();
    assert_eq!(found["items"][0]["id"], made["id"]);
    cast.everybody()
}

async fn a_protection_names_what_is_there_and_nobody_twice(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let good = paper(writer);
    let nobody = "0192f000-0000-4000-8000-00000000dead";
    let before = town.rows().await;
    for (pointer, value) in [
        ("/hidden_from", json!([{"agency": nobody}])),
        ("/hidden_from", json!([{"municipality": "011001"}])),
        ("/hidden_from", json!([{"agency": nursery.id, "municipality": CITY}])),
        ("/hidden_from", json!([{"desk": nursery.id}])),
        ("/hidden_from", json!([])),
        ("/blocked", json!([nobody])),
        ("/by", json!(clerk)),
        ("/texts_confirmed_by", json!(clerk)),
        ("/referral", json!(nobody)),
        ("/case", json!("c1")),
        ("/ground", json!("")),
    ] {
        let mut bad = good.clone();
        bad[pointer.trim_start_matches('/')] = value;
        let refused = site.post("/v1/protections", &bad).await;
        assert_eq!((refused.code(), refused.problem()), (422, "schema-violation".to_owned()), "{pointer}");
        places_nowhere(refused.text());
    }
    assert_eq!(town.rows().await, before);
    protect(site, &good).await;
    let twice = site.post("/v1/protections", &good).await;
    assert_eq!((twice.code(), twice.problem()), (409, "already-there".to_owned()));
    let elsewhere = nursery.post("/v1/protections", &paper(clerk)).await;
    assert_eq!(elsewhere.code(), 201, "the case of another agency is another case");
    cast.everybody()
}

/// The opening is either before the concealment or after it, and the concealment's answer says which.
async fn a_concealment_races_an_opening(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut shown = 0;
    for pair in 0..PAIRS {
        let case = format!("0192f000-0000-7000-8000-{pair:012x}");
        let mut document = introduction(town, &cast, &[nursery]).await;
        document["case"] = json!(case);
        let sent = Sent::read(&site.submit(&document).await.value());
        let (leg, delivery) = &sent.legs[0];
        let mut terms = paper(writer);
        terms["case"] = json!(case);
        // One of the two gets a head start, in turns.
        let (ahead, behind) = if pair % 2 == 0 { (0, pair) } else { (2 * pair, 0) };
        let (open, made) = tokio::join!(
            pause(behind, nursery.open(delivery, clerk)),
            pause(ahead, site.post("/v1/protections", &terms))
        );
        let (open, made) = (open.value(), made.value());
        let before = made["legs"][0]["disclosed"] == true;
        let address = &open["document"]["content"]["address"][0];
        assert_eq!(address["town"] == TOWN, before, "pair {pair}: {made} {address}");
        assert_eq!(address["note"].is_string(), !before, "pair {pair}: {address}");
        assert_eq!(made["legs"][0]["seq"], if before { 2 } else { 1 }, "pair {pair}: {made}");
        assert_eq!(nursery.ladder(leg).await, ["R0", "R1", "R2", "R3"]);
        hidden(nursery.open(delivery, clerk).await);
        shown += usize::from(before);
    }
    println!("of {PAIRS} openings {shown} came before the concealment");
    cast.everybody()
}

/// Gives the other of two that race a head start, a little longer each time.
async fn pause<T>(pair: usize, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_micros(pair as u64 * 400)).await;
    then.await
}

//! Conflicts of interest: whoever is related to a family does not open what is said about it; another person of the
//! agency does, and the clocks run on.

use std::time::Duration;

use serde_json::{Value, json};
use tsunagu::domain::agency::AgencyKind;

use super::{due_now, items, look};
use crate::support::{
    cast::{Cast, Sent},
    ending::payload,
    stories::stories,
    town::{Agency, Town, fresh_key},
};

stories! {
    whom_the_sender_names_does_not_open_and_another_person_does,
    a_name_alone_asks_the_reader_and_locks_nobody_out,
    a_declared_relation_stands_until_another_supervisor_ends_it,
    a_related_officer_does_not_open_a_notice_and_its_clock_runs_on,
    a_declaration_races_an_opening,
}

const CASE: &str = "0192f000-0000-7000-8000-0000000000c7";

async fn hire(agency: &Agency, name: &str, kana: &str) -> String {
    agency.post("/v1/staff", &json!({"role": "agency_staff", "name": name, "kana": kana})).await.at("/id")
}

/// Sends the nursery a leg that names people who work there.
async fn send(town: &Town, cast: &Cast, related: Value) -> (String, String) {
    let consent = cast.consent(town, &[&cast.nursery]).await;
    let mut paper = town.introduction(&cast.writer, &consent, &[&cast.nursery]);
    paper["legs"][0]["related"] = related;
    paper["case"] = json!(CASE);
    Sent::read(&cast.site.submit(&paper).await.value()).legs.remove(0)
}

#[track_caller]
fn code(reply: &crate::support::town::Reply) -> (u16, String) {
    (reply.code(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn refused(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

/// DC-155 to DC-157.
async fn whom_the_sender_names_does_not_open_and_another_person_does(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, clerk, .. } = &cast;
    let aunt = hire(nursery, "髙橋　みちる", "タカハシ ミチル").await;
    let mother = hire(nursery, "山辺 あかり", "やまべ あかり").await;
    let officer = nursery.hire("privacy_officer").await;
    let related = json!([
        {"name": "高橋みちる", "kana": "たかはし　みちる", "relation": "relative"},
        {"staff": mother, "relation": "party"},
    ]);
    let (leg, delivery) = send(town, &cast, related).await;
    for person in [&aunt, &mother] {
        let no = nursery.open(&delivery, person).await;
        assert_eq!(code(&no), refused("CONFLICT_OF_INTEREST"));
        assert_eq!(payload(no.json()["signed"].as_str().unwrap())["code"], "CONFLICT_OF_INTEREST");
        assert!(!no.text().contains("みちる") && !no.text().contains("あかり"), "{}", no.text());
    }
    assert_eq!(nursery.leg(&leg).await["delivery_state"], "waiting", "nothing was opened by that");
    nursery.open(&delivery, clerk).await.good();
    let noted = look(nursery, &format!("/v1/audit?staff={aunt}"), &officer, None).await.value();
    assert_eq!(items(&noted)[0]["decision"], "CONFLICT_OF_INTEREST", "{noted}");
    let ours = site.leg(&leg).await;
    assert_eq!(
        ours["related"],
        json!([
            {"name": "高橋みちる", "relation": "relative"}, {"staff": mother, "relation": "party"},
        ])
    );
    for path in [format!("/v1/legs/{leg}"), format!("/v1/deliveries/{delivery}/relations")] {
        let theirs = nursery.get(&path).await.good();
        assert!(!theirs.text().contains("みちる") && !theirs.text().contains("party"), "{}", theirs.text());
    }
    for bad in [
        json!([{"relation": "relative"}]),
        json!([{"staff": mother, "name": "高橋", "relation": "relative"}]),
        json!([{"name": "高橋", "relation": "cousin"}]),
    ] {
        let consent = cast.consent(town, &[nursery]).await;
        let mut paper = town.introduction(&cast.writer, &consent, &[nursery]);
        paper["legs"][0]["related"] = bad;
        assert_eq!(site.submit(&paper).await.problem(), "schema-violation");
    }
    cast.everybody()
}

async fn a_name_alone_asks_the_reader_and_locks_nobody_out(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { nursery, clerk, .. } = &cast;
    let (namesake, aunt) = (
        hire(nursery, "高橋 みちる", "たかはし みちる").await,
        hire(nursery, "高橋 美智留", "タカハシミチル").await,
    );
    let other_reading = hire(nursery, "高橋 みちる", "こうきょう みちる").await;
    let (_, delivery) = send(town, &cast, json!([{"name": "髙橋みちる", "relation": "relative"}])).await;
    let (_, read) =
        send(town, &cast, json!([{"name": "高橋未知", "kana": "たかはしみちる", "relation": "relative"}]))
            .await;
    let asked = nursery.open(&delivery, &namesake).await;
    assert_eq!(code(&asked), refused("RELATION_UNCLEAR"));
    assert!(asked.json()["mend"].as_str().unwrap().contains("/v1/deliveries/{id}/relations"));
    assert_eq!(code(&nursery.open(&read, &aunt).await), refused("RELATION_UNCLEAR"), "read alike");
    assert_eq!(code(&nursery.open(&delivery, &other_reading).await), refused("RELATION_UNCLEAR"));
    nursery.open(&delivery, clerk).await.good();

    let path = format!("/v1/deliveries/{delivery}/relations");
    let denied = |by: &str| json!({"by": by, "staff": namesake, "step": "denied"});
    assert_eq!(
        nursery.post(&path, &denied(clerk)).await.problem(),
        "forbidden",
        "it is the person's own word"
    );
    let key = fresh_key();
    let done = nursery.post_under(&key, &path, &denied(&namesake)).await;
    assert_eq!((done.code(), &done.json()["seq"]), (201, &json!(1)));
    assert_eq!(nursery.post_under(&key, &path, &denied(&namesake)).await.text(), done.text());
    nursery.open(&delivery, &namesake).await.good();
    nursery
        .post(&path, &json!({"by": aunt, "staff": aunt, "step": "declared", "relation": "relative"}))
        .await;
    assert_eq!(code(&nursery.open(&delivery, &aunt).await), refused("CONFLICT_OF_INTEREST"));
    cast.everybody()
}

async fn a_declared_relation_stands_until_another_supervisor_ends_it(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let (boss, head) = (nursery.hire("supervisor").await, nursery.hire("supervisor").await);
    let (_, delivery) = send(town, &cast, json!([])).await;
    nursery.open(&delivery, &boss).await.good();
    let path = format!("/v1/deliveries/{delivery}/relations");
    let say = async |by: &str, staff: &str, step: &str| {
        let body = json!({"by": by, "staff": staff, "step": step, "relation": "neighbour", "note": "隣の家"});
        nursery.post(&path, &body).await
    };
    assert_eq!(say(clerk, &boss, "declared").await.problem(), "forbidden", "of others a supervisor speaks");
    let without = json!({"by": boss, "staff": boss, "step": "declared"});
    assert_eq!(nursery.post(&path, &without).await.problem(), "schema-violation");
    say(&boss, &boss, "declared").await.good();
    let no = nursery.open(&delivery, &boss).await;
    assert_eq!(code(&no), refused("CONFLICT_OF_INTEREST"));
    assert!(!no.text().contains("隣の家"));
    town.advance(Duration::from_secs(60 * 86_400));
    let (_, later) = send(town, &cast, json!([])).await;
    for copy in [&delivery, &later] {
        assert_eq!(
            code(&nursery.open(copy, &boss).await),
            refused("CONFLICT_OF_INTEREST"),
            "it never expires"
        );
    }
    let another = cast.consent(town, &[nursery]).await;
    let elsewhere =
        site.submit(&town.introduction(writer, &another, &[nursery])).await.at("/legs/0/delivery");
    nursery.open(&elsewhere, &boss).await.good();
    assert_eq!(say(&boss, &boss, "ended").await.problem(), "forbidden", "nobody frees himself");
    assert_eq!(say(clerk, &boss, "ended").await.problem(), "forbidden");
    say(&head, &boss, "ended").await.good();
    nursery.open(&later, &boss).await.good();
    let seen = nursery.get(&format!("/v1/deliveries/{later}/relations")).await.value();
    let steps: Vec<_> = items(&seen).iter().map(|one| one["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["declared", "ended"], "{seen}");
    assert_eq!(
        (&items(&seen)[0]["note"], &items(&seen)[0]["relation"]),
        (&json!("隣の家"), &json!("neighbour"))
    );
    assert_eq!(site.get(&path).await.problem(), "not-found", "it is not the sender's to know");
    due_now(town).await;
    cast.everybody()
}

/// DC-071.
async fn a_related_officer_does_not_open_a_notice_and_its_clock_runs_on(town: &mut Town) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let centre = town.agency(AgencyKind::ChildGuidance).await;
    let head = nursery.hire("agency_staff").await;
    let (brother, desk) = (centre.hire("duty_desk").await, centre.hire("duty_desk").await);
    let mut notice = town.notice(&head, &centre);
    notice["legs"][0]["related"] = json!([{"staff": brother, "relation": "relative"}]);
    let sent = Sent::read(&nursery.submit(&notice).await.value());
    let (leg, delivery) = &sent.legs[0];
    let clock = centre.leg(leg).await["clocks"][0].clone();
    let no = centre.open(delivery, &brother).await;
    assert_eq!(code(&no), refused("CONFLICT_OF_INTEREST"));
    assert!(no.json()["mend"].as_str().unwrap().contains("別の職員"), "{}", no.text());
    let seen = centre.open(delivery, &desk).await.value();
    assert_eq!(seen["document"]["content"]["notifier"][0]["name"]["family"], "通告者");
    assert!(!seen.to_string().contains("related"), "{seen}");
    assert_eq!(centre.leg(leg).await["clocks"][0], clock);
    vec![nursery, centre]
}

async fn a_declaration_races_an_opening(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let nursery = &cast.nursery;
    let boss = nursery.hire("supervisor").await;
    for _ in 0..8 {
        let consent = cast.consent(town, &[nursery]).await;
        let sent = cast.site.submit(&town.introduction(&cast.writer, &consent, &[nursery])).await;
        let delivery = sent.at("/legs/0/delivery");
        let path = format!("/v1/deliveries/{delivery}/relations");
        let said = json!({"by": boss, "staff": cast.clerk, "step": "declared", "relation": "relative"});
        let (declared, opened) =
            tokio::join!(nursery.post(&path, &said), nursery.open(&delivery, &cast.clerk));
        declared.good();
        assert!(
            opened.code() == 200 || code(&opened) == refused("CONFLICT_OF_INTEREST"),
            "{}",
            opened.text()
        );
        let late = nursery.open(&delivery, &cast.clerk).await;
        assert_eq!(code(&late), refused("CONFLICT_OF_INTEREST"), "once it is declared nothing opens");
    }
    cast.everybody()
}

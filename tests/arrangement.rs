//! Councils, contracts, joint uses and stated purposes told as stories, over HTTP and on both engines.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went")]

mod support;

#[path = "arrangement/decided.rs"]
mod decided;
#[path = "arrangement/stage.rs"]
mod stage;

use serde_json::{Value, json};
use stage::{Council, case};
use support::{
    stories::stories,
    town::{Agency, Town},
};
use tsunagu::domain::agency::AgencyKind;

stories! {
    what_was_in_force_stays_answerable,
    the_register_is_the_keepers,
    a_change_needs_the_version_that_was_read,
    an_arrangement_says_what_is_wrong_with_it,
}

async fn what_was_in_force_stays_answerable(town: &mut Town) -> Vec<Agency> {
    let Council { centre, boss, clinic, id, .. } = Council::of(town).await;
    let nursery = town.agency(AgencyKind::Nursery).await;
    let path = format!("/v1/arrangements/{id}");
    let add = json!({"by": boss, "agency": nursery.id, "first_day": town.day(0)});
    let added = centre.post_at(1, &format!("{path}/members"), &add).await.value();
    assert_eq!(
        (&added["version"], &added["step"], &added["agency"]),
        (&json!(2), &json!("add_member"), &json!(nursery.id))
    );
    let end = json!({"by": boss, "last_day": town.day(3)});
    centre.post_at(2, &format!("{path}/members/{}/end", nursery.id), &end).await.good();
    centre.post_at(3, &format!("{path}/end"), &json!({"by": boss, "last_day": town.day(9)})).await.good();

    let members = async |who: &Agency, version: i64| -> Value {
        who.get(&format!("{path}?version={version}")).await.value()["members"].clone()
    };
    let of_the_clinic = json!({"agency": clinic.id, "first_day": town.day(-30)});
    let of_the_nursery = |last: Option<String>| {
        let mut member = json!({"agency": nursery.id, "first_day": town.day(0)});
        last.into_iter().for_each(|day| member["last_day"] = json!(day));
        member
    };
    assert_eq!(members(&centre, 1).await, json!([of_the_clinic]));
    assert!(members(&centre, 2).await.as_array().unwrap().contains(&of_the_nursery(None)));
    assert!(members(&centre, 3).await.as_array().unwrap().contains(&of_the_nursery(Some(town.day(3)))));
    let now = centre.get(&path).await.value();
    assert_eq!((&now["version"], &now["last_day"]), (&json!(4), &json!(town.day(9))));
    assert_eq!(centre.get(&format!("{path}?version=3")).await.value()["last_day"], Value::Null);
    let steps: Vec<_> =
        now["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["end", "end_member", "add_member", "record"]);
    for never in [0, 5] {
        assert_eq!(centre.get(&format!("{path}?version={never}")).await.problem(), "not-found");
    }

    assert_eq!(members(&nursery, 4).await.as_array().unwrap().len(), 2, "a member sees the others");
    let its_own = of_the_nursery(Some(town.day(3)));
    town.advance(std::time::Duration::from_secs(4 * 86_400));
    assert_eq!(members(&nursery, 4).await, json!([its_own]), "and then its own days");
    assert_eq!(members(&clinic, 4).await.as_array().unwrap().len(), 2);
    assert_eq!(nursery.get(&path).await.value()["steps"], Value::Null);
    vec![centre, clinic, nursery]
}

async fn the_register_is_the_keepers(town: &mut Town) -> Vec<Agency> {
    let Council { centre, boss, clinic, chief, id, .. } = Council::of(town).await;
    let path = format!("/v1/arrangements/{id}");
    let (ours, theirs) = (case(), case());
    let register = |by: &str, case: &str| json!({"by": by, "case": case, "first_day": town.day(-1)});
    let first = centre.post_at(1, &format!("{path}/cases"), &register(&boss, &ours)).await;
    let second = clinic.post_at(2, &format!("{path}/cases"), &register(&chief, &theirs)).await;
    let look = async |who: &Agency, staff: &str, more: &str| {
        let asked = who.request("GET", &format!("{path}/cases{more}")).await;
        who.send(asked.header("tsunagu-staff", staff)).await
    };
    let seen = look(&centre, &boss, "").await.value();
    let told: Vec<_> =
        seen["items"].as_array().unwrap().iter().map(|one| (&one["case"], &one["agency"])).collect();
    assert_eq!(told, [(&json!(ours), &json!(centre.id)), (&json!(theirs), &json!(clinic.id))]);
    let page = look(&centre, &boss, "?limit=1").await.value();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let next =
        look(&centre, &boss, &format!("?limit=1&after={}", page["next"].as_str().unwrap())).await.value();
    assert_eq!((&next["items"][0]["case"], &next["next"]), (&json!(theirs), &Value::Null));
    assert_eq!(look(&clinic, &chief, "").await.problem(), "forbidden");

    let last = |by: &str| json!({"by": by, "last_day": town.day(2)});
    let end = |entry: &str| format!("{path}/cases/{entry}/end");
    let not_its_own = clinic.post_at(3, &end(&first.at("/entry")), &last(&chief)).await;
    assert_eq!(not_its_own.problem(), "not-found", "a member ends what it registered");
    clinic.post_at(3, &end(&second.at("/entry")), &last(&chief)).await.good();
    let twice = centre.post_at(4, &end(&second.at("/entry")), &last(&boss)).await;
    assert_eq!(twice.problem(), "illegal-transition");
    let seen = look(&centre, &boss, "").await.value();
    assert_eq!(seen["items"][1]["last_day"], json!(town.day(2)));
    let again = centre.post_at(4, &format!("{path}/cases"), &register(&boss, &theirs)).await;
    assert_eq!(again.problem(), "already-there", "the days overlap");
    let later = json!({"by": boss, "case": theirs, "first_day": town.day(3)});
    centre.post_at(4, &format!("{path}/cases"), &later).await.good();
    vec![centre, clinic]
}

async fn a_change_needs_the_version_that_was_read(town: &mut Town) -> Vec<Agency> {
    let Council { centre, boss, clinic, id, .. } = Council::of(town).await;
    let path = format!("/v1/arrangements/{id}/members");
    let (one, other) = (town.agency(AgencyKind::School).await, town.agency(AgencyKind::Police).await);
    let add = |agency: &Agency| json!({"by": boss, "agency": agency.id, "first_day": town.day(0)});
    let (first, second) = (add(&one), add(&other));
    let (a, b) = tokio::join!(centre.post_at(1, &path, &first), centre.post_at(1, &path, &second));
    let mut codes = [a.code(), b.code()];
    codes.sort_unstable();
    assert_eq!(codes, [200, 412], "{} {}", a.text(), b.text());
    let request = centre.request("POST", &path).await.header("idempotency-key", "no-version");
    assert_eq!(centre.send(request.json(&first)).await.problem(), "version-missing");
    let key = support::town::fresh_key();
    let again = async || {
        let request = centre.request("POST", &path).await.header("idempotency-key", &key);
        let clinic_again =
            json!({"by": boss, "agency": clinic.id, "first_day": town.day(100), "last_day": town.day(200)});
        centre.send(request.header("if-match", "\"2\"").json(&clinic_again)).await
    };
    let refused = again().await;
    assert_eq!(refused.problem(), "already-there", "the clinic is a member until further notice");
    let end = json!({"by": boss, "last_day": town.day(50)});
    centre.post_at(2, &format!("{path}/{}/end", clinic.id), &end).await.good();
    assert_eq!(again().await.problem(), "version-stale");
    let added = json!({"by": boss, "agency": clinic.id, "first_day": town.day(51)});
    let under = async || {
        let request = centre.request("POST", &path).await.header("idempotency-key", "twice");
        centre.send(request.header("if-match", "\"3\"").json(&added)).await
    };
    let (once, twice) = (under().await, under().await);
    assert_eq!((once.code(), once.text()), (200, twice.text()), "the same request, the same answer");
    assert_eq!(twice.header("idempotency-replayed"), Some("true"));
    vec![centre, clinic, one, other]
}

async fn an_arrangement_says_what_is_wrong_with_it(town: &mut Town) -> Vec<Agency> {
    let Council { centre, boss, clinic, chief, id, .. } = Council::of(town).await;
    let good = json!({
        "by": boss, "kind": "contract", "title": "拠点の運営委託", "purpose": "利用者支援", "sections": ["identity"],
        "first_day": town.day(0), "last_day": town.day(30), "members": [{"agency": clinic.id}],
    });
    let with = |pointer: &str, value: Value| {
        let mut paper = good.clone();
        *paper.pointer_mut(pointer).unwrap() = value;
        paper
    };
    let before = town.rows().await;
    for (paper, pointer, code) in [
        (with("/last_day", json!(town.day(-1))), "/last_day", "period"),
        (with("/kind", json!("joint_use")), "/kind", "keeper_kind"),
        (with("/kind", json!("guild")), "/kind", "enum"),
        (with("/members/0/agency", json!(case())), "/members/0/agency", "agency_unknown"),
        (with("/members/0/agency", json!(centre.id)), "/members/0/agency", "keeper_is_member"),
        (with("/by", json!(chief)), "/by", "staff_unknown"),
    ] {
        let refused = centre.post("/v1/arrangements", &paper).await;
        let fault = &refused.json()["errors"][0];
        assert_eq!((refused.code(), &fault["pointer"]), (422, &json!(pointer)), "{}", refused.text());
        assert!(code == "enum" || fault["code"] == code, "{fault}");
    }
    let not_a_council = centre.post("/v1/arrangements", &good).await.at("/id");
    assert_eq!(town.rows().await["arrangement"], before["arrangement"] + 1);
    let registered = json!({"by": boss, "case": case(), "first_day": town.day(0)});
    let refused = centre.post_at(1, &format!("/v1/arrangements/{not_a_council}/cases"), &registered).await;
    assert_eq!((refused.code(), &refused.json()["errors"][0]["code"]), (422, &json!("no_register")));
    let clerk = clinic.hire("supervisor").await;
    let mine = json!({"by": clerk, "agency": centre.id, "first_day": town.day(0)});
    let refused = clinic.post_at(1, &format!("/v1/arrangements/{id}/members"), &mine).await;
    assert_eq!(refused.problem(), "forbidden", "a member sees the council and does not change it");
    let stranger = town.agency(AgencyKind::Npo).await;
    assert_eq!(stranger.get(&format!("/v1/arrangements/{id}")).await.problem(), "not-found");
    assert!(stranger.get("/v1/arrangements").await.value()["items"].as_array().unwrap().is_empty());
    let listed = clinic.get("/v1/arrangements").await.value();
    let ids: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [not_a_council.as_str(), &id], "newest first");
    vec![centre, clinic, stranger]
}

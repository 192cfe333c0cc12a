//! Cases told as stories, over HTTP and on both engines: a nameless talk becomes a household's thread, which two people
//! keep, and which nobody outside their agency ever sees.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod support;

#[path = "case/sight.rs"]
mod sight;

use serde_json::{Value, json};
use sight::*;
use support::{
    cast::Cast,
    stories::stories,
    town::{Agency, Reply, Town, fresh_key},
};

stories! {
    a_talk_becomes_a_case_once,
    members_join_and_every_version_stays,
    a_second_plan_leaves_the_first_as_it_was,
    an_entry_is_corrected_by_a_later_one_and_never_lost,
    a_deputy_finds_what_an_absent_colleague_keeps,
    a_case_closes_with_its_result_and_opens_again,
    of_two_changes_one_wins,
    what_names_a_case_hangs_on_it_from_then_on,
    a_colleagues_notice_stays_out_of_the_thread,
    to_another_agency_there_is_no_case,
    every_look_is_on_record_before_it_is_answered,
    talks_are_listed_by_day_and_page,
    nothing_of_a_household_stands_in_the_ledger,
    a_request_repeated_is_answered_alike,
}

/// How many pairs race.
const PAIRS: usize = 12;

fn talk(by: &str) -> Value {
    json!({
        "by": by, "channel": "OUTREACH", "place": "おやこDE広場", "needs": ["RESPITE", "ISOLATION"],
        "result": "CONTINUES", "minutes": 15, "note": "一時預かりを断られたとのこと",
    })
}

/// A mother and her child, as far as a coordinator knows them on the first day.
fn household(by: &str) -> Value {
    json!({
        "by": by, "class": "ippan",
        "members": [{ "ref": "mother", "role": "guardian" }, { "ref": "child-1", "role": "child", "birth_date": "2023" }],
        "relations": [{ "kind": "parent", "of": "mother", "to": "child-1" }],
    })
}

fn plan(by: &str, wishes: &str) -> Value {
    json!({
        "by": by, "wishes": wishes, "issues": ["頼れる人が近くにいない"],
        "supports": [{ "kind": "一時預かり", "content": "週1回", "provider": "保育所" }],
        "other": "ファミリー・サポートの説明会",
    })
}

async fn open(site: &Agency, by: &str) -> String {
    site.post("/v1/cases", &household(by)).await.at("/id")
}

/// Looks at a path in the name of a member of staff.
async fn look(agency: &Agency, path: &str, staff: &str) -> Reply {
    agency.send(agency.request("GET", path).await.header("tsunagu-staff", staff)).await
}

async fn seen(site: &Agency, case: &str, staff: &str) -> Value {
    look(site, &format!("/v1/cases/{case}"), staff).await.value()
}

async fn step(site: &Agency, version: i64, case: &str, verb: &str, body: &Value) -> Reply {
    site.post_at(version, &format!("/v1/cases/{case}/{verb}"), body).await
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

async fn a_talk_becomes_a_case_once(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let short = site.post("/v1/consultations", &json!({ "by": writer, "channel": "PHONE" })).await;
    short.good();
    let noted = site.post("/v1/consultations", &talk(writer)).await.at("/id");
    let path = format!("/v1/consultations/{noted}");
    let read = look(site, &path, writer).await.value();
    assert_eq!((&read["channel"], &read["note"]), (&json!("OUTREACH"), &talk(writer)["note"]));
    assert!(read.get("case").is_none());

    let opened = site.post(&format!("{path}/case"), &household(writer)).await.value();
    assert_eq!((&opened["state"], &opened["version"]), (&json!("open"), &json!(1)));
    assert_eq!((&opened["responsible"], &opened["consultation"]), (&json!(writer), &json!(noted)));
    let case = opened["id"].as_str().unwrap();
    assert_eq!(look(site, &path, writer).await.value()["case"], case);
    assert_eq!(seen(site, case, writer).await["consultation"], noted.as_str());

    let again = site.post(&format!("{path}/case"), &household(writer)).await;
    assert_eq!((again.code(), again.problem()), (409, "already-there".to_owned()));
    assert_eq!(again.json()["errors"][0]["code"], "consultation_has_case");

    // Two who open it in the same moment: one case comes of it.
    let noted = site.post("/v1/consultations", &talk(writer)).await.at("/id");
    let (path, paper) = (format!("/v1/consultations/{noted}/case"), household(writer));
    let (one, other) = tokio::join!(site.post(&path, &paper), site.post(&path, &paper));
    let mut codes = [one.code(), other.code()];
    codes.sort_unstable();
    assert_eq!(codes, [201, 409]);
    let cases = site.get("/v1/cases").await.value();
    assert_eq!(ids(&cases).len(), 2);
    cast.everybody()
}

async fn members_join_and_every_version_stays(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let case = open(site, writer).await;
    let mut larger = household(writer);
    larger["class"] = json!("yoshien");
    larger["responsible"] = json!(writer);
    larger["members"][0]["name"] = json!({ "family": "山辺\u{e0100}", "given": "楓" });
    let father = json!({ "ref": "father", "role": "cohabitant", "phone": "090-0000-0000" });
    larger["members"].as_array_mut().unwrap().push(father);
    let line = json!({ "kind": "spouse", "of": "mother", "to": "father" });
    larger["relations"].as_array_mut().unwrap().push(line);
    assert_eq!(step(site, 1, &case, "change", &larger).await.value()["step"], "changed");

    let now = seen(site, &case, writer).await;
    assert_eq!((&now["version"], &now["class"]), (&json!(2), &json!("yoshien")));
    assert_eq!((&now["members"], &now["relations"]), (&larger["members"], &larger["relations"]));
    let then = look(site, &format!("/v1/cases/{case}?version=1"), writer).await.value();
    assert_eq!((&then["version"], &then["class"]), (&json!(1), &json!("ippan")));
    assert_eq!(then["members"], household(writer)["members"]);
    assert!(then.get("entries").is_none(), "what hangs on a case hangs on it now");
    assert_eq!(look(site, &format!("/v1/cases/{case}?version=3"), writer).await.code(), 404);

    let mut stranger = larger.clone();
    stranger["relations"][0]["to"] = json!("aunt");
    let refused = step(site, 2, &case, "change", &stranger).await;
    assert_eq!(refused.json()["errors"][0]["code"], "relation_member");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/relations/0/to");
    let mut alone = larger.clone();
    alone["deputy"] = json!(writer);
    let refused = step(site, 2, &case, "change", &alone).await;
    assert_eq!(refused.json()["errors"][0]["code"], "deputy");
    cast.everybody()
}

async fn a_second_plan_leaves_the_first_as_it_was(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let case = open(site, writer).await;
    assert!(seen(site, &case, writer).await.get("plan").is_none());
    let first = step(site, 1, &case, "plan", &plan(writer, "短時間の預かり")).await.value();
    assert_eq!((&first["plan"], &first["version"]), (&json!(1), &json!(2)));
    step(site, 2, &case, "plan", &plan(writer, "復職の準備")).await.good();
    let now = seen(site, &case, writer).await;
    assert_eq!((&now["plan"]["number"], &now["plan"]["wishes"]), (&json!(2), &json!("復職の準備")));
    assert_eq!(now["plan"]["supports"], plan(writer, "")["supports"]);
    let then = look(site, &format!("/v1/cases/{case}?version=2"), writer).await.value();
    assert_eq!(then["plan"]["wishes"], "短時間の預かり");
    let plans = look(site, &format!("/v1/cases/{case}/plans?limit=1"), writer).await.value();
    assert_eq!((&plans["items"][0]["number"], &plans["next"]), (&json!(2), &json!("2")));
    let rest = look(site, &format!("/v1/cases/{case}/plans?limit=1&before=2"), writer).await.value();
    assert_eq!((&rest["items"][0]["wishes"], rest.get("next")), (&json!("短時間の預かり"), None));
    for item in ["wishes", "issues", "supports"] {
        let mut paper = plan(writer, "復職");
        paper.as_object_mut().unwrap().remove(item);
        assert_eq!(step(site, 3, &case, "plan", &paper).await.code(), 422, "{item} is an item of the law");
    }
    cast.everybody()
}

async fn an_entry_is_corrected_by_a_later_one_and_never_lost(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let case = open(site, writer).await;
    let path = format!("/v1/cases/{case}/entries");
    let entry = |text: &str, at: &str| json!({ "by": writer, "at": at, "channel": "PHONE", "with": "母", "text": text });
    let wrong = site.post(&path, &entry("火曜に面談", &town.time(-90))).await.at("/id");
    site.post(&path, &entry("保育所を見学", &town.time(-60))).await.good();
    let mut correction = entry("水曜に面談", &town.time(-90));
    correction["corrects"] = json!(wrong);
    let right = site.post(&path, &correction).await.at("/id");

    let all = look(site, &path, writer).await.value();
    assert_eq!(ids(&all)[0], right);
    let texts: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["水曜に面談", "保育所を見学", "火曜に面談"]);
    assert_eq!(
        (&all["items"][0]["corrects"], &all["items"][2]["corrected_by"]),
        (&json!(wrong), &json!(right))
    );
    let page = look(site, &format!("{path}?limit=2"), writer).await.value();
    let next = page["next"].as_str().unwrap();
    let rest = look(site, &format!("{path}?limit=2&before={next}"), writer).await.value();
    assert_eq!((ids(&rest), rest.get("next")), (vec![wrong.as_str()], None));
    assert_eq!(ids(&seen(site, &case, writer).await["entries"]).len(), 3);

    let other = open(site, writer).await;
    let elsewhere = site.post(&format!("/v1/cases/{other}/entries"), &correction).await;
    assert_eq!(elsewhere.json()["errors"][0]["code"], "entry_unknown", "it is an entry of another case");
    let early = site.post(&path, &entry("あすの訪問", &town.time(60))).await;
    assert_eq!(early.json()["errors"][0]["code"], "not_yet");
    cast.everybody()
}

async fn a_deputy_finds_what_an_absent_colleague_keeps(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let deputy = site.hire("coordinator").await;
    let own = open(site, &deputy).await;
    let mut shared = household(writer);
    shared["deputy"] = json!(deputy);
    let shared = site.post("/v1/cases", &shared).await.at("/id");
    let alone = open(site, writer).await;
    let found = async |query: &str| -> Vec<String> {
        let page = site.get(&format!("/v1/cases{query}")).await.value();
        ids(&page).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(found(&format!("?staff={deputy}")).await, [shared.clone(), own.clone()]);
    assert_eq!(found(&format!("?staff={writer}")).await, [alone.clone(), shared.clone()]);
    let first = site.get(&format!("/v1/cases?staff={deputy}&limit=1")).await.value();
    let next = first["next"].as_str().unwrap();
    assert_eq!(found(&format!("?staff={deputy}&limit=1&before={next}")).await, std::slice::from_ref(&own));

    let close = json!({ "by": deputy, "outcome": "CLOSED" });
    step(site, 1, &shared, "close", &close).await.good();
    assert_eq!(found(&format!("?staff={deputy}")).await, std::slice::from_ref(&own));
    assert_eq!(found(&format!("?staff={deputy}&state=closed")).await, std::slice::from_ref(&shared));
    assert_eq!(found("").await, [alone.clone(), own.clone()]);
    // Whoever was responsible has left: the case goes to somebody who is there.
    town.by_hand(format!("UPDATE staff SET active = 0 WHERE id = '{writer}'")).await;
    let mut taken = household(&deputy);
    taken["responsible"] = json!(writer);
    assert_eq!(step(site, 1, &alone, "change", &taken).await.json()["errors"][0]["code"], "staff_unknown");
    taken["responsible"] = json!(deputy);
    step(site, 1, &alone, "change", &taken).await.good();
    assert_eq!(found(&format!("?staff={deputy}")).await, [alone, own]);
    assert_eq!(found(&format!("?staff={writer}")).await, [] as [String; 0]);
    cast.everybody()
}

async fn a_case_closes_with_its_result_and_opens_again(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let case = open(site, writer).await;
    let goes_on = json!({ "by": writer, "outcome": "SUPPORT_CONTINUES" });
    assert_eq!(step(site, 1, &case, "close", &goes_on).await.code(), 422);
    let close = json!({ "by": writer, "outcome": "HANDED_OVER", "note": "転出先に引継ぎ" });
    let closed = step(site, 1, &case, "close", &close).await.value();
    assert_eq!((&closed["state"], &closed["outcome"]), (&json!("closed"), &json!("HANDED_OVER")));
    let now = seen(site, &case, writer).await;
    assert_eq!((&now["note"], &now["step"]), (&json!("転出先に引継ぎ"), &json!("closed")));
    let mut change = household(writer);
    change["responsible"] = json!(writer);
    for (verb, body) in [("change", &change), ("plan", &plan(writer, "復職")), ("close", &close)] {
        let late = step(site, 2, &case, verb, body).await;
        assert_eq!((late.code(), late.problem()), (409, "illegal-transition".to_owned()), "{verb}");
        assert_eq!(late.json()["allowed"], json!(["reopen"]), "{}", late.text());
    }
    let call = json!({ "by": writer, "at": town.time(-5), "text": "転出先から電話" });
    site.post(&format!("/v1/cases/{case}/entries"), &call).await.good();
    let reopen = json!({ "by": writer, "reason": "再転入" });
    assert_eq!(step(site, 2, &case, "reopen", &reopen).await.value()["state"], "open");
    let now = seen(site, &case, writer).await;
    assert_eq!((&now["reopened_because"], now.get("outcome")), (&json!("再転入"), None));
    assert_eq!(step(site, 3, &case, "reopen", &reopen).await.problem(), "illegal-transition");
    step(site, 3, &case, "plan", &plan(writer, "復職")).await.good();
    cast.everybody()
}

async fn of_two_changes_one_wins(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let deputy = site.hire("coordinator").await;
    for round in 0..PAIRS {
        let case = open(site, writer).await;
        let mut change = household(writer);
        (change["responsible"], change["deputy"]) = (json!(writer), json!(deputy));
        let wishes = plan(&deputy, "復職");
        let (one, other) =
            tokio::join!(step(site, 1, &case, "change", &change), step(site, 1, &case, "plan", &wishes));
        let won = match (one.code(), other.code()) {
            (200, 412) => "changed",
            (412, 200) => "planned",
            codes => panic!("round {round}: {codes:?}"),
        };
        let now = seen(site, &case, writer).await;
        assert_eq!((&now["version"], &now["step"]), (&json!(2), &json!(won)), "round {round}");
        assert_eq!(now.get("plan").is_some(), won == "planned");
        assert_eq!(now.get("deputy").is_some(), won == "changed");
    }
    cast.everybody()
}

async fn talks_are_listed_by_day_and_page(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let mut noted = Vec::new();
    for minutes in [-10, -20, -3 * 1440, -40 * 1440] {
        let mut paper = talk(writer);
        paper["at"] = json!(town.time(minutes));
        noted.push(site.post("/v1/consultations", &paper).await.at("/id"));
    }
    let list = async |query: String| look(site, &format!("/v1/consultations{query}"), writer).await.value();
    let month = list(String::new()).await;
    assert_eq!(ids(&month), noted[..3], "the latest first, and a month unless more is asked");
    assert!(!month.to_string().contains("断られた"), "a list shows no note");
    assert_eq!(month["items"][0]["needs"], json!(["RESPITE", "ISOLATION"]));
    let (from, to) = (town.day(-45), town.day(-2));
    assert_eq!(ids(&list(format!("?from={from}&to={to}")).await), noted[2..]);
    let first = list("?limit=2".to_owned()).await;
    let next = first["next"].as_str().unwrap();
    let rest = list(format!("?limit=2&before={next}")).await;
    assert_eq!((ids(&first), ids(&rest)), (vec![&*noted[0], &*noted[1]], vec![&*noted[2]]));
    let mut early = talk(writer);
    early["at"] = json!(town.time(10));
    assert_eq!(site.post("/v1/consultations", &early).await.json()["errors"][0]["code"], "not_yet");
    cast.everybody()
}

async fn a_request_repeated_is_answered_alike(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let entry = json!({ "by": writer, "at": town.time(-5), "text": "来所" });
    let repeated = async |path: &str, body: &Value| -> String {
        let key = fresh_key();
        let first = site.post_under(&key, path, body).await;
        first.clone().good();
        town.advance(std::time::Duration::from_secs(1));
        let again = site.post_under(&key, path, body).await;
        assert_eq!((again.code(), again.text()), (first.code(), first.text()), "{path}");
        first.at("/id")
    };
    let noted = repeated("/v1/consultations", &talk(writer)).await;
    let case = repeated(&format!("/v1/consultations/{noted}/case"), &household(writer)).await;
    repeated("/v1/cases", &household(writer)).await;
    repeated(&format!("/v1/cases/{case}/entries"), &entry).await;
    let rows = town.rows().await;
    assert_eq!((rows["case_record"], rows["case_entry"], rows["consultation"]), (2, 1, 1));
    cast.everybody()
}

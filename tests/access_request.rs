//! Requests of persons to see what is held about them (開示請求) told as stories, over HTTP and on both engines.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::{Cast, Sent},
    stories::stories,
    town::{Agency, Reply, Town},
};
use tsunagu::domain::agency::AgencyKind;

stories! {
    a_parent_asks_for_the_child_while_a_notice_is_open,
    a_husband_asks_for_his_own_data_while_the_family_is_hidden,
    a_request_is_decided_in_time_by_a_privacy_officer_alone,
    what_is_hidden_after_the_decision_is_not_handed_out,
}

const CASE: &str = "0192f000-0000-7000-8000-0000000000e1";

async fn look(agency: &Agency, path: &str, staff: &str) -> Reply {
    agency.send(agency.request("GET", path).await.header("tsunagu-staff", staff)).await
}

/// A request in the hands of an agency's privacy officer.
struct Request<'a> {
    agency: &'a Agency,
    officer: String,
    path: String,
    version: i64,
}

impl<'a> Request<'a> {
    async fn receive(town: &Town, agency: &'a Agency, requester: &str) -> Self {
        let officer = agency.hire("privacy_officer").await;
        let mut paper = json!({
            "by": officer, "requester": requester, "identity": "photo_card", "subject": "請求書のとおり",
            "wording": "保有するすべて", "received_on": town.day(0),
        });
        if requester != "SELF" {
            paper["authority"] = json!("family_register");
            paper["asked_by"] = json!("山辺 太郎");
        }
        let made = agency.post("/v1/disclosure-requests", &paper).await.value();
        assert_eq!((&made["state"], &made["due_on"]), (&json!("received"), &json!(town.day(30))));
        let path = format!("/v1/disclosure-requests/{}", made["id"].as_str().unwrap());
        Self { agency, officer, path, version: 1 }
    }

    async fn step(&mut self, body: Value) -> Reply {
        let mut body = body;
        body["by"] = json!(self.officer);
        let reply = self.agency.post_at(self.version, &format!("{}/steps", self.path), &body).await;
        self.version += i64::from(reply.status.is_success());
        reply
    }

    async fn prepare(&mut self, found: Value) {
        self.step(json!({"step": "prepare", "found": found})).await.good();
    }

    async fn decide(&mut self, outcome: &str, told: &[&str], parts: Value) -> Reply {
        self.step(json!({"step": "decide", "outcome": outcome, "told": told, "parts": parts})).await
    }

    async fn preparation(&self) -> Value {
        look(self.agency, &format!("{}/preparation", self.path), &self.officer).await.value()
    }

    async fn export(&self) -> Value {
        let document = look(self.agency, &format!("{}/export", self.path), &self.officer).await.value();
        let page = look(self.agency, &format!("{}/export/page", self.path), &self.officer).await.good();
        assert!(page.text().contains("開示する個人情報の写し"));
        document
    }

    async fn page(&self) -> String {
        look(self.agency, &format!("{}/export/page", self.path), &self.officer).await.good().text().to_owned()
    }
}

/// What an export says beside its number and its days.
fn comparable(export: &Value) -> Value {
    let mut export = export.clone();
    export.as_object_mut().unwrap().remove("request");
    export
}

/// DC-076. The centre has a copy that was sent by consent, and a notice about the same child.
async fn a_parent_asks_for_the_child_while_a_notice_is_open(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let (desk, worker) = (centre.hire("duty_desk").await, centre.hire("agency_staff").await);
    let consent = site
        .record_consent(&town.consent_paper(writer, &[&centre], &["identity", "needs", "narrative"]))
        .await;
    let mut paper = town.introduction(writer, &consent.at("/id"), &[&centre]);
    paper["content"]["narrative"] =
        json!([{"subject": "child-1", "summary": "言葉がゆっくり", "text": "母の山辺花と来所"}]);
    paper["content"]["identity"]
        .as_array_mut()
        .unwrap()
        .push(json!({"subject": "mother", "name": {"given": "花"}}));
    paper["legs"][0]["sections"] = json!(["identity", "needs", "narrative"]);
    let ordinary = Sent::read(&site.submit(&paper).await.value()).legs.remove(0).1;
    centre.open(&ordinary, &worker).await.good();
    let known = json!([{"delivery": ordinary, "person": "child-1"}]);
    let mut without = Request::receive(town, &centre, "PARENT").await;
    without.prepare(known.clone()).await;
    without.decide("partial", &["harm"], json!([])).await.good();

    let mut notice = town.notice(clerk, &centre);
    notice["content"]["identity"] =
        json!([{"subject": "child-1", "name": {"family": "山辺", "given": "澪"}}]);
    let reported = Sent::read(&nursery.submit(&notice).await.value()).legs.remove(0).1;
    let early = json!({"delivery": reported, "person": "child-1"});
    let mut with = Request::receive(town, &centre, "PARENT").await;
    let unread = with.step(json!({"step": "prepare", "found": [early]})).await;
    assert_eq!(unread.json()["errors"][0]["code"], "record_unknown", "it is opened by the desk first");
    centre.open(&reported, &desk).await.good();
    with.prepare(json!([known[0], early])).await;
    let seen = with.preparation().await;
    let record =
        seen["records"].as_array().unwrap().iter().find(|one| one["nature"] == "notice").unwrap().clone();
    assert!(record["parts"].as_array().unwrap().iter().all(|part| part["by_rule"] == "nothing"), "{record}");
    assert!(record["parts"].as_array().unwrap().iter().all(|part| part["may_be_told"] == false), "{record}");
    assert_eq!(record["parts"][0]["law"], "個人情報の保護に関する法律 第81条");
    assert!(!seen.to_string().contains("通告者") && !seen.to_string().contains("保育士"), "{seen}");
    with.decide("partial", &["harm"], json!([])).await.good();
    assert_eq!(
        comparable(&with.export().await),
        comparable(&without.export().await),
        "as if there were none"
    );

    // The centre has told the parent of it; what it knows of the child may be shown, and nothing that was observed.
    let reveal = |section: &str, extent: &str| json!({"part": format!("{reported}/{section}"), "extent": extent, "reason": "一時保護の説明で伝えた"});
    let refused = with.decide("partial", &["harm"], json!([reveal("narrative", "texts")])).await;
    assert_eq!(
        refused.json()["errors"][0]["code"],
        "part",
        "nobody can decide to show it: {}",
        refused.text()
    );
    with.decide("partial", &["harm"], json!([reveal("identity", "codes")])).await.good();
    let export = with.export().await;
    let told = export["records"].as_array().unwrap().iter().find(|one| one.get("kind").is_none()).unwrap();
    assert_eq!(
        *told,
        json!({"origin": "received", "content": {"identity": [{"subject": "child-1", "name": {"family": "山辺", "given": "澪"}}]}})
    );
    let page = with.page().await;
    for secret in ["通告", "あざ", "保育士", "両腕", &nursery.id, "花", "TSUKOKU", "第81条", "虐待"]
    {
        assert!(
            !export.to_string().contains(secret) && !page.contains(secret),
            "{secret} in {export} or {page}"
        );
    }
    assert!(page.contains("載りません"), "the same sentence on every copy");
    let mut everybody = cast.everybody();
    everybody.push(centre);
    everybody
}

/// A family with an address, whose father is spoken of too.
async fn family(town: &Town, cast: &Cast) -> Sent {
    let sections = ["identity", "contact", "address", "needs", "narrative"];
    let mut consent = town.consent_paper(&cast.writer, &[&cast.nursery], &sections);
    consent["subjects"].as_array_mut().unwrap().push(json!({"ref": "father", "role": "guardian"}));
    consent["lines"] = json!([{
        "subject": "father", "giver": {"subject": "father", "name": {"family": "山辺", "given": "太郎"}},
        "capacity": "SELF", "decision": "given",
    }]);
    let consent = cast.site.record_consent(&consent).await.at("/id");
    let mut paper = town.introduction(&cast.writer, &consent, &[&cast.nursery]);
    paper["case"] = json!(CASE);
    paper["subjects"].as_array_mut().unwrap().push(json!({"ref": "father", "role": "guardian"}));
    paper["content"]["identity"].as_array_mut().unwrap().extend([
        json!({"subject": "mother", "name": {"family": "山辺", "given": "花子"}}),
        json!({"subject": "father", "name": {"family": "山辺", "given": "太郎"}}),
    ]);
    paper["content"]["address"] =
        json!([{"subject": "mother", "municipality": "141011", "town": "鶴見中央", "rest": "三丁目四番"}]);
    paper["content"]["needs"] =
        json!([{"subject": "father", "codes": ["EMPLOYMENT"], "text": "夜勤のある仕事"}]);
    paper["content"]["narrative"] = json!([
        {"subject": "father", "summary": "通院中", "text": "花子さんの家の近くで働く"},
        {"subject": "mother", "summary": "転居", "text": "夫から逃れた"},
    ]);
    paper["legs"][0]["sections"] = json!(sections);
    Sent { consent, ..Sent::read(&cast.site.submit(&paper).await.value()) }
}

const PLACES: &[&str] = &["鶴見", "三丁目", "141011", "045-000-0000", "白百合"];

/// DC-153.
async fn a_husband_asks_for_his_own_data_while_the_family_is_hidden(town: &mut Town) -> Vec<Agency> {
    let mut cast = Cast::of(town).await;
    cast.nursery = town.agency_named(AgencyKind::Nursery, "白百合通り保育園").await;
    cast.clerk = cast.nursery.hire("agency_staff").await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let sent = family(town, &cast).await;
    nursery.open(&sent.legs[0].1, clerk).await.good();
    let found = json!([{"case": CASE, "person": "father"}]);

    let mut open = Request::receive(town, site, "SELF").await;
    open.prepare(found.clone()).await;
    open.decide("partial", &["third_person"], json!([])).await.good();
    let export = open.export().await;
    let record = &export["records"][0];
    assert_eq!(
        record["content"]["identity"],
        json!([{"subject": "father", "name": {"family": "山辺", "given": "太郎"}}])
    );
    assert!(record["content"].get("needs").is_none(), "what he needs is for a person to look at: {record}");
    assert_eq!(record["provided"][0]["to"], "白百合通り保育園");
    assert_eq!(record["provided"][0]["opened_on"], town.day(0));
    assert_eq!(record["consents"][0]["id"], sent.consent);
    let looked = |part: &str| json!({"part": format!("{}/{part}", sent.referral), "extent": "texts", "reason": "読んで確かめた"});
    open.decide("partial", &["third_person"], json!([looked("narrative"), looked("needs")])).await.good();
    let export = open.export().await;
    assert!(export.to_string().contains("通院中") && export.to_string().contains("夜勤"), "{export}");
    for hers in ["花子", "逃れた", "転居", "澪", "鶴見"] {
        assert!(!export.to_string().contains(hers), "{hers} in {export}");
    }

    let terms = json!({"by": writer, "case": CASE, "hidden_from": [{"municipality": "011002"}], "words": ["白百合"], "ground": "支援措置"});
    site.post("/v1/protections", &terms).await.good();
    let mut hidden = Request::receive(town, site, "SELF").await;
    hidden.prepare(found).await;
    assert!(hidden.preparation().await["records"][0]["concealed"] == true);
    let refused = hidden.decide("full", &[], json!([looked("narrative")])).await;
    assert_eq!(refused.json()["errors"][0]["code"], "part", "beside a hidden place no sentence is safe");
    let codes =
        json!([{"part": format!("{}/needs", sent.referral), "extent": "codes", "reason": "本人の希望"}]);
    hidden.decide("full", &[], codes).await.good();
    let export = hidden.export().await;
    let (text, page) = (export.to_string(), hidden.page().await);
    assert!(text.contains("太郎") && text.contains("EMPLOYMENT"), "his own lines: {text}");
    for hers in PLACES.iter().chain(&["花子", "逃れた", "転居", "澪", "秘匿", "支援措置", "通院中", "夜勤"])
    {
        assert!(!text.contains(hers) && !page.contains(hers), "{hers} in {text} or {page}");
    }
    assert!(export["records"][0]["provided"][0].get("to").is_none(), "{export}");
    cast.everybody()
}

async fn what_is_hidden_after_the_decision_is_not_handed_out(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, .. } = &cast;
    let sent = family(town, &cast).await;
    let mut request = Request::receive(town, site, "SELF").await;
    request.prepare(json!([{"referral": sent.referral, "person": "mother"}])).await;
    let whole =
        json!([{"part": format!("{}/narrative", sent.referral), "extent": "texts", "reason": "本人の話"}]);
    request.decide("full", &[], whole).await.good();
    let export = request.export().await;
    assert!(export.to_string().contains("鶴見中央") && export.to_string().contains("逃れた"), "{export}");
    let terms = json!({"by": writer, "case": CASE, "hidden_from": [{"municipality": "011002"}], "ground": "支援措置"});
    site.post("/v1/protections", &terms).await.good();
    let export = request.export().await;
    for place in PLACES.iter().chain(&["逃れた", "転居"]) {
        assert!(!export.to_string().contains(place), "{place} in {export}");
    }
    assert!(export.to_string().contains("花子"), "{export}");
    request.step(json!({"step": "give"})).await.good();
    assert!(!request.export().await.to_string().contains("鶴見中央"));
    cast.everybody()
}

async fn a_request_is_decided_in_time_by_a_privacy_officer_alone(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, .. } = &cast;
    let sent = family(town, &cast).await;
    let mut request = Request::receive(town, site, "SELF").await;
    for role in ["supervisor", "coordinator", "duty_desk"] {
        let other = site.hire(role).await;
        for path in
            [String::new(), "/preparation".to_owned(), "/export".to_owned(), "/export/page".to_owned()]
        {
            let refused = look(site, &format!("{}{path}", request.path), &other).await;
            assert_eq!((refused.code(), refused.problem()), (403, "forbidden".to_owned()), "{role} {path}");
        }
        assert_eq!(look(site, "/v1/disclosure-requests", &other).await.problem(), "forbidden");
        let acts = json!({"by": other, "step": "prepare", "found": []});
        assert_eq!(site.post_at(1, &format!("{}/steps", request.path), &acts).await.problem(), "forbidden");
    }
    let strangers = nursery.hire("privacy_officer").await;
    assert_eq!(look(nursery, &request.path, &strangers).await.problem(), "not-found");

    let seen = look(site, &request.path, &request.officer).await.value();
    assert_eq!((&seen["subject"], &seen["overdue"]), (&json!("請求書のとおり"), &json!(false)));
    assert!(seen["deadline_law"].as_str().unwrap().contains("第33条"), "a private body: {seen}");
    assert_eq!(
        look(site, &format!("{}/export", request.path), &request.officer).await.problem(),
        "illegal-transition"
    );
    assert_eq!(request.decide("full", &[], json!([])).await.problem(), "illegal-transition");
    let foreign = json!([{"referral": sent.referral, "person": "grandmother"}, {"case": request_case(), "person": "father"}]);
    let unknown = request.step(json!({"step": "prepare", "found": foreign})).await;
    assert_eq!(unknown.json()["errors"].as_array().unwrap().len(), 2, "{}", unknown.text());

    town.advance(Duration::from_secs(29 * 86_400));
    request.step(json!({"step": "extend", "reason": "記録が多い"})).await.good();
    assert_eq!(
        request.step(json!({"step": "extend", "reason": "まだ"})).await.problem(),
        "illegal-transition"
    );
    let listed = look(site, "/v1/disclosure-requests?state=received", &request.officer).await.value();
    assert_eq!(listed["items"][0]["overdue"], false, "{listed}");
    assert!(!listed.to_string().contains("請求書"), "a list names nobody");
    town.advance(Duration::from_secs(32 * 86_400));
    let listed = look(site, "/v1/disclosure-requests?state=received", &request.officer).await.value();
    assert_eq!(listed["items"][0]["overdue"], true, "{listed}");

    request.prepare(json!([])).await;
    for outcome in ["full", "partial", "refused"] {
        let untrue = request.decide(outcome, &[], json!([])).await;
        assert_eq!(untrue.json()["errors"][0]["pointer"], "/outcome", "nothing was found: {}", untrue.text());
    }
    request.prepare(json!([{"referral": sent.referral, "person": "father"}])).await;
    for untold in [json!([]), json!(["concealed"]), json!(["existence"])] {
        let body = json!({"step": "decide", "outcome": "partial", "told": untold, "parts": []});
        assert_eq!(request.step(body).await.json()["errors"][0]["pointer"], "/told");
    }
    let hold = |section: &str| json!({"part": format!("{}/{section}", sent.referral), "extent": "nothing", "reason": "害のおそれ"});
    let everything = json!([hold("identity"), hold("needs"), hold("narrative")]);
    request.decide("refused", &["third_person"], everything).await.good();
    let refused = request.export().await;
    assert_eq!((&refused["records"], &refused["outcome"]), (&json!([]), &json!("refused")));
    assert!(refused["told"][0]["law"].as_str().unwrap().contains("第33条2項1号"), "{refused}");
    request.decide("partial", &["third_person"], json!([])).await.good();
    request.step(json!({"step": "give"})).await.good();
    assert_eq!(request.decide("full", &[], json!([])).await.problem(), "illegal-transition");
    let _ = writer;
    cast.everybody()
}

/// A case of nobody.
const fn request_case() -> &'static str {
    "0192f000-0000-7000-8000-00000000dead"
}

//! 通告 on the side that gave it, told as stories: who sees one there, what its sender is told of it, and that nobody
//! else learns that there is one, by any way out.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::Sent,
    ending,
    stories::stories,
    town::{Agency, Browser, Reply, Town, fresh_key, payload},
};
use tsunagu::{domain::agency::AgencyKind, ledger::Scope};

stories! {
    the_writer_and_whom_the_writer_names_see_a_notice_and_nobody_else_of_their_agency,
    a_repeated_notice_is_answered_with_its_receipts_and_a_repeated_act_too,
    the_sender_of_a_notice_is_told_that_it_arrived_and_was_taken_and_no_more,
    a_desk_that_is_not_the_one_says_so_to_the_sender,
    an_open_notice_is_nothing_to_the_coordinator_of_the_mothers_site,
    what_colleagues_do_afterwards_does_not_betray_a_notice,
    a_notice_about_a_facility_is_invisible_there,
    a_notice_needs_no_name,
    a_consent_that_is_attached_to_a_notice_does_not_end_it,
}

const CASE: &str = "0192f000-0000-7000-8000-0000000000c1";
const NOBODYS: &str = "0192f000-0000-4000-8000-00000000dead";

/// A nursery that gave notice to a family centre.
struct Given {
    nursery: Agency,
    head: String,
    centre: Agency,
    desk: String,
    sent: Sent,
}

impl Given {
    async fn by(town: &Town, adjust: impl FnOnce(&mut Value)) -> Self {
        let nursery = town.agency(AgencyKind::Nursery).await;
        let centre = town.agency(AgencyKind::FamilyCentre).await;
        let (head, desk) = (nursery.hire("supervisor").await, centre.hire("duty_desk").await);
        let mut paper = town.notice(&head, &centre);
        adjust(&mut paper);
        let sent = Sent::read(&nursery.submit(&paper).await.value());
        Self { nursery, head, centre, desk, sent }
    }

    fn leg(&self) -> &str {
        &self.sent.legs[0].0
    }

    fn delivery(&self) -> &str {
        &self.sent.legs[0].1
    }

    /// Every way by which the sender's side can read this notice, or a list it could stand on.
    fn ways(&self) -> Vec<String> {
        let (leg, referral) = (self.leg(), &self.sent.referral);
        let mut ways = vec![
            format!("/v1/legs/{leg}"),
            format!("/v1/legs/{leg}/receipts"),
            format!("/v1/legs/{leg}/available-actions"),
            format!("/v1/referrals/{referral}"),
        ];
        ways.extend(["R0", "R1", "R2"].map(|level| format!("/v1/receipts/{}/{level}", self.delivery())));
        ways.push(format!("/v1/receipts/{leg}/R4"));
        ways
    }

    /// The ways that are for what the agency keeps together, which a notice is not: who looked at it (the desk did),
    /// by what it was covered, what a family is told, whether it may be erased.
    fn nobodys_ways(&self) -> Vec<String> {
        let (leg, referral) = (self.leg(), &self.sent.referral);
        vec![
            format!("/v1/referrals/{referral}/accesses"),
            format!("/v1/referrals/{referral}/family?viewer=child-1"),
            format!("/v1/legs/{leg}/grounds"),
        ]
    }
}

/// The lists of an agency on which something it sent could stand.
fn lists() -> Vec<String> {
    let mut lists: Vec<String> =
        ["/v1/referrals", "/v1/referrals?type=TSUKOKU", "/v1/legs", "/v1/inbox"].map(str::to_owned).into();
    for state in ["requested", "received", "accepted", "in_progress", "completed", "declined"] {
        lists.push(format!("/v1/legs?side=sender&state={state}"));
        lists.push(format!("/v1/referrals?leg_state={state}"));
    }
    lists.extend(["/v1/provision-records", "/v1/protections", "/v1/consents"].map(str::to_owned));
    lists.extend(["/v1/break-glass", "/v1/break-glass?side=sender"].map(str::to_owned));
    lists
}

/// That a reader finds nothing of a notice: lists without it, and for each of its ids the answer to no id at all.
async fn finds_nothing(given: &Given, reader: &Agency) {
    let own = [given.leg(), given.delivery(), &given.sent.referral];
    for path in lists() {
        let list = reader.get(&path).await.good();
        assert!(own.iter().all(|id| !list.text().contains(id)), "{path}: {}", list.text());
    }
    let officers = [
        format!("/v1/referrals/{}/retention", given.sent.referral),
        format!("/v1/legs/{}/holds", given.leg()),
    ];
    for path in given.ways().into_iter().chain(given.nobodys_ways()).chain(officers) {
        let missing = own.iter().fold(path.clone(), |path, id| path.replace(id, NOBODYS));
        same_as_missing(&reader.get(&path).await, &reader.get(&missing).await, &path);
    }
    let readers = format!("/v1/referrals/{}/readers", given.sent.referral);
    let none = format!("/v1/referrals/{NOBODYS}/readers");
    let colleague = given.nursery.hire("agency_staff").await;
    let body = json!({"by": colleague, "seen_by": [colleague]});
    same_as_missing(
        &given.nursery.post(&readers, &body).await,
        &given.nursery.post(&none, &body).await,
        &readers,
    );
    let note = json!({"by": colleague, "note": "連絡"});
    let (there, gone) = (given.leg(), NOBODYS);
    let [act, none] = [there, gone].map(|leg| format!("/v1/legs/{leg}/actions/note"));
    same_as_missing(
        &given.nursery.post_at(1, &act, &note).await,
        &given.nursery.post_at(1, &none, &note).await,
        &act,
    );
}

fn same_as_missing(reply: &Reply, missing: &Reply, what: &str) {
    assert_eq!((reply.code(), reply.text()), (404, missing.text()), "{what}");
}

async fn the_writer_and_whom_the_writer_names_see_a_notice_and_nobody_else_of_their_agency(
    town: &mut Town,
) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let [named, later, colleague, boss, officer] =
        ["agency_staff", "agency_staff", "agency_staff", "supervisor", "privacy_officer"]
            .map(|role| nursery.hire(role));
    let (named, later, colleague, boss, officer) =
        (named.await, later.await, colleague.await, boss.await, officer.await);
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let (head, desk) = (nursery.hire("coordinator").await, centre.hire("duty_desk").await);
    let mut paper = town.notice(&head, &centre);
    paper["seen_by"] = json!([named]);
    let sent = Sent::read(&nursery.submit(&paper).await.value());
    let given = Given { nursery, head, centre, desk, sent };
    given.centre.ack(given.delivery()).await.good();
    given.centre.act(given.leg(), "accept", &json!({"by": given.desk})).await.good();

    finds_nothing(&given, &given.nursery).await;
    for staff in [&colleague, &boss, &officer, &later] {
        finds_nothing(&given, &given.nursery.asking_for(staff)).await;
    }
    for staff in [&given.head, &named] {
        let reader = given.nursery.asking_for(staff);
        for path in given.ways() {
            reader.get(&path).await.good();
        }
        for path in given.nobodys_ways() {
            assert_eq!(reader.get(&path).await.code(), 404, "{path}");
        }
        for path in ["/v1/referrals", "/v1/referrals?type=TSUKOKU", "/v1/referrals?leg_state=accepted"] {
            assert!(reader.get(path).await.good().text().contains(&given.sent.referral), "{path}");
        }
        let list = reader.get("/v1/legs?side=sender&state=accepted").await.good();
        assert!(list.text().contains(given.leg()), "{}", list.text());
        assert_eq!(reader.referral(&given.sent.referral).await.value()["seen_by"], json!([named]));
    }

    // Nor does a line of what was done about it tell anybody else.
    let (hub, agency) = (town.context(), Scope::of(given.nursery.id.parse().unwrap()));
    for subject in [given.leg(), &given.sent.referral] {
        for (person, sees) in
            [(None, false), (Some(&boss), false), (Some(&named), true), (Some(&given.head), true)]
        {
            let scope = agency.and(person.map(|staff| staff.parse().unwrap()));
            let lines = hub.ledger.audit_of(scope, subject, 99).await.unwrap();
            assert!(sees || lines.is_empty(), "{subject} {person:?}");
            if *subject == given.sent.referral {
                assert_eq!(!lines.is_empty(), sees, "who submitted it is on record");
            }
        }
    }
    given.nursery.preview(&town.notice(&given.head, &given.centre)).await.good();
    let auditor = given.nursery.asking_for(&officer);
    let own = [given.leg(), given.delivery(), &given.sent.referral];
    let mut audits = vec!["/v1/audit".to_owned(), format!("/v1/audit?staff={}", given.head)];
    audits.extend(own.map(|id| format!("/v1/audit?subject={id}")));
    for path in audits {
        let list = auditor.get(&path).await.good();
        let items = list.json()["items"].to_string();
        assert!(own.iter().all(|id| !items.contains(id)) && !items.contains("preview"), "{path}: {items}");
    }
    let desk = Scope::of(given.centre.id.parse().unwrap());
    assert!(
        !hub.ledger.audit_of(desk, given.leg(), 99).await.unwrap().is_empty(),
        "the desk's own lines stay"
    );
    drop(hub);

    // The writer names another; whom the writer named names nobody.
    let readers = format!("/v1/referrals/{}/readers", given.sent.referral);
    let of = |by: &str| json!({"by": by, "seen_by": [later, named]});
    assert_eq!(given.nursery.post(&readers, &of(&named)).await.problem(), "forbidden");
    let theirs = given.centre.hire("agency_staff").await;
    let foreign = json!({"by": given.head, "seen_by": [theirs]});
    assert_eq!(given.nursery.post(&readers, &foreign).await.problem(), "schema-violation");
    let key = fresh_key();
    let first = given.nursery.post_under(&key, &readers, &of(&given.head)).await.good();
    let again = given.nursery.post_under(&key, &readers, &of(&given.head)).await.good();
    assert_eq!((first.text(), again.header("idempotency-replayed")), (again.text(), Some("true")));
    given.nursery.asking_for(&later).get(&format!("/v1/legs/{}", given.leg())).await.good();
    finds_nothing(&given, &given.nursery.asking_for(&boss)).await;
    assert_eq!(
        given.centre.get(&format!("/v1/referrals/{}", given.sent.referral)).await.code(),
        404,
        "it stays its sender's"
    );

    // What is no notice is for everybody of the agency, and takes no names.
    let mut plain = town.self_contact(&given.head, &given.centre);
    plain["seen_by"] = json!([named]);
    let refused = given.nursery.submit(&plain).await;
    assert_eq!(refused.json()["errors"][0]["code"], "notice_only", "{}", refused.text());
    plain.as_object_mut().unwrap().remove("seen_by");
    let plain = given.nursery.submit(&plain).await.at("/id");
    let path = format!("/v1/referrals/{plain}/readers");
    assert_eq!(given.nursery.post(&path, &of(&given.head)).await.problem(), "forbidden");
    vec![given.nursery, given.centre]
}

async fn a_repeated_notice_is_answered_with_its_receipts_and_a_repeated_act_too(
    town: &mut Town,
) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let head = nursery.hire("agency_staff").await;
    let (key, paper) = (fresh_key(), town.notice(&head, &centre));
    let first = nursery.submit_under(&key, &paper).await.good();
    let sent = Sent::read(&first.json());
    let note = json!({"by": head, "note": "本児は本日欠席です"});
    let (act_key, path) = (fresh_key(), format!("/v1/legs/{}/actions/note", sent.legs[0].0));
    let act = async || {
        let request = nursery.request("POST", &path).await.header("idempotency-key", &act_key);
        nursery.send(request.header("if-match", "\"1\"").json(&note)).await.good()
    };
    let noted = act().await;
    // Nobody in particular asks: who repeats a request knows what it said.
    for _ in 0..2 {
        let again = nursery.submit_under(&key, &paper).await.good();
        assert_eq!((again.text(), again.header("idempotency-replayed")), (first.text(), Some("true")));
        assert_eq!(again.value()["legs"][0]["receipts"].as_array().unwrap().len(), 3, "R0 twice, and R1");
        assert_eq!(act().await.text(), noted.text());
    }
    assert_eq!(nursery.get(&format!("/v1/legs/{}", sent.legs[0].0)).await.code(), 404);
    vec![nursery, centre]
}

/// DC-073.
async fn the_sender_of_a_notice_is_told_that_it_arrived_and_was_taken_and_no_more(
    town: &mut Town,
) -> Vec<Agency> {
    let given = Given::by(town, |_| {}).await;
    let (leg, delivery) = (given.leg().to_owned(), given.delivery().to_owned());
    let own = given.nursery.asking_for(&given.head);
    let states = async || {
        let view = own.leg(&leg).await;
        let ladder = view["ladder"].as_array().unwrap().iter();
        let ladder: Vec<String> = ladder.map(|rung| rung["level"].as_str().unwrap().to_owned()).collect();
        (view["state"].as_str().unwrap().to_owned(), view["delivery_state"].clone(), ladder.join(" "))
    };
    let told = |state: &str, copy: &str, ladder: &str| (state.to_owned(), json!(copy), ladder.to_owned());
    assert_eq!(states().await, told("requested", "waiting", "R0 R1"));
    assert!(!own.available(&leg, &given.head).await.iter().any(|act| act == "cancel" || act == "recall"));
    let refused = given.nursery.act(&leg, "cancel", &json!({"by": given.head})).await;
    assert_eq!((refused.code(), &refused.json()["code"]), (409, &json!("not_notice")), "{}", refused.text());
    given.centre.ack(&delivery).await.good();
    assert_eq!(states().await, told("received", "taken", "R0 R1 R2"));
    given.centre.open(&delivery, &given.desk).await.good();
    assert_eq!(states().await, told("received", "taken", "R0 R1 R2"), "who opened it is not told");
    assert_eq!(own.receipt(&delivery, "R3").await.code(), 404);
    assert!(!own.leg(&leg).await["events"].to_string().contains("view"));
    // The desk asks, and is answered: until it has taken the notice, the two can speak.
    given
        .centre
        .act(&leg, "ask", &json!({"by": given.desk, "question": "本日は登園していますか"}))
        .await
        .good();
    assert_eq!(own.leg(&leg).await["answer"]["question"], "本日は登園していますか");
    given.nursery.act(&leg, "reply", &json!({"by": given.head, "answer": "はい"})).await.good();

    let word = "つうこくしゃにはみせない";
    given.centre.act(&leg, "accept", &json!({"by": given.desk, "note": word})).await.good();
    assert_eq!(states().await, told("accepted", "taken", "R0 R1 R2 R4"));
    let (view, evidence) = (own.leg(&leg).await, own.evidence(&leg).await);
    let version = view["version"].clone();
    assert_eq!((&view["clocks"], &view["available_actions"]), (&json!([]), &json!([])));
    assert!(own.available(&leg, &given.head).await.is_empty());
    assert!(!view.to_string().contains(word), "{view}");

    // What the desk does from now on is the desk's own.
    let act = async |action: &str, more: Value| {
        let mut body = json!({"by": given.desk, "note": word});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        given.centre.act(&leg, action, &body).await.good();
    };
    act("start", json!({})).await;
    act("note", json!({})).await;
    town.advance(Duration::from_secs(49 * 3600));
    act("complete", json!({"outcome": "USE_STARTED"})).await;
    assert_eq!(given.centre.leg(&leg).await["state"], "completed");
    assert_eq!(own.leg(&leg).await, view, "not one byte of it changes");
    assert_eq!(own.evidence(&leg).await, evidence);
    assert_eq!(own.ladder(&leg).await.last().unwrap(), "R4", "and its proof is whole by itself");
    assert_eq!(own.receipt(&leg, "closed").await.code(), 404);
    let listed = own.get("/v1/legs?side=sender&state=accepted").await.value()["items"][0].clone();
    assert_eq!((&listed["id"], &listed["version"]), (&json!(leg), &version));
    for state in ["completed", "in_progress", "received"] {
        for list in [format!("/v1/legs?state={state}"), format!("/v1/referrals?leg_state={state}")] {
            assert_eq!(own.get(&list).await.value()["items"], json!([]), "{list}");
        }
    }
    let whole = own.referral(&given.sent.referral).await.value();
    assert_eq!((&whole["legs"][0]["state"], &whole["legs"][0]["version"]), (&json!("accepted"), &version));
    let (act, more) = (format!("/v1/legs/{leg}/actions/note"), json!({"by": given.head, "note": "その後は"}));
    let refused = given.nursery.post_at(version.as_i64().unwrap(), &act, &more).await;
    assert_eq!((refused.code(), refused.problem()), (409, "illegal-transition".to_owned()));
    assert_eq!((&refused.json()["state"], &refused.json()["allowed"]), (&json!("accepted"), &json!([])));

    // The board and the leg's page say the same.
    given.nursery.let_in(&given.head, "enchou", "よくねてよくたべてよくあそぶ").await.good();
    let browser = Browser::of(&given.nursery);
    browser.sign_in("enchou", "よくねてよくたべてよくあそぶ").await;
    for query in ["", "?order=due", "?state=accepted", "?state=accepted&order=due"] {
        let page = browser.get(&format!("/board{query}")).await.good();
        assert!(page.text().contains(&leg), "{query}");
        for hidden in ["未開封", "期限超過", "完了</td>"] {
            assert!(!page.text().contains(hidden), "{hidden} in {query}");
        }
    }
    assert!(!browser.get("/board?state=completed").await.good().text().contains(&leg));
    let page = browser.get(&format!("/board/legs/{leg}")).await.good();
    assert!(
        !page.text().contains(word) && !page.text().contains("まだだれも開いていません"),
        "{}",
        page.text()
    );
    assert_eq!(
        given.centre.ladder(&leg).await,
        ["R0", "R1", "R2", "R3", "R4", "closed"],
        "the desk keeps all of it"
    );
    vec![given.nursery, given.centre]
}

async fn a_desk_that_is_not_the_one_says_so_to_the_sender(town: &mut Town) -> Vec<Agency> {
    let given = Given::by(town, |_| {}).await;
    given.centre.open(given.delivery(), &given.desk).await.good();
    let no =
        json!({"by": given.desk, "reason": "OUT_OF_AREA", "declined_by": "provider", "note": "隣の市です"});
    let declined = given.centre.act(given.leg(), "decline", &no).await;
    assert!(declined.status.is_success(), "{}", declined.text());
    let own = given.nursery.asking_for(&given.head);
    let view = own.leg(given.leg()).await;
    assert_eq!(
        (view["state"].as_str(), view["answer"]["note"].as_str()),
        (Some("declined"), Some("隣の市です"))
    );
    let listed = own.get("/v1/legs?side=sender&state=declined").await.value();
    assert_eq!(listed["items"][0]["id"], given.leg());
    vec![given.nursery, given.centre]
}

/// DC-074.
async fn an_open_notice_is_nothing_to_the_coordinator_of_the_mothers_site(town: &mut Town) -> Vec<Agency> {
    let given = Given::by(town, |paper| paper["case"] = json!(CASE)).await;
    let site = town.agency(AgencyKind::UserSupportBasic).await;
    let coordinator = site.hire("coordinator").await;
    for reader in [&site, &site.asking_for(&coordinator)] {
        finds_nothing(&given, reader).await;
        assert_eq!(reader.get(&format!("/v1/protections?case={CASE}")).await.value()["items"], json!([]));
    }
    site.let_in(&coordinator, "kyoten", "よくねてよくたべてよくあそぶ").await.good();
    let browser = Browser::of(&site);
    browser.sign_in("kyoten", "よくねてよくたべてよくあそぶ").await;
    assert!(!browser.get("/board").await.good().text().contains("/board/legs/"));
    assert_eq!(browser.get(&format!("/board/legs/{}", given.leg())).await.code(), 404);
    // The same family and the same case, introduced by the coordinator: nothing is compared with the notice.
    let consent = town.consent_paper(&coordinator, &[&given.centre], support::town::ORDINARY);
    let consent = site.record_consent(&consent).await.at("/id");
    let mut paper = town.introduction(&coordinator, &consent, &[&given.centre]);
    paper["case"] = json!(CASE);
    assert!(site.preview(&paper).await.value()["legs"][0].get("compared_with").is_none());
    vec![given.nursery, given.centre, site]
}

async fn what_colleagues_do_afterwards_does_not_betray_a_notice(town: &mut Town) -> Vec<Agency> {
    let given = Given::by(town, |paper| {
        paper["case"] = json!(CASE);
        paper["source_ref"] = json!("REF-1");
    })
    .await;
    let Given { nursery, centre, .. } = &given;
    let colleague = nursery.hire("coordinator").await;
    let mut consent = town.consent_paper(&colleague, &[centre], support::town::ORDINARY);
    consent["purpose"] = json!("SHOKAI");
    let consent = nursery.record_consent(&consent).await.at("/id");
    let mut paper = town.introduction(&colleague, &consent, &[centre]);
    paper["case"] = json!(CASE);
    paper["source_ref"] = json!("REF-1");
    // A second look compares with nothing, and asks about the recipient as if nothing had ever gone there; the
    // reference is free.
    let seen = nursery.preview(&paper).await.value();
    assert!(seen["legs"][0].get("compared_with").is_none(), "{seen}");
    assert!(seen["legs"][0]["warnings"].to_string().contains("first_time"), "{seen}");
    let sent = Sent::read(&nursery.submit(&paper).await.value());
    // A protection of the case names the legs it bears on, and not the notice.
    let protect = |place: &str, id: &str| json!({"by": colleague, "hidden_from": [{"municipality": "141305"}], "ground": "支援措置", place: id});
    let told = nursery.post("/v1/protections", &protect("case", CASE)).await.value();
    let legs: Vec<&str> =
        told["legs"].as_array().unwrap().iter().map(|leg| leg["leg"].as_str().unwrap()).collect();
    assert_eq!(legs, [sent.legs[0].0.as_str()], "{told}");
    let (place, missing) = (protect("referral", &given.sent.referral), protect("referral", NOBODYS));
    let (there, gone) =
        (nursery.post("/v1/protections", &place).await, nursery.post("/v1/protections", &missing).await);
    assert_eq!((there.code(), there.text()), (422, gone.text()));

    // Nobody is rung at the sender when the desk takes the notice.
    centre.ack(given.delivery()).await.good();
    centre.open(given.delivery(), &given.desk).await.good();
    centre.act(given.leg(), "accept", &json!({"by": given.desk})).await.good();
    let url = town.config.ledger.url.expose().to_owned();
    ending::everybody_is_told(&url).await;
    let rung = ending::column(
        &url,
        "SELECT subject || ' ' || COALESCE(reason, '') FROM job WHERE kind = 'doorbell.changed'",
    )
    .await;
    let about: Vec<&String> = rung.iter().filter(|job| job.starts_with(given.leg())).collect();
    assert!(!about.is_empty() && about.iter().all(|job| !job.ends_with("rung")), "{rung:?}");
    vec![given.nursery, given.centre]
}

/// TSUKOKU_33_12: the facility concerned is where the writer works.
async fn a_notice_about_a_facility_is_invisible_there(town: &mut Town) -> Vec<Agency> {
    let home = town.agency(AgencyKind::Nursery).await;
    let division = town.agency(AgencyKind::MunicipalDivision).await;
    let [writer, head] = [home.hire("agency_staff").await, home.hire("supervisor").await];
    let desk = division.hire("duty_desk").await;
    let mut paper = town.notice(&writer, &division);
    paper["legs"][0]["basis"] = json!({"code": "TSUKOKU_33_12", "facility": home.id});
    let sent = Sent::read(&home.submit(&paper).await.value());
    let given = Given { nursery: home, head: writer, centre: division, desk, sent };
    given.centre.ack(given.delivery()).await.good();
    for reader in [&given.nursery, &given.nursery.asking_for(&head)] {
        finds_nothing(&given, reader).await;
    }
    let own = given.nursery.asking_for(&given.head);
    assert_eq!(own.leg(given.leg()).await["state"], "received");

    // A third party tells of the same facility: it is no recipient, and nothing of it reaches it.
    let clinic = town.agency(AgencyKind::Medical).await;
    let doctor = clinic.hire("agency_staff").await;
    let mut theirs = town.notice(&doctor, &given.centre);
    theirs["legs"][0]["basis"] = json!({"code": "TSUKOKU_33_12", "facility": given.nursery.id});
    let second = Sent::read(&clinic.submit(&theirs).await.value());
    let told =
        Given { sent: second, head: doctor.clone(), nursery: clinic, centre: given.centre, desk: given.desk };
    let about_them = &given.nursery;
    for path in lists() {
        let list = about_them.get(&path).await.good();
        assert!(!list.text().contains(told.leg()) && !list.text().contains(&told.sent.referral), "{path}");
    }
    for path in told.ways() {
        assert_eq!(about_them.get(&path).await.code(), 404, "{path}");
    }
    assert!(about_them.inbox("waiting").await.is_empty());

    // The facility is refused as a recipient, also of another leg: it may itself be one that takes notices.
    let concerned = town.agency(AgencyKind::ChildGuidance).await;
    let mut both = town.notice(&doctor, &told.centre);
    both["legs"][0]["basis"] = json!({"code": "TSUKOKU_33_12", "facility": concerned.id});
    both["legs"].as_array_mut().unwrap().push(json!({
        "recipient": concerned.id, "basis": {"code": "TSUKOKU_GY6"}, "sections": ["identity", "narrative"],
    }));
    let before = town.rows().await;
    let refused = told.nursery.submit(&both).await;
    assert_eq!(
        (refused.code(), &refused.json()["code"]),
        (422, &json!("BASIS_RECIPIENT")),
        "{}",
        refused.text()
    );
    assert_eq!(refused.json()["errors"][0]["pointer"], "/legs/1/basis");
    assert_eq!(town.rows().await, before, "nothing is stored of what is refused");
    vec![given.nursery, told.nursery, told.centre, concerned]
}

/// Who wrote it is known to the agency that gave it, where it can answer for itself; it is signed nowhere, and the desk
/// reads a name only if the writer put one into the sealed compartment.
async fn a_notice_needs_no_name(town: &mut Town) -> Vec<Agency> {
    let given = Given::by(town, |paper| {
        paper["content"].as_object_mut().unwrap().remove("notifier");
        paper["legs"][0]["sections"] = json!(["identity", "narrative"]);
    })
    .await;
    given
        .nursery
        .act(given.leg(), "note", &json!({"by": given.head, "note": "本児は本日欠席です"}))
        .await
        .good();
    let seen = given.centre.open(given.delivery(), &given.desk).await.good();
    assert!(seen.json()["document"]["content"].get("notifier").is_none());
    let leg = given.centre.leg(given.leg()).await;
    let evidence = given.centre.evidence(given.leg()).await;
    let mut said = vec![seen.unfolded(), leg.to_string(), evidence.to_string()];
    let signed = evidence["receipts"].as_array().unwrap().iter().map(|one| &one["jws"]);
    for jws in signed.chain(evidence["events"].as_array().unwrap()) {
        said.push(payload(jws.as_str().unwrap()).unwrap());
    }
    let own = given.nursery.asking_for(&given.head).evidence(given.leg()).await;
    said.push(payload(own["sender_copy"].as_str().unwrap()).unwrap());
    for text in said {
        assert!(!text.contains(&given.head), "{text}");
    }
    vec![given.nursery, given.centre]
}

async fn a_consent_that_is_attached_to_a_notice_does_not_end_it(town: &mut Town) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let (head, desk) = (nursery.hire("agency_staff").await, centre.hire("duty_desk").await);
    let consent = town.consent_paper(&head, &[&centre], support::town::ORDINARY);
    let consent = nursery.record_consent(&consent).await.at("/id");
    let mut paper = town.notice(&head, &centre);
    paper["legs"][0]["basis"]["consent"] = json!(consent);
    let sent = Sent::read(&nursery.submit(&paper).await.value());
    let given = Given { nursery, head, centre, desk, sent };
    // The consent's keeper reads it, withdraws it, and learns of no notice by either.
    given.nursery.withdraw(&consent, &given.head).await.good();
    let seen = given.nursery.consent(&consent).await.good();
    assert!(!seen.text().contains(given.leg()), "{}", seen.text());
    assert_eq!(seen.json()["propagation"]["holders"], json!([]), "{}", seen.text());
    assert_eq!(seen.json()["decision_due"], false, "no leg rests on it");
    given.centre.open(given.delivery(), &given.desk).await.good();
    vec![given.nursery, given.centre]
}

//! Referrals that rest on an arrangement: sent, and opened, only as it stands at that moment.

use std::time::Duration;

use serde_json::{Value, json};
use tsunagu::domain::agency::AgencyKind;

use super::{
    stage::{Council, case, on_arrangement},
    support::{
        ending::payload,
        stories::stories,
        town::{Agency, Reply, Town},
    },
};

stories! {
    members_share_what_a_registered_case_needs,
    who_has_left_opens_nothing_any_more,
    a_contractor_opens_nothing_after_the_contract,
    a_joint_use_passes_the_items_of_its_notice,
    a_stated_purpose_covers_what_it_says,
    a_membership_that_ends_races_a_submission_and_an_opening,
    the_exceptional_basis_wants_a_superior,
}

const DAY: Duration = Duration::from_secs(86_400);
const PAIRS: usize = 12;

#[track_caller]
fn assert_refused(reply: &Reply, code: &str) {
    assert_eq!((reply.code(), &reply.json()["code"]), (422, &json!(code)), "{}", reply.text());
    assert_eq!(payload(reply.json()["signed"].as_str().unwrap())["code"], code);
}

#[track_caller]
fn assert_closed(reply: &Reply, code: &str) {
    assert_eq!((reply.code(), reply.problem()), (403, "opening-refused".to_owned()), "{}", reply.text());
    assert_eq!(reply.json()["code"], code);
    assert!(!reply.text().contains("山辺"));
}

/// A council, a writer of its keeper, and a case on its register.
async fn registered(town: &Town) -> (Council, String, String) {
    let council = Council::of(town).await;
    let writer = council.centre.hire("coordinator").await;
    let case = case();
    let body = json!({"by": council.boss, "case": case, "first_day": town.day(-3)});
    council.centre.post_at(1, &format!("/v1/arrangements/{}/cases", council.id), &body).await.good();
    (council, writer, case)
}

async fn members_share_what_a_registered_case_needs(town: &mut Town) -> Vec<Agency> {
    let (Council { centre, clinic, chief, id, .. }, writer, case) = registered(town).await;
    let npo = town.agency(AgencyKind::Npo).await;
    let paper = |recipient: &Agency, case: &str| {
        on_arrangement(town, (&writer, recipient), ("YOTAIKYO", &id), case, &["identity", "narrative"])
    };
    let sent = centre.submit(&paper(&clinic, &case)).await;
    let (leg, delivery) = (sent.at("/legs/0/id"), sent.at("/legs/0/delivery"));
    let cited = format!("arrangement:{id}@v2");
    let seen = centre.leg(&leg).await;
    assert_eq!((&seen["basis"]["code"], &seen["basis"]["ref"]), (&json!("YOTAIKYO"), &json!(cited)));
    let receipt = payload(&clinic.receipt(&delivery, "R0").await.at("/jws"));
    assert_eq!(receipt["basis"]["ref"], json!(cited), "{receipt}");
    let shown = clinic.open(&delivery, &chief).await.good().json();
    assert_eq!(shown["document"]["sections"], json!(["identity", "narrative"]));

    let before = town.rows().await;
    let refusals = [
        (paper(&npo, &case), "NOT_MEMBER"),
        (paper(&clinic, &super::case()), "NOT_REGISTERED"),
        (
            on_arrangement(town, (&writer, &clinic), ("YOTAIKYO", &super::case()), &case, &["identity"]),
            "NOT_MEMBER",
        ),
    ];
    for (paper, code) in refusals {
        assert_refused(&centre.submit(&paper).await, code);
    }
    let mut caseless = paper(&clinic, &case);
    caseless.as_object_mut().unwrap().remove("case");
    assert_refused(&centre.submit(&caseless).await, "NOT_REGISTERED");
    assert_eq!(town.rows().await, before, "nothing is stored of what is refused");
    // To whom the council is foreign, it is not there.
    let theirs = npo.hire("coordinator").await;
    let foreign = on_arrangement(town, (&theirs, &clinic), ("YOTAIKYO", &id), &case, &["identity"]);
    let foreign = npo.submit(&foreign).await;
    let missing =
        on_arrangement(town, (&theirs, &clinic), ("YOTAIKYO", &super::case()), &case, &["identity"]);
    let missing = npo.submit(&missing).await;
    assert_refused(&foreign, "NOT_MEMBER");
    let but_signed = |reply: &Reply| {
        let mut said = reply.json();
        said["signed"] = Value::Null;
        said
    };
    assert_eq!(but_signed(&foreign), but_signed(&missing));
    vec![centre, clinic, npo]
}

async fn who_has_left_opens_nothing_any_more(town: &mut Town) -> Vec<Agency> {
    let (Council { centre, boss, clinic, chief, id }, writer, case) = registered(town).await;
    let path = format!("/v1/arrangements/{id}");
    let paper = on_arrangement(town, (&writer, &clinic), ("YOTAIKYO", &id), &case, &["identity"]);
    let opened = centre.submit(&paper).await.at("/legs/0/delivery");
    let waiting = centre.submit(&paper).await.at("/legs/0/delivery");
    clinic.open(&opened, &chief).await.good();
    let end = json!({"by": boss, "last_day": town.day(0)});
    centre.post_at(2, &format!("{path}/members/{}/end", clinic.id), &end).await.good();
    clinic.open(&opened, &chief).await.good();
    town.advance(DAY);
    for delivery in [&opened, &waiting] {
        assert_closed(&clinic.open(delivery, &chief).await, "NOT_MEMBER");
    }
    assert_refused(&centre.submit(&paper).await, "NOT_MEMBER");
    // What begins anew is open again: the copy was never taken back.
    let anew = json!({"by": boss, "agency": clinic.id, "first_day": town.day(0)});
    centre.post_at(3, &format!("{path}/members"), &anew).await.good();
    clinic.open(&opened, &chief).await.good();
    // A case that has left the register closes it too.
    let register = centre.request("GET", &format!("{path}/cases")).await.header("tsunagu-staff", &boss);
    let entry = centre.send(register).await.at("/items/0/entry");
    let gone = json!({"by": boss, "last_day": town.day(-1)});
    centre.post_at(4, &format!("{path}/cases/{entry}/end"), &gone).await.good();
    assert_closed(&clinic.open(&opened, &chief).await, "NOT_REGISTERED");
    vec![centre, clinic]
}

async fn a_contractor_opens_nothing_after_the_contract(town: &mut Town) -> Vec<Agency> {
    let city = town.agency(AgencyKind::MunicipalDivision).await;
    let kyoten = town.agency(AgencyKind::Kyoten).await;
    let (boss, writer) = (city.hire("supervisor").await, city.hire("coordinator").await);
    let clerk = kyoten.hire("coordinator").await;
    let contract = json!({
        "by": boss, "kind": "contract", "title": "拠点の運営委託", "purpose": "利用者支援事業の実施",
        "sections": ["identity", "contact", "narrative"], "first_day": town.day(-200), "last_day": town.day(2),
        "members": [{"agency": kyoten.id}],
    });
    let id = city.post("/v1/arrangements", &contract).await.at("/id");
    let asked = ["identity", "needs", "narrative"];
    let paper = on_arrangement(town, (&writer, &kyoten), ("ENTRUST", &id), &case(), &asked);
    let sent = city.submit(&paper).await;
    let delivery = sent.at("/legs/0/delivery");
    let leg = city.leg(&sent.at("/legs/0/id")).await;
    assert_eq!(leg["withheld"], json!([{"section": "needs", "why": "W_BASIS_ITEM"}]));
    kyoten.open(&delivery, &clerk).await.good();
    town.advance(2 * DAY);
    kyoten.open(&delivery, &clerk).await.good();
    town.advance(DAY);
    assert_closed(&kyoten.open(&delivery, &clerk).await, "BASIS_DATE");
    assert_refused(&city.submit(&paper).await, "BASIS_DATE");
    vec![city, kyoten]
}

async fn a_joint_use_passes_the_items_of_its_notice(town: &mut Town) -> Vec<Agency> {
    let (nursery, sister) = (town.agency(AgencyKind::Nursery).await, town.agency(AgencyKind::Nursery).await);
    let clinic = town.agency(AgencyKind::Medical).await;
    let (boss, writer) = (nursery.hire("supervisor").await, nursery.hire("agency_staff").await);
    let reader = sister.hire("agency_staff").await;
    let notice = |first: String| {
        json!({
            "by": boss, "kind": "joint_use", "title": "系列園の共同利用", "purpose": "在園児の保育", "notice_version": "3",
            "sections": ["identity", "contact"], "first_day": first, "members": [{"agency": sister.id}],
        })
    };
    let id = nursery.post("/v1/arrangements", &notice(town.day(-20))).await.at("/id");
    let asked = ["identity", "contact", "needs"];
    let paper =
        |to: &Agency, id: &str| on_arrangement(town, (&writer, to), ("JOINT_USE", id), &case(), &asked);
    let delivery = nursery.submit(&paper(&sister, &id)).await.at("/legs/0/delivery");
    let shown = sister.open(&delivery, &reader).await.good().json();
    assert_eq!(shown["document"]["sections"], json!(["identity", "contact"]));
    assert_refused(&nursery.submit(&paper(&clinic, &id)).await, "BASIS_RECIPIENT");
    let later = nursery.post("/v1/arrangements", &notice(town.day(5))).await.at("/id");
    assert_refused(&nursery.submit(&paper(&sister, &later)).await, "BASIS_DATE");
    vec![nursery, sister, clinic]
}

async fn a_stated_purpose_covers_what_it_says(town: &mut Town) -> Vec<Agency> {
    let division = town.agency(AgencyKind::MunicipalDivision).await;
    let ward = town.agency(AgencyKind::UserSupportWard).await;
    let insurer = town.agency(AgencyKind::Npo).await;
    let (boss, writer) = (division.hire("supervisor").await, division.hire("coordinator").await);
    let purpose = json!({
        "by": boss, "kind": "purpose", "title": "利用調整の利用目的", "purpose": "保留児童のフォロー",
        "sections": ["identity", "contact", "narrative"], "first_day": town.day(-20),
        "members": [{"agency": ward.id}],
    });
    let id = division.post("/v1/arrangements", &purpose).await.at("/id");
    let paper = |to: &Agency, purpose: &str| {
        let mut paper =
            on_arrangement(town, (&writer, to), ("WITHIN_PURPOSE", &id), &case(), &["identity", "contact"]);
        paper["legs"][0]["basis"]["stated_purpose"] = json!(purpose);
        paper
    };
    let sent = division.submit(&paper(&ward, "保留児童のフォロー")).await;
    assert_eq!(
        division.leg(&sent.at("/legs/0/id")).await["basis"]["ref"],
        json!(format!("arrangement:{id}@v1"))
    );
    assert_refused(&division.submit(&paper(&ward, "保育料の徴収")).await, "BASIS_PURPOSE");
    assert_refused(&division.submit(&paper(&insurer, "保留児童のフォロー")).await, "BASIS_RECIPIENT");
    vec![division, ward, insurer]
}

/// Either a submission, or an opening, comes before the end of the membership, or it is refused; and afterwards
/// nobody opens anything.
async fn a_membership_that_ends_races_a_submission_and_an_opening(town: &mut Town) -> Vec<Agency> {
    let (Council { centre, boss, clinic, id, .. }, writer, case) = registered(town).await;
    let path = format!("/v1/arrangements/{id}/members");
    let (mut everybody, mut version, mut before) = (vec![clinic], 2, 0);
    for pair in 0..PAIRS {
        let school = town.agency(AgencyKind::School).await;
        let reader = school.hire("agency_staff").await;
        let begin = json!({"by": boss, "agency": school.id, "first_day": town.day(-30)});
        centre.post_at(version, &path, &begin).await.good();
        let paper = on_arrangement(town, (&writer, &school), ("YOTAIKYO", &id), &case, &["identity"]);
        let waiting = centre.submit(&paper).await.at("/legs/0/delivery");
        // Since yesterday, so from now on.
        let end = json!({"by": boss, "last_day": town.day(-1)});
        let at = format!("{path}/{}/end", school.id);
        let (sent, opened, ended) = tokio::join!(
            centre.submit(&paper),
            school.open(&waiting, &reader),
            late(pair, centre.post_at(version + 1, &at, &end)),
        );
        assert_eq!(ended.code(), 200, "{}", ended.text());
        version += 2;
        if sent.code() == 201 {
            before += 1;
            assert_closed(&school.open(&sent.at("/legs/0/delivery"), &reader).await, "NOT_MEMBER");
        } else {
            assert_refused(&sent, "NOT_MEMBER");
        }
        let ladder = school.ladder(&leg_of(&school, &waiting).await).await;
        if opened.code() == 200 {
            assert_eq!(ladder, ["R0", "R1", "R2", "R3"], "pair {pair}");
        } else {
            assert_closed(&opened, "NOT_MEMBER");
            assert_eq!(ladder, ["R0", "R1"], "pair {pair}");
        }
        assert_closed(&school.open(&waiting, &reader).await, "NOT_MEMBER");
        everybody.push(school);
    }
    println!("of {PAIRS} submissions {before} came before the end");
    everybody.push(centre);
    everybody
}

/// Gives the others a head start, a little longer each time.
async fn late<T>(pair: usize, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_micros(pair as u64 * 700)).await;
    then.await
}

/// The leg of a delivery, as the inbox tells.
async fn leg_of(agency: &Agency, delivery: &str) -> String {
    for state in ["waiting", "opened"] {
        let inbox = agency.inbox(state).await;
        if let Some(item) = inbox.iter().find(|item| item["delivery"] == delivery) {
            return item["leg"].as_str().unwrap().to_owned();
        }
    }
    panic!("{delivery} is in no inbox")
}

async fn the_exceptional_basis_wants_a_superior(town: &mut Town) -> Vec<Agency> {
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let shelter = town.agency(AgencyKind::Npo).await;
    let (boss, writer) = (centre.hire("supervisor").await, centre.hire("coordinator").await);
    let (colleague, officer) = (centre.hire("coordinator").await, centre.hire("privacy_officer").await);
    let mut paper = town.introduction(&writer, &case(), &[&shelter]);
    paper["type"] = json!("JOHO_TEIKYO");
    paper["legs"][0]["basis"] = json!({"code": "BENEFIT_69_2_4", "reason": "夜間の避難先を確保するため"});
    paper["legs"][0]["sections"] = json!(["identity", "contact"]);
    paper["legs"][0]["needed"] = json!(["identity", "contact"]);
    let before = town.rows().await;
    for (by, approver) in
        [(&writer, None), (&writer, Some(&colleague)), (&writer, Some(&officer)), (&boss, Some(&boss))]
    {
        let mut paper = paper.clone();
        paper["written_by"] = json!(by);
        approver.into_iter().for_each(|approver| paper["approved_by"] = json!(approver));
        let refused = centre.submit(&paper).await;
        assert_refused(&refused, "APPROVER_REQUIRED");
        assert!(refused.json()["mend"].as_str().unwrap().contains("supervisor"), "{}", refused.text());
    }
    assert_eq!(town.rows().await, before);
    paper["approved_by"] = json!(boss);
    centre.submit(&paper).await.good();
    vec![centre, shelter]
}

//! Who looked at what, for what, and on which ground, told as stories over HTTP and on both engines; with conflicts of
//! interest and the breaking of the glass beside them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod support;

#[path = "accesses/conflict.rs"]
mod conflict;
#[path = "accesses/glass.rs"]
mod glass;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use support::{
    cast::{Cast, Sent},
    stories::stories,
    town::{Agency, Reply, Town},
};

stories! {
    the_owner_sees_who_looked_at_every_copy,
    the_privacy_officer_reads_the_audit_and_is_seen_reading_it,
    it_is_said_which_line_covered_whom_and_that_none_did,
}

/// Asks for something in the name of a member of staff, for a purpose.
pub async fn look(agency: &Agency, path: &str, staff: &str, purpose: Option<&str>) -> Reply {
    let mut request = agency.request("GET", path).await.header("tsunagu-staff", staff);
    if let Some(purpose) = purpose {
        request = request.header("tsunagu-purpose", purpose);
    }
    agency.send(request).await
}

/// A clustered hub measures its jobs by the database's time, which a story that moves its own clock leaves behind: what
/// was queued since is due at once.
pub async fn due_now(town: &Town) {
    town.by_hand("UPDATE job SET next_at = 0 WHERE state = 'ready' AND kind NOT LIKE 'mail%'".to_owned())
        .await;
}

pub fn items(value: &Value) -> &[Value] {
    value["items"].as_array().unwrap()
}

async fn the_owner_sees_who_looked_at_every_copy(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, family, carer } = &cast;
    let sent = cast.send(town, &[nursery, family]).await;
    let [(first, theirs), (second, other)] = sent.legs.as_slice() else { panic!("two legs") };
    let path = format!("/v1/deliveries/{theirs}");
    look(nursery, &path, clerk, Some("safety_check")).await.good();
    family.open(other, carer).await.good();
    look(nursery, &format!("/v1/legs/{first}"), clerk, Some("answer")).await.good();
    look(site, &format!("/v1/legs/{first}"), writer, Some("supervision")).await.good();
    site.withdraw(&sent.consent, writer).await.good();
    assert_eq!(look(nursery, &path, clerk, None).await.json()["code"], "CONSENT_WITHDRAWN");

    let list = format!("/v1/referrals/{}/accesses", sent.referral);
    let seen = look(site, &list, writer, Some("complaint")).await.value();
    let told: Vec<_> = items(&seen)
        .iter()
        .rev()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            (text("staff"), text("action"), text("purpose"), text("decision"), text("leg"))
        })
        .collect();
    let entry = |staff: &str, action: &str, purpose: &str, decision: &str, leg: &str| {
        (staff.to_owned(), action.to_owned(), purpose.to_owned(), decision.to_owned(), leg.to_owned())
    };
    assert_eq!(
        told,
        [
            entry(clerk, "open", "safety_check", "allowed", first),
            entry(carer, "open", "as_sent", "allowed", second),
            entry(clerk, "read", "answer", "allowed", first),
            entry(writer, "read", "supervision", "allowed", first),
            entry(clerk, "open", "as_sent", "CONSENT_WITHDRAWN", first),
        ],
        "{seen}"
    );
    assert!(!seen.to_string().contains("山辺"), "who looked is told, not at what");
    // The look at the list is in the list; page by page it is the same.
    let whole = look(site, &list, writer, None).await.value();
    assert_eq!(items(&whole)[0]["purpose"], "complaint");
    let (mut paged, mut next) = (Vec::new(), String::new());
    loop {
        let page = site.get(&format!("{list}?limit=2{next}")).await.value();
        paged.extend(items(&page).iter().map(|one| one["id"].clone()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&before={cursor}");
    }
    let wanted: Vec<_> = items(&whole).iter().map(|one| one["id"].clone()).collect();
    assert!(paged.ends_with(&wanted), "{paged:?} {wanted:?}");
    for recipient in [nursery, family] {
        assert_eq!(
            recipient.get(&list).await.problem(),
            "not-found",
            "who else looked is the owner's to know"
        );
    }
    cast.everybody()
}

async fn the_privacy_officer_reads_the_audit_and_is_seen_reading_it(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, nursery, clerk, .. } = &cast;
    let (officer, boss, other) = (
        nursery.hire("privacy_officer").await,
        nursery.hire("supervisor").await,
        nursery.hire("agency_staff").await,
    );
    let (leg, delivery) = cast.send_nursery(town).await;
    nursery.open(&delivery, clerk).await.good();
    nursery.open(&delivery, &other).await.good();
    town.advance(Duration::from_secs(86_400));
    nursery.open(&delivery, clerk).await.good();
    for reader in [clerk, &boss] {
        assert_eq!(look(nursery, "/v1/audit", reader, None).await.problem(), "forbidden");
    }
    assert_eq!(nursery.get("/v1/audit").await.problem(), "forbidden", "somebody reads it, and is named");
    let ask = async |query: &str| {
        look(nursery, &format!("/v1/audit?{query}"), &officer, Some("audit")).await.value()
    };
    let of = |seen: &Value, name: &str| -> BTreeSet<String> {
        items(seen).iter().map(|one| one[name].as_str().unwrap_or_default().to_owned()).collect()
    };
    let mine = ask(&format!("staff={clerk}")).await;
    assert_eq!((items(&mine).len(), of(&mine, "subject").len()), (2, 1), "{mine}");
    let copy = ask(&format!("subject={delivery}")).await;
    assert_eq!(of(&copy, "staff"), [clerk.clone(), other.clone()].into(), "{copy}");
    assert_eq!(items(&copy).len(), 3);
    let (yesterday, today) = (town.day(-1), town.day(0));
    assert_eq!(items(&ask(&format!("subject={delivery}&day={yesterday}")).await).len(), 2);
    assert_eq!(items(&ask(&format!("staff={clerk}&day={today}")).await).len(), 1);
    let all = ask(&format!("day={today}&limit=200")).await;
    assert_eq!(of(&all, "agency"), [nursery.id.clone()].into(), "nobody else's");
    let looks = items(&all).iter().filter(|one| one["subject"] == "audit");
    assert!(looks.clone().count() == 4 && looks.clone().all(|one| one["staff"] == officer.as_str()));
    assert!(looks.clone().all(|one| one["purpose"] == "audit" && one["action"] == "read"), "{all}");
    for bad in [format!("staff={clerk}&subject={leg}"), "day=0".to_owned(), "subject=山辺".to_owned()] {
        assert_eq!(look(nursery, &format!("/v1/audit?{bad}"), &officer, None).await.code(), 400, "{bad}");
    }
    assert_eq!(look(site, "/v1/audit", &officer, None).await.problem(), "forbidden", "foreign staff");
    cast.everybody()
}

/// The complaint of a father about what was told of him (domain.md 6-12, DC-163), also after the withdrawal (DC-021).
async fn it_is_said_which_line_covered_whom_and_that_none_did(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let consent = {
        let sections = ["identity", "needs", "narrative", "health"];
        site.record_consent(&town.consent_paper(writer, &[nursery], &sections)).await.at("/id")
    };
    let mut paper = town.introduction(writer, &consent, &[nursery]);
    paper["subjects"].as_array_mut().unwrap().push(json!({"ref": "father", "role": "guardian"}));
    paper["content"]["health"] = json!([{"subject": "father", "summary": "通院中"}]);
    paper["legs"][0]["sections"] = json!(["identity", "contact", "needs", "health"]);
    let sent = Sent::read(&site.submit(&paper).await.value());
    let (leg, delivery) = &sent.legs[0];
    let shown = nursery.open(delivery, clerk).await.good();
    assert!(!shown.text().contains("通院中"));
    let path = format!("/v1/legs/{leg}/grounds");
    let before = site.get(&path).await.value();
    let item = |section: &str| {
        items(&before).iter().find(|one| one["section"] == section).unwrap_or_else(|| panic!("{before}"))
    };
    let father = item("health");
    assert_eq!(
        (&father["subject"], &father["shown"], &father["why"], &father["covered_by"], father.get("line")),
        (&json!("father"), &json!(false), &json!("W_OTHER_PERSON"), &json!("no_line"), None)
    );
    let child = item("identity");
    assert_eq!((&child["shown"], &child["covered_by"]), (&json!(true), &json!("line")));
    assert_eq!(
        child["line"],
        json!({"decision": "given", "giver": "mother", "capacity": "PARENT", "capacity_label": "親権者"})
    );
    assert_eq!(
        (&item("contact")["shown"], &item("contact")["why"]),
        (&json!(false), &json!("W_NOT_CONSENTED"))
    );
    assert_eq!(item("needs")["covered_by"], "household");
    assert!(before["law"].as_str().unwrap().contains("個人情報"), "{before}");
    site.withdraw(&consent, writer).await.good();
    assert_eq!(site.get(&path).await.value(), before, "what it rested on does not change");
    assert_eq!(nursery.get(&path).await.problem(), "not-found", "what was withheld is not theirs to know");

    let desk = town.agency(tsunagu::domain::agency::AgencyKind::FamilyCentre).await;
    let notice = Sent::read(&nursery.submit(&town.notice(clerk, &desk)).await.value());
    let grounds = nursery.get(&format!("/v1/legs/{}/grounds", notice.legs[0].0)).await;
    assert_eq!(
        grounds.problem(),
        "not-found",
        "a notice rests on the law, and is nothing to the site that gave it"
    );
    let mut everybody = cast.everybody();
    everybody.push(desk);
    everybody
}

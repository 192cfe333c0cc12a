//! Notices of suspected abuse (通告), and self-contact, where nothing about the family travels.

use super::*;

pub(in crate::usecases::stories) fn notice(writer: StaffId, desk: &Caller) -> Value {
    json!({
        "type": "TSUKOKU", "urgency": "U4", "written_by": writer, "called_at": "2026-11-22T09:40:00+09:00",
        "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2022"}],
        "content": {
            "identity": [{"subject": "child-1", "name": {"given": "湊"}}],
            "narrative": [{"summary": "あざ", "text": "両腕に新しいあざ"}],
            "notifier": [{"name": {"family": "通告者"}, "relation": "保育士"}],
        },
        "legs": [{
            "recipient": desk.id(), "basis": {"code": "TSUKOKU_GY6"},
            "sections": ["identity", "narrative", "notifier"],
        }],
    })
}

#[tokio::test]
async fn a_notice_needs_no_consent_and_only_the_desk_sees_who_gave_it() {
    let town = Town::new().await;
    let (nursery, head) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let (centre, desk) = town.party(AgencyKind::FamilyCentre, StaffRole::DutyDesk).await;
    let worker = town.hub.staff(&centre, StaffRole::AgencyStaff).await;
    let answer = town.submit_as(&nursery, "n", notice(head, &centre)).await.unwrap();
    let (leg, delivery) = (id(&answer, "/legs/0/id"), id(&answer, "/legs/0/delivery"));

    let clock = &town.leg(&centre, &leg).await["clocks"][0];
    assert_eq!(clock["started"], "2026-11-22T09:40:00+09:00", "the telephone call came before the arrival");
    assert_eq!(at(clock["due"].as_str().unwrap()), at("2026-11-24T09:40:00+09:00"));

    let shown = town.open(&centre, worker, &delivery).await.unwrap();
    assert_eq!(shown["document"]["content"]["narrative"][0]["text"], "両腕に新しいあざ");
    assert!(!shown.to_string().contains("通告者"), "{shown}");
    let shown = town.open(&centre, desk, &delivery).await.unwrap();
    assert_eq!(shown["document"]["content"]["notifier"][0]["name"]["family"], "通告者");

    let taken = town.act(&centre, &leg, LegAction::Accept, json!({"by": desk})).await.unwrap();
    assert_eq!((taken["state"].as_str(), taken["level"].as_str()), (Some("accepted"), Some("R4")));
    let nursery = Caller { person: Some(head), ..nursery };
    assert_eq!(
        town.ladder(&nursery, &leg).await,
        ["R0", "R1", "R2", "R3", "R4"],
        "the line of proof has no gap"
    );
    let rungs = town.leg(&nursery, &leg).await["ladder"].clone();
    let rungs: Vec<&str> =
        rungs.as_array().unwrap().iter().filter_map(|rung| rung["level"].as_str()).collect();
    assert_eq!(rungs, ["R0", "R1", "R2", "R4"], "who opened it is not told");
}

#[tokio::test]
async fn a_notice_reaches_nobody_but_an_authority() {
    let town = Town::new().await;
    let (nursery, head) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let (other, _) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let refused = town.submit_as(&nursery, "n", notice(head, &other)).await;
    assert_eq!(kind(refused), (ProblemKind::DisclosureRefused, Some("BASIS_RECIPIENT")));
}

#[tokio::test]
async fn self_contact_carries_nothing_about_the_family() {
    let town = Town::new().await;
    let (nursery, clerk) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let mut document = json!({
        "type": "SELF", "urgency": "U0", "written_by": town.writer,
        "resources": {"service_kind": "ichiji_azukari", "age_class": 1, "days": ["tue"]},
        "legs": [{"recipient": nursery.id(), "sections": []}],
    });
    let answer = town.submit(document.clone()).await.unwrap();
    let shown = town.open(&nursery, clerk, &id(&answer, "/legs/0/delivery")).await.unwrap();
    assert_eq!(shown["document"]["content"], json!({}));
    assert_eq!(shown["document"]["resources"]["age_class"], 1);
    document["content"] = json!({"needs": [{"codes": ["RESPITE"]}]});
    let refused = kind(town.submit(document).await);
    assert_eq!(refused, (ProblemKind::DisclosureRefused, Some("MODE_NO_PERSONAL_DATA")));
}

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
    assert_eq!(town.ladder(&nursery, &leg).await, ["R0", "R1", "R2", "R3", "R4"]);
}

/// DC-149, and the sender's part of DC-073: that it was taken, and nothing of what the authority found.
#[tokio::test]
async fn who_gave_a_notice_learns_that_it_was_taken_and_no_detail() {
    let town = Town::new().await;
    let (nursery, head) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let (centre, desk) = town.party(AgencyKind::FamilyCentre, StaffRole::DutyDesk).await;
    let answer = town.submit_as(&nursery, "n", notice(head, &centre)).await.unwrap();
    let (leg, delivery) = (id(&answer, "/legs/0/id"), id(&answer, "/legs/0/delivery"));
    town.open(&centre, desk, &delivery).await.unwrap();
    let word = "転居先のY市で確認";
    let acts = [
        (LegAction::Accept, json!({"by": desk, "note": word})),
        (
            LegAction::Schedule,
            json!({"by": desk, "appointment_at": "2026-11-24T10:00:00+09:00", "note": word}),
        ),
        (LegAction::Note, json!({"by": desk, "note": word})),
    ];
    for (action, body) in acts {
        town.act(&centre, &leg, action, body).await.unwrap();
    }
    assert!(town.leg(&centre, &leg).await.to_string().contains(word), "its own view has it");
    let seen = town.leg(&nursery, &leg).await;
    assert_eq!((&seen["state"], &seen["answer"]["action"]), (&json!("scheduled"), &json!("note")), "{seen}");
    assert!(!seen.to_string().contains(word) && !seen.to_string().contains("2026-11-24T10"), "{seen}");
    let own = json!({"by": head, "note": "きょうは登園しました"});
    town.act(&nursery, &leg, LegAction::Note, own).await.unwrap();
    assert!(
        town.leg(&nursery, &leg).await.to_string().contains("登園しました"),
        "what it wrote itself stays"
    );
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

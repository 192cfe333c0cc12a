//! Introductions under a consent.

use super::*;

#[tokio::test]
async fn a_referral_reaches_two_recipients_who_answer_each_for_themselves() {
    let town = Town::new().await;
    let (full, clerk) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let (free, carer) = town.party(AgencyKind::FamilySupport, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&full, &free], &["identity", "contact", "needs", "narrative"]).await;
    let answer = town.submit(town.introduction(&[&full, &free], consent)).await.unwrap();
    assert!(!answer.replayed);
    let (first, second) = (id(&answer, "/legs/0/id"), id(&answer, "/legs/1/id"));
    assert_eq!(town.ladder(&town.site, &first).await, ["R0", "R1"]);

    let waiting = town.inbox(&full, DeliveryState::Waiting).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["delivery"], id(&answer, "/legs/0/delivery").as_str());

    let shown = town.open(&full, clerk, &id(&answer, "/legs/0/delivery")).await.unwrap();
    let content = &shown["document"]["content"];
    assert_eq!(content["identity"][0]["name"]["family"], "山辺\u{e0100}");
    assert_eq!(content["narrative"][0]["summary"], "短時間の預かりを希望");
    assert_eq!(content["narrative"][0]["text"], Value::Null, "a facility gets the summary only");
    assert_eq!(town.ladder(&full, &first).await, ["R0", "R1", "R2", "R3"]);
    assert!(town.inbox(&full, DeliveryState::Waiting).await.is_empty());

    let declined = json!({"by": clerk, "reason": "CAPACITY", "declined_by": "provider"});
    let done = town.act(&full, &first, LegAction::Decline, declined).await.unwrap();
    assert_eq!((done["state"].as_str(), done["level"].as_str()), (Some("declined"), Some("R4")));

    town.open(&free, carer, &id(&answer, "/legs/1/delivery")).await.unwrap();
    town.act(&free, &second, LegAction::Accept, json!({"by": carer, "note": "来週から"})).await.unwrap();
    let seen = town.leg(&town.site, &second).await;
    assert_eq!(
        (seen["state"].as_str(), seen["answer"]["note"].as_str()),
        (Some("accepted"), Some("来週から"))
    );
    town.act(&free, &second, LegAction::Start, json!({"by": carer})).await.unwrap();
    town.act(&free, &second, LegAction::Complete, json!({"by": carer, "outcome": "USE_STARTED"}))
        .await
        .unwrap();
    assert_eq!(town.ladder(&free, &second).await, ["R0", "R1", "R2", "R3", "R4", "closed"]);
    assert_eq!(town.ladder(&town.site, &first).await, ["R0", "R1", "R2", "R3", "R4"]);
}

#[tokio::test]
async fn the_same_submission_again_gets_the_same_bytes_even_after_the_consent_is_gone() {
    let town = Town::new().await;
    let (nursery, _) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&nursery], &["identity", "contact", "needs", "narrative"]).await;
    let document = town.introduction(&[&nursery], consent);
    let first = town.submit_as(&town.site, "once", document.clone()).await.unwrap();
    let again = town.submit_as(&town.site, "once", document.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(first.text, again.text);

    let end = json!({"by": town.writer, "method": "oral"});
    withdraw::withdraw(&town.hub, &town.site, consent, 1, &command("w", "withdraw", end)).await.unwrap();
    town.hub.clock.advance(std::time::Duration::from_secs(400 * 86_400));
    let later = town.submit_as(&town.site, "once", document.clone()).await.unwrap();
    assert_eq!(first.text, later.text);
    assert_eq!(town.inbox(&nursery, DeliveryState::Recalled).await.len(), 1, "no second inbox row");

    let mut other = document;
    other["urgency"] = json!("U2");
    assert_eq!(kind(town.submit_as(&town.site, "once", other).await), (ProblemKind::KeyReused, None));
}

#[tokio::test]
async fn a_consent_that_does_not_name_the_recipient_refuses_and_nothing_is_stored() {
    let town = Town::new().await;
    let (named, _) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let (other, _) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&named], &["identity", "contact", "needs", "narrative"]).await;
    let refused = town.submit(town.introduction(&[&named, &other], consent)).await.err().unwrap();
    assert_eq!((refused.kind, refused.code), (ProblemKind::DisclosureRefused, Some("CONSENT_PARTY")));
    assert!(refused.law.unwrap().contains("個人情報の保護に関する法律"));
    assert!(refused.signed.is_some());
    assert!(town.inbox(&named, DeliveryState::Waiting).await.is_empty());
    let list = read::referrals(
        &town.hub,
        &town.site,
        crate::ledger::referral::ReferralFilter::All,
        None,
        super::super::page::Limit::default(),
    );
    assert_eq!(list.await.unwrap(), r#"{"items":[]}"#);
}

#[tokio::test]
async fn a_withdrawal_stops_the_unread_copy_and_closes_the_opened_one() {
    let town = Town::new().await;
    let (centre, therapist) = town.party(AgencyKind::DevelopmentCentre, StaffRole::AgencyStaff).await;
    let (nursery, clerk) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&centre, &nursery], &["identity", "contact", "needs", "narrative"]).await;
    let answer = town.submit(town.introduction(&[&centre, &nursery], consent)).await.unwrap();
    town.open(&centre, therapist, &id(&answer, "/legs/0/delivery")).await.unwrap();

    let end = json!({"by": town.writer, "method": "oral"});
    withdraw::withdraw(&town.hub, &town.site, consent, 1, &command("w", "withdraw", end)).await.unwrap();

    for (reader, staff, place) in [(&centre, therapist, 0), (&nursery, clerk, 1)] {
        let delivery = id(&answer, &format!("/legs/{place}/delivery"));
        let refusal = kind(town.open(reader, staff, &delivery).await);
        assert_eq!(refusal, (ProblemKind::OpeningRefused, Some("CONSENT_WITHDRAWN")));
        let leg = id(&answer, &format!("/legs/{place}/id"));
        assert_eq!(town.leg(&town.site, &leg).await["state"], "withdrawn");
    }
    assert_eq!(town.ladder(&nursery, &id(&answer, "/legs/1/id")).await, ["R0", "R1", "closed"]);
    assert_eq!(town.ladder(&centre, &id(&answer, "/legs/0/id")).await, ["R0", "R1", "R2", "R3", "closed"]);
    let again = json!({"by": town.writer, "method": "oral"});
    let twice =
        withdraw::withdraw(&town.hub, &town.site, consent, 2, &command("w2", "withdraw", again)).await;
    assert_eq!(kind(twice).0, ProblemKind::IllegalTransition);
}

#[tokio::test]
async fn an_acknowledgement_names_its_receipt_and_repeats_get_the_same_one() {
    let town = Town::new().await;
    let (nursery, clerk) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&nursery], &["identity", "contact", "needs", "narrative"]).await;
    let answer = town.submit(town.introduction(&[&nursery], consent)).await.unwrap();
    let (leg, delivery) = (id(&answer, "/legs/0/id"), id(&answer, "/legs/0/delivery"));
    let wrong = json!({"receipt_hash": "00".repeat(32)});
    let ack = |key: &str, body: Value| {
        let command = command(key, "ack", body);
        let id: DeliveryId = delivery.parse().unwrap();
        let (hub, nursery) = (&town.hub, &nursery);
        async move { take::take(hub, nursery, id, &command).await }
    };
    assert_eq!(kind(ack("a", wrong).await).0, ProblemKind::SchemaViolation);
    let text = read::evidence(&town.hub, &nursery, leg.parse().unwrap()).await.unwrap();
    let evidence: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(evidence.get("sender_copy"), None, "what was withheld is the sender's alone");
    let r0 = evidence["receipts"][0]["jws"].as_str().unwrap();
    let right = json!({"receipt_hash": crate::vault::sha256(r0.as_bytes()).to_string()});
    let first = ack("a", right.clone()).await.unwrap();
    let again = ack("b", right).await.unwrap();
    assert_eq!(first.text, again.text);
    assert_eq!(town.leg(&town.site, &leg).await["state"], "received");
    town.open(&nursery, clerk, &delivery).await.unwrap();
    town.open(&nursery, clerk, &delivery).await.unwrap();
    assert_eq!(town.ladder(&nursery, &leg).await, ["R0", "R1", "R2", "R3"]);
}

#[tokio::test]
async fn an_act_needs_the_version_that_was_read_and_what_its_table_asks() {
    let town = Town::new().await;
    let (nursery, clerk) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&nursery], &["identity", "contact", "needs", "narrative"]).await;
    let answer = town.submit(town.introduction(&[&nursery], consent)).await.unwrap();
    let (leg, delivery) = (id(&answer, "/legs/0/id"), id(&answer, "/legs/0/delivery"));
    let early = town.act(&nursery, &leg, LegAction::Accept, json!({"by": clerk})).await.err().unwrap();
    assert_eq!(early.kind, ProblemKind::IllegalTransition);
    town.open(&nursery, clerk, &delivery).await.unwrap();
    let accept = |caller, version: i64, staff: StaffId| {
        let command = command("accept", &format!("accept @{version}"), json!({"by": staff}));
        let (hub, leg) = (&town.hub, leg.parse().unwrap());
        async move { act::act(hub, caller, leg, LegAction::Accept, version, &command).await }
    };
    assert_eq!(kind(accept(&nursery, 1, clerk).await).0, ProblemKind::VersionStale);
    let bare = town.act(&nursery, &leg, LegAction::Decline, json!({"by": clerk})).await.err().unwrap();
    let pointers: Vec<_> = bare.errors.iter().map(|fault| fault.pointer.to_string()).collect();
    assert_eq!(pointers, ["/reason", "/declined_by"]);
    let (stranger, person) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    assert_eq!(kind(accept(&stranger, 2, person).await).0, ProblemKind::NotFound);
}

#[tokio::test]
async fn a_reference_of_the_senders_own_is_used_once() {
    let town = Town::new().await;
    let (nursery, _) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&nursery], &["identity", "contact", "needs", "narrative"]).await;
    let mut document = town.introduction(&[&nursery], consent);
    document["source_ref"] = json!("K-2026-17");
    town.submit(document.clone()).await.unwrap();
    let again = town.submit(document).await.err().unwrap();
    assert_eq!(again.kind, ProblemKind::AlreadyThere);
    assert_eq!(again.errors[0].pointer.to_string(), "/source_ref");
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_shown() {
    let mut town = Town::new().await;
    let (nursery, clerk) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&nursery], &["identity", "contact", "needs", "narrative"]).await;
    let answer = town.submit(town.introduction(&[&nursery], consent)).await.unwrap();
    let delivery = id(&answer, "/legs/0/delivery");
    town.open(&nursery, clerk, &delivery).await.unwrap();
    town.hub.stop_writing().await;
    // Opened before, with nothing left to receipt: the audit row alone stands between the reader and the content.
    assert_eq!(kind(town.open(&nursery, clerk, &delivery).await).0, ProblemKind::Unavailable);
}

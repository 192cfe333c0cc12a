//! Sealed pushes: what is in them, and when there is none.

use super::*;
use crate::ledger::audit::AuditAction;

impl Told {
    /// A nursery that takes sealed documents, and its private key.
    async fn sealed(&self) -> (Caller, StaffId, TestKey) {
        let key = TestKey::x25519();
        let mut jwk = key.jwk();
        jwk["kid"] = json!("agency-1");
        let (nursery, clerk) = self.subscriber(json!({"mode": "sealed", "jwk": jwk})).await;
        (nursery, clerk, key)
    }

    /// What the audit log of the agency says of disclosures of a delivery.
    async fn disclosed(&self, to: &Caller, delivery: &str) -> Vec<String> {
        let rows = self.town.hub.ledger.audit_of(to.scope(), delivery, 100).await.unwrap();
        rows.into_iter().filter(|row| row.action == AuditAction::Disclose).map(|row| row.decision).collect()
    }

    async fn disclosed_at(&self, to: &Caller, delivery: &str) -> Option<Timestamp> {
        let id = delivery.parse().unwrap();
        self.town.hub.ledger.delivery(to.scope(), id).await.unwrap().unwrap().disclosed_at
    }

    async fn withdraw(&self, consent: ConsentId) {
        let end = json!({"by": self.town.writer, "method": "oral"});
        let command = command(&self.town.key(), "withdraw", end);
        withdraw::withdraw(&self.town.hub, &self.town.site, consent, 1, &command).await.unwrap();
    }
}

fn opened(key: &TestKey, ring: &Ring) -> Value {
    let Body::Sealed(jwe) = &ring.body else { panic!("an empty doorbell") };
    serde_json::from_slice(&key.open(jwe).expect("sealed for this key")).unwrap()
}

#[tokio::test]
async fn the_document_travels_sealed_with_what_proves_it_and_the_disclosure_is_written_down() {
    let told = Told::new().await;
    let (nursery, clerk, key) = told.sealed().await;
    let (delivery, leg) = told.introduce(&nursery).await;
    told.drain().await;
    let rings = told.script.heard();
    assert_eq!(doorbells(&rings), [(DoorbellKind::DeliveryWaiting, delivery.clone())]);
    let pushed = opened(&key, &rings[0]);
    let content = &pushed["document"]["content"];
    assert_eq!(content["identity"][0]["name"]["given"], "澪");
    assert_eq!(content["narrative"][0], json!({"summary": "短時間の預かりを希望"}), "masked like an opening");
    let evidence = read::evidence(&told.town.hub, &nursery, leg.parse().unwrap()).await.unwrap();
    let evidence: Value = serde_json::from_str(&evidence).unwrap();
    assert_eq!(pushed["manifest"], evidence["manifest"], "the one the receipts name");
    let paths: Vec<_> =
        pushed["disclosures"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"/identity/0/name/given"), "{paths:?}");

    assert_eq!(told.disclosed(&nursery, &delivery).await, ["allowed"]);
    assert_eq!(told.disclosed_at(&nursery, &delivery).await, Some(told.town.hub.clock.now()));
    // Publishing is not delivery: the copy waits, and nothing is receipted before the recipient's own word.
    assert_eq!(told.town.inbox(&nursery, DeliveryState::Waiting).await.len(), 1);
    assert_eq!(told.town.ladder(&nursery, &leg).await, ["R0", "R1"]);
    let shown = told.town.open(&nursery, clerk, &delivery).await.unwrap();
    assert_eq!(shown["document"], pushed["document"], "the same as an opening shows");
    assert_eq!(shown["disclosures"], pushed["disclosures"]);
}

#[tokio::test]
async fn a_consent_withdrawn_before_the_push_publishes_and_discloses_nothing() {
    let told = Told::new().await;
    let (nursery, _, _) = told.sealed().await;
    let consent = told.town.consent(&[&nursery], ALL).await;
    let answer = told.town.submit(told.town.introduction(&[&nursery], consent)).await.unwrap();
    let delivery = id(&answer, "/legs/0/delivery");
    told.withdraw(consent).await;
    told.drain().await;
    let rings = told.script.heard();
    assert_eq!(doorbells(&rings), [(DoorbellKind::DeliveryRecalled, delivery.clone())]);
    assert_eq!(rings[0].body, Body::Empty);
    assert_eq!(told.disclosed(&nursery, &delivery).await, Vec::<String>::new());
    assert_eq!(told.disclosed_at(&nursery, &delivery).await, None);
}

#[tokio::test]
async fn a_consent_that_has_run_out_stops_the_push_while_the_copy_waits() {
    let told = Told::new().await;
    let (nursery, _, _) = told.sealed().await;
    let (delivery, _) = told.introduce(&nursery).await;
    // The consent ends with January.
    told.wait(90 * 24 * HOUR);
    told.drain().await;
    assert_eq!(doorbells(&told.script.heard()), []);
    let (state, reason) = told.stands(&delivery).await;
    assert_eq!(state, JobState::Done);
    let reason = reason.unwrap();
    assert!(reason.starts_with("CONSENT_"), "{reason}");
    assert_eq!(told.disclosed(&nursery, &delivery).await, [reason]);
    assert_eq!(told.disclosed_at(&nursery, &delivery).await, None);
}

#[tokio::test]
async fn a_push_that_failed_is_decided_anew_and_a_withdrawal_between_stops_it() {
    let told = Told::new().await;
    let (nursery, _, key) = told.sealed().await;
    let (again, _) = told.introduce(&nursery).await;
    told.will([Outcome::Failed(Reason::TimedOut)]);
    told.drain().await;
    let first = told.disclosed_at(&nursery, &again).await.unwrap();
    told.wait(HOUR);
    told.drain().await;
    assert_eq!(opened(&key, &told.script.heard()[0])["document"]["delivery"], again.as_str());
    assert_eq!(
        told.disclosed(&nursery, &again).await,
        ["allowed", "allowed"],
        "each publication is written down"
    );
    assert_eq!(told.disclosed_at(&nursery, &again).await, Some(first), "the first time counts");

    let consent = told.town.consent(&[&nursery], ALL).await;
    let answer = told.town.submit(told.town.introduction(&[&nursery], consent)).await.unwrap();
    let stopped = id(&answer, "/legs/0/delivery");
    told.will([Outcome::Failed(Reason::TimedOut)]);
    told.drain().await;
    told.withdraw(consent).await;
    told.wait(HOUR);
    told.drain().await;
    assert_eq!(doorbells(&told.script.heard()), [(DoorbellKind::DeliveryRecalled, stopped.clone())]);
    assert_eq!(told.disclosed(&nursery, &stopped).await, ["allowed"]);
}

#[tokio::test]
async fn the_notifier_of_a_notice_is_never_pushed() {
    let told = Told::new().await;
    let (centre, desk) = told.town.party(AgencyKind::FamilyCentre, StaffRole::DutyDesk).await;
    let key = TestKey::x25519();
    set_amqp(&told.town.hub, &centre, &json!({"mode": "sealed", "jwk": key.jwk()})).await.unwrap();
    let (nursery, head) = told.nursery().await;
    let document = super::super::noticed::notice(head, &centre);
    let answer = told.town.submit_as(&nursery, "n", document).await.unwrap();
    told.drain().await;
    let pushed = opened(&key, &told.script.heard()[0]);
    assert_eq!(pushed["document"]["content"]["narrative"][0]["text"], "両腕に新しいあざ");
    let text = pushed.to_string();
    assert!(!text.contains("通告者") && !text.contains("notifier") && !text.contains("保育士"), "{text}");
    // The seal is broken by the desk's own opening, as before.
    let shown = told.town.open(&centre, desk, &id(&answer, "/legs/0/delivery")).await.unwrap();
    assert_eq!(shown["document"]["content"]["notifier"][0]["name"]["family"], "通告者");
}

/// Hidden before it is sent or only before it is pushed, from a facility or shown to an authority alone: what is
/// published cannot be hidden any more, so nothing of the place is in it.
#[tokio::test]
async fn a_push_tells_nothing_of_a_hidden_place() {
    for (kind, hidden_first) in
        [(AgencyKind::Nursery, true), (AgencyKind::Nursery, false), (AgencyKind::ChildGuidance, false)]
    {
        let told = Told::new().await;
        let (agency, _) = told.town.party(kind, StaffRole::AgencyStaff).await;
        let key = TestKey::x25519();
        set_amqp(&told.town.hub, &agency, &json!({"mode": "sealed", "jwk": key.jwk()})).await.unwrap();
        let case = "0192f000-0000-7000-8000-0000000000c1";
        let terms = json!({
            "by": told.town.writer, "case": case, "hidden_from": [{"municipality": "011002"}], "ground": "支援措置",
            "texts_confirmed_by": told.town.writer, "words": ["白百合小学校"],
        });
        let protect = async || {
            let command = command(&told.town.key(), "POST /v1/protections", terms.clone());
            protect::record(&told.town.hub, &told.town.site, &command).await.unwrap();
        };
        if hidden_first {
            protect().await;
        }
        let consent = told.town.consent(&[&agency], &["identity", "contact", "address", "narrative"]).await;
        let mut paper = told.town.introduction(&[&agency], consent);
        paper["case"] = json!(case);
        paper["content"]["address"] =
            json!([{"subject": "mother", "municipality": "141011", "town": "鶴見中央"}]);
        paper["content"]["narrative"] =
            json!([{"summary": "白百合小学校に通う"}, {"summary": "元気に過ごす"}]);
        paper["legs"][0]["sections"] = json!(["identity", "contact", "address", "narrative"]);
        paper["legs"][0]["address_needed_because"] = json!("送迎のため");
        told.town.submit(paper).await.unwrap();
        if !hidden_first {
            protect().await;
        }
        told.drain().await;
        let text = opened(&key, &told.script.heard()[0]).to_string();
        assert!(text.contains("元気に過ごす"), "{text}");
        for place in ["鶴見中央", "141011", "045-000-0000"] {
            assert!(!text.contains(place), "{kind} was pushed {place}: {text}");
        }
        assert_eq!(text.contains("白百合小学校"), kind == AgencyKind::ChildGuidance, "{text}");
    }
}

#[tokio::test]
async fn a_changed_leg_rings_without_a_document_even_where_documents_are_pushed() {
    let told = Told::new().await;
    let (nursery, clerk) = told.nursery().await;
    let key = TestKey::x25519();
    set_amqp(&told.town.hub, &told.town.site, &json!({"mode": "sealed", "jwk": key.jwk()})).await.unwrap();
    let (delivery, leg) = told.introduce(&nursery).await;
    told.town.open(&nursery, clerk, &delivery).await.unwrap();
    told.drain().await;
    let rings = told.script.heard();
    assert_eq!(doorbells(&rings), [(DoorbellKind::LegChanged, leg)]);
    assert_eq!((rings[0].doorbell.to, &rings[0].body), (told.town.site.id(), &Body::Empty));
}

#[tokio::test]
async fn a_withdrawal_beside_a_push_is_before_it_or_after_it() {
    let told = Told::new().await;
    let (nursery, _, _) = told.sealed().await;
    for round in 0..24 {
        let consent = told.town.consent(&[&nursery], ALL).await;
        let answer = told.town.submit(told.town.introduction(&[&nursery], consent)).await.unwrap();
        let delivery = id(&answer, "/legs/0/delivery");
        let withdraw = async {
            // Each round a little later, so that it meets the push at its every step.
            tokio::time::sleep(Duration::from_micros(500 * round)).await;
            told.withdraw(consent).await;
        };
        tokio::join!(told.drain(), withdraw);
        let sealed = |ring: &Ring| matches!(ring.body, Body::Sealed(_));
        let published = told.script.heard().iter().any(sealed);
        assert_eq!(told.disclosed_at(&nursery, &delivery).await.is_some(), published, "round {round}");
        assert_eq!(told.disclosed(&nursery, &delivery).await.contains(&"allowed".to_owned()), published);
        assert_eq!(told.town.inbox(&nursery, DeliveryState::Waiting).await.len(), 0, "round {round}");
        told.drain().await;
        assert!(!told.script.heard().iter().any(sealed), "nothing is pushed after its withdrawal");
    }
}

//! What a role may not do within its own agency, and what one side of a leg never sees of the other.

use serde_json::{Value, json};
use tsunagu::{
    domain::{agency::AgencyKind, staff::StaffRole},
    web::{Access, TABLE},
};

use super::{
    support::town::{Agency, ORDINARY, Reply, Town},
    world::World,
};

const NOBODY: &str = "0192f000-0000-4000-8000-00000000dead";

/// Staff ids that stand for nobody who may act for `agency`: another agency's, somebody who has left, nobody.
async fn strangers(town: &Town, agency: &Agency, other: &str) -> Vec<String> {
    let left = agency.hire("duty_desk").await;
    town.by_hand(format!("UPDATE staff SET active = 0 WHERE id = '{left}'")).await;
    vec![other.to_owned(), left, NOBODY.to_owned(), "x".to_owned(), String::new()]
}

/// All of them the same refusal, to the byte.
#[track_caller]
fn assert_alike(replies: &[Reply], status: u16) {
    for reply in replies {
        assert_eq!(reply.code(), status, "{}", reply.text());
        assert_eq!(reply.text(), replies[0].text());
    }
}

#[tokio::test]
async fn a_delivery_opens_for_active_staff_of_its_recipient_alone() {
    let world = World::embedded().await;
    let story = world.story(&world.owner, &world.recipient).await;
    let reader = &world.recipient.agency;
    let mut refused = Vec::new();
    for staff in strangers(&world.town, reader, &world.owner.staff).await {
        refused.push(reader.open(&story.delivery, &staff).await);
    }
    refused.push(reader.get(&format!("/v1/deliveries/{}", story.delivery)).await);
    // Two names are no name: whoever stands between the agency and the hub may have added one.
    let twice = reader.request("GET", &format!("/v1/deliveries/{}", story.delivery)).await;
    let twice = twice.header("tsunagu-staff", &world.recipient.staff).header("tsunagu-staff", NOBODY);
    refused.push(reader.send(twice).await);
    assert_alike(&refused, 403);
    let waiting = reader.inbox("waiting").await;
    assert!(waiting.iter().any(|one| one["delivery"] == story.delivery), "nothing was opened: {waiting:?}");
    assert_eq!(reader.ladder(&story.leg).await, ["R0", "R1"]);
    reader.open(&story.delivery, &world.recipient.staff).await.good();
    assert_eq!(reader.ladder(&story.leg).await, ["R0", "R1", "R2", "R3"]);
}

#[tokio::test]
async fn nobody_acts_in_the_name_of_strangers() {
    let world = World::embedded().await;
    let story = world.story(&world.owner, &world.recipient).await;
    let (owner, recipient) = (&world.owner.agency, &world.recipient.agency);
    let hash = recipient.receipt(&story.delivery, "R0").await.at("/jws");
    let hash = tsunagu::vault::sha256(hash.as_bytes()).to_string();
    let consent = world.consent_paper(&world.owner, &world.recipient);
    let referral = world.introduction(&world.owner, &world.recipient, &story.consent);
    let leg = format!("/v1/legs/{}", story.leg);
    let council = format!("/v1/arrangements/{}", story.arrangement);
    let case = format!("/v1/cases/{}", story.household);
    let mut household = super::cases::paper(&world.owner, &world.owner.staff);
    household["responsible"] = json!(world.owner.staff);
    // Whose system posts, where, what, and the member that names the person.
    let acts = [
        (owner, "/v1/consents".to_owned(), consent, "recorded_by"),
        (owner, "/v1/referrals".to_owned(), referral.clone(), "written_by"),
        (owner, "/v1/referrals".to_owned(), referral, "approved_by"),
        (owner, format!("{leg}/actions/note"), json!({ "note": "連絡" }), "by"),
        (recipient, format!("{leg}/actions/note"), json!({ "note": "連絡" }), "by"),
        (owner, format!("/v1/consents/{}/withdraw", story.consent), json!({ "method": "oral" }), "by"),
        (owner, format!("/v1/incidents/{}/close", world.owner.incident), json!({ "note": "報告済み" }), "by"),
        (recipient, format!("/v1/deliveries/{}/ack", story.delivery), json!({ "receipt_hash": hash }), "by"),
        (owner, "/v1/disclosure-requests".to_owned(), world.request_paper(&world.owner), "by"),
        (
            owner,
            format!("/v1/disclosure-requests/{}/steps", story.request),
            json!({ "step": "prepare", "found": [] }),
            "by",
        ),
        (owner, "/v1/arrangements".to_owned(), world.arrangement_paper(&world.owner, &world.recipient), "by"),
        (owner, format!("{council}/members"), json!({"agency": NOBODY, "first_day": "2026-04-01"}), "by"),
        (owner, format!("{council}/members/{}/end", recipient.id), json!({"last_day": "2030-03-31"}), "by"),
        (owner, format!("{council}/end"), json!({"last_day": "2030-03-31"}), "by"),
        (owner, "/v1/cases".to_owned(), household.clone(), "by"),
        (owner, "/v1/cases".to_owned(), household.clone(), "responsible"),
        (owner, "/v1/cases".to_owned(), household.clone(), "deputy"),
        (owner, format!("{case}/change"), household.clone(), "by"),
        (owner, format!("{case}/change"), household.clone(), "deputy"),
        (owner, format!("{case}/plan"), json!({"wishes": "復職", "issues": [], "supports": []}), "by"),
        (owner, format!("{case}/close"), json!({"outcome": "CLOSED"}), "by"),
        (owner, format!("{case}/entries"), json!({"at": "2026-04-01T09:00:00+09:00", "text": "来所"}), "by"),
        (owner, "/v1/consultations".to_owned(), json!({"channel": "PHONE"}), "by"),
        (owner, format!("/v1/consultations/{}/case", story.talk), household, "by"),
        (recipient, format!("{council}/cases"), world.case_paper(&world.recipient), "by"),
        (owner, format!("{council}/cases/{}/end", story.entry), json!({"last_day": "2030-03-31"}), "by"),
    ];
    let before = world.town.rows().await;
    for (agency, path, document, member) in &acts {
        let other = if agency.id == owner.id { &world.recipient.staff } else { &world.owner.staff };
        let mut refused = Vec::new();
        for staff in strangers(&world.town, agency, other).await {
            let mut document = document.clone();
            document[member] = json!(staff);
            // What is no id at all is refused by its form, before anybody is looked for.
            if staff.len() == 36 {
                refused.push(agency.post_at(1, path, &document).await);
            } else {
                assert_eq!(agency.post_at(1, path, &document).await.code(), 422, "{path} {member}");
            }
        }
        assert_alike(&refused, 422);
        let fault = refused[0].json()["errors"][0].clone();
        assert_eq!(
            (fault["pointer"].as_str(), fault["code"].as_str()),
            (Some(&*format!("/{member}")), Some("staff_unknown")),
            "{path}"
        );
    }
    let after = world.town.rows().await;
    for table in [
        "arrangement",
        "arrangement_event",
        "case_record",
        "case_version",
        "case_entry",
        "consultation",
        "consent",
        "consent_event",
        "referral",
        "leg",
        "leg_event",
        "delivery",
        "receipt",
    ] {
        assert_eq!(before[table], after[table], "{table}");
    }
}

#[tokio::test]
async fn what_is_listed_for_strangers_is_refused_alike() {
    let world = World::embedded().await;
    let story = world.story(&world.owner, &world.recipient).await;
    let reader = &world.recipient.agency;
    let mut refused = Vec::new();
    for staff in strangers(&world.town, reader, &world.owner.staff).await {
        let request = reader.request("GET", &format!("/v1/legs/{}/available-actions", story.leg)).await;
        refused.push(reader.send(request.header("tsunagu-staff", staff)).await);
    }
    assert_alike(&refused, 403);
}

#[tokio::test]
async fn only_the_duty_desk_learns_who_gave_notice() {
    const WORD: &str = "つうこくしゃのことば";
    let world = World::embedded().await;
    let town = &world.town;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let nursery = &world.recipient;
    let mut notice = town.notice(&nursery.staff, &centre);
    notice["content"]["notifier"] =
        json!([{"name": {"family": WORD}, "phone": WORD, "relation": WORD, "text": WORD}]);
    let sent = nursery.agency.submit(&notice).await;
    let (leg, delivery) = (sent.at("/legs/0/id"), sent.at("/legs/0/delivery"));
    for role in StaffRole::ALL {
        let staff = centre.hire(role.code()).await;
        let shown = centre.open(&delivery, &staff).await.good();
        let desk = *role == StaffRole::DutyDesk;
        assert_eq!(shown.unfolded().contains(WORD), desk, "{role}: {}", shown.text());
        let listed = shown.json()["document"]["sections"].as_array().unwrap().contains(&json!("notifier"));
        assert_eq!(listed, desk, "{role}");
    }
    for path in [format!("/v1/legs/{leg}"), format!("/v1/legs/{leg}/receipts"), "/v1/inbox".to_owned()] {
        for reader in [&centre, &nursery.agency.asking_for(&nursery.staff)] {
            assert!(!reader.get(&path).await.good().unfolded().contains(WORD), "{path}");
        }
    }
    let desk = centre.hire("duty_desk").await;
    let seen = centre.open(&delivery, &desk).await;
    let paths: Vec<String> = manifest_paths(&seen.json());
    assert!(!paths.is_empty() && paths.iter().all(|path| !path.starts_with("/notifier")), "{paths:?}");
}

/// The fields that the manifest in an opened delivery lists.
fn manifest_paths(opened: &Value) -> Vec<String> {
    let manifest = super::support::town::payload(opened["manifest"].as_str().unwrap()).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let fields = manifest["fields"].as_array().unwrap();
    fields.iter().map(|field| field["path"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_recipient_sees_nothing_of_the_senders_side_nor_of_other_recipients() {
    let world = World::embedded().await;
    let (town, sender, writer) = (&world.town, &world.owner.agency, &world.owner.staff);
    let (one, other) = (&world.recipient, &world.fourth);
    let both = [&one.agency, &other.agency];
    let consent = sender.record_consent(&town.consent_paper(writer, &both, ORDINARY)).await.at("/id");
    let mut paper = town.introduction(writer, &consent, &both);
    // More is asked for than anybody is given, so that something is withheld.
    let content = [("health", json!([{"subject": "child-1", "summary": "要約", "text": "詳しい病歴"}]))];
    for (section, entries) in content {
        paper["content"][section] = entries;
    }
    for leg in paper["legs"].as_array_mut().unwrap() {
        leg["sections"] = json!([ORDINARY, &["health"]].concat());
    }
    paper["source_ref"] = json!("REF-himitsu");
    paper["approved_by"] = json!(sender.hire("supervisor").await);
    let sent = sender.submit(&paper).await;
    let referral = sent.at("/id");
    let withheld = sender.leg(&sent.at("/legs/0/id")).await["withheld"].clone();
    assert!(withheld.as_array().is_some_and(|all| !all.is_empty()), "the sender sees what was withheld");
    for (place, (reader, stranger)) in [(one, other), (other, one)].into_iter().enumerate() {
        let (leg, delivery) =
            (sent.at(&format!("/legs/{place}/id")), sent.at(&format!("/legs/{place}/delivery")));
        let agency = &reader.agency;
        agency.ack(&delivery).await.good();
        let mut seen = vec![agency.open(&delivery, &reader.staff).await.good()];
        seen.push(agency.act(&leg, "accept", &json!({"by": reader.staff, "note": "了解"})).await.good());
        for path in [
            format!("/v1/legs/{leg}"),
            format!("/v1/legs/{leg}/receipts"),
            format!("/v1/legs/{leg}/available-actions"),
            "/v1/legs?side=recipient&state=accepted".to_owned(),
            "/v1/inbox?state=opened".to_owned(),
            format!("/v1/receipts/{delivery}/R0"),
            format!("/v1/receipts/{delivery}/R1"),
            format!("/v1/receipts/{delivery}/R3"),
            format!("/v1/receipts/{leg}/R4"),
        ] {
            seen.push(agency.get(&path).await.good());
        }
        let others = [stranger.agency.id.as_str(), &referral, "REF-himitsu"];
        for reply in seen {
            let said = reply.unfolded();
            for word in
                others.into_iter().chain(["withheld", "sender_copy", "\"referral\"", "W_MASK", "詳しい病歴"])
            {
                assert!(!said.contains(word), "{word} in {said}");
            }
        }
    }
    let own = sender.evidence(&sent.at("/legs/0/id")).await["sender_copy"].as_str().unwrap().to_owned();
    let own = super::support::town::payload(&own).unwrap();
    assert!(own.contains(&referral) && own.contains("withheld"), "{own}");
}

#[tokio::test]
async fn what_is_sent_in_error_is_for_the_sender_to_recall_and_for_its_officers_to_answer_for() {
    let world = World::embedded().await;
    let (owner, recipient) = (&world.owner.agency, &world.recipient.agency);
    for role in StaffRole::ALL {
        let story = world.story(&world.owner, &world.recipient).await;
        recipient.ack(&story.delivery).await.good();
        let mistake = |by: &str| json!({ "by": by, "reason": "WRONG_CHILD" });
        let theirs = recipient.hire(role.code()).await;
        assert_eq!(
            recipient.act(&story.leg, "recall", &mistake(&theirs)).await.problem(),
            "illegal-transition"
        );
        let ours = owner.hire(role.code()).await;
        assert!(owner.available(&story.leg, &ours).await.contains(&"recall".to_owned()), "{role}");
        let done = owner.act(&story.leg, "recall", &mistake(&ours)).await;
        let incident = done.at("/incident/id");
        let officer = matches!(role, StaffRole::Supervisor | StaffRole::PrivacyOfficer);
        for path in [String::new(), format!("/{incident}"), format!("/{incident}/report")] {
            let request = owner.request("GET", &format!("/v1/incidents{path}")).await;
            let seen = owner.send(request.header("tsunagu-staff", &ours)).await;
            assert_eq!(seen.status.is_success(), officer, "{role} {path}: {}", seen.text());
        }
        let close = json!({ "by": ours, "note": "報告済み" });
        let closed = owner.post_at(1, &format!("/v1/incidents/{incident}/close"), &close).await;
        assert_eq!(closed.status.is_success(), officer, "{role}: {}", closed.text());
    }
}

/// What many families' disclosures rest on is for a supervisor to change; who may read a register is its keeper's to
/// say, by name.
#[tokio::test]
async fn an_arrangement_is_changed_by_supervisors_alone() {
    let world = World::embedded().await;
    let owner = &world.owner.agency;
    let mut done = Vec::new();
    for role in StaffRole::ALL {
        let by = owner.hire(role.code()).await;
        let mut paper = world.arrangement_paper(&world.owner, &world.recipient);
        paper["by"] = json!(by);
        let recorded = owner.post("/v1/arrangements", &paper).await;
        let story = world.story(&world.owner, &world.recipient).await;
        let council = format!("/v1/arrangements/{}", story.arrangement);
        let mut case = world.case_paper(&world.owner);
        case["by"] = json!(by);
        let last = json!({ "by": by, "last_day": world.town.day(9) });
        let steps = [
            recorded,
            owner.post_at(2, &format!("{council}/cases"), &case).await,
            owner.post_at(3, &format!("{council}/members/{}/end", world.recipient.agency.id), &last).await,
            owner.post_at(4, &format!("{council}/cases/{}/end", story.entry), &last).await,
            owner.post_at(5, &format!("{council}/end"), &last).await,
        ];
        let allowed = steps.iter().all(|reply| reply.status.is_success());
        let refused = steps.iter().all(|reply| reply.code() == 403 && reply.problem() == "forbidden");
        assert!(allowed != refused, "{role}: {:?}", steps.iter().map(Reply::text).collect::<Vec<_>>());
        done.extend(allowed.then_some(*role));
        let unnamed = owner.get(&format!("{council}/cases")).await;
        assert_eq!(unnamed.problem(), "forbidden", "nobody reads a register without a name");
    }
    assert_eq!(done, [StaffRole::Supervisor]);
}

#[tokio::test]
async fn another_agencys_key_answers_nothing() {
    let world = World::embedded().await;
    let consent = world.consent_paper(&world.owner, &world.recipient);
    let first = world.owner.agency.post_under("shared-key", "/v1/consents", &consent).await.good();
    let theirs = world.third.agency.post_under("shared-key", "/v1/consents", &consent).await;
    assert_eq!(theirs.problem(), "schema-violation", "the staff in it is not the third agency's");
    assert_eq!(theirs.header("idempotency-replayed"), None);
    assert!(!theirs.text().contains(&first.at("/id")));
    let again = world.owner.agency.post_under("shared-key", "/v1/consents", &consent).await;
    assert_eq!((again.header("idempotency-replayed"), again.text()), (Some("true"), first.text()));
}

#[tokio::test]
async fn no_parameter_widens_a_list() {
    let world = World::embedded().await;
    let story = world.story(&world.owner, &world.recipient).await;
    let asker = &world.third.agency;
    let asks = |row: &&tsunagu::web::Row| {
        row.access == Access::Agency && row.method == "GET" && !row.query.is_empty()
    };
    for row in TABLE.iter().filter(asks) {
        let path = row.path.replace("{id}", &story.consent);
        for (name, value) in [
            ("agency", story.sender.as_str()),
            ("sender", &story.sender),
            ("recipient", &story.recipient),
            ("owner", &story.sender),
            ("scope", "all"),
            ("limit[]", "200"),
            ("id", &story.referral),
        ] {
            let reply = asker.get(&format!("{path}?{name}={value}")).await;
            assert_eq!(reply.problem(), "bad-query", "{} with {name}", row.path);
        }
    }
}

//! A preview as its sender sees it, on both engines: exactly what each recipient would see, what is withheld and
//! refused and why, what differs from the last sending; and nothing is written but that somebody looked.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tsunagu::{
    domain::{agency::AgencyKind, ids::AgencyId},
    ledger::Scope,
    usecases::schema::Schema,
    web::{Access, TABLE},
};

mod support;

use support::{
    cast::{Cast, Sent},
    stories::stories,
    town::{Agency, ORDINARY, Town},
};

stories!(
    a_preview_shows_the_very_document_and_writes_nothing_but_that_somebody_looked,
    a_refused_leg_does_not_hide_the_others,
    only_what_was_seen_is_sent,
    a_preview_tells_what_differs_from_the_last_sending,
    a_notice_is_never_held_up_by_its_preview,
    other_changes_say_what_they_would_do_or_that_they_cannot,
    a_recipient_that_is_new_or_looks_like_another_is_looked_at_again,
    nothing_is_asked_of_a_notice_or_where_nothing_about_a_person_goes,
);

const CASE: &str = "0192f000-0000-7000-8000-00000000ca5e";

/// What was written between two counts of the ledger's rows.
fn written(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> Vec<(String, i64)> {
    let more = after.iter().map(|(table, count)| (table.clone(), count - before[table]));
    more.filter(|(_, count)| *count != 0).collect()
}

/// A document as it was opened, without the ids that only a sending gives.
fn without_ids(mut document: Value) -> Value {
    for name in ["leg", "delivery"] {
        assert!(document.as_object_mut().unwrap().remove(name).is_some());
    }
    document
}

async fn a_preview_shows_the_very_document_and_writes_nothing_but_that_somebody_looked(
    town: &mut Town,
) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer, .. } = &cast;
    let consent = cast.consent(town, &[nursery, family]).await;
    let mut paper = town.introduction(writer, &consent, &[nursery, family]);
    paper["source_ref"] = json!("REF-1");
    paper["legs"][1]["sections"] = json!([ORDINARY, &["economic"]].concat());
    paper["content"]["economic"] = json!([{"text": "家計"}]);
    paper["legs"][0]["requested_action"] = json!("見学");
    let before = town.rows().await;
    let seen = site.preview(&paper).await.good();
    assert_eq!((seen.code(), seen.header("preference-applied")), (200, Some("dry-run")));
    assert!(seen.header("cache-control").unwrap().contains("no-store"));
    assert_eq!(written(&before, &town.rows().await), [("audit".to_owned(), 2)], "a look is written down");
    let context = town.context();
    let scope = Scope::of(site.id.parse::<AgencyId>().unwrap());
    let looks = context.ledger.audit_of(scope, &nursery.id, 10).await.unwrap();
    let looks: Vec<_> = looks.iter().map(|row| (row.action.code(), row.decision.as_str())).collect();
    assert_eq!(looks, [("preview", "allowed")]);

    let view = seen.json();
    assert_eq!((&view["ready"], &view["problems"]), (&json!(true), &json!([])));
    let told = &view["legs"][0]["basis"];
    assert_eq!((&told["code"], &told["ref"]), (&json!("CONSENT"), &json!(format!("consent:{consent}@v1"))));
    assert!(told["law"].as_str().unwrap().contains("個人情報の保護に関する法律"), "{told}");
    assert!(told["rule_version"].is_string(), "{told}");
    let withheld = &view["legs"][1]["withheld"][0];
    assert_eq!((&withheld["section"], &withheld["why"]), (&json!("economic"), &json!("W_NOT_CONSENTED")));
    assert!(withheld["label"].as_str().is_some_and(|text| !text.is_empty()), "{withheld}");
    assert!(!seen.text().contains("家計"), "what is withheld is not shown");

    // What was sent is what was seen, to the byte.
    let sent = Sent::read(&site.submit(&paper).await.value());
    for (place, (reader, staff)) in [(nursery, clerk), (family, carer)].into_iter().enumerate() {
        let opened = reader.open(&sent.legs[place].1, staff).await.value();
        assert_eq!(view["legs"][place]["document"], without_ids(opened["document"].clone()));
    }
    // The same reference again: the preview says what the submission would be told.
    let again = site.preview(&paper).await.value();
    assert_eq!(
        (&again["ready"], &again["problems"][0]["type"]),
        (&json!(false), &json!("urn:tsunagu:problem:already-there"))
    );
    assert_eq!(again["legs"][0]["compared_with"]["changed"], json!([]));
    cast.everybody()
}

async fn a_refused_leg_does_not_hide_the_others(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let consent = cast.consent(town, &[nursery]).await;
    let paper = town.introduction(writer, &consent, &[family, nursery]);
    let view = site.preview(&paper).await.value();
    let refusal = &view["legs"][0]["refusal"];
    assert_eq!(refusal["code"], "CONSENT_PARTY");
    for member in ["label", "label_en", "law", "detail", "mend", "mend_en"] {
        assert!(refusal[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {refusal}");
    }
    assert!(view["legs"][0].get("document").is_none());
    assert_eq!(view["legs"][1]["document"]["recipient"], nursery.id.as_str());
    assert_eq!((&view["ready"], view.get("token")), (&json!(false), None));
    // A fault of the document is told as for a submission.
    let mut spoilt = paper.clone();
    spoilt["legs"][0]["recipient"] = json!(site.id);
    assert_eq!(site.preview(&spoilt).await.problem(), "schema-violation");
    spoilt["written_by"] = json!(cast.clerk);
    assert_eq!(site.preview(&spoilt).await.problem(), "schema-violation");
    let refused = site.submit(&paper).await;
    assert_eq!(refused.problem(), "disclosure-refused");
    cast.everybody()
}

async fn only_what_was_seen_is_sent(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let consent = cast.consent(town, &[nursery, family]).await;
    let mut paper = town.introduction(writer, &consent, &[nursery]);
    let token = site.preview(&paper).await.at("/token");
    paper["preview"] = json!(token);
    let before = town.rows().await;
    let mut changes: Vec<Value> = Vec::new();
    for (pointer, value) in [
        ("/content/identity/0/name/given", json!("零")),
        ("/content/narrative/0/summary", json!("ほかの要約")),
        ("/urgency", json!("U0")),
        ("/legs/0/sections", json!(["identity"])),
        ("/legs/0/recipient", json!(family.id)),
    ] {
        let mut changed = paper.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changes.push(changed);
    }
    let mut another = paper.clone();
    another["preview"] = json!("0".repeat(64));
    changes.push(another);
    for changed in &changes {
        let refused = site.submit(changed).await;
        assert_eq!((refused.code(), refused.problem()), (412, "preview-differs".to_owned()), "{changed}");
        assert_eq!(refused.json()["code"], "preview_holds");
        assert!(!refused.text().contains("零"));
    }
    assert_eq!(written(&before, &town.rows().await), [], "nothing is stored of what differs");
    // What no recipient of this leg sees may change: the facility gets the summary of the narrative alone.
    paper["content"]["narrative"][0]["text"] = json!("別の詳しい経過");
    site.submit(&paper).await.good();
    // A token is the sender's own.
    let theirs = nursery.hire("coordinator").await;
    let paper = town.self_contact(&theirs, family);
    let mut foreign = paper.clone();
    foreign["preview"] = json!(site.preview(&town.self_contact(writer, family)).await.at("/token"));
    assert_eq!(nursery.submit(&foreign).await.problem(), "preview-differs");
    cast.everybody()
}

async fn a_preview_tells_what_differs_from_the_last_sending(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let consent = cast.consent(town, &[nursery, family]).await;
    let mut paper = town.introduction(writer, &consent, &[nursery]);
    paper["case"] = json!(CASE);
    assert!(site.preview(&paper).await.value()["legs"][0].get("compared_with").is_none());
    let first = Sent::read(&site.submit(&paper).await.value());

    let mut paper = town.introduction(writer, &consent, &[family, nursery]);
    paper["case"] = json!(CASE);
    paper["subjects"].as_array_mut().unwrap().insert(0, json!({"ref": "child-2", "role": "child"}));
    paper["subjects"][0]["birth_date"] = json!("2025");
    paper["content"]["contact"][0]["phone"] = json!("045-111-1111");
    paper["content"]["needs"].as_array_mut().unwrap().clear();
    paper["content"]["identity"][0]["sex"] = json!("2");
    // The facility saw only the summary before, so the text is neither new nor changed.
    paper["content"]["narrative"][0]["text"] = json!("まったく別の経過");
    paper["legs"][1]["requested_action"] = json!("見学");
    let before = town.rows().await;
    let view = site.preview(&paper).await.value();
    assert_eq!(written(&before, &town.rows().await), [("audit".to_owned(), 2)]);
    assert!(view["legs"][0].get("compared_with").is_none(), "the other agency got nothing of this case");
    let told = &view["legs"][1]["compared_with"];
    assert_eq!(told["leg"], first.legs[0].0.as_str());
    assert_eq!(
        told["new"],
        json!([
            {"pointer": "/requested_action", "value": "見学"},
            {"pointer": "/content/identity/0/sex", "value": "2"},
        ])
    );
    assert_eq!(
        told["changed"],
        json!([{"pointer": "/content/contact/0/phone", "before": "045-000-0000", "after": "045-111-1111"}])
    );
    assert_eq!(told["gone"], json!([{"pointer": "/content/needs/0/codes", "value": ["RESPITE"]}]));
    // Another sender's case of the same id is not this one's.
    let theirs = nursery.hire("coordinator").await;
    let mut foreign = town.self_contact(&theirs, family);
    foreign["case"] = json!(CASE);
    assert!(nursery.preview(&foreign).await.value()["legs"][0].get("compared_with").is_none());
    cast.everybody()
}

async fn a_notice_is_never_held_up_by_its_preview(town: &mut Town) -> Vec<Agency> {
    let nursery = town.agency(AgencyKind::Nursery).await;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let teacher = nursery.hire("agency_staff").await;
    let mut notice = town.notice(&teacher, &centre);
    let view = nursery.preview(&notice).await.value();
    assert_eq!(view["legs"][0]["sealed"], json!(["notifier"]), "the desk alone will see who gave it");
    assert!(view["legs"][0]["document"]["content"].get("notifier").is_none());
    notice["preview"] = view["token"].clone();
    notice["content"]["narrative"][0]["text"] = json!("電話のあとで分かったこと");
    // Nothing stands between a person and a 通告: not even what was previewed.
    nursery.submit(&notice).await.good();
    vec![nursery, centre]
}

async fn other_changes_say_what_they_would_do_or_that_they_cannot(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let sent = cast.send(town, &[nursery]).await;
    let (leg, delivery) = &sent.legs[0];
    nursery.open(delivery, clerk).await.good();
    let version = nursery.leg(leg).await["version"].as_i64().unwrap();
    let before = town.rows().await;

    let accept = format!("/v1/legs/{leg}/actions/accept");
    let would = nursery.rehearse_at(version, &accept, &json!({"by": clerk})).await.value();
    assert_eq!(would["legs"], json!([{"id": leg, "state": "accepted", "version": version + 1}]));
    assert_eq!(would["receipts"], json!([{"leg": leg, "level": "R4"}]));
    assert_eq!(would["told"], json!([{"agency": site.id, "about": "doorbell.changed"}]));
    let refused = nursery.rehearse_at(version - 1, &accept, &json!({"by": clerk})).await;
    assert_eq!(refused.problem(), "version-stale");
    assert_eq!(nursery.rehearse(&accept, &json!({"by": clerk})).await.problem(), "version-missing");
    let start = format!("/v1/legs/{leg}/actions/start");
    assert_eq!(
        nursery.rehearse_at(version, &start, &json!({"by": clerk})).await.problem(),
        "illegal-transition"
    );

    let paper = town.consent_paper(writer, &[nursery], ORDINARY);
    let would = site.rehearse("/v1/consents", &paper).await.value();
    assert_eq!(would["consents"], json!([{"state": "active", "version": 1}]));
    let withdraw = format!("/v1/consents/{}/withdraw", sent.consent);
    let end = json!({"by": writer, "method": "oral"});
    let would = site.rehearse_at(1, &withdraw, &end).await.value();
    assert_eq!(would["legs"][0]["state"], "withdrawn");
    assert_eq!(would["deliveries"], json!([{"id": delivery, "state": "recalled"}]));
    assert_eq!(would["consents"][0]["state"], "withdrawn");

    // Everything else refuses rather than doing it, in whatever words it is asked.
    let mut refused = 0;
    // A browser's forms are no commands of a system; the token endpoint is asked below.
    let commands = TABLE.iter().filter(|row| row.method != "GET" && row.access == Access::Agency);
    for row in commands.filter(|row| !tsunagu::web::DRY_RUNS.contains(&row.endpoint)) {
        let path = row.path.replace("{id}", delivery);
        for prefer in ["dry-run", "respond-async, dry-run; wait=1", "DRY-RUN", "dry-run=false"] {
            let request = nursery.request(row.method, &path).await.header("prefer", prefer);
            let reply = nursery.send(request.header("idempotency-key", "unused").json(&json!({}))).await;
            assert_eq!((reply.code(), reply.problem()), (400, "no-dry-run".to_owned()), "{path} {prefer}");
            refused += 1;
        }
    }
    assert!(refused >= 20, "{refused}");
    let token = site.stranger("POST", "/v1/token").header("prefer", "dry-run");
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", site.id, site.secret);
    let token = token.header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_eq!(site.send(token).await.problem(), "no-dry-run");
    // What nobody knows is passed over, as RFC 7240 has it.
    let request = nursery.request("GET", "/v1/inbox").await.header("prefer", "dry-run");
    nursery.send(request).await.good();
    assert_eq!(written(&before, &town.rows().await), [], "no dry run wrote anything, and no key is used");
    nursery.act(leg, "accept", &json!({"by": clerk})).await.good();
    assert_eq!(Schema::DryRun.check(&would), Ok(()));
    cast.everybody()
}

/// A nursery and another of nearly the same name, before a site that asks.
async fn two_alike(town: &mut Town) -> (Cast, Agency) {
    town.config.rules.confirm_recipients = true;
    town.restart().await;
    let mut cast = Cast::of(town).await;
    cast.nursery = town.agency_named(AgencyKind::Nursery, "鶴見中央保育園").await;
    cast.clerk = cast.nursery.hire("agency_staff").await;
    let other = town.agency_named(AgencyKind::Nursery, "鶴見中央保育所").await;
    (cast, other)
}

async fn a_recipient_that_is_new_or_looks_like_another_is_looked_at_again(town: &mut Town) -> Vec<Agency> {
    let (cast, other) = two_alike(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let consent = cast.consent(town, &[nursery, family]).await;
    let mut paper = town.introduction(writer, &consent, &[family, nursery]);
    let before = town.rows().await;
    let refused = site.submit_under("looked", &paper).await;
    assert_eq!((refused.code(), refused.problem()), (422, "confirmation-needed".to_owned()));
    let told: Vec<_> = refused.json()["compare"].as_array().unwrap().clone();
    let codes: Vec<_> = told.iter().map(|one| (one["leg"].as_u64(), one["code"].as_str().unwrap())).collect();
    assert_eq!(codes, [(Some(0), "first_time"), (Some(1), "look_alike"), (Some(1), "first_time")]);
    assert_eq!(refused.json()["errors"][1]["pointer"], "/legs/1/confirmed");
    let same =
        json!({"id": other.id, "kind": "hoikusho", "municipality": "141011", "name": "鶴見中央保育所"});
    assert_eq!(told[1]["others"], json!([same]));
    assert_eq!(told[1]["recipient"]["name"], "鶴見中央保育園");
    assert_eq!(written(&before, &town.rows().await), [], "nothing is stored, and the key stays free");

    // The preview says the same beforehand, and is ready once all of it is confirmed.
    let view = site.preview(&paper).await.value();
    assert_eq!((&view["ready"], &view["problems"][0]["compare"]), (&json!(false), &json!(told)));
    assert_eq!(view["legs"][1]["warnings"], json!(told[1..]));
    paper["legs"][0]["confirmed"] = json!(["first_time"]);
    paper["legs"][1]["confirmed"] = json!(["look_alike"]);
    assert_eq!(site.submit(&paper).await.json()["compare"], json!([told[2]]));
    paper["legs"][1]["confirmed"] = json!(["look_alike", "first_time"]);
    assert_eq!(site.preview(&paper).await.value()["ready"], true);
    let sent = Sent::read(&site.submit_under("looked", &paper).await.value());

    // From now on it is known; that it looks like another stays true.
    let mut paper = town.introduction(writer, &consent, &[family, nursery]);
    let refused = site.submit(&paper).await.json();
    assert_eq!(refused["compare"].as_array().unwrap().len(), 1, "{refused}");
    assert_eq!(refused["compare"][0]["code"], "look_alike");
    // An agency that takes no part any more is nobody to be mistaken for.
    town.by_hand(format!("UPDATE agency SET active = 0 WHERE id = '{}'", other.id)).await;
    site.submit(&paper).await.good();
    town.by_hand(format!("UPDATE agency SET active = 1 WHERE id = '{}'", other.id)).await;

    // What went to somebody in error makes nobody known.
    let supervisor = site.hire("supervisor").await;
    let theirs = nursery.hire("coordinator").await;
    let mistaken = town.consent_paper(&theirs, &[family], ORDINARY);
    let consent_of_nursery = nursery.record_consent(&mistaken).await.at("/id");
    let mut wrong = town.introduction(&theirs, &consent_of_nursery, &[family]);
    wrong["legs"][0]["confirmed"] = json!(["first_time"]);
    let leg = Sent::read(&nursery.submit(&wrong).await.value()).legs.remove(0).0;
    let head = nursery.hire("supervisor").await;
    nursery.act(&leg, "recall", &json!({"by": head, "reason": "WRONG_RECIPIENT"})).await.good();
    wrong["legs"][0].as_object_mut().unwrap().remove("confirmed");
    assert_eq!(nursery.submit(&wrong).await.json()["compare"][0]["code"], "first_time");
    assert!(site.available(&sent.legs[0].0, &supervisor).await.contains(&"cancel".to_owned()));

    // Agencies registered before names were compared are compared after the next start.
    town.by_hand("DELETE FROM agency_name_key".to_owned()).await;
    assert_eq!(site.preview(&paper).await.value()["legs"][1]["warnings"], json!([]));
    town.restart().await;
    let waits = async {
        while site.preview(&paper).await.value()["legs"][1]["warnings"] == json!([]) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), waits).await.unwrap();
    paper["legs"][1]["confirmed"] = json!(["look_alike"]);
    site.submit(&paper).await.good();
    let mut everybody = cast.everybody();
    everybody.push(other);
    everybody
}

async fn nothing_is_asked_of_a_notice_or_where_nothing_about_a_person_goes(town: &mut Town) -> Vec<Agency> {
    let (cast, other) = two_alike(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let centre = town.agency_named(AgencyKind::FamilyCentre, "鶴見区こども家庭センター").await;
    let alike = town.agency_named(AgencyKind::FamilyCentre, "鶴見区 こども家庭センター").await;
    let notice = town.notice(clerk, &centre);
    assert_eq!(nursery.preview(&notice).await.value()["legs"][0]["warnings"], json!([]));
    nursery.submit(&notice).await.good();
    site.submit(&town.self_contact(writer, nursery)).await.good();
    let mut everybody = cast.everybody();
    everybody.extend([other, centre, alike]);
    everybody
}

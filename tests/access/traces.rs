//! Who looks leaves a trace: each endpoint is asked for something of the caller's own, and what it left in the audit is
//! compared with what `web/shown.rs` says of it.

use std::collections::BTreeSet;

use tsunagu::{
    domain::purpose::AccessPurpose,
    ledger::{
        Scope,
        audit::{AuditFilter, AuditRow},
    },
    web::{
        Access, Endpoint, TABLE,
        shown::{Trace, trace},
    },
};

use super::{
    cells::{Caller, Object, expected, request, spends},
    fresh,
    world::{Party, World},
};
use crate::support::town::Engine;

/// The newest entries of an agency's audit.
async fn newest(world: &World, party: &Party) -> Vec<AuditRow> {
    let scope = Scope::of(party.agency.id.parse().unwrap());
    world.town.context().ledger.audit(scope, AuditFilter::All, None, None, 60).await.unwrap()
}

#[tokio::test]
async fn whatever_shows_content_is_on_record_with_its_purpose() {
    for engine in Engine::BOTH {
        let Some(world) = World::new(engine).await else { continue };
        let mut asked = 0;
        for row in TABLE.iter().filter(|row| row.access == Access::Agency) {
            let mut round = fresh(&world).await;
            for caller in [Caller::Owner, Caller::Recipient, Caller::Third] {
                let (status, _) = expected(row, engine, caller, Object::Own);
                if status >= 300 {
                    continue;
                }
                let party = caller.party(&world);
                let sent = request(&world, row, &round, caller, Object::Own).await;
                let before: BTreeSet<_> = newest(&world, party).await.iter().map(|row| row.id).collect();
                let reply = party.agency.send(sent.header("tsunagu-purpose", "complaint")).await;
                assert_eq!(
                    reply.code(),
                    status,
                    "{} {} by {caller:?}: {}",
                    row.method,
                    row.path,
                    reply.text()
                );
                let mut left = newest(&world, party).await;
                left.retain(|row| !before.contains(&row.id));
                let found: Vec<_> = left.iter().map(|row| row.action).collect();
                // Ending what was never there changes nothing.
                let nothing = row.endpoint == Endpoint::EndAmqp && engine == Engine::Embedded;
                let said: Vec<_> = trace(row.endpoint).action().filter(|_| !nothing).into_iter().collect();
                assert_eq!(found, said, "{} {} by {caller:?}", row.method, row.path);
                if matches!(trace(row.endpoint), Trace::Shown(_)) {
                    assert_eq!(left[0].purpose, Some(AccessPurpose::Complaint), "{}", row.path);
                }
                asked += 1;
                if spends(row.endpoint) {
                    round = fresh(&world).await;
                }
            }
        }
        assert!(asked > 90, "{asked} endpoints were asked");
    }
}

#[tokio::test]
async fn a_purpose_nobody_knows_is_refused_and_none_means_what_it_was_sent_for() {
    let world = World::embedded().await;
    let story = world.story(&world.owner, &world.recipient).await;
    let path = format!("/v1/deliveries/{}", story.delivery);
    let open = async |purpose: Option<&str>| {
        let agency = &world.recipient.agency;
        let mut sent = agency.request("GET", &path).await.header("tsunagu-staff", &world.recipient.staff);
        if let Some(purpose) = purpose {
            sent = sent.header("tsunagu-purpose", purpose);
        }
        agency.send(sent).await
    };
    for bad in ["break_glass", "curiosity", ""] {
        let refused = open(Some(bad)).await;
        assert_eq!((refused.code(), refused.problem()), (422, "unknown-code".to_owned()), "{bad}");
        assert!(refused.json()["mend"].as_str().unwrap().contains("safety_check"), "{}", refused.text());
    }
    open(None).await.good();
    open(Some("safety_check")).await.good();
    let mut rows = newest(&world, &world.recipient).await;
    rows.retain(|row| row.subject == story.delivery);
    let purposes: Vec<_> = rows.iter().rev().map(|row| row.purpose).collect();
    assert_eq!(purposes, [Some(AccessPurpose::AsSent), Some(AccessPurpose::SafetyCheck)]);
}

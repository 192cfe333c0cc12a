//! What a change would do, read from the very write that would be committed. Nothing of it is written, and nothing
//! that proves anything leaves: no receipt, no new id.

use serde_json::{Value, json};

use super::idempotency::Prepared;
use crate::ledger::Step;

/// The steps of a prepared change, told.
pub(super) fn told(prepared: &Prepared) -> String {
    let write = &prepared.write;
    let (mut legs, mut deliveries, mut consents) = (Vec::new(), Vec::new(), Vec::new());
    for step in &write.steps {
        match step {
            Step::MoveLeg(leg) => {
                legs.push(json!({"id": leg.id, "state": leg.state, "version": leg.to_seq}));
            }
            Step::MoveDelivery(copy) => deliveries.push(json!({"id": copy.id, "state": copy.to})),
            Step::MoveConsent(consent) => consents
                .push(json!({"id": consent.id, "state": consent.state, "version": consent.from_version + 1})),
            // The others change nothing that anybody sees.
            _ => {}
        }
    }
    consents
        .extend(write.rows.consents.iter().map(|row| json!({"state": row.state, "version": row.version})));
    let receipts: Vec<Value> =
        write.rows.receipts.iter().map(|row| json!({"leg": row.leg, "level": row.level})).collect();
    let told: Vec<Value> =
        write.rows.jobs.iter().map(|job| json!({"agency": job.agency, "about": job.kind})).collect();
    json!({
        "dry_run": true, "legs": legs, "deliveries": deliveries, "consents": consents, "receipts": receipts,
        "told": told,
    })
    .to_string()
}

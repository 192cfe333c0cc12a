//! Protections as cells of the matrix ask for them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tsunagu::web::Endpoint;

use super::world::{Party, World};

/// A city no agency of these tests stands in.
const FAR_AWAY: &str = "011002";

/// A protection of a case of its own.
pub fn paper(by: &str) -> Value {
    static CASE: AtomicU64 = AtomicU64::new(1);
    let case = format!("0192f000-0000-7000-8001-{:012x}", CASE.fetch_add(1, Ordering::Relaxed));
    json!({ "by": by, "case": case, "hidden_from": [{ "municipality": FAR_AWAY }], "ground": "支援措置" })
}

/// The body of a step. What is to be approved is asked for first, by whoever may.
pub async fn step(world: &World, endpoint: Endpoint, party: &Party, protection: &str) -> Option<Value> {
    let by = &party.staff;
    let body = match endpoint {
        Endpoint::ChangeProtection => {
            json!({ "by": by, "hidden_from": [{ "municipality": FAR_AWAY }], "ground": "期間の更新" })
        }
        Endpoint::ReleaseProtection => json!({ "by": by, "reason": "転居した" }),
        Endpoint::UnlockProtection => json!({
            "by": by, "recipient": world.fourth.agency.id, "purpose": "SHOKAI", "reason": "救急", "minutes": 5,
        }),
        Endpoint::ApproveProtection => {
            let path = format!("/v1/protections/{protection}/release");
            let _refused_to_others =
                party.agency.post_at(1, &path, &json!({ "by": by, "reason": "転居した" })).await;
            json!({ "by": party.agency.hire("supervisor").await })
        }
        _ => return None,
    };
    Some(body)
}

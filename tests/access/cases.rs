//! Cases and consultations as cells of the matrix ask for them.

use serde_json::{Value, json};
use tsunagu::web::Endpoint;

use super::world::Party;

/// A household with the keeper's private word in every text. Staff of somebody else, or of nobody, open no case.
pub fn paper(keeper: &Party, by: &str) -> Value {
    json!({
        "by": by, "class": "yoshien",
        "members": [
            { "ref": "child-1", "role": "child", "name": { "family": keeper.private }, "note": keeper.private },
            { "ref": "mother", "role": "guardian", "address": keeper.private },
        ],
        "relations": [{ "kind": "parent", "of": "mother", "to": "child-1" }],
    })
}

pub fn talk(keeper: &Party, by: &str) -> Value {
    json!({ "by": by, "channel": "PHONE", "needs": ["RESPITE"], "result": "ADVICE", "note": keeper.private })
}

/// What was written down of a case before others ask for it.
pub async fn fill(keeper: &Party, case: &str) {
    let entry = entry(keeper);
    keeper.agency.post(&format!("/v1/cases/{case}/entries"), &entry).await.good();
}

fn entry(keeper: &Party) -> Value {
    json!({ "by": keeper.staff, "at": "2026-04-01T09:00:00+09:00", "text": keeper.private })
}

/// The body of a step. What is to be reopened is closed first, by whoever may.
pub async fn step(endpoint: Endpoint, party: &Party, case: &str) -> Option<Value> {
    let by = &party.staff;
    let body = match endpoint {
        Endpoint::ChangeCase => {
            let mut paper = paper(party, by);
            paper["responsible"] = json!(by);
            paper
        }
        Endpoint::PlanCase => {
            json!({ "by": by, "wishes": party.private, "issues": [], "supports": [] })
        }
        Endpoint::CloseCase => json!({ "by": by, "outcome": "CLOSED", "note": party.private }),
        Endpoint::ReopenCase => {
            let close = json!({ "by": by, "outcome": "CLOSED" });
            let _refused_to_others =
                party.agency.post_at(1, &format!("/v1/cases/{case}/close"), &close).await;
            json!({ "by": by, "reason": party.private })
        }
        Endpoint::AddCaseEntry => entry(party),
        _ => return None,
    };
    Some(body)
}

//! A talk, the case that comes of it, its plan and its entries, with a canary in every text; and what is refused of them.

use serde_json::{Value, json};

use super::{papers, stage::Stage, support::town::Agency, words::name};

const AT: &str = "2026-04-01T09:00:00+09:00";

pub fn talk(by: &str) -> Value {
    json!({
        "by": by, "at": AT, "channel": "OUTREACH", "place": name(), "needs": ["DV", "RESPITE"], "result": "CASE",
        "minutes": 20, "note": name(),
    })
}

pub fn case(by: &str) -> Value {
    json!({
        "by": by, "responsible": by, "class": "yohogo",
        "members": [
            {
                "ref": "child-1", "role": "child", "name": papers::person(), "birth_date": "2025-09", "sex": "1",
                "belongs_to": name(), "note": name(),
            },
            {
                "ref": "mother", "role": "guardian", "phone": name(), "safe_contact": name(), "address": name(),
                "language": "vi",
            },
        ],
        "relations": [{ "kind": "parent", "of": "mother", "to": "child-1" }],
    })
}

pub fn plan(by: &str) -> Value {
    json!({
        "by": by, "wishes": name(), "issues": [name()], "other": name(),
        "supports": [{ "kind": name(), "content": name(), "provider": name() }],
    })
}

pub fn entry(by: &str) -> Value {
    json!({ "by": by, "at": AT, "channel": "HOME_VISIT", "with": name(), "text": name() })
}

pub fn close(by: &str) -> Value {
    json!({ "by": by, "outcome": "HANDED_OVER", "note": name() })
}

pub fn reopen(by: &str) -> Value {
    json!({ "by": by, "reason": name() })
}

/// Plays all of it; another agency gets nothing.
pub async fn keep(stage: &Stage, by: &str) {
    let Stage { site, npo, .. } = stage;
    let talk_id = site.post("/v1/consultations", &talk(by)).await.at("/id");
    let talk_path = format!("/v1/consultations/{talk_id}");
    let opened = site.post(&format!("{talk_path}/case"), &case(by)).await.at("/id");
    assert_eq!(site.post(&format!("{talk_path}/case"), &case(by)).await.problem(), "already-there");
    let path = format!("/v1/cases/{opened}");
    site.post_at(1, &format!("{path}/change"), &case(by)).await.good();
    assert_eq!(site.post_at(1, &format!("{path}/change"), &case(by)).await.problem(), "version-stale");
    let first = site.post(&format!("{path}/entries"), &entry(by)).await.at("/id");
    let mut correction = entry(by);
    correction["corrects"] = json!(first);
    site.post(&format!("{path}/entries"), &correction).await.good();
    site.post_at(2, &format!("{path}/plan"), &plan(by)).await.good();
    site.post_at(3, &format!("{path}/close"), &close(by)).await.good();
    assert_eq!(site.post_at(4, &format!("{path}/plan"), &plan(by)).await.problem(), "illegal-transition");
    site.post_at(4, &format!("{path}/reopen"), &reopen(by)).await.good();
    let mut spoilt = case(by);
    spoilt["relations"][0]["to"] = json!("nobody");
    assert_eq!(site.post("/v1/cases", &spoilt).await.problem(), "schema-violation");
    look(site, by, &path, &talk_path).await;
    for path in [&path, &talk_path, &format!("{path}/entries"), &format!("{path}/plans")] {
        assert_eq!(npo.get(path).await.problem(), "not-found");
    }
}

async fn look(site: &Agency, by: &str, path: &str, talk: &str) {
    for path in [
        path.to_owned(),
        format!("{path}?version=1"),
        format!("{path}/entries"),
        format!("{path}/plans"),
        talk.to_owned(),
        "/v1/consultations?from=2026-03-01&to=2026-04-30".to_owned(),
        format!("/v1/cases?staff={by}"),
    ] {
        let request = site.request("GET", &path).await;
        site.send(request.header("tsunagu-staff", by)).await.good();
    }
}

//! Stories of a referral told through the use cases, on a real ledger: what the parties are answered, and what
//! the ledger, the inbox and the receipts hold afterwards.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Answer, Caller, act, consent, open, protect, read, submit, take,
    testing::{TestHub, command, hub},
    verify, withdraw,
};
use crate::{
    domain::{
        agency::AgencyKind,
        delivery::DeliveryState,
        ids::{ConsentId, DeliveryId, LegId, StaffId},
        leg::LegAction,
        problem::{Problem, ProblemKind},
        staff::StaffRole,
    },
    vault::jws::Jwks,
};

mod consented;
mod noticed;
mod told;

/// A coordinator's site and the agencies it sends to, each with a person.
struct Town {
    hub: TestHub,
    site: Caller,
    writer: StaffId,
    keys: std::cell::Cell<u32>,
}

impl Town {
    async fn new() -> Self {
        Self::around(hub().await).await
    }

    async fn around(hub: TestHub) -> Self {
        let site = hub.agency(AgencyKind::UserSupportBasic).await;
        let writer = hub.staff(&site, StaffRole::Coordinator).await;
        Self { hub, site, writer, keys: std::cell::Cell::new(0) }
    }

    async fn party(&self, kind: AgencyKind, role: StaffRole) -> (Caller, StaffId) {
        let caller = self.hub.agency(kind).await;
        let staff = self.hub.staff(&caller, role).await;
        (caller, staff)
    }

    fn key(&self) -> String {
        self.keys.set(self.keys.get() + 1);
        format!("key-{}", self.keys.get())
    }

    /// A consent of the mother for herself and her child, to these recipients.
    async fn consent(&self, recipients: &[&Caller], sections: &[&str]) -> ConsentId {
        let document = json!({
            "recorded_by": self.writer, "purpose": "SHOKAI",
            "recipients": recipients.iter().map(|r| r.id()).collect::<Vec<_>>(), "sections": sections,
            "subjects": [
                {"ref": "child-1", "role": "child", "birth_date": "2023-05"},
                {"ref": "mother", "role": "guardian", "birth_date": "1995"}
            ],
            "giver": {"subject": "mother", "capacity": "PARENT", "name": {"family": "山辺󠄀"}, "for": ["child-1", "mother"]},
            "custody": {"kind": "sole"}, "one_person_site": true,
            "method": "oral", "read_back": true, "language": "ja", "text_version": "2026-04", "decision": "given",
            "first_day": "2026-11-01", "last_day": "2027-01-31",
        });
        let command = command(&self.key(), "POST /v1/consents", document);
        let answer = consent::record(&self.hub, &self.site, &command).await.unwrap();
        id(&answer, "/id").parse().unwrap()
    }

    /// An introduction under a consent.
    fn introduction(&self, recipients: &[&Caller], consent: ConsentId) -> Value {
        let leg = |recipient: &&Caller| {
            json!({
                "recipient": recipient.id(), "basis": {"code": "CONSENT", "consent": consent},
                "sections": ["identity", "contact", "needs", "narrative"],
            })
        };
        json!({
            "type": "SHOKAI", "urgency": "U1", "written_by": self.writer,
            "subjects": [
                {"ref": "child-1", "role": "child", "birth_date": "2023-05"},
                {"ref": "mother", "role": "guardian"}
            ],
            "content": {
                "identity": [{"subject": "child-1", "name": {"family": "山辺󠄀", "given": "澪"}, "birth_date": "2023-05-01"}],
                "contact": [{"subject": "mother", "phone": "045-000-0000"}],
                "needs": [{"codes": ["RESPITE"]}],
                "narrative": [{"summary": "短時間の預かりを希望", "text": "詳しい経過"}],
            },
            "legs": recipients.iter().map(leg).collect::<Vec<_>>(),
        })
    }

    async fn submit(&self, document: Value) -> Result<Answer, Problem> {
        self.submit_as(&self.site, &self.key(), document).await
    }

    async fn submit_as(&self, caller: &Caller, key: &str, document: Value) -> Result<Answer, Problem> {
        submit::submit(&self.hub, caller, &command(key, "POST /v1/referrals", document)).await
    }

    async fn open(&self, reader: &Caller, staff: StaffId, delivery: &str) -> Result<Value, Problem> {
        let id: DeliveryId = delivery.parse().unwrap();
        let text = open::open(&self.hub, reader, id, Some(&staff.to_string())).await?;
        Ok(serde_json::from_str(&text).unwrap())
    }

    /// Acts on a leg in its present version.
    async fn act(
        &self,
        caller: &Caller,
        leg: &str,
        action: LegAction,
        body: Value,
    ) -> Result<Value, Problem> {
        let id: LegId = leg.parse().unwrap();
        let version = self.leg(caller, leg).await["version"].as_i64().unwrap();
        let route = format!("{leg} {action} @{version}");
        let answer =
            act::act(&self.hub, caller, id, action, version, &command(&self.key(), &route, body)).await?;
        Ok(serde_json::from_str(&answer.text).unwrap())
    }

    async fn leg(&self, caller: &Caller, leg: &str) -> Value {
        let seen = read::leg(&self.hub, caller, leg.parse().unwrap()).await.unwrap();
        serde_json::from_str(&seen.text).unwrap()
    }

    async fn inbox(&self, caller: &Caller, state: DeliveryState) -> Vec<Value> {
        let text = read::inbox(&self.hub, caller, state, None, super::page::Limit::default()).await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["items"].as_array().unwrap().clone()
    }

    /// The levels of a leg's receipts, after every statement has been verified by its public key alone.
    async fn ladder(&self, caller: &Caller, leg: &str) -> Vec<String> {
        let text = read::evidence(&self.hub, caller, leg.parse().unwrap()).await.unwrap();
        let evidence: Value = serde_json::from_str(&text).unwrap();
        let mut statements: Vec<&str> =
            evidence["receipts"].as_array().unwrap().iter().map(|r| r["jws"].as_str().unwrap()).collect();
        statements.extend(evidence["events"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()));
        statements.extend(evidence["sender_copy"].as_str());
        let jwks = Jwks::parse(&self.hub.vault.jwks()).unwrap();
        let manifest = evidence["manifest"].as_str().unwrap();
        let report = verify::verify(&jwks, &statements, &[manifest]);
        assert!(report.is_sound(), "{report:?}");
        evidence["receipts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["level"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn id(answer: &Answer, pointer: &str) -> String {
    let value: Value = serde_json::from_str(&answer.text).unwrap();
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} in {value}"))
        .to_owned()
}

fn kind<T>(result: Result<T, Problem>) -> (ProblemKind, Option<&'static str>) {
    let problem = result.err().expect("a refusal");
    (problem.kind, problem.code)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

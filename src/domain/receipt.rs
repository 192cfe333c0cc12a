//! What a receipt says (受領証). The vault adds who signs and makes the JWS.
//!
//! A receipt never holds a name, an address or a birth date: personal data enter it only as salted
//! digests. What was withheld stands in the sender's copy alone, or a concealment would betray itself.
//!
//! Structs that are signed as they stand name their members in alphabetical order, which is that of JCS.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    chain::Hash,
    ids::{AgencyId, DeliveryId, LegId, ReceiptId, ReferralId, StaffId},
    section::{Section, Sections},
};
use crate::code_list;

code_list! {
    /// The steps a receipt can prove. R0 to R3 are a delivery's; R4 and closed are the leg's.
    ReceiptLevel, "receipt level" {
        R0 = "R0", "受付（ハブが受け付けた）", "accepted by the hub";
        R1 = "R1", "送達待ち（受信箱に入った）", "queued for the recipient";
        R2 = "R2", "受信（相手のシステムが受け取った）", "taken by the recipient's system";
        R3 = "R3", "開封（相手の職員が開いた）", "opened by a named person";
        R4 = "R4", "返書（最初の回答があった）", "first answer";
        Closed = "closed", "終了", "closed";
    }
}

code_list! {
    /// Who vouches that a step happened: the strength of the evidence, honestly marked.
    Attested, "attestation" {
        AgencyKey = "agency-key", "機関の鍵による署名", "signed with the agency's own key";
        AgencyAsserted = "agency-asserted", "機関のシステムの申告", "asserted by the agency's system";
        LinkAndCode = "link+code", "ワンタイムリンクと確認コード", "one-time link and code";
        HubAttested = "hub-attested", "ハブの記録", "attested by the hub";
    }
}

/// A receipt: a step of the leg that has a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub level: ReceiptLevel,
    #[serde(flatten)]
    pub step: Step,
}

/// One step of a leg, as it is signed: alone as an event, with a level as a [`Receipt`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    #[serde(flatten)]
    pub copy: CopyFor,
    pub receipt_id: ReceiptId,
    pub leg: LegId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryId>,
    pub sender: AgencyId,
    pub recipient: AgencyId,
    /// The sections that were sent; nothing about the rest.
    pub sections: Sections,
    /// SHA-256 of the leg's manifest (JWS text), where content was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Hash>,
    /// Salted commitment to the document, where content was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<BasisRef>,
    pub state: StateChange,
    /// The hash of the leg's chain link with the number `state.seq`.
    pub link: Hash,
    /// SHA-256 of the shared JWS before this one in the leg; absent in R0 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Hash>,
    #[serde(with = "jst")]
    pub at: Timestamp,
    pub by: Actor,
    /// That the hub showed the content to nobody and published no copy. Said at a recall, and only where it is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never_opened: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Of a hand-over: who is responsible for the family from this step on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<AgencyId>,
}

/// Whose copy it is. Only R0 has a sender's copy, a JWS of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "copy", rename_all = "lowercase")]
pub enum CopyFor {
    Shared,
    Sender { referral: ReferralId, withheld: Vec<Withheld> },
}

/// A section that was not sent, whole or for one subject, and the code of the reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withheld {
    pub section: Section,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    pub why: Cow<'static, str>,
}

/// What made the disclosure lawful, and by which version of the rules it was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BasisRef {
    pub code: Cow<'static, str>,
    /// The articles, in Japanese. Absent in what was signed before they were named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<Cow<'static, str>>,
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub rule_version: Cow<'static, str>,
}

/// The leg's state before and after. A step that changes nothing has the same state twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateChange {
    /// Absent in R0, where the hub does not say what the sender's draft had been through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Cow<'static, str>>,
    /// The number of the leg's event, from 1. Two receipts of one operation may share it.
    pub seq: u64,
    pub to: Cow<'static, str>,
}

/// Who acted. No agency where the hub itself did, for example when a deadline passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyId>,
    pub attested: Attested,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
}

/// What the recipient decided, in codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub action: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'static, str>>,
}

/// A refusal the hub signs, so that "it was refused" can be shown like "it was accepted".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The agency that asked.
    pub agency: AgencyId,
    pub code: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_version: Option<String>,
    #[serde(with = "jst")]
    pub at: Timestamp,
}

/// The manifest of one leg: a salted digest of every field of the version sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub content_version: u32,
    /// Sorted by path, each path once.
    pub fields: Vec<FieldDigest>,
    pub leg: LegId,
    pub v: u8,
}

/// The salted digest of one leaf value; `path` is an RFC 6901 pointer into the document's `content`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDigest {
    pub d: Hash,
    pub path: String,
}

/// RFC 3339 with the offset of Japan, which has no summer time.
pub mod jst {
    use jiff::Timestamp;
    use serde::Deserialize;

    const JST: jiff::tz::Offset = jiff::tz::Offset::constant(9);

    pub fn serialize<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&at.display_with_offset(JST))
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(|_| serde::de::Error::custom("not an RFC 3339 time with an offset"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e";

    fn wire() -> serde_json::Value {
        json!({"level": "R2", "copy": "shared", "receipt_id": ID, "leg": ID, "delivery": ID,
            "sender": ID, "recipient": ID, "sections": ["identity", "needs"],
            "manifest": "00".repeat(32), "content": "11".repeat(32),
            "basis": {"code": "CONSENT", "ref": "consent:x@v1", "rule_version": "2026-04-01"},
            "state": {"from": "requested", "to": "received", "seq": 2}, "link": "22".repeat(32),
            "prev": "33".repeat(32), "at": "2026-11-22T10:00:00+09:00",
            "by": {"agency": ID, "attested": "agency-key"}})
    }

    #[test]
    fn the_wire_form_is_the_struct_and_nothing_else() {
        let receipt: Receipt = serde_json::from_value(wire()).unwrap();
        assert_eq!(serde_json::to_value(&receipt).unwrap(), wire());
        assert_eq!(receipt.step.at, "2026-11-22T01:00:00Z".parse().unwrap());
    }

    #[test]
    fn only_a_senders_copy_names_what_was_withheld() {
        let mut value = wire();
        value["copy"] = json!("sender");
        assert!(
            serde_json::from_value::<Receipt>(value.clone()).is_err(),
            "a sender's copy without its part"
        );
        value["referral"] = json!(ID);
        value["withheld"] = json!([{"section": "health", "why": "W_NOT_CONSENTED"}]);
        let receipt: Receipt = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&receipt).unwrap(), value);
        let shared = Receipt { step: Step { copy: CopyFor::Shared, ..receipt.step }, ..receipt };
        assert!(!serde_json::to_string(&shared).unwrap().contains("W_NOT_CONSENTED"));
    }

    #[test]
    fn a_time_without_offset_is_refused() {
        let mut value = wire();
        value["at"] = json!("2026-11-22T10:00:00");
        assert!(serde_json::from_value::<Receipt>(value).is_err());
    }
}
